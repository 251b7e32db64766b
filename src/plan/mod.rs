//! [`RolloutPlan`]: a migration's steps as data.

mod error;
mod ready_made;
mod rollout_plan;
mod span;
mod step;

pub use error::PlanError;
pub use rollout_plan::{RolloutPlan, RolloutPlanBuilder};
pub use step::{Approval, Gate, OnBreach, Reversibility, Step};
