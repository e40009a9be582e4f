//! What the pictures of all examples have in common.

use std::path::Path;

use macula::prelude::*;
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;

/// Colours that people who see fewer of them can tell apart (Okabe and Ito, 2008).
pub(crate) const COLOURS: [RGBColor; 5] = [
    RGBColor(0, 114, 178),
    RGBColor(230, 159, 0),
    RGBColor(0, 130, 95),
    RGBColor(204, 121, 167),
    RGBColor(0, 0, 0),
];
pub(crate) const SIZE: (u32, u32) = (860, 560);
pub(crate) const TITLE: (&str, i32) = ("sans-serif", 20);
pub(crate) const TEXT: (&str, i32) = ("sans-serif", 16);

/// What a function that draws returns.
pub(crate) type Drawn = std::result::Result<(), Box<dyn std::error::Error>>;

/// The result of drawing to a file, with its name in the error.
pub(crate) fn named(path: &Path, drawn: Drawn) -> Result<()> {
    drawn.map_err(|error| Error::File {
        path: path.into(),
        message: error.to_string(),
    })
}

/// The folder, made if need be.
pub(crate) fn make_folder(folder: &Path) -> Result<()> {
    named(folder, std::fs::create_dir_all(folder).map_err(Into::into))
}

/// The line that stands for a curve in a legend.
pub(crate) fn key(colour: RGBColor) -> impl Fn((i32, i32)) -> PathElement<(i32, i32)> {
    move |(x, y)| PathElement::new([(x, y), (x + 24, y)], colour.stroke_width(3))
}

/// A chart that is drawn into an SVG file.
pub(crate) type Chart<'a, Coordinates> = ChartContext<'a, SVGBackend<'a>, Coordinates>;

/// Draws the grid, and what the axes mean.
pub(crate) fn draw_axes(
    chart: &mut Chart<'_, Cartesian2d<RangedCoordf64, RangedCoordf64>>,
    x: &str,
    y: &str,
) -> Drawn {
    chart
        .configure_mesh()
        .light_line_style(TRANSPARENT)
        .x_desc(x)
        .y_desc(y)
        .x_label_formatter(&short)
        .y_label_formatter(&short)
        .label_style(TEXT)
        .axis_desc_style(TEXT)
        .draw()?;
    Ok(())
}

/// A number at an axis, without a needless zero.
fn short(number: &f64) -> String {
    ((number * 10.0).round() / 10.0).to_string()
}

/// Draws the legend into a corner.
pub(crate) fn draw_legend<'a, C: CoordTranslate>(
    chart: &mut Chart<'a, C>,
    corner: SeriesLabelPosition,
) -> Drawn {
    chart
        .configure_series_labels()
        .position(corner)
        .background_style(WHITE)
        .border_style(BLACK)
        .label_font(TEXT)
        .draw()?;
    Ok(())
}
