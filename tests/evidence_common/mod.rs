//! What the tests of evidence share: many runs with fixed seeds, and looks after every call that cost little.

use std::thread;

use fastrand::Rng;

/// `usual` runs, times `CUTOVER_LONG`.
pub(crate) fn runs(usual: u64) -> u64 {
    usual * std::env::var("CUTOVER_LONG").map_or(1, |times| times.parse::<u64>().unwrap())
}

/// Makes each of the runs with chance of its own, on two threads, and gives their results in order.
pub(crate) fn each_run<T: Send>(seed: u64, runs: u64, run: impl Fn(&mut Rng) -> T + Sync) -> Vec<T> {
    let part = |from: u64, to: u64| -> Vec<T> { (from..to).map(|at| run(&mut chance(seed, at))).collect() };
    thread::scope(|scope| {
        let other = scope.spawn(|| part(runs / 2, runs));
        let mut results = part(0, runs / 2);
        results.extend(other.join().unwrap());
        results
    })
}

fn chance(seed: u64, run: u64) -> Rng {
    Rng::with_seed(seed.wrapping_add(run.wrapping_mul(0x9E37_79B9_7F4A_7C15)))
}

/// How many trials come before the next event, when each is one with the probability `rate`.
pub(crate) fn gap(rng: &mut Rng, rate: f64) -> u64 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at least 0; the largest are cut off")]
    let gap = ((1.0 - rng.f64()).ln() / (-rate).ln_1p()) as u64;
    gap
}

/// A look after every outcome that can raise the evidence.
///
/// It asks in advance how many of these could follow without reaching the threshold even if nothing lowered the evidence in
/// between, and passes over those.
#[derive(Default)]
pub(crate) struct Watch {
    spare: u64,
    stride: u64,
}

impl Watch {
    /// Whether the threshold is reached now that `raising` more outcomes raised the evidence. `reaches(more)` says whether
    /// the present evidence with `more` of them would.
    pub(crate) fn sees(&mut self, raising: u64, reaches: impl Fn(u64) -> bool) -> bool {
        if raising <= self.spare {
            self.spare -= raising;
            return false;
        }
        if reaches(0) {
            return true;
        }
        self.stride = (self.stride * 2).max(1);
        while self.stride > 0 && reaches(self.stride) {
            self.stride /= 2;
        }
        self.spare = self.stride;
        false
    }
}
