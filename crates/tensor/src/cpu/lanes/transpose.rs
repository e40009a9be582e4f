//! Square blocks of numbers, transposed in registers.

use pulp::Simd;

use super::{LaneMemory, WIDEST};

/// Whether [`transpose`] takes fewer operations than one for each number: where lanes can be moved
/// in one operation, which the instruction sets with many registers have.
pub(in crate::cpu) const fn transposes_in_registers<S: Simd>() -> bool {
    S::REGISTER_COUNT >= 32 && !S::IS_SCALAR
}

/// Lane j of register i to lane i of register j, of as many registers as a register has lanes.
///
/// In halves: of a matrix of four blocks, the two off the diagonal change places; then the same in
/// each of the four.
#[inline(always)]
pub(in crate::cpu) fn transpose<S: Simd, T: LaneMemory>(
    simd: S,
    block: &mut [T::Vector<S>; WIDEST],
) {
    exchange::<S, T, 8>(simd, block);
    exchange::<S, T, 4>(simd, block);
    exchange::<S, T, 2>(simd, block);
    exchange::<S, T, 1>(simd, block);
}

/// The exchange of blocks of `HALF` by `HALF`, where a register has more lanes. A constant, because the
/// block stays in registers only if every index is known when this is compiled.
#[inline(always)]
fn exchange<S: Simd, T: LaneMemory, const HALF: usize>(
    simd: S,
    block: &mut [T::Vector<S>; WIDEST],
) {
    let width = T::width::<S>();
    if HALF >= width {
        return;
    }
    let low = lower_halves::<S, T, HALF>(simd);
    for pair in 0..width / 2 {
        let i = pair / HALF * 2 * HALF + pair % HALF;
        let (a, b) = (block[i], block[i + HALF]);
        block[i] = T::select(simd, low, a, T::rotate(simd, b, width - HALF));
        block[i + HALF] = T::select(simd, low, T::rotate(simd, a, HALF), b);
    }
}

/// Of every `HALF` lanes and the next `HALF`, the first.
#[inline(always)]
pub(super) fn lower_halves<S: Simd, T: LaneMemory, const HALF: usize>(simd: S) -> T::Mask<S> {
    let mut flags = [T::from_f64(0.0); WIDEST];
    for (lane, flag) in flags.iter_mut().enumerate() {
        *flag = T::from_f64(if lane & HALF == 0 { 1.0 } else { 0.0 });
    }
    let zero = T::splat(simd, T::from_f64(0.0));
    let flags = T::split::<S>(&flags).0.first();
    T::less(simd, zero, *flags.unwrap_or(&zero))
}

#[cfg(test)]
mod tests {
    use super::super::{InstructionSet, LaneFloat};
    use super::*;
    use pulp::WithSimd;

    /// Transposes a block whose number i, j is 100·i + j.
    struct Numbered;

    impl WithSimd for Numbered {
        type Output = Vec<Vec<f64>>;

        #[inline(always)]
        fn with_simd<S: Simd>(self, simd: S) -> Vec<Vec<f64>> {
            let width = f64::width::<S>();
            let mut block = [f64::splat(simd, 0.0); WIDEST];
            for (i, row) in block[..width].iter_mut().enumerate() {
                let numbers: Vec<f64> = (0..width).map(|j| (100 * i + j) as f64).collect();
                *row = f64::load_partial(simd, &numbers);
            }
            transpose::<S, f64>(simd, &mut block);
            let rows = block[..width].iter().map(|&row| {
                let mut numbers = vec![0.0; width];
                f64::store_partial(simd, &mut numbers, row);
                numbers
            });
            rows.collect()
        }
    }

    #[test]
    fn rows_become_columns_on_all_instructions() {
        for set in InstructionSet::available() {
            for (j, row) in set.run(Numbered).into_iter().enumerate() {
                for (i, number) in row.into_iter().enumerate() {
                    assert_eq!(number, (100 * i + j) as f64, "{set:?}");
                }
            }
        }
    }
}
