//! Segments cover a file without gaps and overlaps, whatever its bytes and its language are, and in linear time.

use cutover_assess::{Context, Language};
use proptest::prelude::*;

const LANGUAGES: [Language; 14] = [
    Language::Rust,
    Language::Python,
    Language::JavaScript,
    Language::TypeScript,
    Language::Tsx,
    Language::Go,
    Language::Java,
    Language::C,
    Language::Shell,
    Language::Ruby,
    Language::Yaml,
    Language::Toml,
    Language::Make,
    Language::Unknown,
];

fn assert_covers(language: Language, bytes: &[u8]) {
    let segments = language.segments(bytes);
    let mut end = 0;
    let mut before = None;
    for segment in &segments {
        assert_eq!(segment.range.start, end, "{language:?}: a gap or an overlap in {bytes:?}");
        assert!(segment.range.end > end, "{language:?}: an empty segment in {bytes:?}");
        assert_ne!(before, Some(segment.context), "{language:?}: neighbours of one context in {bytes:?}");
        end = segment.range.end;
        before = Some(segment.context);
    }
    assert_eq!(end, bytes.len(), "{language:?}: {bytes:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_covered(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        for language in LANGUAGES {
            assert_covers(language, &bytes);
        }
    }

    #[test]
    fn any_marks_are_covered(pieces in prop::collection::vec(mark(), 0..40)) {
        for language in LANGUAGES {
            assert_covers(language, &pieces.concat());
        }
    }
}

fn mark() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        8 => prop::sample::select(MARKS.split(' ').collect::<Vec<_>>()).prop_map(|mark| mark.as_bytes().to_vec()),
        2 => prop::sample::select(vec!["\n", "\r\n", " ", "\nA\n", "\nB\n", "\n=end", "return ", "\u{feff}"])
            .prop_map(|mark| mark.as_bytes().to_vec()),
        1 => Just(vec![0xff]),
    ]
}

/// What means something to a lexer.
const MARKS: &str = r#"" ' ` """ ''' \ / // /* */ # { } ${ $ ( ) [ ] < > </ /> <a <> = : <<A <<-'B' <<~C f" rb' R"x( )x" 1'0 \N{ =begin ? a é"#;

#[test]
fn an_unknown_language_is_all_code() {
    let segments = Language::Unknown.segments(b"\"a\" // b");
    assert_eq!(segments.len(), 1);
    assert_eq!(segments[0].context, Context::Code);
}

/// Each of them is quadratic for a lexer that reads the rest of its line or file again at every mark: it would take minutes.
#[test]
fn a_quarter_of_a_megabyte_of_open_marks_is_read_once() {
    for mark in [
        "\"\\\"", "'\\'", "`${", "f\"{", "<<A\n", "=<a>", "=/[", "/*", "r#\"", "R\"x(", "\\\"", "<a b=\"", "#!//\n",
        "'''", "=begin\n",
    ] {
        let bytes = mark.repeat(250_000 / mark.len()).into_bytes();
        for language in LANGUAGES {
            assert_covers(language, &bytes);
        }
    }
}
