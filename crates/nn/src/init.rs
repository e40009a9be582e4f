//! First values of weights.
//!
//! Each function draws a tensor of a shape `[out, in, …]`: the first axis are the outputs, the
//! second the inputs, and further axes are places that each input is seen at. With
//! `fan_in = in · places` and `fan_out = out · places`, a variance of about `1 / fan_in` keeps the
//! size of activations from layer to layer, `1 / fan_out` that of gradients.
//!
//! Values are drawn in `f64` and rounded, so that a model in `f32` starts where its twin in `f64`
//! does.

use macula_tensor::{Error, Float, Result, Rng, Tensor};

/// Fan-in and fan-out of a weight; a shape without inputs counts one.
pub fn fans(shape: &[usize]) -> (usize, usize) {
    let places: usize = shape.iter().skip(2).product();
    let fan = |axis| shape.get(axis).copied().unwrap_or(1) * places;
    (fan(1).max(1), fan(0).max(1))
}

/// Uniform values between −bound and bound.
///
/// # Errors
/// The bound must be finite and at least 0, the shape one that memory can hold.
pub fn uniform<T: Float>(shape: &[usize], bound: f64, rng: &mut Rng) -> Result<Tensor<T>> {
    check("uniform", "bound", bound)?;
    if bound == 0.0 {
        return Tensor::zeros(shape);
    }
    draw(shape, |values| {
        rng.fill_uniform(values, -bound, bound)
            .map_err(|error| ("bound", error.to_string()))
    })
}

/// Normal values of mean 0.
///
/// # Errors
/// The standard deviation must be finite and at least 0, the shape one that memory can hold.
pub fn normal<T: Float>(
    shape: &[usize],
    standard_deviation: f64,
    rng: &mut Rng,
) -> Result<Tensor<T>> {
    check("normal", "standard deviation", standard_deviation)?;
    draw(shape, |values| {
        rng.fill_normal(values, 0.0, standard_deviation)
            .map_err(|error| ("standard deviation", error.to_string()))
    })
}

/// Uniform within ±√(6 / (fan_in + fan_out)), for layers followed by tanh or nothing.
///
/// # Source
/// X. Glorot and Y. Bengio, "Understanding the difficulty of training deep feedforward neural
/// networks", 2010, equation 16.
///
/// # Errors
/// The shape must be one that memory can hold.
pub fn xavier_uniform<T: Float>(shape: &[usize], rng: &mut Rng) -> Result<Tensor<T>> {
    let (fan_in, fan_out) = fans(shape);
    uniform(shape, (6.0 / (fan_in + fan_out) as f64).sqrt(), rng)
}

/// Normal with variance 2 / (fan_in + fan_out), for layers followed by tanh or nothing.
///
/// # Source
/// X. Glorot and Y. Bengio, 2010, equation 12.
///
/// # Errors
/// The shape must be one that memory can hold.
pub fn xavier_normal<T: Float>(shape: &[usize], rng: &mut Rng) -> Result<Tensor<T>> {
    let (fan_in, fan_out) = fans(shape);
    normal(shape, (2.0 / (fan_in + fan_out) as f64).sqrt(), rng)
}

/// Uniform within ±√(6 / fan_in), for layers followed by a rectifier.
///
/// # Source
/// K. He, X. Zhang, S. Ren and J. Sun, "Delving deep into rectifiers", 2015, equation 10, for a
/// uniform distribution.
///
/// # Errors
/// The shape must be one that memory can hold.
pub fn he_uniform<T: Float>(shape: &[usize], rng: &mut Rng) -> Result<Tensor<T>> {
    uniform(shape, (6.0 / fans(shape).0 as f64).sqrt(), rng)
}

/// Normal with variance 2 / fan_in, for layers followed by a rectifier.
///
/// # Source
/// K. He, X. Zhang, S. Ren and J. Sun, 2015, equation 10.
///
/// # Errors
/// The shape must be one that memory can hold.
pub fn he_normal<T: Float>(shape: &[usize], rng: &mut Rng) -> Result<Tensor<T>> {
    normal(shape, (2.0 / fans(shape).0 as f64).sqrt(), rng)
}

