//! What the caller sees when something beside the served side fails.

use std::fmt;
use std::future::pending;
use std::marker::PhantomData;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use async_trait::async_trait;
use futures::FutureExt;
use tokio::time::{Instant, sleep, timeout};

use super::launchdarkly::Migrators;
use super::ours::{Ours, Way};
use super::request_shadow::Shadowers;
use super::scientisto::{AsyncExperiments, Experiments};
use super::thesis::Compares;

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The shadow never answers.
    HungShadow,
    /// The shadow answers after half a second.
    SlowShadow,
    /// The shadow panics.
    PanickingShadow,
    /// The comparison of two answers panics.
    PanickingComparator,
    /// What the host does with a difference panics.
    PanickingRecorder,
}

impl Fault {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::HungShadow, Self::SlowShadow, Self::PanickingShadow, Self::PanickingComparator, Self::PanickingRecorder];

    /// How a table says it.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::HungShadow => "the shadow hangs",
            Self::SlowShadow => "the shadow takes 500 ms",
            Self::PanickingShadow => "the shadow panics",
            Self::PanickingComparator => "the comparator panics",
            Self::PanickingRecorder => "the recorder of a difference panics",
        }
    }

    /// The shadow of a call whose control answers 1.
    #[expect(clippy::panic, reason = "that is the fault")]
    pub(super) async fn shadow(self) -> Result<u64, String> {
        match self {
            Self::HungShadow => pending().await,
            Self::SlowShadow => sleep(Duration::from_millis(500)).await,
            Self::PanickingShadow => panic!("the shadow"),
            Self::PanickingComparator | Self::PanickingRecorder => {}
        }
        Ok(2)
    }

    /// The same as a closure, if a closure can do that and return.
    pub(super) fn closure(self) -> Option<fn() -> Result<u64, String>> {
        match self {
            Self::HungShadow | Self::SlowShadow => None,
            #[expect(clippy::panic, reason = "that is the fault")]
            Self::PanickingShadow => Some(|| panic!("the shadow")),
            Self::PanickingComparator | Self::PanickingRecorder => Some(|| Ok(2)),
        }
    }

    pub(super) fn compare<T: PartialEq>(self, legacy: &T, new: &T) -> bool {
        assert!(self != Self::PanickingComparator, "the comparator");
        legacy == new
    }

    pub(super) fn record(self) {
        assert!(self != Self::PanickingRecorder, "the recorder");
    }

    /// An answer for libraries that compare by `==`.
    pub(super) fn wrap(self, answer: Result<u64, String>) -> Compared {
        Compared { answer, fault: self }
    }
}

/// An answer whose `==` has the fault of the comparator.
pub(super) struct Compared {
    pub(super) answer: Result<u64, String>,
    fault: Fault,
}

impl PartialEq for Compared {
    fn eq(&self, other: &Self) -> bool {
        self.fault.compare(&self.answer, &other.answer)
    }
}

/// A library that runs both sides of a call.
#[async_trait(?Send)]
pub trait Faulty {
    /// The library.
    fn name(&self) -> &'static str;

    /// What the caller of one call gets whose served side answers 1, with a fault beside it; `None` if the library takes
    /// nothing that could have this fault.
    async fn call(&self, fault: Fault) -> Option<Result<u64, String>>;

    /// Makes a call whose sides hang, drops it half way, and says what its books say of it.
    async fn drop_a_call(&self) -> Books;

    /// Whether a call can be awaited in a task that moves between threads.
    fn is_send(&self) -> bool;
}

/// All libraries for dual runs, cutover first.
#[must_use]
pub fn all() -> Vec<Box<dyn Faulty>> {
    vec![
        Box::new(Ours(Way::Run)),
        Box::new(Ours(Way::Detached)),
        Box::new(Ours(Way::Sync)),
        Box::new(Migrators::new()),
        Box::new(AsyncExperiments),
        Box::new(Experiments),
        Box::new(Compares),
        Box::new(Shadowers),
    ]
}

