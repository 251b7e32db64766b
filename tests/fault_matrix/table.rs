//! What each broken part may cost, cell by cell.

use std::time::Duration;

use cutover::Verdict::{self, Abandoned, Ignored, Mismatched, OneFailed, TimedOut};

use crate::world::Fault::{Block, Error, Hang, HostilePayload, Panic, PanicInDrop};
use crate::world::Part::{
    Capture, Clone, Comparator, Context, ErrorCapture, ErrorComparator, Observer, Projection, QueuedObserver,
    QueuedRecorder, Recorder, Router, Served, Shadow, Sleep, Spawn, Twin,
};
use crate::world::{BLOCK, Fault, Part};

/// What a call with one broken part comes to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cell {
    /// The column in which it is counted; none where both sides were not selected.
    pub(crate) verdict: Option<Verdict>,
    /// How many faults are counted under the broken part.
    pub(crate) faults: u64,
    /// What the caller may wait on top of what a call takes of which nothing is broken.
    pub(crate) wait: Duration,
}

/// A cell, or why it cannot exist.
pub(crate) type Entered = Result<Cell, &'static str>;

/// A broken part, and its cells for `run`, `run_detached` and `run_sync`.
pub(crate) type Row = (Part, Fault, [Entered; 3]);

pub(crate) const PATIENCE: Duration = Duration::from_millis(100);
/// How long a shadow takes that is to outlast the patience.
pub(crate) const SLOW: Duration = Duration::from_millis(300);

const NOTHING: Duration = Duration::ZERO;
const TWO_BLOCKS: Duration = BLOCK.saturating_mul(2);

#[expect(clippy::unnecessary_wraps, reason = "a cell stands beside reasons why there is none")]
const fn is(verdict: Verdict, faults: u64, wait: Duration) -> Entered {
    Ok(Cell { verdict: Some(verdict), faults, wait })
}

/// Only legacy runs.
#[expect(clippy::unnecessary_wraps, reason = "a cell stands beside reasons why there is none")]
const fn alone(faults: u64, wait: Duration) -> Entered {
    Ok(Cell { verdict: None, faults, wait })
}

const fn all(cell: Entered) -> [Entered; 3] {
    [cell, cell, cell]
}

/// For a part that costs the caller its own time, but nothing where the caller has left.
const fn beside(verdict: Verdict, wait: Duration) -> [Entered; 3] {
    [is(verdict, 0, wait), is(verdict, 0, NOTHING), is(verdict, 0, wait)]
}

const PLAIN: Entered = Err("it makes plain data, which has no destructor");
const NO_ERROR: Entered = Err("it has no way to fail but a panic");
const SYNC_HANG: Entered = Err("nothing can interrupt it: the longest finite block is the row below");
const LAW: Entered = Err("it says that it never blocks; one that may block stands under its queue");
const SHORTER: Entered = Err("a finite block on its own thread is the row above, shortened");
const NO_SPAWN: Entered = Err("nothing is spawned");
const NO_TIMER: Entered = Err("a closure cannot be stopped, so there is no timer");
const NO_CLONE: Entered = Err("nothing is cloned");
const DROPPED: Entered = Err("the twin is dropped before it starts");
const INSIDE: Entered = Err("what it makes is dropped inside of it: the row above");
const LASTS: Entered = Err("a closure that never ends never ends; the longest finite block is the row below");
const NEVER_OVER: Entered = Err("a served closure that never ends never answers, with or without a runner");