/// Normal with variance 1 / fan_in, for layers followed by SELU or nothing.
///
/// # Source
/// Y. LeCun, L. Bottou, G. Orr and K.-R. Müller, "Efficient BackProp", 1998, equation 16.
///
/// # Errors
/// The shape must be one that memory can hold.
pub fn lecun_normal<T: Float>(shape: &[usize], rng: &mut Rng) -> Result<Tensor<T>> {
    normal(shape, (1.0 / fans(shape).0 as f64).sqrt(), rng)
}

/// Uniform within ±1/√fan_in: variance 1 / (3·fan_in), the customary start of a linear layer.
///
/// # Errors
/// The shape must be one that memory can hold.
pub fn fan_in_uniform<T: Float>(shape: &[usize], rng: &mut Rng) -> Result<Tensor<T>> {
    uniform(shape, 1.0 / (fans(shape).0 as f64).sqrt(), rng)
}

fn check(op: &'static str, argument: &'static str, value: f64) -> Result<()> {
    if value >= 0.0 && value.is_finite() {
        return Ok(());
    }
    Err(Error::Argument {
        op,
        argument,
        expected: "finite and at least 0".into(),
        found: value.to_string(),
    })
}

/// A tensor of values that `fill` has drawn.
fn draw<T: Float>(
    shape: &[usize],
    fill: impl FnOnce(&mut [f64]) -> std::result::Result<(), (&'static str, String)>,
) -> Result<Tensor<T>> {
    let mut values = Tensor::<f64>::zeros(shape)?;
    fill(values.make_mut()?).map_err(|(argument, found)| Error::Argument {
        op: "init",
        argument,
        expected: "one that gives finite values".into(),
        found,
    })?;
    let values = values.into_vec()?.into_iter().map(T::from_f64).collect();
    Tensor::from_vec(values, shape)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Mean square of 10⁵ values.
    fn variance(x: &Tensor<f64>) -> f64 {
        x.square().unwrap().to_vec().unwrap().iter().sum::<f64>() / x.count() as f64
    }

    #[test]
    fn variances_are_those_of_the_papers() {
        let mut rng = Rng::seed(7);
        let shape = [500, 20, 10];
        assert_eq!(fans(&shape), (200, 5000));
        type Init = fn(&[usize], &mut Rng) -> Result<Tensor<f64>>;
        let inits: [(Init, f64); 6] = [
            (xavier_uniform, 2.0 / 5200.0),
            (xavier_normal, 2.0 / 5200.0),
            (he_uniform, 2.0 / 200.0),
            (he_normal, 2.0 / 200.0),
            (lecun_normal, 1.0 / 200.0),
            (fan_in_uniform, 1.0 / 600.0),
        ];
        for (init, expected) in inits {
            let found = variance(&init(&shape, &mut rng).unwrap());
            // The relative error of a variance of n normal values is √(2/n) = 0.0045; 4 of them.
            assert!((found / expected - 1.0).abs() < 0.018, "{found} {expected}");
        }
    }

    #[test]
    fn f32_starts_where_f64_does() {
        let wide: Tensor<f64> = he_normal(&[8, 3], &mut Rng::seed(7)).unwrap();
        let narrow: Tensor<f32> = he_normal(&[8, 3], &mut Rng::seed(7)).unwrap();
        let rounded: Vec<_> = wide.to_vec().unwrap().iter().map(|&x| x as f32).collect();
        assert_eq!(narrow.to_vec().unwrap(), rounded);
    }

    #[test]
    fn bounds_that_mean_nothing_are_refused() {
        let mut rng = Rng::seed(7);
        for bound in [-1.0, f64::NAN, f64::INFINITY] {
            assert!(uniform::<f32>(&[2], bound, &mut rng).is_err());
            assert!(normal::<f32>(&[2], bound, &mut rng).is_err());
        }
        assert!(uniform::<f64>(&[2], f64::MAX, &mut rng).is_err());
        assert_eq!(
            uniform::<f32>(&[2], 0.0, &mut rng)
                .unwrap()
                .to_vec()
                .unwrap(),
            [0.0, 0.0]
        );
    }
}
