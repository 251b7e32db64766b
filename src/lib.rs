//! Replace something old while it runs: run both, compare, roll out by percentage, and roll back in an instant.
//!
//! ```
//! use cutover::{DualRunner, Equality, MemoryStore, MigrationController, SystemMode};
//!
//! # futures::executor::block_on(async {
//! let controller = MigrationController::open("price", MemoryStore::new()).await?;
//! controller.transition(SystemMode::Parallel, "ana", "first look at the new prices").await?;
//!
//! let price = DualRunner::builder("price", controller.clone()).comparator(Equality).build();
//! let answer = price.run("order-17", async { Ok::<_, String>(100) }, async { Ok(99) }).await;
//!
//! assert_eq!(answer, Ok(100)); // legacy serves; new ran beside it, disagreed, and was counted
//! assert_eq!(price.counts().mismatched, 1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # }).unwrap();
//! ```
//!
//! # What is where
//! | for | see |
//! |---|---|
//! | wrapping a call site | [`DualRunner`], [`dual`] |
//! | deciding who is served by new | [`FeatureFlag`], [`FlagSet`], [`MigrationController`], [`Router`] |
//! | saying what counts as equal | [`Comparator`], [`Equality`], [`Structural`], [`compare`] |
//! | keeping what disagreed | [`Recorder`], [`MemoryRecorder`], [`record`] |
//! | checking new against known answers | [`MigrationValidator`], [`validate`] |
//! | changing the mode, and knowing who did | [`SystemMode`], [`MigrationController`], [`StateStore`] |
//! | letting exactly one side process an item | [`Claims`] |
//! | measuring both sides | [`PerformanceMonitor`], [`monitor`] |
//! | rolling back when new breaks | [`MigrationController::emergency_rollback`], [`AutoFallback`] |
//! | moving on step by step, by evidence | [`RolloutPlan`], [`PlanDriver`], [`ParallelRun`] |
//! | rolling back, or promoting, by proof | [`Guard`], [`AutoRollback`], [`guard`] |
//! | switching several migrations at once | [`MigrationRegistry`] |
//! | keeping what is old for those who still call it | [`Deprecations`], [`AliasMap`], [`compat`] |
//! | trying a plan on modelled traffic and faults, before it runs | `simulate` (a feature) |
//! | testing all of it without sleeping | `testing` (a feature) |
//!
//! Adapters for stores, dashboards and metrics are crates of their own. The [guide] goes through all of it in chapters.
//!
//! The minimum supported Rust version is 1.85; it is never younger than a year and grows in minor releases only.

#![cfg_attr(cutover_docsrs, feature(doc_cfg))]

pub mod bucket;
pub mod clock;
pub mod compare;
pub mod compat;
pub mod control;
pub mod dual;
pub mod flag;
pub mod guard;
#[cfg(all(doc, any(not(doctest), all(feature = "testing", feature = "tokio", feature = "simulate"))))]
pub mod guide;
pub mod handover;
pub mod mode;
pub mod monitor;
pub mod observe;
pub mod plan;
pub mod random;
pub mod record;
pub mod runtime;
#[cfg(feature = "simulate")]
pub mod simulate;
pub mod stats;
pub mod store;
#[cfg(feature = "testing")]
pub mod testing;
pub mod validate;

mod contain;
mod excerpt;
mod live;
mod lock;
mod outcome;
mod percentage;
mod route;
mod stripe;
mod wire;

pub use bucket::{BucketKey, MissingKey};
pub use clock::{Clock, SystemClock};
pub use compare::{Comparator, Comparison, Equality, Structural};
pub use compat::{AliasMap, Deprecations};
pub use control::{
    AutoFallback, ChangeError, Claims, MigrationController, MigrationRegistry, MigrationStatus, Proposal,
};
pub use dual::DualRunner;
pub use flag::{Decision, FeatureFlag, FlagConfig, FlagSet};
pub use guard::{AutoRollback, Guard, PromotionCriteria, RollbackTriggers};
pub use mode::{SystemMode, TransitionError, UnknownMode};
pub use monitor::PerformanceMonitor;
pub use observe::Observer;
pub use outcome::{Outcome, Side, Verdict};
pub use percentage::{Percentage, PercentageError};
pub use plan::{ParallelRun, PlanDriver, RolloutPlan};
pub use record::{Discrepancy, MemoryRecorder, Recorder};
pub use route::{Route, Router, Shadow};
pub use runtime::{HostRuntime, Runtime};
pub use store::{MemoryStore, StateStore, StoreError};
pub use validate::MigrationValidator;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
