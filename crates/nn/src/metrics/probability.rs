//! From scores to probabilities, without losing the small ones.

use macula_tensor::Scalar;

/// What a binary score means.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Scale {
    /// `ln p / (1 − p)`.
    Logit,
    /// `p` itself.
    Probability,
}

/// A binary score, seen from its true class.
pub(super) struct Verdict {
    /// The probability of class 1.
    pub(super) probability: f64,
    /// The probability that went to the wrong class.
    pub(super) miss: f64,
    /// `−ln` of the probability of the true class.
    pub(super) surprise: f64,
}

impl Scale {
    /// Reads a score; from a logit without the cancellation of `1 − p`.
    pub(super) fn verdict(self, score: f64, positive: bool) -> Verdict {
        let (probability, miss, surprise) = match self {
            Self::Logit => {
                let of = score.logistic();
                match positive {
                    true => (of.sigmoid, of.complement, of.softplus_negated),
                    false => (of.sigmoid, of.sigmoid, of.softplus),
                }
            }
            Self::Probability => match positive {
                true => (score, 1.0 - score, -score.ln()),
                false => (score, score, -(-score).ln_1p()),
            },
        };
        Verdict {
            probability,
            miss,
            surprise,
        }
    }
}

/// `−Σ p ln p`: the log loss of always stating the shares themselves.
pub(super) fn entropy(shares: impl IntoIterator<Item = f64>) -> f64 {
    shares
        .into_iter()
        .filter(|share| *share > 0.0)
        .map(|share| share * share.ln())
        .fold(0.0, |sum, term| sum - term)
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

    /// A few units in the last place: each function is within two, and so are sums of two.
    fn close(got: f64, want: f64) -> bool {
        (got - want).abs() <= 1e-15 * want.abs()
    }

    #[test]
    fn a_sure_logit_keeps_its_digits() {
        // Where e^−z is small, 1 − p and −ln p are both e^−z up to its square.
        let small = (-40.0_f64).exp();
        let right = Scale::Logit.verdict(40.0, true);
        assert!(close(right.miss, small));
        assert!(close(right.surprise, small));
        assert_eq!(Scale::Logit.verdict(-800.0, true).surprise, 800.0);
    }

    #[test]
    fn an_infinite_logit_is_certain() {
        let right = Scale::Logit.verdict(f64::INFINITY, true);
        assert_eq!(
            (right.probability, right.miss, right.surprise),
            (1.0, 0.0, 0.0)
        );
        let wrong = Scale::Logit.verdict(f64::NEG_INFINITY, true);
        assert_eq!((wrong.probability, wrong.miss), (0.0, 1.0));
        assert_eq!(wrong.surprise, f64::INFINITY);
    }

    #[test]
    fn a_softmax_of_two_is_a_sigmoid() {
        let mut softmax = Softmax::default();
        for margin in [-50.0, -1.25, 0.0, 0.5, 40.0, 700.0] {
            let row = [0.25, 0.25 + margin];
            softmax.read(&row, argmax(&row));
            let sigmoid = Scale::Logit.verdict(margin, true);
            assert!(close(softmax.probabilities[1], sigmoid.probability));
            assert!(close(softmax.without(1), sigmoid.miss));
            assert!(close(-softmax.logarithms[1], sigmoid.surprise));
        }
    }

    #[test]
    fn a_certain_answer_has_no_entropy() {
        assert_eq!(entropy([1.0, 0.0]).to_bits(), 0.0_f64.to_bits());
        assert!(close(entropy([0.25; 4]), 4.0_f64.ln()));
    }

    #[test]
    fn argmax_takes_the_first_of_equals() {
        assert_eq!(argmax(&[1.0, 3.0, 3.0]), 1);
    }
}
