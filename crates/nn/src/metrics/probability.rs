//! From scores to probabilities, without losing the small ones.

/// What a binary score means.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Scale {
    /// `ln p / (1 − p)`.
    Logit,
    /// `p` itself.
    Probability,
}

impl Scale {
    /// The probability of class 1.
    pub(super) fn probability(self, score: f64) -> f64 {
        match self {
            Self::Logit => sigmoid(score),
            Self::Probability => score,
        }
    }

    /// The probability that went to the wrong class; from a logit without the cancellation of
    /// `1 − p`.
    pub(super) fn miss(self, score: f64, positive: bool) -> f64 {
        match (self, positive) {
            (Self::Logit, true) => sigmoid(-score),
            (Self::Logit, false) => sigmoid(score),
            (Self::Probability, true) => 1.0 - score,
            (Self::Probability, false) => score,
        }
    }

    /// `−ln` of the probability of the true class.
    pub(super) fn surprise(self, score: f64, positive: bool) -> f64 {
        match (self, positive) {
            (Self::Logit, true) => softplus(-score),
            (Self::Logit, false) => softplus(score),
            (Self::Probability, true) => -score.ln(),
            (Self::Probability, false) => -(-score).ln_1p(),
        }
    }
}

/// `1 / (1 + e^−x)`, in the form whose exponential cannot overflow.
pub(super) fn sigmoid(x: f64) -> f64 {
    let small = (-x.abs()).exp();
    if x < 0.0 {
        small / (1.0 + small)
    } else {
        1.0 / (1.0 + small)
    }
}

/// `ln(1 + e^x)`, in the form whose exponential cannot overflow.
fn softplus(x: f64) -> f64 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

/// `−Σ p ln p`: the log loss of always stating the shares themselves.
pub(super) fn entropy(shares: impl IntoIterator<Item = f64>) -> f64 {
    shares
        .into_iter()
        .filter(|share| *share > 0.0)
        .map(|share| -share * share.ln())
        .sum()
}

/// The softmax of one row of logits and its logarithm, in buffers that serve row after row.
#[derive(Default)]
pub(super) struct Softmax {
    /// `p_j`.
    pub(super) probabilities: Vec<f64>,
    /// `ln p_j`, accurate where `p_j` is near 0 and where it is near 1.
    pub(super) logarithms: Vec<f64>,
}

impl Softmax {
    /// Reads a row; `largest` is the place of its largest logit.
    pub(super) fn read(&mut self, logits: &[f64], largest: usize) {
        let above = logits[largest];
        self.probabilities.clear();
        self.probabilities
            .extend(logits.iter().map(|logit| (logit - above).exp()));
        // The sum without its largest term, which is 1: where the model is sure, this is all
        // that tells ln p from 0.
        let others: f64 = self.without(largest);
        let total = 1.0 + others;
        self.logarithms.clear();
        self.logarithms
            .extend(logits.iter().map(|logit| logit - above - others.ln_1p()));
        self.probabilities.iter_mut().for_each(|p| *p /= total);
    }

    /// The sum over all classes but one; after [`Softmax::read`] that is `1 − p`, without the
    /// subtraction.
    pub(super) fn without(&self, class: usize) -> f64 {
        let (before, after) = self.probabilities.split_at(class);
        before.iter().sum::<f64>() + after[1..].iter().sum::<f64>()
    }
}

/// The place of the largest number, the first of them on a tie.
pub(super) fn argmax(row: &[f64]) -> usize {
    let mut best = 0;
    for (place, value) in row.iter().enumerate() {
        if *value > row[best] {
            best = place;
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sure_and_wrong_keeps_its_digits() {
        let logit = Scale::Logit;
        // Where e^−z is small, 1 − p and −ln p are both e^−z up to its square.
        let small = (-40.0_f64).exp();
        assert_eq!(logit.miss(40.0, true), small);
        assert_eq!(logit.surprise(40.0, true), small);
        assert_eq!(logit.surprise(-800.0, true), 800.0);
        assert_eq!(logit.probability(-f64::INFINITY), 0.0);
        assert_eq!(logit.surprise(f64::INFINITY, true), 0.0);
        assert_eq!(logit.surprise(f64::INFINITY, false), f64::INFINITY);
    }

    #[test]
    fn a_softmax_of_two_is_a_sigmoid() {
        let mut softmax = Softmax::default();
        for margin in [-50.0, -1.25, 0.0, 0.5, 40.0, 745.0] {
            let row = [0.25, 0.25 + margin];
            softmax.read(&row, argmax(&row));
            // A sum and a quotient of two rounded numbers: a few units in the last place.
            let close = |got: f64, want: f64| (got - want).abs() <= 1e-15 * want.abs();
            assert!(close(softmax.probabilities[1], sigmoid(margin)));
            assert!(close(softmax.without(1), sigmoid(-margin)));
            assert!(close(-softmax.logarithms[1], softplus(-margin)));
        }
    }

    #[test]
    fn argmax_takes_the_first_of_equals() {
        assert_eq!(argmax(&[1.0, 3.0, 3.0]), 1);
    }
}
