//! The product against the three loops it stands for.

use proptest::prelude::*;

use super::super::lanes::InstructionSet;
use super::parallel::matmul;
use super::plan::Plan;
use super::{Batch, Epilogue, GemmFloat, Matrix, Path, Product, few_rows, matmul_batch};

/// How an operand lies in memory.
#[derive(Clone, Copy, Debug)]
enum Layout {
    RowMajor,
    /// Stored transposed.
    ColumnMajor,
    /// Row-major with unused places between the rows.
    PaddedRows,
    /// Stored transposed, with unused places between the columns.
    PaddedColumns,
    /// Every second element of rows with gaps: no stride is 1.
    Spaced,
    /// One row, repeated.
    RepeatedRow,
    /// One column, repeated.
    RepeatedColumn,
    /// One number, repeated.
    RepeatedNumber,
}

const LAYOUTS: [Layout; 8] = [
    Layout::RowMajor,
    Layout::ColumnMajor,
    Layout::PaddedRows,
    Layout::PaddedColumns,
    Layout::Spaced,
    Layout::RepeatedRow,
    Layout::RepeatedColumn,
    Layout::RepeatedNumber,
];

impl Layout {
    fn strides(self, rows: usize, columns: usize) -> (usize, usize) {
        match self {
            Self::RowMajor => (columns, 1),
            Self::ColumnMajor => (1, rows),
            Self::PaddedRows => (columns + 3, 1),
            Self::PaddedColumns => (1, rows + 5),
            Self::Spaced => (2 * columns + 1, 2),
            Self::RepeatedRow => (0, 1),
            Self::RepeatedColumn => (1, 0),
            Self::RepeatedNumber => (0, 0),
        }
    }
}

/// f32 and f64 as the tests need them.
trait Number: GemmFloat + Into<f64> {
    const EPSILON: f64;
}
impl Number for f32 {
    const EPSILON: f64 = f32::EPSILON as f64;
}
impl Number for f64 {
    const EPSILON: f64 = f64::EPSILON;
}

/// Numbers between -1 and 1 that depend on the seed and the position.
fn noise<T: Number>(length: usize, seed: u64) -> Vec<T> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        T::from_f64((state >> 11) as f64 / (1u64 << 52) as f64 - 1.0)
    };
    (0..length).map(|_| next()).collect()
}

/// An operand with its memory: exactly as long as its last element needs.
struct Operand<T> {
    elements: Vec<T>,
    strides: (usize, usize),
}

impl<T: Number> Operand<T> {
    fn new(rows: usize, columns: usize, layout: Layout, seed: u64) -> Self {
        let strides = layout.strides(rows, columns);
        let length = match (rows, columns) {
            (0, _) | (_, 0) => 0,
            _ => (rows - 1) * strides.0 + (columns - 1) * strides.1 + 1,
        };
        Self {
            elements: noise(length, seed),
            strides,
        }
    }

    fn matrix(&self) -> Matrix<'_, T> {
        Matrix {
            elements: &self.elements,
            row_stride: self.strides.0,
            column_stride: self.strides.1,
        }
    }
}

/// A product and everything that goes into it.
struct Case<T> {
    shape: [usize; 3],
    a: Operand<T>,
    b: Operand<T>,
    c: Vec<T>,
    bias: Option<Vec<T>>,
    halved: bool,
    accumulate: bool,
}

/// Something after the sums that shows when it is done twice, or not at all.
fn halve<T: Number>(elements: &mut [T]) {
    for x in elements {
        *x = T::from_f64(0.5 * (*x).into());
    }
}

impl<T: Number> Case<T> {
    fn new(shape: [usize; 3], layouts: (Layout, Layout), flags: u8, seed: u64) -> Self {
        let [m, k, n] = shape;
        Self {
            shape,
            a: Operand::new(m, k, layouts.0, seed),
            b: Operand::new(k, n, layouts.1, seed + 1),
            c: noise(m * n, seed + 2),
            bias: (flags & 1 != 0).then(|| noise(n, seed + 3)),
            halved: flags & 2 != 0,
            accumulate: flags & 4 != 0,
        }
    }

