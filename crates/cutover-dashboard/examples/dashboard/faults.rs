//! What is wrong with new.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

/// The faults that are injected now; all of the new sides share them.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    slow: AtomicBool,
    fails: AtomicBool,
    differs: AtomicBool,
    calls: AtomicU64,
}

/// A fault to inject.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Fault {
    /// New takes five times as long.
    Slow,
    /// New fails in 10 % of its calls.
    Fails,
    /// New answers differently.
    Differs,
    /// All is well again.
    Heal,
}

impl Faults {
    pub(crate) fn inject(&self, fault: Fault) {
        match fault {
            Fault::Slow => self.slow.store(true, Ordering::Relaxed),
            Fault::Fails => self.fails.store(true, Ordering::Relaxed),
            Fault::Differs => self.differs.store(true, Ordering::Relaxed),
            Fault::Heal => {
                for fault in [&self.slow, &self.fails, &self.differs] {
                    fault.store(false, Ordering::Relaxed);
                }
            }
        }
    }

    pub(crate) fn differs(&self) -> bool {
        self.differs.load(Ordering::Relaxed)
    }

    /// How long new takes that would take `usual`.
    pub(crate) fn time(&self, usual: Duration) -> Duration {
        if self.slow.load(Ordering::Relaxed) { usual * 5 } else { usual }
    }

    /// Whether this call of new fails.
    pub(crate) fn strikes(&self) -> bool {
        self.fails.load(Ordering::Relaxed) && self.calls.fetch_add(1, Ordering::Relaxed).is_multiple_of(10)
    }

    /// What is injected, in words.
    pub(crate) fn words(&self) -> String {
        let names =
            [(&self.slow, "new is slow"), (&self.fails, "new fails 10 %"), (&self.differs, "new answers differently")];
        let on: Vec<&str> =
            names.into_iter().filter(|(on, _)| on.load(Ordering::Relaxed)).map(|(_, name)| name).collect();
        if on.is_empty() { "nothing: new is well".to_owned() } else { on.join(", ") }
    }
}
