//! [`Resolution`]: the answer to one evaluation, and why.

use cutover::bucket::{ALGORITHM, ppm_of};
use cutover::flag::Rule;
use cutover::{Percentage, Side, SystemMode};
use open_feature::provider::ResolutionDetails;
use open_feature::{EvaluationReason, FlagMetadata};

/// Who serves one targeting key, why, and by which numbers: all from one snapshot. It allocates nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Resolution {
    /// Who serves: the boolean is whether that is new, the string and the variant are its name.
    pub side: Side,
    /// The reason, in the words of the specification.
    pub reason: Reason,
    /// The rollout of the flag or migration.
    pub threshold: Percentage,
    /// Where the targeting key fell; `None` when none was hashed.
    pub bucket: Option<u64>,
    /// What answered.
    pub origin: Origin,
}

/// What answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Origin {
    /// A flag of a [`FlagSet`](cutover::FlagSet).
    #[non_exhaustive]
    Flag {
        /// The rule that decided.
        rule: Rule,
    },
    /// A migration, by its [controller](cutover::MigrationController).
    #[non_exhaustive]
    Migration {
        /// The mode by which this process routes.
        mode: SystemMode,
        /// The epoch of the record that this process believes; 0 if nothing is stored.
        epoch: u64,
        /// Whether others may have changed it, as in [`MigrationStatus::stale`](cutover::MigrationStatus::stale).
        stale: bool,
    },
}

/// Why a value is what it is: a [reason](EvaluationReason) of the specification. Which one is said when stands in the
/// [table](crate#reasons) of this crate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// No context would have changed the answer.
    Static,
    /// There are rules, none of them applied, and nobody else is on.
    Default,
    /// A list that names the targeting key decided, or a flag that is required.
    TargetingMatch,
    /// The bucket of the targeting key decided, or one that was drawn.
    Split,
    /// The kill switch is on, or an emergency holds.
    Disabled,
    /// The migration's store has not answered for too long, or failed: others may have changed what holds.
    Stale,
}

impl Reason {
    /// The name in the specification, such as `TARGETING_MATCH`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Static => "STATIC",
            Self::Default => "DEFAULT",
            Self::TargetingMatch => "TARGETING_MATCH",
            Self::Split => "SPLIT",
            Self::Disabled => "DISABLED",
            Self::Stale => "STALE",
        }
    }
}

impl From<Reason> for EvaluationReason {
    fn from(reason: Reason) -> Self {
        match reason {
            Reason::Static => Self::Static,
            Reason::Default => Self::Default,
            Reason::TargetingMatch => Self::TargetingMatch,
            Reason::Split => Self::Split,
            Reason::Disabled => Self::Disabled,
            Reason::Stale => Self::Other(reason.name().to_owned()),
        }
    }
}

impl Resolution {
    /// Whether new serves.
    #[must_use]
    pub const fn is_new(&self) -> bool {
        matches!(self.side, Side::New)
    }

    /// The numbers as flag metadata, by the names of the [table](crate#flag-metadata) of this crate.
    #[must_use]
    pub fn metadata(&self) -> FlagMetadata {
        let mut metadata = FlagMetadata::default();
        metadata.values.reserve(MOST_VALUES);
        metadata.add_value("threshold", self.threshold.ppm());
        match self.origin {
            Origin::Flag { rule } => metadata.add_value("rule", rule.name()),
            Origin::Migration { mode, epoch, stale } => {
                metadata.add_value("mode", mode.name());
                metadata.add_value("epoch", epoch.to_string());
                metadata.add_value("stale", stale);
            }
        }
        if let Some(bucket) = self.bucket {
            metadata.add_value("bucket", bucket.to_string());
            metadata.add_value("bucket_ppm", ppm_of(bucket));
            metadata.add_value("algorithm", ALGORITHM);
        }
        metadata
    }

    pub(crate) fn boolean(&self, with_metadata: bool) -> ResolutionDetails<bool> {
        self.details(self.is_new(), with_metadata)
    }

    pub(crate) fn string(&self, with_metadata: bool) -> ResolutionDetails<String> {
        self.details(self.side.name().to_owned(), with_metadata)
    }

    fn details<T>(&self, value: T, with_metadata: bool) -> ResolutionDetails<T> {
        ResolutionDetails {
            value,
            variant: Some(self.side.name().to_owned()),
            reason: Some(self.reason.into()),
            flag_metadata: with_metadata.then(|| self.metadata()),
        }
    }
}

/// What a migration in a gradual rollout says.
const MOST_VALUES: usize = 7;