/// What a caller sees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// The answer of the served side, after so long.
    Answer(Duration),
    /// Something that is not the answer of the served side.
    AnotherAnswer(Result<u64, String>),
    /// The panic.
    Panic,
    /// Nothing, for an hour.
    Nothing,
    /// The library takes nothing that could have this fault.
    CannotHappen,
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Answer(after) if after.is_zero() => f.write_str("the answer, at once"),
            Self::Answer(after) => write!(f, "the answer, after {} ms", after.as_millis()),
            Self::AnotherAnswer(answer) => write!(f, "another answer: {answer:?}"),
            Self::Panic => f.write_str("**the panic**"),
            Self::Nothing => f.write_str("**nothing, for ever**"),
            Self::CannotHappen => f.write_str("(takes none)"),
        }
    }
}

/// Lets a call of `library` have `fault`, and looks at its caller. Time is virtual.
#[must_use]
pub fn observe(library: &dyn Faulty, fault: Fault) -> Seen {
    virtual_time(async {
        let began = Instant::now();
        let call = AssertUnwindSafe(library.call(fault)).catch_unwind();
        match timeout(Duration::from_hours(1), call).await {
            Err(_) => Seen::Nothing,
            Ok(Err(_)) => Seen::Panic,
            Ok(Ok(None)) => Seen::CannotHappen,
            Ok(Ok(Some(Ok(1)))) => Seen::Answer(whole_millis(began.elapsed())),
            Ok(Ok(Some(answer))) => Seen::AnotherAnswer(answer),
        }
    })
}

/// Timers of Tokio count in milliseconds, and round up.
fn whole_millis(time: Duration) -> Duration {
    Duration::from_millis(u64::try_from(time.as_millis()).unwrap_or(u64::MAX))
}

fn virtual_time<T>(future: impl Future<Output = T>) -> T {
    let builder = &mut tokio::runtime::Builder::new_current_thread();
    builder.enable_time().start_paused(true).build().unwrap().block_on(future)
}

/// What a library knows of a call that was dropped half way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Books {
    /// That it began, and that it was given up.
    Balanced,
    /// That it began, and nothing more.
    StartOnly,
    /// Nothing.
    NoTrace,
    /// It tells its service only; not looked at.
    NotSeen,
    /// A closure runs to its end.
    CannotBeDropped,
}

impl Books {
    /// What `library` knows of such a call.
    #[must_use]
    pub fn of(library: &dyn Faulty) -> Self {
        virtual_time(library.drop_a_call())
    }

    /// How a table says it.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Balanced => "counted",
            Self::StartOnly => "only its start is counted",
            Self::NoTrace => "no trace",
            Self::NotSeen => "(not looked at)",
            Self::CannotBeDropped => "(a closure cannot be dropped)",
        }
    }
}

/// Polls once, and drops.
pub(super) async fn poll_once<F: Future>(call: F) {
    tokio::select! {
        biased;
        _ = call => {}
        () = std::future::ready(()) => {}
    }
}

/// Whether a value may move to another thread, decided by the compiler: where the first of two methods of this name does not
/// apply, it takes the one behind one more reference.
macro_rules! is_send {
    ($value:expr) => {{
        use $crate::dual::faults::IsSend as _;
        (&$crate::dual::faults::probe($value)).is_send()
    }};
}
pub(super) use is_send;

pub(super) struct Probe<T>(PhantomData<T>);

pub(super) fn probe<T>(_: &T) -> Probe<T> {
    Probe(PhantomData)
}

pub(super) trait IsSend {
    fn is_send(&self) -> bool;
}

impl<T: Send> IsSend for Probe<T> {
    fn is_send(&self) -> bool {
        true
    }
}

impl<T> IsSend for &Probe<T> {
    fn is_send(&self) -> bool {
        false
    }
}
