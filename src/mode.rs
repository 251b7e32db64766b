//! [`SystemMode`]: who serves, which transitions are valid, and how a call is routed. The whole policy is two tables.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::Percentage;
use crate::excerpt::excerpt;
use crate::outcome::Side;

/// Who serves.
///
/// Valid transitions; every other one is a [`TransitionError`]:
///
/// | from | to |
/// |---|---|
/// | `LegacyOnly` | `Parallel`, `GradualRollout` |
/// | `Parallel` | `LegacyOnly`, `GradualRollout`, `NewOnly` |
/// | `GradualRollout` | `LegacyOnly`, `Parallel`, `NewOnly` |
/// | `NewOnly` | `GradualRollout`, `Parallel` |
/// | any | `EmergencyRollback` (never refused) |
/// | `EmergencyRollback` | `LegacyOnly` |
///
/// A transition to itself is a no-op that succeeds. Entering `EmergencyRollback` or `LegacyOnly` sets the rollout to 0.
///
/// Routing; *in* means that the key is in the rollout, *sampled* that it is in the shadow share:
///
/// | mode | serves | shadow | default shadow share |
/// |---|---|---|---|
/// | `LegacyOnly` | legacy | none | |
/// | `Parallel` | legacy | new, if sampled | 100 % |
/// | `GradualRollout`, in | new | legacy, if sampled | 0 % |
/// | `GradualRollout`, out | legacy | new, if sampled | 0 % |
/// | `NewOnly` | new | legacy, if sampled | 0 % |
/// | `EmergencyRollback` | legacy | none | |
///
/// ```
/// use cutover::SystemMode;
///
/// let mode: SystemMode = "gradual_rollout".parse()?;
/// assert!(mode.check_transition(SystemMode::NewOnly).is_ok());
/// let refused = SystemMode::LegacyOnly.check_transition(SystemMode::NewOnly).unwrap_err();
/// assert_eq!(
///     refused.to_string(),
///     "legacy_only cannot become new_only; allowed from here: parallel, gradual_rollout, emergency_rollback",
/// );
/// # Ok::<(), cutover::UnknownMode>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[expect(clippy::exhaustive_enums, reason = "a new mode must break every match on purpose")]
pub enum SystemMode {
    /// Legacy serves alone: the state before a migration and after giving one up.
    #[default]
    LegacyOnly,
    /// Legacy serves, new runs as the shadow.
    Parallel,
    /// New serves the keys in the rollout, legacy the others.
    GradualRollout,
    /// New serves alone.
    NewOnly,
    /// Legacy serves alone because somebody, or a guard, pulled the brake.
    EmergencyRollback,
}

impl SystemMode {
    /// All modes, in the order of a migration.
    pub const ALL: [Self; 5] =
        [Self::LegacyOnly, Self::Parallel, Self::GradualRollout, Self::NewOnly, Self::EmergencyRollback];

    /// The mode of a number that was made by `as`; an unknown one is the safe mode.
    #[inline]
    pub(crate) const fn of_number(number: u64) -> Self {
        match number {
            1 => Self::Parallel,
            2 => Self::GradualRollout,
            3 => Self::NewOnly,
            4 => Self::EmergencyRollback,
            _ => Self::LegacyOnly,
        }
    }

    /// The name in stores, configuration and messages, such as `gradual_rollout`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::LegacyOnly => "legacy_only",
            Self::Parallel => "parallel",
            Self::GradualRollout => "gradual_rollout",
            Self::NewOnly => "new_only",
            Self::EmergencyRollback => "emergency_rollback",
        }
    }

    /// The row of the transition table: the modes that may follow, this one left out.
    #[must_use]
    pub const fn allowed(self) -> &'static [Self] {
        use SystemMode::{EmergencyRollback, GradualRollout, LegacyOnly, NewOnly, Parallel};
        match self {
            LegacyOnly => &[Parallel, GradualRollout, EmergencyRollback],
            Parallel => &[LegacyOnly, GradualRollout, NewOnly, EmergencyRollback],
            GradualRollout => &[LegacyOnly, Parallel, NewOnly, EmergencyRollback],
            NewOnly => &[GradualRollout, Parallel, EmergencyRollback],
            EmergencyRollback => &[LegacyOnly],
        }
    }

    /// Whether `to` may follow; staying is always allowed.
    #[must_use]
    pub const fn can_become(self, to: Self) -> bool {
        let mut rest = self.allowed();
        while let [mode, tail @ ..] = rest {
            if *mode as u8 == to as u8 {
                return true;
            }
            rest = tail;
        }
        self as u8 == to as u8
    }

    /// As [`can_become`](Self::can_become), with the reason.
    ///
    /// # Errors
    /// [`TransitionError`] names both modes and lists what is allowed from here.
    pub const fn check_transition(self, to: Self) -> Result<(), TransitionError> {
        if self.can_become(to) { Ok(()) } else { Err(TransitionError { from: self, to }) }
    }

    /// Whether entering this mode sets the rollout to 0.
    #[must_use]
    pub const fn resets_rollout(self) -> bool {
        matches!(self, Self::LegacyOnly | Self::EmergencyRollback)
    }

    /// The row of the routing table for a key that is `in_rollout`, which matters in `GradualRollout` only.
    #[must_use]
    #[inline]
    pub const fn routing(self, in_rollout: bool) -> Routing {
        const LEGACY_ALONE: Routing = Routing { serves: Side::Legacy, shadow: None, default_share: Percentage::ZERO };
        match (self, in_rollout) {
            (Self::LegacyOnly | Self::EmergencyRollback, _) => LEGACY_ALONE,
            (Self::Parallel, _) => {
                Routing { serves: Side::Legacy, shadow: Some(Side::New), default_share: Percentage::HUNDRED }
            }
            (Self::GradualRollout, false) => {
                Routing { serves: Side::Legacy, shadow: Some(Side::New), default_share: Percentage::ZERO }
            }
            (Self::GradualRollout, true) | (Self::NewOnly, _) => {
                Routing { serves: Side::New, shadow: Some(Side::Legacy), default_share: Percentage::ZERO }
            }
        }
    }
}

impl fmt::Display for SystemMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for SystemMode {
    type Err = UnknownMode;

    fn from_str(name: &str) -> Result<Self, UnknownMode> {
        Self::ALL.into_iter().find(|mode| mode.name() == name).ok_or_else(|| UnknownMode { name: excerpt(name) })
    }
}

impl Serialize for SystemMode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for SystemMode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// One row of the routing table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Routing {
    /// Who gives the caller's answer.
    pub serves: Side,
    /// Who runs beside it when the key is sampled.
    pub shadow: Option<Side>,
    /// The shadow share when none is set.
    pub default_share: Percentage,
}

/// A transition that the table does not allow. Nothing has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{from} cannot become {to}; allowed from here: {}", names(from.allowed()))]
#[non_exhaustive]
pub struct TransitionError {
    /// The mode that holds.
    pub from: SystemMode,
    /// The mode that was asked for.
    pub to: SystemMode,
}

/// A mode name that this version does not know. It is never taken for another mode.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` is not a mode; known modes: {}", names(&SystemMode::ALL))]
pub struct UnknownMode {
    name: String,
}

fn names(modes: &[SystemMode]) -> String {
    modes.iter().map(|mode| mode.name()).collect::<Vec<_>>().join(", ")
}
