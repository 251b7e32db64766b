//! [`Actions`]: how often a guard acts by itself, and what it does not forget.

use std::collections::VecDeque;
use std::time::Duration;

use super::{Action, Note, Trigger};
use crate::clock::Instant;

/// How often a guard acts by itself.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    pub(super) cool_down: Duration,
    pub(super) rollbacks: u32,
    pub(super) window: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self { cool_down: Duration::from_secs(600), rollbacks: 3, window: Duration::from_secs(24 * 60 * 60) }
    }
}

/// What was asked for, in this phase and before.
#[derive(Debug, Clone, Default)]
pub(super) struct Actions {
    pub(super) pace: Pace,
    /// What is asked for in this phase.
    asked: Option<Action>,
    /// When rollbacks were asked for.
    rollbacks: VecDeque<Instant>,
    /// The triggers of earlier phases that nobody has answered.
    held: Vec<Trigger>,
}

impl Actions {
    /// What to ask for, now that the triggers of this phase want `wanted`. What was asked for stays, until the next phase.
    pub(super) fn ask(&mut self, wanted: Option<Action>, now: Instant) -> Option<Action> {
        if wanted <= self.asked {
            return self.asked;
        }
        self.asked = match wanted {
            Some(Action::Rollback) if self.is_spent(now) => Some(Action::Freeze),
            Some(Action::Rollback) => {
                self.rollbacks.push_back(now);
                wanted
            }
            other => other,
        };
        self.asked
    }

    fn is_spent(&mut self, now: Instant) -> bool {
        let Pace { window, rollbacks, .. } = self.pace;
        while self.rollbacks.front().is_some_and(|first| now.since(*first) >= window) {
            self.rollbacks.pop_front();
        }
        self.rollbacks.len() >= usize::try_from(rollbacks).unwrap_or(usize::MAX)
    }

    /// Another phase. What led to a rollback is kept through the phase that the rollback began: it was not begun by a person.
    pub(super) fn next_phase(&mut self, regressed: impl Iterator<Item = Trigger>) {
        self.held.clear();
        if self.asked.take() == Some(Action::Rollback) {
            self.held.extend(regressed);
        }
    }

    /// Somebody has looked at what has regressed.
    pub(super) fn answered(&mut self) {
        self.held.clear();
        self.asked = None;
    }

    /// What one should know about `wanted`, and about what has been asked for.
    pub(super) fn notes(&self, wanted: Option<Action>, now: Instant) -> impl Iterator<Item = Note> {
        let Pace { cool_down, window, .. } = self.pace;
        let spent = (wanted > self.asked).then(|| Note::ActionsSpent {
            actions: u32::try_from(self.rollbacks.len()).unwrap_or(u32::MAX),
            seconds: window.as_secs(),
        });
        let left = self.rollbacks.back().map(|last| cool_down.saturating_sub(now.since(*last)));
        let cooling = left.filter(|left| !left.is_zero());
        let cooling = cooling.map(|left| Note::CoolingDown { seconds: left.as_secs().max(1) });
        let held = self.held.iter().map(|trigger| Note::Held { trigger: *trigger });
        spent.into_iter().chain(cooling).chain(held)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Instant {
        Instant::from_nanos(seconds * 1_000_000_000)
    }

    #[test]
    fn what_was_asked_for_stays_and_grows_within_a_phase() {
        let mut actions = Actions::default();
        let asked = [None, Some(Action::Ask), None, Some(Action::Rollback), Some(Action::Warn)];
        let answers = asked.map(|wanted| actions.ask(wanted, at(1)));
        let (ask, rollback) = (Some(Action::Ask), Some(Action::Rollback));
        assert_eq!(answers, [None, ask, ask, rollback, rollback]);
        assert_eq!(actions.rollbacks.len(), 1);
    }

    #[test]
    fn the_first_rollback_beyond_the_number_freezes_until_the_window_has_passed() {
        let pace = Pace { rollbacks: 2, window: Duration::from_secs(100), ..Pace::default() };
        let mut actions = Actions { pace, ..Actions::default() };
        let rollback = Some(Action::Rollback);
        for second in [0, 10] {
            assert_eq!(actions.ask(rollback, at(second)), rollback);
            actions.next_phase([Trigger::P95].into_iter());
        }
        assert_eq!(actions.ask(rollback, at(20)), Some(Action::Freeze));
        assert_eq!(actions.notes(rollback, at(20)).next(), Some(Note::ActionsSpent { actions: 2, seconds: 100 }));
        assert_eq!(actions.ask(rollback, at(99)), Some(Action::Freeze));
        assert_eq!(actions.ask(rollback, at(100)), rollback);
    }

    #[test]
    fn nothing_is_held_after_a_phase_that_a_person_began() {
        let mut actions = Actions::default();
        actions.ask(Some(Action::Rollback), at(0));
        actions.next_phase([Trigger::P95].into_iter());
        assert_eq!(actions.held, [Trigger::P95]);
        actions.next_phase(std::iter::empty());
        assert_eq!(actions.held, []);
        actions.ask(Some(Action::Freeze), at(0));
        actions.next_phase([Trigger::P95].into_iter());
        assert_eq!(actions.held, [], "whoever changes what is frozen is a person");
    }
}
