//! What is measured, and what it offers for its price.

use std::fmt;

/// Something that can be called many times, by several threads at once.
pub trait Subject: Sync {
    /// What one thread runs: a function that makes so many calls.
    fn worker(&self) -> Worker<'_>;

    /// What the subject asks its host to do now and then. It is not timed.
    fn rest(&self) {}
}

/// Makes as many calls as it is told.
pub type Worker<'a> = Box<dyn FnMut(u64) + 'a>;

/// One row of a comparison.
pub struct Entry {
    /// What is called.
    pub name: &'static str,
    /// The package whose version stands beside the name.
    pub package: Option<&'static str>,
    /// On which side it stands.
    pub role: Role,
    /// What it protects from, or tells.
    pub guarantees: &'static [Guarantee],
    /// What a reader must know to judge the row.
    pub note: &'static str,
    /// The floor that it is measured against: the first of the comparison, if it names none.
    pub floor: Option<&'static str>,
    /// Sets it up, which is not timed.
    pub build: Box<dyn Fn() -> Box<dyn Subject>>,
}

impl Entry {
    /// A row of `role` that is built by `build`.
    pub fn new<S: Subject + 'static>(
        role: Role,
        name: &'static str,
        package: Option<&'static str>,
        build: impl Fn() -> S + 'static,
    ) -> Self {
        let build = Box::new(move || Box::new(build()) as Box<dyn Subject>);
        Self { name, package, role, guarantees: &[], note: "", floor: None, build }
    }

    /// The least that the work of a comparison can cost.
    pub fn floor<S: Subject + 'static>(name: &'static str, build: impl Fn() -> S + 'static) -> Self {
        Self::new(Role::Floor, name, None, build)
    }

    /// What cutover offers.
    pub fn ours<S: Subject + 'static>(name: &'static str, build: impl Fn() -> S + 'static) -> Self {
        Self::new(Role::Ours, name, Some("cutover"), build)
    }

    /// What somebody else offers, in `package`.
    pub fn peer<S: Subject + 'static>(
        name: &'static str,
        package: &'static str,
        build: impl Fn() -> S + 'static,
    ) -> Self {
        Self::new(Role::Peer, name, Some(package), build)
    }

    /// The same, with these guarantees.
    #[must_use]
    pub fn with(mut self, guarantees: &'static [Guarantee]) -> Self {
        self.guarantees = guarantees;
        self
    }

    /// The same, with a note.
    #[must_use]
    pub fn note(mut self, note: &'static str) -> Self {
        self.note = note;
        self
    }

    /// The same, measured against the floor of this name.
    #[must_use]
    pub fn above(mut self, floor: &'static str) -> Self {
        self.floor = Some(floor);
        self
    }

    /// Whether it offers `guarantee`.
    #[must_use]
    pub fn offers(&self, guarantee: Guarantee) -> bool {
        self.guarantees.contains(&guarantee)
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry").field("name", &self.name).field("role", &self.role).finish_non_exhaustive()
    }
}

/// On which side a row stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The bare work.
    Floor,
    /// cutover.
    Ours,
    /// Another crate.
    Peer,
}

/// What a call protects from, or tells. The tests of this package check each of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Guarantee {
    /// No allocation in a warm call.
    AllocationFree,
    /// The caller waits a bounded time for a shadow that hangs.
    BoundedWait,
    /// A panic of the shadow does not reach the caller.
    ShadowPanics,
    /// A panic of the comparison does not reach the caller.
    ComparatorPanics,
    /// A panic of the host's recorder does not reach the caller.
    RecorderPanics,
    /// Both sides are timed, and the host can read it without another library.
    Timing,
    /// A call that is dropped half way is counted.
    DroppedCalls,
    /// The call can be made in a task that moves between threads, from a shared value.
    Send,
    /// Nobody is in at 0 %, and everybody at 100 %.
    ExactEnds,
    /// What is not a percentage is refused.
    RefusesNonsense,
    /// Half a percent is half a percent.
    Fractions,
    /// Who is in one flag says nothing about who is in another.
    Uncorrelated,
    /// Percentiles can be read.
    Percentiles,
    /// Both sides, their failures and moments are told apart.
    SidesAndFailures,
}

impl Guarantee {
    /// How a table says it.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::AllocationFree => "no allocation",
            Self::BoundedWait => "bounded wait",
            Self::ShadowPanics => "shadow panics",
            Self::ComparatorPanics => "comparator panics",
            Self::RecorderPanics => "recorder panics",
            Self::Timing => "both sides timed",
            Self::DroppedCalls => "dropped calls counted",
            Self::Send => "`Send` by `&self`",
            Self::ExactEnds => "exact at 0 and 100 %",
            Self::RefusesNonsense => "refuses nonsense",
            Self::Fractions => "fractions of 1 %",
            Self::Uncorrelated => "uncorrelated",
            Self::Percentiles => "percentiles",
            Self::SidesAndFailures => "sides, failures, ticks",
        }
    }
}
