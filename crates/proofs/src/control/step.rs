//! What each step does: pure functions from one state to the next.

use cutover::SystemMode;

use super::action::Action;
use super::decide::{Wish, promotes, write};
use super::instance::{Acknowledged, Slot, Task};
use super::known::{Finding, Known};
use super::record::{Answer, Kind, Record, id_of, mode_of};
use super::scope::Scope;
use super::state::State;
use super::variant::Variant;

/// The state after `action`, with the instances in order.
pub(crate) fn after(state: &State, action: Action, scope: &Scope) -> State {
    let mut next = state.clone();
    next.take(action, scope);
    next.watch(state);
    next.instances.sort_unstable();
    next
}

impl State {
    /// As [`after`], but leaves the instances where they stand.
    pub(crate) fn take(&mut self, action: Action, scope: &Scope) {
        let variant = scope.variant;
        match action {
            Action::Read(i) => self.read(i, scope),
            Action::TakeIn(i) => self.take_in(i, variant),
            Action::Hint(i, line) => self.instances[i].known = Known::new(Some(self.store.audit[line].record)),
            Action::Begin(i, wish) => self.begin(i, wish, variant),
            Action::DecideAnew(i) => self.decide_anew(i, variant),
            Action::GiveUp(i, slot) => self.give_up(i, slot),
            Action::Pull(i) => self.pull(i, variant),
            Action::SendBrake(i) => self.send_brake(i, variant),
            Action::Confirm(i) => self.confirm(i, scope),
            Action::Arrive(i, slot) => self.handle(i, slot, variant),
            Action::Answer(i, slot) => self.answer(i, slot, variant),
            Action::LoseAnswer(i, slot) => self.lose_answer(i, slot),
            Action::Repeat(i, slot) => self.repeat(i, slot),
            Action::ArriveLate => self.arrive_late(variant),
            Action::FailOver | Action::LoseEverything => self.fail(action),
        }
    }

    fn finding(&self) -> Finding {
        Finding { found: self.store.record, settled: self.store.settled() }
    }

    fn read(&mut self, i: usize, scope: &Scope) {
        let nothing_new = self.instances[i].known == Known::new(self.store.record);
        if nothing_new && scope.variant != Variant::TakeInOvertakenReads {
            // It changes nothing when it arrives, overtaken or not.
            return;
        }
        self.instances[i].reading = Some(self.finding());
        if !scope.slow_reads {
            self.take_in(i, scope.variant);
        }
    }

    fn take_in(&mut self, i: usize, variant: Variant) {
        let Some(finding) = self.instances[i].reading.take() else { return };
        let epoch = self.instances[i].known.epoch();
        self.find(i, finding, variant);
        let written = self.store.remembers(self.instances[i].known.record);
        if self.instances[i].known.epoch() > epoch {
            self.instances[i].learn(variant, |known| known.audited(written));
        }
    }

    /// Reads without a step between: the window in which others act is that of the write.
    fn read_at_once(&mut self, i: usize, variant: Variant) {
        let finding = self.finding();
        self.find(i, finding, variant);
    }

    /// The audit is read after the record.
    fn find(&mut self, i: usize, finding: Finding, variant: Variant) {
        let before = self.instances[i].known;
        let continues = self.store.remembers(before.record);
        self.instances[i].learn(variant, |known| known.found(finding.found, continues, variant));
        let noticed = continues || finding.settled >= before.epoch();
        self.past.fork_believed |= self.instances[i].known.record != before.record && !noticed;
    }

    fn begin(&mut self, i: usize, wish: Wish, variant: Variant) {
        self.read_at_once(i, variant);
        let Some(mode) = wish.decide(&self.instances[i].known, variant) else { return };
        self.budget.changes -= 1;
        let task = Task::new(self.fresh_op());
        self.send(i, wish, task, mode, variant);
    }

    fn decide_anew(&mut self, i: usize, variant: Variant) {
        self.read_at_once(i, variant);
        let Some((wish, task)) = self.instances[i].change.take() else { return };
        let decided = match wish {
            Wish::Become(to) if variant == Variant::ResendAnswer => Some(to),
            Wish::Become(_) | Wish::Reconcile => wish.decide(&self.instances[i].known, variant),
        };
        if let Some(mode) = decided {
            self.send(i, wish, task, mode, variant);
        }
    }

    fn send(&mut self, i: usize, wish: Wish, mut task: Task, mode: SystemMode, variant: Variant) {
        let etag = self.fresh_etag(task.op);
        let instance = &mut self.instances[i];
        let known = &instance.known;
        self.past.promoted_in_doubt |= known.doubted.is_some() && promotes(known.believed(), mode);
        task.send(write(known, mode, wish.kind(), etag, variant));
        instance.change = Some((wish, task));
    }

