//! [`Play`]: one run, in virtual time.

use std::time::Duration;

use super::chance::Chance;
use super::crowd::People;
use super::ledger::{Ledger, Line};
use super::score::Score;
use super::world::World;
use super::{Happening, Outcome, Played, Simulation};
use crate::clock::Instant;
use crate::guard::{Action, Guard, GuardReport};
use crate::mode::SystemMode;
use crate::plan::{Decision, Event, Look, Readiness, StoreView, decide};
use crate::store::Settings;

/// One run. All times are whole seconds since the plan began.
#[derive(Debug)]
pub(super) struct Play<'s> {
    simulation: &'s Simulation,
    guard: Guard,
    ledger: Ledger,
    world: World<'s>,
    score: Score,
    now: u64,
    /// When the present step was entered.
    entered: u64,
    duty: Option<(u64, Duty)>,
}

/// What a person is going to do.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Duty {
    Approve(String),
    Acknowledge(String),
    Answer,
}

impl<'s> Play<'s> {
    pub(super) fn new(simulation: &'s Simulation, seed: u64) -> Self {
        let Simulation { model, guard, .. } = simulation;
        let people = People::new(&model.keys, &model.faults, seed);
        let world = World::new(model, simulation.limits(), people, Chance::new(seed));
        let score = Score::new(seed);
        Self {
            simulation,
            guard: guard.clone(),
            ledger: Ledger::default(),
            world,
            score,
            now: 0,
            entered: 0,
            duty: None,
        }
    }

    pub(super) fn run(mut self) -> Played {
        let every = self.simulation.look_every.as_secs();
        let longest = self.simulation.model.longest.as_secs();
        loop {
            let (decision, report) = self.look();
            if let Some(outcome) = self.act(&decision, &report).or_else(|| self.operate()) {
                return self.end(outcome);
            }
            if self.now >= longest {
                self.happen(Happening::GivenUp { waiting: decision.to_string() });
                return self.end(Outcome::GivenUp);
            }
            self.now += every;
            self.faults_begin_and_end();
            self.world.go_on(self.now, &mut self.score);
        }
    }

    fn look(&mut self) -> (Decision, GuardReport) {
        let seen = self.world.seen();
        let moment = Instant::default().plus(Duration::from_secs(self.now));
        let report = self.guard.look(&seen, self.ledger.present(), moment);
        let held = Duration::from_secs(self.now - self.entered);
        let look = Look { held, legacy: Readiness::Ready, store: StoreView::Fresh, ..Look::of(&report) };
        (decide(&self.simulation.plan, &self.ledger.progress, &look), report)
    }

    fn act(&mut self, decision: &Decision, report: &GuardReport) -> Option<Outcome> {
        match decision {
            Decision::Promote { step } => self.enter(step, report),
            Decision::AwaitApproval { step } => self.wait_for(Duty::Approve(step.clone())),
            Decision::AwaitAcknowledgement { step } => self.wait_for(Duty::Acknowledge(step.clone())),
            Decision::Rollback => {
                self.breach(Action::Rollback, report);
                return Some(self.roll_back(Event::RolledBack, Some(report)));
            }
            Decision::Freeze { .. } => self.stop(Action::Freeze, Event::Frozen, report),
            Decision::Ask => self.stop(Action::Ask, Event::Asked, report),
            Decision::Done => {
                self.happen(Happening::Finished);
                return Some(Outcome::Finished);
            }
            Decision::Hold { .. } | Decision::RolledBack => {}
        }
        None
    }

    fn enter(&mut self, step: &str, report: &GuardReport) {
        let plan = &self.simulation.plan;
        let settings = plan.position(step).and_then(|place| plan.step(place)).map(crate::plan::Step::settings);
        let Some(settings) = settings else { return };
        self.write(Event::Entered, Some(step), settings, Some(report));
        self.entered = self.now;
        self.happen(Happening::Entered { step: step.to_owned() });
        self.faults_begin_and_end();
    }

    fn stop(&mut self, action: Action, event: Event, report: &GuardReport) {
        if self.ledger.progress.stop(&self.simulation.plan).is_some() {
            return;
        }
        self.breach(action, report);
        self.write_step(event, Some(report));
        self.duty = None;
        self.wait_for(Duty::Answer);
    }

    fn breach(&mut self, action: Action, report: &GuardReport) {
        let place = self.ledger.progress.place();
        let step = place.and_then(|place| self.simulation.plan.step(place)).map(|step| step.name.clone());
        self.world.close_epoch(self.now, &mut self.score);
        self.score.breach(self.now, action, step.unwrap_or_default(), report);
        self.happen(Happening::Breached { action, report: Box::new(report.clone()) });
    }

    fn roll_back(&mut self, event: Event, report: Option<&GuardReport>) -> Outcome {
        let settings = self.ledger.present().settings.entering(SystemMode::EmergencyRollback);
        self.write(event, None, settings, report);
        self.happen(Happening::RolledBack { by_a_person: event == Event::Aborted });
        Outcome::RolledBack
    }

    fn wait_for(&mut self, duty: Duty) {
        let operator = self.simulation.model.operator;
        let after = if duty == Duty::Answer { operator.answers_after } else { operator.approves_after };
        if self.duty.is_none() {
            self.duty = Some((self.now + after.as_secs(), duty));
        }
    }

    /// A person does what is due.
    fn operate(&mut self) -> Option<Outcome> {
        let (_, duty) = self.duty.take_if(|(due, _)| *due <= self.now)?;
        let present = self.ledger.present().settings;
        match duty {
            Duty::Approve(step) => {
                self.write(Event::Approved, Some(&step), present, None);
                self.happen(Happening::Approved { step });
            }
            Duty::Acknowledge(step) => {
                self.write(Event::Acknowledged, Some(&step), present, None);
                self.happen(Happening::Acknowledged { step });
            }
            Duty::Answer if self.world.is_broken() => return Some(self.roll_back(Event::Aborted, None)),
            Duty::Answer => {
                self.guard.begin_anew();
                self.write_step(Event::Resumed, None);
                self.happen(Happening::Resumed);
            }
        }
        None
    }

    fn write_step(&mut self, event: Event, report: Option<&GuardReport>) {
        let plan = &self.simulation.plan;
        let step = self.ledger.progress.place().and_then(|place| plan.step(place)).map(|step| step.name.as_str());
        self.write(event, step, self.ledger.present().settings, report);
    }

    /// Writes to the audit, by which a new epoch begins.
    fn write(&mut self, event: Event, step: Option<&str>, after: Settings, report: Option<&GuardReport>) {
        self.world.close_epoch(self.now, &mut self.score);
        let line = Line { event, step, after, report };
        self.ledger.write(&self.simulation.plan, line, self.now, &mut self.world.chance);
        self.world.open_epoch(self.ledger.present(), &mut self.score);
    }

    fn faults_begin_and_end(&mut self) {
        let rollout = self.ledger.present().settings.rollout;
        for (at, happening) in self.world.faults_at(self.now, rollout) {
            if matches!(happening, Happening::Broke { .. }) {
                self.score.broke(at);
            }
            self.score.happen(at, self.ledger.present().settings, happening);
        }
    }

    fn happen(&mut self, happening: Happening) {
        self.score.happen(self.now, self.ledger.present().settings, happening);
    }

    fn end(self, outcome: Outcome) -> Played {
        self.score.played(outcome, self.now, self.world.hurt_keys())
    }
}
