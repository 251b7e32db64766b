//! [`Artifact`].

use std::fmt;

use serde::{Deserialize, Serialize};

/// A reference to what a step of the conversion has made: a path, a digest, the tag of an image. Not the thing itself.
///
/// It is kept in the audit, so that a process that takes over deploys what the last one has made. It must stay valid until
/// the migration is over, and hold no secret. 1 to 1024 bytes, not blank, without control characters.
///
/// ```
/// use cutover_fleet::Artifact;
/// assert_eq!(Artifact::new("sha256:9f86d08")?.as_str(), "sha256:9f86d08");
/// assert!(Artifact::new("").is_err());
/// # Ok::<(), cutover_fleet::ArtifactError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Artifact(String);

impl Artifact {
    /// The most bytes of a reference.
    pub const MAX_BYTES: usize = 1024;

    /// Checks the reference.
    ///
    /// # Errors
    /// [`ArtifactError`] when it is blank, too long, or has control characters.
    pub fn new(reference: impl Into<String>) -> Result<Self, ArtifactError> {
        let reference = reference.into();
        let allowed = reference.len() <= Self::MAX_BYTES
            && !reference.trim().is_empty()
            && !reference.chars().any(char::is_control);
        if allowed { Ok(Self(reference)) } else { Err(ArtifactError { bytes: reference.len() }) }
    }

    /// The reference.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Artifact {
    type Error = ArtifactError;

    fn try_from(reference: String) -> Result<Self, ArtifactError> {
        Self::new(reference)
    }
}

impl From<Artifact> for String {
    fn from(artifact: Artifact) -> Self {
        artifact.0
    }
}

impl fmt::Display for Artifact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// A reference that is not one. Its text is not repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "{bytes} bytes are not a reference to an artifact; allowed: 1 to {} bytes, not blank, without control characters",
    Artifact::MAX_BYTES
)]
pub struct ArtifactError {
    bytes: usize,
}
