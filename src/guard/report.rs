//! [`GuardReport`]: what a guard saw, found and asks for.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Action, Criterion, GuardVerdict, Trigger};
use crate::mode::SystemMode;
use crate::monitor::Baseline;
use crate::percentage::Percentage;
use crate::store::AuditEntry;

/// What a guard saw at one look, what that proves, and what it asks for. As text it is for people who run the service; as
/// JSON it is the evidence of a change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct GuardReport {
    /// `Regressed` if a trigger is that is no dry run; `Healthy` if all triggers with data in this mode are; else
    /// `Inconclusive`.
    pub verdict: GuardVerdict,
    /// What is asked for, until it is done. Doing it twice does no harm.
    pub action: Option<Action>,
    /// The epoch that was judged.
    pub epoch: u64,
    /// The mode that was judged.
    pub mode: SystemMode,
    /// The rollout that was judged, in percent when serialised.
    pub rollout: Percentage,
    /// The number of the phase, from 1: epochs with the same settings are one phase. 0 before new has run.
    pub phase: u64,
    /// What legacy did before new was judged by it, and what slow calls are measured by; `None` as long as too little is known.
    #[serde(default)]
    pub baseline: Option<Baseline>,
    /// The triggers that are switched on.
    pub triggers: Vec<TriggerReport>,
    /// What is proven of new.
    pub criteria: Vec<CriterionReport>,
    /// What else one should know.
    pub notes: Vec<Note>,
}

/// What was found about one trigger.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TriggerReport {
    /// Which one.
    pub trigger: Trigger,
    /// What is proven.
    pub verdict: GuardVerdict,
    /// What proves that it has regressed, if it has.
    pub proof: Option<Proof>,
    /// Whether this mode gives data for it.
    pub applies: bool,
    /// Bad events of new: failures, slow calls, comparisons that disagree, failed checks in a row.
    pub events: u64,
    /// Of how many; 0 where there is no such number.
    pub trials: u64,
    /// The share of bad events; the average in seconds for the average duration. `None` without data.
    pub estimate: Option<f64>,
    /// The limit, in the unit of the trigger.
    pub limit: f64,
    /// Beyond how many times the p95 of legacy calls were counted as slow, where that is not the limit. Then they prove nothing.
    pub counted_beyond: Option<f64>,
    /// Bad events of legacy.
    pub legacy_events: u64,
    /// Of how many.
    pub legacy_trials: u64,
    /// How much is proven; `None` for triggers that compare one number with a limit.
    pub strength: Option<Strength>,
    /// New beside legacy; `None` where legacy does not run beside it.
    pub relative: Option<RelativeReport>,
    /// What happens when it has regressed.
    pub action: Action,
    /// Whether it is only reported.
    pub dry_run: bool,
}

/// Why a trigger has regressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Proof {
    /// All that was counted in this phase.
    Evidence,
    /// What was counted lately, in a phase that was healthy before.
    Alarm,
    /// One number above its limit.
    Number,
}

/// How much is proven, as natural logarithms. Where new is also compared with legacy, the smaller one of both counts.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Strength {
    /// The e-value of this phase. While new keeps to the limit or is no worse than legacy, it ever reaches `N` with a
    /// probability of at most `1 / N`.
    pub ln_e: f64,
    /// It has regressed from here on; `None` where only the alarm counts.
    pub ln_threshold: Option<f64>,
    /// The value of the detector of changes.
    pub ln_alarm: f64,
    /// It has regressed from here on.
    pub ln_alarm_threshold: f64,
}

/// The bad events that tell new from legacy.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RelativeReport {
    /// How legacy runs beside new.
    pub control: Control,
    /// Events of new alone.
    pub new: u64,
    /// Events of legacy alone.
    pub legacy: u64,
    /// Which share of them would be of new, from 0 to 1, if both were equally good: the one that it should serve, or the one
    /// that it serves if that is proven to be more.
    pub expected_share: f64,
    /// The e-value against "new is no worse than legacy".
    pub ln_e: f64,
}

