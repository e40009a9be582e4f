//! What optimizers promise besides their formulas.
#![allow(clippy::unwrap_used, reason = "a test's own failures")]

use macula_autograd::{Gradients, Param, Tape};
use macula_nn::activation::Relu;
use macula_nn::optim::{Adam, AdamW, Optimizer, Sgd, clip_grad_norm};
use macula_nn::{Linear, Module, Parameters, Sequential};
use macula_tensor::{Error, Norm, Result, Rng, Tensor};

fn model() -> Sequential {
    let mut rng = Rng::seed(7);
    Sequential::new()
        .then(Linear::new(6, 64, &mut rng))
        .then(Relu)
        .then(Linear::new(64, 1, &mut rng).with_prior(0.023))
}

fn inputs() -> Tensor {
    let mut elements = vec![0.0; 32 * 6];
    Rng::seed(1).fill_normal(&mut elements, 0.0, 1.0).unwrap();
    Tensor::from_vec(elements, [32, 6]).unwrap()
}

fn gradients(model: &impl Module) -> Gradients {
    let logits = model.forward(&Tape::new().constant(inputs())).unwrap();
    let loss = logits.square().unwrap().sum(..).unwrap();
    loss.backward().unwrap()
}

fn values(parameters: &Parameters) -> Vec<Vec<u32>> {
    let bits = |param: &Param| -> Vec<u32> {
        let elements = param.value().to_vec().unwrap();
        elements.iter().map(|x| x.to_bits()).collect()
    };
    parameters.iter().map(|(_, param)| bits(param)).collect()
}

fn named(params: &[&Param]) -> Parameters {
    let named = params.iter().map(|&p| (p.name().to_string(), p.clone()));
    named.collect()
}

#[test]
fn training_lowers_the_loss() -> Result<()> {
    let model = model();
    let mut optimizer = AdamW::new(model.parameters())
        .learning_rate(3e-3)
        .weight_decay(1e-2);
    let mut losses = Vec::new();
    for _ in 0..20 {
        let tape = Tape::new();
        let loss = model.forward(&tape.constant(inputs()))?.square()?.sum(..)?;
        losses.push(loss.item()?);
        optimizer.step(&loss.backward()?)?;
    }
    assert!(losses[19] < 0.5 * losses[0], "{losses:?}");
    Ok(())
}

#[test]
fn the_same_seed_gives_the_same_bits_for_any_number_of_threads() {
    let train = || {
        let mut rng = Rng::seed(7);
        // 300 × 300 elements are cut into pieces for several threads.
        let model = Sequential::new().then(Linear::new(300, 300, &mut rng));
        let mut elements = vec![0.0; 4 * 300];
        rng.fill_normal(&mut elements, 0.0, 1.0).unwrap();
        let x = Tensor::from_vec(elements, [4, 300]).unwrap();
        let mut optimizer = AdamW::new(model.parameters()).amsgrad();
        for _ in 0..3 {
            let y = model.forward(&Tape::new().constant(&x)).unwrap();
            let mut gradients = y.square().unwrap().sum(..).unwrap().backward().unwrap();
            clip_grad_norm(&mut gradients, 0.1, Norm::L2).unwrap();
            optimizer.step(&gradients).unwrap();
        }
        values(&model.parameters())
    };
    let with = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
        pool.build().unwrap().install(train)
    };
    assert_eq!(with(1), with(3));
}

#[test]
fn a_missing_gradient_is_told_and_nothing_is_changed() {
    let model = model();
    let other = Param::new("other", Tensor::from([1.0]));
    let with_other = || {
        let mut named: Vec<_> = model.parameters().into_iter().collect();
        named.push(("head.other".into(), other.clone()));
        named.into_iter().collect::<Parameters>()
    };
    let before = values(&with_other());
    let mut optimizer = Adam::new(with_other());
    let error = optimizer.step(&gradients(&model)).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("Adam: no gradient for \"head.other\":"),
        "{error}"
    );
    assert_eq!(values(&with_other()), before);

    let mut optimizer = Adam::new(with_other()).allow_missing_gradients();
    optimizer.step(&gradients(&model)).unwrap();
    let after = values(&with_other());
    assert_eq!(after[4], before[4]);
    assert_ne!(after[..4], before[..4]);
}

