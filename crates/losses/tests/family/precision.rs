//! Single precision agrees with double far out, where probabilities are tiny and their products are
//! too small to be numbers.

use macula_autograd::{Tape, Var};
use macula_losses::formula::ElementLoss;
use macula_losses::*;
use macula_tensor::{Float, Result, Tensor};

/// Logits that single precision holds exactly.
const LOGITS: [f32; 15] = [
    -80.0, -60.0, -45.0, -30.0, -16.0, -4.0, -0.5, 0.0, 0.5, 4.0, 16.0, 30.0, 45.0, 60.0, 80.0,
];
const GAMMAS: [f64; 6] = [0.0, 0.25, 0.5, 0.75, 1.0, 2.0];
/// The smallest number of single precision with all its digits.
const SMALLEST: f64 = f32::MIN_POSITIVE as f64;

/// Values and gradient of the losses of `x`.
fn pass<T: Float>(
    x: Tensor<T>,
    losses: impl Fn(&Var<T>) -> Result<Var<T>>,
) -> Result<Vec<Vec<f64>>> {
    let x = Tape::new().var(x);
    let losses = losses(&x)?;
    let values = losses.value().to_vec()?;
    let gradient = losses.sum(..)?.backward()?.of(&x)?.to_vec()?;
    let numbers = |list: Vec<T>| list.into_iter().map(T::to_f64).collect();
    Ok(vec![numbers(values), numbers(gradient)])
}

fn assert_agree(name: &str, single: &[Vec<f64>], double: &[Vec<f64>]) {
    for (single, double) in single.concat().iter().zip(double.concat()) {
        // An exponential of up to 160 with the rounding of its argument.
        let close = (single - double).abs() <= 2e-5 * double.abs() + SMALLEST;
        assert!(close, "{name}: {single} and {double}");
    }
}

fn check_elements<F: ElementLoss>(name: &str, loss: SigmoidLoss<F>) -> Result<()> {
    let loss = loss.reduction(Reduction::None);
    let x = Tensor::from(LOGITS);
    for target in [0.0_f32, 0.25, 0.5, 1.0] {
        let targets = Tensor::full(x.shape(), target)?;
        let single = pass(x.clone(), |x| loss.forward_soft(x, &targets))?;
        let double = pass(x.cast::<f64>()?, |x| loss.forward_soft(x, &targets.cast()?))?;
        assert_agree(&format!("{name}, y = {target}"), &single, &double);
    }
    Ok(())
}

#[test]
fn losses_of_a_logit_keep_their_slopes_in_single_precision() -> Result<()> {
    for gamma in GAMMAS {
        let name = |formula| format!("{formula}, γ = {gamma}");
        check_elements(&name("focal"), SigmoidFocalLoss::new().gamma(gamma))?;
        check_elements(&name("quality"), QualityFocalLoss::new().beta(gamma))?;
        let interpolated = InterpolatedFocalLoss::new().gamma(gamma);
        check_elements(&name("interpolated"), interpolated)?;
        check_elements(&name("varifocal"), VarifocalLoss::new().gamma(gamma))?;
        check_elements(&name("gaussian"), GaussianFocalLoss::new().focusing(gamma))?;
        let asymmetric = AsymmetricLoss::new()
            .gamma_positive(gamma)
            .gamma_negative(gamma);
        check_elements(&name("asymmetric"), asymmetric.clone().clip(0.0))?;
        // With ε = −1 and γ = 0 the two terms cancel, in any precision.
        check_elements(
            &name("poly"),
            SigmoidPolyLoss::new().gamma(gamma).epsilon(1.0),
        )?;
        check_elements(&name("reduced"), ReducedFocalLoss::new().gamma(gamma))?;
    }
    Ok(())
}

fn check_rows<F: RowLoss>(name: &str, loss: SoftmaxLoss<F>) -> Result<()> {
    let loss = loss.reduction(Reduction::None);
    let pairs = LOGITS
        .iter()
        .flat_map(|a| LOGITS.iter().map(move |b| (a, b)));
    let rows: Vec<f32> = pairs.flat_map(|(&a, &b)| [a, b, 0.0]).collect();
    let count = rows.len() / 3;
    let x = Tensor::from_vec(rows, [count, 3])?;
    for label in 0..3 {
        let labels = Tensor::full([count], label)?;
        let single = pass(x.clone(), |x| loss.forward(x, &labels))?;
        let double = pass(x.cast::<f64>()?, |x| loss.forward(x, &labels))?;
        assert_agree(name, &single, &double);
    }
    Ok(())
}

