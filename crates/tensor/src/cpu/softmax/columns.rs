//! Softmax along an axis that others follow: results side by side, rows one after the other.
//!
//! 1. A block of rows that the second cache holds is read three times there: for the largest
//!    numbers m of its columns, for the exponentials e^(x − m) with their sums t, and to scale.
//! 2. A longer axis is several blocks. Each leaves its m and t behind; those of all blocks are
//!    merged to M and s, and the exponentials of a block are scaled by e^(m − M) / s in a second
//!    pass over memory. So an element costs one exponential all the same.
//! 3. Blocks depend on the sizes alone, and are merged in their order: the same bits for any
//!    number of threads.

use smallvec::SmallVec;

use super::Kind;
use super::block::{Block, Merge, Part, Stats};
use crate::cpu::lanes::dispatch;
use crate::cpu::parallel::{PIECE, for_each_piece, map_pieces};
use crate::element::Float;
use crate::storage::Buffer;

/// The most columns of a block.
const TILE: usize = 1024;

/// Writes the softmax of `input`, `[outer, axis, inner]`, along the axis; none where memory has no room
/// for the sums of its columns.
pub(super) fn columns<T: Float>(
    kind: Kind,
    input: &[T],
    [axis, inner]: [usize; 2],
    output: &mut [T],
) -> Option<()> {
    let rows = (PIECE / inner.min(TILE)).min(axis);
    if inner > TILE || rows < axis {
        return in_blocks(kind, input, [axis, inner, rows], output);
    }
    let length = axis * inner;
    for_each_piece(output, (PIECE / length).max(1) * length, |start, output| {
        let [mut largest, mut total] = [[T::ZERO; TILE]; 2];
        let stats = Stats {
            largest: &mut largest[..inner],
            total: &mut total[..inner],
        };
        whole(kind, &input[start..], axis, output, stats);
    });
    Some(())
}

/// The softmax of each `[axis, inner]` of the input.
pub(super) fn whole<T: Float>(
    kind: Kind,
    input: &[T],
    axis: usize,
    output: &mut [T],
    mut stats: Stats<'_, T>,
) {
    let width = stats.total.len();
    let length = axis * width;
    let outputs = output.chunks_exact_mut(length);
    for (input, output) in input.chunks_exact(length).zip(outputs) {
        let mut block = Block {
            input,
            step: width,
            width,
            outputs: SmallVec::from_iter([output]),
        };
        block.pass(kind, Part::Whole, &mut stats);
    }
}

/// The softmax along an axis of several blocks, or of rows that are longer than one.
fn in_blocks<T: Float>(
    kind: Kind,
    input: &[T],
    [axis, inner, rows]: [usize; 3],
    output: &mut [T],
) -> Option<()> {
    let (segments, tiles) = (axis.div_ceil(rows), inner.div_ceil(TILE));
    let results = output.len() / axis;
    let sums = results * segments;
    let mut blocks = Vec::new();
    let outputs = output.chunks_exact_mut(axis * inner);
    for (input, output) in input.chunks_exact(axis * inner).zip(outputs) {
        let outputs = output.chunks_mut(rows * inner);
        for (output, input) in outputs.zip(input.chunks(rows * inner)) {
            add_blocks(&mut blocks, input, inner, output);
        }
    }
    if segments == 1 {
        map_pieces(&mut blocks, |block| {
            let [mut largest, mut total] = [[T::ZERO; TILE]; 2];
            let mut stats = Stats {
                largest: &mut largest[..block.width],
                total: &mut total[..block.width],
            };
            block.pass(kind, Part::Whole, &mut stats);
        });
        return Some(());
    }
    let mut buffer = Buffer::try_with_count(2 * (sums + results))?;
    let (own, merged) = buffer.as_mut_slice().split_at_mut(2 * sums);
    let mut own = stats(own, sums, inner);
    let mut merged = stats(merged, results, inner);
    map_pieces(blocks.iter_mut().zip(&mut own), |(block, stats)| {
        block.pass(kind, Part::Statistics, stats);
    });
    let parts = own.chunks(segments * tiles);
    for (parts, merged) in parts.zip(merged.chunks_mut(tiles)) {
        for (tile, merged) in merged.iter_mut().enumerate() {
            merged.largest.copy_from_slice(parts[tile].largest);
            merged.total.copy_from_slice(parts[tile].total);
            for other in parts[tile..].iter().step_by(tiles).skip(1) {
                dispatch(Merge {
                    into: [merged.largest, merged.total],
                    other: [other.largest, other.total],
                });
            }
        }
    }
    let blocks = blocks.iter_mut().zip(&mut own).enumerate();
    map_pieces(blocks, |(number, (block, stats))| {
        let merged = &merged[number / (segments * tiles) * tiles + number % tiles];
        block.pass(kind, Part::Results([merged.largest, merged.total]), stats);
    });
    Some(())
}

/// `count` columns' largest numbers and sums in this memory, a tile of a row at a time.
fn stats<T>(memory: &mut [T], count: usize, inner: usize) -> Vec<Stats<'_, T>> {
    let (largest, total) = memory.split_at_mut(count);
    let [largest, total] = [largest, &mut total[..count]].map(|part| {
        let rows = part.chunks_mut(inner);
        rows.flat_map(|row| row.chunks_mut(TILE))
    });
    let stats = largest.zip(total);
    stats
        .map(|(largest, total)| Stats { largest, total })
        .collect()
}

/// Some whole rows as blocks of up to [`TILE`] columns.
fn add_blocks<'a, T>(
    blocks: &mut Vec<Block<'a, T>>,
    input: &'a [T],
    inner: usize,
    output: &'a mut [T],
) {
    let first = blocks.len();
    blocks.extend((0..inner).step_by(TILE).map(|column| Block {
        input: &input[column..],
        step: inner,
        width: TILE.min(inner - column),
        outputs: SmallVec::new(),
    }));
    if inner <= TILE {
        return blocks[first].outputs.push(output);
    }
    for row in output.chunks_mut(inner) {
        for (block, part) in blocks[first..].iter_mut().zip(row.chunks_mut(TILE)) {
            block.outputs.push(part);
        }
    }
}
