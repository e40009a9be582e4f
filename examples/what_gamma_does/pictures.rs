//! The pictures.

use std::path::{Path, PathBuf};

use macula::prelude::*;
use plotters::prelude::*;

use crate::style::{
    COLOURS, Drawn, SIZE, TEXT, TITLE, draw_axes, draw_legend, key, make_folder, named,
};
use crate::{GAMMAS, Panel, focal};

/// Draws both into a folder and returns where they are.
pub(crate) fn draw(panels: &[Panel; 2], folder: &Path) -> Result<Vec<PathBuf>> {
    let over_probability = folder.join("loss-over-probability.svg");
    let cumulative = folder.join("cumulative-loss.svg");
    make_folder(folder)?;
    named(&over_probability, draw_losses(&over_probability))?;
    named(&cumulative, draw_cumulative(panels, &cumulative))?;
    Ok(vec![over_probability, cumulative])
}

/// Points of a curve.
const POINTS: usize = 400;

/// Figure 1 of the paper: the loss over p_t. No formula stands here: the losses are those of the
/// library, at the logits `ln(p / (1 − p))`.
fn draw_losses(path: &Path) -> Drawn {
    let area = SVGBackend::new(path, SIZE).into_drawing_area();
    area.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&area)
        .caption("Focal loss (1 − p)^γ · (−ln p) of one sample", TITLE)
        .margin(16)
        .x_label_area_size(48)
        .y_label_area_size(56)
        .build_cartesian_2d(0.0..1.0, 0.0..5.0)?;
    draw_axes(
        &mut chart,
        "p: probability given to the true class; above 0.6 the sample is easy",
        "loss in nats",
    )?;
    let easy = Rectangle::new([(0.6, 0.0), (1.0, 5.0)], COLOURS[2].mix(0.08).filled());
    chart.draw_series([easy])?;

    let probabilities = (1..POINTS).map(|point| point as f64 / POINTS as f64);
    let probabilities: Vec<f64> = probabilities.collect();
    let logits = probabilities.iter().map(|p| (p / (1.0 - p)).ln());
    let logits = Tape::inference().constant(Tensor::from(logits.collect::<Vec<f64>>()));
    let labels = Tensor::full([probabilities.len()], 1_i64)?;
    for (gamma, colour) in GAMMAS.into_iter().zip(COLOURS) {
        let losses = focal(gamma).reduction(Reduction::None);
        let losses = losses.forward(&logits, &labels)?.into_value().to_vec()?;
        let curve = probabilities.iter().copied().zip(losses);
        let curve = curve.filter(|&(_, loss)| loss <= 5.0);
        chart
            .draw_series(LineSeries::new(curve, colour.stroke_width(3)))?
            .label(name(gamma))
            .legend(key(colour));
    }
    draw_legend(&mut chart, SeriesLabelPosition::UpperRight)?;
    area.present()?;
    Ok(())
}

/// Figure 4 of the paper: the share of the loss that the easiest rows have, for each class.
fn draw_cumulative(panels: &[Panel; 2], path: &Path) -> Drawn {
    let (width, height) = SIZE;
    let area = SVGBackend::new(path, (width + width / 4, height)).into_drawing_area();
    area.fill(&WHITE)?;
    let area = area.titled(
        "Share of the loss that the easiest rows have; network trained with γ = 2",
        TITLE,
    )?;
    for (panel, area) in panels.iter().zip(area.split_evenly((1, 2))) {
        let mut chart = ChartBuilder::on(&area)
            .caption(panel.title, TEXT)
            .margin(16)
            .x_label_area_size(48)
            .y_label_area_size(64)
            .build_cartesian_2d(0.0..1.0, 0.0..1.0)?;
        draw_axes(
            &mut chart,
            "share of the rows, the easiest first",
            "share of the loss",
        )?;
        for (curve, (gamma, colour)) in panel.curves.iter().zip(GAMMAS.into_iter().zip(COLOURS)) {
            // More points than the picture has columns would not be seen.
            let step = (curve.len() / POINTS).max(1);
            let points = curve.iter().copied().step_by(step).chain([(1.0, 1.0)]);
            chart
                .draw_series(LineSeries::new(points, colour.stroke_width(3)))?
                .label(name(gamma))
                .legend(key(colour));
        }
        draw_legend(&mut chart, SeriesLabelPosition::UpperLeft)?;
    }
    area.present()?;
    Ok(())
}

fn name(gamma: f64) -> String {
    match gamma {
        0.0 => "γ = 0: cross-entropy".into(),
        gamma => format!("γ = {gamma}"),
    }
}
