//! Triplet loss, and the choice of its triplets.

use macula_autograd::Var;
use macula_tensor::{Error, Float, Result, Tensor};

use super::{check_embeddings, check_labels, distances, rows};
use crate::checks::{check_exponent, check_shape};
use crate::reduction::Reduction;
use crate::sample_weights::SampleWeights;

/// Which triplets of a batch count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum TripletMining {
    /// For each anchor the farthest sample of its class and the nearest of another.
    ///
    /// # Source
    /// Hermans, Beyer, Leibe, "In defense of the triplet loss for person re-identification", 2017.
    #[default]
    BatchHard,
    /// For each pair of one class the nearest sample of another that is farther away than the
    /// partner; the farthest of all where there is none.
    ///
    /// # Source
    /// Schroff, Kalenichenko, Philbin, "FaceNet: a unified embedding for face recognition and
    /// clustering", 2015, section 3.2. Taking the farthest where there is none is TensorFlow's
    /// addition.
    SemiHard,
}

/// Triplet loss: `max(d(a, p) − d(a, n) + m, 0)` of an anchor, a sample of its class and one of
/// another.
///
/// Asks that the own class be nearer by a margin `m`; default 0.2. Distances are Euclidean, not
/// squared. `MeanOverPositives` divides by the number of triplets.
///
/// # Gradient
/// Which triplets count is a constant for the gradient. Embeddings that coincide have no
/// direction, and get a gradient of 0 from their distance.
///
/// # Source
/// Schroff, Kalenichenko, Philbin, "FaceNet: a unified embedding for face recognition and
/// clustering", 2015, eq. 3, which squares the distances; Hermans, Beyer, Leibe, "In defense of the
/// triplet loss for person re-identification", 2017, which does not.
///
/// # Example
///
/// ```
/// use macula_autograd::Tape;
/// use macula_losses::TripletLoss;
/// use macula_tensor::Tensor;
///
/// let embeddings = Tape::new().var(Tensor::from([[0.0_f64], [1.0], [1.5]]));
/// let labels = Tensor::from([0_i64, 0, 1]);
/// let loss = TripletLoss::new().margin(1.0).mined(&embeddings, &labels)?;
/// // Anchor 0: 1 − 1.5 + 1; anchor 1: 1 − 0.5 + 1; anchor 2 has no partner.
/// assert!((loss.item()? - 1.0).abs() < 1e-12);
/// # Ok::<(), macula_tensor::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TripletLoss {
    margin: f64,
    mining: TripletMining,
    reduction: Reduction,
}

impl TripletLoss {
    /// m = 0.2, batch-hard mining, the mean over the triplets.
    pub const fn new() -> Self {
        Self {
            margin: 0.2,
            mining: TripletMining::BatchHard,
            reduction: Reduction::Mean,
        }
    }

    /// The margin m ≥ 0.
    pub const fn margin(mut self, margin: f64) -> Self {
        self.margin = margin;
        self
    }

    /// Which triplets [`mined`](Self::mined) takes.
    pub const fn mining(mut self, mining: TripletMining) -> Self {
        self.mining = mining;
        self
    }

    /// How the losses of the triplets become one number.
    pub const fn reduction(mut self, reduction: Reduction) -> Self {
        self.reduction = reduction;
        self
    }

    /// The loss of given triplets: three embeddings `[N, D]`.
    ///
    /// # Errors
    /// Shapes that differ, m negative or not finite.
    #[track_caller]
    pub fn forward<T: Float>(
        &self,
        anchors: &Var<T>,
        positives: &Var<T>,
        negatives: &Var<T>,
    ) -> Result<Var<T>> {
        self.weighted([anchors, positives, negatives], None)
    }

    /// [`forward`](Self::forward) with a weight for each triplet.
    ///
    /// # Errors
    /// As [`forward`](Self::forward), and weights that are negative, not finite or not `[N]`.
    #[track_caller]
    pub fn forward_weighted<T: Float>(
        &self,
        anchors: &Var<T>,
        positives: &Var<T>,
        negatives: &Var<T>,
        weights: &Tensor<T>,
    ) -> Result<Var<T>> {
        self.weighted([anchors, positives, negatives], Some(weights))
    }

    #[track_caller]
    fn weighted<T: Float>(
        &self,
        triplets: [&Var<T>; 3],
        weights: Option<&Tensor<T>>,
    ) -> Result<Var<T>> {
        let op = "triplet_loss";
        check_exponent(op, "margin", self.margin)?;
        let [anchors, positives, negatives] = triplets;
        let count = check_embeddings(op, anchors)?;
        check_shape(op, "embeddings", anchors.shape(), positives.shape())?;
        check_shape(op, "embeddings", anchors.shape(), negatives.shape())?;
        let weights = SampleWeights::new(op, weights, &[count])?;
        let anchors = weights.replace(anchors, 0.0)?;
        let positives = weights.replace(positives, 0.0)?;
        let negatives = weights.replace(negatives, 0.0)?;
        let near = distances(&anchors, &positives)?;
        let far = distances(&anchors, &negatives)?;
        let losses = near.sub(&far)?.add_scalar(self.margin)?.relu()?;
        weights.reduce(self.reduction, &losses, || Ok(count))
    }

