//! That no member and no parameter is forgotten: what is public has to stand in the tables of these
//! tests and on the front page.

use macula_losses::Reduction;

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
