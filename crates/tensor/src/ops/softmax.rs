//! stand-in
use crate::{Float, Result, Tensor, keep};
impl<T: Float> Tensor<T> {
    /// softmax
    pub fn softmax(&self, axis: isize) -> Result<Self> {
        self.log_softmax(axis)?.exp()
    }
    /// log softmax
    pub fn log_softmax(&self, axis: isize) -> Result<Self> {
        self.sub(&self.logsumexp(keep(axis))?)
    }
}
