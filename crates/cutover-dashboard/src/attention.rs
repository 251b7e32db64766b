//! [`attention`]: what a person should know of a migration, and what to do about it. Pure.

use cutover::control::{HealthState, SideHealth};
use cutover::guard::{GuardReport, GuardVerdict, Note};
use cutover::plan::{Decision, PlanReport, Stop};
use cutover::{MigrationStatus, Side, SystemMode};

use crate::problem::sentence;
use crate::view::{Attention, Severity};

/// What is known of a migration.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Facts<'a> {
    pub(crate) status: &'a MigrationStatus,
    pub(crate) plan: Option<&'a PlanReport>,
    pub(crate) guard: Option<&'a GuardReport>,
    pub(crate) discrepancies: Option<usize>,
    pub(crate) stuck: Option<usize>,
}

/// The worst first; among equals in the order in which they should be dealt with.
pub(crate) fn attention(facts: &Facts<'_>) -> Vec<Attention> {
    let mut all: Vec<Attention> = of_the_store(facts.status).into_iter().flatten().collect();
    all.extend(of_the_mode(facts.status));
    all.extend(of_health(facts.status));
    // After a rollback, whatever it has found asks for no other one.
    let serving = facts.guard.filter(|_| facts.status.mode != SystemMode::EmergencyRollback);
    all.extend(serving.and_then(of_the_guard));
    all.extend(facts.guard.into_iter().flat_map(of_notes));
    all.extend(facts.plan.and_then(of_the_plan));
    all.extend(of_counts(facts));
    all.sort_by_key(|one| std::cmp::Reverse(one.severity));
    all
}

fn alarm(text: impl Into<String>) -> Attention {
    Attention { severity: Severity::Alarm, text: text.into() }
}

fn warning(text: impl Into<String>) -> Attention {
    Attention { severity: Severity::Warning, text: text.into() }
}

fn notice(text: impl Into<String>) -> Attention {
    Attention { severity: Severity::Notice, text: text.into() }
}

fn of_the_store(status: &MigrationStatus) -> [Option<Attention>; 4] {
    let unstored = status.unpersisted_emergency.then(|| {
        alarm(
            "The emergency holds in this process and is not stored yet, so that other processes have not heard of it. It is \
             tried again until the store takes it: mend the store, and roll back in the other processes by hand.",
        )
    });
    let doubt = status.doubt.map(|doubt| {
        alarm(format!(
            "{}. Nothing more is exposed to the new side. Find out what the store lost, then reconcile.",
            sentence(&doubt)
        ))
    });
    let assumed = status.assumed.then(|| {
        warning(
            "The store has not answered since this process started: what holds here was chosen by the start policy. \
             Mend the store.",
        )
    });
    let stale = (status.stale && !status.assumed).then(|| {
        warning(format!(
            "The store has not answered for {} s: others may have changed what is shown here. Mend the store; an emergency \
             works without it.",
            status.age.as_secs()
        ))
    });
    [unstored, doubt, assumed, stale]
}

fn of_the_mode(status: &MigrationStatus) -> Option<Attention> {
    let rolled_back = status.mode == SystemMode::EmergencyRollback && !status.unpersisted_emergency;
    rolled_back.then(|| {
        let reason = status.reason.as_ref().map_or_else(String::new, |reason| format!(": {reason}"));
        warning(format!(
            "It was rolled back{reason}. When the cause is mended, go to legacy_only, and begin from there."
        ))
    })
}

fn of_health(status: &MigrationStatus) -> Vec<Attention> {
    let Some(health) = status.health else { return Vec::new() };
    let sides = [(Side::Legacy, health.legacy), (Side::New, health.new)];
    sides.into_iter().filter_map(|(side, health)| of_side(status, side, &health?)).collect()
}

fn of_side(status: &MigrationStatus, side: Side, health: &SideHealth) -> Option<Attention> {
    let serves = match side {
        Side::Legacy => status.mode != SystemMode::NewOnly,
        Side::New => matches!(status.mode, SystemMode::GradualRollout | SystemMode::NewOnly),
    };
    if health.state == HealthState::Failing {
        let text = failing(side, health);
        return Some(if serves { alarm(text) } else { warning(text) });
    }
    let given_up = health.state == HealthState::Unknown && health.checks > 0;
    given_up.then(|| warning(format!("The health of {side} is not checked any more: nobody knows whether it is well.")))
}

