//! Printing tensors: as a table for people, in one line for debuggers.

use std::fmt;

use crate::element::Element;
use crate::shape::{Shape, Sizes, Strides};
use crate::tensor::Tensor;

/// Elements of a tensor that is printed whole; larger ones are abbreviated.
const WHOLE: usize = 1000;
/// Elements printed at each end of an abbreviated axis.
const EDGE: usize = 3;
/// Digits after the point, where the format does not say how many.
const DIGITS: usize = 4;
/// Columns of text that a row is broken at.
const COLUMNS: usize = 80;

impl<T: Element> fmt::Debug for Tensor<T> {
    /// Type, shape and device, and the elements of a small tensor.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Tensor<{}>{:?} on {}",
            T::NAME,
            self.shape(),
            self.device()
        )?;
        if self.count() > 2 * EDGE {
            return Ok(());
        }
        match self.to_vec() {
            Ok(elements) => write!(f, " {elements:?}"),
            Err(_) => Ok(()),
        }
    }
}

impl<T: Element> fmt::Display for Tensor<T> {
    /// Nested brackets with aligned columns, then type, shape and device.
    ///
    /// Floats have four digits after the point, or as many as the format says (`{:.2}`), and an
    /// exponent where that would not do. Rows are broken at 80 columns. Of an axis of a tensor of
    /// more than 1000 elements, the first and the last three are printed; so that nothing is printed
    /// as briefly, sizes of 0 count as 1 there.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let table = Table::new(self, f.precision()).map_err(|_| fmt::Error)?;
        table.write(f, 0, &mut table.cells.iter())?;
        let shape = self.shape();
        write!(f, "\n{} {shape:?} on {}", T::NAME, self.device())
    }
}

/// The elements to print, as text of one width.
struct Table {
    /// For each axis, the number of elements printed and whether some are left out.
    axes: Vec<(usize, bool)>,
    cells: Vec<String>,
    width: usize,
}

impl Table {
    fn new<T: Element>(tensor: &Tensor<T>, digits: Option<usize>) -> crate::Result<Self> {
        // Rows of no elements are printed as well.
        let rows: usize = tensor.shape().iter().map(|&size| size.max(1)).product();
        let abbreviate = rows > WHOLE;
        // The two ends of an axis are a view: two places, so far apart, of a few elements each.
        let (mut sizes, mut strides) = (Sizes::new(), Strides::new());
        let mut axes = Vec::new();
        for (&size, &stride) in tensor.shape().iter().zip(&tensor.strides()) {
            let cut = abbreviate && size > 2 * EDGE;
            if cut {
                sizes.extend([2, EDGE]);
                strides.extend([(size - EDGE) as isize * stride, stride]);
            } else {
                sizes.push(size);
                strides.push(stride);
            }
            axes.push((if cut { 2 * EDGE } else { size }, cut));
        }
        let shown = tensor.with_shape(Shape::from_parts(sizes, strides, tensor.shape.offset()));
        let cells = texts(&shown.to_vec()?, digits);
        let width = cells.iter().map(String::len).max().unwrap_or(0);
        Ok(Self { axes, cells, width })
    }

    /// Writes the elements of all axes from `axis` on.
    fn write(
        &self,
        f: &mut fmt::Formatter<'_>,
        axis: usize,
        cells: &mut std::slice::Iter<'_, String>,
    ) -> fmt::Result {
        let Some(&(size, cut)) = self.axes.get(axis) else {
            let cell = cells.next().map_or("", String::as_str);
            return write!(f, "{cell:>width$}", width = self.width);
        };
        // Rows on lines of their own, matrices and more with an empty line between.
        let inner = self.axes.len() - axis - 1;
        let indent = " ".repeat(axis + 1);
        let between = match inner {
            0 => ", ".to_string(),
            _ => format!(",{}{indent}", "\n".repeat(inner)),
        };
        let a_line = match inner {
            0 => (COLUMNS.saturating_sub(axis) / (self.width + 2)).max(1),
            _ => usize::MAX,
        };
        f.write_str("[")?;
        for k in 0..size {
            if k > 0 && k % a_line == 0 {
                write!(f, ",\n{indent}")?;
            } else if k > 0 {
                f.write_str(&between)?;
            }
            if cut && k == EDGE {
                write!(f, "…{between}")?;
            }
            self.write(f, axis + 1, cells)?;
        }
        f.write_str("]")
    }
}

