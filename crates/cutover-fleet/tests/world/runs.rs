//! Runs that end before their end.

use std::pin::Pin;
use std::task::{Context, Poll};

use cutover::StateStore;
use cutover::store::AuditEntry;
use cutover_fleet::{FleetReport, SystemReport};
use serde_json::Value;

use super::World;

/// Polls a future so many times and no more: the process ends there.
pub(crate) struct Crashing<F>(Pin<Box<F>>, u32);

impl<F: Future> Crashing<F> {
    pub(crate) fn after(polls: u32, future: F) -> Self {
        Self(Box::pin(future), polls)
    }
}

impl<F: Future> Future for Crashing<F> {
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if self.1 == 0 {
            return Poll::Ready(None);
        }
        self.1 -= 1;
        self.0.as_mut().poll(context).map(Some)
    }
}

impl World {
    pub(crate) fn run<F: Future>(&self, future: F) -> F::Output {
        self.runtime.run(future)
    }

    /// Runs `future` for so many polls. Its tasks end with it, as in a process that is killed.
    pub(crate) fn crash<F: Future>(&self, polls: u32, future: F) -> Option<F::Output> {
        let ended = self.runtime.run(Crashing::after(polls, future));
        self.runtime.drop_tasks();
        ended
    }

    pub(crate) fn audit(&self, system: &str) -> Vec<AuditEntry> {
        self.run(self.store.history(&system.parse().unwrap(), 0, 1_000)).unwrap()
    }

    pub(crate) fn events(&self, system: &str) -> Vec<String> {
        let event = |entry: &AuditEntry| Some(entry.evidence.as_ref()?.get("event")?.as_str()?.to_owned());
        self.audit(system).iter().filter_map(event).collect()
    }
}

/// What a report says that does not depend on when it happened.
pub(crate) fn timeless(report: &FleetReport) -> Value {
    let mut json = serde_json::to_value(report).unwrap();
    strip(&mut json);
    json
}

pub(crate) fn timeless_system(report: &SystemReport) -> Value {
    let mut json = serde_json::to_value(report).unwrap();
    strip(&mut json);
    json
}

/// Figures of time, and the score, which has parts of them.
const TIMES: [&str; 5] = ["began", "ended", "time", "downtime", "score"];
const TIMED: [&str; 3] = ["rate", "hours", "downtime"];

fn strip(json: &mut Value) {
    match json {
        Value::Object(members) => {
            let timed = members.get("name").and_then(Value::as_str).is_some_and(|name| TIMED.contains(&name));
            members.retain(|key, _| !TIMES.contains(&key.as_str()) && (key == "name" || !timed));
            members.values_mut().for_each(strip);
        }
        Value::Array(items) => items.iter_mut().for_each(strip),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
