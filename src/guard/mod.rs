//! [`Guard`]: says when new has regressed, and when it is proven to be good enough.

mod criteria;
mod error;
mod kind;
mod present;
mod report;
mod rules;
mod triggers;

pub use criteria::{PromotionCriteria, PromotionCriteriaBuilder};
pub use error::GuardError;
pub use kind::{Action, Criterion, GuardVerdict, Trigger};
pub use present::Present;
pub use report::{Control, CriterionReport, GuardReport, Hold, Note, Proof, RelativeReport, Strength, TriggerReport};
pub use triggers::{CallsToFalseAlarm, RollbackTriggers, RollbackTriggersBuilder, TriggerRule};
