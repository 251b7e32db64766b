//! Calls with the key of a flag are found in every language, and a key that is made at run time is never taken for a known one.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use cutover::FlagSet;
use cutover_assess::flags::{FlagCalls, FlagCallsError};
use cutover_assess::{Matcher, Source};

fn flags() -> FlagSet {
    FlagSet::new(serde_json::from_str(r#"{ "new-search": 10, "cart": 100 }"#).unwrap()).unwrap()
}

/// The rule, the text and the key of all that is found, in the order of the file.
fn found(path: &str, code: &str) -> Vec<(String, String, Option<String>)> {
    let calls = FlagCalls::new(&flags(), ["is_enabled", "isEnabled"]).unwrap();
    let mut found = calls.find(&Source::new(path, code.as_bytes()));
    found.sort_by_key(|found| found.span.start);
    let text = |span: std::ops::Range<usize>| code.get(span).unwrap().to_owned();
    found.into_iter().map(|one| (one.rule.id.clone(), text(one.span), one.replacement)).collect()
}

fn call(name: &str, key: &str) -> (String, String, Option<String>) {
    ("flag-call".to_owned(), name.to_owned(), Some(key.to_owned()))
}

fn dynamic(name: &str) -> (String, String, Option<String>) {
    ("flag-dynamic".to_owned(), name.to_owned(), None)
}

fn mention(text: &str, key: &str) -> (String, String, Option<String>) {
    ("flag-mention".to_owned(), text.to_owned(), Some(key.to_owned()))
}

#[test]
fn literal_keys_are_found_over_white_space_and_known_or_not() {
    let code = "if flags.is_enabled(\"new-search\", user)? || flags.is_enabled (\n    \"gone\",\n    user,\n)? {}";
    assert_eq!(found("a.rs", code), [call("is_enabled", "new-search"), call("is_enabled ", "gone")]);
    assert_eq!(found("a.rs", "is_enabled(r#\"cart\"#, 1)"), [call("is_enabled", "cart")]);
    assert_eq!(found("a.py", "is_enabled('cart')"), [call("is_enabled", "cart")]);
    assert_eq!(found("a.ts", "flags.isEnabled(`cart`)"), [call("isEnabled", "cart")]);
    assert_eq!(found("a.unknown", "is_enabled(\"cart\")"), [call("is_enabled", "cart")]);
}

#[test]
fn keys_that_are_made_at_run_time_are_dynamic() {
    for (path, code) in [
        ("a.rs", "is_enabled(name, user)"),
        ("a.rs", "is_enabled(&format!(\"cart\"), user)"),
        ("a.rs", "is_enabled(\"ca\\x72t\", user)"),
        ("a.py", "is_enabled(f\"{kind}-cart\")"),
        ("a.py", "is_enabled(\"cart\" + suffix)"),
        ("a.py", "is_enabled(\"ca\" \"rt\")"),
        ("a.py", "is_enabled()"),
    ] {
        let name = "is_enabled";
        assert!(found(path, code).contains(&dynamic(name)), "{code}: {:?}", found(path, code));
        assert!(!found(path, code).contains(&call(name, "cart")), "{code}");
    }
    assert_eq!(found("a.ts", "isEnabled(`${kind}-cart`)"), [dynamic("isEnabled")]);
    assert_eq!(found("a.rs", "is_enabled("), [dynamic("is_enabled")]);
}

#[test]
fn names_in_other_texts_are_mentions_and_other_texts_are_nothing() {
    let code = "const FLAG: &str = \"new-search\"; // \"cart\"\nlet a = \"the cart\"; is_enabled(FLAG, 1)";
    assert_eq!(found("a.rs", code), [mention("\"new-search\"", "new-search"), dynamic("is_enabled")]);
}

#[test]
fn definitions_comments_texts_and_longer_names_are_no_calls() {
    for (path, code) in [
        ("a.rs", "fn is_enabled(name: &str) -> bool { false }"),
        ("a.py", "def  is_enabled(name):"),
        ("a.js", "function isEnabled(name) {}"),
        ("a.rs", "// is_enabled(\"gone\")"),
        ("a.rs", "let a = \"is_enabled(name)\";"),
        ("a.rs", "self.not_is_enabled(\"gone\"); is_enabled_for(\"gone\"); üis_enabled(\"gone\")"),
    ] {
        assert_eq!(found(path, code), [], "{code}");
    }
}

#[test]
fn what_can_only_be_a_definition_is_no_call() {
    for (path, code) in [
        ("a.kt", "fun isEnabled(key: String) = key in on"),
        ("a.kt", "fun Flags.isEnabled(key: String): Boolean { return false }"),
        ("a.go", "func (f *Flags) isEnabled(key string) bool {"),
        ("a.java", "public boolean isEnabled(String key) {"),
        ("a.java", "Optional<Boolean> isEnabled(String key, Map<String, T> others) throws Gone {"),
        ("a.java", "interface Flags { boolean isEnabled(String key); }"),
        ("a.js", "class Flags {\n  async isEnabled(key, of = user()) {\n"),
        ("a.js", "const flags = { isEnabled (key) { return false; } };"),
        ("a.ts", "isEnabled(key: string): boolean {"),
        ("a.tsx", "interface Flags { isEnabled(key?: string): boolean }"),
        ("a.ts", "declare function isEnabled<T>(key: T): boolean"),
    ] {
        assert_eq!(found(path, code), [], "{code}");
    }
}

#[test]
fn what_only_looks_like_a_definition_is_dynamic() {
    for (path, code) in [
        ("a.go", "if flags.isEnabled(key) {"),
        ("a.go", "func (f *Flags) ask(g Flags) bool { return f.all() || isEnabled(key) }"),
        ("a.java", "if (flags.isEnabled(key)) {"),
        ("a.java", "return new isEnabled(key) { };"),
        ("a.java", "other isEnabled(key)"),
        ("a.js", "class A extends isEnabled(key) {"),
        ("a.js", "class A extends flags.isEnabled(key) {"),
        ("a.js", "isEnabled(key)\n{ block(); }"),
        ("a.ts", "isEnabled(a ? b : c)"),
        ("a.kt", "isEnabled(key) { fallback }"),
        ("a.swift", "if isEnabled(key: name) {"),
    ] {
        assert_eq!(found(path, code), [dynamic("isEnabled")], "{code}");
    }
    assert_eq!(found("a.js", "class A extends mixed, isEnabled('cart') {"), [call("isEnabled", "cart")]);
}

#[test]
fn functions_that_are_handed_on_are_dynamic() {
    for (path, name, code) in [
        ("a.rs", "is_enabled", "names.iter().map(Flags::is_enabled)"),
        ("a.rs", "is_enabled", "let f = &flags.is_enabled;"),
        ("a.py", "is_enabled", "list(map(flags.is_enabled, names))"),
        ("a.js", "isEnabled", "const { isEnabled: ask } = flags;"),
        ("a.js", "isEnabled", "isEnabled?.(key)"),
        ("a.kt", "isEnabled", "names.map(flags::isEnabled)"),
        ("a.ts", "isEnabled", "if (isEnabled < 1) {}"),
        ("a.ts", "isEnabled", "isEnabled"),
    ] {
        assert_eq!(found(path, code), [dynamic(name)], "{code}");
    }
}

#[test]
fn keys_are_found_behind_type_arguments() {
    for (path, name, code) in [
        ("a.rs", "is_enabled::<T>", "flags.is_enabled::<T>(\"cart\", user)"),
        ("a.rs", "is_enabled::<fn(A) -> Vec<B>> ", "is_enabled::<fn(A) -> Vec<B>> (\"cart\")"),
        ("a.ts", "isEnabled<Map<string, () => void>>", "isEnabled<Map<string, () => void>>('cart')"),
    ] {
        assert_eq!(found(path, code), [call(name, "cart")], "{code}");
    }
    assert_eq!(found("a.rs", "is_enabled::<T>(key)"), [dynamic("is_enabled::<T>")]);
    assert_eq!(found("a.rs", "fn is_enabled<T>(key: T)"), []);
    let long = format!("isEnabled<{}>(key)", "T, ".repeat(1_000));
    assert_eq!(found("a.ts", &long), [dynamic("isEnabled")]);
}

#[test]
fn an_import_under_the_same_name_is_no_call_and_one_under_another_is_dynamic() {
    for (path, code) in [
        ("a.rs", "use flags::{self, is_enabled};"),
        ("a.rs", "    pub(crate) use flags::is_enabled;"),
        ("a.py", "from flags import (\n    others,\n    is_enabled,\n)"),
        ("a.py", "from flags import is_enabled"),
        ("a.ts", "import {\n  others,\n  isEnabled\n} from './flags'"),
        ("a.js", "import isEnabled from './flags'"),
        ("a.java", "import static app.Flags.isEnabled;"),
    ] {
        assert_eq!(found(path, code), [], "{code}");
    }
    for (path, name, code) in [
        ("a.rs", "is_enabled", "use flags::is_enabled as ask;"),
        ("a.rs", "is_enabled", "use flags::Flags; names.map(is_enabled)"),
        ("a.py", "is_enabled", "from flags import is_enabled as ask"),
        ("a.cs", "isEnabled", "from key in keys.Where(flags.isEnabled)"),
        ("a.ex", "is_enabled", "use Plug, by: is_enabled"),
        ("a.py", "is_enabled", "import flags\nasks = map(\n    is_enabled,\n)"),
        ("a.ts", "isEnabled", "import { isEnabled as ask } from './flags'"),
        ("a.ts", "isEnabled", "import flags from './flags'\nfoo(isEnabled)"),
    ] {
        assert_eq!(found(path, code), [dynamic(name)], "{code}");
    }
}

#[test]
fn functions_that_cannot_be_called_so_are_refused() {
    let none: [&str; 0] = [];
    assert_eq!(FlagCalls::new(&flags(), none).unwrap_err(), FlagCallsError::NoFunction);
    for function in ["", " ", "is_enabled(", "a b"] {
        let error = FlagCalls::new(&flags(), [function]).unwrap_err();
        assert_eq!(error, FlagCallsError::InvalidFunction { function: function.to_owned() });
    }
}
