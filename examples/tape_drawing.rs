//! Draws what a tape records of one pass through a small network with a focal loss.
//!
//! `cargo run --example tape_drawing` prints the listing; with the name of a file after `--` it
//! also writes a drawing, as SVG that can stand in a page. The one on the front page of
//! `macula-autograd` was made by it.

use layout::backends::svg::SVGWriter;
use layout::gv::{DotParser, GraphBuilder};
use macula::prelude::*;

fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let mut rng = Rng::seed(7);
    let model = Sequential::new()
        .then(Linear::new(6, 16, &mut rng))
        .then(Relu)
        .then(Linear::new(16, 1, &mut rng));
    let inputs: Tensor<f32> = Tensor::ones([32, 6])?;
    let targets = Tensor::full([32, 1], 1_i64)?;

    let tape = Tape::new();
    let logits = model.forward(&tape.constant(inputs))?;
    SigmoidFocalLoss::new().forward(&logits, &targets)?;
    println!("{}", tape.listing());

    // There is nothing to make quicker, so `--quick`, which all examples take, changes nothing.
    let file = std::env::args().skip(1).find(|name| name != "--quick");
    if let Some(path) = file {
        std::fs::write(&path, svg(&tape.to_dot())?)?;
        println!("drawn to {path}");
    }
    Ok(())
}

/// The drawing of a graph in the DOT language.
fn svg(dot: &str) -> std::result::Result<String, String> {
    let graph = DotParser::new(dot).process()?;
    let mut builder = GraphBuilder::new();
    builder.visit_graph(&graph);
    let mut writer = SVGWriter::new();
    builder.get().do_it(false, false, false, &mut writer);
    // Without the header of a file and blank lines, it can stand in a page of Markdown.
    let drawn = writer.finalize();
    let start = drawn.find("<svg").unwrap_or(0);
    let lines = drawn[start..]
        .lines()
        .filter(|line| !line.trim().is_empty());
    Ok(lines.map(|line| format!("{}\n", line.trim())).collect())
}
