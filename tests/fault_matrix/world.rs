//! The world of one call: which parts are broken and how, and what really happened in it.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cutover::clock::Instant;
use cutover::testing::ManualClock;
use cutover::{Clock, Side};

use crate::dual_common::Planned;

/// How long a part blocks its thread: longer than patience, shorter than the shadow's timeout.
pub(crate) const BLOCK: Duration = Duration::from_millis(500);

/// What can be broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Router,
    Context,
    Clone,
    Served,
    Shadow,
    Twin,
    Comparator,
    Projection,
    ErrorComparator,
    Capture,
    ErrorCapture,
    /// Says that it never blocks.
    Recorder,
    QueuedRecorder,
    /// Says that it never blocks.
    Observer,
    QueuedObserver,
    Spawn,
    Sleep,
}

impl Part {
    pub(crate) const ALL: [Self; 17] = [
        Self::Router,
        Self::Context,
        Self::Clone,
        Self::Served,
        Self::Shadow,
        Self::Twin,
        Self::Comparator,
        Self::Projection,
        Self::ErrorComparator,
        Self::Capture,
        Self::ErrorCapture,
        Self::Recorder,
        Self::QueuedRecorder,
        Self::Observer,
        Self::QueuedObserver,
        Self::Spawn,
        Self::Sleep,
    ];
}

/// In which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    Error,
    Panic,
    /// What it makes, or the part itself, panics when it is dropped.
    PanicInDrop,
    /// It panics with a payload that panics when it is dropped.
    HostilePayload,
    /// It never ends.
    Hang,
    /// It keeps its thread for [`BLOCK`].
    Block,
}

impl Fault {
    pub(crate) const ALL: [Self; 6] =
        [Self::Error, Self::Panic, Self::PanicInDrop, Self::HostilePayload, Self::Hang, Self::Block];
}

/// What a side gave, by an identity that nothing else in its world has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Given {
    Value(u64),
    Error(u64),
    Panic(u64),
}

#[derive(Debug)]
pub(crate) struct World {
    pub(crate) clock: Arc<ManualClock>,
    faults: [Option<Fault>; Part::ALL.len()],
    armed: AtomicBool,
    next_id: AtomicU64,
    ledger: Mutex<Ledger>,
}

/// What really happened.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ledger {
    given: [Option<(Given, Instant)>; 2],
    blocked: [Duration; Part::ALL.len()],
    /// Promises that were seen broken from inside of a part.
    pub(crate) broken: Vec<String>,
    pub(crate) values_compared: u32,
    pub(crate) errors_compared: u32,
}

impl World {
    pub(crate) fn new(clock: Arc<ManualClock>, broken: &[(Part, Fault)]) -> Arc<Self> {
        let mut faults = [None; Part::ALL.len()];
        for &(part, fault) in broken {
            faults[part as usize] = Some(fault);
        }
        let (armed, next_id) = (AtomicBool::new(true), AtomicU64::new(1));
        Arc::new(Self { clock, faults, armed, next_id, ledger: Mutex::default() })
    }

    /// From here on nothing is broken any more.
    pub(crate) fn repair(&self) {
        self.armed.store(false, Ordering::Release);
    }

    pub(crate) fn fault(&self, part: Part) -> Option<Fault> {
        self.faults[part as usize].filter(|_| self.armed.load(Ordering::Acquire))
    }

    pub(crate) fn has(&self, part: Part, fault: Fault) -> bool {
        self.fault(part) == Some(fault)
    }

    pub(crate) fn id(&self) -> u64 {
        self.next_id.fetch_add(1, Ordering::Relaxed)
    }

    /// What every synchronous part does first: panic, block, fail, or nothing of this.
    pub(crate) fn act(&self, part: Part) -> Result<(), Thrown> {
        match self.fault(part) {
            Some(Fault::Panic) => Planned::throw(self.id(), false),
            Some(Fault::HostilePayload) => Planned::throw(self.id(), true),
            Some(Fault::Error) => Err(Thrown(Bomb { armed: false })),
            Some(Fault::PanicInDrop) => Err(Thrown(Bomb { armed: true })),
            Some(Fault::Block) => {
                self.block(part);
                Ok(())
            }
            Some(Fault::Hang) | None => Ok(()),
        }
    }

    pub(crate) fn block(&self, part: Part) {
        self.with(|ledger| ledger.blocked[part as usize] += BLOCK);
        self.clock.advance(BLOCK);
    }

    /// Something that panics when it is dropped, if that is what is wrong with the part.
    pub(crate) fn bomb(&self, part: Part) -> Bomb {
        Bomb { armed: self.has(part, Fault::PanicInDrop) }
    }

    /// Notes what a side gave; the calls after a repair are not noted.
    pub(crate) fn give(&self, side: Side, given: Given) {
        let now = self.clock.now();
        if self.armed.load(Ordering::Acquire) {
            self.with(|ledger| ledger.given[side as usize] = Some((given, now)));
        }
    }

    pub(crate) fn given(&self, side: Side) -> Option<(Given, Instant)> {
        self.with(|ledger| ledger.given[side as usize])
    }

    /// How long the part has kept its thread so far.
    pub(crate) fn blocked(&self, part: Part) -> Duration {
        self.with(|ledger| ledger.blocked[part as usize])
    }

    pub(crate) fn check(&self, holds: bool, promise: &str) {
        if !holds {
            self.with(|ledger| ledger.broken.push(promise.to_owned()));
        }
    }

    pub(crate) fn with<R>(&self, read: impl FnOnce(&mut Ledger) -> R) -> R {
        read(&mut self.ledger.lock().unwrap())
    }
}

/// Panics when it is dropped.
#[derive(Debug)]
pub(crate) struct Bomb {
    pub(crate) armed: bool,
}

impl Drop for Bomb {
    fn drop(&mut self) {
        if self.armed {
            Planned::throw(0, false);
        }
    }
}

/// The error of a part, perhaps with a destructor that panics.
#[derive(Debug)]
pub(crate) struct Thrown(#[expect(dead_code, reason = "only its drop matters")] pub(crate) Bomb);

impl fmt::Display for Thrown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a planned error")
    }
}

impl std::error::Error for Thrown {}
