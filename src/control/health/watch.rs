//! Runs the checks: in the background by their schedule, and when somebody asks.

use std::convert::Infallible;
use std::pin::pin;
use std::sync::{Arc, Mutex, Weak};

use futures_channel::oneshot;
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Either, OptionFuture, Shared, WeakShared, join, select};

use super::tally::{Ended, Tally};
use super::{Health, HealthCheck, HealthSchedule, SideHealth};
use crate::clock::Clock;
use crate::control::inner::Inner;
use crate::lock::lock;
use crate::observe::{CheckOutcome, Event, Part};
use crate::outcome::Side;
use crate::random::RandomSource;
use crate::runtime::{Runtime, Sheltered, try_sleep};

/// The checks that a builder was given.
#[derive(Default)]
pub(in crate::control) struct Plan {
    legacy: Option<Planned>,
    new: Option<Planned>,
}

type Planned = (Arc<dyn HealthCheck>, HealthSchedule);

impl Plan {
    pub(in crate::control) fn set(&mut self, side: Side, check: Arc<dyn HealthCheck>, schedule: HealthSchedule) {
        let place = match side {
            Side::Legacy => &mut self.legacy,
            Side::New => &mut self.new,
        };
        *place = Some((check, schedule));
    }

    pub(in crate::control) fn checks(
        self,
        runtime: &Arc<dyn Runtime>,
        clock: &Arc<dyn Clock>,
        random: &Arc<dyn RandomSource>,
    ) -> Checks {
        let patient = |side, (check, schedule)| {
            let (runtime, clock, random) = (Arc::clone(runtime), Arc::clone(clock), Arc::clone(random));
            let (tally, running) = (Mutex::default(), Mutex::new(None));
            Arc::new(Patient { side, check, schedule, runtime, clock, random, tally, running })
        };
        let [legacy, new] = [(Side::Legacy, self.legacy), (Side::New, self.new)]
            .map(|(side, planned)| planned.map(|planned| patient(side, planned)));
        Checks { legacy, new, alive: Mutex::default() }
    }
}

/// The checks of a controller.
#[derive(Default)]
pub(in crate::control) struct Checks {
    legacy: Option<Arc<Patient>>,
    new: Option<Arc<Patient>>,
    /// Lives as long as the controller: who checks in the background ends when it is dropped.
    alive: Mutex<Vec<oneshot::Sender<Infallible>>>,
}

impl Checks {
    /// Begins to check in the background, if there is anything to check.
    pub(in crate::control) fn start(inner: &Arc<Inner>) {
        let checks = &inner.health;
        for patient in [&checks.legacy, &checks.new].into_iter().flatten() {
            let (alive, gone) = oneshot::channel();
            lock(&checks.alive).push(alive);
            let rounds = Arc::clone(patient).rounds(Arc::downgrade(inner)).boxed();
            inner.port.spawn(select(rounds, gone).map(drop).boxed());
        }
    }

    pub(in crate::control) fn health(&self) -> Option<Health> {
        let [legacy, new] = [&self.legacy, &self.new].map(|side| side.as_ref().map(|patient| patient.health()));
        (legacy.is_some() || new.is_some()).then_some(Health { legacy, new })
    }

    pub(super) async fn check_now(&self, inner: &Arc<Inner>) -> Option<Health> {
        let inner = Arc::downgrade(inner);
        let [legacy, new] = [&self.legacy, &self.new]
            .map(|side| OptionFuture::from(side.as_ref().map(|patient| patient.check(&inner))));
        join(legacy, new).await;
        self.health()
    }
}

/// One side that is checked.
struct Patient {
    side: Side,
    check: Arc<dyn HealthCheck>,
    schedule: HealthSchedule,
    runtime: Arc<dyn Runtime>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn RandomSource>,
    tally: Mutex<Tally>,
    running: Mutex<Option<WeakShared<Check>>>,
}

/// A check under way; `false` when the runtime could not measure its time, so that nothing was counted.
type Check = BoxFuture<'static, bool>;

impl Patient {
    fn health(&self) -> SideHealth {
        lock(&self.tally).health(self.schedule, self.clock.now())
    }

    /// Checks by the schedule until the controller is gone or the runtime cannot sleep.
    async fn rounds(self: Arc<Self>, inner: Weak<Inner>) {
        let mut wait = self.schedule.first_wait(self.random.next_u64());
        while try_sleep(&*self.runtime, wait).await && self.check(&inner).await {
            wait = self.schedule.next_wait(self.random.next_u64());
        }
        tell(&inner, &Event::Fault { part: Part::Runtime });
    }

    /// The check that is under way, or a new one.
    fn check(self: &Arc<Self>, inner: &Weak<Inner>) -> Shared<Check> {
        let mut running = lock(&self.running);
        let present = running.as_ref().and_then(WeakShared::upgrade);
        present.filter(|check| check.peek().is_none()).unwrap_or_else(|| {
            let fresh = Arc::clone(self).check_once(Weak::clone(inner)).boxed().shared();
            *running = fresh.downgrade();
            fresh
        })
    }

    async fn check_once(self: Arc<Self>, inner: Weak<Inner>) -> bool {
        let Some(outcome) = self.outcome().await else { return false };
        let ended = Ended { outcome, at: self.clock.now(), wall: self.clock.wall() };
        let consecutive_failures = lock(&self.tally).count(ended);
        tell(&inner, &Event::HealthChecked { side: self.side, outcome, consecutive_failures });
        true
    }

    /// How a check ends; `None` if the runtime cannot say when its time is up.
    async fn outcome(&self) -> Option<CheckOutcome> {
        let check = Sheltered::new(async { self.check.check().await.is_ok() });
        match select(check, pin!(try_sleep(&*self.runtime, self.schedule.limit()))).await {
            Either::Left((Some(true), _)) => Some(CheckOutcome::Ok),
            Either::Left((Some(false), _)) => Some(CheckOutcome::Failed),
            Either::Left((None, _)) => Some(CheckOutcome::Panicked),
            Either::Right((true, _)) => Some(CheckOutcome::TimedOut),
            Either::Right((false, _)) => None,
        }
    }
}

fn tell(inner: &Weak<Inner>, event: &Event) {
    if let Some(inner) = inner.upgrade() {
        inner.tell_of(event);
    }
}
