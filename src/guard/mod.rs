//! [`Guard`]: says when new has regressed, and when it is proven to be good enough.

mod actions;
mod criteria;
mod display;
mod error;
mod figures;
mod findings;
mod judge;
mod kind;
mod look;
mod phase;
mod present;
mod report;
mod rules;
mod stream;
mod tally;
mod triggers;

pub use criteria::{PromotionCriteria, PromotionCriteriaBuilder};
pub use error::GuardError;
pub use kind::{Action, Criterion, GuardVerdict, Trigger};
pub use look::Guard;
pub use present::Present;
pub use report::{Control, CriterionReport, GuardReport, Hold, Note, Proof, RelativeReport, Strength, TriggerReport};
pub use triggers::{CallsToFalseAlarm, RollbackTriggers, RollbackTriggersBuilder, TriggerRule};
