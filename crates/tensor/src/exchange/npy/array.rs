//! One array: its header and its elements.

use std::io::{self, Read, Write};

use super::content;
use super::element::{ByteOrder, NpyElement};
use super::header::Header;
use crate::device::Device;
use crate::shape::Sizes;
use crate::tensor::Tensor;

/// Bytes that are read or written at a time: a multiple of every element's size.
const BLOCK: usize = 1 << 16;

/// The array that a reader holds from its first byte to its last.
pub(super) fn read<T: NpyElement>(reader: &mut impl Read) -> io::Result<Tensor<T>> {
    let header = Header::read(reader)?;
    let order = byte_order::<T>(&header.dtype)?;
    let shape = header.shape;
    let bytes = shape
        .iter()
        .try_fold(size_of::<T>() as u64, |bytes, &size| {
            bytes.checked_mul(size as u64)
        })
        .ok_or_else(|| content(format!("shape {shape:?} has more elements than can be")))?;
    let elements = read_elements(reader, bytes, order, &shape)?;
    let tensor = if header.fortran_order {
        // The same elements in row-major order have the axes the other way round.
        let reversed: Sizes = shape.iter().rev().copied().collect();
        Tensor::from_vec(elements, reversed).and_then(|tensor| reversed_axes(&tensor))
    } else {
        Tensor::from_vec(elements, &shape)
    };
    tensor.map_err(|error| content(error.to_string()))
}

/// Writes an array on behalf of an operation.
pub(super) fn write<T: NpyElement>(
    op: &'static str,
    writer: &mut impl Write,
    tensor: &Tensor<T>,
) -> io::Result<()> {
    let other = |error: crate::error::Error| io::Error::other(error.to_string());
    let tensor = tensor.to(&Device::Cpu).map_err(other)?;
    let reversed = reversed_axes(&tensor).map_err(other)?;
    let fortran_order = !tensor.is_contiguous() && reversed.is_contiguous();
    let header = Header {
        dtype: if T::DTYPE == bool::DTYPE {
            format!("|{}", T::DTYPE)
        } else {
            format!("<{}", T::DTYPE)
        },
        fortran_order,
        shape: Sizes::from_slice(tensor.shape()),
    };
    writer.write_all(&header.bytes()?)?;
    let laid_out = if fortran_order { reversed } else { tensor };
    let dense = laid_out.in_order(op).map_err(other)?;
    let mut bytes = Vec::with_capacity(BLOCK);
    for elements in dense
        .as_slice()
        .unwrap_or_default()
        .chunks(BLOCK / size_of::<T>())
    {
        bytes.clear();
        T::encode(elements, &mut bytes);
        writer.write_all(&bytes)?;
    }
    Ok(())
}

/// The byte order of a type that must be `T`.
fn byte_order<T: NpyElement>(dtype: &str) -> io::Result<ByteOrder> {
    match dtype.strip_suffix(T::DTYPE) {
        Some("<") => Ok(ByteOrder::Little),
        Some(">") => Ok(ByteOrder::Big),
        // Of one byte there is no order.
        Some("|") if size_of::<T>() == 1 => Ok(ByteOrder::Little),
        _ => Err(content(format!(
            "expected elements of type {} ({}), found {dtype}",
            T::NAME,
            T::DTYPE
        ))),
    }
}

/// So many bytes of elements, and no byte more.
///
/// The vector grows with what is there, so a header that lies about its shape costs no memory.
fn read_elements<T: NpyElement>(
    reader: &mut impl Read,
    bytes: u64,
    order: ByteOrder,
    shape: &[usize],
) -> io::Result<Vec<T>> {
    let expected = || format!("expected {bytes} bytes of elements for shape {shape:?}, found");
    let mut elements = Vec::new();
    let mut block = Vec::with_capacity(BLOCK);
    let mut left = bytes;
    while left > 0 {
        let wanted = left.min(BLOCK as u64);
        block.clear();
        reader.take(wanted).read_to_end(&mut block)?;
        if (block.len() as u64) < wanted {
            let found = bytes - left + block.len() as u64;
            return Err(content(format!("{} {found}", expected())));
        }
        if elements.try_reserve(block.len() / size_of::<T>()).is_err() {
            return Err(content(format!(
                "memory has no room for the elements of shape {shape:?}"
            )));
        }
        T::decode(&block, order, &mut elements)?;
        left -= wanted;
    }
    if reader.take(1).read_to_end(&mut block)? > 0 {
        return Err(content(format!("{} more", expected())));
    }
    Ok(elements)
}

/// The tensor with its axes in the opposite order.
fn reversed_axes<T: NpyElement>(tensor: &Tensor<T>) -> crate::error::Result<Tensor<T>> {
    let axes: Vec<isize> = (0..tensor.rank() as isize).rev().collect();
    tensor.permute(axes)
}
