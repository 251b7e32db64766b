//! Whatever happens to a plan: no step without evidence, one step at a time, and a rollback before all else.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "plan_common/migration.rs"]
mod migration;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::Duration;

use cutover::SystemMode;
use cutover::guard::{Action, Criterion, Hold};
use cutover::plan::{Approval, Decision, Look, OnBreach, Progress, Readiness, Reversibility, StoreView};
use cutover::store::{ChangeKind, Settings};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed, TestRunner};
use serde_json::Value;

use migration::{Migration, percent, ramp, ready};

fn looks() -> impl Strategy<Value = Look> {
    let action =
        prop::option::of(prop::sample::select(vec![Action::Warn, Action::Ask, Action::Freeze, Action::Rollback]));
    let held_by =
        prop::option::weighted(0.2, prop::sample::select(vec![Hold::Regressed, Hold::CoolingDown, Hold::NoNewCounts]));
    let proven = prop::sample::subsequence(Criterion::ALL.to_vec(), 0..=3);
    let legacy =
        prop::sample::select(vec![Readiness::Unknown, Readiness::Ready, Readiness::Ready, Readiness::NotReady]);
    let store =
        prop::sample::select(vec![StoreView::Unreachable, StoreView::InDoubt, StoreView::Fresh, StoreView::Fresh]);
    let counts = (prop::sample::select(vec![0_u64, 1, 9, 10, 1_000, 5_000]), 0..3_u64);
    (action, held_by, proven, legacy, store, counts, any::<bool>(), 0..200_u64).prop_map(
        |(action, held_by, proven, legacy, store, (samples, compared), monitored, held)| Look {
            action,
            held_by,
            proven,
            samples,
            compared,
            monitored,
            held: Duration::from_secs(held),
            legacy,
            store,
        },
    )
}

/// What happens to a migration between two looks.
#[derive(Debug, Clone)]
enum Happening {
    Nothing,
    /// Approves, acknowledges or both, whatever step comes next.
    Allowed(bool, bool),
    Said(ChangeKind, &'static str, Option<&'static str>),
    ByHand(SystemMode, u32),
}

fn happenings() -> impl Strategy<Value = Happening> {
    let steps = prop::sample::select(vec![None, Some("tenth"), Some("half"), Some("all"), Some("nowhere")]);
    let said = prop::sample::select(vec![
        (ChangeKind::Approval, "approved"),
        (ChangeKind::Acknowledgement, "acknowledged"),
        (ChangeKind::Pause, "paused"),
        (ChangeKind::Resume, "resumed"),
        (ChangeKind::Resume, "restarted"),
        (ChangeKind::Approval, "no such event"),
    ]);
    prop_oneof![
        6 => Just(Happening::Nothing),
        6 => any::<(bool, bool)>().prop_map(|(approved, acknowledged)| Happening::Allowed(approved, acknowledged)),
        2 => (said, steps).prop_map(|((kind, event), step)| Happening::Said(kind, event, step)),
        1 => (prop::sample::select(SystemMode::ALL.to_vec()), 0..100_u32).prop_map(|(mode, rollout)| Happening::ByHand(mode, rollout)),
    ]
}

/// A look in which everything is as it has to be, in most of the cases.
fn mixed_looks() -> impl Strategy<Value = Look> {
    prop_oneof![3 => Just(ready()), 1 => looks()]
}

#[test]
fn whatever_happens_no_step_is_entered_without_evidence_and_a_rollback_comes_first() {
    let reached = RefCell::new(BTreeMap::<String, u32>::new());
    let config = Config { cases: 2_000, rng_seed: RngSeed::Fixed(21), failure_persistence: None, ..Config::default() };
    let events = prop::collection::vec((happenings(), mixed_looks()), 1..40);
    let ran = TestRunner::new(config).run(&events, |events| play(events, &mut reached.borrow_mut()));
    ran.unwrap_or_else(|failure| panic!("{failure}"));
    let reached = reached.into_inner();
    for decision in ["compare", "tenth", "half", "all", "roll back", "a person has to look at a breach", "done"] {
        assert!(reached.get(decision).is_some_and(|times| *times >= 10), "{decision}: {reached:?}");
    }
}