/// How legacy runs beside new.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Control {
    /// Both run the same items.
    Pairs,
    /// Each call is served by one of them, by the share of the rollout.
    Split,
}

/// What is proven about one criterion of promotion.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CriterionReport {
    /// Which one.
    pub criterion: Criterion,
    /// Whether it is proven. It is never `Regressed`: that is what triggers are for.
    pub verdict: GuardVerdict,
    /// Bad events: comparisons that disagree, calls that did not end in time, slow calls.
    pub events: u64,
    /// Of how many.
    pub trials: u64,
    /// Their share; `None` without data.
    pub estimate: Option<f64>,
    /// The share that has to be proven not to be reached.
    pub limit: f64,
    /// Beyond how many times the p95 of legacy calls were counted as slow, where that is not what is asked for. Then nothing
    /// is proven.
    pub counted_beyond: Option<f64>,
    /// The e-value against "the limit is reached", as a natural logarithm.
    pub ln_e: f64,
    /// It is proven from here on.
    pub ln_threshold: f64,
    /// Whether it was proven, but what came lately speaks against it: then it holds.
    pub lately_worse: bool,
}

/// What else one should know about a look.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "note", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Note {
    /// New does not run in this mode, so there is nothing to judge.
    NothingToJudge,
    /// Nothing of this epoch has been counted yet.
    NothingCounted,
    /// Nothing new was counted for long: monitoring may be down. What it says is neither success nor failure.
    NoNewCounts {
        /// For how many seconds.
        seconds: u64,
    },
    /// The counts went back, since a source of them began anew. So does this guard, with a new phase.
    BegunAnew,
    /// There is no baseline yet: nobody knows what is slow.
    NoBaseline,
    /// Legacy fails its health checks too, so that going back to it is no way out.
    LegacyUnhealthy,
    /// New gets more or fewer calls than its share. If it gets more, it has to be worse than legacy by as much more. If
    /// new, or legacy, gets less than a fifth of its share, new is judged by the limits alone.
    WrongSplit {
        /// The share of calls that it should get, from 0 to 1.
        expected: f64,
        /// The share that it gets.
        seen: f64,
    },
    /// Calls are counted as slow beyond another number of times the p95 of legacy than the limit of the p95 trigger, which is
    /// held: build the monitor with [`p95_factor`](crate::monitor::PerformanceMonitorBuilder::p95_factor), or the triggers
    /// with the limit by which it counts.
    OtherP95Factor {
        /// The factor of [`Evidence::latency_factors`](crate::monitor::Evidence::latency_factors).
        counted: f64,
        /// The limit.
        limit: f64,
    },
    /// As `OtherP95Factor`, for the latency criterion, which cannot be proven: build the monitor with
    /// [`promotion_factor`](crate::monitor::PerformanceMonitorBuilder::promotion_factor).
    OtherPromotionFactor {
        /// The factor of [`Evidence::latency_factors`](crate::monitor::Evidence::latency_factors).
        counted: f64,
        /// 1 and the change that [`PromotionCriteria`](super::PromotionCriteria) allow.
        limit: f64,
    },
    /// So many automatic actions are enough for the time: it is frozen instead, and somebody has to look.
    ActionsSpent {
        /// How many there were.
        actions: u32,
        /// In how many seconds.
        seconds: u64,
    },
    /// After an automatic action nothing is promoted for a while.
    CoolingDown {
        /// For how many more seconds.
        seconds: u64,
    },
    /// A trigger had regressed in an earlier phase, and nobody has begun anew since.
    Held {
        /// Which one.
        trigger: Trigger,
    },
}

impl GuardReport {
    /// What was found about `trigger`; `None` if it is switched off.
    #[must_use]
    pub fn trigger(&self, trigger: Trigger) -> Option<&TriggerReport> {
        self.triggers.iter().find(|report| report.trigger == trigger)
    }