pub(crate) const TABLE: &[Row] = &[
    (Router, Error, all(NO_ERROR)),
    (Router, Panic, all(alone(1, NOTHING))),
    (Router, PanicInDrop, all(PLAIN)),
    (Router, HostilePayload, all(alone(1, NOTHING))),
    (Router, Hang, all(SYNC_HANG)),
    (Router, Block, all(is(Mismatched, 0, BLOCK))),
    //
    (Context, Error, all(is(Mismatched, 1, NOTHING))),
    (Context, Panic, all(is(Mismatched, 1, NOTHING))),
    (Context, PanicInDrop, all(is(Mismatched, 1, NOTHING))),
    (Context, HostilePayload, all(is(Mismatched, 1, NOTHING))),
    (Context, Hang, all(SYNC_HANG)),
    (Context, Block, beside(Mismatched, BLOCK)),
    //
    (Clone, Error, all(NO_ERROR)),
    (Clone, Panic, [NO_CLONE, is(Abandoned, 1, NOTHING), NO_CLONE]),
    (Clone, PanicInDrop, [NO_CLONE, is(Mismatched, 0, NOTHING), NO_CLONE]),
    (Clone, HostilePayload, [NO_CLONE, is(Abandoned, 1, NOTHING), NO_CLONE]),
    (Clone, Hang, [NO_CLONE, SYNC_HANG, NO_CLONE]),
    (Clone, Block, [NO_CLONE, is(Mismatched, 0, BLOCK), NO_CLONE]),
    //
    (Served, Error, all(is(OneFailed, 0, NOTHING))),
    (Served, Panic, all(is(Verdict::Panicked, 0, NOTHING))),
    (Served, PanicInDrop, [is(Mismatched, 0, NOTHING), is(Mismatched, 0, NOTHING), is(Verdict::Panicked, 0, NOTHING)]),
    (Served, HostilePayload, all(is(Verdict::Panicked, 0, NOTHING))),
    (Served, Hang, [is(Abandoned, 0, NOTHING), is(Abandoned, 0, NOTHING), NEVER_OVER]),
    (Served, Block, all(is(Mismatched, 0, BLOCK))),
    //
    (Shadow, Error, all(is(OneFailed, 0, NOTHING))),
    (Shadow, Panic, all(is(Verdict::Panicked, 0, NOTHING))),
    (Shadow, PanicInDrop, [is(Mismatched, 0, NOTHING), is(Mismatched, 0, NOTHING), is(Verdict::Panicked, 0, NOTHING)]),
    (Shadow, HostilePayload, all(is(Verdict::Panicked, 0, NOTHING))),
    (Shadow, Hang, [is(TimedOut, 0, PATIENCE), is(TimedOut, 0, NOTHING), LASTS]),
    (Shadow, Block, beside(Mismatched, BLOCK)),
    //
    (Twin, Error, [is(Mismatched, 0, NOTHING), DROPPED, DROPPED]),
    (Twin, Panic, [is(Mismatched, 0, NOTHING), DROPPED, DROPPED]),
    (Twin, PanicInDrop, all(is(Mismatched, 0, NOTHING))),
    (Twin, HostilePayload, [is(Mismatched, 0, NOTHING), DROPPED, DROPPED]),
    (Twin, Hang, [is(Mismatched, 0, PATIENCE), DROPPED, DROPPED]),
    (Twin, Block, [is(Mismatched, 0, BLOCK), DROPPED, DROPPED]),
    //
    (Comparator, Error, all(is(Ignored, 1, NOTHING))),
    (Comparator, Panic, all(is(Ignored, 1, NOTHING))),
    (Comparator, PanicInDrop, all(is(Ignored, 1, NOTHING))),
    (Comparator, HostilePayload, all(is(Ignored, 1, NOTHING))),
    (Comparator, Hang, all(SYNC_HANG)),
    (Comparator, Block, beside(Mismatched, BLOCK)),
    //
    (Projection, Error, all(NO_ERROR)),
    (Projection, Panic, all(is(Ignored, 1, NOTHING))),
    (Projection, PanicInDrop, all(is(Mismatched, 0, NOTHING))),
    (Projection, HostilePayload, all(is(Ignored, 1, NOTHING))),
    (Projection, Hang, all(SYNC_HANG)),
    (Projection, Block, [is(Mismatched, 0, TWO_BLOCKS), is(Mismatched, 0, BLOCK), is(Mismatched, 0, TWO_BLOCKS)]),
    //
    (ErrorComparator, Error, all(is(Ignored, 1, NOTHING))),
    (ErrorComparator, Panic, all(is(Ignored, 1, NOTHING))),
    (ErrorComparator, PanicInDrop, all(is(Ignored, 1, NOTHING))),
    (ErrorComparator, HostilePayload, all(is(Ignored, 1, NOTHING))),
    (ErrorComparator, Hang, all(SYNC_HANG)),
    (ErrorComparator, Block, beside(Mismatched, BLOCK)),
    //
    (Capture, Error, all(is(Mismatched, 2, NOTHING))),
    (Capture, Panic, all(is(Mismatched, 2, NOTHING))),
    (Capture, PanicInDrop, all(INSIDE)),
    (Capture, HostilePayload, all(is(Mismatched, 2, NOTHING))),
    (Capture, Hang, all(SYNC_HANG)),
    (Capture, Block, beside(Mismatched, TWO_BLOCKS)),
    //
    (ErrorCapture, Error, all(is(Mismatched, 2, NOTHING))),
    (ErrorCapture, Panic, all(is(Mismatched, 2, NOTHING))),
    (ErrorCapture, PanicInDrop, all(INSIDE)),
    (ErrorCapture, HostilePayload, all(is(Mismatched, 2, NOTHING))),
    (ErrorCapture, Hang, all(SYNC_HANG)),
    (ErrorCapture, Block, [is(Mismatched, 0, TWO_BLOCKS), is(Mismatched, 0, BLOCK), is(Mismatched, 0, TWO_BLOCKS)]),
    //
    (Recorder, Error, all(is(Mismatched, 1, NOTHING))),
    (Recorder, Panic, all(is(Mismatched, 1, NOTHING))),
    (Recorder, PanicInDrop, all(is(Mismatched, 1, NOTHING))),
    (Recorder, HostilePayload, all(is(Mismatched, 1, NOTHING))),
    (Recorder, Hang, all(LAW)),
    (Recorder, Block, beside(Mismatched, BLOCK)),
    //
    (QueuedRecorder, Error, all(is(Mismatched, 1, NOTHING))),
    (QueuedRecorder, Panic, all(is(Mismatched, 1, NOTHING))),
    (QueuedRecorder, PanicInDrop, all(is(Mismatched, 1, NOTHING))),
    (QueuedRecorder, HostilePayload, all(is(Mismatched, 1, NOTHING))),
    (QueuedRecorder, Hang, all(is(Mismatched, 0, NOTHING))),
    (QueuedRecorder, Block, all(SHORTER)),
    //
    (Observer, Error, all(NO_ERROR)),
    (Observer, Panic, all(is(Mismatched, 1, NOTHING))),
    (Observer, PanicInDrop, all(INSIDE)),
    (Observer, HostilePayload, all(is(Mismatched, 1, NOTHING))),
    (Observer, Hang, all(LAW)),
    (Observer, Block, beside(Mismatched, BLOCK)),
    //
    (QueuedObserver, Error, all(NO_ERROR)),
    (QueuedObserver, Panic, all(is(Mismatched, 1, NOTHING))),
    (QueuedObserver, PanicInDrop, all(INSIDE)),
    (QueuedObserver, HostilePayload, all(is(Mismatched, 1, NOTHING))),
    (QueuedObserver, Hang, all(is(Mismatched, 0, NOTHING))),
    (QueuedObserver, Block, all(SHORTER)),
    //
    (Spawn, Error, [NO_SPAWN, is(Abandoned, 0, NOTHING), NO_SPAWN]),
    (Spawn, Panic, [NO_SPAWN, is(Abandoned, 1, NOTHING), NO_SPAWN]),
    (Spawn, PanicInDrop, [NO_SPAWN, PLAIN, NO_SPAWN]),
    (Spawn, HostilePayload, [NO_SPAWN, is(Abandoned, 1, NOTHING), NO_SPAWN]),
    (Spawn, Hang, [NO_SPAWN, SYNC_HANG, NO_SPAWN]),
    (Spawn, Block, [NO_SPAWN, is(Mismatched, 0, BLOCK), NO_SPAWN]),
    //
    (Sleep, Error, [is(TimedOut, 0, NOTHING), is(TimedOut, 0, NOTHING), NO_TIMER]),
    (Sleep, Panic, [is(TimedOut, 1, NOTHING), is(TimedOut, 1, NOTHING), NO_TIMER]),
    (Sleep, PanicInDrop, [is(TimedOut, 0, PATIENCE), is(Mismatched, 0, NOTHING), NO_TIMER]),
    (Sleep, HostilePayload, [is(TimedOut, 1, NOTHING), is(TimedOut, 1, NOTHING), NO_TIMER]),
    (Sleep, Hang, [is(Mismatched, 0, SLOW), is(Mismatched, 0, NOTHING), NO_TIMER]),
    (Sleep, Block, [is(Mismatched, 0, BLOCK), is(Mismatched, 0, NOTHING), NO_TIMER]),
];
