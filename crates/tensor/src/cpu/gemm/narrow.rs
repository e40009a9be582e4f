//! Products whose rows fit one register: there is nothing to cut into blocks, and next to nothing
//! to set out, which is most of the time that a small product takes.

use pulp::Simd;

use super::super::lanes::WIDEST;
use super::microkernel::{ByRows, Finish, store, tile};
use super::pack::pack_panels;
use super::{GemmFloat, Product, Scratch};

/// Rows of a tile: as many sums as two units with four cycles each can have under way.
const ROWS: usize = 8;

/// The product by tiles of one register. The rows of `a` must be contiguous.
#[inline(always)]
pub(super) fn multiply<S: Simd, T: GemmFloat>(simd: S, product: &mut Product<'_, T>) {
    let Product { m, k, n, a, b, .. } = *product;
    let epilogue = product.epilogue;
    let width = T::width::<S>();
    let mut scratch = Scratch::take(k * width);
    let panel = &mut scratch.elements()[..k * width];
    pack_panels::<S, T>(panel, b, k, n, width);
    let plain = !epilogue.accumulate && epilogue.bias.is_none();
    let mut tile_of_c = [T::ZERO; (ROWS + 1) * WIDEST];
    for (number, c) in product.c.chunks_mut(ROWS * n).enumerate() {
        let first = number * ROWS;
        let mut rows: [&[T]; ROWS] = [&[]; ROWS];
        for i in 0..ROWS {
            // Rows past the last repeat it; their sums are not stored.
            rows[i] = &a.elements[(first + i).min(m - 1) * a.row_stride..][..k];
        }
        let sums = tile::<S, T, _, ROWS, 1>(simd, ByRows(rows), panel, width);
        if n == width || !plain {
            let finish = Finish {
                accumulate: epilogue.accumulate,
                bias: epilogue.bias,
            };
            store(simd, sums, c, n, n, finish);
            continue;
        }
        // Whole registers, each over the end of the one before: a part of one takes a call to store.
        for i in 0..ROWS {
            if let Some(place) = T::split_mut::<S>(&mut tile_of_c[i * n..]).0.first_mut() {
                *place = sums[i][0];
            }
        }
        c.copy_from_slice(&tile_of_c[..c.len()]);
    }
}
