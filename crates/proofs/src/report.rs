//! Runs a model to its end and says what came of it.

use std::collections::BTreeMap;
use std::fmt::{self, Debug};
use std::hash::Hash;
use std::time::Duration;

use cutover::{Clock, SystemClock};
use stateright::{Checker, HasDiscoveries, Model};

/// How far a model was explored, and what was found.
#[derive(Debug)]
#[non_exhaustive]
pub struct Report {
    /// Which model.
    pub name: &'static str,
    /// How many different states were visited.
    pub states: usize,
    /// How many steps were taken, those to known states included.
    pub steps: usize,
    /// The length of the longest path from a beginning.
    pub depth: usize,
    /// How long it took.
    pub time: Duration,
    /// Promises that were broken, each with the shortest way there.
    pub broken: BTreeMap<&'static str, Vec<String>>,
    /// What should have been reachable and was not.
    pub unreached: Vec<&'static str>,
}

impl Report {
    /// Whether every promise holds and every state of interest was reached.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.broken.is_empty() && self.unreached.is_empty()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, states, steps, depth, time, .. } = self;
        write!(f, "{name}: {states} states, {steps} steps, depth {depth}, {:.1} s", time.as_secs_f64())?;
        for (promise, path) in &self.broken {
            write!(f, "\n  broken: {promise}")?;
            for step in path {
                write!(f, "\n    {step}")?;
            }
        }
        for name in &self.unreached {
            write!(f, "\n  never reached: {name}")?;
        }
        Ok(())
    }
}

/// Visits every state of `model`.
pub fn explore<M>(name: &'static str, model: M) -> Report
where
    M: Model + Send + Sync + 'static,
    M::State: Hash + Debug + Clone + PartialEq + Send + Sync + 'static,
    M::Action: Debug + Clone + PartialEq,
{
    run(name, model, HasDiscoveries::All)
}

/// Visits the states of `model`, the nearest first, until a promise is broken.
pub fn refute<M>(name: &'static str, model: M) -> Report
where
    M: Model + Send + Sync + 'static,
    M::State: Hash + Debug + Clone + PartialEq + Send + Sync + 'static,
    M::Action: Debug + Clone + PartialEq,
{
    run(name, model, HasDiscoveries::AnyFailures)
}

/// On one thread: then the paths are the shortest, and every run counts the same states.
fn run<M>(name: &'static str, model: M, finish: HasDiscoveries) -> Report
where
    M: Model + Send + Sync + 'static,
    M::State: Hash + Debug + Clone + PartialEq + Send + Sync + 'static,
    M::Action: Debug + Clone + PartialEq,
{
    let clock = SystemClock::new();
    let began = clock.now();
    let checker = model.checker().threads(1).finish_when(finish).spawn_bfs().join();
    let mut discoveries = checker.discoveries();
    let mut report = Report {
        name,
        states: checker.unique_state_count(),
        steps: checker.state_count(),
        depth: checker.max_depth(),
        time: clock.now().since(began),
        broken: BTreeMap::new(),
        unreached: Vec::new(),
    };
    for property in checker.model().properties() {
        match (property.expectation.discovery_is_failure(), discoveries.remove(property.name)) {
            (true, Some(path)) => {
                report.broken.insert(property.name, told(&path.into_vec()));
            }
            (false, None) => report.unreached.push(property.name),
            (true, None) | (false, Some(_)) => {}
        }
    }
    report
}

/// Each step, and the end.
fn told<S: Debug, A: Debug>(path: &[(S, Option<A>)]) -> Vec<String> {
    let last = path.last().map(|(state, _)| format!("{state:?}"));
    let steps = path.iter().filter_map(|(_, action)| action.as_ref().map(|action| format!("{action:?}")));
    steps.chain(last).collect()
}
