//! The layering of ARCHITECTURE.md: arrows between crates point down only.

use std::fs;
use std::path::Path;

/// Each crate with the crates it may import.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("crates/tensor", &[]),
    ("crates/autograd", &["macula-tensor"]),
    ("crates/nn", &["macula-tensor", "macula-autograd"]),
    ("crates/losses", &["macula-tensor", "macula-autograd"]),
    ("crates/cuda", &["macula-tensor"]),
];

/// The `macula-…` dependencies that a manifest declares, tests' dependencies included.
fn imports(manifest: &str) -> Vec<String> {
    let mut in_dependencies = false;
    let mut found = Vec::new();
    for line in manifest.lines().map(str::trim) {
        if line.starts_with('[') {
            in_dependencies = line.ends_with("dependencies]");
        } else if in_dependencies && line.starts_with("macula") {
            let end = line.find(['.', ' ', '=']).unwrap_or(line.len());
            found.push(line[..end].to_owned());
        }
    }
    found
}

#[test]
fn arrows_between_crates_point_down_only() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut read = 0;
    for entry in fs::read_dir(root.join("crates")).unwrap() {
        let folder = entry.unwrap().path();
        let name = folder
            .strip_prefix(root)
            .unwrap()
            .to_str()
            .unwrap()
            .to_owned();
        let (_, allowed) = MAY_IMPORT
            .iter()
            .find(|(known, _)| *known == name)
            .unwrap_or_else(|| panic!("{name} has no place in the layering"));
        let manifest = fs::read_to_string(folder.join("Cargo.toml")).unwrap();
        for import in imports(&manifest) {
            assert!(
                allowed.contains(&import.as_str()),
                "{name} imports {import}"
            );
        }
        read += 1;
    }
    assert!(read >= 4, "only {read} crates were found");
}

#[test]
fn an_arrow_up_is_seen() {
    let manifest =
        "[dependencies]\nserde = \"1\"\nmacula-nn.workspace = true\n\n[lints]\nmacula-x = 1\n";
    assert_eq!(imports(manifest), ["macula-nn"]);
}

#[test]
fn every_crate_forbids_unsafe_code() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let manifest = fs::read_to_string(root.join("Cargo.toml")).unwrap();
    assert!(manifest.contains("unsafe_code = \"forbid\""));
    for (name, _) in MAY_IMPORT.iter().filter(|(name, _)| *name != "crates/cuda") {
        let library = fs::read_to_string(root.join(name).join("src/lib.rs")).unwrap();
        assert!(library.contains("#![forbid(unsafe_code)]"), "{name}");
    }
}
