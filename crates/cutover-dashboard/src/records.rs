//! What pages and the API show of stores: each answer comes in time, and says so if a store did not answer.

use std::cmp::Reverse;
use std::collections::VecDeque;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use cutover::control::{NotClaimed, VerifyError};
use cutover::record::{Fingerprint, MemoryRecorder};
use cutover::store::{AuditEntry, AuditHead, DiscrepancyStore, ItemId, StoreError};
use cutover::{Discrepancy, MigrationController};
use futures_util::future::join;

use crate::Migration;
use crate::migration::Discrepancies;
use crate::problem::sentence;
use crate::search::{AuditSearch, Search};
use crate::state::{State, Watched};
use crate::view::{AuditPage, ClaimsPage, DiscrepancyPage, Problem, Verification};

/// The longest page.
pub(crate) const MAX_PAGE: usize = 200;

/// What a store answered, or a sentence that says why not.
type Answered<T> = Result<T, String>;

/// What the store answers in time.
pub(crate) async fn in_time<T>(patience: Duration, asked: impl Future<Output = Result<T, StoreError>>) -> Answered<T> {
    match tokio::time::timeout(patience, asked).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(StoreError::Corrupt(_))) => Err("What is stored cannot be read.".to_owned()),
        Ok(Err(StoreError::UnknownFormat(_))) => Err("A newer version wrote what is stored.".to_owned()),
        Ok(Err(StoreError::Denied(_))) => Err("The store denies access.".to_owned()),
        Ok(Err(_)) | Err(_) => Err("The store did not answer.".to_owned()),
    }
}

fn not_shown(what: &str) -> Problem {
    Problem::new("not_shown", 404, format!("The dashboard shows no {what} of this migration."))
}

/// A page of discrepancies.
pub(crate) async fn discrepancies(
    state: &State,
    watched: &Watched,
    search: &Search,
) -> Result<DiscrepancyPage, Problem> {
    let migration = &watched.migration;
    let kept = migration.discrepancies.as_ref().ok_or_else(|| not_shown("discrepancies"))?;
    let dropped = match kept {
        Discrepancies::Memory(recorder) => Some(recorder.dropped()),
        Discrepancies::Store(_) => None,
    };
    let found = match kept {
        Discrepancies::Memory(recorder) => in_memory(recorder, search),
        Discrepancies::Store(store) => in_time(state.patience(), in_store(store, migration, search)).await,
    };
    let (Found { discrepancies, next, searched }, trouble) = or_trouble(found);
    Ok(DiscrepancyPage { id: migration.id().clone(), discrepancies, next, searched, dropped, trouble })
}

fn or_trouble<T: Default>(answered: Answered<T>) -> (T, Option<String>) {
    match answered {
        Ok(answer) => (answer, None),
        Err(trouble) => (T::default(), Some(trouble)),
    }
}

#[derive(Debug, Default)]
struct Found {
    discrepancies: Vec<Discrepancy>,
    next: Option<Fingerprint>,
    searched: usize,
}

/// Those with the most occurrences first, over all pages.
fn in_memory(recorder: &MemoryRecorder, search: &Search) -> Answered<Found> {
    let mut all = recorder.discrepancies();
    let searched = all.len();
    all.sort_by_key(by_occurrences);
    let begin = match search.after {
        Some(after) => 1 + all.iter().position(|found| found.fingerprint == after).ok_or(GONE)?,
        None => 0,
    };
    let mut wanted = all.into_iter().skip(begin).filter(|found| search.wants(found));
    let discrepancies: Vec<_> = wanted.by_ref().take(search.limit).collect();
    let next = wanted.next().and_then(|_| discrepancies.last().map(|last| last.fingerprint));
    Ok(Found { discrepancies, next, searched })
}

const GONE: &str = "The page before ended with a discrepancy that is not kept any more. Begin with the first page.";

fn by_occurrences(discrepancy: &Discrepancy) -> (Reverse<u64>, Fingerprint) {
    (Reverse(discrepancy.occurrences), discrepancy.fingerprint)
}

/// So many are looked at for one page.
const MOST_SEARCHED: usize = 1_000;

/// In the order of their fingerprints from page to page; within a page, those with the most occurrences first.
async fn in_store(
    store: &Arc<dyn DiscrepancyStore>,
    migration: &Migration,
    search: &Search,
) -> Result<Found, StoreError> {
    let mut found = Found { next: search.after, ..Found::default() };
    let ended = loop {
        let page = store.page(migration.id(), found.next, MAX_PAGE).await?;
        let last_page = page.len() < MAX_PAGE;
        let mut full = false;
        for discrepancy in page {
            full = found.discrepancies.len() == search.limit;
            if full {
                break;
            }
            found.searched += 1;
            found.next = Some(discrepancy.fingerprint);
            found.discrepancies.extend(search.wants(&discrepancy).then_some(discrepancy));
        }
        if full || last_page || found.searched >= MOST_SEARCHED {
            break last_page && !full;
        }
    };
    found.next = found.next.filter(|_| !ended);
    found.discrepancies.sort_by_key(by_occurrences);
    Ok(found)
}

