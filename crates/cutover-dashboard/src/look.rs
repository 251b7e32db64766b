//! What pages and the API show, from memory: nothing here waits for a store.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use cutover::guard::GuardReport;
use cutover::plan::{Decision, PlanEnd, PlanReport, Step};
use cutover::store::{GroupName, MigrationId};
use cutover::{AutoRollback, MigrationStatus, PlanDriver, SystemMode};
use tokio::time::Instant;

use crate::attention::{Facts, attention};
use crate::command::Command;
use crate::problem::sentence;
use crate::state::{Counted, State, Watched};
use crate::view::{Attention, Choice, GroupView, MigrationView, Overview, PlanView, StepState, StepView, Summary};
use crate::{Migration, Principal, Role};

/// All migrations, the worst first; among those that are as bad, the ones that were rolled back.
pub(crate) fn overview(state: &State, principal: &Principal) -> Overview {
    let mut migrations: Vec<Summary> = state.migrations.iter().map(summary).collect();
    migrations.sort_by(|one, other| {
        let worst = |summary: &Summary| {
            let rolled_back = summary.status.mode == SystemMode::EmergencyRollback;
            (summary.attention.first().map(|first| first.severity), rolled_back)
        };
        worst(other).cmp(&worst(one)).then_with(|| one.status.id.cmp(&other.status.id))
    });
    Overview {
        actor: principal.actor().to_string(),
        role: principal.role(),
        as_of: state.now(),
        stamp: stamp_of_all(state, stamp),
        migrations,
        groups: groups(state),
    }
}

/// The groups of all registries. One name is one group.
pub(crate) fn groups(state: &State) -> Vec<GroupView> {
    let mut members: BTreeMap<GroupName, BTreeSet<MigrationId>> = BTreeMap::new();
    for registry in &state.registries {
        for group in registry.groups().iter().filter_map(|name| registry.group(name.as_str()).ok()) {
            members.entry(group.name().clone()).or_default().extend(group.ids());
        }
    }
    let view = |(name, migrations): (_, BTreeSet<_>)| GroupView { name, migrations: migrations.into_iter().collect() };
    members.into_iter().map(view).collect()
}

fn summary(watched: &Watched) -> Summary {
    let seen = Seen::of(watched);
    Summary { attention: seen.attention(), plan: seen.report.as_ref().map(ToString::to_string), status: seen.status }
}

/// One migration, with so many of its newest points.
pub(crate) fn migration(state: &State, principal: &Principal, watched: &Watched, points: usize) -> MigrationView {
    let seen = Seen::of(watched);
    MigrationView {
        actor: principal.actor().to_string(),
        role: principal.role(),
        stamp: stamp(watched),
        attention: seen.attention(),
        choices: choices(&seen.status, principal.role()),
        plan: watched.migration.plan.as_ref().map(|driver| plan(driver, seen.report.clone())),
        guard: seen.guard.clone(),
        discrepancies: seen.discrepancies,
        stuck: seen.counted.stuck,
        series: watched.series(state.sample_every, points),
        status: seen.status,
    }
}

/// Another text whenever something of this migration has changed.
pub(crate) fn stamp(watched: &Watched) -> String {
    let seen = Seen::of(watched);
    let text = seen.text();
    let etag = seen.status.etag.unwrap_or_default();
    let mut kept = watched.kept();
    if kept.seen.0 != text {
        kept.seen.0 = text;
        kept.seen.1 = kept.seen.1.wrapping_add(1);
    }
    let n = kept.seen.1.wrapping_add(kept.sampler.taken());
    let stamp = format!("{}-{etag:032x}-{n}", seen.status.epoch);
    kept.stamped = Some((Instant::now(), stamp.clone()));
    stamp
}

/// The stamp as it was a moment ago, so that many streams cost no more than one.
pub(crate) fn recent_stamp(watched: &Watched) -> String {
    let stamped = watched.kept().stamped.clone();
    let recent = stamped.filter(|(at, _)| at.elapsed() < RECENT);
    recent.map_or_else(|| stamp(watched), |(_, stamp)| stamp)
}

/// Less than the time between two looks of a stream.
const RECENT: Duration = Duration::from_millis(900);

/// Another text whenever something of any migration has changed.
pub(crate) fn stamp_of_all(state: &State, stamp: impl Fn(&Watched) -> String) -> String {
    state.migrations.iter().map(stamp).collect::<Vec<_>>().join(",")
}

/// All that is known of a migration without asking a store.
struct Seen {
    status: MigrationStatus,
    report: Option<PlanReport>,
    guard: Option<GuardReport>,
    counted: Counted,
    discrepancies: Option<usize>,
}

impl Seen {
    fn of(watched: &Watched) -> Self {
        let migration = &watched.migration;
        let counted = watched.kept().counted;
        let report = migration.plan.as_ref().and_then(PlanDriver::report);
        let guard = guard_of(migration, report.as_ref());
        let discrepancies = migration.discrepancies.as_ref().and_then(|kept| kept.len().or(counted.discrepancies));
        Self { status: migration.controller.status(), report, guard, counted, discrepancies }
    }

