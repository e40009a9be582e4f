//! The one error type of the workspace.

use std::path::PathBuf;

use crate::shape::Sizes;

/// What every fallible function of macula returns.
pub type Result<T> = std::result::Result<T, Error>;

/// What went wrong, with the facts: the operation, what it expected and what it found.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Two shapes cannot be broadcast together.
    #[error(
        "{op}: shapes {left:?} and {right:?} do not broadcast: aligned at the last axis, sizes must \
         be equal or 1"
    )]
    Broadcast {
        /// The operation.
        op: &'static str,
        /// Shape of the first operand.
        left: Sizes,
        /// Shape of the second operand.
        right: Sizes,
    },
    /// A shape is not the one an operation needs.
    #[error("{op}: expected {expected}, found shape {found:?}")]
    Shape {
        /// The operation.
        op: &'static str,
        /// The shape or the rule, in words.
        expected: String,
        /// The shape that was given.
        found: Sizes,
    },
    /// The inner sizes of a matrix product differ.
    #[error("{op}: inner sizes differ: {left:?} × {right:?}")]
    InnerSizes {
        /// The operation.
        op: &'static str,
        /// Shape of the first operand.
        left: Sizes,
        /// Shape of the second operand.
        right: Sizes,
    },
    /// The number of elements does not fit the shape.
    #[error("{op}: shape {shape:?} has {expected} elements, found {found}")]
    ElementCount {
        /// The operation.
        op: &'static str,
        /// The shape asked for.
        shape: Sizes,
        /// Elements of that shape.
        expected: usize,
        /// Elements at hand.
        found: usize,
    },
    /// A shape has more elements than memory can address.
    #[error("{op}: shape {shape:?} has more elements than memory can address")]
    TooLarge {
        /// The operation.
        op: &'static str,
        /// The shape.
        shape: Sizes,
    },
    /// Memory has no room for the elements of a shape, or for what computing them takes.
    #[error("{op}: memory has no room for the elements of shape {shape:?}")]
    NoRoom {
        /// The operation.
        op: &'static str,
        /// The shape.
        shape: Sizes,
    },
    /// An axis is not one of the tensor's.
    #[error("{op}: axis {axis} is out of range for rank {rank}")]
    Axis {
        /// The operation.
        op: &'static str,
        /// The axis given; negative ones count from the end.
        axis: isize,
        /// Number of axes of the tensor.
        rank: usize,
    },
    /// An index points outside its axis.
    #[error("{op}: index {index} is out of range for axis {axis} of size {size}")]
    Index {
        /// The operation.
        op: &'static str,
        /// The index given.
        index: i64,
        /// The axis.
        axis: usize,
        /// Size of the axis.
        size: usize,
    },
    /// A class label is outside the classes.
    #[error("{op}: {} has label {label}, expected {expected}", At(at))]
    Label {
        /// The operation.
        op: &'static str,
        /// Its place in the labels, counted from 0 along each axis.
        at: Sizes,
        /// The label found there.
        label: i64,
        /// The labels allowed, in words.
        expected: String,
    },
    /// An argument has a value the operation has no meaning for.
    #[error("{op}: {argument} must be {expected}, found {found}")]
    Argument {
        /// The operation.
        op: &'static str,
        /// Name of the argument.
        argument: &'static str,
        /// The rule, in words.
        expected: String,
        /// The value given.
        found: String,
    },
    /// A number that must be finite is not.
    #[error("{op}: {what} is not finite ({value})")]
    NotFinite {
        /// The operation.
        op: &'static str,
        /// What was looked at.
        what: String,
        /// The value found.
        value: f64,
    },
    /// Operands live on different devices.
    #[error("{op}: operands are on different devices: {left} and {right}")]
    Devices {
        /// The operation.
        op: &'static str,
        /// Device of the first operand.
        left: String,
        /// Device of the second operand.
        right: String,
    },
    /// A device failed, or does not offer an operation.
    #[error("{op}: {device}: {message}")]
    Device {
        /// The operation.
        op: &'static str,
        /// Name of the device.
        device: String,
        /// What it said.
        message: String,
    },
    /// The gradient machinery was used in a way that has no answer.
    #[error("{op}: {message}")]
    Gradient {
        /// The operation.
        op: &'static str,
        /// What is wrong and what to do instead.
        message: String,
    },
    /// A row of a data set could not be read.
    #[error("row {row} of the data set: {message}")]
    Row {
        /// The row, counted from 0.
        row: usize,
        /// What the data set said.
        message: String,
    },
    /// A file could not be opened, read or written.
    #[error("{}: {message}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        message: String,
    },
    /// The content of a file is not what was expected.
    #[error("{}{}: {message}", path.display(), Place { row: *row, column: column.as_deref() })]
    Content {
        /// The file.
        path: PathBuf,
        /// Line of the file, counted from 1.
        row: Option<usize>,
        /// Name of the column.
        column: Option<String>,
        /// What was expected and what was found.
        message: String,
    },
}

impl Error {
    /// Memory has no room for a tensor of these sizes, or for what computing it takes.
    #[cold]
    pub(crate) fn no_room(op: &'static str, sizes: &[usize]) -> Self {
        Self::NoRoom {
            op,
            shape: Sizes::from_slice(sizes),
        }
    }

    /// A label outside the classes: an element of labels of some shape, in row-major order.
    pub fn label(
        op: &'static str,
        label: i64,
        mut element: usize,
        shape: &[usize],
        expected: String,
    ) -> Self {
        let mut at = Sizes::from_elem(0, shape.len());
        for (index, &size) in at.iter_mut().zip(shape).rev() {
            *index = element % size.max(1);
            element /= size.max(1);
        }
        Self::Label {
            op,
            at,
            label,
            expected,
        }
    }
}

/// Where in a tensor: `row 3`, or with more axes than one `element [3, 1]`.
struct At<'a>(&'a [usize]);

impl std::fmt::Display for At<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            [row] => write!(f, "row {row}"),
            places => write!(f, "element {places:?}"),
        }
    }
}

/// Where in a file: `, line 3, column "age"`.
struct Place<'a> {
    row: Option<usize>,
    column: Option<&'a str>,
}

impl std::fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(row) = self.row {
            write!(f, ", line {row}")?;
        }
        if let Some(column) = self.column {
            write!(f, ", column {column:?}")?;
        }
        Ok(())
    }
}
