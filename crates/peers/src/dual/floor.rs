//! The least that the work can cost, without any protection.

use std::hint::black_box;

use super::sides::{closure, side};
use crate::traffic::{awaited, repeated};
use crate::{Subject, Worker};

pub(super) struct Join;

impl Subject for Join {
    fn worker(&self) -> Worker<'_> {
        awaited(async || {
            let (legacy, new) = futures::join!(side(black_box(7)), side(black_box(7)));
            black_box(legacy == new);
            legacy
        })
    }
}

/// Three readings time both sides: one start, two ends.
pub(super) struct TimedJoin {
    clock: quanta::Clock,
}

impl TimedJoin {
    pub(super) fn new() -> Self {
        Self { clock: quanta::Clock::new() }
    }
}

impl Subject for TimedJoin {
    fn worker(&self) -> Worker<'_> {
        let timed = async |value| (side(value).await, self.clock.raw());
        awaited(async move || {
            let started = self.clock.raw();
            let ((legacy, one), (new, two)) = futures::join!(timed(black_box(7)), timed(black_box(7)));
            black_box((legacy == new, one - started, two - started));
            legacy
        })
    }
}

pub(super) struct Await;

impl Subject for Await {
    fn worker(&self) -> Worker<'_> {
        awaited(async || side(black_box(7)).await)
    }
}

pub(super) struct Closures;

impl Subject for Closures {
    fn worker(&self) -> Worker<'_> {
        repeated(|| {
            let (legacy, new) = (closure(black_box(7)), closure(black_box(7)));
            black_box(legacy == new);
            legacy
        })
    }
}

pub(super) struct TimedClosures {
    clock: quanta::Clock,
}

impl TimedClosures {
    pub(super) fn new() -> Self {
        Self { clock: quanta::Clock::new() }
    }
}

impl Subject for TimedClosures {
    fn worker(&self) -> Worker<'_> {
        repeated(|| {
            let started = self.clock.raw();
            let (legacy, one) = (closure(black_box(7)), self.clock.raw());
            let (new, two) = (closure(black_box(7)), self.clock.raw());
            black_box((legacy == new, one - started, two - one));
            legacy
        })
    }
}
