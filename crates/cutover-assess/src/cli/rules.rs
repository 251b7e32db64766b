//! Reads files of rules.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use cutover_assess::RuleSet;

/// Reads the rules in the file at `path`, by its extension.
pub(crate) fn read(path: &Path) -> Result<RuleSet, RulesError> {
    let reader = reader(path)?;
    let text = fs::read_to_string(path).map_err(|source| RulesError::Unreadable { path: path.to_owned(), source })?;
    reader(&text).map_err(|source| RulesError::Invalid { path: path.to_owned(), source })
}

type BoxError = Box<dyn std::error::Error + Send + Sync>;
type Reader = fn(&str) -> Result<RuleSet, BoxError>;

fn reader(path: &Path) -> Result<Reader, RulesError> {
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("toml") => Ok(|text| Ok(toml::from_str(text)?)),
        Some("json") => Ok(|text| Ok(serde_json::from_str(text)?)),
        _ => Err(RulesError::UnknownKind { path: path.to_owned() }),
    }
}

/// Rules that cannot be had from a file.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RulesError {
    #[error("`{}` is no file of rules: its name ends with neither .toml nor .json", path.display())]
    UnknownKind { path: PathBuf },
    #[error("the rules `{}` cannot be read", path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("the rules `{}` are not valid", path.display())]
    Invalid { path: PathBuf, source: BoxError },
}
