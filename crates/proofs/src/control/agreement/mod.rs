//! The models decide as the crate does: every finding, wish and answer, asked of a real controller.

mod told;

use std::fmt::Debug;

use cutover::control::Doubt;
use cutover::{MigrationController, SystemMode};
use futures::FutureExt;
use futures::executor::block_on;

use super::action::{Action, WISHES};
use super::decide::{Wish, rank, write};
use super::instance::{Instance, Slot, Task};
use super::known::{Finding, Known};
use super::record::{Change, Etag, Id, Kind, Record, Store};
use super::scope::Scope;
use super::state::{Budget, State};
use super::variant::Variant;
use SystemMode::{EmergencyRollback, LegacyOnly, NewOnly, Parallel};
use told::{History, Then, Told, modelled, record};

const AS_BUILT: Variant = Variant::AsBuilt;
/// Modes that differ in all that decides.
const FEW: &[SystemMode] = &[LegacyOnly, NewOnly];

/// Nothing, and two records, of which the last one has each mode and settlement.
fn known(modes: &[SystemMode]) -> Vec<History> {
    let lasts = modes.iter().flat_map(|&mode| [0, 2].map(|settles| record(2, 2, mode, settles)));
    std::iter::once(Vec::new()).chain(lasts.map(|last| vec![record(1, 1, Parallel, 0), last])).collect()
}

/// Nothing, `known` itself, what came from it, and forks up to each epoch with each mode and settlement.
fn found(known: &History, modes: &[SystemMode]) -> Vec<History> {
    let mut all = vec![Vec::new(), known.clone()];
    let settles = known.last().map_or(0, |record| record.settles);
    let epoch = u8::try_from(known.len()).unwrap() + 1;
    for &mode in modes {
        let next = known.iter().copied().chain([record(epoch, 9, mode, settles)]);
        all.push(next.collect());
        for (epoch, settles) in [1, 2, 3].into_iter().flat_map(|epoch| [0, 1, 2, 3].map(|settles| (epoch, settles))) {
            let earlier = (1..epoch).map(|epoch| record(epoch, 10 + epoch, Parallel, 0));
            let last = Record { id: apart(epoch, mode, settles), ..record(epoch, 0, mode, settles) };
            all.push(earlier.chain([last]).collect());
        }
    }
    all
}

/// Records that differ have different etags.
fn apart(epoch: u8, mode: SystemMode, settles: u8) -> Id {
    Id { epoch, etag: Etag { op: 20 + epoch, attempt: rank(mode) * 4 + settles } }
}

fn pairs(modes: &[SystemMode]) -> impl Iterator<Item = (History, History)> + use<'_> {
    known(modes).into_iter().flat_map(|known| found(&known, modes).into_iter().map(move |found| (known.clone(), found)))
}

/// A modelled instance reads a store that holds `found`.
fn look(instance: &mut Instance, store: &Store) {
    let continues = store.remembers(instance.known.record);
    instance.learn(AS_BUILT, |known| known.found(store.record, continues, AS_BUILT));
}

/// A real controller and a modelled instance that knew `known` and then found each of `found`.
fn both(known: &History, found: &[&History]) -> (Told, MigrationController, Instance) {
    let store = Told::default();
    store.tell(known);
    let (real, mut instance) = (store.controller(), Instance::new(known.last().copied()));
    for history in found {
        store.tell(history);
        block_on(real.refresh()).unwrap();
        look(&mut instance, &modelled(history));
    }
    (store, real, instance)
}

fn doubt_of(known: &Known) -> Option<Doubt> {
    let (known_epoch, doubted) = (u64::from(known.epoch()), known.doubted?);
    let Some(found) = doubted.found else { return Some(Doubt::StateLost { known_epoch }) };
    let found_epoch = u64::from(found.id.epoch);
    Some(match doubted.found {
        same if same == known.record => Doubt::AuditGap { known_epoch },
        _ if found_epoch > known_epoch => Doubt::Forked { known_epoch, found_epoch },
        _ => Doubt::StateRegressed { known_epoch, found_epoch },
    })
}

#[track_caller]
fn assert_agree(real: &MigrationController, instance: &Instance, about: impl Debug) {
    let status = real.status();
    assert_eq!(status.mode, instance.mode(AS_BUILT), "{about:?}");
    assert_eq!(status.epoch, u64::from(instance.known.epoch()), "{about:?}");
    assert_eq!(status.doubt, doubt_of(&instance.known), "{about:?}");
    assert_eq!(status.unpersisted_emergency, instance.brake.is_some(), "{about:?}");
}

