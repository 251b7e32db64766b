//! [`Names`]: where the tables are.

use std::fmt;

/// The schema and the prefix of the tables, checked once.
///
/// The default is no schema, so that each connection's `search_path` decides, and the prefix `cutover_`.
///
/// ```
/// use cutover_postgres::Names;
///
/// let names = Names::new("billing", "cutover_")?;
/// assert!(names.schema_sql().contains("search_path TO \"billing\""));
/// assert!(Names::new("billing; DROP TABLE x", "cutover_").is_err());
/// # Ok::<(), cutover_postgres::NameError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    schema: Option<String>,
    prefix: String,
}

impl Names {
    /// Tables in a schema, which has to exist, whose names begin with `prefix`.
    ///
    /// # Errors
    /// [`NameError`] names the one that is not allowed.
    pub fn new(schema: &str, prefix: &str) -> Result<Self, NameError> {
        check("schema", schema, MAX_SCHEMA)?;
        Ok(Self { schema: Some(schema.to_owned()), ..Self::with_prefix(prefix)? })
    }

    /// Tables where the `search_path` says, whose names begin with `prefix`.
    ///
    /// # Errors
    /// [`NameError`] when it is not allowed.
    pub fn with_prefix(prefix: &str) -> Result<Self, NameError> {
        check("prefix", prefix, MAX_PREFIX)?;
        Ok(Self { schema: None, prefix: prefix.to_owned() })
    }

    /// The SQL text that makes these tables: [`PostgresStore::SCHEMA`](crate::PostgresStore::SCHEMA) with other names. It
    /// can be run again at any time, and is one transaction.
    #[must_use]
    pub fn schema_sql(&self) -> String {
        let text = SCHEMA.replace(DEFAULT_PREFIX, &self.prefix);
        let Some(schema) = &self.schema else { return text };
        text.replacen("BEGIN;", &format!("BEGIN;\nSET LOCAL search_path TO \"{schema}\";"), 1)
    }

    /// A statement on the tables of the default names, on these tables.
    pub(crate) fn apply(&self, sql: &str) -> String {
        let qualifier = self.schema.as_ref().map(|schema| format!("\"{schema}\".")).unwrap_or_default();
        sql.replace(DEFAULT_PREFIX, &format!("{qualifier}{}", self.prefix))
    }

    /// Where changes are notified.
    pub(crate) fn channel(&self) -> String {
        format!("{}changes", self.prefix)
    }
}

impl Default for Names {
    fn default() -> Self {
        Self { schema: None, prefix: DEFAULT_PREFIX.to_owned() }
    }
}

fn check(what: &'static str, name: &str, longest: usize) -> Result<(), NameError> {
    let is_allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    let begins_well = !name.starts_with(|first: char| first.is_ascii_digit());
    if (1..=longest).contains(&name.len()) && begins_well && name.bytes().all(is_allowed) {
        return Ok(());
    }
    Err(NameError { what, name: name.chars().take(EXCERPT).collect(), longest })
}

/// A schema or a prefix that is not allowed.
///
/// The message names what is allowed, and at most 40 characters of the name, escaped.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct NameError {
    what: &'static str,
    name: String,
    longest: usize,
}

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, name, longest } = self;
        write!(f, "{name:?} is not allowed as {what}; ")?;
        write!(f, "allowed are 1 to {longest} of a-z, 0-9 and _, not beginning with a digit")
    }
}

impl std::error::Error for NameError {}

pub(crate) const SCHEMA: &str = include_str!("schema.sql");
const DEFAULT_PREFIX: &str = "cutover_";
const MAX_SCHEMA: usize = 63;
/// Leaves room for the longest name in the schema: PostgreSQL cuts names at 63 bytes.
const MAX_PREFIX: usize = 40;
const EXCERPT: usize = 40;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_lower_case_names_are_taken() {
        for good in ["a", "_x", "cutover_", &"p".repeat(40)] {
            assert!(Names::with_prefix(good).is_ok(), "{good}");
        }
        for bad in ["", "1a", "A", "a-b", "a.b", "a\"", "a b", "ä", "a;", "a\0", &"p".repeat(41)] {
            assert!(Names::with_prefix(bad).is_err(), "{bad}");
            assert!(Names::new(bad, "cutover_").is_err() || bad.len() == 41, "{bad}");
        }
    }

    #[test]
    fn every_name_has_schema_and_prefix_and_fits() {
        let prefix = format!("{}_", "p".repeat(39));
        let names = Names::new("user", &prefix).expect("allowed");
        let sql = names.apply("SELECT FROM cutover_state, cutover_audit");
        assert_eq!(sql, format!("SELECT FROM \"user\".{prefix}state, \"user\".{prefix}audit"));
        let schema = names.schema_sql();
        assert!(!schema.contains("cutover_state"));
        let words = schema.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        assert_eq!(words.filter(|word| word.len() > 63).collect::<Vec<_>>(), Vec::<&str>::new());
    }

    #[test]
    fn a_refused_name_is_shown_cut_and_escaped() {
        let error = Names::with_prefix(&format!("\u{202e}{}", "x".repeat(100))).expect_err("refused").to_string();
        assert!(error.starts_with("\"\\u{202e}xxx") && error.len() < 160, "{error}");
    }
}
