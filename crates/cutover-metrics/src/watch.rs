//! [`Watch`]: whom the gauges are read from.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use cutover::MigrationController;
use cutover::control::{MigrationStatus, WeakController, WeakRegistry};
use cutover::guard::GuardReport;

use crate::contain::contained;
use crate::state::State;

/// Gauges are read from what is watched until this is dropped, or until what is watched is gone; then their series end.
///
/// It keeps no controller and no registry alive. [`keep`](Self::keep) makes it last as long as the meter provider.
#[must_use = "the gauges end when it is dropped"]
pub struct Watch {
    state: Arc<State>,
    ticket: Option<u64>,
}

impl Watch {
    pub(crate) fn new(state: &Arc<State>, source: Source) -> Self {
        let ticket = Some(state.watched.add(source));
        Self { state: Arc::clone(state), ticket }
    }

    /// Watches for as long as both what is watched and the meter provider live.
    pub fn keep(mut self) {
        self.ticket = None;
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket {
            self.state.watched.remove(ticket);
        }
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch").finish_non_exhaustive()
    }
}

/// Who says how it is. A controller holds its observers, and so whatever these hold: it is not held in turn.
#[derive(Clone)]
pub(crate) enum Source {
    Controller(WeakController),
    Registry(WeakRegistry),
    Guard { migration: Arc<str>, report: Arc<dyn Fn() -> Option<GuardReport> + Send + Sync> },
}

impl Source {
    fn controllers(&self) -> Vec<MigrationController> {
        match self {
            Self::Controller(controller) => controller.upgrade().into_iter().collect(),
            Self::Registry(registry) => {
                let Some(registry) = registry.upgrade() else { return Vec::new() };
                registry.ids().iter().filter_map(|id| registry.get(id.as_str())).collect()
            }
            Self::Guard { .. } => Vec::new(),
        }
    }

    fn is_gone(&self) -> bool {
        match self {
            Self::Controller(controller) => controller.is_gone(),
            Self::Registry(registry) => registry.is_gone(),
            Self::Guard { .. } => false,
        }
    }
}

/// All who are watched.
#[derive(Default)]
pub(crate) struct Watched {
    /// Held for moments, never while foreign code runs.
    sources: Mutex<Arc<Vec<(u64, Source)>>>,
    tickets: AtomicU64,
    /// Readings that panicked.
    unread: AtomicU64,
}

impl Watched {
    fn add(&self, source: Source) -> u64 {
        let ticket = self.tickets.fetch_add(1, Ordering::Relaxed);
        self.replace(|sources| {
            sources.retain(|(_, source)| !source.is_gone());
            sources.push((ticket, source));
        });
        ticket
    }

    fn remove(&self, ticket: u64) {
        self.replace(|sources| sources.retain(|(present, _)| *present != ticket));
    }

    /// What is displaced is dropped outside of the lock: a guard's report is code of the host.
    fn replace(&self, change: impl FnOnce(&mut Vec<(u64, Source)>)) {
        let mut sources = self.lock();
        let mut after = (**sources).clone();
        change(&mut after);
        let before = std::mem::replace(&mut *sources, Arc::new(after));
        drop(sources);
        drop(before);
    }

    fn lock(&self) -> MutexGuard<'_, Arc<Vec<(u64, Source)>>> {
        self.sources.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn sources(&self) -> Arc<Vec<(u64, Source)>> {
        Arc::clone(&self.lock())
    }

    /// Reads what every controller says.
    pub(crate) fn each_status(&self, mut tell: impl FnMut(&MigrationStatus)) {
        let sources = self.sources();
        for (_, source) in sources.iter() {
            // Handles of registries and controllers may be the last ones, whose drop runs code of the host: all of it is
            // contained.
            for controller in self.read(|| source.controllers()).unwrap_or_default() {
                if let Some(status) = self.read(move || controller.status()) {
                    tell(&status);
                }
            }
        }
        self.read(move || drop(sources));
    }

    /// Reads what every guard found last, beside the migration that it guards.
    pub(crate) fn each_report(&self, mut tell: impl FnMut(&str, &GuardReport)) {
        let sources = self.sources();
        for (_, source) in sources.iter() {
            if let Source::Guard { migration, report } = source {
                if let Some(report) = self.read(|| report()).flatten() {
                    tell(migration, &report);
                }
            }
        }
        self.read(move || drop(sources));
    }

    fn read<R>(&self, foreign: impl FnOnce() -> R) -> Option<R> {
        contained(foreign).or_else(|| {
            self.unread.fetch_add(1, Ordering::Relaxed);
            None
        })
    }

    pub(crate) fn unread(&self) -> u64 {
        self.unread.load(Ordering::Relaxed)
    }
}