async fn make(real: &MigrationController, wish: Wish) {
    let _refusal = match wish {
        Wish::Become(to) => real.transition(to, "model", "agreement").await,
        Wish::Reconcile => real.reconcile("model", "agreement").await,
    };
}

/// What the model writes for `wish`.
fn decided(instance: &Instance, wish: Wish) -> Option<Change> {
    let mode = wish.decide(&instance.known, AS_BUILT)?;
    Some(write(&instance.known, mode, wish.kind(), Etag { op: 20, attempt: 0 }, AS_BUILT))
}

fn outline(history: &[Record]) -> Vec<(u64, SystemMode, u64)> {
    history.iter().map(|record| (u64::from(record.id.epoch), record.mode, u64::from(record.settles))).collect()
}

#[test]
fn a_finding_is_taken_in_as_the_crate_does() {
    for (known, found) in pairs(&SystemMode::ALL) {
        let (_, real, instance) = both(&known, &[&found]);
        assert_agree(&real, &instance, (&known, &found));
    }
}

#[test]
fn a_finding_in_doubt_is_taken_in_as_the_crate_does() {
    for (known, first) in pairs(FEW) {
        for second in found(&known, FEW) {
            let (_, real, instance) = both(&known, &[&first, &second]);
            assert_agree(&real, &instance, (&known, &first, &second));
        }
    }
}

#[test]
fn a_wish_comes_to_what_it_comes_to_in_the_crate() {
    for (known, found) in pairs(&SystemMode::ALL) {
        for wish in WISHES {
            let (store, real, mut instance) = both(&known, &[&found]);
            block_on(make(&real, wish));
            let change = decided(&instance, wish);
            let history: History = found.iter().copied().chain(change.map(|change| change.record)).collect();
            assert_eq!(store.outline(), outline(&history), "{known:?} {found:?} {wish:?}");
            if let Some(change) = change {
                instance.learn(AS_BUILT, |known| known.committed(change.record));
            }
            assert_agree(&real, &instance, (&known, &found, wish));
        }
    }
}

/// A read finds `first`, a change is made on `second`, and only then the finding arrives.
#[test]
fn an_overtaken_read_is_repeated_as_in_the_crate() {
    let mut overtaken = 0;
    for (known, first) in pairs(FEW) {
        for (second, wish) in found(&known, FEW).into_iter().zip(WISHES.into_iter().cycle()) {
            let (store, real, mut instance) = both(&known, &[]);
            store.tell(&first);
            let held = store.hold_load();
            let mut reading = Box::pin(real.refresh());
            assert!(reading.as_mut().now_or_never().is_none());
            instance.reading = Some(Finding { found: first.last().copied(), settled: 0 });
            store.tell(&second);
            block_on(make(&real, wish));
            look(&mut instance, &modelled(&second));
            let mut present = second.clone();
            if let Some(change) = decided(&instance, wish) {
                present.push(change.record);
                instance.learn(AS_BUILT, |known| known.committed(change.record));
            }
            drop(held);
            block_on(reading).unwrap();
            let mut store = modelled(&present);
            match instance.reading.take() {
                Some(finding) => store.record = finding.found,
                None => overtaken += 1,
            }
            let epoch = instance.known.epoch();
            look(&mut instance, &store);
            if instance.known.epoch() > epoch {
                let written = store.remembers(instance.known.record);
                instance.learn(AS_BUILT, |known| known.audited(written));
            }
            assert_agree(&real, &instance, (&known, &first, &second, wish));
        }
    }
    assert!(overtaken > 100, "{overtaken} are too few to prove anything");
}

/// A change is stored, the store then holds something else, which is read, and only then the answer arrives.
#[test]
fn an_overtaken_acknowledgement_is_taken_in_as_the_crate_does() {
    let mut overtaken = 0;
    for (known, found) in pairs(FEW) {
        for wish in WISHES {
            let (store, real, mut instance) = both(&known, &[]);
            let Some(change) = decided(&instance, wish) else { continue };
            let mut task = Task::new(20);
            task.send(change);
            instance.change = Some((wish, task));
            let held = store.hold_swap();
            let mut changing = Box::pin(make(&real, wish));
            assert!(changing.as_mut().now_or_never().is_none());
            store.tell(&found);
            block_on(real.refresh()).unwrap();
            look(&mut instance, &modelled(&found));
            drop(held);
            block_on(changing);
            let sent = instance.sent(Slot::Change).unwrap();
            instance.acknowledged(Slot::Change, sent, change.record, AS_BUILT);
            if sent.overtaken {
                overtaken += 1;
                look(&mut instance, &modelled(&found));
            }
            assert_agree(&real, &instance, (&known, &found, wish));
        }
    }
    assert!(overtaken > 100, "{overtaken} are too few to prove anything");
}