    /// What is proven about `criterion`.
    #[must_use]
    pub fn criterion(&self, criterion: Criterion) -> Option<&CriterionReport> {
        self.criteria.iter().find(|report| report.criterion == criterion)
    }

    /// The triggers that have regressed, those of a dry run too.
    pub fn regressed(&self) -> impl Iterator<Item = &TriggerReport> {
        self.triggers.iter().filter(|report| report.verdict == GuardVerdict::Regressed)
    }

    /// Whether new may be promoted by this evidence: all of `asked` are proven, nothing has regressed, in
    /// this phase or in an earlier one that nobody has answered, no cool-down runs, and monitoring is not down.
    ///
    /// Who asks for nothing has only the latter.
    #[must_use]
    pub fn promotes(&self, asked: &[Criterion]) -> bool {
        let proven = |wanted: &Criterion| {
            self.criterion(*wanted).is_some_and(|criterion| criterion.verdict == GuardVerdict::Healthy)
        };
        self.held_by().is_none() && asked.iter().all(proven)
    }

    /// What forbids to promote, whatever is proven.
    #[must_use]
    pub fn held_by(&self) -> Option<Hold> {
        if self.verdict == GuardVerdict::Regressed || self.action.is_some_and(|action| action > Action::Warn) {
            return Some(Hold::Regressed);
        }
        let holds = self.notes.iter().filter_map(|note| match note {
            Note::Held { .. } => Some(Hold::Regressed),
            Note::CoolingDown { .. } | Note::ActionsSpent { .. } => Some(Hold::CoolingDown),
            Note::NoNewCounts { .. } => Some(Hold::NoNewCounts),
            Note::NothingToJudge
            | Note::NothingCounted
            | Note::BegunAnew
            | Note::NoBaseline
            | Note::LegacyUnhealthy
            | Note::OtherP95Factor { .. }
            | Note::OtherPromotionFactor { .. }
            | Note::WrongSplit { .. } => None,
        });
        holds.max()
    }

    /// What has regressed, in a sentence for each trigger that is no dry run: the reason of a rollback.
    #[must_use]
    pub fn reason(&self) -> String {
        let real = self.regressed().filter(|report| !report.dry_run);
        real.map(TriggerReport::reason).collect::<Vec<_>>().join("; ")
    }

    /// The report that led to a change, if one did: what a plan or an [`AutoRollback`](super::AutoRollback) saw when it rolled
    /// back or went forward.
    ///
    /// ```
    /// use cutover::guard::GuardReport;
    /// use cutover::{MemoryStore, MigrationController};
    ///
    /// # futures::executor::block_on(async {
    /// let search = MigrationController::open("search", MemoryStore::new()).await?;
    /// for entry in search.history(0, 200).await? {
    ///     println!("{}: {} ({})", entry.epoch, entry.reason, entry.actor);
    ///     GuardReport::of(&entry).inspect(|report| println!("{report}"));
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    #[must_use]
    pub fn of(entry: &AuditEntry) -> Option<Self> {
        let evidence = entry.evidence.as_ref()?;
        Self::deserialize(evidence.get("guard").unwrap_or(evidence)).ok()
    }

    /// The report as JSON, as evidence for the audit: a few kilobytes.
    #[must_use]
    pub fn evidence(&self) -> Value {
        serde_json::to_value(self).unwrap_or_default()
    }
}

impl TriggerReport {
    /// The counts are of the whole phase, in which a late fault may be little.
    fn reason(&self) -> String {
        let proven_by = if self.proof == Some(Proof::Alarm) { " by the latest calls; in all" } else { "" };
        format!("{}{proven_by}: {}", self.trigger, self.sentence())
    }
}

/// What forbids to promote. The later one outweighs the earlier ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Hold {
    /// Monitoring may be down.
    NoNewCounts,
    /// There was an automatic action a short while ago.
    CoolingDown,
    /// Something has regressed, and nobody has begun anew since.
    Regressed,
}