/// The discrepancy with this fingerprint.
pub(crate) async fn discrepancy(
    state: &State,
    watched: &Watched,
    fingerprint: Fingerprint,
) -> Result<Discrepancy, Problem> {
    let migration = &watched.migration;
    let kept = migration.discrepancies.as_ref().ok_or_else(|| not_shown("discrepancies"))?;
    let found = match kept {
        Discrepancies::Memory(recorder) => recorder.find(fingerprint),
        Discrepancies::Store(store) => {
            let page = store.page(migration.id(), before(fingerprint), 1);
            let page = in_time(state.patience(), page).await.map_err(|trouble| Problem::new("store", 503, trouble))?;
            page.into_iter().find(|found| found.fingerprint == fingerprint)
        }
    };
    found.ok_or_else(|| Problem::new("not_found", 404, "No such discrepancy is kept; it may have been forgotten."))
}

/// The fingerprint in front of this one.
fn before(fingerprint: Fingerprint) -> Option<Fingerprint> {
    let bits = u128::from_str_radix(&fingerprint.to_string(), 16).ok()?.checked_sub(1)?;
    Fingerprint::try_from(format!("{bits:032x}")).ok()
}

/// A page of the audit, newest first.
pub(crate) async fn audit(state: &State, watched: &Watched, search: AuditSearch) -> AuditPage {
    let migration = &watched.migration;
    let read = in_time(state.patience(), newest(migration, search));
    let (read, verified) = join(read, verification(state, migration, search.verify)).await;
    let (entries, trouble) = or_trouble(read);
    let (verification, unverified) = or_trouble(verified);
    let oldest = entries.last().map(|entry: &AuditEntry| entry.epoch);
    let next = oldest.filter(|epoch| *epoch > 1);
    AuditPage { id: migration.id().clone(), entries, next, verification, trouble: trouble.or(unverified) }
}

/// The newest entries of those that are wanted, newest first.
async fn newest(migration: &Migration, search: AuditSearch) -> Result<Vec<AuditEntry>, StoreError> {
    let controller = &migration.controller;
    if search.before.is_none() {
        controller.refresh().await?;
    }
    let below = search.before.unwrap_or(u64::MAX);
    let end = controller.status().epoch.min(below.saturating_sub(1));
    let mut window = search.limit as u64;
    // A store that lost records has fewer than are known.
    loop {
        let begin = end.saturating_sub(window);
        let entries = entries_between(controller, begin, below, search.limit).await?;
        if begin == 0 || !entries.is_empty() {
            return Ok(entries);
        }
        window = window.saturating_mul(8);
    }
}

/// The newest `limit` of the entries between two epochs, newest first.
async fn entries_between(
    controller: &MigrationController,
    mut after: u64,
    below: u64,
    limit: usize,
) -> Result<Vec<AuditEntry>, StoreError> {
    let mut entries = VecDeque::with_capacity(limit);
    loop {
        let page = controller.history(after, MAX_PAGE).await?;
        let last_page = page.len() < MAX_PAGE;
        after = page.last().map_or(after, |last| last.epoch);
        for entry in page.into_iter().filter(|entry| entry.epoch < below) {
            entries.push_front(entry);
            entries.truncate(limit);
        }
        if last_page || after.saturating_add(1) >= below {
            return Ok(entries.into());
        }
    }
}

async fn verification(state: &State, migration: &Migration, wanted: bool) -> Answered<Option<Verification>> {
    if !wanted {
        return Ok(None);
    }
    let Ok(_permit) = state.verifications.try_acquire() else {
        return Err("The audit is being verified for others already; try again in a moment.".to_owned());
    };
    match tokio::time::timeout(state.patience(), migration.controller.verify()).await {
        Ok(Ok(head)) => Ok(Some(intact(head))),
        Ok(Err(VerifyError::Fault(fault))) => {
            Ok(Some(Verification { intact: false, finding: format!("{}.", sentence(&fault)), head: None }))
        }
        Ok(Err(_)) => Err("The store did not answer, so that the audit could not be verified.".to_owned()),
        Err(_) => Err("The audit could not be read in time, so that it was not verified.".to_owned()),
    }
}

fn intact(AuditHead { epoch, hash }: AuditHead) -> Verification {
    let finding = match epoch {
        0 => "There is no entry yet.".to_owned(),
        1 => "The one entry is as it was written.".to_owned(),
        _ => format!("The chain from 1 to {epoch} is unbroken and ends where the record says."),
    };
    Verification { intact: true, finding, head: Some(hash.to_string()) }
}

/// Items that are stuck, and the one that is looked up.
pub(crate) async fn claims(state: &State, watched: &Watched, item: Option<&ItemId>) -> Result<ClaimsPage, Problem> {
    let migration = &watched.migration;
    let claims = migration.claims.as_ref().ok_or_else(|| not_shown("claims"))?;
    let found = async {
        let Some(item) = item else { return Ok(None) };
        claims
            .claimed(item.as_str())
            .await
            .map_err(|error| if let NotClaimed::Store(error) = error { error } else { StoreError::corrupt(error) })
    };
    let patience = state.patience();
    let (stuck, found) = join(in_time(patience, claims.stuck(MAX_PAGE)), in_time(patience, found)).await;
    let ((stuck, stuck_trouble), (found, found_trouble)) = (or_trouble(stuck), or_trouble(found));
    Ok(ClaimsPage { id: migration.id().clone(), stuck, found, trouble: stuck_trouble.or(found_trouble) })
}
