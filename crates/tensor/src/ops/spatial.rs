//! A setting with one number for all spatial axes, or one for each.

use smallvec::SmallVec;

use crate::error::{Error, Result};

/// One number for every spatial axis, or one for each: `2` or `[2, 1]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PerSpatialAxis(Numbers);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Numbers {
    Same(usize),
    Each(SmallVec<[usize; 2]>),
}

impl From<usize> for PerSpatialAxis {
    fn from(number: usize) -> Self {
        Self(Numbers::Same(number))
    }
}

impl<const N: usize> From<[usize; N]> for PerSpatialAxis {
    fn from(numbers: [usize; N]) -> Self {
        Self::from(&numbers[..])
    }
}

impl From<&[usize]> for PerSpatialAxis {
    fn from(numbers: &[usize]) -> Self {
        Self(Numbers::Each(SmallVec::from_slice(numbers)))
    }
}

impl PerSpatialAxis {
    /// A number for each of `axes` axes, none below `least`.
    pub(crate) fn resolve(
        &self,
        op: &'static str,
        argument: &'static str,
        axes: usize,
        least: usize,
    ) -> Result<SmallVec<[usize; 2]>> {
        let error = |expected, found| Error::Argument {
            op,
            argument,
            expected,
            found,
        };
        let numbers = match &self.0 {
            Numbers::Same(number) => SmallVec::from_elem(*number, axes),
            Numbers::Each(numbers) => numbers.clone(),
        };
        if numbers.len() != axes {
            let expected = format!("one number, or one for each of the {axes} spatial axes");
            return Err(error(expected, format!("{numbers:?}")));
        }
        match numbers.iter().find(|&&number| number < least) {
            Some(number) => Err(error(format!("at least {least}"), number.to_string())),
            None => Ok(numbers),
        }
    }
}
