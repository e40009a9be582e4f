//! What is missing or wrong among the gradients of one sweep.

use std::borrow::Borrow;
use std::fmt;

use macula_tensor::{Float, Result, Tensor};

use crate::gradients::Gradients;
use crate::param::Param;

/// What is wrong with the gradient of a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finding {
    /// The parameter is frozen: it was asked for no gradient.
    Frozen,
    /// There is none: the loss does not depend on the parameter, or a value on the way to it was
    /// detached.
    Missing,
    /// All elements are 0: the parameter will not move.
    Zero,
    /// Some elements are infinite or NaN.
    NotFinite {
        /// How many are NaN.
        nan: usize,
        /// How many are infinite.
        infinite: usize,
        /// How many there are in all.
        count: usize,
    },
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Frozen => f.write_str("frozen, so it has no gradient"),
            Self::Missing => f.write_str("no gradient: the loss does not depend on it"),
            Self::Zero => f.write_str("a gradient of zeros"),
            Self::NotFinite {
                nan,
                infinite,
                count,
            } => write!(f, "{nan} NaN and {infinite} infinite of {count} elements"),
        }
    }
}

/// The parameters whose gradients need a look, by name. Its `Display` is one line for each.
///
/// # Example
///
/// ```
/// use macula_autograd::{Finding, Param, Tape};
/// use macula_tensor::Tensor;
///
/// let used = Param::new("used", Tensor::from([1.0_f32, 2.0]));
/// let forgotten = Param::new("forgotten", Tensor::from([1.0_f32]));
/// let gradients = Tape::new().param(&used).square()?.sum(..)?.backward()?;
/// let audit = gradients.audit([&used, &forgotten])?;
/// assert_eq!(audit.findings(), [("forgotten".to_string(), Finding::Missing)]);
/// assert_eq!(
///     audit.to_string(),
///     "1 of 2 parameters need a look:\n  forgotten: no gradient: the loss does not depend on it\n"
/// );
/// # Ok::<(), macula_tensor::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Audit {
    findings: Vec<(String, Finding)>,
    checked: usize,
}

impl Audit {
    /// Whether every parameter has a finite gradient that is not all 0.
    pub fn is_clean(&self) -> bool {
        self.findings.is_empty()
    }

    /// The names of the parameters that need a look, in the order they were given.
    pub fn findings(&self) -> &[(String, Finding)] {
        &self.findings
    }
}

impl fmt::Display for Audit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (found, checked) = (self.findings.len(), self.checked);
        if self.is_clean() {
            return writeln!(f, "all {checked} parameters have finite gradients");
        }
        writeln!(f, "{found} of {checked} parameters need a look:")?;
        self.findings
            .iter()
            .try_for_each(|(name, finding)| writeln!(f, "  {name}: {finding}"))
    }
}

impl<T: Float> Gradients<T> {
    /// Which of these parameters have no gradient, one of zeros, or one that is not finite.
    ///
    /// # Errors
    /// The gradients must be readable from main memory.
    pub fn audit<P: Borrow<Param<T>>>(&self, params: impl IntoIterator<Item = P>) -> Result<Audit> {
        let mut audit = Audit {
            findings: Vec::new(),
            checked: 0,
        };
        for param in params {
            let param = param.borrow();
            audit.checked += 1;
            let finding = match self.get(param) {
                None if !param.is_trainable() => Some(Finding::Frozen),
                None => Some(Finding::Missing),
                Some(gradient) => finding(gradient)?,
            };
            let named = finding.map(|finding| (param.name().to_string(), finding));
            audit.findings.extend(named);
        }
        Ok(audit)
    }
}

fn finding<T: Float>(gradient: &Tensor<T>) -> Result<Option<Finding>> {
    let elements = gradient.to_vec()?;
    let nan = elements.iter().filter(|x| x.is_nan()).count();
    let not_finite = elements.iter().filter(|x| !x.is_finite()).count();
    Ok(if not_finite > 0 {
        Some(Finding::NotFinite {
            nan,
            infinite: not_finite - nan,
            count: elements.len(),
        })
    } else if !elements.is_empty() && elements.iter().all(|&x| x == T::ZERO) {
        Some(Finding::Zero)
    } else {
        None
    })
}
