//! Four registers in step.

use pulp::Simd;

use super::{LaneFloat, LaneMemory, Lanes};

/// A number whose registers come in fours: `Lanes<S, InStep<f32>>` is four registers of `f32`.
///
/// A formula evaluated on them does each operation on all four before the next one. That is for
/// long formulas: `exp` is a chain of some fifteen operations, each of which waits some cycles for
/// the one before. A processor looks for other work among the next hundred operations or so, hardly
/// more than a chain or two, and does not find enough. Four chains woven into one another give it
/// more; the values of eight would no longer find room in the registers.
///
/// What a slice holds beyond its last four registers is the caller's: computed a register at a time,
/// which gives the same bits, or padded.
#[derive(Clone, Copy, Debug)]
pub struct InStep<T>(pub T);

/// Four registers.
type Four<S, T> = [<T as LaneFloat>::Vector<S>; 4];

#[allow(clippy::type_complexity, reason = "pairs of slices need no names")]
impl<T: LaneMemory> InStep<T> {
    /// Numbers in four registers.
    #[inline(always)]
    pub fn width<S: Simd>() -> usize {
        4 * T::width::<S>()
    }

    /// Splits a slice into fours of registers and the registers left over; what fills no register is
    /// left out.
    #[inline(always)]
    pub fn split<S: Simd>(slice: &[T]) -> (&[Four<S, T>], &[T::Vector<S>]) {
        T::split::<S>(slice).0.as_chunks()
    }

    /// Splits a slice into fours of registers to write to and the registers left over; what fills no
    /// register is left out.
    #[inline(always)]
    pub fn split_mut<S: Simd>(slice: &mut [T]) -> (&mut [Four<S, T>], &mut [T::Vector<S>]) {
        T::split_mut::<S>(slice).0.as_chunks_mut()
    }
}

impl<S: Simd, T: LaneFloat> Lanes<S, InStep<T>> {
    /// The four registers.
    #[inline(always)]
    pub fn registers(self) -> [Lanes<S, T>; 4] {
        let [a, b, c, d] = self.vector;
        let register = |vector| Lanes::new(self.simd, vector);
        [register(a), register(b), register(c), register(d)]
    }

    /// The sum of the four registers.
    #[inline(always)]
    pub fn sum_of_registers(self) -> Lanes<S, T> {
        let [a, b, c, d] = self.registers();
        (a + b) + (c + d)
    }
}

/// Defines functions that do the same with each of the four registers: in a loop, which the
/// compiler unrolls. Unoptimised, a formula's operations all have room in one frame of the stack,
/// and four copies of each would take four times as much.
macro_rules! in_step {
    ($($name:ident($first:ident $(, $other:ident)*);)*) => {$(
        #[inline(always)]
        fn $name<S: Simd>(
            simd: S,
            mut $first: Self::Vector<S>
            $(, $other: Self::Vector<S>)*
        ) -> Self::Vector<S> {
            for i in 0..4 {
                $first[i] = T::$name(simd, $first[i] $(, $other[i])*);
            }
            $first
        }
    )*};
}

/// The same for comparisons.
macro_rules! compare_in_step {
    ($($name:ident)*) => {$(
        #[inline(always)]
        fn $name<S: Simd>(simd: S, a: Self::Vector<S>, b: Self::Vector<S>) -> Self::Mask<S> {
            let mut mask = [T::$name(simd, a[0], b[0]); 4];
            for i in 1..4 {
                mask[i] = T::$name(simd, a[i], b[i]);
            }
            mask
        }
    )*};
}

impl<T: LaneFloat> LaneFloat for InStep<T> {
    type Vector<S: Simd> = Four<S, T>;
    type Mask<S: Simd> = [T::Mask<S>; 4];

    #[inline(always)]
    fn from_f64(value: f64) -> Self {
        Self(T::from_f64(value))
    }
    #[inline(always)]
    fn to_f64(self) -> f64 {
        self.0.to_f64()
    }
    #[inline(always)]
    fn choose<A>(for_f32: A, for_f64: A) -> A {
        T::choose(for_f32, for_f64)
    }
    #[inline(always)]
    fn splat<S: Simd>(simd: S, value: Self) -> Self::Vector<S> {
        [T::splat(simd, value.0); 4]
    }
    in_step! {
        add(a, b);
        sub(a, b);
        mul(a, b);
        div(a, b);
        neg(a);
        abs(a);
        sqrt(a);
        mul_add(a, b, c);
        larger(a, b);
        copy_sign(a, sign);
    }
    compare_in_step! { less less_equal equal }
    #[inline(always)]
    fn select<S: Simd>(
        simd: S,
        mask: Self::Mask<S>,
        mut a: Self::Vector<S>,
        b: Self::Vector<S>,
    ) -> Self::Vector<S> {
        for i in 0..4 {
            a[i] = T::select(simd, mask[i], a[i], b[i]);
        }
        a
    }
    #[inline(always)]
    fn power_of_two<S: Simd>(simd: S, mut n: Self::Vector<S>, shift: i32) -> Self::Vector<S> {
        for n in &mut n {
            *n = T::power_of_two(simd, *n, shift);
        }
        n
    }
    #[inline(always)]
    fn split_exponent<S: Simd>(
        simd: S,
        mut x: Self::Vector<S>,
    ) -> (Self::Vector<S>, Self::Vector<S>) {
        let mut exponents = x;
        for (x, exponent) in x.iter_mut().zip(&mut exponents) {
            (*x, *exponent) = T::split_exponent(simd, *x);
        }
        (x, exponents)
    }
    #[inline(always)]
    fn patch<S: Simd>(
        simd: S,
        mask: Self::Mask<S>,
        function: fn(f64) -> f64,
        mut x: Self::Vector<S>,
        otherwise: Self::Vector<S>,
    ) -> Self::Vector<S> {
        for i in 0..4 {
            x[i] = T::patch(simd, mask[i], function, x[i], otherwise[i]);
        }
        x
    }
}
