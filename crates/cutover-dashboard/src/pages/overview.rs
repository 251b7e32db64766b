//! All migrations at a glance.

use askama::Template;
use cutover::MigrationStatus;
use cutover::control::{HealthState, SideHealth};
use cutover::store::MigrationId;

use super::frame::{self, Base, Frame, GroupWords, Notice};
use super::words::{self, ModeWords, When};
use super::{Flag, migration};
use crate::chart::{Chart, Charts};
use crate::view::{Attention, Overview, Series, Severity, Summary};

#[derive(Template)]
#[template(path = "overview.html")]
struct OverviewPage {
    frame: Frame,
    tally: Vec<Part>,
    rows: Vec<Row>,
}

struct Part {
    class: &'static str,
    icon: &'static str,
    text: String,
}

struct Row {
    id: String,
    groups: Vec<String>,
    epoch: u64,
    etag: String,
    worst: Flag,
    mode: ModeWords,
    percent: String,
    figures: Vec<Figure>,
    sparks: Vec<Chart>,
    attention: Vec<Item>,
    plan: Option<String>,
    since: Option<When>,
    by: String,
    reason: String,
}

/// One figure of both sides.
struct Figure {
    name: &'static str,
    sides: [SideFigure; 2],
}

/// One side of a figure, in its tone and with its icon.
pub(super) struct SideFigure {
    pub(super) tone: &'static str,
    pub(super) icon: &'static str,
    pub(super) text: String,
}

/// Something that needs attention.
pub(super) struct Item {
    pub(super) class: &'static str,
    pub(super) icon: &'static str,
    pub(super) word: &'static str,
    pub(super) text: String,
}

/// The page; `series` gives the samples of a migration, for its small chart.
pub(crate) fn overview(
    base: &Base,
    view: &Overview,
    series: impl Fn(&MigrationId) -> Option<Series>,
    notice: Option<Notice>,
) -> Result<String, askama::Error> {
    let mut frame = Frame::new(base, &title(view), &view.actor, Some(view.role), notice);
    frame.live = format!("{}/live", frame.base);
    frame.page = String::from(frame.home());
    frame.all = view.migrations.len();
    frame.groups = view.groups.iter().map(GroupWords::of).collect();
    frame.now = view.as_of;
    let row = |summary: &Summary| {
        let id = &summary.status.id;
        let of = view.groups.iter().filter(|group| group.migrations.contains(id));
        let groups = of.map(|group| group.name.to_string()).collect();
        Row { groups, ..Row::of(summary, series(id).as_ref(), view.as_of) }
    };
    let rows = view.migrations.iter().map(row).collect();
    OverviewPage { frame, tally: tally(view), rows }.render()
}

fn title(view: &Overview) -> String {
    let alarms = view.migrations.iter().filter(|summary| worst(&summary.attention) == Some(Severity::Alarm)).count();
    if alarms > 0 { format!("({alarms}!) Migrations") } else { "Migrations".to_owned() }
}

fn worst(attention: &[Attention]) -> Option<Severity> {
    attention.iter().map(|attention| attention.severity).max()
}

/// How many migrations are how bad, the worst first.
fn tally(view: &Overview) -> Vec<Part> {
    let classes = [
        (Some(Severity::Alarm), "alarm", "in alarm"),
        (Some(Severity::Warning), "warning", "with a warning"),
        (Some(Severity::Notice), "notice", "with a notice"),
        (None, "ok", "well"),
    ];
    let count = |severity| view.migrations.iter().filter(|summary| worst(&summary.attention) == severity).count();
    let parts = classes.into_iter().map(|(severity, class, text)| (count(severity), class, text));
    parts
        .filter(|(count, ..)| *count > 0)
        .map(|(count, class, text)| Part { class, icon: class, text: format!("{count} {text}") })
        .collect()
}