/// Stores the emergency of the first instance, and lets `then` happen between the write and its answer.
fn store_emergency(state: &mut State, scope: &Scope, mut then: Option<&History>) {
    state.take(Action::Pull(0), scope);
    while let Some(brake) = state.instances[0].brake {
        match (brake.sent, brake.acknowledged) {
            (None, None) => state.take(Action::SendBrake(0), scope),
            (None, Some(_)) => state.take(Action::Confirm(0), scope),
            (Some(_), _) => {
                state.take(Action::Arrive(0, Slot::Brake), scope);
                if let Some(history) = then.take() {
                    state.store = modelled(history);
                }
                state.take(Action::Answer(0, Slot::Brake), scope);
            }
        }
    }
}

fn stage(instance: Instance, history: &History) -> (State, Scope) {
    let budget = Budget { changes: 0, pulls: 1, messages: 0, faults: 0 };
    let mut state = State::beginning(None, budget);
    (state.instances[0], state.store) = (instance, modelled(history));
    (state, Scope { variant: AS_BUILT, budget, slow_reads: false, begins: &[], wishes: &[] })
}

#[track_caller]
fn assert_same_emergency(store: &Told, real: &MigrationController, state: &State, about: impl Debug) {
    let history: History = state.store.audit.iter().map(|entry| entry.record).collect();
    assert_eq!(store.outline(), outline(&history), "{about:?}");
    assert_agree(real, &state.instances[0], about);
}

#[test]
fn an_emergency_holds_at_once_and_is_stored_on_what_was_found() {
    for (known, found) in pairs(&SystemMode::ALL) {
        let (store, real, instance) = both(&known, &[&found]);
        let persisted = real.emergency_rollback("model", "agreement");
        assert_eq!(real.mode(), EmergencyRollback);
        block_on(persisted);
        let (mut state, scope) = stage(instance, &found);
        store_emergency(&mut state, &scope, None);
        assert_same_emergency(&store, &real, &state, (&known, &found));
    }
}

#[test]
fn an_emergency_that_the_store_lost_is_stored_again_as_in_the_crate() {
    for (known, then) in pairs(&SystemMode::ALL) {
        let (store, real, instance) = both(&known, &[]);
        store.then(Then::Hold(then.clone()));
        block_on(real.emergency_rollback("model", "agreement"));
        let (mut state, scope) = stage(instance, &known);
        store_emergency(&mut state, &scope, Some(&then));
        if known.last().is_none_or(|record| record.mode != EmergencyRollback) {
            assert_same_emergency(&store, &real, &state, (&known, &then));
        }
    }
}

#[test]
fn an_emergency_that_was_left_meanwhile_is_not_stored_again() {
    for known in known(FEW) {
        let (store, real, _) = both(&known, &[]);
        store.then(Then::Leave);
        block_on(real.emergency_rollback("model", "agreement"));
        let modes: Vec<_> = store.outline().iter().map(|(_, mode, _)| *mode).collect();
        assert!(modes.ends_with(&[EmergencyRollback, LegacyOnly]), "{modes:?}");
        assert_eq!((real.mode(), real.status().unpersisted_emergency), (LegacyOnly, false));
    }
}

/// The record is there and the audit is not.
#[test]
fn a_gap_in_the_audit_is_doubted_until_a_change_is_made_as_in_the_crate() {
    for mode in SystemMode::ALL {
        for wish in WISHES {
            let (known, found) = (Vec::new(), vec![record(1, 1, Parallel, 0), record(2, 2, mode, 0)]);
            let (store, real, mut instance) = both(&known, &[]);
            store.tell(&found);
            store.hide_audit(true);
            block_on(real.refresh()).unwrap();
            look(&mut instance, &modelled(&found));
            instance.learn(AS_BUILT, |known| known.audited(false));
            assert_agree(&real, &instance, (mode, wish));
            store.hide_audit(false);
            block_on(real.refresh()).unwrap();
            look(&mut instance, &modelled(&found));
            assert_agree(&real, &instance, (mode, wish));
            block_on(make(&real, wish));
            if let Some(change) = decided(&instance, wish) {
                instance.learn(AS_BUILT, |known| known.committed(change.record));
            }
            assert_agree(&real, &instance, (mode, wish));
            assert_eq!(
                Kind::Reconciliation == wish.kind(),
                instance.known.doubted.is_none() && wish == Wish::Reconcile
            );
        }
    }
}
