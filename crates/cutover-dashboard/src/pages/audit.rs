//! The audit: who changed what, when and why.

use askama::Template;
use cutover::MigrationStatus;
use cutover::guard::GuardReport;
use cutover::store::AuditEntry;

use super::Flag;
use super::frame::{Frame, Here, Parts, Tab};
use super::words::{self, When};
use crate::view::{AuditPage, Verification};

#[derive(Template)]
#[template(path = "audit.html")]
struct Page {
    frame: Frame,
    here: Here,
    trouble: String,
    verification: Option<Found>,
    entries: Vec<EntryWords>,
    next: Option<String>,
}

struct Found {
    tone: &'static str,
    icon: &'static str,
    word: String,
    finding: String,
    head: Option<String>,
}

struct EntryWords {
    epoch: u64,
    kind: String,
    before: String,
    after: String,
    reason: String,
    actor: String,
    when: When,
    /// What the guard said, in a sentence.
    said: Option<String>,
    evidence: Option<String>,
    hash: String,
}

/// The page. `frame` is that of no migration yet.
pub(crate) fn audit(
    frame: Frame,
    status: &MigrationStatus,
    parts: Parts,
    page: &AuditPage,
    now: u64,
) -> Result<String, askama::Error> {
    let (frame, here) = (frame.at(status, parts, Tab::Audit, now), Here::of(status, parts, Tab::Audit));
    let next = page.next.map(|before| format!("{}/m/{}/audit?before={before}", frame.base, here.id));
    Page {
        verification: page.verification.as_ref().map(Found::of),
        entries: page.entries.iter().map(|entry| EntryWords::of(entry, now)).collect(),
        trouble: page.trouble.clone().unwrap_or_default(),
        next,
        frame,
        here,
    }
    .render()
}

impl Found {
    fn of(verification: &Verification) -> Self {
        let Flag { class, icon, word } =
            if verification.intact { Flag::new("ok", "Intact.") } else { Flag::new("alarm", "Not intact.") };
        let finding = words::shown(&verification.finding);
        Self { tone: class, icon, word, finding, head: verification.head.clone() }
    }
}

impl EntryWords {
    fn of(entry: &AuditEntry, now: u64) -> Self {
        let evidence = entry.evidence.as_ref().and_then(|evidence| serde_json::to_string_pretty(evidence).ok());
        let said = GuardReport::of(entry).map(|report| report.reason());
        let said = said.filter(|said| !said.is_empty() && !entry.reason.as_str().contains(said.as_str()));
        Self {
            epoch: entry.epoch,
            kind: words::change_kind(entry.kind),
            before: entry.before.map_or_else(|| "nothing stored".to_owned(), words::settings),
            after: words::settings(entry.after),
            reason: words::shown(entry.reason.as_str()),
            actor: words::shown(entry.actor.as_str()),
            when: When::of_time(entry.at, now),
            said: said.map(|said| words::shown(&format!("The guard: {said}."))),
            evidence: evidence.map(|evidence| words::shown(&evidence)),
            hash: entry.hash.to_string(),
        }
    }
}
