//! A module uses only its own floor or those below, files and functions stay short, and ARCHITECTURE.md says the same.
#![expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "a test reads what it has just looked at")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use walkdir::WalkDir;

#[path = "floors/lexer.rs"]
mod lexer;
#[path = "floors/snippets.rs"]
mod snippets;
#[path = "floors/source.rs"]
mod source;

/// The floors of the core, from the ground up. Above them is only the roof.
const FLOORS: [&[&str]; 7] = [
    &[
        "percentage",
        "bucket",
        "mode",
        "outcome",
        "clock",
        "random",
        "route",
        "contain",
        "live",
        "lock",
        "excerpt",
        "stripe",
        "wire",
        "compat",
    ],
    &["flag", "compare", "stats"],
    &["store", "record", "observe", "runtime", "handover"],
    &["dual", "validate"],
    &["control", "monitor"],
    &["plan", "guard"],
    &["testing", "simulate"],
];

/// The roof: it uses all of them, and none of them uses it. Beside lib.rs it holds documentation only.
const ROOF: [&str; 2] = ["lib.rs", "guide/mod.rs"];

const MOST_LINES_IN_FILE: usize = 400;
const MOST_LINES_IN_FUNCTION: usize = 50;

#[test]
fn a_module_uses_its_own_floor_or_those_below() {
    assert_none(&sources().broken_floors());
}

#[test]
fn files_and_functions_stay_short() {
    assert_none(&sources().too_long());
}

#[test]
fn the_guide_is_documentation_only() {
    assert!(source::has_only_modules(&fs::read_to_string(root().join("src/guide/mod.rs")).unwrap()));
}

#[test]
fn the_architecture_page_shows_these_floors() {
    let page = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let shown: Vec<(usize, Vec<String>)> = page.lines().filter_map(row_of_floors).collect();
    let listed = |modules: &[&str]| modules.iter().map(|&module| module.to_owned()).collect();
    let mut expected: Vec<(usize, Vec<String>)> =
        FLOORS.iter().enumerate().map(|(floor, modules)| (floor, listed(modules))).collect();
    expected.reverse();
    assert_eq!(shown, expected, "the table of floors in ARCHITECTURE.md differs from FLOORS in this file");
}

/// Reads `| 3 | `dual`, `validate` | .. |`.
fn row_of_floors(line: &str) -> Option<(usize, Vec<String>)> {
    let mut cells = line.strip_prefix('|')?.split('|').map(str::trim);
    let floor = cells.next()?.parse().ok()?;
    let modules = cells.next()?.split(',').map(|module| module.trim().trim_matches('`').to_owned()).collect();
    Some((floor, modules))
}

#[track_caller]
fn assert_none(broken: &[String]) {
    assert!(broken.is_empty(), "\n{}\n", broken.join("\n"));
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn sources() -> Sources {
    let folder = root().join("src");
    let files = WalkDir::new(&folder).sort_by_file_name().into_iter().map(|entry| entry.unwrap().into_path());
    let rust = files.filter(|path| path.extension().is_some_and(|extension| extension == "rs"));
    let named = |path: &Path| path.strip_prefix(&folder).unwrap().to_str().unwrap().replace('\\', "/");
    Sources::new(rust.map(|path| (named(&path), fs::read_to_string(&path).unwrap())))
}

/// The files below src/, by their path from there.
struct Sources(BTreeMap<String, String>);

impl Sources {
    fn new<N: Into<String>, T: Into<String>>(files: impl IntoIterator<Item = (N, T)>) -> Self {
        Self(files.into_iter().map(|(name, text)| (name.into(), text.into())).collect())
    }

    fn broken_floors(&self) -> Vec<String> {
        let roof = self.re_exports();
        let tests = self.test_modules();
        let is_test =
            |name: &str| tests.iter().any(|test| name.strip_prefix(test.as_str()).is_some_and(is_file_or_below));
        let checked = self.0.iter().filter(|(name, _)| !ROOF.contains(&name.as_str()) && !is_test(name));
        checked.flat_map(|(name, text)| broken_in(name, text, &roof)).collect()
    }

    /// The names that lib.rs re-exports, and exported macros, with the module that each comes from.
    fn re_exports(&self) -> BTreeMap<String, String> {
        let lib = self.0.get("lib.rs").map(String::as_str).unwrap_or_default();
        source::re_exports(lib).into_iter().chain(self.exported_macros()).collect()
    }

    fn exported_macros(&self) -> impl Iterator<Item = (String, String)> {
        self.0.iter().flat_map(|(file, text)| {
            let module = file.split('/').next().unwrap_or(file).trim_end_matches(".rs");
            let defined = text.split("#[macro_export]\nmacro_rules! ").skip(1);
            let names = defined.filter_map(|rest| rest.split_whitespace().next());
            names.map(move |name| (name.to_owned(), module.to_owned()))
        })
    }

    /// The modules that are declared under `#[cfg(test)]`, as paths without ending.
    fn test_modules(&self) -> Vec<String> {
        let declared = |(name, text): (&String, &String)| -> Vec<String> {
            let folder = folder_of_children(name);
            source::test_modules(text).into_iter().map(|module| format!("{folder}{module}")).collect()
        };
        self.0.iter().flat_map(declared).collect()
    }

    fn too_long(&self) -> Vec<String> {
        self.0.iter().flat_map(|(name, text)| too_long_in(name, text)).collect()
    }
}

fn is_file_or_below(rest: &str) -> bool {
    rest == ".rs" || rest.starts_with('/')
}

/// Where the files of the modules lie that `file` declares, ending in a slash or empty.
fn folder_of_children(file: &str) -> String {
    let stem = file.strip_suffix(".rs").unwrap_or(file);
    let folder = stem.strip_suffix("mod").or_else(|| stem.strip_suffix("lib"));
    folder.map_or_else(|| format!("{stem}/"), ToOwned::to_owned)
}

fn broken_in(file: &str, text: &str, roof: &BTreeMap<String, String>) -> Vec<String> {
    let children = folder_of_children(file);
    let path: Vec<&str> = children.split('/').filter(|part| !part.is_empty()).collect();
    let Some(floor) = path.first().and_then(|module| floor_of(module)) else {
        return vec![format!("{file}: this module has no floor; add it to FLOORS and to ARCHITECTURE.md")];
    };
    let judge = |used: source::Use| {
        let module = roof.get(&used.name).unwrap_or(&used.name);
        let place = format!("{file}:{}", used.line);
        match floor_of(module) {
            Some(below) if below <= floor => None,
            Some(above) => Some(format!("{place}: floor {floor} uses `{module}` of floor {above}")),
            None => Some(format!("{place}: `crate::{}` is neither a module of a floor nor a re-export", used.name)),
        }
    };
    let mut broken: Vec<String> = source::uses(text, &path).into_iter().filter_map(judge).collect();
    broken.dedup();
    broken
}

fn floor_of(module: &str) -> Option<usize> {
    FLOORS.iter().position(|modules| modules.contains(&module))
}

fn too_long_in(file: &str, text: &str) -> Vec<String> {
    let lines = text.lines().count();
    let file_too_long = (lines > MOST_LINES_IN_FILE).then(|| format!("{file}: {lines} lines in one file"));
    let long = source::functions(text).into_iter().filter(|function| function.lines > MOST_LINES_IN_FUNCTION);
    let named = |f: source::Function| format!("{file}:{}: {} lines in the function `{}`", f.line, f.lines, f.name);
    file_too_long.into_iter().chain(long.map(named)).collect()
}
