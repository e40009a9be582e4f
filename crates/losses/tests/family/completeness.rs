//! That no member and no parameter is forgotten: what is public has to stand in the tables of these
//! tests and on the front page, and the front page has to be right about it.

use macula_losses::*;

use crate::members::every_member;

const FRONT_PAGE: &str = include_str!("../../src/lib.rs");

/// Public names that are no losses by themselves.
const NO_MEMBERS: &[&str] = &[
    // Formulas of members.
    "Absolute",
    "Asymmetric",
    "AsymmetricSingleLabel",
    "CyclicalFocal",
    "Dice",
    "DualFocal",
    "Focal",
    "FocalStar",
    "GaussianFocal",
    "GeneralizedDice",
    "Huber",
    "InterpolatedFocal",
    "Jaccard",
    "LogLoss",
    "NegativeLogLikelihood",
    "OneVsRest",
    "Poly1",
    "QualityFocal",
    "ReducedFocal",
    "SampleDependentFocal",
    "Seesaw",
    "SigmoidPoly1",
    "SmoothL1",
    "Squared",
    "Tversky",
    "Varifocal",
    // What turns a formula into a loss.
    "Areas",
    "DifferenceLoss",
    "RegionFormula",
    "RegionLoss",
    "RegressionLoss",
    "RowBatch",
    "RowLoss",
    "SigmoidLoss",
    "SoftmaxLoss",
    // What stands beside the losses.
    "ClassCounts",
    "Focus",
    "FocusReport",
    "GammaSchedule",
    "Reduction",
    "TripletMining",
];

/// The names after `pub use`.
fn public_names() -> Vec<&'static str> {
    let uses = FRONT_PAGE.split("pub use ").skip(1);
    let names = uses.flat_map(|text| {
        let path = text.split(';').next().unwrap_or_default();
        path.split_once("::")
            .map_or("", |(_, names)| names)
            .split(',')
    });
    let trimmed = names.map(|name| name.trim_matches(|c: char| !c.is_alphanumeric()));
    trimmed.filter(|name| !name.is_empty()).collect()
}

#[test]
fn every_public_loss_is_in_the_table_of_members() {
    let members = every_member(Reduction::Mean);
    let types: Vec<&str> = members
        .iter()
        .map(|member| member.name.split(',').next().unwrap_or_default())
        .collect();
    let names = public_names();
    assert!(names.len() > 60, "{names:?}");
    for name in names {
        let entered = types.contains(&name);
        let excused = NO_MEMBERS.contains(&name);
        assert!(entered != excused || name == "SoftmaxLoss", "{name}");
    }
}

#[test]
fn the_front_page_has_a_row_for_every_member() {
    let rows = FRONT_PAGE
        .lines()
        .filter(|line| line.starts_with("//! | [`"));
    let table: String = rows.collect();
    for name in public_names() {
        if !NO_MEMBERS.contains(&name) {
            assert!(table.contains(&format!("[`{name}`]")), "{name}");
        }
    }
}

