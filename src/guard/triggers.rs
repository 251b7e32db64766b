//! [`RollbackTriggers`]: what makes a guard act, as data.

use serde::{Deserialize, Serialize};

use super::rules::Rules;
use super::{Action, GuardError, Trigger};

/// When a guard acts: limits, and how often it may be wrong.
///
/// The default:
///
/// | trigger | acts when it is proven that | share | action |
/// |---|---|---|---|
/// | validation | more than 0.3 of the comparisons disagree (success below 0.7) | 0.2 | roll back |
/// | error rate | more than 0.05 of the calls of new fail | 0.4 | roll back |
/// | p95 | more than 5 % of the calls of new take longer than 2 times the p95 of legacy | 0.2 | roll back |
/// | throughput | less than 0.5 of the calls of new come to an end in time | 0.1 | roll back |
/// | health | more than 3 health checks of new in a row have not succeeded | 0.1 | roll back |
/// | average duration | new takes more than 600 s on average | 0 | warn |
///
/// The *budget* is the probability that there is ever a false rollback by what a phase has counted, in all phases of a guard
/// together and however often somebody looks: 1 %. The phase number `k` may spend `6 / (pi^2 k^2)` of it. A *share* is a
/// trigger's part. How often a health check fails by chance is not known to anybody: its share is set aside for it, and is
/// not used. The detectors of changes, which know no end, are not in the budget: their false alarms come on top of it. With `A`
/// [`CallsToFalseAlarm`] there is one within `n` calls with a probability of at most `n / A`: by default one in 1,000 for a
/// million calls beside legacy, and one in 1,000 for a thousand calls in `NewOnly`, where nothing but the detectors judges. Both
/// hold at the limits exactly; further below, a false alarm is far rarer.
///
/// The monitor counts which calls are slow: build it with the same factor as the limit of the p95 here. With another one the
/// p95 proves nothing, and the report says so.
///
/// It is data: it can be read from any configuration format. What is not given there is as in the default, and what is
/// not allowed is refused.
///
/// ```
/// use cutover::guard::{Action, RollbackTriggers, Trigger};
///
/// let triggers = RollbackTriggers::builder()
///     .limit(Trigger::ErrorRate, 0.02)
///     .action(Trigger::Validation, Action::Ask)
///     .dry_run(Trigger::P95)
///     .build()?;
/// let read: RollbackTriggers = serde_json::from_str(
///     r#"{ "error_rate": { "limit": 0.02 }, "validation": { "action": "ask" }, "p95": { "dry_run": true } }"#,
/// )?;
/// assert_eq!(read, triggers);
///
/// let refused = RollbackTriggers::builder().limit(Trigger::ErrorRate, 5.0).build().unwrap_err();
/// assert_eq!(
///     refused.to_string(),
///     "the limit of the trigger `error_rate` is 5; allowed: more than 0, at most 0.9",
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Rules", into = "Rules")]
pub struct RollbackTriggers {
    pub(super) rules: [TriggerRule; Trigger::ALL.len()],
    pub(super) budget: f64,
    pub(super) false_alarm: CallsToFalseAlarm,
}

/// One trigger.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[non_exhaustive]
pub struct TriggerRule {
    /// Beyond it new has regressed; its unit is that of the trigger, see [`RollbackTriggers`].
    pub limit: f64,
    /// Its part of the budget of false rollbacks, from 0 to 1.
    pub share: f64,
    /// What happens then.
    pub action: Action,
    /// Whether it is only reported, and nothing happens.
    pub dry_run: bool,
    /// Whether it is looked at.
    pub enabled: bool,
}

/// After how many calls, on average, a detector of changes gives a false alarm, if all triggers stay exactly at their limits;
/// within `n` of these calls there is one with a probability of at most `n` divided by it. That comes on top of the
/// [budget](RollbackTriggers::budget).
/// Each of them gets its share: it alone takes longer.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(clippy::exhaustive_structs, reason = "a guard with a control and one without is all there is")]
pub struct CallsToFalseAlarm {
    /// Where legacy runs at the same time, beside the budget. The default is 1e9.
    pub with_control: f64,
    /// Where it does not, such as in `NewOnly`. The default is 1e6.
    pub without_control: f64,
}

impl Default for CallsToFalseAlarm {
    fn default() -> Self {
        Self { with_control: 1e9, without_control: 1e6 }
    }
}

impl Default for RollbackTriggers {
    fn default() -> Self {
        Self {
            rules: Trigger::ALL.map(TriggerRule::default_of),
            budget: 0.01,
            false_alarm: CallsToFalseAlarm::default(),
        }
    }
}

impl TriggerRule {
    pub(super) const fn default_of(trigger: Trigger) -> Self {
        let (limit, share, action) = match trigger {
            Trigger::Validation => (0.3, 0.2, Action::Rollback),
            Trigger::ErrorRate => (0.05, 0.4, Action::Rollback),
            Trigger::P95 => (2.0, 0.2, Action::Rollback),
            Trigger::Throughput => (0.5, 0.1, Action::Rollback),
            Trigger::Health => (3.0, 0.1, Action::Rollback),
            Trigger::AverageDuration => (600.0, 0.0, Action::Warn),
        };
        Self { limit, share, action, dry_run: false, enabled: true }
    }
}

impl RollbackTriggers {
    /// Builds other triggers than the default.
    pub fn builder() -> RollbackTriggersBuilder {
        RollbackTriggersBuilder { triggers: Self::default() }
    }

