//! One call whose two sides end as told, and what was counted, compared, recorded and heard.

use std::future::pending;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cutover::dual::{Call, Counts, Fallback, Order, ShadowPolicy};
use cutover::observe::Event;
use cutover::random::RandomSource;
use cutover::record::Capture;
use cutover::testing::{ManualClock, VirtualRuntime};
use cutover::{Comparison, Discrepancy, DualRunner, MemoryRecorder, Observer, Outcome, Route, Side, SystemMode};
use futures::FutureExt;

use crate::dual_common::{Planned, assert_settled};
use crate::entry::Entry;

/// A pair of ends, and how to get there.
#[derive(Debug, Clone)]
pub(crate) struct Pair {
    pub(crate) entry: Entry,
    pub(crate) route: Route,
    pub(crate) legacy: Outcome,
    pub(crate) new: Outcome,
    /// Whether the shadow ends before the side that serves.
    pub(crate) shadow_first: bool,
    pub(crate) leaves: Leaves,
    pub(crate) fallback: Fallback,
    pub(crate) values: Comparison,
    /// What the error comparator says, if there is one.
    pub(crate) errors: Option<Comparison>,
}

/// Who goes before both sides have ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Leaves {
    Nobody,
    /// The caller, after 50 ms.
    Caller,
    /// The runtime, as soon as the caller has its answer.
    Runtime,
}

/// Whose answer the caller got, as what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Got(pub(crate) Side, pub(crate) Outcome);

pub(crate) struct Seen {
    pub(crate) got: Option<Got>,
    pub(crate) counts: Counts,
    pub(crate) recorded: Vec<Discrepancy>,
    pub(crate) heard: Vec<Event>,
    /// How often values and errors were compared.
    pub(crate) compared: (usize, usize),
}

pub(crate) const FAST: Duration = Duration::from_millis(10);
pub(crate) const SLOW: Duration = Duration::from_millis(30);
const LEAVES_AFTER: Duration = Duration::from_millis(50);

type Runner = DualRunner<Side, Side>;
type Answered = Result<Side, Side>;

impl Pair {
    /// Both sides run to their ends, the one that serves first; all that is compared is equal.
    pub(crate) fn new(entry: Entry, serve: Side, served: Outcome, shadow: Outcome) -> Self {
        let (legacy, new) = if serve == Side::Legacy { (served, shadow) } else { (shadow, served) };
        Self {
            entry,
            route: Route::new(SystemMode::GradualRollout, serve).with_shadow(),
            legacy,
            new,
            shadow_first: false,
            leaves: Leaves::Nobody,
            fallback: Fallback::Never,
            values: Comparison::Match,
            errors: None,
        }
    }

    pub(crate) fn play(&self) -> Seen {
        let runtime = VirtualRuntime::new();
        let ears = Ears::default();
        let runner = self.runner(&runtime, &ears);
        let call = runner.call("key").context(|| "a remark");
        let got = catch_unwind(AssertUnwindSafe(|| self.drive(call, &runtime)));
        if self.leaves == Leaves::Runtime {
            runtime.drop_tasks();
        }
        runtime.settle(Duration::from_secs(3600));
        let counts = runner.counts();
        assert_settled(&counts, &format!("{self:?}"));
        let (heard, recorded) = (ears.heard.lock().unwrap().clone(), ears.recorder.discrepancies());
        let compared = *ears.compared.lock().unwrap();
        Seen { got: got_of(got), counts, recorded, heard, compared }
    }

    fn runner(&self, runtime: &VirtualRuntime, ears: &Ears) -> Runner {
        let policy = ShadowPolicy::new().order(Order::Random);
        let builder = DualRunner::builder("outcomes", self.route)
            .comparator(ears.comparator(self.values.clone(), |compared| &mut compared.0))
            .record_to(Arc::clone(&ears.recorder))
            .observe(ears.clone())
            .clock(runtime.clock())
            .runtime(runtime.clone())
            .random(Always(self.shadow_first))
            .shadow_policy(policy)
            .fallback(self.fallback);
        match &self.errors {
            None => builder.build(),
            Some(errors) => {
                let comparator = ears.comparator(errors.clone(), |compared| &mut compared.1);
                builder.error_comparator(|error: &Side| *error, comparator).build()
            }
        }
    }

