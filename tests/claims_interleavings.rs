//! Whatever workers, modes, faults and time do: never two valid claims of one item, tokens only grow, and at most one
//! completion is accepted.
#![cfg(feature = "testing")]
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod claims_common;

use std::time::Duration;

use claims_common::{Bumpy, Fault, Process};
use cutover::control::{Claim, Resolution};
use cutover::store::{ClaimError, ClaimState, ClaimStore};
use cutover::testing::VirtualRuntime;
use cutover::{Percentage, Runtime, SystemMode};
use futures::future::{join, ready};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed};

const WORKERS: usize = 3;
const ITEMS: [&str; 2] = ["ticket 1", "ticket 2"];

#[derive(Debug, Clone)]
enum Step {
    /// Two workers, who may be the same, claim an item at once.
    Claim {
        workers: [usize; 2],
        item: usize,
        ttl: u64,
    },
    Complete {
        claim: usize,
    },
    Release {
        claim: usize,
    },
    Drop {
        claim: usize,
    },
    Pass {
        millis: u64,
    },
    Change {
        worker: usize,
        mode: SystemMode,
    },
    Emergency {
        worker: usize,
    },
    Refresh {
        worker: usize,
    },
    Reconcile {
        worker: usize,
        retry: bool,
    },
    Faults(Vec<Option<Fault>>),
    Outage(Option<Fault>),
    StateDown(bool),
    WallJumps {
        forward: bool,
    },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    use Fault::{Hang, Lost, Panic, Unavailable, UnknownAfterApplying, UnknownWithoutApplying};
    let worker = || 0..WORKERS;
    let late = Fault::Delay(Duration::from_millis(700));
    let slow = Fault::SlowAnswer(Duration::from_millis(1_500));
    let faults = [Unavailable, UnknownAfterApplying, UnknownWithoutApplying, Hang, Lost, Panic, late, slow];
    let fault = move || prop::sample::select(faults.to_vec());
    let claim = ([worker(), worker()], 0..ITEMS.len(), prop::sample::select(vec![100_u64, 1_000, 5_000]));
    let step = prop_oneof![
        8 => claim.prop_map(|(workers, item, ttl)| Step::Claim { workers, item, ttl }),
        2 => any::<usize>().prop_map(|claim| Step::Complete { claim }),
        2 => any::<usize>().prop_map(|claim| Step::Release { claim }),
        1 => any::<usize>().prop_map(|claim| Step::Drop { claim }),
        6 => (1_u64..3_000).prop_map(|millis| Step::Pass { millis }),
        2 => (worker(), prop::sample::select(SystemMode::ALL.to_vec())).prop_map(|(worker, mode)| Step::Change { worker, mode }),
        1 => worker().prop_map(|worker| Step::Emergency { worker }),
        1 => worker().prop_map(|worker| Step::Refresh { worker }),
        1 => (worker(), any::<bool>()).prop_map(|(worker, retry)| Step::Reconcile { worker, retry }),
        2 => prop::collection::vec(prop::option::of(fault()), 1..4).prop_map(Step::Faults),
        2 => prop::option::weighted(0.4, fault()).prop_map(Step::Outage),
        1 => prop::bool::weighted(0.3).prop_map(Step::StateDown),
        1 => any::<bool>().prop_map(|forward| Step::WallJumps { forward }),
    ];
    prop::collection::vec(step, 1..60)
}

struct World {
    runtime: VirtualRuntime,
    store: Bumpy,
    workers: Vec<Process>,
    claims: Vec<Claim>,
    /// The last token per item, and how often its completion was accepted.
    tokens: [u64; 2],
    completions: [u32; 2],
    granted: u32,
}

impl World {
    fn new() -> Self {
        let runtime = VirtualRuntime::new();
        let store = Bumpy::new(&runtime);
        let workers =
            (0..WORKERS).map(|worker| Process::start(&runtime, &store, &format!("worker {worker}"))).collect();
        Self { runtime, store, workers, claims: Vec::new(), tokens: [0; 2], completions: [0; 2], granted: 0 }
    }

    fn play(&mut self, step: Step) {
        match step {
            Step::Claim { workers, item, ttl } => self.claim(workers, item, Duration::from_millis(ttl)),
            Step::Complete { claim } => self.complete(claim),
            Step::Release { claim } => {
                if let Some(claim) = self.pick(claim) {
                    drop(self.runtime.run(self.claims[claim].release()));
                }
            }
            Step::Drop { claim } => drop(self.pick(claim).map(|claim| self.claims.swap_remove(claim))),
            Step::Pass { millis } => self.runtime.run(self.runtime.sleep(Duration::from_millis(millis))),
            Step::Change { worker, mode } => {
                drop(self.runtime.run(self.workers[worker].controller.transition(mode, "ana", "test")));
                let half = Percentage::new(50.0).unwrap();
                drop(self.runtime.run(self.workers[worker].controller.set_rollout(half, "ana", "test")));
            }
            Step::Emergency { worker } => drop(self.workers[worker].controller.emergency_rollback("ana", "test")),
            Step::Refresh { worker } => drop(self.runtime.run(self.workers[worker].controller.refresh())),
            Step::Reconcile { worker, retry } => self.reconcile(worker, retry),
            Step::Faults(faults) => self.store.script(faults),
            Step::Outage(fault) => self.store.set_standing(fault),
            Step::StateDown(down) => self.store.set_state_down(down),
            Step::WallJumps { forward } => self.jump(forward),
        }
    }

