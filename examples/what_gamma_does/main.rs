//! What γ does: the two pictures with which the focal-loss paper explains it, on our own data.
//!
//! ```text
//! cargo run --release --example what_gamma_does
//! ```
//!
//! The first is the loss over the probability of the true class (the paper's figure 1). For the
//! second a network is trained with γ = 2 on the mammograms; then its training rows are sorted by
//! difficulty, and the share of the loss is shown that the easiest of them have for each γ (figure
//! 4). In numbers, a report says the same of each class and of each tenth of the rows.

mod pictures;
#[path = "../shared/style.rs"]
mod style;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use macula::prelude::*;

/// The exponents of the paper's figures.
const GAMMAS: [f64; 5] = [0.0, 0.5, 1.0, 2.0, 5.0];

/// Draws what the focusing exponent γ of focal loss does.
#[derive(Debug, Parser)]
struct Options {
    /// Train for a moment only
    #[arg(long)]
    quick: bool,

    /// Folder for the pictures
    #[arg(long, value_name = "FOLDER", default_value = "target/what_gamma_does")]
    out: PathBuf,
}

fn main() -> ExitCode {
    match run(&Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<()> {
    let (logits, labels) = trained(if options.quick { 2 } else { 40 })?;
    let reports = GAMMAS.map(|gamma| Ok((gamma, focal(gamma).focus(&logits, &labels)?)));
    for report in reports {
        let (gamma, report) = report?;
        if gamma == 0.0 || gamma == 2.0 {
            println!("γ = {gamma}\n{report}");
        }
    }
    let panels = [
        curves("rows of the rare class", 1, &logits, &labels)?,
        curves("rows of the common class", 0, &logits, &labels)?,
    ];
    println!("share of the loss that the easiest nine tenths of the rows have");
    println!(
        "{:<26}{}",
        "",
        GAMMAS
            .map(|gamma| format!("{:>9}", format!("γ = {gamma}")))
            .concat()
    );
    for panel in &panels {
        let shares = panel
            .curves
            .iter()
            .map(|curve| format!("{:>8.1}%", 100.0 * at_nine_tenths(curve)));
        println!("{:<26}{}", panel.title, shares.collect::<String>());
    }
    println!();
    for path in pictures::draw(&panels, &options.out)? {
        println!("picture: {}", path.display());
    }
    Ok(())
}

fn focal(gamma: f64) -> SigmoidFocalLoss {
    SigmoidFocalLoss::new().gamma(gamma)
}

/// The logits of a network that was trained with γ = 2, and the labels of the rows it was trained
/// with.
fn trained(epochs: usize) -> Result<(Tensor, Tensor<i64>)> {
    let mut rng = Rng::seed(7);
    let (train, _) = data::mammography()?.stratified_split(0.7, &mut rng)?;
    let counts = ClassCounts::of(train.targets(), 2)?;
    let model = Sequential::new()
        .then(Linear::new(6, 64, &mut rng))
        .then(Relu)
        .then(Linear::new(64, 1, &mut rng).with_prior(counts.prior(1)));
    let mut optimizer = Adam::new(model.parameters()).learning_rate(1e-3);
    let loader = DataLoader::new(&train, 256).shuffle(7);
    for epoch in 0..epochs {
        for batch in loader.epoch(epoch) {
            let (inputs, targets) = batch?;
            let tape = Tape::new();
            let logits = model.forward(&tape.constant(inputs))?;
            optimizer.step(&focal(2.0).forward(&logits, &targets)?.backward()?)?;
        }
    }
    let logits = model.forward(&Tape::inference().constant(train.inputs()))?;
    Ok((logits.into_value().squeeze(1)?, train.targets().clone()))
}

/// For the rows of one class: a curve for each γ.
struct Panel {
    title: &'static str,
    /// Share of the rows, from the easiest on, and the share of the loss that they have.
    curves: Vec<Vec<(f64, f64)>>,
}

fn curves(title: &'static str, class: i64, logits: &Tensor, labels: &Tensor<i64>) -> Result<Panel> {
    let of_class = labels.eq(&Tensor::scalar(class))?;
    let (logits, labels) = (
        logits.masked_select(&of_class)?,
        labels.masked_select(&of_class)?,
    );
    let curve = |gamma| -> Result<Vec<(f64, f64)>> {
        let hardest = focal(gamma).focus(&logits, &labels)?.cumulative_loss();
        let rows = hardest.len() as f64;
        let rest = hardest.iter().rev().enumerate();
        let easiest = rest.map(|(row, share)| (row as f64 / rows, 1.0 - share));
        Ok(easiest.chain([(1.0, 1.0)]).collect())
    };
    let curves = GAMMAS.into_iter().map(curve).collect::<Result<_>>()?;
    Ok(Panel { title, curves })
}

fn at_nine_tenths(curve: &[(f64, f64)]) -> f64 {
    let reached = curve.iter().find(|(rows, _)| *rows >= 0.9);
    reached.map_or(1.0, |&(_, loss)| loss)
}
