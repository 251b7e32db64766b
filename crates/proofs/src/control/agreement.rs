//! The models decide as the crate does: every finding and every wish, asked of a real controller.

use std::sync::{Arc, Mutex};

use cutover::store::{
    AuditEntry, Author, Change, ChangeKind, Expect, MigrationId, Record as Stored, Settings, Stamp, async_trait,
};
use cutover::{MigrationController, StateStore, StoreError, SystemMode};
use futures::executor::block_on;

use super::decide::Wish;
use super::known::{Finding, Known};
use super::record::{Etag, Id, Record, id_of};
use super::variant::Variant;

/// A store that holds what it is told.
#[derive(Clone, Default)]
struct Told(Arc<Mutex<Option<Stored>>>);

#[async_trait]
impl StateStore for Told {
    async fn load(&self, _: &MigrationId) -> Result<Option<Stored>, StoreError> {
        Ok(self.0.lock().unwrap().clone())
    }

    async fn compare_and_swap(&self, _: &MigrationId, expect: Expect, change: &Change) -> Result<Stored, StoreError> {
        let mut present = self.0.lock().unwrap();
        if !expect.matches(present.as_ref()) {
            return Err(StoreError::conflict(present.clone()));
        }
        *present = Some(change.record().clone());
        Ok(change.record().clone())
    }

    async fn history(&self, _: &MigrationId, _: u64, _: usize) -> Result<Vec<AuditEntry>, StoreError> {
        Ok(Vec::new())
    }
}

fn stored(record: Record) -> Stored {
    let author = Author::new("model", "agreement").unwrap();
    let settings = Settings { mode: record.mode, ..Settings::default() };
    let at = std::time::UNIX_EPOCH;
    let etag = u128::from(record.id.etag.op);
    let mut made: Option<Stored> = None;
    for _ in 0..record.id.epoch {
        let stamp = Stamp { at, etag, op_id: etag };
        let change = Change::new(made.as_ref(), settings, ChangeKind::Transition, author.clone(), stamp);
        made = Some(change.record().clone());
    }
    made.unwrap()
}

/// No record, and each mode at some epochs, with an etag of its own.
fn records(epochs: &[u8], op: u8) -> Vec<Option<Record>> {
    let all = epochs.iter().flat_map(|&epoch| SystemMode::ALL.map(|mode| (epoch, mode)));
    let id = |epoch| Id { epoch, etag: Etag { op, attempt: 0 } };
    std::iter::once(None).chain(all.map(|(epoch, mode)| Some(Record { id: id(epoch), mode }))).collect()
}

/// A real controller and a modelled one that knew `known` and then found `found`.
fn both(known: Option<Record>, found: Option<Record>) -> (Told, MigrationController, Known) {
    let store = Told::default();
    *store.0.lock().unwrap() = known.map(stored);
    let real = block_on(MigrationController::open("agreement", store.clone())).unwrap();
    *store.0.lock().unwrap() = found.map(stored);
    block_on(real.refresh()).unwrap();
    let mut modelled = Known::new(known);
    modelled.found(Finding { start: id_of(known), found, remembered: true }, Variant::AsBuilt);
    (store, real, modelled)
}

fn pairs() -> impl Iterator<Item = (Option<Record>, Option<Record>)> {
    let known = records(&[2], 1);
    known.into_iter().flat_map(|known| {
        let found = records(&[1, 2, 3], 2).into_iter().chain([known]);
        found.map(move |found| (known, found))
    })
}

#[track_caller]
fn assert_agree(real: &MigrationController, modelled: &Known, about: impl std::fmt::Debug) {
    let status = real.status();
    assert_eq!(status.mode, modelled.believed(), "{about:?}");
    assert_eq!(status.epoch, u64::from(modelled.epoch()), "{about:?}");
    assert_eq!(status.doubt.is_some(), modelled.doubted.is_some(), "{about:?}");
}

#[test]
fn a_finding_is_taken_in_as_the_crate_does() {
    for (known, found) in pairs() {
        let (_, real, modelled) = both(known, found);
        assert_agree(&real, &modelled, (known, found));
    }
}

#[test]
fn a_wish_comes_to_what_it_comes_to_in_the_crate() {
    let wishes = SystemMode::ALL.into_iter().filter(|&mode| mode != SystemMode::EmergencyRollback).map(Wish::Become);
    let wishes: Vec<Wish> = wishes.chain([Wish::Reconcile]).collect();
    for (known, found) in pairs() {
        for &wish in &wishes {
            let (store, real, mut modelled) = both(known, found);
            let before = store.0.lock().unwrap().clone();
            let _refusal = block_on(async {
                match wish {
                    Wish::Become(to) => real.transition(to, "model", "agreement").await,
                    Wish::Reconcile => real.reconcile("model", "agreement").await,
                }
            });
            let after = store.0.lock().unwrap().clone();
            let decided = wish.decide(&modelled, Variant::AsBuilt);
            let written = after.filter(|_| before.as_ref().map(|record| record.etag) != after_etag(&store));
            assert_eq!(written.as_ref().map(|record| record.mode), decided, "{known:?} {found:?} {wish:?}");
            if let (Some(mode), Some(written)) = (decided, written) {
                let base = modelled.base();
                let epoch = u8::try_from(written.epoch).unwrap();
                let id = Id { epoch, etag: Etag { op: 3, attempt: 0 } };
                modelled.committed(id_of(base), Record { id, mode });
                assert_agree(&real, &modelled, (known, found, wish));
            }
        }
    }
}

fn after_etag(store: &Told) -> Option<u128> {
    store.0.lock().unwrap().as_ref().map(|record| record.etag)
}

#[test]
fn an_emergency_holds_at_once_and_is_stored_on_what_was_found() {
    for (known, found) in pairs() {
        let (store, real, mut modelled) = both(known, found);
        let persisted = real.emergency_rollback("model", "agreement");
        assert_eq!(real.mode(), SystemMode::EmergencyRollback);
        block_on(persisted);
        let written = store.0.lock().unwrap().clone().unwrap();
        assert_eq!(written.mode, SystemMode::EmergencyRollback);
        let base = modelled.base();
        if super::record::mode_of(base) != SystemMode::EmergencyRollback {
            let epoch = base.map_or(0, |record| record.id.epoch) + 1;
            assert_eq!(written.epoch, u64::from(epoch), "{known:?} {found:?}");
            let id = Id { epoch, etag: Etag { op: 3, attempt: 0 } };
            modelled.committed(id_of(base), Record { id, mode: SystemMode::EmergencyRollback });
        }
        assert_agree(&real, &modelled, (known, found));
    }
}