#[test]
fn a_gradient_that_is_not_finite_is_told_and_nothing_is_changed() {
    let model = model();
    let mut spoiled = gradients(&model);
    let parameters = model.parameters();
    let last = parameters.get("2.weight").unwrap();
    let gradient = spoiled.get_mut(last).unwrap().make_mut().unwrap();
    (gradient[3], gradient[60]) = (f32::NAN, f32::INFINITY);
    let before = values(&parameters);
    let mut optimizer = Sgd::new(model.parameters()).momentum(0.9);
    assert_eq!(
        optimizer.step(&spoiled).unwrap_err().to_string(),
        "Sgd: the gradient of \"2.weight\" is not finite: 2 of its 64 elements, the first is NaN \
         at element 3"
    );
    assert_eq!(values(&parameters), before);

    // The step that failed has left no trace: the next is a first step.
    optimizer.step(&gradients(&model)).unwrap();
    let stepped = values(&parameters);
    for (param, bits) in parameters.iter().map(|(_, param)| param).zip(before) {
        let elements = bits.into_iter().map(f32::from_bits).collect();
        let value = Tensor::from_vec(elements, param.value().shape()).unwrap();
        param.set(value).unwrap();
    }
    let mut fresh = Sgd::new(model.parameters()).momentum(0.9);
    fresh.step(&gradients(&model)).unwrap();
    assert_eq!(values(&parameters), stepped);

    let mut optimizer = Sgd::new(model.parameters()).allow_non_finite_gradients();
    optimizer.step(&spoiled).unwrap();
    assert!(last.value().to_vec().unwrap()[3].is_nan());
}

#[test]
fn a_gradient_of_another_shape_is_told() {
    let x = Param::new("x", Tensor::from([1.0, 2.0]));
    let loss = Tape::new().param(&x).sum(..).unwrap();
    let mut gradients = loss.backward().unwrap();
    *gradients.get_mut(&x).unwrap() = Tensor::from([1.0]);
    let error = Sgd::new(named(&[&x])).step(&gradients).unwrap_err();
    assert_eq!(
        error.to_string(),
        "Sgd: expected a gradient of shape [2] for \"x\", found shape [1]"
    );
}

#[test]
fn frozen_parameters_stay_as_they_are() {
    let model = model();
    let parameters = model.parameters();
    parameters.get("0.weight").unwrap().set_trainable(false);
    let before = values(&parameters);
    AdamW::new(model.parameters())
        .step(&gradients(&model))
        .unwrap();
    let after = values(&parameters);
    assert_eq!(after[0], before[0]);
    assert!((1..4).all(|index| after[index] != before[index]));
}

#[test]
fn a_parameter_listed_twice_is_updated_once() {
    let x = Param::new("x", Tensor::from([1.0]));
    let gradients = || Tape::new().param(&x).sum(..).unwrap().backward().unwrap();
    let mut optimizer = Sgd::new(named(&[&x, &x])).learning_rate(0.25);
    optimizer.step(&gradients()).unwrap();
    assert_eq!(x.value().to_vec().unwrap(), [0.75]);
}

#[test]
fn a_broadcast_gradient_reaches_every_element() {
    // The gradient of a sum is one number, repeated with stride 0.
    let x = Param::new("x", Tensor::from([[1.0, 2.0], [3.0, 4.0]]));
    let gradients = Tape::new().param(&x).sum(..).unwrap().backward().unwrap();
    let mut optimizer = Sgd::new(named(&[&x])).learning_rate(0.5);
    optimizer.step(&gradients).unwrap();
    assert_eq!(x.value().to_vec().unwrap(), [0.5, 1.5, 2.5, 3.5]);
}

