//! Waiting for other programs, which have no injected clock.

use std::thread;
use std::time::{Duration, Instant};

/// A moment after which nobody waits any longer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deadline(Instant);

impl Deadline {
    pub(crate) fn after(limit: Duration) -> Self {
        Self(now() + limit)
    }

    pub(crate) fn left(self) -> Duration {
        self.0.saturating_duration_since(now())
    }

    pub(crate) fn is_over(self) -> bool {
        self.left().is_zero()
    }

    /// Asks again and again; `None` when nothing came in time. Asks at least once.
    pub(crate) fn poll<T>(self, mut ask: impl FnMut() -> Option<T>) -> Option<T> {
        loop {
            let answer = ask();
            if answer.is_some() || self.is_over() {
                return answer;
            }
            pause();
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "real programs run in real time")]
fn now() -> Instant {
    Instant::now()
}

#[expect(clippy::disallowed_methods, reason = "real programs run in real time")]
pub(crate) fn pause() {
    thread::sleep(Duration::from_millis(5));
}
