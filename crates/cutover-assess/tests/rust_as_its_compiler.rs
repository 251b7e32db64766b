//! Rust is told into code, comments and strings exactly as its compiler tells it.
#![expect(clippy::string_slice, reason = "a test fails by panicking")]

use std::fs;
use std::path::{Path, PathBuf};

use cutover_assess::{Context, Language};
use proptest::prelude::*;
use ra_ap_rustc_lexer::{Cursor, FrontmatterAllowed, LiteralKind, Token, TokenKind, strip_shebang};
use walkdir::WalkDir;

/// Every source of this workspace, and as many of the crates that the machine has for it.
///
/// With the variable `ALL_SOURCES` set it compares them all, which takes minutes.
#[test]
fn the_rust_sources_on_the_machine_are_told_as_the_compiler_tells_them() {
    let most = if std::env::var_os("ALL_SOURCES").is_some() { usize::MAX } else { 3_000 };
    let texts = roots().into_iter().flat_map(|root| rust_files(&root).take(most)).filter_map(|path| {
        let text = fs::read_to_string(&path).ok()?;
        // What cargo's own scripts have above their source is no Rust yet.
        (!text.starts_with("---")).then_some((path, text))
    });
    let (mut files, mut bytes) = (0, 0);
    for (path, text) in texts {
        assert!(ours(&text) == the_compilers(&text), "{} is told otherwise", path.display());
        files += 1;
        bytes += text.len();
    }
    assert!(files > 500 && bytes > 1_000_000, "only {files} files of {bytes} bytes were compared");
}

fn roots() -> Vec<PathBuf> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let cargo_home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = cargo_home.or_else(|| Some(std::env::home_dir()?.join(".cargo")));
    [workspace.join("src"), workspace.join("tests"), workspace.join("crates")]
        .into_iter()
        .chain(home.map(|home| home.join("registry/src")))
        .collect()
}

fn rust_files(root: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    let entries = WalkDir::new(root).into_iter().filter_map(Result::ok);
    entries.map(walkdir::DirEntry::into_path).filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 20_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// Pieces that mean something next to each other, in any order.
    #[test]
    fn so_is_every_heap_of_tokens(pieces in prop::collection::vec(piece(), 0..24)) {
        let text = pieces.concat();
        prop_assert_eq!(ours(&text), the_compilers(&text), "{:?}", text);
    }
}

fn piece() -> impl Strategy<Value = String> {
    let token = prop::sample::select(vec![
        "\"", "'", "\\", "\n", "\r\n", " ", "/", "//", "///", "//!", "/*", "*/", "/**", "*", "#", "##", "!", "[", "#!",
        "#![", "r", "b", "c", "br", "cr", "k", "rb", "r#", "k#", "r\"", "r#\"", "\"#", "b'", "b\"", "c\"", "x", "_",
        "é", "日", "\u{301}", "0", "1", "0x", "0b", "0o", "1e", "e", "E", "+", "-", ".", "..", "1_", "f32", "'a",
        "'a'", "'é'", "'\\''", "'static", "\u{feff}", "\u{2028}", "\u{85}", "\0", "{}", "?",
    ]);
    prop_oneof![9 => token.prop_map(str::to_owned), 1 => "[a-z0-9]{1,3}"]
}

type Told = Vec<(Context, String)>;

fn ours(text: &str) -> Told {
    let segments = Language::Rust.segments(text.as_bytes());
    segments.into_iter().map(|segment| (segment.context, text[segment.range].to_owned())).collect()
}

fn the_compilers(text: &str) -> Told {
    let mut told = Compiler(Vec::new());
    let body = text.strip_prefix('\u{feff}').unwrap_or(text);
    told.add(Context::Code, &text[..text.len() - body.len()]);
    let shebang = strip_shebang(body).map_or(0, |_| body.find('\n').unwrap_or(body.len()));
    told.add(Context::Comment, &body[..shebang]);
    told.tokens(&body[shebang..]);
    told.0
}

struct Compiler(Told);

impl Compiler {
    fn tokens(&mut self, mut rest: &str) {
        while !rest.is_empty() {
            let token = Cursor::new(rest, FrontmatterAllowed::No).advance_token();
            let (length, literal, context) = meaning(&token);
            self.add(context, &rest[..literal]);
            self.add(Context::Code, &rest[literal..length]);
            rest = &rest[length..];
        }
    }

    fn add(&mut self, context: Context, text: &str) {
        match self.0.last_mut() {
            _ if text.is_empty() => (),
            Some((last, before)) if *last == context => before.push_str(text),
            _ => self.0.push((context, text.to_owned())),
        }
    }
}

/// The length of a token, that of it without a suffix, and what this is.
fn meaning(token: &Token) -> (usize, usize, Context) {
    let length = token.len as usize;
    if matches!(token.kind, TokenKind::LineComment { .. } | TokenKind::BlockComment { .. }) {
        (length, length, Context::Comment)
    } else if let TokenKind::Literal { kind, suffix_start } = token.kind
        && !is_number(kind)
    {
        (length, suffix_start as usize, Context::String)
    } else if token.kind == TokenKind::GuardedStrPrefix {
        // The parser takes only the first `#`, but where an edition has such strings.
        (1, 1, Context::Code)
    } else {
        (length, length, Context::Code)
    }
}

const fn is_number(kind: LiteralKind) -> bool {
    matches!(kind, LiteralKind::Int { .. } | LiteralKind::Float { .. })
}
