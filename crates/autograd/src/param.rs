//! `Param`: a named tensor that training changes.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use macula_tensor::{Error, Float, Result, Tensor};

/// A named, shared tensor that an optimizer may change.
///
/// Clones are handles to one parameter: a layer holds one, the optimizer another. A parameter
/// carries no gradient, so there is nothing to zero; gradients are what
/// [`backward`](crate::Var::backward) returns.
#[derive(Clone)]
pub struct Param<T: Float = f32> {
    inner: Arc<Inner<T>>,
}

struct Inner<T: Float> {
    name: String,
    value: RwLock<Tensor<T>>,
    trainable: AtomicBool,
}

impl<T: Float> Param<T> {
    /// A trainable parameter with a first value.
    pub fn new(name: impl Into<String>, value: Tensor<T>) -> Self {
        Self {
            inner: Arc::new(Inner {
                name: name.into(),
                value: RwLock::new(value),
                trainable: AtomicBool::new(true),
            }),
        }
    }

    /// The name it was given, as in `weight`.
    pub fn name(&self) -> &str {
        &self.inner.name
    }

    /// The present value. Cheap: the elements are shared until the parameter changes.
    pub fn value(&self) -> Tensor<T> {
        let value = self
            .inner
            .value
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        value.clone()
    }

    /// Replaces the value, for instance by one from a file.
    ///
    /// # Errors
    /// The shape of a parameter never changes.
    pub fn set(&self, value: Tensor<T>) -> Result<()> {
        let mut current = self
            .inner
            .value
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        if value.shape() != current.shape() {
            return Err(Error::Shape {
                op: "Param::set",
                expected: format!("shape {:?} for {:?}", current.shape(), self.name()),
                found: value.shape().into(),
            });
        }
        *current = value;
        Ok(())
    }

    /// Changes the elements, in place where no tape or clone still holds them.
    ///
    /// # Errors
    /// Whatever `change` returns, and elements that are not in main memory.
    pub fn update<R>(&self, change: impl FnOnce(&mut [T]) -> R) -> Result<R> {
        let mut value = self
            .inner
            .value
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        Ok(change(value.make_mut()?))
    }

    /// Whether gradients are computed for it.
    pub fn is_trainable(&self) -> bool {
        self.inner.trainable.load(Ordering::Relaxed)
    }

    /// Freezes the parameter (it becomes a constant) or makes it trainable again.
    pub fn set_trainable(&self, trainable: bool) {
        self.inner.trainable.store(trainable, Ordering::Relaxed);
    }

    /// Whether two handles are the same parameter.
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.inner, &other.inner)
    }

    /// A number that no other living parameter has.
    pub(crate) fn id(&self) -> usize {
        Arc::as_ptr(&self.inner) as usize
    }
}

impl<T: Float> fmt::Debug for Param<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Param({:?}, {:?})", self.name(), self.value().shape())
    }
}
