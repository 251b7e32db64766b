//! Texts from elsewhere, made harmless.

/// In one line, without control characters, and with nothing that changes the direction of what is around it.
pub(super) fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\t' => plain.push(' '),
            _ if c.is_control() || is_invisible(c) => plain.extend(c.escape_debug()),
            _ => plain.push(c),
        }
    }
    plain
}

/// Marks of direction, joiners, separators of lines and the like.
const fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// As text in a cell of a Markdown table.
pub(super) fn cell(text: &str) -> String {
    let mut cell = String::with_capacity(text.len());
    for c in plain(text).chars() {
        if r"\`*_[]<>&#|~!@$".contains(c) {
            cell.push('\\');
        }
        cell.push(c);
    }
    cell.replace("://", r"\://")
}

/// As code in a cell of a Markdown table, where `|` is escaped even in code.
pub(super) fn code(text: &str) -> String {
    let text = plain(text).replace('|', r"\|");
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or_default();
    let fence = "`".repeat(longest + 1);
    let space = if text.is_empty() || text.starts_with([' ', '`']) || text.ends_with([' ', '`']) { " " } else { "" };
    format!("{fence}{space}{text}{space}{fence}")
}

/// As a relative reference: everything but unreserved characters and `/` is percent-encoded.
pub(super) fn uri(path: &str) -> String {
    path.bytes().fold(String::with_capacity(path.len()), |uri, byte| match byte {
        b'/' | b'-' | b'.' | b'_' | b'~' | b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => {
            uri + char::from(byte).encode_utf8(&mut [0; 4])
        }
        _ => uri + &format!("%{byte:02X}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_stays_in_one_line_and_in_its_direction() {
        assert_eq!(plain("a\tb\u{1b}[31m\r\n\u{202e}é"), r"a b\u{1b}[31m\r\n\u{202e}é");
    }

    #[test]
    fn a_cell_is_no_markup() {
        assert_eq!(cell("a|b <i> *c* [d](https://e)"), r"a\|b \<i\> \*c\* \[d\](https\://e)");
    }

    #[test]
    fn code_is_fenced_by_more_than_it_has() {
        assert_eq!(code("a|b"), r"`a\|b`");
        assert_eq!(code("a``b"), "```a``b```");
        assert_eq!(code("`a`"), "`` `a` ``");
    }

    #[test]
    fn a_path_is_a_reference() {
        assert_eq!(uri("a b/c:d%é.rs"), "a%20b/c%3Ad%25%C3%A9.rs");
    }
}
