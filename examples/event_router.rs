//! Routes the events of a ticket tracker: several workers get every event at once, and exactly one system takes each, also
//! while the mode changes and in an emergency. It answers which systems took an item, and in what mode.
#![expect(clippy::print_stdout, reason = "an example tells what it does")]

use std::fmt;
use std::time::Duration;

use cutover::control::NotClaimed;
use cutover::store::TextError;
use cutover::{Claims, MemoryStore, MigrationController, Percentage, Router, Side, SystemMode};
use futures::future::{join, try_join_all};

/// The others are ignored.
const HANDLED: [&str; 4] = ["opened", "edited", "labeled", "assigned"];
const TTL: Duration = Duration::from_secs(30);

/// What the tracker sends to everybody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TicketEvent {
    /// Which delivery of the tracker this is.
    pub(crate) number: u32,
    pub(crate) kind: &'static str,
    pub(crate) item: u64,
}

/// Which system took an event, in what mode, and by whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Taken {
    pub(crate) event: TicketEvent,
    pub(crate) side: Side,
    pub(crate) mode: SystemMode,
    pub(crate) worker: String,
}

impl fmt::Display for Taken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { event: TicketEvent { number, kind, item }, side, mode, worker } = self;
        write!(f, "{number:>3}: {side:<6} took item {item:>3} ({kind}) in {mode}, by {worker}")
    }
}

/// One of many that get the same events, in this process or in others.
pub(crate) struct Worker {
    name: String,
    router: Box<dyn Router>,
    claims: Claims,
}

impl Worker {
    /// A worker that routes by `router`, and claims by the record that `controller` knows.
    pub(crate) fn new(
        name: &str,
        controller: &MigrationController,
        router: impl Router + 'static,
        store: MemoryStore,
    ) -> Result<Self, TextError> {
        let claims = Claims::new(controller, store, name)?;
        Ok(Self { name: name.to_owned(), router: Box::new(router), claims })
    }

    /// Takes the event, if it is one to be handled and nobody else takes it.
    pub(crate) async fn handle(&self, event: TicketEvent) -> Result<Option<Taken>, NotClaimed> {
        if !HANDLED.contains(&event.kind) {
            return Ok(None);
        }
        loop {
            let route = self.router.route(event.item.into());
            match self.claims.claim(&format!("event {}", event.number), route.serve, route.epoch, TTL).await {
                Ok(claim) => {
                    work_of(claim.side()).await;
                    // What was completed by nobody else was processed by nobody else.
                    let completed = claim.complete().await.is_ok();
                    let taken = Taken { event, side: route.serve, mode: route.mode, worker: self.name.clone() };
                    return Ok(completed.then_some(taken));
                }
                Err(NotClaimed::Held { .. } | NotClaimed::Completed) => return Ok(None),
                Err(outdated) if outdated.is_outdated() => {}
                Err(error) => return Err(error),
            }
        }
    }

    async fn handle_all(&self, events: &[TicketEvent]) -> Result<Vec<Taken>, NotClaimed> {
        let mut all = Vec::new();
        for event in events {
            all.extend(self.handle(*event).await?);
        }
        Ok(all)
    }
}

/// What one of the systems does with an event; here it only takes its time.
async fn work_of(_side: Side) {
    for _ in 0..3 {
        tokio::task::yield_now().await;
    }
}

/// Gives every event to every worker at once, and answers which were taken, in the order of the tracker.
pub(crate) async fn deliver(workers: &[Worker], events: &[TicketEvent]) -> Result<Vec<Taken>, NotClaimed> {
    let by_each = try_join_all(workers.iter().map(|worker| worker.handle_all(events))).await?;
    let mut taken = by_each.concat();
    taken.sort_by_key(|taken| taken.event.number);
    Ok(taken)
}

pub(crate) fn events(count: u32) -> Vec<TicketEvent> {
    let kinds = ["opened", "labeled", "closed", "edited", "assigned"];
    let event = |(number, kind): (u32, _)| TicketEvent { number, kind, item: u64::from(number * 37 % 100) };
    (1..=count).zip(kinds.into_iter().cycle()).map(event).collect()
}

/// Migrates half of the items, and calls the emergency, while events come in.
pub(crate) async fn operate(triage: &MigrationController) -> Result<(), Box<dyn std::error::Error>> {
    let a_while = || async {
        for _ in 0..9 {
            tokio::task::yield_now().await;
        }
    };
    a_while().await;
    triage.transition(SystemMode::Parallel, "ana", "compare the two").await?;
    a_while().await;
    triage.transition(SystemMode::GradualRollout, "ana", "they agree").await?;
    triage.set_rollout(Percentage::new(50.0)?, "ana", "half of the items").await?;
    a_while().await;
    triage.emergency_rollback("ben", "labels got lost").await;
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let store = MemoryStore::new();
    let triage = MigrationController::open("triage", store.clone()).await?;
    let elsewhere = MigrationController::open("triage", store.clone()).await?;
    let worker = |name, process: &MigrationController| Worker::new(name, process, process.clone(), store.clone());
    let workers = [worker("worker 1", &triage)?, worker("worker 2", &triage)?, worker("worker 3", &elsewhere)?];

    let events = events(60);
    let (taken, operated) = join(deliver(&workers, &events), operate(&triage)).await;
    operated?;
    let taken = taken?;
    for taken in &taken {
        println!("{taken}");
    }
    let handled = events.iter().filter(|event| HANDLED.contains(&event.kind)).count();
    println!("\n{} events came to {} workers; {handled} of a kind that is handled:", events.len(), workers.len());
    for (mode, side) in [
        (SystemMode::LegacyOnly, Side::Legacy),
        (SystemMode::Parallel, Side::Legacy),
        (SystemMode::GradualRollout, Side::Legacy),
        (SystemMode::GradualRollout, Side::New),
        (SystemMode::EmergencyRollback, Side::Legacy),
    ] {
        let count = taken.iter().filter(|taken| (taken.mode, taken.side) == (mode, side)).count();
        println!("{side:<6} took {count:>2} in {mode}");
    }
    Ok(())
}
