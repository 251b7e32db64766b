//! [`Scope`]: how far a model is explored.

use cutover::SystemMode;

use super::decide::Wish;
use super::state::Budget;
use super::variant::Variant;

/// The bounds of one model, and the variant of the protocol that it explores.
#[derive(Debug, Clone)]
pub(crate) struct Scope {
    pub(crate) variant: Variant,
    pub(crate) budget: Budget,
    /// Whether others may act between what a read finds and its arrival.
    pub(crate) slow_reads: bool,
    /// The modes in which the migration may stand at the beginning; `None` is an empty store.
    pub(crate) begins: &'static [Option<SystemMode>],
    /// What operators may want.
    pub(crate) wishes: &'static [Wish],
}

/// An empty store, and each mode.
pub(crate) const ANYWHERE: &[Option<SystemMode>] = &[
    None,
    Some(SystemMode::LegacyOnly),
    Some(SystemMode::Parallel),
    Some(SystemMode::GradualRollout),
    Some(SystemMode::NewOnly),
    Some(SystemMode::EmergencyRollback),
];

pub(crate) const SERVING_NEW: &[Option<SystemMode>] = &[Some(SystemMode::GradualRollout), Some(SystemMode::NewOnly)];

pub(crate) const AT_THE_ENDS: &[Option<SystemMode>] = &[Some(SystemMode::NewOnly), Some(SystemMode::EmergencyRollback)];

pub(crate) const EMPTY_OR_NEW: &[Option<SystemMode>] = &[None, Some(SystemMode::NewOnly)];

pub(crate) const NEW: &[Option<SystemMode>] = &[Some(SystemMode::NewOnly)];
