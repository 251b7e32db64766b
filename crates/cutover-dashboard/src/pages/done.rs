//! What was stored, as the audit says it.

use cutover::store::{AuditEntry, ChangeKind};

use super::Notice;
use super::words;
use crate::records::in_time;
use crate::state::{State, Watched};

/// What the audit says of `epoch`; nothing if it has no such entry.
pub(super) async fn stored(state: &State, watched: &Watched, epoch: u64) -> Option<Notice> {
    let controller = &watched.migration.controller;
    let read = in_time(state.patience(), controller.history(epoch.checked_sub(1)?, 1)).await.ok()?;
    let entry = read.into_iter().next().filter(|entry| entry.epoch == epoch)?;
    Some(Notice::Stored(sentence(&entry)))
}

fn sentence(entry: &AuditEntry) -> String {
    let AuditEntry { epoch, actor, after, .. } = entry;
    let after = words::settings(*after);
    let what = match entry.kind {
        ChangeKind::Transition | ChangeKind::Rollout | ChangeKind::ShadowShare => {
            let before = words::settings(entry.before.unwrap_or_default());
            format!("{before} → {after}")
        }
        ChangeKind::Reconciliation => format!("it is settled that {after} holds"),
        ChangeKind::Clearing => format!("the discrepancies are forgotten, {after} still holds"),
        ChangeKind::Approval
        | ChangeKind::Acknowledgement
        | ChangeKind::Pause
        | ChangeKind::Resume
        | ChangeKind::Step
        | ChangeKind::Other
        | _ => format!("{}, {after} still holds", words::change_kind(entry.kind)),
    };
    format!("Epoch {epoch} by {actor}: {what}.")
}
