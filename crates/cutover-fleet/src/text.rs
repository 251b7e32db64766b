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

fn cut(text: &str, characters: usize) -> String {
    match text.char_indices().nth(characters) {
        Some((end, _)) => text.get(..end).unwrap_or_default().to_owned() + "…",
        None => text.to_owned(),
    }
}