    /// Who no longer waits leaves a request behind that is still on its way. An emergency is not given up.
    fn give_up(&mut self, i: usize, slot: Slot) {
        if let Some(sent) = self.instances[i].sent(slot) {
            self.budget.messages -= 1;
            self.late = Some(sent.change);
        }
        match (slot, &mut self.instances[i].brake) {
            (Slot::Brake, Some(brake)) => brake.sent = None,
            _ => self.instances[i].end(slot),
        }
    }

    fn pull(&mut self, i: usize, variant: Variant) {
        self.budget.pulls -= 1;
        let op = self.fresh_op();
        let instance = &mut self.instances[i];
        instance.brake = Some(Task::new(op));
        instance.pulled = true;
        if variant == Variant::StoreEmergencyFirst {
            self.send_brake(i, variant);
        }
    }

    fn send_brake(&mut self, i: usize, variant: Variant) {
        self.read_at_once(i, variant);
        let Some(op) = self.instances[i].brake.map(|brake| brake.op) else { return };
        let etag = self.fresh_etag(op);
        let instance = &mut self.instances[i];
        let change = write(&instance.known, SystemMode::EmergencyRollback, Kind::Emergency, etag, variant);
        if instance.reads_emergency() {
            instance.brake = None;
        } else if let Some(brake) = &mut instance.brake {
            brake.send(change);
        }
    }

    /// Reads the record, and the audit if the record is none of an emergency.
    fn confirm(&mut self, i: usize, scope: &Scope) {
        let Some(Acknowledged { epoch, read }) = self.instances[i].acknowledgement() else { return };
        if !read {
            self.read_at_once(i, scope.variant);
        }
        let instance = &mut self.instances[i];
        let Some(brake) = &mut instance.brake else { return };
        if !read && scope.slow_reads && mode_of(instance.known.base()) != SystemMode::EmergencyRollback {
            brake.acknowledged = Some(Acknowledged { epoch, read: true });
            return;
        }
        let audit = &self.store.audit;
        let written = audit.iter().any(|entry| entry.record.id.epoch == epoch && entry.record.id.etag.op == brake.op);
        brake.acknowledged = None;
        let past = instance.known.base().is_some_and(|record| record.id.epoch > epoch);
        let left = written && (past || scope.variant == Variant::ConfirmByAuditOnly);
        if instance.reads_emergency() || left {
            instance.brake = None;
        }
    }

    /// A refusal is heard at once: a refusal that is lost is a write that has not arrived.
    fn handle(&mut self, i: usize, slot: Slot, variant: Variant) {
        let Some(sent) = self.instances[i].sent(slot) else { return };
        match self.arrive(sent.change, variant) {
            Answer::Conflict => self.instances[i].refused(slot, variant),
            Answer::Committed(record) => self.set_stored(i, slot, Some(record)),
        }
    }

    fn set_stored(&mut self, i: usize, slot: Slot, stored: Option<Record>) {
        if let Some(sent) = self.instances[i].sent_mut(slot) {
            sent.stored = stored;
        }
    }

    fn answer(&mut self, i: usize, slot: Slot, variant: Variant) {
        let Some(sent) = self.instances[i].sent(slot) else { return };
        if let Some(record) = sent.stored {
            self.past.acknowledged_write_lost |= !self.past.store_failed && !self.store.remembers(Some(record));
            let before = self.instances[i].known;
            self.instances[i].acknowledged(slot, sent, record, variant);
            let noticed = sent.change.expect == id_of(before.base()) || self.store.remembers(before.record);
            self.past.fork_believed |= self.instances[i].known.record != before.record && !noticed;
        }
    }

    fn lose_answer(&mut self, i: usize, slot: Slot) {
        self.budget.messages -= 1;
        self.set_stored(i, slot, None);
    }

    fn repeat(&mut self, i: usize, slot: Slot) {
        self.budget.messages -= 1;
        self.late = self.instances[i].sent(slot).map(|sent| sent.change);
    }

    fn arrive_late(&mut self, variant: Variant) {
        if let Some(change) = self.late.take() {
            self.arrive(change, variant);
        }
    }

    fn fail(&mut self, fault: Action) {
        self.budget.faults -= 1;
        self.past.store_failed = true;
        if fault == Action::FailOver {
            self.store.fail_over();
        } else {
            self.store.lose_everything();
        }
    }

    /// Notes what only a pair of states shows. The instances stand in the same order in both.
    fn watch(&mut self, before: &Self) {
        let grown = self.store.audit.starts_with(&before.store.audit);
        self.past.acknowledged_write_lost |= !grown && !self.past.store_failed;
        let settled = self.store.settled();
        let pairs = self.instances.iter().zip(&before.instances);
        for (now, then) in pairs {
            let noticed = now.known.doubted.is_some() || then.known.doubted.is_some() || settled >= then.known.epoch();
            self.past.went_back_unnoticed |= !noticed && now.known.is_behind(&then.known);
        }
    }
}
