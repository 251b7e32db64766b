//! Migrates many systems with [`cutover`]: in which order, behind which checks, by which strategy, and back.

#![cfg_attr(cutover_docsrs, feature(doc_cfg))]

pub mod host;
mod system;
mod text;

pub use cutover::Side;
pub use host::{
    Artifact, ArtifactError, Backup, Backups, Conversion, Diagnostics, Host, HostError, Lifecycle, Traffic,
    ValidationCounts, Vitals, async_trait,
};
pub use system::{Category, NameError, Priority, System, SystemName, UnknownPriority};