/// Whether the numbers that a row of the front page states are the defaults of its loss.
type Defaults = (&'static str, fn(&[f64]) -> bool);

#[rustfmt::skip]
const DEFAULTS: &[Defaults] = &[
    ("SigmoidCrossEntropy", |n| n.is_empty() && SigmoidCrossEntropy::new() == SigmoidLoss::of(LogLoss)),
    ("SoftmaxCrossEntropy", |n| n.is_empty() && SoftmaxCrossEntropy::new() == SoftmaxLoss::of(LogLoss)),
    ("SigmoidFocalLoss", |n| matches!(*n, [gamma] if SigmoidFocalLoss::new() == SigmoidLoss::of(Focal { gamma }))),
    ("SoftmaxFocalLoss", |n| matches!(*n, [gamma] if SoftmaxFocalLoss::new() == SoftmaxLoss::of(Focal { gamma }))),
    ("FocalStarLoss", |n| matches!(*n, [gamma, beta] if FocalStarLoss::new() == SigmoidLoss::of(FocalStar { gamma, beta }))),
    ("ReducedFocalLoss", |n| matches!(*n, [gamma, threshold] if ReducedFocalLoss::new() == SigmoidLoss::of(ReducedFocal { gamma, threshold }))),
    ("CyclicalFocalLoss", |n| matches!(*n, [gamma_confident, gamma, xi] if CyclicalFocalLoss::new() == SoftmaxLoss::of(CyclicalFocal { xi, gamma_confident, gamma }))),
    ("SampleDependentFocalLoss", |n| matches!(*n, [gamma_hard, threshold, gamma_easy] if SampleDependentFocalLoss::new() == SoftmaxLoss::of(SampleDependentFocal { gamma_hard, gamma_easy, threshold }))),
    ("SoftmaxPolyLoss", |n| matches!(*n, [gamma, epsilon] if SoftmaxPolyLoss::new() == SoftmaxLoss::of(Poly1 { gamma, epsilon }))),
    ("SigmoidPolyLoss", |n| matches!(*n, [gamma, epsilon] if SigmoidPolyLoss::new() == SigmoidPolyLoss::new().gamma(gamma).epsilon(epsilon))),
    ("AsymmetricLoss", |n| matches!(*n, [gamma_positive, gamma_negative, clip] if AsymmetricLoss::new() == SigmoidLoss::of(Asymmetric { gamma_positive, gamma_negative, clip, detached: false }))),
    ("QualityFocalLoss", |n| matches!(*n, [beta] if QualityFocalLoss::new() == SigmoidLoss::of(QualityFocal { beta }))),
    ("InterpolatedFocalLoss", |n| matches!(*n, [gamma] if InterpolatedFocalLoss::new() == SigmoidLoss::of(InterpolatedFocal { gamma }))),
    ("VarifocalLoss", |n| matches!(*n, [alpha, gamma] if VarifocalLoss::new() == SigmoidLoss::of(Varifocal { alpha, gamma, quality_weighted: true }))),
    ("GaussianFocalLoss", |n| matches!(*n, [alpha, gamma] if GaussianFocalLoss::new() == SigmoidLoss::of(GaussianFocal { alpha, gamma }))),
    ("DualFocalLoss", |n| matches!(*n, [gamma] if DualFocalLoss::new() == DualFocalLoss::new().gamma(gamma))),
    ("AsymmetricSingleLabelLoss", |n| matches!(*n, [positive, negative, smoothing] if AsymmetricSingleLabelLoss::new() == AsymmetricSingleLabelLoss::new().gamma_positive(positive).gamma_negative(negative).label_smoothing(smoothing))),
    ("SeesawLoss", |n| matches!(*n, [p, q, eps] if seesaw() == seesaw().mitigation(p).compensation(q).eps(eps))),
    ("EqualizationLoss", |n| matches!(*n, [lambda] if EqualizationLoss::new([0.5]) == EqualizationLoss::new([0.5]).threshold(lambda))),
    ("GhmLoss", |n| matches!(*n, [bins] if GhmLoss::new() == GhmLoss::new().bins(bins as usize))),
    ("NllLoss", |n| n.is_empty() && NllLoss::new() == SoftmaxLoss::of(NegativeLogLikelihood)),
    ("DiceLoss", |n| matches!(*n, [smooth] if DiceLoss::new() == RegionLoss::of(Dice { smooth, squared: false }))),
    ("JaccardLoss", |n| matches!(*n, [smooth] if JaccardLoss::new() == RegionLoss::of(Jaccard { smooth }))),
    ("TverskyLoss", |n| matches!(*n, [alpha, beta, smooth] if TverskyLoss::new() == RegionLoss::of(Tversky { alpha, beta, smooth, exponent: 1.0 }))),
    ("focal", |n| n.is_empty() && TverskyLoss::focal() == TverskyLoss::new().exponent(0.75)),
    ("GeneralizedDiceLoss", |n| matches!(*n, [smooth] if GeneralizedDiceLoss::new() == RegionLoss::of(GeneralizedDice { smooth }))),
    ("UnifiedFocalLoss", |n| matches!(*n, [lambda, delta, gamma] if UnifiedFocalLoss::new() == UnifiedFocalLoss::new().lambda(lambda).delta(delta).gamma(gamma))),
    ("ContrastiveLoss", |n| matches!(*n, [margin] if ContrastiveLoss::new() == ContrastiveLoss::new().margin(margin))),
    ("TripletLoss", |n| matches!(*n, [margin] if TripletLoss::new() == TripletLoss::new().margin(margin).mining(TripletMining::BatchHard))),
    ("SupervisedContrastiveLoss", |n| matches!(*n, [tau] if SupervisedContrastiveLoss::new() == SupervisedContrastiveLoss::new().temperature(tau))),
    ("NtXentLoss", |n| matches!(*n, [tau] if NtXentLoss::new() == NtXentLoss::new().temperature(tau))),
    ("SmoothL1Loss", |n| matches!(*n, [beta] if SmoothL1Loss::new() == RegressionLoss::of(SmoothL1 { beta }))),
    ("HuberLoss", |n| matches!(*n, [delta] if HuberLoss::new() == RegressionLoss::of(Huber { delta }))),
];

fn seesaw() -> SeesawLoss {
    SeesawLoss::new(&ClassCounts::from_counts([3, 1]).unwrap())
}

/// The numbers in a text.
fn numbers(text: &str) -> Vec<f64> {
    let number = |word: &str| match word {
        "½" => Some(0.5),
        "¾" => Some(0.75),
        "10⁻⁵" => Some(1e-5),
        word => word.replace('−', "-").parse().ok(),
    };
    let words = text.split(|c: char| c.is_whitespace() || c == ',' || c == '`');
    words.filter_map(number).collect()
}

#[test]
fn the_front_page_states_the_defaults() {
    let mut stated = Vec::new();
    for row in FRONT_PAGE
        .lines()
        .filter_map(|line| line.strip_prefix("//! | [`"))
    {
        let row = row.replace("\\|", "‖");
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let [names, _, _, defaults, _, _, ""] = cells[..] else {
            panic!("{row}");
        };
        for name in names.split("[`").filter_map(|name| name.split('`').next()) {
            match DEFAULTS.iter().find(|(entered, _)| *entered == name) {
                Some((_, hold)) => assert!(hold(&numbers(defaults)), "{name}: {defaults}"),
                None => assert!(defaults.is_empty(), "{name}: {defaults} is not tested"),
            }
            stated.push(name.to_owned());
        }
    }
    for (name, _) in DEFAULTS {
        assert!(stated.iter().any(|stated| stated == name), "{name}");
    }
}
