//! [`MigrationStatus`].

use std::time::{Duration, SystemTime};

use serde::Serialize;

use super::freshness::stale_from;
use super::health::Health;
use super::inner::Inner;
use super::known::Known;
use crate::Percentage;
use crate::mode::SystemMode;
use crate::monitor::PerformanceComparison;
use crate::store::{Actor, AuditEntry, Doubt, MigrationId, Reason};
use crate::wire::{hex, nanos, unix_millis};

/// All that one process knows of a migration, from one snapshot. As JSON, times are in milliseconds since the Unix epoch
/// and shares in percent.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct MigrationStatus {
    /// Which migration.
    pub id: MigrationId,
    /// The mode by which this process routes.
    pub mode: SystemMode,
    /// The rollout in effect.
    pub rollout: Percentage,
    /// The shadow share in effect: the one that is set, or the mode's default.
    pub shadow_share: Percentage,
    /// The epoch of the last record that this process believed; 0 if nothing is stored.
    pub epoch: u64,
    /// The etag of that record, as 32 hexadecimal digits when serialised; `None` if nothing is stored. With the epoch it is
    /// what a [`Proposal`](super::Proposal) expects.
    #[serde(serialize_with = "optional_hex")]
    pub etag: Option<u128>,
    /// Since when this holds: since the last change, or since something was last [noted](super::Note). `None` if nothing is
    /// stored.
    #[serde(serialize_with = "optional_millis")]
    pub since: Option<SystemTime>,
    /// When the store last answered.
    #[serde(serialize_with = "unix_millis::serialize")]
    pub as_of: SystemTime,
    /// How long ago that was, in nanoseconds when serialised, by a clock that never jumps. After a start without the store:
    /// since that start.
    #[serde(serialize_with = "nanos::serialize")]
    pub age: Duration,
    /// Whether others may have changed what is shown here: the store failed when it was last asked, or has not been asked
    /// for longer than the [longest staleness](super::ControllerBuilder::max_staleness).
    pub stale: bool,
    /// Whether this was chosen by a [`StartPolicy`](super::StartPolicy), and the store has not answered since.
    pub assumed: bool,
    /// Whether an emergency holds in this process that is not stored yet.
    pub unpersisted_emergency: bool,
    /// Why the store is not believed, if it is not.
    pub doubt: Option<Doubt>,
    /// Who made it so.
    pub actor: Option<Actor>,
    /// Why.
    pub reason: Option<Reason>,
    /// The modes that may follow.
    pub allowed: Vec<SystemMode>,
    /// The last transitions, oldest first: at most 10, of the last 50 changes.
    pub recent_transitions: Vec<AuditEntry>,
    /// The health of the sides; `None` if neither is [checked](super::ControllerBuilder::health_check).
    pub health: Option<Health>,
    /// How the two sides compare in this process; `None` without a [monitor](super::ControllerBuilder::performance).
    pub performance: Option<PerformanceComparison>,
}

impl Inner {
    pub(super) fn status(&self) -> MigrationStatus {
        // The monitor asks the host's clock, for which no emergency waits.
        let performance = self.performance.as_ref().map(|monitor| monitor.comparison());
        let known = self.known();
        let settings = known.effective();
        let (since, actor, reason) = origin(&known);
        let now = self.clock.now();
        MigrationStatus {
            id: self.port.id.clone(),
            mode: settings.mode,
            rollout: settings.rollout,
            shadow_share: settings.effective_shadow_share(),
            epoch: known.epoch(),
            etag: known.etag(),
            since,
            as_of: known.heard.wall,
            age: now.since(known.heard.moment),
            stale: now >= stale_from(&known, self.max_staleness),
            assumed: known.assumed.is_some(),
            unpersisted_emergency: known.brake.is_some(),
            doubt: known.doubt(),
            actor,
            reason,
            allowed: settings.mode.allowed().to_vec(),
            recent_transitions: known.recent.to_vec(),
            health: self.health.health(),
            performance,
        }
    }
}

/// Since when, by whom and why: of the emergency that is not stored yet, else of the record.
fn origin(known: &Known) -> (Option<SystemTime>, Option<Actor>, Option<Reason>) {
    if let Some(brake) = &known.brake {
        let pulled = &brake.emergency;
        return (Some(pulled.at), Some(pulled.actor.clone()), Some(pulled.reason.clone()));
    }
    let Some(record) = &known.record else { return (None, None, None) };
    (Some(record.since), Some(record.actor.clone()), Some(record.reason.clone()))
}

#[expect(clippy::ref_option, reason = "serde passes fields by reference")]
pub(super) fn optional_millis<S: serde::Serializer>(
    time: &Option<SystemTime>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match time {
        Some(time) => unix_millis::serialize(time, serializer),
        None => serializer.serialize_none(),
    }
}

#[expect(clippy::ref_option, reason = "serde passes fields by reference")]
fn optional_hex<S: serde::Serializer>(bits: &Option<u128>, serializer: S) -> Result<S::Ok, S::Error> {
    match bits {
        Some(bits) => hex::serialize(bits, serializer),
        None => serializer.serialize_none(),
    }
}