fn play(events: Vec<(Happening, Look)>, reached: &mut BTreeMap<String, u32>) -> Result<(), TestCaseError> {
    let mut migration = Migration::of(ramp());
    // What people said since the last step, or the last restart, was entered.
    let mut said = Vec::new();
    for (happening, look) in events {
        match happening {
            Happening::Nothing => {}
            Happening::Allowed(approved, acknowledged) => {
                let next = migration.progress.next(&migration.plan).and_then(|place| migration.plan.step(place));
                let name = next.map(|step| step.name.clone());
                let approval = approved.then_some((ChangeKind::Approval, "approved"));
                let acknowledgement = acknowledged.then_some((ChangeKind::Acknowledgement, "acknowledged"));
                for (kind, event) in approval.into_iter().chain(acknowledgement) {
                    migration.note(kind, event, name.as_deref());
                    said.push((kind, event, name.clone()));
                }
            }
            Happening::Said(kind, event, step) => {
                migration.note(kind, event, step);
                said.push((kind, event, step.map(ToOwned::to_owned)));
            }
            Happening::ByHand(mode, rollout) => {
                let by_hand = Settings { mode, rollout: percent(f64::from(rollout)), shadow_share: None };
                migration.write(by_hand.entering(mode), ChangeKind::Transition, Value::Null);
            }
        }
        let before = migration.progress.clone();
        let decision = migration.decide(&look);
        prop_assert_eq!(&decision, &migration.decide(&look), "the same again");
        check(&migration, &before, &look, &decision)?;
        if let Decision::Promote { step } = &decision {
            let entered = migration.plan.step(migration.plan.position(step).unwrap()).unwrap();
            let was_said = |kind, event| said.contains(&(kind, event, Some(step.clone())));
            let person = entered.approval == Approval::Person;
            prop_assert!(!person || was_said(ChangeKind::Approval, "approved"));
            let forward = entered.reversibility == Reversibility::ForwardOnly;
            prop_assert!(!forward || was_said(ChangeKind::Acknowledgement, "acknowledged"));
            said.clear();
            *reached.entry(step.clone()).or_default() += 1;
            migration.enter(migration.plan.position(step).unwrap());
        }
        if matches!(decision, Decision::Rollback | Decision::Done | Decision::Ask) {
            *reached.entry(decision.to_string()).or_default() += 1;
        }
    }
    Ok(())
}

fn check(migration: &Migration, before: &Progress, look: &Look, decision: &Decision) -> Result<(), TestCaseError> {
    let present = before.place().and_then(|place| migration.plan.step(place));
    let runs = before.is_under_way() && !before.settings().mode.resets_rollout();
    let allowed = present.is_none_or(|step| step.on_breach == OnBreach::Rollback);
    let abort = runs && allowed && look.action == Some(Action::Rollback);
    prop_assert_eq!(*decision == Decision::Rollback, abort);
    if let Decision::Hold { needs } = decision {
        prop_assert!(!needs.is_empty());
    }
    if let Decision::Promote { step } = decision {
        let place = migration.plan.position(step).unwrap();
        prop_assert_eq!(place, before.place().map_or(0, |place| place + 1), "one step at a time");
        prop_assert_eq!(before.end(), None);
        prop_assert_eq!(before.stop(&migration.plan), None);
        prop_assert_eq!((look.store, look.legacy), (StoreView::Fresh, Readiness::Ready));
        if let Some(present) = present {
            prop_assert!(look.samples >= present.min_samples.max(1) && look.held >= present.hold);
            prop_assert!(look.monitored && look.held_by.is_none());
            prop_assert!(look.action.is_none_or(|action| action == Action::Warn));
            prop_assert_eq!(before.settings(), present.settings());
        }
    }
    Ok(())
}
