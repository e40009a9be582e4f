//! Philox4x32-10: a counter and a key in, 128 random bits out, and no state between calls.
//!
//! # Source
//!
//! J. K. Salmon, M. A. Moraes, R. O. Dror and D. E. Shaw, "Parallel random numbers: as easy as
//! 1, 2, 3", SC 2011, section 4.3; the constants are those of its Random123 library. The authors
//! report that it passes the whole BigCrush battery from 7 rounds on; 10 leave a margin.

const ROUNDS: usize = 10;
/// Multipliers of the two halves of a block, found by the authors' search for good diffusion.
const MULTIPLIERS: [u64; 2] = [0xD251_1F53, 0xCD9E_8D57];
/// What the two halves of the key grow by each round: the fractions of the golden ratio and of √3.
const KEY_STEPS: [u32; 2] = [0x9E37_79B9, 0xBB67_AE85];

/// The 128 bits that belong to a counter (`low`, `high`) under a key, as two 64-bit words.
///
/// It is written for one block and holds no branch and no memory access, so a loop over
/// consecutive counters becomes SIMD code: each 32-bit number sits in a 64-bit lane, where the
/// processor's 32 × 32 → 64 bit multiplication finds it without a shuffle.
#[inline(always)]
pub(super) fn philox(low: u64, high: u64, key: u64) -> [u64; 2] {
    let [mut a, mut b] = halves(low);
    let [mut c, mut d] = halves(high);
    let [mut left_key, mut right_key] = [key as u32, (key >> 32) as u32];
    for _ in 0..ROUNDS {
        let [left_low, left_high] = halves(a.wrapping_mul(MULTIPLIERS[0]));
        let [right_low, right_high] = halves(c.wrapping_mul(MULTIPLIERS[1]));
        (a, b) = (right_high ^ b ^ u64::from(left_key), right_low);
        (c, d) = (left_high ^ d ^ u64::from(right_key), left_low);
        left_key = left_key.wrapping_add(KEY_STEPS[0]);
        right_key = right_key.wrapping_add(KEY_STEPS[1]);
    }
    [a | b << 32, c | d << 32]
}

/// The lower and the upper 32 bits.
#[inline(always)]
fn halves(word: u64) -> [u64; 2] {
    [word & 0xFFFF_FFFF, word >> 32]
}

#[cfg(test)]
mod tests {
    use super::philox;

    /// The file `kat_vectors` of Random123 lists three for `philox4x32 10`.
    #[test]
    fn philox_gives_the_published_known_answers() {
        let pack = |low: u32, high: u32| u64::from(low) | u64::from(high) << 32;
        let ones = u64::MAX;
        assert_eq!(
            philox(0, 0, 0),
            [
                pack(0x6627_e8d5, 0xe169_c58d),
                pack(0xbc57_ac4c, 0x9b00_dbd8)
            ]
        );
        assert_eq!(
            philox(ones, ones, ones),
            [
                pack(0x408f_276d, 0x41c8_3b0e),
                pack(0xa20b_c7c6, 0x6d54_51fd)
            ]
        );
        // Counter and key are the first digits of π.
        assert_eq!(
            philox(
                pack(0x243f_6a88, 0x85a3_08d3),
                pack(0x1319_8a2e, 0x0370_7344),
                pack(0xa409_3822, 0x299f_31d0),
            ),
            [
                pack(0xd16c_fe09, 0x94fd_cceb),
                pack(0x5001_e420, 0x2412_6ea1)
            ]
        );
    }
}
