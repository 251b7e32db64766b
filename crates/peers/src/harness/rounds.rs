//! Times, in interleaved rounds: what slows the machine down meanwhile slows down all subjects of a round.

use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::{Comparison, Entry, Role, Subject};

/// How long it is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Effort {
    /// How often every subject has its turn.
    pub rounds: usize,
    /// How long a turn takes, about: less than an operating system lets a thread run on when others wait.
    pub turn: Duration,
    /// How long one process measures: subjects that take long have fewer turns, but thirty.
    pub longest: Duration,
}

impl Effort {
    /// For figures.
    pub const FULL: Self = Self { rounds: 800, turn: Duration::from_millis(1), longest: Duration::from_secs(20) };
    /// To see that everything runs.
    pub const QUICK: Self = Self { rounds: 2, turn: Duration::from_micros(10), longest: Duration::from_secs(20) };
}

const FEWEST_ROUNDS: usize = 30;

/// What one process has measured.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Times {
    /// The comparison.
    pub comparison: String,
    /// How many threads called at once.
    pub threads: usize,
    /// Floors, cutover and at most one peer, which had their turns together.
    pub subjects: Vec<Timed>,
}

/// The times of one subject.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Timed {
    /// The name of its entry.
    pub name: String,
    /// Nanoseconds that a thread took per call, one for each round.
    pub nanos: Vec<f64>,
}

/// Measures floors and cutover, and `peer` if there is one, called by `threads` threads at once.
#[must_use]
pub fn time(comparison: &Comparison, peer: Option<&str>, threads: usize, effort: Effort) -> Times {
    let measured = |entry: &&Entry| entry.role != Role::Peer || peer == Some(entry.name);
    let mut running: Vec<Running> =
        comparison.entries.iter().filter(measured).map(|entry| Running::new(entry, threads, effort)).collect();
    let deadline = now() + effort.longest;
    for round in 0..effort.rounds {
        if round >= FEWEST_ROUNDS && now() > deadline {
            break;
        }
        // There and back, so that nobody always follows the same.
        let turns: &mut dyn Iterator<Item = &mut Running> =
            if round % 2 == 0 { &mut running.iter_mut() } else { &mut running.iter_mut().rev() };
        turns.for_each(|subject| subject.take_turn(threads));
    }
    let subjects = running.into_iter().map(|running| running.timed).collect();
    Times { comparison: comparison.id.to_owned(), threads, subjects }
}

struct Running {
    subject: Box<dyn Subject>,
    calls: u64,
    timed: Timed,
}

impl Running {
    /// Finds out how many calls a turn has, which warms up, too.
    fn new(entry: &Entry, threads: usize, effort: Effort) -> Self {
        let (subject, mut calls) = ((entry.build)(), 1);
        loop {
            let took = turn(subject.as_ref(), threads, calls);
            subject.rest();
            if took >= effort.turn / 2 {
                calls = scaled(calls, effort.turn, took);
                break;
            }
            calls *= 2;
        }
        Self { subject, calls, timed: Timed { name: entry.name.to_owned(), nanos: Vec::new() } }
    }

    #[expect(clippy::cast_precision_loss, reason = "far from the limit")]
    fn take_turn(&mut self, threads: usize) {
        let took = turn(self.subject.as_ref(), threads, self.calls);
        self.timed.nanos.push(took.as_secs_f64() * 1e9 / self.calls as f64);
        self.subject.rest();
    }
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a number of calls"
)]
fn scaled(calls: u64, wanted: Duration, took: Duration) -> u64 {
    ((calls as f64 * wanted.as_secs_f64() / took.as_secs_f64()) as u64).max(1)
}

/// The time of the thread that took longest for `calls` calls, all threads calling at once. Each is warm when it begins.
fn turn(subject: &dyn Subject, threads: usize, calls: u64) -> Duration {
    let all_warm = Barrier::new(threads);
    let run = || {
        let mut worker = subject.worker();
        worker(calls / 16 + 1);
        all_warm.wait();
        elapsed(|| worker(calls))
    };
    thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(run)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).max().unwrap_or_default()
    })
}

fn elapsed(work: impl FnOnce()) -> Duration {
    let began = now();
    work();
    began.elapsed()
}

#[expect(clippy::disallowed_methods, reason = "a benchmark measures by the machine's own clock")]
fn now() -> Instant {
    Instant::now()
}
