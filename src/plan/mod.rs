//! [`RolloutPlan`]: a migration's steps as data; [`decide`]: what comes next, by what is seen; [`PlanDriver`]: follows a plan.

mod decision;
mod driver;
mod error;
mod judge;
mod look;
mod parallel_run;
mod progress;
mod ready_made;
mod rollout_plan;
pub(crate) mod span;
mod step;

pub use decision::{Decision, Need, decide};
pub use driver::{OperateError, PlanDriver, PlanReport};
pub use error::PlanError;
pub use judge::Judge;
pub use look::{Look, Readiness, StoreView};
pub use parallel_run::{ParallelEnd, ParallelError, ParallelReport, ParallelRun};
#[cfg(feature = "simulate")]
pub(crate) use progress::{Event, evidence};
pub use progress::{PlanEnd, Progress, Stop};
pub use rollout_plan::{RolloutPlan, RolloutPlanBuilder};
pub use step::{Approval, Gate, OnBreach, Reversibility, Step};
