//! One migration.

mod guard;
mod plan;
mod sides;

use std::time::Duration;

use askama::Template;
use cutover::SystemMode;
use cutover::store::AuditEntry;

use super::frame::{self, Base, Frame, Here, Notice, Parts, Tab};
use super::overview::{Item, items};
use super::words::{self, ModeWords, When};
use crate::Role;
use crate::chart::Charts;
use crate::view::{Choice, MigrationView, Severity};
use guard::GuardWords;
use plan::PlanWords;
use sides::Sides;

#[derive(Template)]
#[template(path = "migration.html")]
struct MigrationPage {
    frame: Frame,
    here: Here,
    now: Now,
    attention: Vec<Item>,
    choices: Vec<ChoiceWords>,
    shares_refused: Option<String>,
    plan: Option<PlanWords>,
    sides: Sides,
    links: Vec<LinkWords>,
    charts: Option<Charts>,
    no_charts: &'static str,
    guard: Option<GuardWords>,
    changes: Vec<ChangeWords>,
}

/// What holds.
struct Now {
    mode: ModeWords,
    /// The share that new serves.
    percent: String,
    /// The rollout that is set.
    rollout: String,
    rollout_fixed: bool,
    shadow: String,
    since: Option<When>,
    as_of: When,
    by: String,
    reason: String,
    doubt: Option<String>,
}

struct ChoiceWords {
    mode: ModeWords,
    refused: Option<String>,
    confirm: bool,
}

/// A page that shows more.
struct LinkWords {
    path: &'static str,
    text: String,
}

struct ChangeWords {
    epoch: u64,
    before: String,
    after: String,
    when: When,
    actor: String,
    reason: String,
}

/// The page, as seen at `now`, in milliseconds since 1970.
pub(crate) fn migration(
    base: &Base,
    view: &MigrationView,
    parts: Parts,
    now: u64,
    notice: Option<Notice>,
) -> Result<String, askama::Error> {
    let status = &view.status;
    let alarms = view.attention.iter().any(|attention| attention.severity == Severity::Alarm);
    let title = format!("{}{}", if alarms { "(!) " } else { "" }, status.id);
    let frame = Frame::new(base, &title, &view.actor, Some(view.role), notice).at(status, parts, Tab::Migration, now);
    MigrationPage {
        here: Here::of(status, parts, Tab::Migration),
        now: Now::of(view, now),
        attention: items(&view.attention),
        choices: view.choices.iter().map(ChoiceWords::of).collect(),
        shares_refused: refused_to(view.role),
        plan: view.plan.as_ref().map(|plan| PlanWords::of(plan, view.role)),
        sides: Sides::of(status),
        links: links(view),
        charts: view.series.as_ref().and_then(Charts::of),
        no_charts: if view.series.is_some() {
            "Nothing was sampled yet."
        } else {
            "The host gave no monitor for charts."
        },
        guard: view.guard.as_ref().map(|report| GuardWords::of(report, view)),
        changes: status.recent_transitions.iter().rev().map(|entry| ChangeWords::of(entry, now)).collect(),
        frame,
    }
    .render()
}

fn links(view: &MigrationView) -> Vec<LinkWords> {
    let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
    let discrepancies = view.discrepancies.map(|number| LinkWords {
        path: "discrepancies",
        text: words::counted(count(number), "kind of disagreement", "kinds of disagreement"),
    });
    let stuck = view
        .stuck
        .map(|number| LinkWords { path: "claims", text: words::counted(count(number), "stuck item", "stuck items") });
    discrepancies.into_iter().chain(stuck).collect()
}

/// Why a role may change nothing, if so.
fn refused_to(role: Role) -> Option<String> {
    (role < Role::Operate).then(|| format!("Your role is {role}; changing this needs {}.", Role::Operate))
}

impl Now {
    fn of(view: &MigrationView, now: u64) -> Self {
        let status = &view.status;
        let fixed = [SystemMode::LegacyOnly, SystemMode::EmergencyRollback];
        Self {
            mode: words::mode(status.mode),
            percent: frame::served_by_new(status),
            rollout: status.rollout.percent().to_string(),
            rollout_fixed: fixed.contains(&status.mode),
            shadow: words::rollout(status.shadow_share),
            since: status.since.map(|since| When::of_time(since, now)),
            as_of: When::of_time(status.as_of, now),
            by: status.actor.as_ref().map_or_else(|| "nobody yet".to_owned(), |actor| words::shown(actor.as_str())),
            reason: status.reason.as_ref().map(|reason| words::shown(reason.as_str())).unwrap_or_default(),
            doubt: status.doubt.as_ref().map(ToString::to_string),
        }
    }
}

impl ChoiceWords {
    fn of(choice: &Choice) -> Self {
        let refused = choice.refused.as_ref().map(|why| words::with_mode_names(why));
        Self { mode: words::mode(choice.mode), refused, confirm: choice.confirm }
    }
}

impl ChangeWords {
    fn of(entry: &AuditEntry, now: u64) -> Self {
        Self {
            epoch: entry.epoch,
            before: words::settings(entry.before.unwrap_or_default()),
            after: words::settings(entry.after),
            when: When::of_time(entry.at, now),
            actor: words::shown(entry.actor.as_str()),
            reason: words::shown(entry.reason.as_str()),
        }
    }
}

pub(super) fn nanos(duration: Duration) -> String {
    words::duration(duration.as_secs_f64() * 1e9)
}
