//! Texts of others: short, and in one line.

/// The beginning of a refused text, escaped: 40 characters.
pub(crate) fn excerpt(text: &str) -> String {
    cut(&text.escape_debug().to_string(), 40)
}

/// What is kept of a message: its first 400 characters, in one line.
pub(crate) fn message(text: &str) -> String {
    let line: String = text.chars().take(401).map(|c| if c.is_control() { ' ' } else { c }).collect();
    cut(line.trim(), 400)
}

/// The first `characters` of a text, and a mark where there are more.
pub(crate) fn cut(text: &str, characters: usize) -> String {
    match text.char_indices().nth(characters) {
        Some((end, _)) => text.get(..end).unwrap_or_default().to_owned() + "…",
        None => text.to_owned(),
    }
}

/// Names one after the other.
pub(crate) fn list(names: &[&str]) -> String {
    names.join(", ")
}

/// A reason for the audit: in one line, at most 1000 bytes, never blank.
pub(crate) fn reason(text: &str) -> String {
    let line: String = text.chars().take(1001).map(|c| if c.is_control() { ' ' } else { c }).collect();
    let end = (0..=line.len().min(1000)).rev().find(|&at| line.is_char_boundary(at)).unwrap_or(0);
    let kept = line.get(..end).unwrap_or_default().trim();
    if kept.is_empty() { "no reason given".to_owned() } else { kept.to_owned() }
}
