//! What the time is.

use cutover::{Clock, SystemClock};

use crate::traffic::repeated;
use crate::{Subject, Worker};

pub(super) struct Raw(quanta::Clock);

impl Raw {
    pub(super) fn new() -> Self {
        Self(quanta::Clock::new())
    }
}

impl Subject for Raw {
    fn worker(&self) -> Worker<'_> {
        repeated(|| self.0.raw())
    }
}

pub(super) struct Ours(SystemClock);

impl Ours {
    pub(super) fn new() -> Self {
        Self(SystemClock::new())
    }
}

impl Subject for Ours {
    fn worker(&self) -> Worker<'_> {
        repeated(|| self.0.now())
    }
}

pub(super) struct Quanta;

impl Subject for Quanta {
    fn worker(&self) -> Worker<'_> {
        repeated(quanta::Instant::now)
    }
}

pub(super) struct Std;

impl Subject for Std {
    #[expect(clippy::disallowed_methods, reason = "it is what is measured")]
    fn worker(&self) -> Worker<'_> {
        repeated(std::time::Instant::now)
    }
}
