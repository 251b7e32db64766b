//! Discrepancies: what disagreed, side by side.

use askama::Template;
use cutover::compare::{Difference, DifferenceKind};
use cutover::record::{Captured, DiscrepancyKind, SideRecord};
use cutover::{Discrepancy, MigrationStatus};
use serde_json::Value;

use super::frame::{Frame, Here, Parts, Tab};
use super::words::{self, When};
use crate::search::{DiscrepancyQuery, KINDS};
use crate::view::DiscrepancyPage;

#[derive(Template)]
#[template(path = "discrepancies.html")]
struct Page {
    frame: Frame,
    here: Here,
    is_single: bool,
    query: String,
    kinds: Vec<KindChoice>,
    line: String,
    trouble: String,
    nothing: &'static str,
    items: Vec<ItemWords>,
    next: Option<String>,
}

struct KindChoice {
    name: &'static str,
    words: String,
    is_chosen: bool,
}

struct ItemWords {
    fingerprint: String,
    runner: String,
    tone: &'static str,
    icon: &'static str,
    kind: String,
    occurrences: String,
    first: When,
    last: When,
    served: String,
    rows: Vec<DiffRow>,
    sides: Vec<SideWords>,
    hidden: bool,
    truncated: bool,
    context: Option<String>,
    key: Option<String>,
}

struct DiffRow {
    path: String,
    kind: &'static str,
    legacy: Option<String>,
    new: Option<String>,
    no_legacy: &'static str,
    no_new: &'static str,
}

struct SideWords {
    name: &'static str,
    outcome: &'static str,
    text: String,
    truncated: bool,
}

/// What was searched for, as it was typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Searched {
    pub(crate) text: String,
    pub(crate) kind: Option<DiscrepancyKind>,
}

impl Searched {
    /// What is not a kind was refused before.
    pub(crate) fn of(query: &DiscrepancyQuery) -> Self {
        let kind = query.kind.as_deref().and_then(|name| KINDS.into_iter().find(|kind| kind.name() == name));
        Self { text: query.q.clone().unwrap_or_default(), kind }
    }
}

/// The page of all, or those that were searched for. `frame` is that of no migration yet.
pub(crate) fn discrepancies(
    frame: Frame,
    status: &MigrationStatus,
    parts: Parts,
    page: &DiscrepancyPage,
    search: &Searched,
    now: u64,
) -> Result<String, askama::Error> {
    let frame = frame.at(status, parts, Tab::Discrepancies, now);
    let here = Here::of(status, parts, Tab::Discrepancies);
    let next = page.next.map(|after| next_link(&frame.base, &here.id, search, &after.to_string()));
    let searched = !search.text.is_empty() || search.kind.is_some();
    Page {
        is_single: false,
        query: search.text.clone(),
        kinds: kinds(search.kind),
        line: line(page),
        trouble: page.trouble.clone().unwrap_or_default(),
        nothing: if searched { "Nothing that was looked at matches." } else { "Nothing has disagreed so far." },
        items: page.discrepancies.iter().map(|found| ItemWords::of(found, now)).collect(),
        next,
        frame,
        here,
    }
    .render()
}

/// The page of a single one.
pub(crate) fn discrepancy(
    frame: Frame,
    status: &MigrationStatus,
    parts: Parts,
    found: &Discrepancy,
    now: u64,
) -> Result<String, askama::Error> {
    let (frame, here) = (frame.at(status, parts, Tab::Discrepancies, now), Here::of(status, parts, Tab::Discrepancies));
    let items = vec![ItemWords::of(found, now)];
    let (query, kinds) = (String::new(), Vec::new());
    let (line, trouble) = (String::new(), String::new());
    Page { frame, here, is_single: true, query, kinds, line, trouble, nothing: "", items, next: None }.render()
}

fn next_link(base: &str, id: &str, search: &Searched, after: &str) -> String {
    let kind = search.kind.map(DiscrepancyKind::name).unwrap_or_default();
    format!("{base}/m/{id}/discrepancies?q={}&kind={kind}&after={after}", words::encoded(&search.text))
}

