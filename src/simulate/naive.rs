//! [`Naive`]: the rule that many would write first, as a baseline for the eye.

use std::collections::VecDeque;

use super::chance::Chance;

/// "Roll back when more than 5 of the last 100 calls have failed", asked after every call.
#[derive(Debug)]
pub(super) struct Naive {
    calls: u64,
    /// The numbers of the last failed calls.
    failed: VecDeque<u64>,
}

const WINDOW: u64 = 100;
const TOO_MANY: usize = 6;

impl Naive {
    pub(super) const fn new() -> Self {
        Self { calls: 0, failed: VecDeque::new() }
    }

    /// Other settings: the window is empty.
    pub(super) fn begin_anew(&mut self) {
        self.failed.clear();
    }

    /// Takes in calls, of which `failed` have, in any order. The share of them after which the rule rolls back, from 0 to 1.
    pub(super) fn take(&mut self, calls: u64, failed: u64, chance: &mut Chance) -> Option<f64> {
        let mut places: Vec<u64> = (0..failed).map(|_| chance.below(calls)).collect();
        places.sort_unstable();
        let before = self.calls;
        self.calls += calls;
        let place = places.into_iter().find(|place| self.is_too_many(before + place))?;
        #[expect(clippy::cast_precision_loss, reason = "a share")]
        Some((place + 1) as f64 / calls as f64)
    }

    /// Whether this failed call is one too many.
    fn is_too_many(&mut self, call: u64) -> bool {
        self.failed.push_back(call);
        if self.failed.len() > TOO_MANY {
            self.failed.pop_front();
        }
        let first = self.failed.front().copied().unwrap_or(call);
        self.failed.len() == TOO_MANY && call - first < WINDOW
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn six_failures_in_a_hundred_calls_are_too_many() {
        let mut chance = Chance::new(1);
        let mut naive = Naive::new();
        assert_eq!(naive.take(100, 5, &mut chance), None);
        assert_eq!(naive.take(0, 0, &mut chance), None);
        naive.begin_anew();
        assert_eq!((0..20).find_map(|_| naive.take(25, 1, &mut chance)), None, "never six in a hundred");
        let share = naive.take(100, 50, &mut chance).unwrap();
        assert!(share < 0.3, "{share}");
    }
}
