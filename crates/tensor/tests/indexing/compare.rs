//! Comparisons, logic, integer arithmetic, casts.

use macula_tensor::Tensor;
use proptest::prelude::*;

use crate::grid::*;

proptest! {
    #[test]
    fn comparisons_follow_ieee((a, x) in floats(), flipped: bool, threshold in -4..4_i32) {
        // One operand broadcast: a number, or the tensor read backwards along all axes.
        let axes: Vec<isize> = (0..a.rank() as isize).collect();
        let (b, y) = if flipped {
            let b = a.flip(axes).unwrap();
            let y = grid_of(&b);
            (b, y)
        } else {
            let value = threshold as f32;
            (Tensor::scalar(value), Grid { sizes: vec![], elements: vec![value] })
        };
        let expected = |holds: fn(f32, f32) -> bool| {
            Grid::from_fn(&x.sizes, |place| holds(x.at(place), y.broadcast_at(place)))
        };
        holds(&a.eq(&b).unwrap(), &expected(|a, b| a == b))?;
        holds(&a.ne(&b).unwrap(), &expected(|a, b| a != b))?;
        holds(&a.lt(&b).unwrap(), &expected(|a, b| a < b))?;
        holds(&a.le(&b).unwrap(), &expected(|a, b| a <= b))?;
        holds(&a.gt(&b).unwrap(), &expected(|a, b| a > b))?;
        holds(&a.ge(&b).unwrap(), &expected(|a, b| a >= b))?;
        holds(&a.is_nan().unwrap(), &x.map(f32::is_nan))?;
        holds(&a.is_finite().unwrap(), &x.map(f32::is_finite))?;
    }

    #[test]
    fn logic_follows_its_truth_tables((a, x) in integers(), bit in 0..3_i64) {
        let odd = a.ge(&Tensor::scalar(0)).unwrap();
        let low = a.lt(&Tensor::scalar(bit)).unwrap();
        let expected = |f: &dyn Fn(bool, bool) -> bool| x.map(|k| f(k >= 0, k < bit));
        holds(&odd.and(&low).unwrap(), &expected(&|a, b| a && b))?;
        holds(&odd.or(&low).unwrap(), &expected(&|a, b| a || b))?;
        holds(&odd.xor(&low).unwrap(), &expected(&|a, b| a != b))?;
        holds(&odd.not().unwrap(), &expected(&|a, _| !a))?;
    }

    #[test]
    fn integers_wrap_around((a, x) in pair(|k| i64::MAX - (k as i64 % 3)), b in -3..4_i64) {
        let other = Tensor::scalar(b);
        holds(&a.add(&other).unwrap(), &x.map(|a| a.wrapping_add(b)))?;
        holds(&a.sub(&other).unwrap(), &x.map(|a| a.wrapping_sub(b)))?;
        holds(&a.mul(&other).unwrap(), &x.map(|a| a.wrapping_mul(b)))?;
        holds(&a.clamp(b, i64::MAX - 1).unwrap(), &x.map(|a| a.clamp(b, i64::MAX - 1)))?;
    }

    #[test]
    fn casts_cut_saturate_and_send_nan_to_zero((a, x) in floats(), scale in -1e30..1e30_f32) {
        let x = x.map(|k| k * scale);
        let a = a.mul(&Tensor::scalar(scale)).unwrap();
        holds(&a.cast::<i64>().unwrap(), &x.map(|k| k as i64))?;
        holds(&a.cast::<bool>().unwrap(), &x.map(|k| k != 0.0))?;
        let doubles = a.cast::<f64>().unwrap();
        let back = doubles.cast::<f32>().unwrap().to_vec().unwrap();
        let bits = |v: &[f32]| v.iter().map(|k| k.to_bits()).collect::<Vec<_>>();
        prop_assert_eq!(bits(&back), bits(&x.elements));
        let flags = a.cast::<bool>().unwrap();
        holds(&flags.cast::<f64>().unwrap(), &x.map(|k| if k == 0.0 { 0.0 } else { 1.0 }))?;
    }

    #[test]
    fn clamping_keeps_nan_and_bounds((a, x) in floats(), low in -4..1_i32, width in 0..5_i32) {
        let (low, high) = (low as f32, (low + width) as f32);
        let clamped = a.clamp(low.into(), high.into()).unwrap().to_vec().unwrap();
        for (got, from) in clamped.into_iter().zip(x.elements) {
            prop_assert!(got == from.clamp(low, high) || (got.is_nan() && from.is_nan()));
        }
    }
}
