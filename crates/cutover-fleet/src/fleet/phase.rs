//! [`Phase`]: how far a fleet goes before somebody looks at the failures.

use cutover::Percentage;
use serde::{Deserialize, Serialize};

/// A phase of a fleet. Its systems are those after the last phase's, up to a share of all systems in the order of their turns.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::exhaustive_structs, reason = "a host makes its own")]
pub struct Phase {
    /// Its name in reports.
    pub name: String,
    /// Up to which share of the systems it goes, rounded up to whole systems; 100 % for the last phase.
    pub until: Percentage,
    /// How many systems may be blocked, rolled back or failed. With one more, nothing is begun any more, in this phase and
    /// those after it; what is under way goes to its end. A system whose *recovery* failed stops the fleet always.
    pub most_failures: u32,
    /// How many systems are migrated at once; 0 counts as 1.
    pub at_once: u32,
}

impl Phase {
    /// The usual four:
    ///
    /// | phase | systems | failures allowed | at once |
    /// |---|---|---|---|
    /// | pilot | the first 5 %, at least one | 0 | 1 |
    /// | expansion | up to 25 % | 1 | 2 |
    /// | majority | up to 75 % | 2 | 4 |
    /// | completion | all | 2 | 4 |
    #[must_use]
    pub fn four() -> Vec<Self> {
        let phase = |name: &str, percent: u32, most_failures, at_once| Self {
            name: name.to_owned(),
            until: Percentage::from_ppm(percent * 10_000).unwrap_or(Percentage::HUNDRED),
            most_failures,
            at_once,
        };
        vec![
            phase("pilot", 5, 0, 1),
            phase("expansion", 25, 1, 2),
            phase("majority", 75, 2, 4),
            phase("completion", 100, 2, 4),
        ]
    }

    /// Up to how many of `total` systems it goes.
    pub(crate) fn end(&self, total: usize) -> usize {
        let exact = (total as u128 * u128::from(self.until.ppm())).div_ceil(1_000_000);
        usize::try_from(exact).unwrap_or(total).min(total)
    }
}

/// What is wrong with the phases, if something is.
pub(crate) fn check(phases: &[Phase]) -> Result<(), String> {
    let names: std::collections::BTreeSet<&str> = phases.iter().map(|phase| phase.name.as_str()).collect();
    if names.len() < phases.len() || names.contains("") {
        return Err("each phase has a name of its own".to_owned());
    }
    let grow = phases.iter().zip(phases.iter().skip(1)).all(|(low, high)| low.until < high.until);
    let from_nothing = phases.first().is_some_and(|first| first.until > Percentage::ZERO);
    let to_all = phases.last().is_some_and(|last| last.until == Percentage::HUNDRED);
    if grow && from_nothing && to_all {
        return Ok(());
    }
    let found: Vec<String> = phases.iter().map(|phase| format!("{} {}", phase.name, phase.until)).collect();
    Err(format!("the shares grow from above 0% to 100%; found: {}", found.join(", ")))
}