    fn epilogue(&self) -> Epilogue<'_, T> {
        Epilogue {
            bias: self.bias.as_deref(),
            accumulate: self.accumulate,
            then: self.halved.then_some(&halve),
        }
    }

    fn result(&self) -> Vec<T> {
        let mut c = self.c.clone();
        matmul(
            self.shape,
            self.a.matrix(),
            self.b.matrix(),
            &mut c,
            self.epilogue(),
        );
        c
    }

    /// The three loops in f64, and for each element the largest error that rounding explains.
    ///
    /// A sum of k products rounded in any order is off by at most k·ε·Σ|a·b|; bias and `c` make it
    /// two more terms, and the reference itself, in f64, doubles it for f64.
    fn expected(&self) -> Vec<(f64, f64)> {
        let [m, k, n] = self.shape;
        let (a, b) = (self.a.matrix(), self.b.matrix());
        let mut expected = Vec::new();
        for i in 0..m {
            for j in 0..n {
                let mut terms: Vec<f64> = (0..k)
                    .map(|p| a.at(i, p).into() * b.at(p, j).into())
                    .collect();
                if let Some(bias) = &self.bias {
                    terms.push(bias[j].into());
                }
                if self.accumulate {
                    terms.push(self.c[i * n + j].into());
                }
                let sum: f64 = terms.iter().sum();
                let magnitude: f64 = terms.iter().map(|term| term.abs()).sum();
                let bound = 2.0 * (k + 2) as f64 * T::EPSILON * magnitude;
                expected.push((if self.halved { 0.5 * sum } else { sum }, bound));
            }
        }
        expected
    }

    /// Checks one path with one instruction set, on one thread.
    fn check_on(&self, set: InstructionSet, path: Path) -> Result<(), TestCaseError> {
        let [m, k, n] = self.shape;
        let (a, b) = (self.a.matrix(), self.b.matrix());
        let can = match path {
            Path::Tiles => true,
            Path::Narrow | Path::Dots => a.column_stride == 1,
            Path::FewRows => b.column_stride == 1,
        };
        if !can {
            return Ok(());
        }
        let mut c = self.c.clone();
        let epilogue = self.epilogue();
        let mut product = Product {
            m,
            k,
            n,
            a,
            b,
            c: &mut c,
            epilogue,
            plan: Plan {
                depth: 16,
                ..Plan::with_path(path, self.shape, &b)
            },
        };
        set.run(&mut product);
        if self.halved {
            halve(&mut c);
        }
        self.check(&c)
            .map_err(|error| TestCaseError::fail(format!("{set:?}, {path:?}: {error}")))
    }

    fn check(&self, result: &[T]) -> Result<(), TestCaseError> {
        for (at, (&found, (expected, bound))) in result.iter().zip(self.expected()).enumerate() {
            let found: f64 = found.into();
            prop_assert!(
                (found - expected).abs() <= bound,
                "{:?}: element {at} is {found}, not {expected} ± {bound}",
                self.shape
            );
        }
        Ok(())
    }
}

fn bits<T: Number>(values: &[T]) -> Vec<u64> {
    values.iter().map(|&x| x.into().to_bits()).collect()
}

/// Sizes around what the code treats specially: nothing, one, a few, tiles and registers and one
/// more or less, and past a block of k.
fn size() -> impl Strategy<Value = usize> {
    prop_oneof![
        3 => 0..=9usize,
        3 => 10..=70usize,
        1 => 120..=300usize,
    ]
}

fn layout() -> impl Strategy<Value = Layout> {
    prop::sample::select(LAYOUTS.as_slice())
}

proptest! {
    #[test]
    fn product_equals_three_loops_in_f32(
        shape in [size(), size(), size()], layouts in (layout(), layout()), flags in 0..8u8, seed in 0..1000u64
    ) {
        let case = Case::<f32>::new(shape, layouts, flags, seed);
        case.check(&case.result())?;
    }

    #[test]
    fn product_equals_three_loops_in_f64(
        shape in [size(), size(), size()], layouts in (layout(), layout()), flags in 0..8u8, seed in 0..1000u64
    ) {
        let case = Case::<f64>::new(shape, layouts, flags, seed);
        case.check(&case.result())?;
    }

    #[test]
    fn product_equals_three_loops_on_all_instructions(
        shape in [1..=40usize, 1..=40usize, 1..=40usize], layouts in (layout(), layout()), flags in 0..8u8, seed in 0..1000u64
    ) {
        for set in InstructionSet::available() {
            for path in [Path::Tiles, Path::Narrow, Path::Dots, Path::FewRows] {
                let mut shape = shape;
                if path == Path::FewRows {
                    shape[0] = 1 + shape[0] % few_rows::MOST;
                }
                Case::<f32>::new(shape, layouts, flags, seed).check_on(set, path)?;
                Case::<f64>::new(shape, layouts, flags, seed).check_on(set, path)?;
            }
        }
    }
}

#[test]
fn few_rows_of_very_many_columns_are_three_loops_too() {
    for flags in 0..8 {
        let shape = [3, 9, 2 * 8192 + 5];
        let case = Case::<f32>::new(shape, (Layout::RowMajor, Layout::PaddedRows), flags, 1);
        case.check(&case.result()).unwrap();
    }
}

