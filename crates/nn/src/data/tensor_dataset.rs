//! `TensorDataset`: a data set with class labels, in memory.

use std::fmt;
use std::sync::Arc;

use macula_tensor::shape::Sizes;
use macula_tensor::{Device, Element, Error, Float, Result, Tensor};

use super::dataset::{Batch, Dataset};

/// Every class has a name, so a label that is a mistake (a hash, a time) would fill the memory.
const MAX_CLASSES: i64 = 1 << 24;

/// Samples and class labels in memory: two tensors of N rows, with the names of columns and
/// classes.
///
/// It has at least one row. A clone shares the tensors and costs nothing.
///
/// # Shapes
/// Inputs `[N, …]`, as `[N, D]` of a table or `[N, C, H, W]` of images; targets `[N]`.
///
/// # Example
///
/// ```
/// use macula_nn::data::{Dataset, TensorDataset};
/// use macula_tensor::Tensor;
///
/// let inputs = Tensor::from([[0.5_f32, 1.0], [0.7, 2.0], [0.1, 3.0]]);
/// let data = TensorDataset::new(inputs, Tensor::from([0, 1, 0]))?
///     .with_classes(["benign", "malignant"])?;
/// assert_eq!(data.len(), 3);
/// assert_eq!(data.select(&[2])?.inputs().to_vec()?, [0.1, 3.0]);
/// # Ok::<(), macula_tensor::Error>(())
/// ```
#[derive(Clone)]
pub struct TensorDataset<T: Float = f32> {
    inputs: Tensor<T>,
    targets: Tensor<i64>,
    features: Arc<[String]>,
    classes: Arc<[String]>,
}

impl<T: Float> TensorDataset<T> {
    /// A data set of these samples and labels; class c is called by its number.
    ///
    /// The classes are 0 to the largest label. Where the rarest class may be missing from the
    /// rows, say how many there are with [`with_classes`](Self::with_classes).
    ///
    /// # Errors
    /// The inputs must have an axis of rows and at least one element, the targets one label of
    /// 0, 1, … for each row.
    pub fn new(inputs: Tensor<T>, targets: Tensor<i64>) -> Result<Self> {
        const OP: &str = "TensorDataset";
        if inputs.rank() == 0 || inputs.is_empty() {
            return Err(Error::Shape {
                op: OP,
                expected: "inputs of at least one row and one element a row".into(),
                found: Sizes::from_slice(inputs.shape()),
            });
        }
        let rows = inputs.shape()[0];
        if targets.shape() != [rows] {
            return Err(Error::Shape {
                op: OP,
                expected: format!("targets [{rows}], one for each row of the inputs"),
                found: Sizes::from_slice(targets.shape()),
            });
        }
        let targets = targets.to(&Device::Cpu)?.contiguous()?;
        let mut classes = 0;
        for (row, &label) in elements(&targets).iter().enumerate() {
            if !(0..MAX_CLASSES).contains(&label) {
                let expected = format!("a class number of 0 to {}", MAX_CLASSES - 1);
                return Err(Error::label(OP, label, row, targets.shape(), expected));
            }
            classes = classes.max(label + 1);
        }
        Ok(Self {
            inputs: inputs.to(&Device::Cpu)?.contiguous()?,
            targets,
            features: Arc::from([]),
            classes: (0..classes).map(|class| class.to_string()).collect(),
        })
    }

    /// The same data with a name for each column.
    ///
    /// # Errors
    /// There must be one name for each element of a row.
    pub fn with_features<S: Into<String>>(
        mut self,
        names: impl IntoIterator<Item = S>,
    ) -> Result<Self> {
        self.features = names.into_iter().map(Into::into).collect();
        if self.features.len() != self.width() {
            return Err(Error::Argument {
                op: "with_features",
                argument: "names",
                expected: format!("{} names, one for each element of a row", self.width()),
                found: self.features.len().to_string(),
            });
        }
        Ok(self)
    }

    /// The same data with a name for each class; classes without a row count as well.
    ///
    /// # Errors
    /// Every label must have a name.
    pub fn with_classes<S: Into<String>>(
        mut self,
        names: impl IntoIterator<Item = S>,
    ) -> Result<Self> {
        self.classes = names.into_iter().map(Into::into).collect();
        let classes = self.classes.len();
        for (row, &label) in elements(&self.targets).iter().enumerate() {
            if label >= classes as i64 {
                let expected = format!("a label below {classes}, the number of class names");
                let shape = self.targets.shape();
                return Err(Error::label("with_classes", label, row, shape, expected));
            }
        }
        Ok(self)
    }

    /// The samples, `[N, …]`.
    pub fn inputs(&self) -> &Tensor<T> {
        &self.inputs
    }

    /// The class labels, `[N]`.
    pub fn targets(&self) -> &Tensor<i64> {
        &self.targets
    }

    /// The class labels as a slice.
    pub(super) fn labels(&self) -> &[i64] {
        elements(&self.targets)
    }

    /// Names of the columns; none where they were not given.
    pub fn features(&self) -> &[String] {
        &self.features
    }

    /// Names of the classes: class c is `classes()[c]`.
    pub fn classes(&self) -> &[String] {
        &self.classes
    }

    /// The data set of the rows listed, in that order; a row may be listed more than once.
    ///
    /// # Errors
    /// Rows must exist, and there must be at least one.
    pub fn select(&self, rows: &[usize]) -> Result<Self> {
        if rows.is_empty() {
            return Err(Error::Argument {
                op: "select",
                argument: "rows",
                expected: "at least one row".into(),
                found: "none".into(),
            });
        }
        let (inputs, targets) = self.batch(rows)?;
        Ok(self.with_rows(inputs, targets))
    }

