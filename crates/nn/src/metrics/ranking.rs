//! Rows sorted by score: what every threshold metric reads.

use super::counts::Counts;

/// All decisions a score allows, from "no row is positive" to "every row is".
///
/// A threshold cannot separate equal scores, so there is one [`Cut`] for each distinct score, and
/// one before the first. `O(n log n)` to make, `O(n)` to read.
pub(super) struct Ranking {
    /// By falling score; the first accepts nothing, the last everything.
    pub(super) cuts: Vec<Cut>,
}

/// The decision "positive if the score is at least this one".
#[derive(Clone, Copy)]
pub(super) struct Cut {
    /// The lowest score accepted; ∞ for the cut that accepts nothing.
    pub(super) score: f64,
    /// What this decision gets right and wrong.
    pub(super) counts: Counts,
}

impl Ranking {
    /// Ranks rows of score and truth; no score may be NaN.
    pub(super) fn new(rows: impl Iterator<Item = (f64, bool)>) -> Self {
        let mut rows: Vec<(f64, bool)> = rows.collect();
        rows.sort_unstable_by(|(a, _), (b, _)| b.total_cmp(a));

        let positives = rows.iter().filter(|(_, positive)| *positive).count() as u64;
        let mut counts = Counts {
            false_negatives: positives,
            true_negatives: rows.len() as u64 - positives,
            ..Counts::default()
        };
        let mut cuts = vec![Cut {
            score: f64::INFINITY,
            counts,
        }];
        for tied in rows.chunk_by(|(a, _), (b, _)| a == b) {
            for (_, positive) in tied {
                if *positive {
                    counts.true_positives += 1;
                    counts.false_negatives -= 1;
                } else {
                    counts.false_positives += 1;
                    counts.true_negatives -= 1;
                }
            }
            let score = tied[0].0;
            cuts.push(Cut { score, counts });
        }
        Self { cuts }
    }

    /// The counts of the cut that accepts nothing: all positives missed, all negatives spared.
    fn nothing(&self) -> Counts {
        self.cuts[0].counts
    }

    /// The chance that a positive row scores above a negative one, ties counting half; NaN
    /// without rows of both classes.
    ///
    /// The area under the ROC curve by trapezoids, in whole numbers up to the last division.
    pub(super) fn roc_auc(&self) -> f64 {
        let twice_the_area: u128 = self
            .cuts
            .array_windows()
            .map(|[before, after]| {
                let width = after.counts.false_positives - before.counts.false_positives;
                let heights = before.counts.true_positives + after.counts.true_positives;
                u128::from(width) * u128::from(heights)
            })
            .sum();
        let Counts {
            false_negatives: positives,
            true_negatives: negatives,
            ..
        } = self.nothing();
        twice_the_area as f64 / (2 * u128::from(positives) * u128::from(negatives)) as f64
    }

    /// Σ (recall step × precision after it), without interpolation; NaN without positive rows.
    pub(super) fn average_precision(&self) -> f64 {
        let area: f64 = self
            .cuts
            .array_windows()
            .map(|[before, after]| {
                let found = after.counts.true_positives - before.counts.true_positives;
                found as f64 * after.counts.precision()
            })
            .sum();
        area / self.nothing().false_negatives as f64
    }