#[test]
fn empty_sum_gives_zeros_and_the_bias() {
    let mut c = [f32::NAN; 6];
    let nothing = Matrix {
        elements: &[],
        row_stride: 0,
        column_stride: 1,
    };
    matmul([2, 0, 3], nothing, nothing, &mut c, Epilogue::NONE);
    assert_eq!(c, [0.0; 6]);
    let epilogue = Epilogue {
        bias: Some(&[1.0, -2.0, 3.0]),
        accumulate: false,
        then: Some(&halve),
    };
    matmul([2, 0, 3], nothing, nothing, &mut c, epilogue);
    assert_eq!(c, [0.5, -1.0, 1.5, 0.5, -1.0, 1.5]);
}

#[test]
fn zero_times_infinity_reaches_every_element_it_should_and_no_other() {
    for shape in [
        [1, 40, 1],
        [1, 40, 40],
        [40, 40, 1],
        [3, 40, 3],
        [40, 3, 40],
        [40, 40, 2],
        [2, 40, 40],
        [40, 40, 12],
        [64, 70, 66],
    ] {
        for layouts in [
            (Layout::RowMajor, Layout::RowMajor),
            (Layout::RowMajor, Layout::ColumnMajor),
            (Layout::ColumnMajor, Layout::RowMajor),
        ] {
            let [m, k, n] = shape;
            let mut case = Case::<f32>::new(shape, layouts, 2, 7);
            let (row, column, p) = (m / 2, n / 3, k / 2);
            let (ars, acs) = case.a.strides;
            let (brs, bcs) = case.b.strides;
            // Row p of b is zero but for an infinity; a[row, p] is NaN in one row.
            for j in 0..n {
                case.b.elements[p * brs + j * bcs] = 0.0;
            }
            case.b.elements[p * brs + column * bcs] = f32::INFINITY;
            for i in 0..m {
                case.a.elements[i * ars + p * acs] = 0.0;
            }
            case.a.elements[row * ars + p * acs] = f32::NAN;
            let c = case.result();
            for i in 0..m {
                for j in 0..n {
                    let expected = i == row || j == column;
                    assert_eq!(
                        c[i * n + j].is_nan(),
                        expected,
                        "{shape:?} {layouts:?} at {i}, {j}"
                    );
                }
            }
        }
    }
}

#[test]
fn any_number_of_threads_gives_the_same_bits() {
    for shape in [
        [300, 301, 302],
        [2000, 70, 130],
        [8, 900, 1500],
        [130, 301, 402],
        [20000, 64, 1],
        [20000, 64, 12],
        [3, 2000, 700],
        [1, 900, 1501],
    ] {
        for layouts in [
            (Layout::RowMajor, Layout::RowMajor),
            (Layout::RowMajor, Layout::ColumnMajor),
            (Layout::ColumnMajor, Layout::PaddedRows),
        ] {
            let case = Case::<f32>::new(shape, layouts, 7, 3);
            let with = |threads: usize| {
                let pool = rayon::ThreadPoolBuilder::new()
                    .num_threads(threads)
                    .build()
                    .unwrap();
                bits(&pool.install(|| case.result()))
            };
            let alone = with(1);
            for threads in [2, 3, 8] {
                assert!(
                    with(threads) == alone,
                    "{shape:?} {layouts:?} {threads} threads"
                );
            }
        }
    }
}

#[test]
fn batch_equals_the_products_one_by_one() {
    for (batch, shape) in [(5, [3, 4, 5]), (40, [64, 64, 64]), (3, [200, 200, 200])] {
        let [m, k, n] = shape;
        let (a, b) = (noise::<f32>(batch * m * k, 1), noise::<f32>(k * n, 2));
        let starts: Vec<usize> = (0..batch).map(|i| i * m * k).collect();
        let a = Batch {
            elements: a.as_slice(),
            row_stride: k,
            column_stride: 1,
            starts: &starts,
        };
        let b = Batch {
            elements: b.as_slice(),
            row_stride: n,
            column_stride: 1,
            starts: &vec![0; batch],
        };
        let mut together = vec![0.0; batch * m * n];
        matmul_batch(shape, a, b, &mut together, Epilogue::NONE);
        for i in 0..batch {
            let mut single = vec![0.0; m * n];
            matmul(shape, a.matrix(i), b.matrix(i), &mut single, Epilogue::NONE);
            assert_eq!(bits(&single), bits(&together[i * m * n..][..m * n]));
        }
    }
}