    /// Other samples and labels under the same names.
    pub(super) fn with_rows(&self, inputs: Tensor<T>, targets: Tensor<i64>) -> Self {
        Self {
            inputs,
            targets,
            features: self.features.clone(),
            classes: self.classes.clone(),
        }
    }

    /// Elements of a row.
    fn width(&self) -> usize {
        self.inputs.shape()[1..].iter().product()
    }
}

impl<T: Float> Dataset for TensorDataset<T> {
    type Input = Tensor<T>;
    type Target = i64;

    fn len(&self) -> usize {
        self.targets.count()
    }

    fn get(&self, row: usize) -> Result<(Tensor<T>, i64)> {
        let (input, target) = self.batch(&[row])?;
        Ok((input.squeeze(0)?, target.item()?))
    }

    fn batch(&self, rows: &[usize]) -> Result<Batch<Self>> {
        Ok((gather(&self.inputs, rows)?, gather(&self.targets, rows)?))
    }
}

/// Shapes and names, not the elements.
impl<T: Float> fmt::Debug for TensorDataset<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TensorDataset")
            .field("inputs", &self.inputs.shape())
            .field("features", &self.features)
            .field("classes", &self.classes)
            .finish()
    }
}

/// The rows listed of a contiguous tensor in main memory.
fn gather<T: Element>(tensor: &Tensor<T>, rows: &[usize]) -> Result<Tensor<T>> {
    let mut sizes = Sizes::from_slice(tensor.shape());
    let len = std::mem::replace(&mut sizes[0], rows.len());
    let width = tensor.count() / len;
    let elements = elements(tensor);
    Tensor::write(sizes, |output| {
        for (output, &row) in output.chunks_exact_mut(width).zip(rows) {
            if row >= len {
                return Err(Error::Index {
                    op: "batch",
                    index: row as i64,
                    axis: 0,
                    size: len,
                });
            }
            output.copy_from_slice(&elements[row * width..][..width]);
        }
        Ok(())
    })
}

/// The elements of a tensor that was made contiguous, in main memory, when the data set was made.
fn elements<T: Element>(tensor: &Tensor<T>) -> &[T] {
    tensor.as_slice().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data() -> TensorDataset {
        let inputs = Tensor::from([[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]]);
        TensorDataset::new(inputs, Tensor::from([0, 2, 0])).unwrap()
    }

    fn message<R>(result: Result<R>) -> String {
        result.map(drop).unwrap_err().to_string()
    }

    #[test]
    fn rows_come_in_the_order_asked_for_and_again_where_asked_again() {
        let (inputs, targets) = data().batch(&[2, 1, 2]).unwrap();
        assert_eq!(inputs.shape(), [3, 2]);
        assert_eq!(inputs.to_vec().unwrap(), [4.0, 5.0, 2.0, 3.0, 4.0, 5.0]);
        assert_eq!(targets.to_vec().unwrap(), [0, 2, 0]);
        let (input, target) = data().get(1).unwrap();
        assert_eq!((input.shape(), target), (&[2][..], 2));
    }

    #[test]
    fn strided_inputs_of_any_rank_are_gathered() {
        let images = Tensor::<f64>::from_vec((0..24).map(f64::from).collect(), [2, 3, 4]).unwrap();
        let images = images.transpose(0, 2).unwrap();
        let data = TensorDataset::new(images.clone(), Tensor::from([0, 1, 1, 0])).unwrap();
        let (inputs, _) = data.batch(&[3, 0]).unwrap();
        assert_eq!(inputs.shape(), [2, 3, 2]);
        let expected = [3, 0].map(|row| images.narrow(0, row, 1).unwrap().to_vec().unwrap());
        assert_eq!(inputs.to_vec().unwrap(), expected.concat());
    }

    #[test]
    fn classes_count_up_to_the_largest_label_or_as_named() {
        assert_eq!(data().classes(), ["0", "1", "2"]);
        let named = data().with_classes(["a", "b", "c", "d"]).unwrap();
        assert_eq!(named.select(&[0]).unwrap().classes().len(), 4);
        assert_eq!(
            message(data().with_classes(["a", "b"])),
            "with_classes: row 1 has label 2, expected a label below 2, the number of class names"
        );
    }

    #[test]
    fn parts_that_do_not_fit_are_refused() {
        let inputs = Tensor::<f32>::zeros([3, 2]).unwrap();
        assert_eq!(
            message(TensorDataset::new(inputs.clone(), Tensor::from([0, 1]))),
            "TensorDataset: expected targets [3], one for each row of the inputs, found shape [2]"
        );
        assert_eq!(
            message(TensorDataset::new(inputs, Tensor::from([0, 1, -1]))),
            "TensorDataset: row 2 has label -1, expected a class number of 0 to 16777215"
        );
        let none = Tensor::<f32>::zeros([0, 2]).unwrap();
        assert_eq!(
            message(TensorDataset::new(none, Tensor::from(vec![]))),
            "TensorDataset: expected inputs of at least one row and one element a row, \
             found shape [0, 2]"
        );
        assert_eq!(
            message(data().with_features(["a"])),
            "with_features: names must be 2 names, one for each element of a row, found 1"
        );
    }

    #[test]
    fn rows_that_do_not_exist_are_refused() {
        for row in [3, usize::MAX] {
            assert!(matches!(
                data().batch(&[0, row]),
                Err(Error::Index { size: 3, .. })
            ));
        }
        assert_eq!(
            message(data().select(&[])),
            "select: rows must be at least one row, found none"
        );
    }
}