    fn facts(&self) -> Facts<'_> {
        Facts {
            status: &self.status,
            plan: self.report.as_ref(),
            guard: self.guard.as_ref(),
            discrepancies: self.discrepancies,
            stuck: self.counted.stuck,
        }
    }

    fn attention(&self) -> Vec<Attention> {
        attention(&self.facts())
    }

    /// What a page shows beside its charts, without what moves with the clock alone.
    fn text(&self) -> String {
        let Self { status, report, guard, counted, discrepancies } = self;
        let plan = report.as_ref().map(|report| (&report.step, &report.decision, report.active, report.end));
        let guard = guard.as_ref().map(|guard| (guard.verdict, guard.action, guard.held_by()));
        let store = (status.stale, status.assumed, status.unpersisted_emergency, status.doubt);
        let sides = status.health.map(|health| [health.legacy, health.new]);
        let health = sides.map(|sides| sides.map(|side| side.map(|side| (side.state, side.consecutive_failures))));
        let shares = (status.rollout, status.shadow_share);
        format!(
            "{:?} {shares:?} {store:?} {health:?} {plan:?} {guard:?} {discrepancies:?} {:?}",
            status.mode, counted.stuck
        )
    }
}

/// What the guard of a migration found last.
pub(crate) fn guard(migration: &Migration) -> Option<GuardReport> {
    guard_of(migration, migration.plan.as_ref().and_then(PlanDriver::report).as_ref())
}

/// What the guard found: the plan's, or the one beside.
fn guard_of(migration: &Migration, report: Option<&PlanReport>) -> Option<GuardReport> {
    let beside = migration.guard.as_ref().and_then(AutoRollback::report);
    report.and_then(|report| report.guard.clone()).or(beside)
}

/// Every mode but the present one.
fn choices(status: &MigrationStatus, role: Role) -> Vec<Choice> {
    let others = SystemMode::ALL.into_iter().filter(|mode| *mode != status.mode);
    others.map(|mode| choice(status, role, mode)).collect()
}

fn choice(status: &MigrationStatus, role: Role, mode: SystemMode) -> Choice {
    let emergency = mode == SystemMode::EmergencyRollback;
    let demand = if emergency { Command::Emergency.demand() } else { Command::Mode(mode).demand() };
    let valid = status.mode.check_transition(mode).map_err(|error| format!("{}.", sentence(&error)));
    let doubt = status.doubt.filter(|_| !emergency && exposes(mode) > exposes(status.mode));
    let doubtful =
        doubt.map(|doubt| format!("{}. Reconcile before more is exposed to the new side.", sentence(&doubt)));
    let too_low = (role < demand.role).then(|| format!("That takes the role {}; yours is {role}.", demand.role));
    Choice { mode, refused: valid.err().or(doubtful).or(too_low), confirm: demand.confirm }
}

/// How much a mode exposes to new, in order.
const fn exposes(mode: SystemMode) -> u8 {
    match mode {
        SystemMode::EmergencyRollback => 0,
        SystemMode::LegacyOnly => 1,
        SystemMode::Parallel => 2,
        SystemMode::GradualRollout => 3,
        SystemMode::NewOnly => 4,
    }
}

fn plan(driver: &PlanDriver, report: Option<PlanReport>) -> PlanView {
    let plan = driver.plan();
    let present = report.as_ref().and_then(|report| plan.position(report.step.as_deref()?));
    let ended = report.as_ref().is_some_and(|report| report.end == Some(PlanEnd::Done));
    let next = if ended { plan.steps().len() } else { present.map_or(0, |present| present + 1) };
    let step = |(place, step): (usize, &Step)| StepView {
        step: step.clone(),
        state: place_of(place, present, next, ended),
        needs: if place == next { needs(report.as_ref()) } else { Vec::new() },
    };
    PlanView { name: plan.name().to_owned(), steps: plan.steps().iter().enumerate().map(step).collect(), report }
}

fn place_of(place: usize, present: Option<usize>, next: usize, ended: bool) -> StepState {
    if Some(place) == present && !ended {
        StepState::Present
    } else if place < next {
        StepState::Past
    } else if place == next {
        StepState::Next
    } else {
        StepState::Ahead
    }
}

/// What is missing before the next step, in sentences.
fn needs(report: Option<&PlanReport>) -> Vec<String> {
    let Some(report) = report else { return vec!["A first look of the plan's driver.".to_owned()] };
    match &report.decision {
        Decision::Hold { needs } => needs.iter().map(|need| format!("{}.", sentence(need))).collect(),
        Decision::AwaitApproval { step } => vec![format!("An approval of {step} by a person.")],
        Decision::AwaitAcknowledgement { step } => {
            vec![format!("A person who acknowledges that {step} cannot be taken back.")]
        }
        Decision::Freeze { cause } => vec![format!("A person who resumes, restarts or aborts the plan: {cause}.")],
        Decision::Ask => vec!["A person who resumes or aborts the plan: a trigger was breached.".to_owned()],
        Decision::Rollback | Decision::RolledBack => {
            vec!["A person who restarts the plan after the rollback.".to_owned()]
        }
        Decision::Promote { .. } | Decision::Done | _ => Vec::new(),
    }
}
