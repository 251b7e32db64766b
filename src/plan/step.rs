//! [`Step`]: one step of a plan, as data.

use std::fmt;
use std::time::Duration;

use serde::de::{self, SeqAccess, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::span;
use crate::Percentage;
use crate::guard::{Action, Criterion};
use crate::mode::SystemMode;
use crate::store::Settings;

/// One step of a [`RolloutPlan`](super::RolloutPlan): what holds during it, what has to be seen before it ends, and what it
/// takes to enter it.
///
/// `hold`, `min_samples` and `gate` are about leaving it: all three must be met before the next step is entered. `approval`
/// and `reversibility` are about entering it.
///
/// ```
/// use cutover::guard::Criterion;
/// use cutover::plan::{OnBreach, Reversibility, Step};
/// use cutover::Percentage;
/// use std::time::Duration;
///
/// let pilot = Step::gradual("pilot", Percentage::new(5.0)?)
///     .hold(Duration::from_secs(3 * 24 * 60 * 60))
///     .min_samples(10_000)
///     .gate([Criterion::Throughput, Criterion::Latency])
///     .approved_by_a_person()
///     .reversibility(Reversibility::Feasible)
///     .on_breach(OnBreach::Ask);
/// assert_eq!(pilot.name, "pilot");
/// # Ok::<(), cutover::PercentageError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Step {
    /// Its name, which no other step of the plan has: 1 to 64 of `a-z`, `0-9`, `.`, `_` and `-`, the first a letter or digit.
    pub name: String,
    /// The mode: `Parallel`, `GradualRollout` or `NewOnly`.
    pub mode: SystemMode,
    /// The share of keys that new serves, in percent when serialised: above 0 in `GradualRollout`, and not given otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollout: Option<Percentage>,
    /// The share of calls that also run the shadow; not given for the mode's default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shadow_share: Option<Percentage>,
    /// How long it lasts at least, in whole seconds. In text `3d`, `36h`, `90m`, `45s` or a number of seconds.
    #[serde(with = "span")]
    pub hold: Duration,
    /// How many calls of new must have been seen in it. Without any call it never ends.
    /// Where a text does not give it: 1,000.
    #[serde(default = "default_samples")]
    pub min_samples: u64,
    /// What must be proven in it.
    pub gate: Gate,
    /// Who allows it to begin.
    #[serde(default)]
    pub approval: Approval,
    /// How it can be taken back.
    #[serde(default)]
    pub reversibility: Reversibility,
    /// What a breach of a trigger does in it.
    #[serde(default)]
    pub on_breach: OnBreach,
    /// Whether it is meant to expose less to new than the step before it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub backwards: bool,
}

const fn default_samples() -> u64 {
    1_000
}

impl Step {
    /// Legacy serves, and new is compared with it.
    pub fn parallel(name: impl Into<String>) -> Self {
        Self::new(name.into(), SystemMode::Parallel, None)
    }

    /// New serves the share `rollout` of the keys.
    pub fn gradual(name: impl Into<String>, rollout: Percentage) -> Self {
        Self::new(name.into(), SystemMode::GradualRollout, Some(rollout))
    }

    /// New serves alone.
    pub fn new_only(name: impl Into<String>) -> Self {
        Self::new(name.into(), SystemMode::NewOnly, None)
    }

    /// A day, a thousand calls, and a gate of throughput and latency, and in `Parallel` of validation too.
    fn new(name: String, mode: SystemMode, rollout: Option<Percentage>) -> Self {
        let all = [Criterion::Validation, Criterion::Throughput, Criterion::Latency];
        let served = [Criterion::Throughput, Criterion::Latency];
        let gate = if mode == SystemMode::Parallel { Gate::of(all) } else { Gate::of(served) };
        Self {
            name,
            mode,
            rollout,
            shadow_share: None,
            hold: Duration::from_secs(24 * 60 * 60),
            min_samples: default_samples(),
            gate,
            approval: Approval::default(),
            reversibility: Reversibility::default(),
            on_breach: OnBreach::default(),
            backwards: false,
        }
    }

    /// How long it lasts at least. The default is a day.
    #[must_use]
    pub fn hold(self, hold: Duration) -> Self {
        Self { hold, ..self }
    }

    /// How many calls of new it takes. The default is 1000.
    #[must_use]
    pub fn min_samples(self, min_samples: u64) -> Self {
        Self { min_samples, ..self }
    }

    /// The share of calls that also run the shadow. The default is that of the mode.
    #[must_use]
    pub fn shadow_share(self, share: Percentage) -> Self {
        Self { shadow_share: Some(share), ..self }
    }

    /// What must be proven in it. The default is throughput and latency, and in `Parallel` validation too.
    #[must_use]
    pub fn gate(self, criteria: impl IntoIterator<Item = Criterion>) -> Self {
        Self { gate: Gate::of(criteria), ..self }
    }

