//! One call of a runner of which any part may be broken, and what came of it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use cutover::dual::{Call, Counts, Fallback, Order, ShadowPolicy};
use cutover::record::Capture;
use cutover::testing::{SeededRandom, VirtualRuntime};
use cutover::{Clock, DualRunner, Percentage, Route, Shadow, Side};
use futures::future::poll_fn;

use crate::dual_common::{Planned, assert_settled};
use crate::entry::Entry;
use crate::parts::{self, ByContent, ErrorsByContent, FaultyRuntime, Listener, OpenCalls, REAL_PATIENCE};
use crate::sides::{Answer, Answered, Behaviour, Failure};
use crate::world::{Fault, Given, Part, World};

#[derive(Debug, Clone)]
pub(crate) struct Scenario {
    pub(crate) entry: Entry,
    pub(crate) route: Route,
    pub(crate) fallback: Fallback,
    pub(crate) sampled: bool,
    /// How many shadows may run at a time.
    pub(crate) places: Option<usize>,
    pub(crate) timeout: Duration,
    pub(crate) order: Order,
    pub(crate) patience: Duration,
    pub(crate) legacy: Behaviour,
    pub(crate) new: Behaviour,
    pub(crate) twin: Option<Behaviour>,
    pub(crate) broken: Vec<(Part, Fault)>,
    /// After how many polls the caller leaves.
    pub(crate) polls: u32,
    /// Whether the runtime is shut down as soon as the caller has its answer.
    pub(crate) shuts_down: bool,
    /// Chance of the runner.
    pub(crate) seed: u64,
}

/// What the caller got.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Got {
    This(Given),
    /// It left, or waits for ever.
    Nothing,
    /// A panic that nobody planned.
    Foreign(String),
}

pub(crate) struct Seen {
    pub(crate) got: Got,
    /// The time that passed for the caller.
    pub(crate) took: Duration,
    /// How long each part had blocked by then.
    pub(crate) blocked: [Duration; Part::ALL.len()],
    pub(crate) counts: Counts,
    /// The counts after another call, for which nothing was broken.
    pub(crate) after: Counts,
    pub(crate) world: Arc<World>,
}

const HOUR: Duration = Duration::from_secs(3600);

impl Scenario {
    /// Plays the call to its end, and another one after it.
    pub(crate) fn play(&self) -> Seen {
        let runtime = VirtualRuntime::new();
        let world = World::new(runtime.clock(), &self.broken);
        let (release, stuck) = mpsc::channel();
        let open = Arc::new(AtomicI64::new(0));
        let runner = self.runner(&world, &runtime, stuck, OpenCalls(Arc::clone(&open)));
        let got = got(catch_unwind(AssertUnwindSafe(|| self.call(&runner, &world, &runtime))));
        let took = Duration::from_nanos(world.clock.now().as_nanos());
        let blocked = Part::ALL.map(|part| world.blocked(part));
        let dropped = catch_unwind(AssertUnwindSafe(|| self.shuts_down.then(|| runtime.drop_tasks())));
        world.check(dropped.is_ok(), "dropped shadows are contained");
        runtime.settle(HOUR);
        runtime.drop_tasks();
        world.check(runtime.panicked_tasks() == 0, "a shadow's task never panics");
        drop(release);
        runner.flush(REAL_PATIENCE).unwrap();
        let counts = runner.counts();
        assert_settled(&counts, "after one call");
        let after = self.call_again(&runner, &world);
        world.check(open.load(Ordering::Relaxed) == 0, "every call that starts ends once");
        Seen { got, took, blocked, counts, after, world }
    }

    fn call_again(&self, runner: &DualRunner<Answer, Failure>, world: &Arc<World>) -> Counts {
        world.repair();
        let again = |side| Behaviour { yields: 0, delay: Duration::ZERO, fails: false, ..self.behaviour(side) };
        let answer = runner.run_sync("key", again(Side::Legacy).closure(world), again(Side::New).closure(world));
        let served = answer.is_ok_and(|answer| answer.side == self.route.serve);
        world.check(served, "the next call is served as ever");
        runner.counts()
    }

    fn behaviour(&self, side: Side) -> Behaviour {
        match side {
            Side::Legacy => self.legacy,
            Side::New => self.new,
        }
    }

    pub(crate) fn has(&self, part: Part, fault: Fault) -> bool {
        self.broken.contains(&(part, fault))
    }

    /// Whether both sides of a call are to run, if the router does its work.
    pub(crate) fn selects(&self) -> bool {
        self.route.shadow == Shadow::Run && self.sampled && self.places != Some(0)
    }

