//! [`RolloutPins`]: a committed file of who is served by which side, so that nobody is moved by accident.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::pin_file;
use crate::bucket::BucketKey;
use crate::outcome::Side;
use crate::route::Router;

/// Pins who is served by which side: a test writes the assignment of its keys to a file once, and fails afterwards
/// when somebody moved.
///
/// The file is JSON with two sorted lists, `legacy` and `new`, and is meant to be committed. Keys stand in it as they
/// are given, so give it made-up ones. To write it, or to accept a change, run the test with the environment variable
/// [`UPDATE_PINS`] set to `1`.
///
/// ```
/// use cutover::testing::RolloutPins;
/// use cutover::{FeatureFlag, Percentage};
///
/// let checkout = FeatureFlag::new("checkout").rollout(Percentage::new(25.0)?);
///
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("checkout.json");
/// # #[cfg(any())]
/// let path = "tests/pins/checkout.json";
/// let pins = RolloutPins::new(path).keys((1..=100).map(|user| format!("user-{user}")));
/// # pins.write(&checkout)?;
/// pins.assert(&checkout);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RolloutPins {
    path: PathBuf,
    keys: BTreeSet<PinKey>,
}

impl RolloutPins {
    /// Pins in the file at `path`. A relative path starts at the working directory, which is the folder of the
    /// package in tests that Cargo runs.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), keys: BTreeSet::new() }
    }

    /// Adds keys; one that is given twice counts once.
    #[must_use]
    pub fn keys<K: Into<PinKey>>(mut self, keys: impl IntoIterator<Item = K>) -> Self {
        self.keys.extend(keys.into_iter().map(Into::into));
        self
    }

    /// Compares `router` with the file, or writes the file when [`UPDATE_PINS`] is `1`.
    ///
    /// # Errors
    /// As [`verify`](Self::verify) or [`write`](Self::write), and [`PinError::UnknownUpdate`] when the variable has
    /// another value than `1`, `0` or nothing.
    pub fn check<R: Router + ?Sized>(&self, router: &R) -> Result<(), PinError> {
        if wants_update(std::env::var_os(UPDATE_PINS))? { self.write(router) } else { self.verify(router) }
    }

    /// As [`check`](Self::check), for tests that have no use for the error.
    ///
    /// # Panics
    /// When `check` returns an error, with its message and its causes.
    #[track_caller]
    pub fn assert<R: Router + ?Sized>(&self, router: &R) {
        #[expect(clippy::panic, reason = "an assertion for tests, as documented")]
        if let Err(error) = self.check(router) {
            panic!("{}", WithCauses(&error));
        }
    }

    /// Compares `router` with the file, whatever the environment says.
    ///
    /// # Errors
    /// [`PinError::Moved`] names who is served by another side than pinned, [`PinError::KeysDiffer`] the keys that are
    /// only given or only pinned. The file may be missing, unreadable or invalid, and there must be keys.
    pub fn verify<R: Router + ?Sized>(&self, router: &R) -> Result<(), PinError> {
        let now = self.assignment(router)?;
        let pinned = pin_file::read(&self.path)?;
        compare(&self.path, &pinned, &now)
    }

    /// Writes what `router` says to the file, as a whole or not at all. Missing folders are made.
    ///
    /// # Errors
    /// [`PinError::Write`] when the file cannot be written, [`PinError::NoKeys`] without keys.
    pub fn write<R: Router + ?Sized>(&self, router: &R) -> Result<(), PinError> {
        pin_file::write(&self.path, &self.assignment(router)?)
    }

    fn assignment<R: Router + ?Sized>(&self, router: &R) -> Result<Assignment, PinError> {
        if self.keys.is_empty() {
            return Err(PinError::NoKeys);
        }
        Ok(self.keys.iter().map(|key| (key.clone(), router.route(key.into()).serve)).collect())
    }
}

/// The environment variable that makes [`RolloutPins::check`] write its file: `1` writes; `0`, nothing or unset compare.
pub const UPDATE_PINS: &str = "CUTOVER_UPDATE_PINS";

/// Who is served by which side.
pub(super) type Assignment = BTreeMap<PinKey, Side>;

fn wants_update(variable: Option<OsString>) -> Result<bool, PinError> {
    match variable.as_deref().map(|value| value.to_str()) {
        None | Some(Some("" | "0")) => Ok(false),
        Some(Some("1")) => Ok(true),
        Some(_) => Err(PinError::UnknownUpdate { value: variable.unwrap_or_default().to_string_lossy().into_owned() }),
    }
}

fn compare(path: &Path, pinned: &Assignment, now: &Assignment) -> Result<(), PinError> {
    let moves: Vec<Move> = pinned.iter().filter_map(|(key, &side)| Move::find(key, side, now)).collect();
    if !moves.is_empty() {
        return Err(PinError::Moved { path: path.to_owned(), moves, pinned: pinned.len() });
    }
    let unpinned = only_in(now, pinned);
    let forgotten = only_in(pinned, now);
    if unpinned.is_empty() && forgotten.is_empty() {
        return Ok(());
    }
    Err(PinError::KeysDiffer { path: path.to_owned(), unpinned, forgotten })
}

fn only_in(first: &Assignment, second: &Assignment) -> Vec<PinKey> {
    first.keys().filter(|key| !second.contains_key(*key)).cloned().collect()
}

