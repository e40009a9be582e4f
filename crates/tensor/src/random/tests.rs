//! What [`Rng`] promises, apart from the statistics.

use super::Rng;

#[test]
fn filling_in_parts_equals_filling_at_once() {
    let whole = {
        let mut values = [0f32; 30];
        Rng::seed(7).fill_normal(&mut values, 0.0, 1.0).unwrap();
        values
    };
    for cut in 0..=30 {
        let mut rng = Rng::seed(7);
        let mut values = [0f32; 30];
        let (front, back) = values.split_at_mut(cut);
        rng.fill_normal(front, 0.0, 1.0).unwrap();
        rng.fill_normal(back, 0.0, 1.0).unwrap();
        assert_eq!(values, whole, "cut at {cut}");
    }
}

#[test]
fn every_call_moves_on_by_the_number_of_its_values() {
    let mut rng = Rng::seed(7);
    rng.fill_uniform(&mut [0f32; 3], 0.0, 1.0).unwrap();
    rng.fill_normal(&mut [0f64; 4], 0.0, 1.0).unwrap();
    rng.fill_bernoulli(&mut [false; 5], 0.5).unwrap();
    rng.fill_integers(&mut [0; 6], 0, 9).unwrap();
    rng.permutation(200);
    rng.uniform();
    rng.below(3);
    assert_eq!(rng.position, 3 + 4 + 5 + 6 + 200 + 1 + 1);
}

#[test]
fn single_draws_equal_filled_values() {
    let mut filled = [0f64; 9];
    Rng::seed(7).fill_uniform(&mut filled, 0.0, 1.0).unwrap();
    let mut rng = Rng::seed(7);
    assert_eq!(filled, filled.map(|_| rng.uniform()));

    let mut filled = [0i64; 9];
    Rng::seed(7).fill_integers(&mut filled, 0, 100).unwrap();
    let mut rng = Rng::seed(7);
    assert_eq!(filled, filled.map(|_| rng.below(100) as i64));
}

#[test]
fn children_depend_on_neither_the_values_drawn_nor_each_other() {
    let mut drawn = Rng::seed(7);
    drawn.uniform();
    let mut fresh = Rng::seed(7);
    assert_eq!(drawn.stream(3), fresh.stream(3));
    let first = drawn.split();
    assert_eq!(first, fresh.split());
    assert_ne!(first, fresh.split());
    assert_ne!(first, fresh.stream(0));
    assert_ne!(fresh.stream(0), fresh.stream(1));
    assert_eq!(fresh.position, 0);
}

#[test]
fn uniform_values_never_reach_the_upper_bound() {
    // Half of all sums 1 + u · ε round up to the bound.
    let high = 1.0 + f64::EPSILON;
    let mut values = [0f64; 100];
    Rng::seed(7).fill_uniform(&mut values, 1.0, high).unwrap();
    assert_eq!(values, [1.0; 100]);
}

#[test]
fn certain_and_impossible_are_exact() {
    let mut values = [true; 1000];
    Rng::seed(7).fill_bernoulli(&mut values, 0.0).unwrap();
    assert_eq!(values, [false; 1000]);
    Rng::seed(7).fill_bernoulli(&mut values, 1.0).unwrap();
    assert_eq!(values, [true; 1000]);
}

#[test]
fn integers_cover_the_widest_range_without_overflow() {
    let mut values = [0; 1000];
    let mut rng = Rng::seed(7);
    rng.fill_integers(&mut values, i64::MIN, i64::MAX).unwrap();
    assert!(values.iter().any(|&value| value < i64::MIN / 2));
    assert!(values.iter().any(|&value| value > i64::MAX / 2));
    rng.fill_integers(&mut values, 5, 6).unwrap();
    assert_eq!(values, [5; 1000]);
}

#[test]
fn parameters_of_no_distribution_are_errors_and_draw_nothing() {
    let mut rng = Rng::seed(7);
    let (mut small, mut large) = ([0f32; 2], [0f64; 2]);
    let (nan, infinite) = (f64::NAN, f64::INFINITY);
    // The last bounds differ as f64 and not as f32.
    for (low, high) in [
        (1.0, 1.0),
        (2.0, 1.0),
        (nan, 1.0),
        (0.0, nan),
        (0.0, infinite),
        (1.0, 1.0 + 1e-9),
    ] {
        assert!(rng.fill_uniform(&mut small, low, high).is_err());
    }
    assert!(rng.fill_uniform(&mut large, f64::MIN, f64::MAX).is_err());
    for (mean, deviation) in [
        (0.0, -1.0),
        (nan, 1.0),
        (0.0, nan),
        (infinite, 1.0),
        (0.0, 1e38),
    ] {
        assert!(rng.fill_normal(&mut small, mean, deviation).is_err());
    }
    for probability in [-0.1, 1.1, nan] {
        assert!(rng.fill_bernoulli(&mut [true], probability).is_err());
    }
    assert!(rng.fill_integers(&mut [0], 3, 3).is_err());
    assert_eq!(rng, Rng::seed(7));
    assert_eq!(
        rng.fill_integers(&mut [0], 3, 2).unwrap_err().to_string(),
        "integers: low must be below high, 2, found 3"
    );
}

/// Whoever changes one of these changes every result that was published with a seed. A second
/// program, written from the papers in another language, found the same numbers.
#[test]
fn seed_seven_gives_these_numbers_for_ever() {
    let rng = || Rng::seed(7);

    let mut uniform = [0f64; 3];
    rng().fill_uniform(&mut uniform, 0.0, 1.0).unwrap();
    assert_eq!(
        uniform,
        [0.7501522221031126, 0.0856578653012815, 0.7952840373401903]
    );
    let mut uniform = [0f32; 3];
    rng().fill_uniform(&mut uniform, 0.0, 1.0).unwrap();
    assert_eq!(uniform, [0.7501522, 0.085657835, 0.79528403]);

    let mut normal = [0f64; 3];
    rng().fill_normal(&mut normal, 0.0, 1.0).unwrap();
    assert_eq!(
        normal,
        [0.6510652288674289, 0.3886802390698433, 0.6532465416483483]
    );
    let mut normal = [0f32; 3];
    rng().fill_normal(&mut normal, 0.0, 1.0).unwrap();
    assert_eq!(normal, [0.65106523, 0.38868025, 0.6532465]);

    let mut truth = [false; 6];
    rng().fill_bernoulli(&mut truth, 0.5).unwrap();
    assert_eq!(truth, [false, true, false, false, true, false]);
    let mut integers = [0; 6];
    rng().fill_integers(&mut integers, 0, 1000).unwrap();
    assert_eq!(integers, [750, 85, 795, 957, 8, 848]);
    assert_eq!(rng().permutation(8), [6, 1, 0, 7, 4, 3, 2, 5]);

    assert_eq!(rng().split().uniform(), 0.9392920996748461);
    assert_eq!(rng().stream(3).uniform(), 0.1353200860574405);
}
