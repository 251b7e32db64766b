//! [`Simulation`]: a plan, a model, and a guard.

use std::time::Duration;

use super::error::{check, check_looks};
use super::play::Play;
use super::rates::Limits;
use super::{Model, ModelError, Played, Summary};
use crate::RolloutPlan;
use crate::guard::{Guard, Trigger};
use crate::monitor::LatencyFactors;

/// Plays a plan in a [`Model`], with the decision that live plans use and with a real guard.
///
/// ```
/// use std::time::Duration;
/// use cutover::simulate::{Fault, Model, Outcome, Simulation};
/// use cutover::plan::Step;
/// use cutover::{Percentage, RolloutPlan};
///
/// let hour = Duration::from_secs(3_600);
/// let quarter = Percentage::new(25.0)?;
/// let plan = RolloutPlan::builder("one-evening")
///     .step(Step::parallel("compare").hold(hour))
///     .step(Step::gradual("quarter", quarter).hold(hour))
///     .step(Step::new_only("all").hold(hour))
///     .build()?;
///
/// let good = Simulation::new(plan.clone(), Model::default())?.run(1);
/// assert_eq!(good.outcome, Outcome::Finished);
///
/// let faults = vec![Fault { failure_rate: 0.2, ..Fault::at_rollout(quarter) }];
/// let bad = Simulation::new(plan, Model { faults, ..Model::default() })?.run(1);
/// assert_eq!(bad.outcome, Outcome::RolledBack);
/// assert!(bad.breach.as_ref().is_some_and(|breach| breach.delay < Duration::from_secs(300)));
/// println!("{bad}");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Simulation {
    pub(super) plan: RolloutPlan,
    pub(super) model: Model,
    pub(super) guard: Guard,
    pub(super) look_every: Duration,
}

impl Simulation {
    /// With a guard that has the default triggers and criteria, and looks once a minute.
    ///
    /// # Errors
    /// [`ModelError`] names the first value that is not allowed.
    pub fn new(plan: RolloutPlan, model: Model) -> Result<Self, ModelError> {
        check(&model)?;
        let look_every = Duration::from_secs(60);
        check_looks(&model, look_every)?;
        Ok(Self { plan, model, guard: Guard::default(), look_every })
    }

    /// With that guard, which has seen nothing yet.
    #[must_use]
    pub fn guard(self, guard: Guard) -> Self {
        Self { guard, ..self }
    }

    /// With another time between two looks, in whole seconds. The shorter it is, the longer a run takes; a look costs some
    /// microseconds. The default is a minute.
    ///
    /// # Errors
    /// [`ModelError`] for a time that is not allowed, or that makes too many looks.
    pub fn look_every(self, look_every: Duration) -> Result<Self, ModelError> {
        check_looks(&self.model, look_every)?;
        Ok(Self { look_every, ..self })
    }

    /// The plan.
    #[must_use]
    pub const fn plan(&self) -> &RolloutPlan {
        &self.plan
    }

    /// The model.
    #[must_use]
    pub const fn model(&self) -> &Model {
        &self.model
    }

    /// One run. The same seed gives the same run.
    #[must_use]
    pub fn run(&self, seed: u64) -> Played {
        Play::new(self, seed).run()
    }

    /// Runs with the seeds from `seed` on.
    #[must_use]
    pub fn run_many(&self, runs: u32, seed: u64) -> Summary {
        (0..runs).map(|run| self.run(seed.wrapping_add(run.into()))).collect()
    }

    pub(super) fn limits(&self) -> Limits {
        let (triggers, criteria) = (self.guard.triggers(), self.guard.criteria());
        let promotion = 1.0 + criteria.p95_change_at_most();
        Limits::of(&self.model, LatencyFactors { p95: triggers.rule(Trigger::P95).limit, promotion })
    }
}