impl Row {
    fn of(summary: &Summary, series: Option<&Series>, now: u64) -> Self {
        let Summary { status, attention, plan, .. } = summary;
        Self {
            id: status.id.to_string(),
            groups: Vec::new(),
            epoch: status.epoch,
            etag: status.etag.map(|etag| format!("{etag:032x}")).unwrap_or_default(),
            worst: flag(worst(attention)),
            mode: words::mode(status.mode),
            percent: frame::served_by_new(status),
            figures: figures(status),
            sparks: series.map(sparks).unwrap_or_default(),
            attention: items(attention),
            plan: plan.as_ref().map(|plan| words::with_mode_names(plan)),
            since: status.since.map(|since| When::of_time(since, now)),
            by: status.actor.as_ref().map(|actor| words::shown(actor.as_str())).unwrap_or_default(),
            reason: reason(status, attention),
        }
    }
}

/// Why it is so, if that is not said anyway.
fn reason(status: &MigrationStatus, attention: &[Attention]) -> String {
    let reason = status.reason.as_ref().map(AsRef::as_ref).unwrap_or_default();
    let is_said = attention.iter().any(|attention| attention.text.contains(reason));
    if is_said { String::new() } else { words::shown(reason) }
}

/// The success rate and the p95, where there is something to see.
fn sparks(series: &Series) -> Vec<Chart> {
    let charts = Charts::of(series).map(|charts| charts.all).unwrap_or_default();
    charts.into_iter().filter(|chart| chart.has_data && ["success", "p95"].contains(&chart.id)).collect()
}

pub(super) fn flag(severity: Option<Severity>) -> Flag {
    match severity {
        Some(Severity::Alarm) => Flag::new("alarm", "Alarm"),
        Some(Severity::Warning) => Flag::new("warning", "Warning"),
        Some(Severity::Notice) => Flag::new("notice", "Notice"),
        None => Flag::new("ok", "Well"),
    }
}

pub(super) fn items(attention: &[Attention]) -> Vec<Item> {
    let item = |attention: &Attention| {
        let Flag { class, icon, .. } = flag(Some(attention.severity));
        let word = match attention.severity {
            Severity::Alarm => "Alarm:",
            Severity::Warning => "Warning:",
            Severity::Notice => "Notice:",
        };
        Item { class, icon, word, text: words::with_mode_names(&attention.text) }
    };
    attention.iter().map(item).collect()
}

fn figures(status: &MigrationStatus) -> Vec<Figure> {
    let health = status.health.map(|health| Figure::of("health", [health.legacy, health.new].map(health_of)));
    let performance = status.performance.as_ref().map(|performance| {
        let sides = [&performance.legacy, &performance.new];
        let plain = |text: Option<String>| (("", ""), text.unwrap_or_else(|| "–".to_owned()));
        let success = Figure::of("success", sides.map(|side| plain(side.success_rate.map(words::share))));
        let p95 = Figure::of("p95", sides.map(|side| plain(side.p95.map(migration::nanos))));
        [success, p95]
    });
    health.into_iter().chain(performance.into_iter().flatten()).collect()
}

impl Figure {
    fn of(name: &'static str, sides: [((&'static str, &'static str), String); 2]) -> Self {
        Self { name, sides: sides.map(SideFigure::of) }
    }
}

impl SideFigure {
    pub(super) fn of(((tone, icon), text): ((&'static str, &'static str), String)) -> Self {
        Self { tone, icon, text }
    }
}

/// How the health of a side is shown: its tone, its icon and its word.
pub(super) fn health_of(side: Option<SideHealth>) -> ((&'static str, &'static str), String) {
    match side.map(|side| (side.state, side.consecutive_failures)) {
        None => (("", ""), "not checked".to_owned()),
        Some((HealthState::Healthy, _)) => (("ok", "ok"), "healthy".to_owned()),
        Some((HealthState::Failing, failures)) => (("alarm", "alarm"), format!("failing, {failures} in a row")),
        Some(_) => (("unknown", "unknown"), "unknown".to_owned()),
    }
}