/// The elements as text; floats in one format for all, with as many digits after the point.
fn texts<T: Element>(elements: &[T], digits: Option<usize>) -> Vec<String> {
    let plain = || elements.iter().map(T::to_string);
    if !T::NAME.starts_with('f') {
        return plain().collect();
    }
    // The shortest decimal of an f32 is also an f64, so both are printed in the same way.
    let numbers: Vec<f64> = plain()
        .map(|text| text.parse().unwrap_or(f64::NAN))
        .collect();
    let sizes = || {
        numbers
            .iter()
            .map(|x| x.abs())
            .filter(|x| x.is_finite() && *x > 0.0)
    };
    let (least, most) = sizes().fold((f64::INFINITY, 0.0), |(least, most), x| {
        (x.min(least), x.max(most))
    });
    let whole = digits.is_none() && sizes().all(|x| x.fract() == 0.0);
    let digits = digits.unwrap_or(DIGITS);
    let text = |x: &f64| {
        if !x.is_finite() {
            x.to_string()
        } else if most >= 1e8 || (least < 1e-4 && least.is_finite()) || most / least > 1e6 {
            format!("{x:.digits$e}")
        } else if whole {
            format!("{x:.0}.")
        } else {
            format!("{x:.digits$}")
        }
    };
    numbers.iter().map(text).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_matrix_prints_as_aligned_rows() {
        let x = Tensor::from([[1.0_f32, -2.5], [10.25, f32::NAN]]);
        assert_eq!(
            x.to_string(),
            "[[ 1.0000, -2.5000],\n [10.2500,     NaN]]\nf32 [2, 2] on cpu"
        );
    }

    #[test]
    fn whole_numbers_print_without_digits_after_the_point() {
        assert_eq!(
            Tensor::from([1.0_f64, 20.0]).to_string(),
            "[ 1., 20.]\nf64 [2] on cpu"
        );
    }

    #[test]
    fn a_wide_range_prints_with_exponents() {
        assert_eq!(
            Tensor::from([1e-7_f32, 1.0]).to_string(),
            "[1.0000e-7,  1.0000e0]\nf32 [2] on cpu"
        );
    }

    #[test]
    fn matrices_have_an_empty_line_between() {
        let x = Tensor::from([[[1_i64], [2]], [[3], [4]]]);
        assert_eq!(
            x.to_string(),
            "[[[1],\n  [2]],\n\n [[3],\n  [4]]]\ni64 [2, 2, 1] on cpu"
        );
    }

    #[test]
    fn long_axes_are_abbreviated() {
        let x = Tensor::<i64>::arange(0, 2000, 1).unwrap();
        assert_eq!(
            x.to_string(),
            "[   0,    1,    2, …, 1997, 1998, 1999]\ni64 [2000] on cpu"
        );
    }

    #[test]
    fn long_rows_are_broken_into_lines_that_are_aligned() {
        let x = Tensor::<i64>::arange(100, 141, 1).unwrap();
        let printed = x.to_string();
        let lines: Vec<&str> = printed.lines().collect();
        assert!(lines.iter().all(|line| line.len() <= COLUMNS), "{printed}");
        assert_eq!(lines[0].split(',').filter(|x| !x.is_empty()).count(), 16);
        assert_eq!(&lines[1][..9], " 116, 117");
        assert_eq!(lines[2], " 132, 133, 134, 135, 136, 137, 138, 139, 140]");
        let rows = x.reshape([1, 41]).unwrap().to_string();
        assert_eq!(rows.lines().nth(1).map(|line| &line[..5]), Some("  115"));
    }

    #[test]
    fn the_format_may_say_how_many_digits() {
        let x = Tensor::from([1.0_f32, 2.25]);
        assert_eq!(format!("{x:.1}"), "[1.0, 2.2]\nf32 [2] on cpu");
        assert_eq!(
            format!("{:.3}", Tensor::scalar(2.0_f64)),
            "2.000\nf64 [] on cpu"
        );
    }

    #[test]
    fn scalars_booleans_and_empty_tensors_print() {
        assert_eq!(Tensor::scalar(2.5_f32).to_string(), "2.5000\nf32 [] on cpu");
        assert_eq!(
            Tensor::from([true, false]).to_string(),
            "[ true, false]\nbool [2] on cpu"
        );
        let empty = Tensor::<f32>::zeros([2, 0]).unwrap();
        assert_eq!(empty.to_string(), "[[],\n []]\nf32 [2, 0] on cpu");
    }

    #[test]
    fn empty_tensors_of_huge_sizes_are_abbreviated() {
        let printed = |sizes: &[usize]| Tensor::<f32>::zeros(sizes).unwrap().to_string();
        assert_eq!(
            printed(&[1 << 40, 0]),
            "[[],\n [],\n [],\n …,\n [],\n [],\n []]\nf32 [1099511627776, 0] on cpu"
        );
        assert_eq!(printed(&[0, 1 << 40]), "[]\nf32 [0, 1099511627776] on cpu");
        assert_eq!(
            printed(&[1, 0, 1 << 40]),
            "[[]]\nf32 [1, 0, 1099511627776] on cpu"
        );
    }

    #[test]
    fn what_is_repeated_beyond_memory_is_printed_by_its_ends() {
        let x = Tensor::scalar(1_i64).expand([1 << 59]).unwrap();
        assert_eq!(
            x.to_string(),
            "[1, 1, 1, …, 1, 1, 1]\ni64 [576460752303423488] on cpu"
        );
        assert_eq!(format!("{x:?}"), "Tensor<i64>[576460752303423488] on cpu");
        let wide = Tensor::from([[1_i64], [2]]).expand([2, 1 << 58]).unwrap();
        let table = "[[1, 1, 1, …, 1, 1, 1],\n [2, 2, 2, …, 2, 2, 2]]";
        assert_eq!(
            wide.to_string(),
            format!("{table}\ni64 [2, 288230376151711744] on cpu")
        );
        let square = Tensor::scalar(7_i64).expand([1 << 29, 1 << 30]).unwrap();
        assert_eq!(
            square.to_string().lines().next(),
            Some("[[7, 7, 7, …, 7, 7, 7],")
        );
    }

    #[test]
    fn the_ends_of_turned_and_backward_axes_are_their_own() {
        let x = Tensor::<i64>::arange(0, 60 * 70, 1).unwrap();
        let x = x.reshape([60, 70]).unwrap().transpose(0, 1).unwrap();
        let x = x.flip([0]).unwrap();
        let printed = x.to_string();
        let rows: Vec<&str> = printed.lines().collect();
        assert_eq!(rows[0], "[[  69,  139,  209, …, 4059, 4129, 4199],");
        assert_eq!(rows[6], " [   0,   70,  140, …, 3990, 4060, 4130]]");
    }

    #[test]
    fn debug_is_one_line_and_short() {
        assert_eq!(
            format!("{:?}", Tensor::from([1_i64, 2])),
            "Tensor<i64>[2] on cpu [1, 2]"
        );
        assert_eq!(
            format!("{:?}", Tensor::<f32>::zeros([10, 10]).unwrap()),
            "Tensor<f32>[10, 10] on cpu"
        );
    }
}
