//! Which instructions a loop runs on: chosen when the program runs, not when it is compiled.

use std::ffi::OsStr;
use std::sync::OnceLock;

use pulp::{Simd, WithSimd};

use super::float::LaneMemory;

/// The instruction sets that a loop can be compiled for.
///
/// All of them give the same bits: every operation of [`Lanes`](super::Lanes) is rounded as
/// IEEE 754 says, `mul_add` once, whatever the width of the register. Only
/// [`larger`](super::Lanes::larger) may differ, where one of two numbers is NaN or both are zeros.
#[derive(Clone, Copy, Debug)]
pub enum InstructionSet {
    /// AVX-512, registers of 64 bytes.
    #[cfg(target_arch = "x86_64")]
    Avx512(pulp::x86::V4),
    /// AVX2 with fused multiply-add, registers of 32 bytes.
    #[cfg(target_arch = "x86_64")]
    Avx2(pulp::x86::V3),
    /// NEON, registers of 16 bytes.
    #[cfg(target_arch = "aarch64")]
    Neon(pulp::aarch64::Neon),
    /// No registers that are known: one number at a time, and the compiler does what it can.
    Portable(pulp::Scalar),
}

impl InstructionSet {
    /// The widest that this processor has; less where the environment variable `MACULA_PORTABLE` is
    /// set, so that every test can run as on another processor: with `avx2`, the widest but
    /// AVX-512, and with anything else [`Portable`](Self::Portable), as on one that is not known.
    ///
    /// Both are asked once in the life of the program; after that this costs a load.
    #[inline(always)]
    pub fn widest() -> Self {
        static CHOSEN: OnceLock<InstructionSet> = OnceLock::new();
        *CHOSEN.get_or_init(Self::choose)
    }

    #[cold]
    fn choose() -> Self {
        Self::allowed(std::env::var_os("MACULA_PORTABLE").as_deref())
    }

    /// The widest where `MACULA_PORTABLE` has this value.
    fn allowed(portable: Option<&OsStr>) -> Self {
        let mut available = Self::available();
        match portable {
            None => {}
            #[cfg(target_arch = "x86_64")]
            Some(value) if value == "avx2" => {
                available.retain(|set| !matches!(set, Self::Avx512(_)))
            }
            Some(_) => available.clear(),
        }
        available
            .pop()
            .unwrap_or(Self::Portable(pulp::Scalar::new()))
    }

    /// All that this processor has, from narrow to wide: what a test runs through.
    pub fn available() -> Vec<Self> {
        #[cfg(target_arch = "x86_64")]
        let found = [
            pulp::x86::V3::try_new().map(Self::Avx2),
            pulp::x86::V4::try_new().map(Self::Avx512),
        ];
        #[cfg(target_arch = "aarch64")]
        let found = [pulp::aarch64::Neon::try_new().map(Self::Neon)];
        #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
        let found: [Option<Self>; 0] = [];
        std::iter::once(Self::Portable(pulp::Scalar::new()))
            .chain(found.into_iter().flatten())
            .collect()
    }

    /// Numbers in one register.
    #[inline(always)]
    pub fn lanes<T: LaneMemory>(self) -> usize {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512(_) => T::width::<pulp::x86::V4>(),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2(_) => T::width::<pulp::x86::V3>(),
            #[cfg(target_arch = "aarch64")]
            Self::Neon(_) => T::width::<pulp::aarch64::Neon>(),
            Self::Portable(_) => T::width::<pulp::Scalar>(),
        }
    }

    /// Runs `work`, compiled for this instruction set.
    #[inline(always)]
    pub fn run<W: WithSimd>(self, work: W) -> W::Output {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512(simd) => Simd::vectorize(simd, work),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2(simd) => Simd::vectorize(simd, work),
            #[cfg(target_arch = "aarch64")]
            Self::Neon(simd) => Simd::vectorize(simd, work),
            Self::Portable(simd) => portable(simd, work),
        }
    }
}

/// Not inlined, or every caller would carry a copy of a loop that few processors need: the loops
/// for other instruction sets are functions of their own for the compiler.
#[inline(never)]
fn portable<W: WithSimd>(simd: pulp::Scalar, work: W) -> W::Output {
    Simd::vectorize(simd, work)
}

/// Runs `work` with the widest instruction set this processor has.
#[inline(always)]
pub fn dispatch<W: WithSimd>(work: W) -> W::Output {
    InstructionSet::widest().run(work)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers in a register where `MACULA_PORTABLE` has this value.
    fn lanes(portable: Option<&str>) -> usize {
        InstructionSet::allowed(portable.map(OsStr::new)).lanes::<f32>()
    }

    #[test]
    fn the_environment_narrows_what_the_processor_has() {
        let available = InstructionSet::available();
        let widths = available.iter().map(|set| set.lanes::<f32>());
        let widths: Vec<usize> = widths.collect();
        assert_eq!(lanes(None), widths[widths.len() - 1]);
        assert_eq!(lanes(Some("1")), 1);
        assert_eq!(lanes(Some("")), 1);
        if cfg!(target_arch = "x86_64") {
            let narrower = widths.iter().filter(|&&width| width <= 8).max();
            assert_eq!(Some(&lanes(Some("avx2"))), narrower);
        } else {
            assert_eq!(lanes(Some("avx2")), 1);
        }
    }
}
