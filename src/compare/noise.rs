//! [`Noise`]: tells what new changes from what differs between legacy and legacy.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard};

use serde::{Deserialize, Serialize};

use super::{Comparison, Difference, without_indices};
use crate::lock::lock;
use crate::stats::mcnemar::anytime_p_value;

/// Learns which places differ between two runs of legacy, such as timestamps and random identifiers, so that only what
/// new adds is reported.
///
/// Each call has a *twin*, a second run of legacy. Per path, with array indices and other all-digit tokens written as
/// `*`, calls are counted that differ only between legacy and new, only between legacy and the twin, or in both.
///
/// - A path that never differed between legacy and its twin is reported at once.
/// - A path that did is noise, and held back until new differs significantly more often than legacy differs from
///   itself: until [`anytime_p_value`] of the two counts of calls that differ in one way only is at most alpha (0.01 by
///   default). While that holds, it is reported.
///
/// A place where legacy and new differ equally often, whatever the rate, is reported after it was learnt with a
/// probability of at most alpha, over any number of calls: the test may be looked at after each of them (Ville's
/// inequality). Of 30,000 simulated fields with 50 %, 67 % and 95 % noise, 0.7 % were over 1,000 calls each; with the
/// exact test for one look ([`p_value`](crate::stats::mcnemar::p_value)) at the same alpha 7 % were.
///
/// At most 1,024 paths are learnt. Later ones count as no noise: they are reported, and counted in
/// [`NoiseReport::unlearnt`].
///
/// ```
/// use cutover::compare::{Difference, Noise};
/// use serde_json::json;
///
/// let at = |path: &str| Difference::new(path, Some(json!(1)), Some(json!(2)));
/// let noise = Noise::new();
/// let reported = noise.judge(vec![at("/now"), at("/total")], &[at("/now")]);
/// assert_eq!(reported, [at("/total")]);
/// ```
#[derive(Debug)]
pub struct Noise {
    alpha: f64,
    max_paths: usize,
    learnt: Mutex<Learnt>,
}

impl Noise {
    /// Nothing learnt yet.
    #[must_use]
    pub const fn new() -> Self {
        let learnt = Learnt { calls: 0, unlearnt: 0, paths: BTreeMap::new() };
        Self { alpha: ALPHA, max_paths: MAX_PATHS, learnt: Mutex::new(learnt) }
    }

    /// The probability with which a path of equal noise may ever be reported; 0.01 by default.
    ///
    /// # Errors
    /// [`AlphaError`] for what is not above 0 and below 1.
    pub fn alpha(self, alpha: f64) -> Result<Self, AlphaError> {
        if alpha > 0.0 && alpha < 1.0 { Ok(Self { alpha, ..self }) } else { Err(AlphaError(alpha)) }
    }

    /// How many paths are learnt at most; 1,024 by default.
    #[must_use]
    pub fn max_paths(self, count: usize) -> Self {
        Self { max_paths: count, ..self }
    }

    /// Learns from one call and returns the differences that are to be reported, in their order.
    ///
    /// `new_differences` are those between legacy and new, `twin_differences` those between legacy and its twin. A
    /// call without differences between legacy and new is given too: its twin has something to teach.
    #[must_use]
    pub fn judge(&self, new_differences: Vec<Difference>, twin_differences: &[Difference]) -> Vec<Difference> {
        let new: Vec<String> = new_differences.iter().map(|difference| without_indices(&difference.path)).collect();
        let twin: BTreeSet<String> =
            twin_differences.iter().map(|difference| without_indices(&difference.path)).collect();
        let counts = self.learn(new.iter().cloned().collect(), &twin);
        let held_back: BTreeSet<_> =
            counts.into_iter().filter(|(_, counts)| self.is_held_back(*counts)).map(|(path, _)| path).collect();
        let reported = new_differences.into_iter().zip(new).filter(|(_, path)| !held_back.contains(path));
        reported.map(|(difference, _)| difference).collect()
    }

    /// As [`judge`](Self::judge) for what a comparator said. A mismatch without a list is a difference at the path "".
    ///
    /// A mismatch of which nothing is to be reported becomes [`Comparison::Ignored`].
    #[must_use]
    pub fn settle(&self, new: Comparison, twin: &Comparison) -> Comparison {
        let has_list = !matches!(&new, Comparison::Mismatch(list) if list.is_empty());
        let reported = self.judge(listed(&new), &listed(twin));
        match new {
            Comparison::Mismatch(_) if reported.is_empty() => Comparison::Ignored,
            Comparison::Mismatch(_) if has_list => Comparison::Mismatch(reported),
            Comparison::Mismatch(_) | Comparison::Match | Comparison::Ignored => new,
        }
    }

