//! The parts that a host gives, each of which can be broken.

use std::fmt;
use std::future::{pending, ready};
use std::pin::Pin;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use cutover::compare::ComparatorError;
use cutover::observe::Event;
use cutover::record::{Capture, RecordError};
use cutover::testing::VirtualRuntime;
use cutover::{Comparator, Comparison, Discrepancy, Observer, Recorder, Route, Runtime, Side};
use futures::future::BoxFuture;
use serde::{Serialize, Serializer};

use crate::sides::{Answer, Failure};
use crate::world::{Bomb, Fault, Part, World};

/// Only a caller who waits for a stuck listener takes that long.
pub(crate) const REAL_PATIENCE: Duration = Duration::from_secs(20);

/// Routes every call the same way.
pub(crate) fn router(world: &Arc<World>, route: Route) -> impl cutover::Router + use<> {
    let world = Arc::clone(world);
    move |_: cutover::BucketKey<'_>| {
        drop(world.act(Part::Router));
        route
    }
}

/// Compares answers by their contents.
pub(crate) struct ByContent(pub(crate) Arc<World>);

impl Comparator<Answer> for ByContent {
    fn compare(&self, legacy: &Answer, new: &Answer) -> Result<Comparison, ComparatorError> {
        let Self(world) = self;
        world.with(|ledger| ledger.values_compared += 1);
        let is_first = legacy.side == Side::Legacy && legacy.part != Part::Twin;
        world.check(is_first && (new.side == Side::New || new.part == Part::Twin), "the comparator gets legacy first");
        world.act(Part::Comparator).map_err(ComparatorError::new)?;
        Ok((legacy.content == new.content).into())
    }
}

/// What is compared of an error.
pub(crate) struct Projected {
    side: Side,
    content: u8,
    _bomb: Bomb,
}

/// Keeps of an error what is compared.
pub(crate) fn projection(world: &Arc<World>) -> impl Fn(&Failure) -> Projected + Send + Sync + 'static + use<> {
    let world = Arc::clone(world);
    move |Failure(error)| {
        let bomb = world.bomb(Part::Projection);
        if !bomb.armed {
            drop(world.act(Part::Projection));
        }
        Projected { side: error.side, content: error.content, _bomb: bomb }
    }
}

/// Compares errors by their contents.
pub(crate) struct ErrorsByContent(pub(crate) Arc<World>);

impl Comparator<Projected> for ErrorsByContent {
    fn compare(&self, legacy: &Projected, new: &Projected) -> Result<Comparison, ComparatorError> {
        let Self(world) = self;
        world.with(|ledger| ledger.errors_compared += 1);
        let ordered = (legacy.side, new.side) == (Side::Legacy, Side::New);
        world.check(ordered, "the error comparator gets legacy first");
        world.act(Part::ErrorComparator).map_err(ComparatorError::new)?;
        Ok((legacy.content == new.content).into())
    }
}

/// Writes nothing of a value, if that goes well.
pub(crate) fn capture<V>(
    world: &Arc<World>,
    part: Part,
) -> impl Fn(&V, &mut Capture) -> fmt::Result + Send + Sync + 'static + use<V> {
    let world = Arc::clone(world);
    move |_, _| world.act(part).map_err(|_| fmt::Error)
}

/// What a call says about itself.
pub(crate) struct Remark {
    fails: bool,
    _bomb: Bomb,
}

impl Serialize for Remark {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.fails { Err(serde::ser::Error::custom("planned")) } else { serializer.serialize_unit() }
    }
}

/// Makes the remark. Broken in its drop, it and the remark panic both.
pub(crate) fn context(world: &Arc<World>) -> impl FnOnce() -> Remark + Send + 'static + use<> {
    let bomb = world.bomb(Part::Context);
    let world = Arc::clone(world);
    move || {
        let fails = !bomb.armed && world.act(Part::Context).is_err();
        Remark { fails, _bomb: bomb }
    }
}

/// A recorder or an observer, which may block or says that it does not.
pub(crate) struct Listener {
    pub(crate) world: Arc<World>,
    pub(crate) part: Part,
    /// A stuck listener waits until the other end is dropped.
    pub(crate) stuck: Option<Mutex<Receiver<()>>>,
}

impl Listener {
    fn hear(&self) -> Result<(), crate::world::Thrown> {
        if let Some(stuck) = self.stuck.as_ref().filter(|_| self.world.has(self.part, Fault::Hang)) {
            let released = stuck.lock().unwrap().recv_timeout(REAL_PATIENCE) == Err(RecvTimeoutError::Disconnected);
            self.world.check(released, "nobody waits for a stuck listener");
        }
        self.world.act(self.part)
    }
}

impl Recorder for Listener {
    fn record(&self, _: Discrepancy) -> Result<(), RecordError> {
        self.hear().map_err(RecordError::new)
    }

    fn never_blocks(&self) -> bool {
        self.part == Part::Recorder
    }
}

impl Observer for Listener {
    fn observe(&self, _: &str, _: &Event) {
        drop(self.hear());
    }

    fn never_blocks(&self) -> bool {
        self.part == Part::Observer
    }
}

/// Counts the calls that have started and not ended.
pub(crate) struct OpenCalls(pub(crate) Arc<AtomicI64>);

impl Observer for OpenCalls {
    fn observe(&self, _: &str, event: &Event) {
        if let Event::Started { .. } = event {
            self.0.fetch_add(1, Ordering::Relaxed);
        } else if let Event::Served { .. } | Event::Compared { .. } = event {
            self.0.fetch_sub(1, Ordering::Relaxed);
        }
    }

    fn never_blocks(&self) -> bool {
        true
    }

    fn hears_starts(&self) -> bool {
        true
    }
}

/// A runtime that may not do what it is told.
#[derive(Debug)]
pub(crate) struct FaultyRuntime {
    pub(crate) world: Arc<World>,
    pub(crate) inner: VirtualRuntime,
}

impl Runtime for FaultyRuntime {
    fn spawn(&self, task: BoxFuture<'static, ()>) {
        match self.world.act(Part::Spawn) {
            Ok(()) => self.inner.spawn(task),
            Err(_) => drop(task),
        }
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        match self.world.fault(Part::Sleep) {
            Some(Fault::Hang) => Box::pin(pending()),
            Some(Fault::Error) => Box::pin(ready(())),
            Some(Fault::HostilePayload) => {
                let world = Arc::clone(&self.world);
                Box::pin(async move { drop(world.act(Part::Sleep)) })
            }
            Some(Fault::PanicInDrop) => {
                Box::pin(Alarm { sleep: self.inner.sleep(duration), _bomb: self.world.bomb(Part::Sleep) })
            }
            Some(Fault::Panic | Fault::Block) | None => {
                drop(self.world.act(Part::Sleep));
                self.inner.sleep(duration)
            }
        }
    }
}

/// A sleep with a destructor of its own.
struct Alarm {
    sleep: BoxFuture<'static, ()>,
    _bomb: Bomb,
}

impl Future for Alarm {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.sleep.as_mut().poll(cx)
    }
}
