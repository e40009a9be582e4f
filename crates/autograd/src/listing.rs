//! A tape to look at: as a table, and as a drawing.

use std::collections::BTreeSet;
use std::fmt::{self, Write};
use std::panic::Location;

use macula_tensor::Float;

use crate::node::{Kind, Memory, NodeId};
use crate::tape::Tape;

/// What a tape has recorded, line by line. Its `Display` is a table.
#[derive(Clone, Debug)]
pub struct Listing {
    lines: Vec<Line>,
    total: usize,
}

/// One operation, leaf or parameter of a [`Listing`].
#[derive(Clone, Debug)]
pub struct Line {
    /// The operation, or `var` for a leaf, or the name of a parameter.
    pub name: String,
    /// The lines of the inputs; none where an input is data.
    pub inputs: Vec<Option<usize>>,
    /// The shape of the value.
    pub shape: Vec<usize>,
    /// Bytes that are kept for the way back, shared with others or not: values, and the indices and
    /// masks that a rule is said to [hold](crate::Var::holding).
    pub kept: usize,
    /// Whether this is where gradients end: a leaf or a parameter.
    pub is_leaf: bool,
    /// Where in your program it was called.
    pub location: &'static Location<'static>,
}

impl Listing {
    /// The lines, in the order in which they were recorded.
    pub fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// Bytes that are kept for the way back, where what several operations keep counts once.
    pub fn total(&self) -> usize {
        self.total
    }
}

impl<T: Float> Tape<T> {
    /// What has been recorded so far.
    ///
    /// # Example
    ///
    /// ```
    /// use macula_autograd::Tape;
    /// use macula_tensor::Tensor;
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(Tensor::from([1.0_f32, 2.0]));
    /// let loss = x.square()?.sum(..)?;
    /// let listing = tape.listing();
    /// assert_eq!(listing.lines()[1].name, "square");
    /// assert_eq!(listing.total(), 8);
    /// println!("{listing}");
    /// # Ok::<(), macula_tensor::Error>(())
    /// ```
    ///
    /// prints
    ///
    /// ```text
    ///    # operation  inputs  shape  kept bytes  called at
    ///    0 var                [2]             0  src/main.rs:5:14
    ///    1 square     0       [2]             8  src/main.rs:6:14
    ///    2 sum        1       []              0  src/main.rs:6:24
    /// total                                   8
    /// ```
    pub fn listing(&self) -> Listing {
        self.with_nodes(|nodes| {
            let mut total = 0;
            let mut counted = BTreeSet::new();
            let mut count = |memory: Memory| {
                let place = memory.address.map(|address| (address, memory.bytes));
                // A view counts by itself.
                if place.is_none_or(|place| counted.insert(place)) {
                    total += memory.bytes;
                }
                memory.bytes
            };
            let lines = nodes.nodes.iter().enumerate().map(|(number, node)| {
                let kept = nodes.kept(NodeId::new(number)).iter().map(Memory::of);
                Line {
                    name: match &node.kind {
                        Kind::Param(param) => param.name().to_string(),
                        _ => node.name.to_string(),
                    },
                    inputs: nodes
                        .inputs(NodeId::new(number))
                        .iter()
                        .map(|input| input.map(|id| id.index()))
                        .collect(),
                    shape: node.shape.to_vec(),
                    kept: kept.map(&mut count).sum(),
                    is_leaf: matches!(node.kind, Kind::Leaf | Kind::Param(_)),
                    location: node.location,
                }
            });
            let mut lines: Vec<Line> = lines.collect();
            for &(id, memory) in &nodes.held {
                lines[id.index()].kept += count(memory);
            }
            Listing { lines, total }
        })
    }

    /// A drawing of what has been recorded, in the DOT language of Graphviz: an ellipse for each
    /// leaf and parameter, a box for each operation, an arrow for each value that flows.
    pub fn to_dot(&self) -> String {
        let mut dot =
            String::from("digraph tape {\n  rankdir=TB;\n  node [fontname=\"sans-serif\"];\n");
        for (number, line) in self.listing().lines().iter().enumerate() {
            let outline = if line.is_leaf { "ellipse" } else { "box" };
            let name = line.name.replace('\\', "\\\\").replace('"', "\\\"");
            // Writing to a string cannot fail.
            let _ = writeln!(
                dot,
                "  n{number} [shape={outline}, label=\"{name}\\n{:?}\"];",
                line.shape
            );
            for input in line.inputs.iter().flatten() {
                let _ = writeln!(dot, "  n{input} -> n{number};");
            }
        }
        dot.push_str("}\n");
        dot
    }
}

impl fmt::Display for Listing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let heads = ["operation", "inputs", "shape", "kept bytes"];
        let rows: Vec<[String; 4]> = self.lines.iter().map(Line::columns).collect();
        let mut widths = heads.map(str::len);
        for row in &rows {
            for (width, text) in widths.iter_mut().zip(row) {
                *width = (*width).max(text.chars().count());
            }
        }
        let [name, inputs, shape, kept] = widths;
        let mut line = |number: &str, row: [&str; 4], location: &str| {
            let row = format!(
                "{number:>5} {:name$}  {:inputs$}  {:shape$}  {:>kept$}  {location}",
                row[0], row[1], row[2], row[3]
            );
            writeln!(f, "{}", row.trim_end())
        };
        line("#", heads, "called at")?;
        for (number, row) in rows.iter().enumerate() {
            let location = self.lines[number].location.to_string();
            line(
                &number.to_string(),
                row.each_ref().map(String::as_str),
                &location,
            )?;
        }
        line("total", ["", "", "", &self.total.to_string()], "")
    }
}

impl Line {
    fn columns(&self) -> [String; 4] {
        let inputs = self.inputs.iter().map(|input| match input {
            Some(line) => line.to_string(),
            None => "data".to_string(),
        });
        [
            self.name.clone(),
            inputs.collect::<Vec<_>>().join(" "),
            format!("{:?}", self.shape),
            self.kept.to_string(),
        ]
    }
}