#[test]
fn parameters_are_updated_in_place() {
    let model = model();
    let parameters = model.parameters();
    let weight = parameters.get("0.weight").unwrap();
    let address = || weight.value().as_slice().map(<[f32]>::as_ptr);
    let before = address();
    let mut optimizer = Adam::new(model.parameters());
    optimizer.step(&gradients(&model)).unwrap();
    assert_eq!(address(), before);
}

#[test]
fn maximize_is_the_step_of_the_negated_loss() {
    let step = |mut optimizer: Box<dyn Optimizer>, x: &Param, sign: f64| {
        let loss = Tape::new().param(x).square().unwrap().sum(..).unwrap();
        let loss = loss.mul_scalar(sign).unwrap();
        optimizer.step(&loss.backward().unwrap()).unwrap();
        x.value().to_vec().unwrap()
    };
    let x = || Param::new("x", Tensor::from([1.0, -2.0]));
    let (a, b) = (x(), x());
    let up = step(Box::new(Sgd::new(named(&[&a])).maximize()), &a, 1.0);
    assert_eq!(up, step(Box::new(Sgd::new(named(&[&b]))), &b, -1.0));
    let (a, b) = (x(), x());
    let up = step(Box::new(AdamW::new(named(&[&a])).maximize()), &a, 1.0);
    assert_eq!(up, step(Box::new(AdamW::new(named(&[&b]))), &b, -1.0));
    assert!(up[0] > 0.9999 && up[1] < -1.9999);
}

#[test]
fn the_learning_rate_can_be_changed_between_steps() {
    let x = Param::new("x", Tensor::from([1.0]));
    let gradients = || Tape::new().param(&x).sum(..).unwrap().backward().unwrap();
    let mut optimizer = Sgd::new(named(&[&x])).learning_rate(0.5);
    optimizer.step(&gradients()).unwrap();
    optimizer.set_learning_rate(0.125);
    assert_eq!(optimizer.current_learning_rate(), 0.125);
    optimizer.step(&gradients()).unwrap();
    assert_eq!(x.value().to_vec().unwrap(), [0.375]);
}

#[test]
fn settings_without_meaning_are_told_by_the_first_step() {
    let x = Param::new("x", Tensor::from([1.0]));
    let told = |optimizer: &mut dyn Optimizer| {
        let gradients = Tape::new().param(&x).sum(..).unwrap().backward().unwrap();
        let error = optimizer.step(&gradients).unwrap_err();
        assert!(matches!(error, Error::Argument { .. }));
        error.to_string()
    };
    let parameters = || named(&[&x]);
    assert_eq!(
        told(&mut Sgd::new(parameters()).learning_rate(f64::NAN)),
        "Sgd: learning_rate must be finite and at least 0, found NaN"
    );
    assert_eq!(
        told(&mut Sgd::new(parameters()).nesterov()),
        "Sgd: nesterov must be with a momentum above 0 and without dampening, found momentum 0, \
         dampening 0"
    );
    assert_eq!(
        told(&mut Adam::new(parameters()).betas(0.9, 1.0)),
        "Adam: beta2 must be inside [0, 1), found 1"
    );
    assert_eq!(
        told(&mut AdamW::new(parameters()).weight_decay(-0.1)),
        "AdamW: weight_decay must be finite and at least 0, found -0.1"
    );
    assert_eq!(x.value().to_vec().unwrap(), [1.0]);
}

#[test]
fn a_norm_that_is_not_finite_is_not_clipped() {
    let x = Param::new("x", Tensor::from([1.0, 2.0]));
    let mut gradients = Tape::new().param(&x).sum(..).unwrap().backward().unwrap();
    gradients.get_mut(&x).unwrap().make_mut().unwrap()[1] = f32::INFINITY;
    let error = clip_grad_norm(&mut gradients, 1.0, Norm::L2).unwrap_err();
    assert_eq!(
        error.to_string(),
        "clip_grad_norm: the norm of the gradient of \"x\" is not finite (inf)"
    );
    let untouched = gradients.get(&x).unwrap().to_vec().unwrap();
    assert_eq!(untouched, [1.0, f32::INFINITY]);
}