fn failing(side: Side, health: &SideHealth) -> String {
    let what_to_do = match side {
        Side::Legacy => "A rollback would go to a side that is not well: mend it first.",
        Side::New => "Roll back if it serves, or mend it before it does.",
    };
    format!("{} fails its health checks, {} in a row. {what_to_do}", sentence(&side), health.consecutive_failures)
}

fn of_the_guard(guard: &GuardReport) -> Option<Attention> {
    let asked = guard.action.map(|action| format!(" It asks for: {action}.")).unwrap_or_default();
    match (guard.verdict, guard.regressed().next()) {
        (GuardVerdict::Regressed, _) => {
            Some(alarm(format!("The new side has regressed: {}.{asked} Roll back, or look into it.", guard.reason())))
        }
        (_, Some(dry)) => Some(warning(format!("A trigger that is only tried out has regressed: {}.", dry.trigger))),
        _ => None,
    }
}

fn of_notes(guard: &GuardReport) -> Vec<Attention> {
    let said = guard.notes.iter().filter_map(|note| match note {
        Note::NoNewCounts { seconds } => Some(warning(format!(
            "Nothing was counted for {seconds} s: monitoring may be down, or there are no calls. Nothing is judged."
        ))),
        Note::LegacyUnhealthy => Some(warning("Legacy fails its health checks too: going back to it is no way out.")),
        Note::Held { trigger } => Some(warning(format!(
            "{} had regressed before, and nobody has answered that. Look into it, then let the guard begin anew.",
            sentence(trigger)
        ))),
        Note::ActionsSpent { actions, seconds } => Some(warning(format!(
            "The guard acted {actions} times in {seconds} s and acts no more by itself. Look into it."
        ))),
        Note::NothingToJudge
        | Note::NothingCounted
        | Note::BegunAnew
        | Note::NoBaseline
        | Note::WrongSplit { .. }
        | Note::OtherP95Factor { .. }
        | Note::OtherPromotionFactor { .. }
        | Note::CoolingDown { .. }
        | _ => None,
    });
    said.collect()
}

fn of_the_plan(plan: &PlanReport) -> Option<Attention> {
    match &plan.decision {
        Decision::Ask => Some(alarm(
            "The plan asks: a trigger was breached, and it waits for a person. Resume it if that is all right, or abort it.",
        )),
        Decision::Freeze { cause: Stop::Frozen } => {
            Some(alarm("The plan is frozen: a trigger was breached. Resume, restart or abort it."))
        }
        Decision::Freeze { cause: Stop::Paused } => Some(notice("The plan is paused. Resume it to go on.")),
        Decision::Freeze { cause } => {
            Some(warning(format!("The plan is frozen: {cause}. Resume, restart or abort it.")))
        }
        Decision::AwaitApproval { step } => Some(warning(format!("The plan waits for an approval of step {step}."))),
        Decision::AwaitAcknowledgement { step } => Some(warning(format!(
            "The plan waits for somebody who acknowledges that step {step} cannot be taken back."
        ))),
        Decision::RolledBack => Some(warning("The plan was rolled back. Restart it when the cause is mended.")),
        Decision::Hold { .. } | Decision::Promote { .. } | Decision::Rollback | Decision::Done | _ => None,
    }
}

fn of_counts(facts: &Facts<'_>) -> Vec<Attention> {
    let stuck = facts.stuck.filter(|stuck| *stuck > 0).map(|stuck| {
        warning(format!(
            "{stuck} {} stuck: somebody began and never said how it ended. Find out, then settle each.",
            if stuck == 1 { "claim is" } else { "claims are" }
        ))
    });
    let discrepancies = facts.discrepancies.filter(|kept| *kept > 0).map(|kept| {
        notice(format!("{kept} different {} kept.", if kept == 1 { "discrepancy is" } else { "discrepancies are" }))
    });
    stuck.into_iter().chain(discrepancies).collect()
}

#[cfg(test)]
mod tests;
