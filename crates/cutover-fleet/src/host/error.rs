//! [`HostError`].

use std::error::Error;

/// Why a call of the host failed.
///
/// Its message is kept in the audit and in reports, up to 400 characters of it, so it must hold no secret. The source is not
/// kept.
///
/// ```
/// use cutover_fleet::HostError;
/// use std::error::Error;
///
/// let refused = std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
/// let error = HostError::with_source("the health endpoint on port 8081 does not answer", refused);
/// assert!(error.source().is_some());
/// ```
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct HostError {
    message: String,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl HostError {
    /// An error that says `message`.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), source: None }
    }

    /// An error that says `message`, because of `source`.
    pub fn with_source(message: impl Into<String>, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { message: message.into(), source: Some(source.into()) }
    }
}
