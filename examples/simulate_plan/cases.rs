//! The plans, and what they meet.

use std::error::Error;
use std::time::Duration;

use cutover::plan::Step;
use cutover::simulate::{Drift, Fault, Keys, Model};
use cutover::{Percentage, RolloutPlan};

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(86_400);

/// One thing that may happen to every plan.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) model: Model,
    /// Where nothing is found, nothing is late: a look every ten minutes shows the same and is sooner done.
    pub(crate) look_every: Duration,
}

pub(crate) fn plans() -> Result<[RolloutPlan; 3], Box<dyn Error>> {
    Ok([RolloutPlan::five_week_ramp(), RolloutPlan::four_phases(), one_day()?])
}

/// Two hours of comparison, four hours at a quarter, and then everybody.
fn one_day() -> Result<RolloutPlan, Box<dyn Error>> {
    let plan = RolloutPlan::builder("one-day")
        .step(Step::parallel("compare").hold(2 * HOUR))
        .step(Step::gradual("quarter", Percentage::new(25.0)?).hold(4 * HOUR))
        .step(Step::new_only("everybody").hold(18 * HOUR));
    Ok(plan.build()?)
}

pub(crate) fn all() -> Result<Vec<Case>, Box<dyn Error>> {
    let quarter = Fault::at_rollout(Percentage::new(25.0)?);
    let model = Model {
        calls_per_second: 30.0,
        daily_swing: 0.6,
        keys: Keys { count: 20_000, zipf: 0.6, bad: 0.002, ..Keys::default() },
        drift: Drift { failures: 0.5, durations: 0.2, ..Drift::default() },
        ..Model::default()
    };
    let breaks = |name, fault| Case { name, model: Model { faults: vec![fault], ..model.clone() }, look_every: MINUTE };
    let below = Model { faults: vec![Fault { failure_rate: 0.03, ..quarter }], ..model.clone() };
    Ok(vec![
        Case { name: "nothing breaks", model: model.clone(), look_every: 10 * MINUTE },
        breaks("20 % fail at 25 %", Fault { failure_rate: 0.2, ..quarter }),
        breaks("8 % fail at 25 %", Fault { failure_rate: 0.08, ..quarter }),
        breaks("3x slower at 25 %", Fault { latency_factor: 3.0, ..quarter }),
        breaks("half wrong early", Fault { mismatch_rate: 0.5, ..Fault::after(10 * MINUTE) }),
        Case { name: "3 % fail at 25 %", model: below, look_every: 10 * MINUTE },
        breaks("30 % hang, day 3", Fault { hang_rate: 0.3, ..Fault::after(3 * DAY) }),
    ])
}
