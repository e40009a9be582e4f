//! stand-in
use crate::{Float, Result, Tensor};
impl<T: Float> Tensor<T> {
    /// Sum.
    pub fn sum_all(&self) -> Result<Self> {
        let mut s = 0.0;
        for x in self.to_vec()? {
            s += x.to_f64();
        }
        Ok(Tensor::scalar(T::from_f64(s)))
    }
    /// Sum to.
    pub fn sum_to(&self, shape: impl AsRef<[usize]>) -> Result<Self> {
        let shape = shape.as_ref();
        let n: usize = shape.iter().product();
        let index = Tensor::from_vec((0..n as i64).collect(), shape)?.expand(self.shape())?;
        let mut out = vec![0.0; n];
        for (i, x) in index.to_vec()?.into_iter().zip(self.to_vec()?) {
            out[i as usize] += x.to_f64();
        }
        Tensor::from_vec(out.into_iter().map(T::from_f64).collect(), shape)
    }
}
