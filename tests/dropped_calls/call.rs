//! One call that is dropped after some polls, with sides that end as told and destructors that panic.

use std::future::{pending, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use cutover::dual::{Call, Counts, Fallback, ShadowPolicy};
use cutover::observe::Event;
use cutover::record::Capture;
use cutover::testing::VirtualRuntime;
use cutover::{DualRunner, Observer, Outcome, Route, Side, SystemMode};

use crate::dual_common::Planned;
use crate::with_bomb::WithBomb;

/// How a call is set up, and after how many polls it is dropped.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
pub(crate) struct Dropped {
    pub(crate) detached: bool,
    pub(crate) serve: Side,
    pub(crate) shadow: bool,
    pub(crate) twin: bool,
    pub(crate) fallback: Fallback,
    pub(crate) limit: Option<usize>,
    /// How the sides end; an abandoned one never does.
    pub(crate) served_ends: Outcome,
    pub(crate) shadow_ends: Outcome,
    /// How often each is polled in vain before it ends.
    pub(crate) served_steps: u32,
    pub(crate) shadow_steps: u32,
    /// Whether the destructors of all but the side that serves panic.
    pub(crate) hostile: bool,
    /// After how many polls the caller drops the call.
    pub(crate) polls: u32,
    /// After how many turns of the runtime it drops the shadow.
    pub(crate) turns: u32,
}

pub(crate) struct Seen {
    /// Whether the caller got an answer, its panic included.
    pub(crate) answered: bool,
    /// Whether dropping what was left let a panic out.
    pub(crate) escaped: bool,
    pub(crate) counts: Counts,
    /// Which sides came to their end.
    pub(crate) ended: [Option<Outcome>; 2],
    pub(crate) heard: Vec<Event>,
    /// The counts after another call.
    pub(crate) after: Counts,
}

pub(crate) type Answered = Result<Value, Value>;
type Ended = Arc<Mutex<[Option<Outcome>; 2]>>;

impl Dropped {
    pub(crate) fn play(self) -> Seen {
        let runtime = VirtualRuntime::new();
        let (ended, ears) = (Ended::default(), Ears::default());
        let runner = self.runner(&runtime, &ears);
        let answered = catch_unwind(AssertUnwindSafe(|| self.poll(&runner, &runtime, &ended)));
        let turns = catch_unwind(AssertUnwindSafe(|| runtime.run(steps(self.turns))));
        let dropped = catch_unwind(AssertUnwindSafe(|| runtime.drop_tasks()));
        let (counts, heard) = (runner.counts(), std::mem::take(&mut *ears.0.lock().unwrap()));
        let ended = *ended.lock().unwrap();
        drop(runner.run_sync("key", || Ok(Value(false)), || Ok(Value(false))));
        let (answered, leaked) = self.sort_out(answered, ended);
        let escaped = leaked || turns.is_err() || dropped.is_err() || runtime.panicked_tasks() > 0;
        Seen { answered, escaped, counts, ended, heard, after: runner.counts() }
    }

    /// Whether there was an answer, and whether there was a panic that is none.
    fn sort_out(self, ended: std::thread::Result<bool>, outcomes: [Option<Outcome>; 2]) -> (bool, bool) {
        match ended {
            Ok(answered) => (answered, false),
            Err(payload) => {
                let mut planned = payload.downcast::<Planned>().unwrap_or_else(|_| panic!("nobody planned this"));
                planned.hostile = false;
                let is_answer = outcomes[self.answers(outcomes) as usize] == Some(Outcome::Panicked)
                    && planned.id == self.answers(outcomes) as u64;
                (is_answer, !is_answer)
            }
        }
    }

    fn answers(self, outcomes: [Option<Outcome>; 2]) -> Side {
        let failed = matches!(outcomes[Side::New as usize], Some(Outcome::Err | Outcome::Panicked));
        let falls_back = self.fallback == Fallback::ToLegacy && self.serve == Side::New && failed;
        if falls_back { Side::Legacy } else { self.serve }
    }

    fn runner(self, runtime: &VirtualRuntime, ears: &Ears) -> DualRunner<Value, Value> {
        let route = Route::new(SystemMode::Parallel, self.serve);
        let policy = self.limit.map_or(ShadowPolicy::new(), |limit| ShadowPolicy::new().max_in_flight(limit));
        DualRunner::builder("dropped", if self.shadow { route.with_shadow() } else { route })
            .comparator(|_: &Value, _: &Value| true)
            .clock(runtime.clock())
            .runtime(runtime.clone())
            .observe(ears.clone())
            .shadow_policy(policy)
            .patience(Duration::from_secs(9))
            .fallback(self.fallback)
            .build()
    }

    fn poll(self, runner: &DualRunner<Value, Value>, runtime: &VirtualRuntime, ended: &Ended) -> bool {
        let bomb = Bomb(self.hostile);
        let call = runner.call("key").context(move || drop(bomb));
        let twin = Scripted { steps: 9, outcome: Outcome::Ok, side: Side::Legacy, hostile: self.hostile };
        if self.twin {
            self.drive(call.twin(twin.future(None)), runtime, ended)
        } else {
            self.drive(call, runtime, ended)
        }
    }

    fn drive<C, W>(self, call: Call<'_, '_, Value, Value, C, W>, runtime: &VirtualRuntime, ended: &Ended) -> bool
    where
        C: FnOnce(&mut Capture) -> std::fmt::Result + Send + 'static,
        W: Future<Output = Answered>,
    {
        let [legacy, new] = [Side::Legacy, Side::New].map(|side| self.side(side).future(Some(Arc::clone(ended))));
        let answer = if self.detached {
            poll_and_drop(runtime, self.polls, call.run_detached(legacy, new))
        } else {
            poll_and_drop(runtime, self.polls, call.run(legacy, new))
        };
        answer.map(|(Ok(value) | Err(value))| std::mem::forget(value)).is_some()
    }

    fn side(self, side: Side) -> Scripted {
        if side == self.serve {
            Scripted { steps: self.served_steps, outcome: self.served_ends, side, hostile: false }
        } else {
            Scripted { steps: self.shadow_steps, outcome: self.shadow_ends, side, hostile: self.hostile }
        }
    }
}

/// Polls at most so many times, then drops the future.
fn poll_and_drop<F: Future>(runtime: &VirtualRuntime, polls: u32, future: F) -> Option<F::Output> {
    let mut left = polls.checked_sub(1)?;
    let mut future = pin!(future);
    let limited = poll_fn(|cx| match future.as_mut().poll(cx) {
        Poll::Ready(answer) => Poll::Ready(Some(answer)),
        Poll::Pending if left == 0 => Poll::Ready(None),
        Poll::Pending => {
            left -= 1;
            cx.waker().wake_by_ref();
            Poll::Pending
        }
    });
    runtime.run(limited)
}

/// A side that ends as told.
struct Scripted {
    steps: u32,
    outcome: Outcome,
    side: Side,
    hostile: bool,
}

impl Scripted {
    fn future(self, ended: Option<Ended>) -> impl Future<Output = Answered> + Send + 'static {
        let bomb = Bomb(self.hostile);
        let run = async move {
            steps(self.steps).await;
            if self.outcome == Outcome::Abandoned {
                pending::<()>().await;
            }
            if let Some(ended) = ended {
                ended.lock().unwrap()[self.side as usize] = Some(self.outcome);
            }
            match self.outcome {
                Outcome::Ok => Ok(Value(self.hostile)),
                Outcome::Err => Err(Value(self.hostile)),
                Outcome::Panicked | Outcome::TimedOut | Outcome::Abandoned => {
                    Planned::throw(self.side as u64, self.hostile)
                }
            }
        };
        WithBomb::new(Box::pin(run), bomb)
    }
}

/// Pending so many times.
async fn steps(mut left: u32) {
    poll_fn(|cx| {
        if left == 0 {
            return Poll::Ready(());
        }
        left -= 1;
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

struct Bomb(bool);

impl Drop for Bomb {
    fn drop(&mut self) {
        if self.0 {
            Planned::throw(9, false);
        }
    }
}

/// An answer; a hostile one panics when it is dropped.
pub(crate) struct Value(bool);

impl Clone for Value {
    fn clone(&self) -> Self {
        Self(self.0)
    }
}

impl Drop for Value {
    fn drop(&mut self) {
        if self.0 {
            Planned::throw(9, false);
        }
    }
}

/// Hears everything.
#[derive(Clone, Default)]
struct Ears(Arc<Mutex<Vec<Event>>>);

impl Observer for Ears {
    fn observe(&self, _: &str, event: &Event) {
        self.0.lock().unwrap().push(*event);
    }

    fn never_blocks(&self) -> bool {
        true
    }

    fn hears_starts(&self) -> bool {
        true
    }

    fn hears_keys(&self) -> bool {
        true
    }
}