    /// The place of the cut of greatest utility, the highest of them on a tie: as few alarms as
    /// the utility allows.
    pub(super) fn best(&self, utility: impl Fn(&Counts) -> f64) -> usize {
        let mut best = 0;
        let mut greatest = f64::NEG_INFINITY;
        for (place, cut) in self.cuts.iter().enumerate() {
            let value = utility(&cut.counts);
            if value > greatest {
                (best, greatest) = (place, value);
            }
        }
        best
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// By definition: all pairs of a positive and a negative row.
    fn naive_auc(rows: &[(f64, bool)]) -> f64 {
        let mut won = 0.0;
        let mut pairs = 0.0;
        for (positive, _) in rows.iter().filter(|row| row.1) {
            for (negative, _) in rows.iter().filter(|row| !row.1) {
                pairs += 1.0;
                won += f64::from(positive > negative) + 0.5 * f64::from(positive == negative);
            }
        }
        won / pairs
    }

    /// By definition: the mean over positive rows of the precision at their own score.
    fn naive_average_precision(rows: &[(f64, bool)]) -> f64 {
        let positives: Vec<f64> = rows.iter().filter(|row| row.1).map(|row| row.0).collect();
        let precision = |score: &f64| {
            let accepted = rows.iter().filter(|row| row.0 >= *score).count();
            let right = positives.iter().filter(|other| *other >= score).count();
            right as f64 / accepted as f64
        };
        positives.iter().map(precision).sum::<f64>() / positives.len() as f64
    }

    /// Rows of both classes; with few distinct scores, so that many are tied.
    fn rows() -> impl Strategy<Value = Vec<(f64, bool)>> {
        let row = (
            (-6_i32..6).prop_map(|score| f64::from(score) / 4.0),
            any::<bool>(),
        );
        prop::collection::vec(row, 0..60).prop_map(|mut rows| {
            rows.extend([(0.25, true), (0.25, false)]);
            rows
        })
    }

    proptest! {
        #[test]
        fn roc_auc_equals_the_count_of_pairs(rows in rows()) {
            // Halves and whole numbers: both sides are exact up to the one division.
            prop_assert_eq!(Ranking::new(rows.iter().copied()).roc_auc(), naive_auc(&rows));
        }

        #[test]
        fn average_precision_equals_the_mean_over_positives(rows in rows()) {
            let fast = Ranking::new(rows.iter().copied()).average_precision();
            // Sums of at most 61 rounded terms below 1.
            prop_assert!((fast - naive_average_precision(&rows)).abs() < 1e-14);
        }

        #[test]
        fn a_monotone_map_of_the_scores_changes_nothing(rows in rows()) {
            let mapped = rows.iter().map(|&(score, positive)| (3.0 * score.exp() - 7.0, positive));
            let (plain, mapped) = (Ranking::new(rows.iter().copied()), Ranking::new(mapped));
            prop_assert_eq!(plain.roc_auc(), mapped.roc_auc());
            prop_assert_eq!(plain.average_precision(), mapped.average_precision());
        }

        #[test]
        fn turning_scores_and_labels_over_keeps_the_roc_area(rows in rows()) {
            let turned = rows.iter().map(|&(score, positive)| (-score, !positive));
            prop_assert_eq!(
                Ranking::new(rows.iter().copied()).roc_auc(),
                Ranking::new(turned).roc_auc()
            );
        }

        #[test]
        fn the_order_of_the_rows_changes_nothing(rows in rows()) {
            let (forth, back) = (
                Ranking::new(rows.iter().copied()),
                Ranking::new(rows.iter().rev().copied()),
            );
            prop_assert_eq!(forth.roc_auc(), back.roc_auc());
            prop_assert_eq!(forth.average_precision(), back.average_precision());
        }

        #[test]
        fn every_cut_counts_every_row(rows in rows()) {
            for cut in &Ranking::new(rows.iter().copied()).cuts {
                let naive = |accepted: bool, positive: bool| {
                    let there = |row: &&(f64, bool)| (row.0 >= cut.score) == accepted && row.1 == positive;
                    rows.iter().filter(there).count() as u64
                };
                prop_assert_eq!(cut.counts.true_positives, naive(true, true));
                prop_assert_eq!(cut.counts.false_positives, naive(true, false));
                prop_assert_eq!(cut.counts.false_negatives, naive(false, true));
                prop_assert_eq!(cut.counts.true_negatives, naive(false, false));
            }
        }
    }

    #[test]
    fn one_class_alone_has_no_roc_area() {
        let positives = Ranking::new([(1.0, true), (2.0, true)].into_iter());
        assert!(positives.roc_auc().is_nan());
        assert_eq!(positives.average_precision(), 1.0);
        let negatives = Ranking::new([(1.0, false), (2.0, false)].into_iter());
        assert!(negatives.roc_auc().is_nan());
        assert!(negatives.average_precision().is_nan());
    }

    #[test]
    fn zeros_of_both_signs_are_tied() {
        assert_eq!(
            Ranking::new([(0.0, true), (-0.0, false)].into_iter()).roc_auc(),
            0.5
        );
    }
}
