//! How [`RollbackTriggers`] are written.

use serde::{Deserialize, Serialize};

use super::triggers::{CallsToFalseAlarm, TriggerRule};
use super::{Action, GuardError, RollbackTriggers, Trigger};

/// What is not given is as in the default.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rules {
    budget: Option<f64>,
    calls_to_false_alarm: Option<CallsToFalseAlarm>,
    validation: Option<Rule>,
    error_rate: Option<Rule>,
    p95: Option<Rule>,
    throughput: Option<Rule>,
    health: Option<Rule>,
    average_duration: Option<Rule>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rule {
    limit: Option<f64>,
    share: Option<f64>,
    action: Option<Action>,
    dry_run: Option<bool>,
    enabled: Option<bool>,
}

impl Rule {
    fn of(rule: &TriggerRule) -> Self {
        let TriggerRule { limit, share, action, dry_run, enabled } = *rule;
        Self {
            limit: Some(limit),
            share: Some(share),
            action: Some(action),
            dry_run: Some(dry_run),
            enabled: Some(enabled),
        }
    }

    fn over(self, rule: &TriggerRule) -> TriggerRule {
        TriggerRule {
            limit: self.limit.unwrap_or(rule.limit),
            share: self.share.unwrap_or(rule.share),
            action: self.action.unwrap_or(rule.action),
            dry_run: self.dry_run.unwrap_or(rule.dry_run),
            enabled: self.enabled.unwrap_or(rule.enabled),
        }
    }
}

impl From<RollbackTriggers> for Rules {
    fn from(triggers: RollbackTriggers) -> Self {
        let rule = |trigger| Some(Rule::of(triggers.rule(trigger)));
        Self {
            budget: Some(triggers.budget),
            calls_to_false_alarm: Some(triggers.false_alarm),
            validation: rule(Trigger::Validation),
            error_rate: rule(Trigger::ErrorRate),
            p95: rule(Trigger::P95),
            throughput: rule(Trigger::Throughput),
            health: rule(Trigger::Health),
            average_duration: rule(Trigger::AverageDuration),
        }
    }
}

impl TryFrom<Rules> for RollbackTriggers {
    type Error = GuardError;

    fn try_from(rules: Rules) -> Result<Self, GuardError> {
        let Rules { budget, calls_to_false_alarm, validation, error_rate, p95, throughput, health, average_duration } =
            rules;
        let mut triggers = Self::default();
        triggers.budget = budget.unwrap_or(triggers.budget);
        triggers.false_alarm = calls_to_false_alarm.unwrap_or(triggers.false_alarm);
        let given = [validation, error_rate, p95, throughput, health, average_duration];
        for (trigger, rule) in Trigger::ALL.into_iter().zip(given) {
            let place = triggers.rule_mut(trigger);
            *place = rule.map_or(*place, |rule| rule.over(place));
        }
        triggers.checked()
    }
}
