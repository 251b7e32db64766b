//! What can go wrong, as errors of Rust and of `OpenFeature`.

use std::fmt;

use open_feature::{EvaluationError, EvaluationErrorCode};

use crate::KeyForm;

/// Why there is no answer. It names flags and migrations, never a targeting key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ResolveError {
    /// Nothing has this name (`FLAG_NOT_FOUND`).
    #[error("there is no flag and no migration `{name}`")]
    Unknown {
        /// The name that was asked for, cut after 40 characters.
        name: String,
    },
    /// A value was asked for that no flag and no migration has (`TYPE_MISMATCH`).
    #[error("`{name}` has no {asked} value; it is a boolean, or the string `new` or `legacy`")]
    WrongType {
        /// The flag or migration.
        name: String,
        /// The type that was asked for: `integer`, `float` or `structure`.
        asked: &'static str,
    },
    /// The answer depends on the targeting key, and the context has none (`TARGETING_KEY_MISSING`).
    #[error("the answer of `{name}` depends on the targeting key, and there is none")]
    NoTargetingKey {
        /// The flag or migration.
        name: String,
    },
    /// The answer depends on the targeting key, which is not of the form that is set (`INVALID_CONTEXT`).
    #[error("the targeting key for `{name}` is not {}", form.allowed())]
    InvalidTargetingKey {
        /// The flag or migration.
        name: String,
        /// The form that is set.
        form: KeyForm,
    },
    /// The host's clock or source of chance panicked (`GENERAL`).
    #[error("the host's clock or random source panicked while `{name}` was asked for")]
    Panicked {
        /// The flag or migration.
        name: String,
    },
}

impl ResolveError {
    /// The code of the specification.
    #[must_use]
    pub fn code(&self) -> EvaluationErrorCode {
        match self {
            Self::Unknown { .. } => EvaluationErrorCode::FlagNotFound,
            Self::WrongType { .. } => EvaluationErrorCode::TypeMismatch,
            Self::NoTargetingKey { .. } => EvaluationErrorCode::TargetingKeyMissing,
            Self::InvalidTargetingKey { .. } => EvaluationErrorCode::InvalidContext,
            Self::Panicked { .. } => EvaluationErrorCode::General(GENERAL.to_owned()),
        }
    }

    #[cold]
    pub(crate) fn unknown(name: &str) -> Self {
        Self::Unknown { name: excerpt(name) }
    }

    #[cold]
    pub(crate) fn panicked(name: &str) -> Self {
        Self::Panicked { name: name.to_owned() }
    }
}

impl From<ResolveError> for EvaluationError {
    fn from(error: ResolveError) -> Self {
        Self::builder().code(error.code()).message(error.to_string()).build()
    }
}

/// An [`EvaluationError`] as an [`Error`](std::error::Error), which that of `OpenFeature` is not: for `?` into a boxed error.
///
/// Its text is the code, and the message if there is one.
///
/// ```
/// use cutover_openfeature::EvaluationFailure;
/// use open_feature::{EvaluationError, EvaluationErrorCode};
///
/// fn ask() -> Result<bool, EvaluationError> {
///     Err(EvaluationError { code: EvaluationErrorCode::FlagNotFound, message: Some("no `search`".into()) })
/// }
///
/// fn page() -> Result<bool, Box<dyn std::error::Error>> {
///     Ok(ask().map_err(EvaluationFailure)?)
/// }
/// assert_eq!(page().unwrap_err().to_string(), "FLAG_NOT_FOUND: no `search`");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "it is what it wraps")]
pub struct EvaluationFailure(pub EvaluationError);

impl fmt::Display for EvaluationFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let EvaluationError { code, message } = &self.0;
        match (code, message) {
            (EvaluationErrorCode::General(text), None) if text == GENERAL => f.write_str(GENERAL),
            (EvaluationErrorCode::General(text), None) => write!(f, "{GENERAL}: {text}"),
            (EvaluationErrorCode::General(_), Some(message)) => write!(f, "{GENERAL}: {message}"),
            (code, None) => write!(f, "{code}"),
            (code, Some(message)) => write!(f, "{code}: {message}"),
        }
    }
}

impl std::error::Error for EvaluationFailure {}

impl From<EvaluationError> for EvaluationFailure {
    fn from(error: EvaluationError) -> Self {
        Self(error)
    }
}

/// Two of what a provider shall answer for have the same name. There is no provider then.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` is the name of more than one flag or migration; each name may be used once")]
#[non_exhaustive]
pub struct AmbiguousName {
    /// The name.
    pub name: String,
}

/// The name of the code that `OpenFeature` leaves without one.
const GENERAL: &str = "GENERAL";

/// The beginning of `text`, with control characters escaped: errors stay short and in one line whatever was asked for.
fn excerpt(text: &str) -> String {
    let mut rest = text.chars();
    let mut short: String = rest.by_ref().take(SHOWN).flat_map(char::escape_debug).collect();
    if rest.next().is_some() {
        short.push('…');
    }
    short
}

/// How many characters of an unknown name are shown.
const SHOWN: usize = 40;