    fn policy(&self) -> ShadowPolicy {
        let share = if self.sampled { Percentage::HUNDRED } else { Percentage::ZERO };
        let policy = ShadowPolicy::new().timeout(self.timeout).order(self.order).sample(share);
        match self.places {
            None => policy,
            Some(places) => policy.max_in_flight(places),
        }
    }

    fn runner(
        &self,
        world: &Arc<World>,
        runtime: &VirtualRuntime,
        stuck: Receiver<()>,
        open: OpenCalls,
    ) -> DualRunner<Answer, Failure> {
        let is_broken = |part| self.broken.iter().any(|&(broken, _)| broken == part);
        let recorder = if is_broken(Part::QueuedRecorder) { Part::QueuedRecorder } else { Part::Recorder };
        let observer = if is_broken(Part::QueuedObserver) { Part::QueuedObserver } else { Part::Observer };
        let (hears, records) = if observer == Part::QueuedObserver { (Some(stuck), None) } else { (None, Some(stuck)) };
        let listener =
            |part, stuck: Option<_>| Listener { world: Arc::clone(world), part, stuck: stuck.map(Mutex::new) };
        DualRunner::builder("faults", parts::router(world, self.route))
            .comparator(ByContent(Arc::clone(world)))
            .error_comparator(parts::projection(world), ErrorsByContent(Arc::clone(world)))
            .capture(parts::capture(world, Part::Capture))
            .capture_errors(parts::capture(world, Part::ErrorCapture))
            .record_to(listener(recorder, records))
            .observe(listener(observer, hears))
            .observe(open)
            .clock(Arc::clone(&world.clock))
            .random(SeededRandom::new(self.seed))
            .runtime(FaultyRuntime { world: Arc::clone(world), inner: runtime.clone() })
            .shadow_policy(self.policy())
            .patience(self.patience)
            .fallback(self.fallback)
            .build()
    }

    fn call(
        &self,
        runner: &DualRunner<Answer, Failure>,
        world: &Arc<World>,
        runtime: &VirtualRuntime,
    ) -> Option<Answered> {
        let call = runner.call("key").context(parts::context(world));
        match self.twin {
            None => self.drive(call, world, runtime),
            Some(twin) => self.drive(call.twin(twin.future(world)), world, runtime),
        }
    }

    fn drive<C, W>(
        &self,
        call: Call<'_, '_, Answer, Failure, C, W>,
        world: &Arc<World>,
        runtime: &VirtualRuntime,
    ) -> Option<Answered>
    where
        C: FnOnce(&mut Capture) -> std::fmt::Result + Send + 'static,
        W: Future<Output = Answered>,
    {
        let (legacy, new) = (self.legacy, self.new);
        match self.entry {
            Entry::Run => within(runtime, self.polls, call.run(legacy.future(world), new.future(world))),
            Entry::Detached => within(runtime, self.polls, call.run_detached(legacy.future(world), new.future(world))),
            Entry::Sync => Some(call.run_sync(legacy.closure(world), new.closure(world))),
        }
    }
}

/// Polls a future at most so many times, then drops it.
fn within<F: Future>(runtime: &VirtualRuntime, polls: u32, future: F) -> Option<F::Output> {
    let mut left = polls.checked_sub(1)?;
    let mut future = pin!(future);
    let limited = poll_fn(|cx| match (future.as_mut().poll(cx), left) {
        (Poll::Ready(answer), _) => Poll::Ready(Some(answer)),
        (Poll::Pending, 0) => Poll::Ready(None),
        (Poll::Pending, _) => {
            left -= 1;
            Poll::Pending
        }
    });
    runtime.try_run(limited).flatten()
}

/// What the caller has in its hands, made harmless.
fn got(ended: std::thread::Result<Option<Answered>>) -> Got {
    match ended {
        Ok(None) => Got::Nothing,
        Ok(Some(Ok(mut answer))) => {
            answer.bomb.armed = false;
            Got::This(Given::Value(answer.id))
        }
        Ok(Some(Err(Failure(mut error)))) => {
            error.bomb.armed = false;
            Got::This(Given::Error(error.id))
        }
        Err(payload) => match payload.downcast::<Planned>() {
            Ok(mut planned) => {
                planned.hostile = false;
                Got::This(Given::Panic(planned.id))
            }
            Err(other) => Got::Foreign(other.downcast::<String>().map_or_else(|_| "a panic".into(), |text| *text)),
        },
    }
}
