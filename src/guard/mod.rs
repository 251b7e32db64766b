//! [`Guard`]: says when new has regressed, and when it is proven to be good enough.
//!
//! | for | see |
//! |---|---|
//! | when to roll back, and how often that may be wrong | [`RollbackTriggers`] |
//! | what to prove before new is promoted | [`PromotionCriteria`] |
//! | looking at what a monitor has counted | [`Guard`] |
//! | what a look has found, for people and for the audit | [`GuardReport`] |
//! | rolling back automatically, without a plan | [`AutoRollback`] |
//!
//! A fixed limit on a window is wrong sooner or later: of services that fail in 2 % of their calls, one that is looked at
//! after each call, in windows of 100 and with a limit of 5 %, is rolled back within 100,000 calls practically always. Here
//! every verdict is a proof with a known probability of being wrong, however often somebody looks, and what is not proven is
//! [`GuardVerdict::Inconclusive`]. No data, little data, a missing baseline and a monitor that is down prove nothing.

mod actions;
mod auto;
mod beside;
mod criteria;
mod display;
mod error;
mod factors;
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

pub use auto::AutoRollback;
pub use criteria::{PromotionCriteria, PromotionCriteriaBuilder};
pub use error::GuardError;
pub use kind::{Action, Criterion, GuardVerdict, Trigger};
pub use look::Guard;
pub use present::Present;
pub use report::{Control, CriterionReport, GuardReport, Hold, Note, Proof, RelativeReport, Strength, TriggerReport};
pub use triggers::{CallsToFalseAlarm, RollbackTriggers, RollbackTriggersBuilder, TriggerRule};
