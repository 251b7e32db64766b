//! What percentages become.

use std::fmt;

use super::feature_flag::FeatureFlag;
use super::growthbook::GrowthBook;
use super::launchdarkly::LaunchDarkly;
use super::ours::OurShares;
use super::samplers::{RequestShadow, Thesis};
use super::unleash::Unleash;
use crate::traffic::key;

/// Whether a flag is on for a user id.
pub type Flag = Box<dyn Fn(&str) -> bool>;

/// A library that gives a share of users another answer.
pub trait Shares {
    /// The library.
    fn name(&self) -> &'static str;

    /// A flag of this name at `percent`.
    fn flag(&self, name: &str, percent: f64) -> Taken<Flag>;

    /// Whether the same user may get another answer in the next call.
    fn is_random(&self) -> bool {
        false
    }

    /// How many of `users` are in, at `percent`.
    fn share(&self, percent: f64, users: usize) -> Taken<Share> {
        let count = |flag: Flag| Share { users, inside: (0..users).filter(|user| flag(&key(*user))).count() };
        self.flag("new-search", percent).map(count)
    }

    /// In how many of 780 pairs of flags at 10 % so many users are in both that it is no chance: more than five standard
    /// deviations off, of 10,000 users. `None` if its answers are random.
    fn correlated_pairs(&self) -> Option<usize> {
        if self.is_random() {
            return None;
        }
        let inside: Vec<Vec<bool>> = (0..FLAGS).filter_map(|number| self.inside(number)).collect();
        let pairs =
            inside.iter().enumerate().flat_map(|(at, one)| inside.iter().skip(at + 1).map(move |two| (one, two)));
        Some(pairs.filter(|(one, two)| is_no_chance(one, two)).count())
    }

    /// Who is in the flag of this number.
    fn inside(&self, number: usize) -> Option<Vec<bool>> {
        match self.flag(&format!("flag-{number}"), 10.0) {
            Taken::As(flag) => Some((0..USERS).map(|user| flag(&key(user))).collect()),
            Taken::Refused | Taken::CannotBeWritten => None,
        }
    }
}

const FLAGS: usize = 40;
const USERS: usize = 10_000;

#[expect(clippy::cast_precision_loss, reason = "small counts")]
fn is_no_chance(one: &[bool], two: &[bool]) -> bool {
    let count = |inside: &dyn Fn(&(&bool, &bool)) -> bool| one.iter().zip(two).filter(inside).count() as f64;
    let (in_one, in_two, both) = (count(&|pair| *pair.0), count(&|pair| *pair.1), count(&|pair| *pair.0 && *pair.1));
    let users = one.len() as f64;
    let expected = in_one * in_two / users;
    let variance = expected * (1.0 - in_one / users) * (1.0 - in_two / users);
    (both - expected).abs() > 5.0 * variance.sqrt()
}

/// What a library makes of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken<T> {
    /// It is an error.
    Refused,
    /// Its type has no room for it.
    CannotBeWritten,
    /// It is taken.
    As(T),
}

impl<T> Taken<T> {
    fn map<U>(self, with: impl FnOnce(T) -> U) -> Taken<U> {
        match self {
            Self::Refused => Taken::Refused,
            Self::CannotBeWritten => Taken::CannotBeWritten,
            Self::As(taken) => Taken::As(with(taken)),
        }
    }
}

impl fmt::Display for Taken<Share> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused => f.write_str("refused"),
            Self::CannotBeWritten => f.write_str("cannot be written"),
            Self::As(share) => share.fmt(f),
        }
    }
}

/// How many are in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    /// Of so many.
    pub users: usize,
    /// So many.
    pub inside: usize,
}

impl Share {
    /// In percent.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "small counts")]
    pub fn percent(self) -> f64 {
        100.0 * self.inside as f64 / self.users as f64
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.inside {
            0 => f.write_str("nobody"),
            all if all == self.users => f.write_str("everybody"),
            _ => write!(f, "{:.2} %", self.percent()),
        }
    }
}

/// All libraries that have shares, cutover first.
#[must_use]
pub fn all() -> Vec<Box<dyn Shares>> {
    vec![
        Box::new(OurShares),
        Box::new(LaunchDarkly),
        Box::new(Unleash),
        Box::new(GrowthBook { hash_version: 1 }),
        Box::new(GrowthBook { hash_version: 2 }),
        Box::new(FeatureFlag),
        Box::new(RequestShadow),
        Box::new(Thesis),
    ]
}
