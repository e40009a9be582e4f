//! Where a loss looks while it trains: the share of the gradient that the rare class has, and the
//! hardest rows.
//!
//! ```text
//! cargo run --release --example focus
//! ```
//!
//! One network is trained twice on the mammograms, with cross-entropy and with focal loss. After
//! each epoch a [`FocusReport`] on all training rows says whose loss and whose gradient it is; three
//! are printed, all are drawn.
//!
//! In the end each class has about half of the gradient, whatever γ is: the bias of the last layer
//! moves until the slopes of both cancel. With γ = 2 that is reached, and the easy rows have lost it,
//! in fewer epochs.

#[path = "shared/style.rs"]
mod style;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use macula::losses::Focus;
use macula::prelude::*;
use plotters::prelude::*;

use style::{COLOURS, Drawn, SIZE, TEXT, TITLE, draw_axes, draw_legend, key, make_folder, named};

/// Draws where cross-entropy and focal loss look while they train.
#[derive(Debug, Parser)]
struct Options {
    /// Train for a moment only
    #[arg(long)]
    quick: bool,

    /// Folder for the picture
    #[arg(long, value_name = "FOLDER", default_value = "target/focus")]
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
    let (train, _) = data::mammography()?.stratified_split(0.7, &mut Rng::seed(7))?;
    let epochs = if options.quick { 2 } else { 40 };
    let mut trainings = Vec::new();
    for (name, gamma) in [("γ = 0: cross-entropy", 0.0), ("γ = 2", 2.0)] {
        let reports = reports_of_training(gamma, &train, epochs)?;
        for epoch in [0, epochs / 2, epochs] {
            println!("{name}, after {epoch} epochs\n{}", reports[epoch]);
        }
        trainings.push(Training { name, reports });
    }
    let path = options.out.join("focus.svg");
    make_folder(&options.out)?;
    named(&path, draw(&trainings, &path))?;
    println!("picture: {}", path.display());
    Ok(())
}

struct Training {
    name: &'static str,
    /// Before the first epoch and after each.
    reports: Vec<FocusReport>,
}

/// Trains a network and returns the reports on its training rows.
fn reports_of_training(
    gamma: f64,
    train: &TensorDataset,
    epochs: usize,
) -> Result<Vec<FocusReport>> {
    let mut rng = Rng::seed(7);
    let model = Sequential::new()
        .then(Linear::new(6, 64, &mut rng))
        .then(Relu)
        .then(Linear::new(64, 1, &mut rng));
    let loss = SigmoidFocalLoss::new().gamma(gamma);
    let report = || {
        let logits = model.forward(&Tape::inference().constant(train.inputs()))?;
        loss.focus(logits.value(), train.targets())
    };
    let mut optimizer = Adam::new(model.parameters()).learning_rate(1e-3);
    let loader = DataLoader::new(train, 256).shuffle(7);
    let mut reports = vec![report()?];
    for epoch in 0..epochs {
        for batch in loader.epoch(epoch) {
            let (inputs, targets) = batch?;
            let logits = model.forward(&Tape::new().constant(inputs))?;
            optimizer.step(&loss.forward(&logits, &targets)?.backward()?)?;
        }
        reports.push(report()?);
    }
    Ok(reports)
}

/// A line of a report.
type Line = fn(&FocusReport) -> Focus;

/// Whose share of the gradient is drawn.
const PANELS: [(&str, Line); 2] = [
    ("rows of the rare class", |report| report.classes()[1]),
    ("hardest tenth of the rows", |report| report.deciles()[0]),
];

/// The shares of the gradient over the epochs.
fn draw(trainings: &[Training], path: &Path) -> Drawn {
    let (width, height) = SIZE;
    let area = SVGBackend::new(path, (width + width / 4, height)).into_drawing_area();
    area.fill(&WHITE)?;
    let area = area.titled("Whose gradient it is while a network is trained", TITLE)?;
    for ((title, line), area) in PANELS.into_iter().zip(area.split_evenly((1, 2))) {
        let epochs = trainings.iter().map(|training| training.reports.len() - 1);
        let mut chart = ChartBuilder::on(&area)
            .caption(title, TEXT)
            .margin(16)
            .x_label_area_size(48)
            .y_label_area_size(64)
            .build_cartesian_2d(0.0..epochs.max().unwrap_or(1) as f64, 0.0..1.0)?;
        draw_axes(
            &mut chart,
            "epochs of training",
            "share of the gradient (sum of the norms)",
        )?;
        for (training, colour) in trainings.iter().zip(COLOURS) {
            let points = training.reports.iter().enumerate();
            let points = points.map(|(epoch, report)| (epoch as f64, line(report).gradient));
            chart
                .draw_series(LineSeries::new(points, colour.stroke_width(3)))?
                .label(training.name)
                .legend(key(colour));
        }
        draw_legend(&mut chart, SeriesLabelPosition::UpperLeft)?;
    }
    area.present()?;
    Ok(())
}
