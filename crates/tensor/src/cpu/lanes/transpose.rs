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
        let moved = off_diagonal::<S, T, HALF>(simd, low, a, b);
        block[i] = T::select(simd, low, a, moved);
        block[i + HALF] = T::select(simd, low, moved, b);
    }
}

/// Of every `2 · HALF` lanes, in the lower half (where `low` holds) the upper one of `a`, and in the
/// upper half the lower one of `b`.
#[inline(always)]
pub(super) fn off_diagonal<S: Simd, T: LaneMemory, const HALF: usize>(
    simd: S,
    low: T::Mask<S>,
    a: T::Vector<S>,
    b: T::Vector<S>,
) -> T::Vector<S> {
    let in_place = T::select(simd, low, b, a);
    T::swap_halves(simd, in_place, HALF).unwrap_or_else(|| {
        let (up, down) = (T::width::<S>() - HALF, HALF);
        T::select(simd, low, T::rotate(simd, a, down), T::rotate(simd, b, up))
    })
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
    use std::marker::PhantomData;

    use super::super::InstructionSet;
    use super::*;
    use pulp::WithSimd;

    /// Transposes a block whose number i, j is 100·i + j.
    struct Numbered<T>(PhantomData<T>);

    impl<T: LaneMemory> WithSimd for Numbered<T> {
        type Output = Vec<Vec<f64>>;

        #[inline(always)]
        fn with_simd<S: Simd>(self, simd: S) -> Vec<Vec<f64>> {
            let width = T::width::<S>();
            let mut block = [T::splat(simd, T::from_f64(0.0)); WIDEST];
            for (i, row) in block[..width].iter_mut().enumerate() {
                let numbers: Vec<_> = (0..width)
                    .map(|j| T::from_f64((100 * i + j) as f64))
                    .collect();
                *row = T::load_partial(simd, &numbers);
            }
            transpose::<S, T>(simd, &mut block);
            let rows = block[..width].iter().map(|&row| {
                let mut numbers = vec![T::from_f64(0.0); width];
                T::store_partial(simd, &mut numbers, row);
                numbers.into_iter().map(T::to_f64).collect()
            });
            rows.collect()
        }
    }

    #[test]
    fn rows_become_columns_on_all_instructions() {
        for set in InstructionSet::available() {
            let in_f32 = set.run(Numbered::<f32>(PhantomData));
            let in_f64 = set.run(Numbered::<f64>(PhantomData));
            for block in [in_f32, in_f64] {
                for (j, row) in block.into_iter().enumerate() {
                    for (i, number) in row.into_iter().enumerate() {
                        assert_eq!(number, (100 * i + j) as f64, "{set:?}");
                    }
                }
            }
        }
    }
}