    /// One of them.
    #[must_use]
    pub const fn rule(&self, trigger: Trigger) -> &TriggerRule {
        let [validation, error_rate, p95, throughput, health, average_duration] = &self.rules;
        match trigger {
            Trigger::Validation => validation,
            Trigger::ErrorRate => error_rate,
            Trigger::P95 => p95,
            Trigger::Throughput => throughput,
            Trigger::Health => health,
            Trigger::AverageDuration => average_duration,
        }
    }

    pub(super) const fn rule_mut(&mut self, trigger: Trigger) -> &mut TriggerRule {
        let [validation, error_rate, p95, throughput, health, average_duration] = &mut self.rules;
        match trigger {
            Trigger::Validation => validation,
            Trigger::ErrorRate => error_rate,
            Trigger::P95 => p95,
            Trigger::Throughput => throughput,
            Trigger::Health => health,
            Trigger::AverageDuration => average_duration,
        }
    }

    /// The probability of any false rollback by what a phase has counted, from 0 to 1. The detectors of changes come on top:
    /// see [`calls_to_false_alarm`](Self::calls_to_false_alarm).
    #[must_use]
    pub const fn budget(&self) -> f64 {
        self.budget
    }

    /// After how many calls, on average, a false alarm comes in long phases.
    #[must_use]
    pub const fn calls_to_false_alarm(&self) -> CallsToFalseAlarm {
        self.false_alarm
    }

    pub(super) fn checked(self) -> Result<Self, GuardError> {
        let is_within = |value: f64, least: f64, most: f64| value > least && value <= most;
        if !(is_within(self.budget, 0.0, 1.0) && self.budget < 1.0) {
            return Err(GuardError::Budget { value: self.budget });
        }
        for value in [self.false_alarm.with_control, self.false_alarm.without_control] {
            if !(100.0..=1e15).contains(&value) {
                return Err(GuardError::FalseAlarm { value });
            }
        }
        let mut sum = 0.0;
        for trigger in Trigger::ALL {
            let rule = self.rule(trigger);
            rule.check(trigger)?;
            sum += if rule.enabled { rule.share } else { 0.0 };
            if sum > 1.0 + ROUNDING {
                return Err(GuardError::Shares { trigger, sum });
            }
        }
        Ok(self)
    }
}

/// What adding a few decimals may be off.
const ROUNDING: f64 = 1e-9;

impl TriggerRule {
    fn check(&self, trigger: Trigger) -> Result<(), GuardError> {
        let (least, most, allowed) = match trigger {
            Trigger::Validation | Trigger::ErrorRate => (0.0, 0.9, "more than 0, at most 0.9"),
            Trigger::Throughput => (0.099_999, 0.999, "0.1 to 0.999"),
            Trigger::P95 => (1.0, 100.0, "more than 1, at most 100"),
            Trigger::Health => (0.999, 1e6, "1 to 1,000,000"),
            Trigger::AverageDuration => (0.0, 1e9, "more than 0, at most 1e9"),
        };
        let value = self.limit;
        if !(value > least && value <= most) {
            return Err(GuardError::Limit { trigger, value, allowed });
        }
        let value = self.share;
        let allowed = match (trigger.is_statistical() && self.enabled, value) {
            (_, value) if !(0.0..=1.0).contains(&value) => "0 to 1",
            (true, value) if value < LEAST_SHARE => "1e-6 to 1, or the trigger switched off",
            _ => return Ok(()),
        };
        Err(GuardError::Share { trigger, value, allowed })
    }
}

/// The smallest share with which a trigger can act at all.
const LEAST_SHARE: f64 = 1e-6;

/// Builds [`RollbackTriggers`], from the default.
#[derive(Debug, Clone)]
#[must_use = "a builder does nothing until it builds"]
pub struct RollbackTriggersBuilder {
    triggers: RollbackTriggers,
}

impl RollbackTriggersBuilder {
    fn with(mut self, trigger: Trigger, change: impl FnOnce(&mut TriggerRule)) -> Self {
        change(self.triggers.rule_mut(trigger));
        self
    }

    /// Another limit, in the unit of the trigger: see [`RollbackTriggers`].
    pub fn limit(self, trigger: Trigger, limit: f64) -> Self {
        self.with(trigger, |rule| rule.limit = limit)
    }

    /// Another part of the budget.
    pub fn share(self, trigger: Trigger, share: f64) -> Self {
        self.with(trigger, |rule| rule.share = share)
    }

    /// Something else happens.
    pub fn action(self, trigger: Trigger, action: Action) -> Self {
        self.with(trigger, |rule| rule.action = action)
    }

    /// It is reported what would happen, and nothing happens.
    pub fn dry_run(self, trigger: Trigger) -> Self {
        self.with(trigger, |rule| rule.dry_run = true)
    }

    /// It is not looked at. Its share is not given to the others.
    pub fn without(self, trigger: Trigger) -> Self {
        self.with(trigger, |rule| rule.enabled = false)
    }

    /// The probability of any false rollback by what a phase has counted. The default is 0.01.
    pub fn budget(mut self, budget: f64) -> Self {
        self.triggers.budget = budget;
        self
    }

    /// After how many calls, on average, a false alarm comes in long phases.
    pub fn calls_to_false_alarm(mut self, calls: CallsToFalseAlarm) -> Self {
        self.triggers.false_alarm = calls;
        self
    }

    /// The triggers.
    ///
    /// # Errors
    /// [`GuardError`] names the first value that is out of range.
    pub fn build(self) -> Result<RollbackTriggers, GuardError> {
        self.triggers.checked()
    }
}