    fn pick(&self, claim: usize) -> Option<usize> {
        claim.checked_rem(self.claims.len())
    }

    fn claim(&mut self, workers: [usize; 2], item: usize, ttl: Duration) {
        let claim = |worker: usize| {
            let Process { controller, claims } = &self.workers[worker];
            let route = controller.route(ITEMS[item]);
            claims.claim(ITEMS[item], route.serve, route.epoch, ttl)
        };
        let (one, two) = self.runtime.run(join(claim(workers[0]), claim(workers[1])));
        let mut granted: Vec<Claim> = [one, two].into_iter().filter_map(Result::ok).collect();
        granted.sort_by_key(Claim::token);
        for claim in granted {
            self.granted += 1;
            self.note(item, claim.token());
            self.claims.push(claim);
        }
    }

    fn note(&mut self, item: usize, token: u64) {
        assert!(token > self.tokens[item], "token {token} after {}", self.tokens[item]);
        assert_eq!(self.completions[item], 0, "a completed item was claimed again");
        self.tokens[item] = token;
    }

    fn complete(&mut self, claim: usize) {
        let Some(claim) = self.pick(claim) else { return };
        let claim = self.claims.swap_remove(claim);
        let item = ITEMS.iter().position(|item| *item == claim.item().as_str()).unwrap();
        let holds = self.stored(item).is_some_and(|(token, state)| {
            token == claim.token() && matches!(state, ClaimState::Held { .. } | ClaimState::Completed)
        });
        match self.runtime.run(claim.complete()) {
            Ok(()) => {
                assert!(holds, "token {} completed {} without holding it", claim.token(), ITEMS[item]);
                self.completions[item] += u32::from(self.completions[item] == 0 || self.tokens[item] != claim.token());
            }
            Err(ClaimError::Store(_) | ClaimError::Lost { .. } | ClaimError::Completed) => {}
            Err(other) => unreachable!("{other:?}"),
        }
    }

    fn reconcile(&mut self, worker: usize, retry: bool) {
        let mut judged = Vec::new();
        let judge = |stuck: cutover::control::Stuck| {
            judged.push((stuck.lost.item.as_str().to_owned(), stuck.token));
            ready(if retry { Resolution::Retry } else { Resolution::Completed })
        };
        drop(self.runtime.run(self.workers[worker].claims.reconcile(10, judge)));
        for (item, token) in judged {
            let item = ITEMS.iter().position(|known| *known == item).unwrap();
            self.note(item, token);
            let done = self.stored(item).is_some_and(|(_, state)| state == ClaimState::Completed);
            self.completions[item] += u32::from(done);
        }
    }

    fn stored(&self, item: usize) -> Option<(u64, ClaimState)> {
        let (id, item) = ("triage".parse().unwrap(), ITEMS[item].parse().unwrap());
        let record = self.runtime.run(self.store.store().claimed(&id, &item)).unwrap();
        record.map(|record| (record.token, record.state))
    }

    fn jump(&self, forward: bool) {
        use cutover::Clock;
        let (clock, hour) = (self.runtime.clock(), Duration::from_secs(3_600));
        clock.set_wall(if forward { clock.wall() + hour } else { clock.wall() - hour });
    }

    fn check(&self) {
        for (item, name) in ITEMS.iter().enumerate() {
            let valid: Vec<_> =
                self.claims.iter().filter(|claim| claim.item().as_str() == *name && claim.still_valid()).collect();
            assert!(valid.len() <= 1, "two valid claims: {valid:?}");
            assert!(self.completions[item] <= 1, "two accepted completions of {name}");
            for claim in valid {
                let (token, state) = self.stored(item).unwrap();
                let ClaimState::Held { remaining } = state else { unreachable!("{claim:?} is {state:?} in the store") };
                assert!(token == claim.token() && remaining > claim.remaining(), "{claim:?}: {remaining:?}");
            }
        }
    }
}

proptest! {
    #![proptest_config(Config { cases: 400, rng_seed: RngSeed::Fixed(17), ..Config::default() })]

    #[test]
    fn an_item_is_processed_by_one_side_at_a_time_and_completed_once(steps in steps()) {
        let mut world = World::new();
        for step in steps {
            world.play(step);
            world.check();
        }
    }
}

/// The property above says nothing about worlds in which nothing is ever granted.
#[test]
fn the_generated_worlds_grant_and_complete() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::new(Config { rng_seed: RngSeed::Fixed(18), ..Config::default() });
    let (mut granted, mut completed) = (0, 0);
    for _ in 0..100 {
        let mut world = World::new();
        for step in steps().new_tree(&mut runner).unwrap().current() {
            world.play(step);
        }
        granted += world.granted;
        completed += world.completions.iter().sum::<u32>();
    }
    assert!(granted > 100 && completed > 20, "{granted} grants and {completed} completions in 100 worlds");
}
