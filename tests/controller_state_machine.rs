//! No sequence of changes, emergencies, refreshes and store faults leaves the tables, and the audit tells all of it.
#![cfg(feature = "testing")]
#![expect(
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod control_common;

use control_common::TestRuntime;
use cutover::control::{ChangeError, Changed};
use cutover::store::{AuditEntry, MigrationId, Settings};
use cutover::testing::{FailingStore, Fault};
use cutover::{MemoryStore, MigrationController, Percentage, StateStore, SystemMode};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed};

use SystemMode::{EmergencyRollback, GradualRollout, LegacyOnly, NewOnly, Parallel};

#[derive(Debug, Clone, Copy)]
enum Op {
    Transition(SystemMode),
    Rollout(Percentage),
    ShadowShare(Option<Percentage>),
    Emergency,
    Refresh,
    OutageBegins,
    OutageEnds,
}

/// One step: which of two controllers does it, and what goes wrong meanwhile.
#[derive(Debug, Clone, Copy)]
struct Step {
    second: bool,
    op: Op,
    read_fault: Option<Fault>,
    write_fault: Option<Fault>,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let share = prop::sample::select(vec![0_u32, 1, 250_000, 750_000, 1_000_000]);
    let share = share.prop_map(|ppm| Percentage::from_ppm(ppm).unwrap());
    let op = prop_oneof![
        8 => prop::sample::select(SystemMode::ALL.to_vec()).prop_map(Op::Transition),
        4 => share.clone().prop_map(Op::Rollout),
        2 => prop::option::of(share).prop_map(Op::ShadowShare),
        1 => Just(Op::Emergency),
        2 => Just(Op::Refresh),
        1 => Just(Op::OutageBegins),
        2 => Just(Op::OutageEnds),
    ];
    let faults = [
        Fault::Unavailable,
        Fault::UnknownAfterApplying,
        Fault::UnknownWithoutApplying,
        Fault::Hang,
        Fault::Conflict,
        Fault::Corrupt,
        Fault::Panic,
    ];
    let fault = || prop::option::weighted(0.2, prop::sample::select(faults.to_vec()));
    let step = (any::<bool>(), op, fault(), fault());
    let step = step.prop_map(|(second, op, read_fault, write_fault)| Step { second, op, read_fault, write_fault });
    prop::collection::vec(step, 1..40)
}

/// The reference: what has to be stored, and which controllers wait to store an emergency.
#[derive(Debug, Default)]
struct Model {
    audit: Vec<Settings>,
    braked: [bool; 2],
    outage: bool,
}

impl Model {
    fn stored(&self) -> Settings {
        self.audit.last().copied().unwrap_or_default()
    }

    fn store(&mut self, settings: Settings) {
        if settings != self.stored() {
            self.audit.push(settings);
        }
    }

    fn emergency(&mut self) {
        self.store(Settings { mode: EmergencyRollback, rollout: Percentage::ZERO, ..self.stored() });
    }

    /// What a change comes to when the store works; `None` when it is refused.
    fn decide(&self, op: Op) -> Option<Settings> {
        let now = self.stored();
        let fixed = matches!(now.mode, LegacyOnly | EmergencyRollback);
        match op {
            Op::Transition(to) if to == now.mode => Some(now),
            Op::Transition(to) if !in_table(now.mode, to) => None,
            Op::Transition(to @ (LegacyOnly | EmergencyRollback)) => {
                Some(Settings { mode: to, rollout: Percentage::ZERO, ..now })
            }
            Op::Transition(to) => Some(Settings { mode: to, ..now }),
            Op::Rollout(rollout) if fixed => (rollout == Percentage::ZERO).then_some(now),
            Op::Rollout(rollout) => Some(Settings { rollout, ..now }),
            Op::ShadowShare(shadow_share) => Some(Settings { shadow_share, ..now }),
            Op::Emergency | Op::Refresh | Op::OutageBegins | Op::OutageEnds => Some(now),
        }
    }
}

fn in_table(from: SystemMode, to: SystemMode) -> bool {
    to == EmergencyRollback
        || match from {
            LegacyOnly => matches!(to, Parallel | GradualRollout),
            Parallel => matches!(to, LegacyOnly | GradualRollout | NewOnly),
            GradualRollout => matches!(to, LegacyOnly | Parallel | NewOnly),
            NewOnly => matches!(to, GradualRollout | Parallel),
            EmergencyRollback => to == LegacyOnly,
        }
}

struct World {
    store: FailingStore<MemoryStore>,
    inner: MemoryStore,
    controllers: [MigrationController; 2],
    model: Model,
}

impl World {
    async fn new() -> Self {
        let inner = MemoryStore::new();
        let store = FailingStore::new(inner.clone(), TestRuntime);
        let first = MigrationController::open("machine", store.clone()).await.unwrap();
        let second = MigrationController::open("machine", store.clone()).await.unwrap();
        Self { store, inner, controllers: [first, second], model: Model::default() }
    }

