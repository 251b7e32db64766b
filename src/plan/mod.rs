//! [`RolloutPlan`]: a migration's steps as data; [`decide`]: what comes next, by what is seen.

mod decision;
mod error;
mod look;
mod progress;
mod ready_made;
mod rollout_plan;
mod span;
mod step;

pub use decision::{Decision, Need, decide};
pub use error::PlanError;
pub use look::{Look, Readiness, StoreView};
pub use progress::{PlanEnd, Progress, Stop};
pub use rollout_plan::{RolloutPlan, RolloutPlanBuilder};
pub use step::{Approval, Gate, OnBreach, Reversibility, Step};
