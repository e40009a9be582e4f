//! Two pictures: precision against recall, and the losses while training.

use std::path::{Path, PathBuf};

use macula::metrics::PrecisionRecallCurve;
use macula::prelude::*;
use plotters::prelude::*;

use crate::rows::Rows;
use crate::style::{
    COLOURS, Drawn, SIZE, TEXT, TITLE, draw_axes, draw_legend, key, make_folder, named,
};
use crate::training::{Results, Run};

/// Draws both into a folder and returns where they are.
pub(crate) fn draw(results: &[Results], rows: &Rows, folder: &Path) -> Result<Vec<PathBuf>> {
    let curves = folder.join("precision-recall.svg");
    let losses = folder.join("loss.svg");
    make_folder(folder)?;
    named(&curves, draw_curves(results, rows, &curves))?;
    named(&losses, draw_losses(results, &losses))?;
    Ok(vec![curves, losses])
}

/// Thin: the curve of each seed. Thick: their mean. A point shows where p = 0.5 cuts.
fn draw_curves(results: &[Results], rows: &Rows, path: &Path) -> Drawn {
    let area = SVGBackend::new(path, SIZE).into_drawing_area();
    area.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&area)
        .caption(
            "Precision and recall on the test rows; dots: decided at p = 0.5",
            TITLE,
        )
        .margin(16)
        .x_label_area_size(48)
        .y_label_area_size(64)
        .build_cartesian_2d(0.0..1.0, 0.0..1.0)?;
    draw_axes(
        &mut chart,
        "recall: share of the rare rows found",
        "precision: share of alarms that are right",
    )?;

    for (result, colour) in results.iter().zip(COLOURS) {
        let curves = result.runs.iter().map(|run| precisions(run, rows));
        let curves = curves.collect::<Result<Vec<_>>>()?;
        for curve in &curves {
            chart.draw_series(LineSeries::new(steps(curve), colour.mix(0.35)))?;
        }
        chart
            .draw_series(LineSeries::new(
                steps(&mean(&curves)),
                colour.stroke_width(3),
            ))?
            .label(&result.name)
            .legend(key(colour));
    }
    // The dots last, on top of all lines.
    for (result, colour) in results.iter().zip(COLOURS) {
        let at_half = result.runs.iter().map(|run| &run.at_half);
        let dots = at_half.map(|report| (report.recall(), report.precision()));
        chart.draw_series(dots.map(|dot| Circle::new(dot, 5, colour.filled())))?;
    }
    draw_legend(&mut chart, SeriesLabelPosition::LowerLeft)?;
    area.present()?;
    Ok(())
}

/// Recalls at which the precisions of several runs are averaged.
const LEVELS: usize = 100;

/// The precision at each level of recall: at the highest threshold that reaches it.
fn precisions(run: &Run, rows: &Rows) -> Result<Vec<f64>> {
    let curve = PrecisionRecallCurve::new(&run.logits, rows.test.targets())?;
    let at_level = |level: usize| {
        let recall = level as f64 / LEVELS as f64;
        let reached = curve
            .points()
            .iter()
            .rev()
            .find(|point| point.recall >= recall);
        reached.map_or(0.0, |point| point.precision)
    };
    Ok((1..=LEVELS).map(at_level).collect())
}

fn steps(precisions: &[f64]) -> impl Iterator<Item = (f64, f64)> {
    let levels = precisions.iter().zip(1..);
    levels.map(|(&precision, level)| (f64::from(level) / LEVELS as f64, precision))
}

/// Room above the curves for the legend, as a factor.
const HEADROOM: f64 = 4.0;

/// The mean loss of the seeds, epoch by epoch.
fn draw_losses(results: &[Results], path: &Path) -> Drawn {
    let training = results
        .iter()
        .map(|result| mean_of(result, |run| &run.training_loss));
    let validation = results
        .iter()
        .map(|result| mean_of(result, |run| &run.validation_loss));
    let (training, validation): (Vec<_>, Vec<_>) = (training.collect(), validation.collect());
    let all = || training.iter().chain(&validation).flatten().copied();
    let least = all().filter(|loss| *loss > 0.0).fold(f64::MAX, f64::min);
    let greatest = all().fold(least, f64::max);
    let epochs = training.first().map_or(1, Vec::len);

    let area = SVGBackend::new(path, SIZE).into_drawing_area();
    area.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&area)
        .caption(
            "Mean loss; solid: rows trained with, dashed: validation rows",
            TITLE,
        )
        .margin(16)
        .x_label_area_size(48)
        .y_label_area_size(80)
        .build_cartesian_2d(
            1.0..epochs.max(2) as f64,
            (least / 1.2..greatest * HEADROOM).log_scale(),
        )?;
    chart
        .configure_mesh()
        .light_line_style(TRANSPARENT)
        .x_desc("epoch")
        .y_desc("loss in nats, each by its own formula")
        .x_label_formatter(&|epoch| format!("{epoch:.0}"))
        .y_label_formatter(&|loss| format!("{loss}"))
        .label_style(TEXT)
        .axis_desc_style(TEXT)
        .draw()?;

    for (place, (result, colour)) in results.iter().zip(COLOURS).enumerate() {
        let points = |losses: &[f64]| -> Vec<(f64, f64)> {
            let epochs = losses.iter().zip(1..);
            epochs
                .map(|(&loss, epoch)| (f64::from(epoch), loss))
                .collect()
        };
        chart
            .draw_series(LineSeries::new(
                points(&training[place]),
                colour.stroke_width(3),
            ))?
            .label(&result.name)
            .legend(key(colour));
        chart.draw_series(DashedLineSeries::new(
            points(&validation[place]),
            6,
            4,
            colour.stroke_width(2),
        ))?;
    }
    draw_legend(&mut chart, SeriesLabelPosition::UpperRight)?;
    area.present()?;
    Ok(())
}

fn mean_of(result: &Results, losses: fn(&Run) -> &Vec<f64>) -> Vec<f64> {
    let curves: Vec<Vec<f64>> = result.runs.iter().map(|run| losses(run).clone()).collect();
    mean(&curves)
}

/// The mean of several curves, point by point.
fn mean(curves: &[Vec<f64>]) -> Vec<f64> {
    let points = curves.first().map_or(0, Vec::len);
    let at = |point: usize| {
        curves
            .iter()
            .map(|curve| curve[point])
            .collect::<Mean>()
            .value()
    };
    (0..points).map(at).collect()
}
