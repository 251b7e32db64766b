//! Plans that are ready to be followed.

use std::time::Duration;

use super::{OnBreach, Reversibility, RolloutPlan, Step};
use crate::Percentage;
use crate::guard::Criterion;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const WEEK: Duration = Duration::from_secs(7 * 24 * 60 * 60);

impl RolloutPlan {
    /// A day in `Parallel`, then 10, 25, 50 and 75 % of the keys for a week each, and then new alone for a week.
    ///
    /// Every step has to prove throughput and latency, and the first one validation. The last one has to be approved by a
    /// person. It can be rolled back, like every step before it.
    ///
    /// ```
    /// let plan = cutover::RolloutPlan::five_week_ramp();
    /// let rollouts: Vec<f64> = plan.steps().iter().map(|step| step.settings().rollout.percent()).collect();
    /// assert_eq!(rollouts, [0.0, 10.0, 25.0, 50.0, 75.0, 100.0]);
    /// ```
    #[must_use]
    pub fn five_week_ramp() -> Self {
        let week = |name: &str, percent| gradual(name, percent).hold(WEEK);
        let steps = vec![
            Step::parallel("parallel").hold(DAY),
            week("week-1", 10),
            week("week-2", 25),
            week("week-3", 50).reversibility(Reversibility::Feasible),
            week("week-4", 75).reversibility(Reversibility::Feasible),
            Step::new_only("week-5").hold(WEEK).approved_by_a_person().reversibility(Reversibility::Difficult),
        ];
        Self::ready_made("five-week-ramp", steps)
    }

    /// Pilot (5 %, 3 days, easy to take back), expansion (25 %, a week, feasible), majority (75 %, a week, difficult) and
    /// completion (new alone, 3 days, forward only).
    ///
    /// During the pilot every call runs both sides, and validation has to be proven. The majority has to be approved by a
    /// person, and the completion approved and acknowledged; a breach in it asks a person.
    #[must_use]
    pub fn four_phases() -> Self {
        let all = [Criterion::Validation, Criterion::Throughput, Criterion::Latency];
        let steps = vec![
            gradual("pilot", 5).hold(3 * DAY).shadow_share(Percentage::HUNDRED).gate(all),
            gradual("expansion", 25).hold(WEEK).reversibility(Reversibility::Feasible),
            gradual("majority", 75).hold(WEEK).reversibility(Reversibility::Difficult).approved_by_a_person(),
            Step::new_only("completion")
                .hold(3 * DAY)
                .reversibility(Reversibility::ForwardOnly)
                .approved_by_a_person()
                .on_breach(OnBreach::Ask),
        ];
        Self::ready_made("four-phases", steps)
    }
}

fn gradual(name: &str, percent: u32) -> Step {
    Step::gradual(name, Percentage::saturating_from_ppm(percent * 10_000))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_plans_that_are_ready_made_keep_the_rules() {
        for plan in [RolloutPlan::five_week_ramp(), RolloutPlan::four_phases()] {
            assert_eq!(RolloutPlan::checked(plan.name().to_owned(), plan.steps().to_vec()), Ok(plan));
        }
    }
}