    /// The loss of the triplets mined from a batch: embeddings `[N, D]` and labels `[N]`; 0
    /// where there are none.
    ///
    /// # Errors
    /// Shapes that do not match, m negative or not finite; an embedding that is not finite (with
    /// its sample): nothing is nearer or farther than NaN, so no choice among triplets would be
    /// right.
    #[track_caller]
    pub fn mined<T: Float>(&self, embeddings: &Var<T>, labels: &Tensor<i64>) -> Result<Var<T>> {
        let samples = check_embeddings("triplet_loss", embeddings)?;
        let labels = check_labels("triplet_loss", samples, labels)?;
        check_finite(embeddings.value())?;
        let distances = all_distances(embeddings.value())?;
        let triplets = match self.mining {
            TripletMining::BatchHard => batch_hard(&distances, &labels),
            TripletMining::SemiHard => semi_hard(&distances, &labels),
        };
        let column = |which: usize| -> Result<Var<T>> {
            let places: Vec<i64> = triplets
                .iter()
                .map(|triplet| triplet[which] as i64)
                .collect();
            rows(embeddings, &places)
        };
        self.forward(&column(0)?, &column(1)?, &column(2)?)
    }
}

impl Default for TripletLoss {
    fn default() -> Self {
        Self::new()
    }
}

/// # Errors
/// Embeddings must be finite.
fn check_finite<T: Float>(embeddings: &Tensor<T>) -> Result<()> {
    let elements = embeddings.to_vec()?;
    match elements.iter().position(|x| !x.is_finite()) {
        None => Ok(()),
        Some(place) => Err(Error::NotFinite {
            op: "triplet_loss",
            what: format!("the embedding of sample {}", place / embeddings.shape()[1]),
            value: elements[place].to_f64(),
        }),
    }
}

/// The distances between all samples, row by row, as data.
fn all_distances<T: Float>(embeddings: &Tensor<T>) -> Result<Vec<Vec<f64>>> {
    let [samples, width] = *embeddings.shape() else {
        return Ok(Vec::new());
    };
    let elements = embeddings.to_vec()?;
    let row = |sample: usize| &elements[sample * width..(sample + 1) * width];
    let distance = |a: usize, b: usize| {
        let differences = row(a)
            .iter()
            .zip(row(b))
            .map(|(x, y)| x.to_f64() - y.to_f64());
        differences.map(|d| d * d).sum::<f64>().sqrt()
    };
    Ok((0..samples)
        .map(|a| (0..samples).map(|b| distance(a, b)).collect())
        .collect())
}

/// The sample with the smallest key; the first of several.
fn first_least(samples: impl Iterator<Item = usize>, key: impl Fn(usize) -> f64) -> Option<usize> {
    samples.min_by(|&a, &b| key(a).total_cmp(&key(b)))
}

fn batch_hard(distances: &[Vec<f64>], labels: &[i64]) -> Vec<[usize; 3]> {
    let samples = 0..labels.len();
    let triplet = |anchor: usize| {
        let same = |&other: &usize| labels[other] == labels[anchor];
        let partners = samples
            .clone()
            .filter(same)
            .filter(|&other| other != anchor);
        let others = samples.clone().filter(|other| !same(other));
        let positive = first_least(partners, |other| -distances[anchor][other])?;
        let negative = first_least(others, |other| distances[anchor][other])?;
        Some([anchor, positive, negative])
    };
    samples.clone().filter_map(triplet).collect()
}

fn semi_hard(distances: &[Vec<f64>], labels: &[i64]) -> Vec<[usize; 3]> {
    let samples = 0..labels.len();
    let mut triplets = Vec::new();
    for anchor in samples.clone() {
        let same = |&other: &usize| labels[other] == labels[anchor];
        let others = || samples.clone().filter(|other| !same(other));
        for positive in samples
            .clone()
            .filter(same)
            .filter(|&other| other != anchor)
        {
            let near = distances[anchor][positive];
            let beyond = others().filter(|&other| distances[anchor][other] > near);
            let negative = first_least(beyond, |other| distances[anchor][other])
                .or_else(|| first_least(others(), |other| -distances[anchor][other]));
            triplets.extend(negative.map(|negative| [anchor, positive, negative]));
        }
    }
    triplets
}

#[cfg(test)]
mod tests {
    use macula_autograd::check_gradients;

    use super::*;

    fn embeddings() -> Tensor<f64> {
        Tensor::from([[0.0, 0.1], [1.0, -0.3], [0.4, 0.9], [1.3, 1.1], [-0.6, 0.2]])
    }

    #[test]
    fn mining_takes_the_triplets_of_its_definition() -> Result<()> {
        let line = Tensor::from([[0.0], [1.0], [3.0], [0.5], [2.0]]);
        let labels = [0, 0, 0, 1, 1];
        let distances = all_distances::<f64>(&line)?;
        let hard = batch_hard(&distances, &labels);
        assert_eq!(hard[0], [0, 2, 3]);
        assert_eq!(hard[3], [3, 4, 0]);
        let semi = semi_hard(&distances, &labels);
        // From 0 the partner 1 is at 1, and the nearest other beyond that is 4, at 2.
        assert_eq!(semi[0], [0, 1, 4]);
        // From 0 the partner 2 is at 3; nothing is beyond, so the farthest counts.
        assert_eq!(semi[1], [0, 2, 4]);
        Ok(())
    }

    #[test]
    fn gradients_agree_with_finite_differences() -> Result<()> {
        let labels = Tensor::from([0_i64, 0, 1, 1, 0]);
        for mining in [TripletMining::BatchHard, TripletMining::SemiHard] {
            let loss = TripletLoss::new().margin(1.0).mining(mining);
            check_gradients("triplet_loss", &[embeddings()], |inputs| {
                loss.mined(&inputs[0], &labels)
            })?;
        }
        Ok(())
    }

    #[test]
    fn a_batch_of_one_class_has_no_triplets_and_no_loss() -> Result<()> {
        let x = macula_autograd::Tape::new().var(embeddings());
        let loss = TripletLoss::new().mined(&x, &Tensor::from([2_i64; 5]))?;
        assert_eq!(loss.item()?, 0.0);
        assert_eq!(loss.backward()?.of(&x)?.to_vec()?, [0.0; 10]);
        Ok(())
    }
}
