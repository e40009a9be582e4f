//! Exchange with other libraries, each behind the feature of its name.
//!
//! - `npy`: NumPy's files. [`Tensor::read_npy`] and [`Tensor::write_npy`] for one array,
//!   [`NpzReader`] and [`NpzWriter`] for several.
//! - `ndarray`: tensors from arrays and arrays from tensors, without copying where one side owns
//!   the elements alone. [`Tensor::as_ndarray`] and [`Tensor::into_ndarray`] lead out, `From` leads
//!   in.
//!
//! Vectors and slices need no feature: [`Tensor::from_vec`], [`Tensor::into_vec`],
//! [`Tensor::as_slice`].
//!
//! [`Tensor::read_npy`]: crate::Tensor::read_npy
//! [`Tensor::write_npy`]: crate::Tensor::write_npy
//! [`Tensor::as_ndarray`]: crate::Tensor::as_ndarray
//! [`Tensor::into_ndarray`]: crate::Tensor::into_ndarray
//! [`Tensor::from_vec`]: crate::Tensor::from_vec
//! [`Tensor::into_vec`]: crate::Tensor::into_vec
//! [`Tensor::as_slice`]: crate::Tensor::as_slice

#[cfg(feature = "ndarray")]
mod ndarray;
#[cfg(feature = "npy")]
mod npy;

#[cfg(feature = "npy")]
pub use npy::{NpyElement, NpzReader, NpzWriter};
