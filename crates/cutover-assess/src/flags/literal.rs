//! Literals of text whose value stands there: without escapes and without parts that are put in when the code runs.

/// A literal, in any of the languages that are told apart.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Literal {
    /// What it means.
    pub(super) text: String,
    /// Where it ends, in bytes.
    pub(super) end: usize,
}

/// The literal that starts at `start`, with its prefix; `None` for anything whose value is not what stands there.
pub(super) fn at(bytes: &[u8], start: usize) -> Option<Literal> {
    let rest = bytes.get(start..)?;
    let prefix = rest.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
    let hashes = rest.iter().skip(prefix).take_while(|byte| **byte == b'#').count();
    // What has an `f` before it is put together when it runs.
    if prefix > 3 || rest.iter().take(prefix).any(|byte| matches!(byte, b'f' | b'F')) {
        return None;
    }
    let quoted = rest.get(prefix + hashes..)?;
    let quote = quoted.first().filter(|byte| matches!(byte, b'"' | b'\'' | b'`'))?;
    let width = if quoted.starts_with(&[*quote; 3]) { 3 } else { 1 };
    let inner = quoted.get(width..)?;
    let length = inner.iter().position(|byte| byte == quote || !is_plain(*byte))?;
    let end = [vec![*quote; width], vec![b'#'; hashes]].concat();
    inner.get(length..)?.starts_with(&end).then_some(())?;
    let text = str::from_utf8(inner.get(..length)?).ok()?.to_owned();
    Some(Literal { text, end: start + prefix + hashes + width + length + end.len() })
}

/// Whether a byte stands for itself: no escape, nothing that is put in, no end of a line.
const fn is_plain(byte: u8) -> bool {
    !matches!(byte, b'\\' | b'$' | b'{' | b'\n' | b'\r')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_literal_is_read_with_its_prefix_and_quotes() {
        for (code, text) in [
            (r#""a-b", x"#, "a-b"),
            ("'a')", "a"),
            ("`a`", "a"),
            (r##"r#"a"#"##, "a"),
            (r#"b"a""#, "a"),
            (r#""""a""""#, "a"),
            (r#""""#, ""),
            ("u'ü'", "ü"),
        ] {
            let Literal { text: found, end } = at(code.as_bytes(), 0).unwrap();
            assert_eq!(found, text, "{code}");
            let rest = &code[end..];
            assert!(["", ", x", ")"].contains(&rest), "{code}: {rest}");
        }
    }

    #[test]
    fn what_is_made_when_the_code_runs_is_no_literal() {
        for code in
            ["key", "f\"a\"", "\"a\\n\"", "`a${b}`", "\"#{a}\"", "\"a", "\"a\nb\"", "format(\"a\")", "rf'a'", "", "'"]
        {
            assert_eq!(at(code.as_bytes(), 0), None, "{code}");
        }
    }
}
