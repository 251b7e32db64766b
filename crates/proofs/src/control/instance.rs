//! One process: what it knows, what it is about to store, and the read that is on its way.

use cutover::SystemMode;

use super::decide::Wish;
use super::known::{Finding, Known};
use super::record::{Change, Id, Record, id_of, mode_of};
use super::variant::Variant;

/// A process with its own cache of the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instance {
    pub(crate) known: Known,
    /// An emergency that is not stored yet.
    pub(crate) brake: Option<Task>,
    /// What its operator is doing.
    pub(crate) change: Option<(Wish, Task)>,
    pub(crate) reading: Option<Finding>,
    /// Only for the properties: an emergency was pulled here, and no operator has left it since it was stored.
    pub(crate) pulled: bool,
}

/// One operation until it is stored or given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Task {
    pub(crate) op: u8,
    /// The write that is on its way; none after a conflict.
    pub(crate) sent: Option<Sent>,
    /// Only of an emergency: its acknowledgement, of which it is not known yet whether it still holds.
    pub(crate) acknowledged: Option<Acknowledged>,
}

/// An acknowledged emergency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Acknowledged {
    pub(crate) epoch: u8,
    /// Whether the record was read since; it is none of an emergency.
    pub(crate) read: bool,
}

/// A write, and the record of the commit if the store has stored it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sent {
    pub(crate) change: Change,
    pub(crate) stored: Option<Record>,
    /// Whether something else was learnt since it was decided.
    pub(crate) overtaken: bool,
}

/// Which of its two tasks an instance goes on with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Slot {
    /// The operator's change.
    Change,
    /// The emergency.
    Brake,
}

impl Task {
    pub(crate) const fn new(op: u8) -> Self {
        Self { op, sent: None, acknowledged: None }
    }

    /// Sends an attempt.
    pub(crate) const fn send(&mut self, change: Change) {
        self.acknowledged = None;
        self.sent = Some(Sent { change, stored: None, overtaken: false });
    }
}

impl Instance {
    pub(crate) const fn new(record: Option<Record>) -> Self {
        Self { known: Known::new(record), brake: None, change: None, reading: None, pulled: false }
    }

    /// The mode that routes.
    pub(crate) fn mode(&self, variant: Variant) -> SystemMode {
        if self.brake.is_some() && variant != Variant::StoreEmergencyFirst {
            return SystemMode::EmergencyRollback;
        }
        self.known.believed()
    }

    /// Whether the store's record says emergency.
    pub(crate) fn reads_emergency(&self) -> bool {
        mode_of(self.known.base()) == SystemMode::EmergencyRollback
    }

    pub(crate) fn acknowledgement(&self) -> Option<Acknowledged> {
        self.brake.and_then(|brake| brake.acknowledged)
    }

    pub(crate) fn tasks(&self) -> impl Iterator<Item = &Task> {
        self.change.iter().map(|(_, task)| task).chain(&self.brake)
    }

    /// All that it knows of or asks for.
    pub(crate) fn ids(&self) -> impl Iterator<Item = Id> {
        let sent = self.tasks().filter_map(|task| task.sent).flat_map(|sent| sent.change.ids());
        let reading = self.reading.iter().filter_map(|finding| id_of(finding.found));
        self.known.ids().chain(sent).chain(reading)
    }

    pub(crate) fn task(&self, slot: Slot) -> Option<&Task> {
        match slot {
            Slot::Change => self.change.as_ref().map(|(_, task)| task),
            Slot::Brake => self.brake.as_ref(),
        }
    }

    pub(crate) fn task_mut(&mut self, slot: Slot) -> Option<&mut Task> {
        match slot {
            Slot::Change => self.change.as_mut().map(|(_, task)| task),
            Slot::Brake => self.brake.as_mut(),
        }
    }

    pub(crate) fn sent(&self, slot: Slot) -> Option<Sent> {
        self.task(slot).and_then(|task| task.sent)
    }

    pub(crate) fn sent_mut(&mut self, slot: Slot) -> Option<&mut Sent> {
        self.task_mut(slot).and_then(|task| task.sent.as_mut())
    }

    /// Changes what is known. What is under way and rests on what was known before proves nothing from then on.
    pub(crate) fn learn(&mut self, variant: Variant, change: impl FnOnce(&mut Known)) {
        let before = self.known;
        change(&mut self.known);
        if self.known == before {
            return;
        }
        if variant != Variant::TakeInOvertakenReads {
            self.reading = None;
        }
        for slot in [Slot::Change, Slot::Brake] {
            if let Some(sent) = self.sent_mut(slot) {
                sent.overtaken = true;
            }
        }
    }

    /// Takes in that a write was stored. An emergency has to be confirmed.
    pub(crate) fn acknowledged(&mut self, slot: Slot, sent: Sent, record: Record, variant: Variant) {
        let present = !sent.overtaken && sent.change.record == record;
        let later = variant == Variant::BelieveOvertakenAnswers && record.id.epoch > self.known.epoch();
        match &mut self.brake {
            Some(brake) if slot == Slot::Brake && variant != Variant::ReleaseOnAnswer => {
                brake.sent = None;
                brake.acknowledged = Some(Acknowledged { epoch: record.id.epoch, read: false });
            }
            _ => self.end(slot),
        }
        if present || later {
            self.learn(variant, |known| known.committed(record));
        }
    }

    /// Takes in that a write met another record than expected. The task goes on.
    pub(crate) fn refused(&mut self, slot: Slot, variant: Variant) {
        if slot == Slot::Brake && variant == Variant::PersistOnce {
            self.end(slot);
        } else if let Some(task) = self.task_mut(slot) {
            task.sent = None;
        }
    }

    pub(crate) const fn end(&mut self, slot: Slot) {
        match slot {
            Slot::Change => self.change = None,
            Slot::Brake => self.brake = None,
        }
    }
}