    async fn take(&mut self, step: Step) {
        let who = usize::from(step.second);
        self.store.script_reads([step.read_fault]);
        self.store.script_writes([step.write_fault]);
        match step.op {
            Op::OutageBegins => {
                self.model.outage = true;
                self.store.set_standing(Some(Fault::Unavailable));
            }
            Op::OutageEnds => {
                self.model.outage = false;
                self.store.heal();
            }
            Op::Refresh => drop(self.controllers[who].refresh().await),
            Op::Emergency | Op::Transition(EmergencyRollback) => self.pull_the_brake(who, step.op).await,
            change => self.change(who, change, step).await,
        }
        self.end_of_step().await;
    }

    async fn pull_the_brake(&mut self, who: usize, op: Op) {
        if matches!(op, Op::Emergency) {
            drop(self.controllers[who].emergency_rollback("", "fire\n"));
        } else {
            let result = self.controllers[who].transition(EmergencyRollback, "", "").await;
            assert!(matches!(result, Ok(_) | Err(ChangeError::Unpersisted)), "{result:?}");
        }
        assert_eq!(self.controllers[who].mode(), EmergencyRollback);
        self.model.braked[who] = true;
    }

    async fn change(&mut self, who: usize, op: Op, step: Step) {
        let controller = &self.controllers[who];
        let result = match op {
            Op::Transition(to) => controller.transition(to, "ana", "step").await,
            Op::Rollout(rollout) => controller.set_rollout(rollout, "ana", "step").await,
            Op::ShadowShare(share) => controller.set_shadow_share(share, "ana", "step").await,
            other => unreachable!("{other:?} is no change"),
        };
        let unreadable = self.model.outage || !matches!(step.read_fault, None | Some(Fault::Conflict));
        if unreadable {
            assert!(matches!(result, Err(ChangeError::Store(_))), "{result:?}");
            return;
        }
        let Some(after) = self.model.decide(op) else {
            assert!(matches!(result, Err(ChangeError::Transition(_) | ChangeError::RolloutFixed { .. })), "{result:?}");
            return;
        };
        let refused = matches!(step.write_fault, Some(Fault::Unavailable | Fault::Corrupt));
        if refused && after != self.model.stored() {
            assert!(matches!(result, Err(ChangeError::Store(_))), "{result:?}");
            return;
        }
        self.model.store(after);
        let epoch = self.model.audit.len() as u64;
        assert!(matches!(result, Ok(Changed { epoch: e, after: a, .. }) if e == epoch && a == after), "{result:?}");
        self.check_status(who);
    }

    /// Faults are over, but for an outage: emergencies get stored.
    async fn end_of_step(&mut self) {
        if !self.model.outage {
            self.store.heal();
            for who in 0..2 {
                self.controllers[who].refresh().await.unwrap();
                if std::mem::take(&mut self.model.braked[who]) {
                    self.model.emergency();
                }
            }
        }
        for who in (0..2).filter(|who| self.model.braked[*who]) {
            let status = self.controllers[who].status();
            assert_eq!((status.mode, status.rollout), (EmergencyRollback, Percentage::ZERO));
            assert!(status.unpersisted_emergency);
        }
        self.check_audit().await;
    }

    fn check_status(&self, who: usize) {
        let (status, stored) = (self.controllers[who].status(), self.model.stored());
        assert_eq!((status.mode, status.rollout), (stored.mode, stored.rollout));
        assert_eq!(status.shadow_share, stored.effective_shadow_share());
        assert_eq!(status.epoch, self.model.audit.len() as u64);
        assert_eq!(status.doubt, None);
        assert!(!status.stale);
    }

    async fn check_audit(&self) {
        let id: MigrationId = "machine".parse().unwrap();
        let audit = self.inner.history(&id, 0, usize::MAX).await.unwrap();
        let after: Vec<_> = audit.iter().map(|entry| entry.after).collect();
        assert_eq!(after, self.model.audit);
        let mut before = None;
        for (entry, epoch) in audit.iter().zip(1..) {
            check_entry(entry, epoch, before);
            before = Some(entry.after);
        }
        let current = self.inner.load(&id).await.unwrap();
        assert_eq!(current.map(|record| record.settings()), before);
    }
}

fn check_entry(entry: &AuditEntry, epoch: u64, before: Option<Settings>) {
    assert_eq!((entry.epoch, entry.before), (epoch, before));
    let (from, to) = (before.unwrap_or_default().mode, entry.after.mode);
    assert!(from == to || in_table(from, to), "{entry:?}");
    if matches!(to, LegacyOnly | EmergencyRollback) {
        assert_eq!(entry.after.rollout, Percentage::ZERO);
    }
    assert_eq!(entry.reason.as_str().starts_with("EMERGENCY: "), from != to && to == EmergencyRollback);
}

fn fixed() -> Config {
    Config { cases: 200, rng_seed: RngSeed::Fixed(20), failure_persistence: None, ..Config::default() }
}

proptest! {
    #![proptest_config(fixed())]

    #[test]
    fn no_sequence_leaves_the_tables(steps in steps()) {
        std::panic::set_hook(Box::new(|_| {}));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| runtime.block_on(async {
            let mut world = World::new().await;
            for step in steps {
                world.take(step).await;
            }
        })));
        drop(std::panic::take_hook());
        if let Err(payload) = result {
            std::panic::resume_unwind(payload);
        }
    }
}
