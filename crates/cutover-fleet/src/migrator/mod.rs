//! [`SystemMigrator`]: migrates one system.

mod drive;
mod interruption;
mod journal;
mod operate;
mod perform;
mod recover;
mod report;
mod vigil;
mod watch;

pub use interruption::Interruption;
pub use operate::OperateError;
pub use report::SystemReport;

use std::fmt;
use std::sync::Arc;

use crate::context::Context;
use crate::inventory::Entry;
use crate::system::System;
use journal::Journal;

/// Migrates one system: checks, converts, validates, deploys by its [strategy](crate::Strategy), watches, and goes back when
/// something is wrong.
///
/// The system is a migration of the core: its [mode](cutover::SystemMode) in the store says who serves, and its audit says
/// how far it has come. Before each step it is written down that it begins, and after it that it is done, with what it has
/// found. So a process that takes over, or the same one after a crash, goes on from the store alone; a step whose end is not
/// written down is repeated. What is written down comes first and traffic follows: a record never says less than what
/// happened.
///
/// - One runner at a time works at a system: it holds a [claim](cutover::Claims), and stops when it has lost it. One that has
///   gone is waited for, as long as its [lease](crate::Settings::lease).
/// - An emergency rollback of the migration, by anybody and from anywhere, ends it: the runner sees it at its next step or
///   look, and recovers the system. That holds after the migration too, until legacy is decommissioned.
/// - Settings that others change while it is under way stop it. They are not changed back. Nor is a system called migrated
///   while its mode, changed by others after the migration, is another than new-only.
/// - A system that was rolled back is not tried again before a person says so.
///
/// Its futures may be dropped at any time.
#[derive(Clone)]
pub struct SystemMigrator {
    context: Arc<Context>,
    entry: Arc<Entry>,
}

impl SystemMigrator {
    pub(crate) fn new(context: &Arc<Context>, entry: &Entry) -> Self {
        Self { context: Arc::clone(context), entry: Arc::new(entry.clone()) }
    }

    /// The system.
    #[must_use]
    pub fn system(&self) -> &System {
        &self.entry.system
    }

    /// Migrates the system, or goes on where the last run stopped. It returns when there is nothing left to do without a
    /// person, and the report says where the system stands then: also when it could not go on, it is no error.
    ///
    /// A system that is [blocked](crate::Outcome::Blocked) is tried again, from the beginning. One that was rolled back is
    /// not, and wants a [retry](Self::retry).
    pub async fn migrate(&self) -> SystemReport {
        let mut journal = match self.journal().await {
            Ok(journal) => journal,
            Err(interruption) => return SystemReport::unread(&self.entry, &interruption),
        };
        let interrupted = self.drive(&mut journal).await.err();
        journal.close().await;
        SystemReport::of(&self.entry, &journal.ledger, interrupted.as_ref())
    }

    /// Where the system stands, by the store. It changes nothing.
    pub async fn report(&self) -> SystemReport {
        let mut journal = match self.journal().await {
            Ok(journal) => journal,
            Err(interruption) => return SystemReport::unread(&self.entry, &interruption),
        };
        let interrupted = journal.read().await.err();
        SystemReport::of(&self.entry, &journal.ledger, interrupted.as_ref())
    }

    async fn journal(&self) -> Result<Journal, Interruption> {
        Journal::open(&self.context, &self.entry.system.name).await
    }
}

impl fmt::Debug for SystemMigrator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Entry { system, strategy } = &*self.entry;
        f.debug_struct("SystemMigrator")
            .field("system", &system.name)
            .field("strategy", strategy)
            .finish_non_exhaustive()
    }
}
