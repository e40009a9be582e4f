//! Elements as bytes.

use std::io;

use super::content;
use crate::element::Element;

/// A type whose elements `.npy` files hold: every [`Element`].
pub trait NpyElement: Element {
    /// NumPy's name of the type, without its byte order.
    #[doc(hidden)]
    const DTYPE: &'static str;

    /// The elements that whole elements' bytes stand for.
    #[doc(hidden)]
    fn decode(bytes: &[u8], order: ByteOrder, into: &mut Vec<Self>) -> io::Result<()>;

    /// The bytes of elements, little end first.
    #[doc(hidden)]
    fn encode(elements: &[Self], into: &mut Vec<u8>);
}

/// Which byte of a number comes first.
#[doc(hidden)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ByteOrder {
    Little,
    Big,
}

macro_rules! numbers {
    ($($T:ident $dtype:literal),*) => {$(
        impl NpyElement for $T {
            const DTYPE: &'static str = $dtype;

            fn decode(bytes: &[u8], order: ByteOrder, into: &mut Vec<Self>) -> io::Result<()> {
                let numbers = bytes.as_chunks().0.iter();
                match order {
                    ByteOrder::Little => into.extend(numbers.map(|&b| $T::from_le_bytes(b))),
                    ByteOrder::Big => into.extend(numbers.map(|&b| $T::from_be_bytes(b))),
                }
                Ok(())
            }

            fn encode(elements: &[Self], into: &mut Vec<u8>) {
                into.extend(elements.iter().flat_map(|x| x.to_le_bytes()));
            }
        }
    )*};
}
numbers!(f32 "f4", f64 "f8", i64 "i8");

impl NpyElement for bool {
    const DTYPE: &'static str = "b1";

    fn decode(bytes: &[u8], _: ByteOrder, into: &mut Vec<Self>) -> io::Result<()> {
        if let Some(other) = bytes.iter().find(|&&byte| byte > 1) {
            return Err(content(format!(
                "expected 0 or 1 for each bool, found {other}"
            )));
        }
        into.extend(bytes.iter().map(|&byte| byte == 1));
        Ok(())
    }

    fn encode(elements: &[Self], into: &mut Vec<u8>) {
        into.extend(elements.iter().map(|&x| u8::from(x)));
    }
}
