//! [`Language`]: how a file says what is a comment.

use serde::{Deserialize, Serialize};

use super::cursor::Cursor;
use super::segment::Segment;
use super::{c_like, hash, javascript, python, rust};

/// How a file says what is a comment and what is a string.
///
/// Rust is told as its compiler tells it. In the others, files that their compilers accept are told right but for what
/// README.md names; of what they refuse, every byte is still told as something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Language {
    /// Rust.
    Rust,
    /// Python and its stubs.
    Python,
    /// JavaScript, with JSX.
    JavaScript,
    /// TypeScript without JSX.
    TypeScript,
    /// TypeScript with JSX.
    Tsx,
    /// Go.
    Go,
    /// Java.
    Java,
    /// C, C++, Objective-C and CUDA.
    C,
    /// Shells of the Bourne family.
    Shell,
    /// Ruby.
    Ruby,
    /// YAML.
    Yaml,
    /// TOML.
    Toml,
    /// Make, Docker and `CMake` files.
    Make,
    /// Any other. All of it is code.
    Unknown,
}

impl Language {
    /// The language of the file at `path`, by its name; of one without extension by its first line, if that starts with `#!`.
    #[must_use]
    pub fn of(path: &str, bytes: &[u8]) -> Self {
        let name = path.rsplit('/').next().unwrap_or(path);
        match name.rsplit_once('.') {
            _ if MAKE_NAMES.contains(&name) => Self::Make,
            _ if RUBY_NAMES.contains(&name) => Self::Ruby,
            Some((stem, extension)) if !stem.is_empty() => Self::of_extension(extension),
            _ => Self::of_interpreter(bytes),
        }
    }

    /// All of `bytes`, in order, without gaps and overlaps. Neighbours differ in context. A byte order mark is code.
    ///
    /// ```
    /// use cutover_assess::{Context, Language};
    ///
    /// let segments = Language::Rust.segments(b"let a = 'a'; // a");
    /// assert_eq!(segments[1].range, 8..11);
    /// assert_eq!(segments[1].context, Context::String);
    /// assert_eq!(segments[3].context, Context::Comment);
    /// ```
    #[must_use]
    pub fn segments(self, bytes: &[u8]) -> Vec<Segment> {
        let mut cursor = Cursor::new(bytes);
        self.lexer()(&mut cursor);
        cursor.finish()
    }

    /// Whether `$` belongs to identifiers.
    pub(crate) const fn has_dollar_words(self) -> bool {
        matches!(self, Self::JavaScript | Self::TypeScript | Self::Tsx | Self::Java)
    }

    fn lexer(self) -> fn(&mut Cursor<'_>) {
        match self {
            Self::Rust => rust::lex,
            Self::Python => python::lex,
            Self::JavaScript | Self::Tsx => javascript::lex_with_jsx,
            Self::TypeScript => javascript::lex,
            Self::Go => c_like::lex_go,
            Self::Java => c_like::lex_java,
            Self::C => c_like::lex_c,
            Self::Shell => hash::lex_shell,
            Self::Ruby => hash::lex_ruby,
            Self::Yaml => hash::lex_yaml,
            Self::Toml => hash::lex_toml,
            Self::Make => hash::lex_make,
            Self::Unknown => |_| (),
        }
    }

    fn of_extension(extension: &str) -> Self {
        match extension.to_ascii_lowercase().as_str() {
            "rs" => Self::Rust,
            "py" | "pyi" | "pyw" => Self::Python,
            "js" | "jsx" | "mjs" | "cjs" => Self::JavaScript,
            "ts" | "mts" | "cts" => Self::TypeScript,
            "tsx" => Self::Tsx,
            "go" => Self::Go,
            "java" => Self::Java,
            "c" | "h" | "cc" | "cpp" | "cxx" | "c++" | "hh" | "hpp" | "hxx" | "h++" | "inl" | "ipp" | "m" | "mm"
            | "cu" | "cuh" => Self::C,
            "sh" | "bash" | "zsh" | "ksh" => Self::Shell,
            "rb" | "rake" | "gemspec" => Self::Ruby,
            "yml" | "yaml" => Self::Yaml,
            "toml" => Self::Toml,
            "mk" | "mak" | "cmake" | "dockerfile" => Self::Make,
            _ => Self::Unknown,
        }
    }

    fn of_interpreter(bytes: &[u8]) -> Self {
        let line = bytes.split(|&byte| byte == b'\n').next().unwrap_or_default();
        let runs = |name: &str| memchr::memmem::find(line, name.as_bytes()).is_some();
        let known = INTERPRETERS.iter().find(|(name, _)| runs(name));
        known.filter(|_| line.starts_with(b"#!")).map_or(Self::Unknown, |&(_, language)| language)
    }
}

const MAKE_NAMES: [&str; 6] = ["Makefile", "makefile", "GNUmakefile", "Dockerfile", "Containerfile", "CMakeLists.txt"];
const RUBY_NAMES: [&str; 3] = ["Rakefile", "Gemfile", "Vagrantfile"];
/// What a first line has, most telling first.
const INTERPRETERS: [(&str, Language); 6] = [
    ("python", Language::Python),
    ("ruby", Language::Ruby),
    ("node", Language::JavaScript),
    ("deno", Language::TypeScript),
    ("make", Language::Make),
    ("sh", Language::Shell),
];