    /// Nothing has to be proven in it: time and calls are enough.
    #[must_use]
    pub fn without_gate(self) -> Self {
        Self { gate: Gate::Open, ..self }
    }

    /// A person has to allow it.
    #[must_use]
    pub fn approved_by_a_person(self) -> Self {
        Self { approval: Approval::Person, ..self }
    }

    /// How it can be taken back. The default is [`Reversibility::Easy`].
    #[must_use]
    pub fn reversibility(self, reversibility: Reversibility) -> Self {
        Self { reversibility, ..self }
    }

    /// What a breach does in it. The default is [`OnBreach::Rollback`].
    #[must_use]
    pub fn on_breach(self, on_breach: OnBreach) -> Self {
        Self { on_breach, ..self }
    }

    /// It is meant to expose less to new than the step before it.
    #[must_use]
    pub fn backwards(self) -> Self {
        Self { backwards: true, ..self }
    }

    /// What the store holds during the step: all keys in `NewOnly` and none in `Parallel` are in the rollout.
    #[must_use]
    pub fn settings(&self) -> Settings {
        let fixed = if self.mode == SystemMode::NewOnly { Percentage::HUNDRED } else { Percentage::ZERO };
        Settings { mode: self.mode, rollout: self.rollout.unwrap_or(fixed), shadow_share: self.shadow_share }
    }

    /// Whether answers are compared during the step.
    pub(super) fn compares(&self) -> bool {
        self.settings().effective_shadow_share().ppm() > 0
    }
}

/// What must be proven during a step. As text it is `none` or a list such as `["throughput", "latency"]`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Gate {
    /// Nothing, on purpose.
    Open,
    /// All of these.
    Proven(Vec<Criterion>),
}

impl Gate {
    /// All of `criteria`, each once.
    pub fn of(criteria: impl IntoIterator<Item = Criterion>) -> Self {
        let mut criteria: Vec<_> = criteria.into_iter().collect();
        criteria.sort_unstable();
        criteria.dedup();
        Self::Proven(criteria)
    }

    /// What must be proven.
    #[must_use]
    pub fn criteria(&self) -> &[Criterion] {
        match self {
            Self::Open => &[],
            Self::Proven(criteria) => criteria,
        }
    }
}

impl Serialize for Gate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Open => serializer.serialize_str(NO_GATE),
            Self::Proven(criteria) => criteria.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Gate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(GateText)
    }
}

const NO_GATE: &str = "none";

struct GateText;

impl<'de> Visitor<'de> for GateText {
    type Value = Gate;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{NO_GATE}\" or a list of {}", Criterion::ALL.map(Criterion::name).join(", "))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Gate, E> {
        let unknown = || E::invalid_value(Unexpected::Str(&crate::excerpt::excerpt(text)), &self);
        (text == NO_GATE).then_some(Gate::Open).ok_or_else(unknown)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Gate, A::Error> {
        let mut criteria = Vec::new();
        while let Some(criterion) = list.next_element()? {
            criteria.push(criterion);
        }
        Ok(Gate::of(criteria))
    }
}

/// Who allows a step to begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Approval {
    /// It begins when everything else is met.
    #[default]
    Automatic,
    /// A person has to allow it, while the plan stands at the step before it.
    Person,
}

/// How a step can be taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Reversibility {
    /// At any time, by a rollback.
    #[default]
    Easy,
    /// By a rollback and some work.
    Feasible,
    /// By a rollback and much work.
    Difficult,
    /// Not at all: what new has written since, legacy does not know. It takes an acknowledgement by a person, and no breach
    /// rolls it back by itself.
    ForwardOnly,
}

/// What a breach of a trigger does: the weakest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum OnBreach {
    /// The plan asks a person and waits for them to resume or abort it.
    Ask,
    /// The plan stops where it is until a person resumes or aborts it.
    Freeze,
    /// Everything goes back to legacy at once.
    #[default]
    Rollback,
}

impl From<OnBreach> for Action {
    fn from(on_breach: OnBreach) -> Self {
        match on_breach {
            OnBreach::Ask => Self::Ask,
            OnBreach::Freeze => Self::Freeze,
            OnBreach::Rollback => Self::Rollback,
        }
    }
}

macro_rules! named {
    ($type:ident { $($variant:ident: $name:literal),* $(,)? }) => {
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(match self { $(Self::$variant => $name),* })
            }
        }
    };
}

named!(Approval { Automatic: "automatic", Person: "person" });
named!(Reversibility { Easy: "easy", Feasible: "feasible", Difficult: "difficult", ForwardOnly: "forward_only" });
named!(OnBreach { Ask: "ask", Freeze: "freeze", Rollback: "rollback" });

impl fmt::Display for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<String> = self.criteria().iter().map(ToString::to_string).collect();
        f.pad(&if names.is_empty() { "none".to_owned() } else { names.join("+") })
    }
}