/// A key of [`RolloutPins`]: text or an integer, which are never the same key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(untagged, expecting = "a key is a text or a whole number from 0 to 18446744073709551615")]
#[non_exhaustive]
pub enum PinKey {
    /// Routed as [`BucketKey::U64`].
    Number(u64),
    /// Routed as [`BucketKey::Str`].
    Text(String),
}

impl From<u64> for PinKey {
    fn from(key: u64) -> Self {
        Self::Number(key)
    }
}

impl From<&str> for PinKey {
    fn from(key: &str) -> Self {
        Self::Text(key.to_owned())
    }
}

impl From<String> for PinKey {
    fn from(key: String) -> Self {
        Self::Text(key)
    }
}

impl<'a> From<&'a PinKey> for BucketKey<'a> {
    fn from(key: &'a PinKey) -> Self {
        match key {
            PinKey::Number(number) => BucketKey::U64(*number),
            PinKey::Text(text) => BucketKey::Str(text),
        }
    }
}

/// Text in quotes, a number without.
impl fmt::Display for PinKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Text(text) => write!(f, "{text:?}"),
        }
    }
}

/// Somebody who is served by another side than pinned.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Move {
    /// Who.
    pub key: PinKey,
    /// The side in the file.
    pub pinned: Side,
    /// The side that serves now.
    pub now: Side,
}

impl Move {
    fn find(key: &PinKey, pinned: Side, assignment: &Assignment) -> Option<Self> {
        let now = *assignment.get(key)?;
        (now != pinned).then(|| Self { key: key.clone(), pinned, now })
    }
}

impl fmt::Display for Move {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: pinned {}, now {}", self.key, self.pinned, self.now)
    }
}

/// Pins do not hold, or could not be looked at.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PinError {
    /// There is nobody to pin; such a check could never fail.
    #[error("no keys are given; pins need at least one")]
    NoKeys,
    /// There is no file yet.
    #[error("{path} does not exist; {HOW_TO_WRITE}", path = path.display())]
    Missing {
        /// Where it should be.
        path: PathBuf,
    },
    /// The file cannot be read.
    #[error("{path} cannot be read", path = path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// The file cannot be written; what was there before is untouched.
    #[error("{path} cannot be written", path = path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// The file is not JSON of the form `{"legacy": [..], "new": [..]}`.
    #[error("{path} is no file of pins, which has two lists of keys, `legacy` and `new`", path = path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// What is wrong, and where.
        source: serde_json::Error,
    },
    /// The file pins a key to both sides.
    #[error("{path} pins {key} to both sides; a key has one", path = path.display())]
    Ambiguous {
        /// The file.
        path: PathBuf,
        /// The key.
        key: PinKey,
    },
    /// Somebody is served by another side than pinned.
    #[error("{} of {pinned} keys in {path} moved:{}\nif they are meant to move, {HOW_TO_WRITE}", moves.len(), Lines(moves), path = path.display())]
    Moved {
        /// The file.
        path: PathBuf,
        /// Everybody who moved, in the order of their keys.
        moves: Vec<Move>,
        /// How many keys are pinned.
        pinned: usize,
    },
    /// Nobody moved, but the keys that are given are not those in the file.
    #[error("the given keys are not those in {path}:{}{}\nif they are right, {HOW_TO_WRITE}", Section("given, not pinned", unpinned), Section("pinned, not given", forgotten), path = path.display())]
    KeysDiffer {
        /// The file.
        path: PathBuf,
        /// Keys that are given and not pinned.
        unpinned: Vec<PinKey>,
        /// Keys that are pinned and not given.
        forgotten: Vec<PinKey>,
    },
    /// [`UPDATE_PINS`] has a value that says neither yes nor no.
    #[error("{UPDATE_PINS} is `{value}`; `1` writes the pins, `0` or nothing compares them")]
    UnknownUpdate {
        /// The value.
        value: String,
    },
}

const HOW_TO_WRITE: &str = "run this test once with CUTOVER_UPDATE_PINS=1 and commit the file";

/// The most entries that a message names.
const MOST_NAMED: usize = 20;

/// One line per entry, at most [`MOST_NAMED`], and how many more there are.
struct Lines<'a, T>(&'a [T]);

impl<T: fmt::Display> fmt::Display for Lines<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().take(MOST_NAMED).try_for_each(|entry| write!(f, "\n  {entry}"))?;
        match self.0.len().saturating_sub(MOST_NAMED) {
            0 => Ok(()),
            more => write!(f, "\n  and {more} more"),
        }
    }
}

/// A headed list; nothing when it is empty.
struct Section<'a>(&'a str, &'a [PinKey]);

impl fmt::Display for Section<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.1.is_empty() { Ok(()) } else { write!(f, "\n {}:{}", self.0, Lines(self.1)) }
    }
}

/// An error followed by its causes.
struct WithCauses<'a>(&'a dyn std::error::Error);

impl fmt::Display for WithCauses<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut next = self.0.source();
        while let Some(cause) = next {
            write!(f, ": {cause}")?;
            next = cause.source();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_one_asks_for_an_update() {
        let wants = |value: Option<&str>| wants_update(value.map(OsString::from)).ok();
        assert_eq!(wants(None), Some(false));
        assert_eq!(wants(Some("")), Some(false));
        assert_eq!(wants(Some("0")), Some(false));
        assert_eq!(wants(Some("1")), Some(true));
        assert_eq!(wants(Some("yes")), None);
        assert_eq!(
            wants_update(Some("yes".into())).map_err(|error| error.to_string()),
            Err("CUTOVER_UPDATE_PINS is `yes`; `1` writes the pins, `0` or nothing compares them".into()),
        );
    }
}
