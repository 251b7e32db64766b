//! [`Fingerprint`]: which place a finding is, over moves of the place.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::excerpt::excerpt;

/// Which place a finding is: 128 bits of its rule, of the text of its line with runs of white space as one space, and of
/// how many places with the same two come before it in the tree, by path and position.
///
/// So the *set* of fingerprints of a tree stays the same when lines are added or removed above a place, when it is
/// indented anew, when line ends change, and when its file is renamed or moved. A second place with the same line adds exactly
/// one fingerprint, wherever it is. When the line itself is edited, its fingerprint goes and another one comes. Of a line
/// longer than 1,024 bytes, 256 bytes on each side of the place count as the line.
///
/// It is written as 32 hexadecimal digits. The algorithm is `cutover-assess/1`: SipHash-2-4-128 with a key of zeros.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Fingerprint(pub(crate) u128);

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl FromStr for Fingerprint {
    type Err = InvalidFingerprint;

    fn from_str(text: &str) -> Result<Self, InvalidFingerprint> {
        let digits = text.len() == 32 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        let bits = if digits { u128::from_str_radix(text, 16).ok() } else { None };
        bits.map(Self).ok_or_else(|| InvalidFingerprint { text: excerpt(text) })
    }
}

impl TryFrom<String> for Fingerprint {
    type Error = InvalidFingerprint;

    fn try_from(text: String) -> Result<Self, InvalidFingerprint> {
        text.parse()
    }
}

impl From<Fingerprint> for String {
    fn from(fingerprint: Fingerprint) -> Self {
        fingerprint.to_string()
    }
}

/// A text that is no [`Fingerprint`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no fingerprint; it is 32 digits of 0-9 and a-f")]
#[non_exhaustive]
pub struct InvalidFingerprint {
    /// The text, cut after 40 characters.
    pub text: String,
}
