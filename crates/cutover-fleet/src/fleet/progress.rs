//! [`Progress`]: how far a fleet has come, in numbers for a progress bar.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use serde::Serialize;

use super::event::FleetEvent;
use crate::inventory::Inventory;
use crate::ledger::Ledger;
use crate::outcome::Outcome;
use crate::strategy::Step;
use crate::system::SystemName;

/// How far a fleet has come, as far as this process knows.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[non_exhaustive]
pub struct Progress {
    /// All systems.
    pub systems: usize,
    /// Systems that are migrated.
    pub migrated: usize,
    /// Systems that are blocked, rolled back or failed.
    pub failures: usize,
    /// The systems that are under way, and the step at which each stands.
    pub under_way: BTreeMap<SystemName, Option<Step>>,
    /// Steps that are done or will not be done: all of those of a system that has ended.
    pub steps_done: usize,
    /// All steps.
    pub steps: usize,
}

impl Progress {
    /// The share of steps that is behind, 0.0 to 1.0.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a share of more than 2^53 steps may be rounded")]
    pub fn fraction(&self) -> f64 {
        if self.steps == 0 { 0.0 } else { self.steps_done as f64 / self.steps as f64 }
    }
}

/// What is known of each system.
#[derive(Debug)]
pub(crate) struct Board(Mutex<BTreeMap<SystemName, Place>>);

#[derive(Debug, Clone, Copy)]
struct Place {
    outcome: Outcome,
    step: Option<Step>,
    done: usize,
    steps: usize,
}

impl Board {
    pub(crate) fn new(inventory: &Inventory) -> Self {
        let place = |steps| Place { outcome: Outcome::Pending, step: None, done: 0, steps };
        let places = inventory.entries().iter();
        let places = places.map(|entry| (entry.system.name.clone(), place(entry.strategy.steps().len())));
        Self(Mutex::new(places.collect()))
    }

    /// Takes in what the audit of a system says.
    pub(crate) fn place(&self, system: &SystemName, ledger: &Ledger) {
        let mut places = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(place) = places.get_mut(system) {
            let known = ledger.steps().len();
            place.steps = if known == 0 { place.steps } else { known };
            place.outcome = ledger.stage.outcome();
            place.done = ledger.done.len();
            place.step = ledger.in_doubt;
        }
    }

    /// Takes in an event, and says how far everything has come.
    pub(crate) fn hear(&self, event: &FleetEvent) -> Progress {
        let mut places = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match event {
            FleetEvent::StepBegan { system, step } => {
                if let Some(place) = places.get_mut(system) {
                    place.step = Some(*step);
                    place.outcome = Outcome::UnderWay;
                }
            }
            FleetEvent::SystemEnded { system, outcome } => {
                if let Some(place) = places.get_mut(system) {
                    place.outcome = *outcome;
                }
            }
            FleetEvent::PhaseBegan { .. }
            | FleetEvent::PhaseEnded { .. }
            | FleetEvent::SystemBegan { .. }
            | FleetEvent::StepDone { .. }
            | FleetEvent::Looked { .. }
            | FleetEvent::SteppedBack { .. }
            | FleetEvent::Recovering { .. }
            | FleetEvent::Recovered { .. }
            | FleetEvent::Failure(_) => {}
        }
        sum(&places)
    }

    pub(crate) fn progress(&self) -> Progress {
        sum(&self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn sum(places: &BTreeMap<SystemName, Place>) -> Progress {
    let mut progress = Progress { systems: places.len(), ..Progress::default() };
    for (system, place) in places {
        let ended = place.outcome.is_migrated() || place.outcome.is_failure();
        progress.migrated += usize::from(place.outcome.is_migrated());
        progress.failures += usize::from(place.outcome.is_failure());
        progress.steps += place.steps;
        progress.steps_done += if ended { place.steps } else { place.done.min(place.steps) };
        if place.outcome == Outcome::UnderWay {
            progress.under_way.insert(system.clone(), place.step);
        }
    }
    progress
}
