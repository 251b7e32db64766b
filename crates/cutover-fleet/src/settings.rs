//! [`Deadlines`], [`Settings`]: what a host may set, as data.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::fleet::Phase;
use crate::kpi::KpiTargets;
use crate::recovery::Restore;

/// How long a call of the host may take before it is dropped and counts as failed. As data, texts such as `90s`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Deadlines {
    /// A step of the conversion. The default is 30 minutes.
    #[serde(with = "humantime_serde")]
    pub conversion: Duration,
    /// Deploying, starting, stopping. The default is 10 minutes.
    #[serde(with = "humantime_serde")]
    pub lifecycle: Duration,
    /// Switching traffic. The default is 30 seconds.
    #[serde(with = "humantime_serde")]
    pub traffic: Duration,
    /// Making a backup, or putting it back. The default is an hour.
    #[serde(with = "humantime_serde")]
    pub backups: Duration,
    /// Looking: vitals, logs, metrics, whether there is a backup. The default is 10 seconds.
    #[serde(with = "humantime_serde")]
    pub look: Duration,
    /// Testing a side from outside. The default is 2 minutes.
    #[serde(with = "humantime_serde")]
    pub verify: Duration,
    /// One check of a list. The default is a minute.
    #[serde(with = "humantime_serde")]
    pub check: Duration,
    /// Telling people. The default is 30 seconds.
    #[serde(with = "humantime_serde")]
    pub escalation: Duration,
}

impl Default for Deadlines {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self {
            conversion: seconds(1_800),
            lifecycle: seconds(600),
            traffic: seconds(30),
            backups: seconds(3_600),
            look: seconds(10),
            verify: seconds(120),
            check: seconds(60),
            escalation: seconds(30),
        }
    }
}

/// What a fleet goes by, as data: what is not given is as in the default.
///
/// ```
/// use cutover_fleet::Settings;
/// let settings: Settings = serde_json::from_str(r#"{ "validation_gate": 0.9, "deadlines": { "lifecycle": "5m" } }"#)?;
/// assert_eq!((settings.validation_gate, settings.phases.len()), (0.9, 4));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Settings {
    /// The share of validation cases that must pass. The default is 0.8; more than 0, at most 1.
    pub validation_gate: f64,
    /// The phases, in their order. The default is [`Phase::four`].
    pub phases: Vec<Phase>,
    /// Whether a recovery puts a backup back.
    pub restore: Restore,
    /// How long calls may take.
    pub deadlines: Deadlines,
    /// For how long a claim on a system holds that nobody renews: so long is waited for a runner that has gone. The default is
    /// 30 seconds; [those of a claim](cutover::Claims::MIN_TTL) are allowed. As data, a text such as `30s`.
    #[serde(with = "humantime_serde")]
    pub lease: Duration,
    /// What the figures are to be.
    pub targets: KpiTargets,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            validation_gate: 0.8,
            phases: Phase::four(),
            restore: Restore::default(),
            deadlines: Deadlines::default(),
            lease: Duration::from_secs(30),
            targets: KpiTargets::default(),
        }
    }
}
