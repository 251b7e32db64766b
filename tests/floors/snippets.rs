//! The checker finds what it is for: each snippet breaks a rule, or looks as if it did.

use super::{Sources, source};

/// What the checker says about a file of floor 1 beside a roof that re-exports `DualRunner` and `Percentage`.
fn broken(text: &str) -> Vec<String> {
    let roof = "pub use dual::{DualRunner, Twin as Pair};\npub use percentage::Percentage;\n";
    Sources::new([("lib.rs", roof), ("flag/rules.rs", text)]).broken_floors()
}

#[track_caller]
fn assert_broken(text: &str, message: &str) {
    assert_eq!(broken(text), [message], "{text}");
}

#[track_caller]
fn assert_fine(text: &str) {
    assert_eq!(broken(text), Vec::<String>::new(), "{text}");
}

#[test]
fn a_use_of_a_higher_floor_is_found() {
    assert_broken("use crate::dual::Run;", "flag/rules.rs:1: floor 1 uses `dual` of floor 3");
    assert_broken("\n\npub(crate) use crate::store;", "flag/rules.rs:3: floor 1 uses `store` of floor 2");
    assert_broken(
        "use crate::{bucket, record::{Capture, Recorder}};",
        "flag/rules.rs:1: floor 1 uses `record` of floor 2",
    );
    assert_broken(
        "use crate::{\n  mode::{SystemMode as M},\n  plan as p};",
        "flag/rules.rs:1: floor 1 uses `plan` of floor 5",
    );
    assert_broken("fn f() { crate::control::open(1) }", "flag/rules.rs:1: floor 1 uses `control` of floor 4");
    assert_broken("fn f() -> Vec<crate::guard::G> { a }", "flag/rules.rs:1: floor 1 uses `guard` of floor 5");
    assert_broken(
        "macro_rules! m { () => { $crate::testing::x() } }",
        "flag/rules.rs:1: floor 1 uses `testing` of floor 6",
    );
}

#[test]
fn a_use_through_super_is_found() {
    assert_broken("use super::super::dual;", "flag/rules.rs:1: floor 1 uses `dual` of floor 3");
    assert_broken("use super::super::{mode, dual::X};", "flag/rules.rs:1: floor 1 uses `dual` of floor 3");
    assert_broken("use super::{super::dual, other};", "flag/rules.rs:1: floor 1 uses `dual` of floor 3");
    assert_broken(
        "mod a { mod b { use super::super::super::super::dual; } }",
        "flag/rules.rs:1: floor 1 uses `dual` of floor 3",
    );
    assert_fine("mod a { mod b { use super::super::super::dual; } } use super::dual; use self::dual::X;");
}

#[test]
fn a_re_export_of_the_roof_stands_for_its_module() {
    assert_broken("use crate::DualRunner;", "flag/rules.rs:1: floor 1 uses `dual` of floor 3");
    assert_broken("use crate::{Percentage, Pair};", "flag/rules.rs:1: floor 1 uses `dual` of floor 3");
    assert_fine("use crate::Percentage;");
}

#[test]
fn what_cannot_be_resolved_is_found() {
    let unknown =
        |name: &str| format!("flag/rules.rs:1: `crate::{name}` is neither a module of a floor nor a re-export");
    assert_broken("use crate::Twin;", &unknown("Twin"));
    assert_broken("use crate::nowhere::X;", &unknown("nowhere"));
    assert_broken("use crate::*;", &unknown("*"));
    assert_broken("use super::super::*;", &unknown("*"));
}

#[test]
fn a_file_without_a_floor_is_found() {
    let lost = |file: &str| Sources::new([(file, "")]).broken_floors();
    assert_eq!(lost("misc.rs"), ["misc.rs: this module has no floor; add it to FLOORS and to ARCHITECTURE.md"]);
    assert_eq!(lost("misc/deep/x.rs").len(), 1);
    assert!(lost("mode.rs").is_empty() && lost("dual/mod.rs").is_empty() && lost("lib.rs").is_empty());
}

