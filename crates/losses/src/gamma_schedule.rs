//! γ that changes during training.

use macula_tensor::{Error, Result};

use crate::checks::check_exponent;

/// The focusing exponent of each epoch: constant from step to step, or a straight line between
/// them.
///
/// Early in training nothing is easy yet and a large γ silences little that matters; later it
/// decides which samples are still learnt from. Whether it should fall or rise depends on what is
/// wanted: calibration asks for a falling γ, a rise from 0 starts as cross-entropy, which trains
/// fastest at first.
///
/// # Example
///
/// ```
/// use macula_losses::{GammaSchedule, SoftmaxFocalLoss};
///
/// let schedule = GammaSchedule::linear([(0, 0.0), (10, 2.0)])?;
/// assert_eq!([0, 5, 10, 99].map(|epoch| schedule.at(epoch)), [0.0, 1.0, 2.0, 2.0]);
/// for epoch in 0..20 {
///     let loss = SoftmaxFocalLoss::new().gamma(schedule.at(epoch));
/// }
/// # Ok::<(), macula_tensor::Error>(())
/// ```
///
/// # Source
/// Mukhoti, Kulharia, Sanyal, Golodetz, Torr, Dokania, "Calibrating deep neural networks using
/// focal loss", 2020, whose scheduled γ falls in steps.
#[derive(Clone, Debug, PartialEq)]
pub struct GammaSchedule {
    points: Vec<(usize, f64)>,
    linear: bool,
}

impl GammaSchedule {
    /// γ from each epoch on, until the next.
    ///
    /// # Errors
    /// There must be a point, epochs must rise, and γ be finite and not negative.
    pub fn steps(points: impl Into<Vec<(usize, f64)>>) -> Result<Self> {
        Self::new(points.into(), false)
    }

    /// γ at some epochs, and a straight line between them.
    ///
    /// # Errors
    /// There must be a point, epochs must rise, and γ be finite and not negative.
    pub fn linear(points: impl Into<Vec<(usize, f64)>>) -> Result<Self> {
        Self::new(points.into(), true)
    }

    fn new(points: Vec<(usize, f64)>, linear: bool) -> Result<Self> {
        let op = "gamma_schedule";
        for &(_, gamma) in &points {
            check_exponent(op, "gamma", gamma)?;
        }
        let rise = points.windows(2).all(|pair| pair[0].0 < pair[1].0);
        if points.is_empty() || !rise {
            return Err(Error::Argument {
                op,
                argument: "points",
                expected: "at least one, with epochs that rise".into(),
                found: format!("{points:?}"),
            });
        }
        Ok(Self { points, linear })
    }

    /// γ at an epoch. Before the first point it is that of the first, after the last that of the
    /// last.
    pub fn at(&self, epoch: usize) -> f64 {
        let passed = self.points.partition_point(|&(start, _)| start <= epoch);
        let (start, from) = self.points[passed.saturating_sub(1)];
        match self.points.get(passed) {
            Some(&(end, to)) if self.linear && passed > 0 => {
                let progress = (epoch - start) as f64 / (end - start) as f64;
                from + (to - from) * progress
            }
            _ => from,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_hold_until_the_next() -> Result<()> {
        let schedule = GammaSchedule::steps([(2, 5.0), (4, 3.0)])?;
        let gammas = [0, 2, 3, 4, 9].map(|epoch| schedule.at(epoch));
        assert_eq!(gammas, [5.0, 5.0, 5.0, 3.0, 3.0]);
        Ok(())
    }

    #[test]
    fn points_that_make_no_schedule_are_an_error() {
        assert!(GammaSchedule::steps([]).is_err());
        assert!(GammaSchedule::steps([(3, 1.0), (3, 2.0)]).is_err());
        assert!(GammaSchedule::linear([(0, -1.0)]).is_err());
        assert!(GammaSchedule::linear([(0, f64::NAN)]).is_err());
    }
}
