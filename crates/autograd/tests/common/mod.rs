//! Reading sources: which methods there are.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// All source files below a folder.
pub(crate) fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    let files = paths.flat_map(|path| match path.is_dir() {
        true => sources(&path),
        false => vec![path],
    });
    files.collect()
}

/// The public methods below a folder, those that a macro writes included: their names, and what
/// stands from there to the body.
pub(crate) fn methods(folder: &Path) -> BTreeMap<String, String> {
    let mut methods = BTreeMap::new();
    for file in sources(folder) {
        let text = fs::read_to_string(file).unwrap();
        let written = text.split("\n    pub fn ").skip(1);
        // Lines `Name name;` or `Name name(x) …;` of `formula_methods! {` and its like.
        let lists = text.split("\nformula").skip(1).filter_map(|list| {
            let (head, rest) = list.split_once('\n')?;
            head.ends_with('{').then(|| rest.split("\n}").next())?
        });
        let lines = lists.flat_map(str::lines).filter_map(|line| {
            let (formula, rest) = line.strip_prefix("    ")?.split_once(' ')?;
            formula.starts_with(char::is_uppercase).then_some(rest)
        });
        for method in written.chain(lines) {
            let end = method.find(|c: char| !c.is_alphanumeric() && c != '_');
            let signature = method.split(['{', ';']).next();
            if let (Some(end), Some(signature)) = (end, signature) {
                methods.insert(method[..end].to_string(), signature.to_string());
            }
        }
    }
    methods
}