    fn drive<C, W>(&self, call: Call<'_, '_, Side, Side, C, W>, runtime: &VirtualRuntime) -> Option<Answered>
    where
        C: FnOnce(&mut Capture) -> std::fmt::Result + Send + 'static,
        W: Future<Output = Answered>,
    {
        let clock = runtime.clock();
        let (legacy, new) = (self.side(Side::Legacy), self.side(Side::New));
        match self.entry {
            Entry::Run => self.wait(runtime, call.run(legacy.future(&clock), new.future(&clock))),
            Entry::Detached => self.wait(runtime, call.run_detached(legacy.future(&clock), new.future(&clock))),
            Entry::Sync => Some(call.run_sync(|| legacy.call(&clock), || new.call(&clock))),
        }
    }

    fn wait<F: Future>(&self, runtime: &VirtualRuntime, call: F) -> Option<F::Output> {
        let leaves = async {
            if self.leaves != Leaves::Caller {
                pending::<()>().await;
            }
            runtime.clock().sleep(LEAVES_AFTER).await;
        };
        runtime.run(async {
            futures::select_biased! {
                () = Box::pin(leaves).fuse() => None,
                answer = Box::pin(call).fuse() => Some(answer),
            }
        })
    }

    fn side(&self, side: Side) -> Scripted {
        let is_shadow = side != self.route.serve;
        let delay = if is_shadow == self.shadow_first { FAST } else { SLOW };
        Scripted { side, delay, outcome: if side == Side::Legacy { self.legacy } else { self.new } }
    }
}

/// A side that ends as told.
#[derive(Clone, Copy)]
struct Scripted {
    side: Side,
    delay: Duration,
    outcome: Outcome,
}

impl Scripted {
    fn future(self, clock: &Arc<ManualClock>) -> impl Future<Output = Answered> + Send + 'static + use<> {
        let clock = Arc::clone(clock);
        async move {
            clock.sleep(self.delay).await;
            if matches!(self.outcome, Outcome::TimedOut | Outcome::Abandoned) {
                pending::<()>().await;
            }
            self.end()
        }
    }

    fn call(self, clock: &Arc<ManualClock>) -> Answered {
        clock.advance(self.delay);
        self.end()
    }

    fn end(self) -> Answered {
        match self.outcome {
            Outcome::Ok => Ok(self.side),
            Outcome::Err => Err(self.side),
            Outcome::Panicked | Outcome::TimedOut | Outcome::Abandoned => Planned::throw(self.side as u64, false),
        }
    }
}

/// Everybody who hears of a call.
#[derive(Clone, Default)]
struct Ears {
    recorder: Arc<MemoryRecorder>,
    heard: Arc<Mutex<Vec<Event>>>,
    compared: Arc<Mutex<(usize, usize)>>,
}

impl Ears {
    fn comparator(
        &self,
        says: Comparison,
        column: fn(&mut (usize, usize)) -> &mut usize,
    ) -> impl Fn(&Side, &Side) -> Comparison + Send + Sync + use<> {
        let compared = Arc::clone(&self.compared);
        move |legacy, new| {
            *column(&mut compared.lock().unwrap()) += 1;
            if (*legacy, *new) == (Side::Legacy, Side::New) { says.clone() } else { Planned::throw(9, false) }
        }
    }
}

impl Observer for Ears {
    fn observe(&self, _: &str, event: &Event) {
        self.heard.lock().unwrap().push(*event);
    }

    fn never_blocks(&self) -> bool {
        true
    }
}

/// Chance without chance: the shadow runs first, or it does not.
#[derive(Debug)]
struct Always(bool);

impl RandomSource for Always {
    fn next_u64(&self) -> u64 {
        u64::from(self.0)
    }
}

fn got_of(ended: std::thread::Result<Option<Answered>>) -> Option<Got> {
    match ended {
        Ok(answer) => {
            answer.map(|answer| answer.map_or_else(|side| Got(side, Outcome::Err), |side| Got(side, Outcome::Ok)))
        }
        Err(payload) => {
            let planned = payload.downcast::<Planned>().unwrap_or_else(|_| panic!("a panic that nobody planned"));
            Some(Got(if planned.id == Side::Legacy as u64 { Side::Legacy } else { Side::New }, Outcome::Panicked))
        }
    }
}