    /// What is to be reported of a call without a twin: learnt noise is held back, and nothing is learnt.
    #[must_use]
    pub fn hold_back(&self, new: Comparison) -> Comparison {
        let Comparison::Mismatch(list) = new else { return new };
        let is_noise = |path: &str| self.counts_of(path).is_some_and(|counts| self.is_held_back(counts));
        if list.is_empty() {
            return if is_noise("") { Comparison::Ignored } else { Comparison::Mismatch(list) };
        }
        let reported: Vec<_> =
            list.into_iter().filter(|difference| !is_noise(&without_indices(&difference.path))).collect();
        if reported.is_empty() { Comparison::Ignored } else { Comparison::Mismatch(reported) }
    }

    fn counts_of(&self, path: &str) -> Option<Counts> {
        self.lock().paths.get(path).copied()
    }

    /// What was learnt, sorted by path.
    #[must_use]
    pub fn report(&self) -> NoiseReport {
        let learnt = self.lock();
        let (calls, unlearnt) = (learnt.calls, learnt.unlearnt);
        let paths: Vec<_> = learnt.paths.iter().map(|(path, counts)| (path.clone(), *counts)).collect();
        drop(learnt);
        let paths = paths.into_iter().map(|(path, counts)| self.describe(path, counts)).collect();
        NoiseReport { alpha: self.alpha, calls, unlearnt, paths }
    }

    fn describe(&self, path: String, counts: Counts) -> NoisePath {
        let Counts { new_only, twin_only, both } = counts;
        let held_back = self.is_held_back(counts);
        NoisePath { path, new_only, twin_only, both, p_value: anytime_p_value(new_only, twin_only), held_back }
    }

    /// Counts one call; returns the counts of the paths in `new` that are learnt.
    fn learn(&self, new: BTreeSet<String>, twin: &BTreeSet<String>) -> Vec<(String, Counts)> {
        let mut learnt = self.lock();
        learnt.calls += 1;
        for path in twin {
            let is_in_new = new.contains(path);
            learnt.count(
                path,
                self.max_paths,
                |counts| if is_in_new { &mut counts.both } else { &mut counts.twin_only },
            );
        }
        for path in new.difference(twin) {
            learnt.count(path, self.max_paths, |counts| &mut counts.new_only);
        }
        new.into_iter().filter_map(|path| learnt.paths.get(&path).copied().map(|counts| (path, counts))).collect()
    }

    fn is_held_back(&self, counts: Counts) -> bool {
        counts.is_noise() && anytime_p_value(counts.new_only, counts.twin_only) > self.alpha
    }

    /// No foreign code runs under this lock, so that nothing can be half done in it.
    fn lock(&self) -> MutexGuard<'_, Learnt> {
        lock(&self.learnt)
    }
}

const ALPHA: f64 = 0.01;
const MAX_PATHS: usize = 1024;

impl Default for Noise {
    fn default() -> Self {
        Self::new()
    }
}

#[derive(Debug)]
struct Learnt {
    calls: u64,
    unlearnt: u64,
    paths: BTreeMap<String, Counts>,
}

impl Learnt {
    fn count(&mut self, path: &str, max_paths: usize, field: impl FnOnce(&mut Counts) -> &mut u64) {
        if let Some(counts) = self.paths.get_mut(path) {
            *field(counts) += 1;
        } else if self.paths.len() < max_paths {
            *field(self.paths.entry(path.to_owned()).or_default()) += 1;
        } else {
            self.unlearnt += 1;
        }
    }
}

/// Calls by where the path differed.
#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    new_only: u64,
    twin_only: u64,
    both: u64,
}

impl Counts {
    const fn is_noise(self) -> bool {
        self.twin_only + self.both > 0
    }
}

fn listed(comparison: &Comparison) -> Vec<Difference> {
    match comparison {
        Comparison::Mismatch(list) if list.is_empty() => vec![Difference::new("", None, None)],
        Comparison::Mismatch(list) => list.clone(),
        Comparison::Match | Comparison::Ignored => Vec::new(),
    }
}

/// What a [`Noise`] has learnt.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct NoiseReport {
    /// The probability with which a path of equal noise may ever be reported.
    pub alpha: f64,
    /// Calls that it learnt from.
    pub calls: u64,
    /// How often a path differed for which there was no room.
    pub unlearnt: u64,
    /// Every learnt path, sorted.
    pub paths: Vec<NoisePath>,
}

/// What is known of one path.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct NoisePath {
    /// A JSON pointer in which `*` stands for array indices.
    pub path: String,
    /// Calls in which it differed only between legacy and new.
    pub new_only: u64,
    /// Calls in which it differed only between legacy and its twin.
    pub twin_only: u64,
    /// Calls in which it differed in both.
    pub both: u64,
    /// The evidence that new differs more often than legacy does from itself, valid at all times.
    pub p_value: f64,
    /// Whether its differences are held back as noise.
    pub held_back: bool,
}

/// An alpha that is no probability of a rare event.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[error("the alpha {0} is not above 0 and below 1")]
pub struct AlphaError(f64);
