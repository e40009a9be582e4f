//! What a tensor can do, a variable can do under the same name; and the crate has no hidden state.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use common::{methods, sources};

mod common;

/// Methods in the folders of the tensor's operations that no gradient can flow through.
const WITHOUT_GRADIENT: &[&[&str]] = &[
    // Results that are integers, truth values or plain numbers.
    &[
        "all",
        "all_close",
        "all_finite",
        "any",
        "argmax",
        "argmin",
        "argsort",
        "bincount",
        "count_nonzero",
    ],
    &[
        "is_close",
        "is_finite",
        "is_inf",
        "is_nan",
        "nonzero",
        "searchsorted",
        "unique",
    ],
    // Inputs that are.
    &["and", "cast", "not", "one_hot", "or", "xor"],
    // New tensors.
    &[
        "arange",
        "eye",
        "full",
        "full_like",
        "full_on",
        "linspace",
        "ones",
        "ones_like",
        "zeros",
        "zeros_like",
    ],
    // In place, which a tape cannot see.
    &["add_assign", "mul_assign", "scale"],
    // Methods of `Axes`, `Norm` and `Slice`, and settings of convolutions and poolings.
    &["kept_shape", "named", "of_parts", "step"],
    &["adaptive", "ceil_mode", "count_include_pad", "dilation"],
    &["groups", "new", "padding", "stride"],
];

#[test]
fn every_differentiable_operation_of_a_tensor_is_a_method_of_a_variable() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let tensor = crates.join("tensor/src");
    let mut wanted = methods(&tensor.join("ops"));
    wanted.extend(methods(&tensor.join("view")));
    let there = methods(&crates.join("autograd/src/ops"));
    for (name, names) in [
        ("matmul", &wanted),
        ("sigmoid", &wanted),
        ("sigmoid", &there),
    ] {
        assert!(names.contains_key(name), "{name} was not found");
    }
    let exempt: BTreeSet<_> = WITHOUT_GRADIENT.concat().into_iter().collect();
    let missing: Vec<_> = wanted
        .keys()
        .filter(|name| !there.contains_key(*name) && !exempt.contains(name.as_str()))
        .collect();
    assert!(missing.is_empty(), "not methods of `Var`: {missing:?}");
    let stale: Vec<_> = exempt
        .iter()
        .filter(|name| !wanted.contains_key(**name))
        .collect();
    assert!(stale.is_empty(), "not methods of `Tensor`: {stale:?}");
}

#[test]
fn the_crate_has_no_global_and_no_thread_local_state() {
    let sources = sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    assert!(sources.len() > 20);
    for file in sources {
        let text = fs::read_to_string(&file).unwrap();
        for line in text.lines().map(str::trim_start) {
            let words = line
                .trim_start_matches("pub ")
                .trim_start_matches("pub(crate) ");
            let is_state = words.starts_with("static ") || words.contains("thread_local");
            assert!(!is_state, "{}: {line}", file.display());
        }
    }
}