#[test]
fn the_guide_holds_nothing_and_is_used_by_nobody() {
    assert_broken(
        "use crate::guide::why;",
        "flag/rules.rs:1: `crate::guide` is neither a module of a floor nor a re-export",
    );
    assert!(source::has_only_modules("#[doc = \"fn\"]\npub mod why { /// use it\npub mod not {} }"));
    assert!(!source::has_only_modules("pub mod why {} pub const fn f() {}"));
    assert_eq!(Sources::new([("guide/other.rs", "")]).broken_floors().len(), 1);
}

#[test]
fn comments_literals_and_tests_do_not_count() {
    assert_fine("/// See [`crate::dual::X`].\n//! crate::dual\n/* crate::dual /* nested */ crate::dual */ fn f() {}");
    assert_fine(r##"const A: &str = "crate::dual \" crate::dual"; const B: &str = r#"" crate::dual"#;"##);
    assert_fine("const A: &[u8] = b\"crate::dual\"; const C: (char, u8) = ('\"', b'\"'); // crate::dual");
    assert_fine("#[cfg(test)]\n#[expect(x)]\nmod tests { use crate::dual; fn f() { { crate::dual::g() } } }");
    assert_fine("#[cfg(all(test, feature = \"tokio\"))]\nuse crate::dual::{A, B};");
    assert_fine("#[cfg(test)] use crate::dual; use crate::mode;");
}

#[test]
fn code_after_a_literal_or_beside_a_test_counts() {
    let dual = "flag/rules.rs:1: floor 1 uses `dual` of floor 3";
    assert_broken("const A: char = '\"'; use crate::dual;", dual);
    assert_broken("const A: &str = r#\"\"\"#; use crate::dual;", dual);
    assert_broken("fn f<'a>(a: &'a str) -> &'a str { a } use crate::dual;", dual);
    assert_broken("/* /* */ */ use crate::dual;", dual);
    assert_broken("#[cfg(test)] mod tests { fn f() {} } use crate::dual;", dual);
    assert_broken("#[cfg(test)] mod tests; use crate::dual;", dual);
    assert_broken("#[cfg(not(test))] use crate::dual;", dual);
    assert_broken("#[cfg(any(test, feature = \"x\"))] use crate::dual;", dual);
    assert_broken("#[cfg(all(feature = \"x\", not(test)))] use crate::dual;", dual);
}

#[test]
fn files_of_test_modules_do_not_count() {
    let beside = |declaration: &str| {
        Sources::new([
            ("flag/mod.rs", declaration),
            ("flag/checks.rs", "use crate::dual;"),
            ("flag/checks/deep.rs", "use crate::dual;"),
        ])
        .broken_floors()
        .len()
    };
    assert_eq!(beside("#[cfg(test)]\nmod checks;"), 0);
    assert_eq!(beside("mod checks;"), 2);
    assert_eq!(beside("#[cfg(test)]\nuse x; mod checks;"), 2);
}

#[test]
fn long_files_and_functions_are_found() {
    let too_long = |text: String| Sources::new([("mode.rs", text)]).too_long();
    assert!(too_long("//\n".repeat(400)).is_empty());
    assert_eq!(too_long("//\n".repeat(401)), ["mode.rs: 401 lines in one file"]);
    let function =
        |lines: usize| format!("fn g() {{}}\n#[must_use]\nfn f() {{{}}}\nfn h() {{\n}}", "\n".repeat(lines - 1));
    assert!(too_long(function(50)).is_empty());
    assert_eq!(too_long(function(51)), ["mode.rs:3: 51 lines in the function `f`"]);
}

#[test]
fn the_end_of_a_function_is_found_whatever_it_contains() {
    let length = |text: &str| source::functions(text).into_iter().map(|f| (f.name, f.lines)).collect::<Vec<_>>();
    let measured = |name: &str, lines: usize| (name.to_owned(), lines);
    assert_eq!(length("fn f() {\n '}'; \"}\"; r\"}\"; /* } */ // }\n}\n}"), [measured("f", 3)]);
    assert_eq!(length("fn f(x: [u8; 2]) -> [u8; 2]\nwhere u8: Copy {\n x }"), [measured("f", 3)]);
    assert_eq!(length("trait T { fn a(&self);\n fn b() {\n} }"), [measured("b", 2)]);
    assert_eq!(length("type F = fn(u8) -> u8;\nfn r#type() { let g = |x| { x }; }"), [measured("type", 1)]);
}
