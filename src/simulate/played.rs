//! [`Played`]: what came of one run.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::seconds;
use crate::Percentage;
use crate::guard::{Action, GuardReport, Trigger};
use crate::mode::SystemMode;

/// What came of one run. All times are since the plan began; they are in seconds when serialised.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Played {
    /// With this seed it happens again.
    pub seed: u64,
    /// How it ended.
    pub outcome: Outcome,
    /// When.
    #[serde(with = "seconds")]
    pub took: Duration,
    /// Calls, whoever served them.
    pub calls: u64,
    /// Calls that new served.
    pub served_by_new: u64,
    /// What was broken, if something was.
    pub broken: Option<Broken>,
    /// What the guard found, the first time that it found something.
    pub breach: Option<Breach>,
    /// Whether that was before anything was broken.
    pub false_alarm: bool,
    /// When the naive rule would have rolled back: more than 5 failures in the last 100 calls of new, asked after every call.
    pub naive: Option<NaiveAlarm>,
    /// What happened, in its order.
    pub timeline: Vec<Moment>,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Outcome {
    /// The last step is over.
    Finished,
    /// Everything went back to legacy.
    RolledBack,
    /// It did not come to an end in the time that the model gives it.
    GivenUp,
}

/// What a fault did.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Broken {
    /// When the first fault began.
    #[serde(with = "seconds")]
    pub at: Duration,
    /// Calls that new served since then.
    pub served_by_new: u64,
    /// Those of them that failed, never ended, were wrong or slow because of a fault.
    pub hurt_calls: u64,
    /// The keys of these.
    pub hurt_keys: u64,
}

/// What the guard found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Breach {
    /// When.
    #[serde(with = "seconds")]
    pub at: Duration,
    /// How long after the first fault began; 0 for a false alarm.
    #[serde(with = "seconds")]
    pub delay: Duration,
    /// Calls that new served in that time.
    pub served_by_new: u64,
    /// In which step.
    pub step: String,
    /// What the plan did.
    pub action: Action,
    /// The triggers that had regressed.
    pub triggers: Vec<Trigger>,
}

/// When the naive rule would have rolled back.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct NaiveAlarm {
    /// When.
    #[serde(with = "seconds")]
    pub at: Duration,
    /// How long after the first fault began; 0 for a false alarm.
    #[serde(with = "seconds")]
    pub delay: Duration,
    /// Whether nothing was broken yet.
    pub is_false: bool,
    /// How many calls were hurt by then.
    pub hurt_calls: u64,
}

/// One line of a timeline.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Moment {
    /// When.
    #[serde(with = "seconds")]
    pub at: Duration,
    /// The mode that holds from then on.
    pub mode: SystemMode,
    /// The rollout that holds from then on.
    pub rollout: Percentage,
    /// What happened.
    pub event: Happening,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "happened", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Happening {
    /// The plan entered a step.
    Entered {
        /// Which one.
        step: String,
    },
    /// A fault began.
    Broke {
        /// Its place in the model, from 0.
        fault: usize,
    },
    /// A fault ended.
    Mended {
        /// Its place in the model, from 0.
        fault: usize,
    },
    /// A person approved a step.
    Approved {
        /// Which one.
        step: String,
    },
    /// A person said that they know that a step cannot be taken back.
    Acknowledged {
        /// Which one.
        step: String,
    },
    /// The guard found something.
    Breached {
        /// What the plan did.
        action: Action,
        /// What it saw.
        report: Box<GuardReport>,
    },
    /// Everything went back to legacy.
    RolledBack {
        /// Whether a person did it.
        by_a_person: bool,
    },
    /// A person found nothing broken, and let the plan go on.
    Resumed,
    /// The last step is over.
    Finished,
    /// The time is over.
    GivenUp {
        /// What the plan was waiting for.
        waiting: String,
    },
}
