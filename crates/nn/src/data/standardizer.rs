//! `Standardizer`: columns of mean 0 and standard deviation 1.

use macula_tensor::shape::Sizes;
use macula_tensor::{Error, Float, Result, Tensor};

use super::tensor_dataset::TensorDataset;

/// Scales each column by what the training rows say about it: z = (x − mean) / sd.
///
/// It is fitted to the training rows and applied to every part of the data: a mean over the test
/// rows would tell the model something about them.
///
/// A column that has a single value in all training rows becomes 0 everywhere, in the test rows
/// too, whatever they hold: the model has learned nothing about it. (scikit-learn's
/// `StandardScaler` agrees on the training rows, but passes x − mean on for others.)
///
/// # Numerics
/// Sums are formed in `f64`, the variance from the differences to the mean, over n and not n − 1.
/// A constant column is one whose elements are equal, not one whose sd is small.
///
/// # Example
///
/// ```
/// use macula_nn::data::{Standardizer, TensorDataset};
/// use macula_tensor::Tensor;
///
/// let inputs = Tensor::from([[1.0_f32, 5.0], [3.0, 5.0]]);
/// let train = TensorDataset::new(inputs, Tensor::from([0, 1]))?;
/// let train = Standardizer::fit(&train)?.apply(&train)?;
/// assert_eq!(train.inputs().to_vec()?, [-1.0, 0.0, 1.0, 0.0]);
/// # Ok::<(), macula_tensor::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Standardizer {
    /// The shape of a row.
    row: Sizes,
    means: Vec<f64>,
    deviations: Vec<f64>,
}

impl Standardizer {
    /// The means and standard deviations of the columns of `train`; images have a column for each
    /// pixel and channel.
    ///
    /// # Errors
    /// The inputs must be finite.
    pub fn fit<T: Float>(train: &TensorDataset<T>) -> Result<Self> {
        let inputs = train.inputs().to_vec()?;
        let rows = train.inputs().shape()[0];
        let width = inputs.len() / rows;

        let mut means = vec![0.0; width];
        let mut varies = vec![false; width];
        for (row, elements) in inputs.chunks_exact(width).enumerate() {
            for (column, &x) in elements.iter().enumerate() {
                if !x.is_finite() {
                    return Err(Error::NotFinite {
                        op: "Standardizer::fit",
                        what: format!("row {row}, column {column}"),
                        value: x.to_f64(),
                    });
                }
                means[column] += x.to_f64();
                varies[column] |= x != inputs[column];
            }
        }
        for mean in &mut means {
            *mean /= rows as f64;
        }
        let mut deviations = vec![0.0; width];
        for elements in inputs.chunks_exact(width) {
            for ((sum, x), mean) in deviations.iter_mut().zip(elements).zip(&means) {
                *sum += (x.to_f64() - mean).powi(2);
            }
        }
        for (deviation, varies) in deviations.iter_mut().zip(varies) {
            *deviation = if varies {
                (*deviation / rows as f64).sqrt()
            } else {
                0.0
            };
        }
        Ok(Self {
            row: Sizes::from_slice(&train.inputs().shape()[1..]),
            means,
            deviations,
        })
    }

    /// The data set with scaled inputs.
    ///
    /// # Errors
    /// Rows must have the shape of the rows it was fitted to.
    pub fn apply<T: Float>(&self, data: &TensorDataset<T>) -> Result<TensorDataset<T>> {
        let inputs = self.apply_to(data.inputs())?;
        Ok(data.with_rows(inputs, data.targets().clone()))
    }

    /// Scaled samples `[N, …]`: for new samples, which have no labels.
    ///
    /// # Errors
    /// Rows must have the shape of the rows it was fitted to.
    pub fn apply_to<T: Float>(&self, inputs: &Tensor<T>) -> Result<Tensor<T>> {
        if inputs.shape().get(1..) != Some(&self.row[..]) {
            return Err(Error::Shape {
                op: "Standardizer::apply",
                expected: format!("rows of shape {:?}, as fitted", self.row),
                found: Sizes::from_slice(inputs.shape()),
            });
        }
        let mut scaled = inputs.clone();
        for elements in scaled.make_mut()?.chunks_exact_mut(self.means.len()) {
            for ((x, mean), &deviation) in
                elements.iter_mut().zip(&self.means).zip(&self.deviations)
            {
                *x = if deviation == 0.0 {
                    T::ZERO
                } else {
                    T::from_f64((x.to_f64() - mean) / deviation)
                };
            }
        }
        Ok(scaled)
    }

    /// Mean of each column.
    pub fn means(&self) -> &[f64] {
        &self.means
    }

    /// Standard deviation of each column; 0 where all elements are equal.
    pub fn deviations(&self) -> &[f64] {
        &self.deviations
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data<const N: usize>(inputs: [[f64; 2]; N]) -> TensorDataset<f64> {
        TensorDataset::new(Tensor::from(inputs), Tensor::from(vec![0; N])).unwrap()
    }

    #[test]
    fn columns_get_mean_0_and_deviation_1() {
        let train = data([[1.0, 1e6], [2.0, 1e6 + 3.0], [6.0, 1e6 + 9.0]]);
        let scaler = Standardizer::fit(&train).unwrap();
        // By hand: mean 3, variance (4 + 1 + 9) / 3.
        assert!((scaler.means()[0] - 3.0).abs() < 1e-15);
        assert!((scaler.deviations()[0] - (14.0_f64 / 3.0).sqrt()).abs() < 1e-15);

        let scaled = scaler.apply(&train).unwrap();
        let again = Standardizer::fit(&scaled).unwrap();
        for (mean, deviation) in again.means().iter().zip(again.deviations()) {
            // Of the second column, 1e6 away from 0, 6 of 16 digits are lost to the mean.
            assert!(mean.abs() < 1e-9 && (deviation - 1.0).abs() < 1e-9);
        }
        let original = train.inputs().to_vec().unwrap();
        assert_eq!(original[0], 1.0, "the data given stay as they are");
    }

    #[test]
    fn a_column_of_one_value_becomes_zero_in_the_test_rows_too() {
        // The mean of ten 0.1 is not 0.1: a test on the deviation alone would divide by 1e-17.
        let train = data::<10>(std::array::from_fn(|row| [0.1, row as f64]));
        let scaler = Standardizer::fit(&train).unwrap();
        assert_eq!(scaler.deviations()[0], 0.0);
        let test = scaler.apply(&data([[0.1, 4.5], [0.7, 4.5]])).unwrap();
        assert_eq!(test.inputs().to_vec().unwrap(), [0.0; 4]);
    }

    #[test]
    fn what_cannot_be_scaled_is_refused() {
        let text = Standardizer::fit(&data([[1.0, 2.0], [3.0, f64::NAN]])).unwrap_err();
        assert_eq!(
            text.to_string(),
            "Standardizer::fit: row 1, column 1 is not finite (NaN)"
        );
        let scaler = Standardizer::fit(&data([[1.0, 2.0]])).unwrap();
        for shape in [&[3, 3][..], &[2], &[]] {
            let inputs = Tensor::<f64>::zeros(shape).unwrap();
            assert_eq!(
                scaler.apply_to(&inputs).map(drop).unwrap_err().to_string(),
                format!(
                    "Standardizer::apply: expected rows of shape [2], as fitted, found shape {shape:?}"
                )
            );
        }
    }
}
