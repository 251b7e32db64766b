//! Migrates many systems with [`cutover`]: in which order, behind which checks, by which strategy, and back.
//!
//! Each system is a migration of the core, in a store that you have: its mode says who serves, and its audit says how far it has
//! come. So a run that was killed at any moment is gone on with from the store alone. README.md has a call site, and what to
//! expect.
//!
//! # What is where
//! | for | see |
//! |---|---|
//! | saying which systems there are, and which come first | [`Inventory`], [`Priority`] |
//! | saying how one gets its new side | [`Strategy`], [`Limits`] |
//! | saying what has to be true | [`Checklists`], [`Check`] |
//! | what you implement | [`host`]: [`Conversion`], [`Lifecycle`], [`Traffic`], [`Backups`], [`Diagnostics`] |
//! | migrating all of them | [`Fleet`], [`Settings`], [`Phase`] |
//! | migrating, taking back, decommissioning one | [`SystemMigrator`] |
//! | what happens when it fails | [`RecoveryProcedure`], [`FailureReport`], [`Escalation`] |
//! | trying it with real processes on one machine | `local` (a feature) |
//! | how it goes | [`FleetObserver`], [`Progress`], [`FleetReport`], [`Kpis`] |

#![cfg_attr(cutover_docsrs, feature(doc_cfg))]

mod call;
mod checklist;
mod context;
mod fleet;
pub mod host;
mod inventory;
mod kpi;
mod ledger;
#[cfg(all(feature = "local", target_os = "linux"))]
pub mod local;
mod migrator;
mod outcome;
mod recovery;
mod settings;
mod strategy;
mod system;
mod text;

pub use call::CallError;
pub use checklist::{
    BackupExists, Check, CheckResult, ChecklistError, Checklists, Finding, ItemResult, NoRegression, ValidationPassed,
    View, When,
};
pub use cutover::{Percentage, Side};
pub use fleet::{
    Escalation, Fleet, FleetBuilder, FleetError, FleetEvent, FleetObserver, FleetReport, Phase, PhaseReport, Progress,
    StopReason, UnknownSystem,
};
pub use host::{
    Artifact, ArtifactError, Backup, Backups, Conversion, Diagnostics, Host, HostError, Lifecycle, Traffic,
    ValidationCounts, Vitals, async_trait,
};
pub use inventory::{Inventory, InventoryData, InventoryError, PriorityRule, StrategyRule, SystemData};
pub use kpi::{Kpi, KpiFigures, KpiTargets, Kpis, Target};
pub use ledger::UnreadableEntry;
pub use migrator::{Interruption, OperateError, SystemMigrator, SystemReport};
pub use outcome::Outcome;
pub use recovery::{
    FailureKind, FailureReport, PartReport, PartResult, RecoveryPart, RecoveryProcedure, RecoveryScope, Restore,
};
pub use settings::{Deadlines, Settings};
pub use strategy::{Limits, Step, Strategy, StrategyError, StrategySpec, Watch};
pub use system::{Category, NameError, Priority, System, SystemName, UnknownPriority};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