#[test]
fn losses_of_rows_keep_their_slopes_in_single_precision() -> Result<()> {
    for gamma in GAMMAS {
        let name = |formula| format!("{formula}, γ = {gamma}");
        check_rows(&name("focal"), SoftmaxFocalLoss::new().gamma(gamma))?;
        let smoothed = SoftmaxFocalLoss::new().gamma(gamma).label_smoothing(0.25);
        check_rows(&name("smoothed"), smoothed)?;
        check_rows(&name("dual"), DualFocalLoss::new().gamma(gamma))?;
        let asymmetric = AsymmetricSingleLabelLoss::new()
            .gamma_positive(gamma)
            .gamma_negative(gamma);
        check_rows(&name("asymmetric"), asymmetric)?;
        check_rows(&name("poly"), SoftmaxPolyLoss::new().gamma(gamma))?;
    }
    Ok(())
}

#[test]
fn embeddings_may_be_of_any_size() -> Result<()> {
    let unit = Tensor::from([[0.3_f32, 0.1], [1.0, -0.3], [0.4, 0.9], [1.3, 1.1]]);
    let labels = Tensor::from([0_i64, 0, 1, 1]);
    let triplet = TripletLoss::new().margin(0.0);
    // Powers of two, so that the scaled embeddings are exact; their squares are no numbers.
    for scale in [2.0_f64.powi(90), 2.0_f64.powi(-90)] {
        let embeddings = unit.mul_scalar(scale)?;
        // Cosines do not change, and slopes are as many times smaller.
        type Loss<'a> = (&'a str, &'a dyn Fn(&Var<f32>) -> Result<Var<f32>>, f64);
        let losses: [Loss<'_>; 4] = [
            ("nt_xent", &|x| NtXentLoss::new().forward(x), 1.0),
            (
                "supervised",
                &|x| SupervisedContrastiveLoss::new().forward(x, &labels),
                1.0,
            ),
            ("triplet", &|x| triplet.mined(x, &labels), scale),
            (
                "triplet, semi-hard",
                &|x| triplet.mining(TripletMining::SemiHard).mined(x, &labels),
                scale,
            ),
        ];
        for (name, loss, growth) in losses {
            let small = pass(unit.clone(), loss)?;
            let large = pass(embeddings.clone(), loss)?;
            let wanted = small[0].iter().map(|value| value * growth);
            let wanted = wanted.chain(small[1].iter().map(|slope| slope * growth / scale));
            for (found, wanted) in large.concat().into_iter().zip(wanted) {
                let close = (found - wanted).abs() <= 1e-5 * wanted.abs();
                assert!(close, "{name}, scale {scale:e}: {found} and {wanted}");
            }
        }
    }
    Ok(())
}

#[test]
fn embeddings_that_nearly_coincide_are_pushed_apart() -> Result<()> {
    // The square of their distance is too small to be a number.
    let left = Tensor::from([[3e-25_f32, 4e-25]]);
    let same = Tensor::from([false]);
    let [value, gradient] = &pass(left, |x| {
        let right = x.tape().constant(Tensor::zeros([1, 2])?);
        ContrastiveLoss::new().forward(x, &right, &same)
    })?[..] else {
        panic!("a pass gives values and a gradient");
    };
    assert_eq!(value, &[0.5]);
    assert!((gradient[0] + 0.6).abs() < 1e-6, "{gradient:?}");
    assert!((gradient[1] + 0.8).abs() < 1e-6, "{gradient:?}");
    Ok(())
}

#[test]
fn a_divisor_too_small_for_single_precision_is_an_error() -> Result<()> {
    let message = |result: Result<Var<f32>>| match result {
        Ok(loss) => format!("{loss:?}"),
        Err(error) => error.to_string(),
    };
    let labels = Tensor::from([0_i64, 1]);
    let weights = Tensor::from([1e-39_f32, 1e-39]);
    let x = Tape::new().var(Tensor::from([0.5_f32, 80.0]));
    let rows = Tape::new().var(Tensor::from([[0.5_f32, 80.0], [1.0, 2.0]]));
    for (reduction, divisor) in [
        (Reduction::DividedBy(1e-39), 1e-39),
        (Reduction::WeightedMean, 2.0 * f64::from(1e-39_f32)),
    ] {
        let focal = SigmoidFocalLoss::new().reduction(reduction);
        let of_elements = focal.forward_weighted(&x, &labels, &weights);
        let focal = SoftmaxFocalLoss::new().reduction(reduction);
        let of_rows = focal.forward_weighted(&rows, &labels, &weights);
        let dual = DualFocalLoss::new().reduction(reduction);
        let composed = dual.forward_weighted(&rows, &labels, &weights);
        for result in [of_elements, of_rows, composed] {
            let message = message(result);
            assert!(message.contains("divisor must be "), "{message}");
            assert!(message.contains(&format!("found {divisor}")), "{message}");
        }
        // Double precision has room for it.
        let x = Tape::new().var(Tensor::from([0.5, 80.0]));
        let focal = SigmoidFocalLoss::new().reduction(reduction);
        assert!(focal.forward(&x, &labels).is_ok());
    }
    Ok(())
}