fn kinds(chosen: Option<DiscrepancyKind>) -> Vec<KindChoice> {
    let choice = |kind: DiscrepancyKind| KindChoice {
        name: kind.name(),
        words: kind_words(kind),
        is_chosen: chosen == Some(kind),
    };
    KINDS.into_iter().map(choice).collect()
}

fn kind_words(kind: DiscrepancyKind) -> String {
    kind.name().replace('_', " ")
}

fn line(page: &DiscrepancyPage) -> String {
    let groups = words::counted(u64::try_from(page.discrepancies.len()).unwrap_or(u64::MAX), "kind", "kinds");
    let searched = Some(page.searched).filter(|searched| *searched > page.discrepancies.len());
    let dropped = page.dropped.filter(|dropped| *dropped > 0);
    let parts = [
        Some(format!("{groups} of disagreement, each with its first sample; the most frequent first.")),
        searched.map(|searched| format!("{searched} were looked at.")),
        dropped.map(|dropped| format!("{} found no room.", words::thousands(dropped))),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

impl ItemWords {
    fn of(found: &Discrepancy, now: u64) -> Self {
        let grave = matches!(found.kind, DiscrepancyKind::NewFailed | DiscrepancyKind::Panicked);
        let tone = if grave { "alarm" } else { "warning" };
        let captured = [("legacy", &found.legacy), ("new", &found.new)];
        let sides: Vec<SideWords> = captured.into_iter().filter_map(|(name, side)| SideWords::of(name, side)).collect();
        let has_values = found.differences.iter().any(|at| at.legacy.is_some() || at.new.is_some());
        Self {
            fingerprint: found.fingerprint.to_string(),
            runner: words::shown(&found.runner),
            tone,
            icon: tone,
            kind: kind_words(found.kind),
            occurrences: words::counted(found.occurrences, "call", "calls"),
            first: When::of_time(found.first_seen, now),
            last: When::of_time(found.last_seen, now),
            served: served(found),
            rows: found.differences.iter().map(DiffRow::of).collect(),
            hidden: sides.is_empty() && !has_values,
            sides,
            truncated: found.differences_truncated,
            context: found.context.as_ref().map(|context| captured_text(context).0),
            key: found.key.as_ref().map(|key| words::shown(key)),
        }
    }
}

fn served(found: &Discrepancy) -> String {
    let side = |side: &SideRecord| format!("{} in {}", side.outcome, super::migration::nanos(side.elapsed));
    format!(
        "The caller got the answer of {}. Legacy: {}. New: {}. {}, epoch {}.",
        found.served,
        side(&found.legacy),
        side(&found.new),
        words::mode(found.mode).name,
        found.epoch
    )
}

impl DiffRow {
    fn of(difference: &Difference) -> Self {
        let (kind, no_legacy, no_new) = match difference.kind {
            DifferenceKind::Value => ("value", HIDDEN, HIDDEN),
            DifferenceKind::Type => ("type", HIDDEN, HIDDEN),
            DifferenceKind::OnlyLegacy => ("only legacy", HIDDEN, ABSENT),
            DifferenceKind::OnlyNew => ("only new", ABSENT, HIDDEN),
            _ => ("", HIDDEN, HIDDEN),
        };
        let path = if difference.path.is_empty() { "(the whole answer)" } else { &difference.path };
        let text = |value: &Option<Value>| value.as_ref().map(|value| words::shown(&value.to_string()));
        let (legacy, new) = (text(&difference.legacy), text(&difference.new));
        Self { path: words::shown(path), kind, legacy, new, no_legacy, no_new }
    }
}

const HIDDEN: &str = "hidden";
const ABSENT: &str = "not there";

impl SideWords {
    fn of(name: &'static str, side: &SideRecord) -> Option<Self> {
        let (text, truncated) = captured_text(side.value.as_ref()?);
        Some(Self { name, outcome: side.outcome.name(), text, truncated })
    }
}

/// The text, indented where it is JSON.
fn captured_text(captured: &Captured) -> (String, bool) {
    let parsed: Option<Value> = serde_json::from_str(&captured.text).ok();
    let pretty = parsed.and_then(|value| serde_json::to_string_pretty(&value).ok());
    (words::shown(pretty.as_deref().unwrap_or(&captured.text)), captured.truncated)
}
