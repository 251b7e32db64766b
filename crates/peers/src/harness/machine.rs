//! The machine, as a report may say it.

use serde::{Deserialize, Serialize};
use sysinfo::{CpuRefreshKind, RefreshKind, System};

/// Nothing in it says whose machine it is.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Machine {
    /// The processor's model.
    pub cpu: String,
    /// Threads that run at once.
    pub cores: usize,
    /// The operating system and its processor architecture.
    pub system: String,
    /// The compiler.
    pub rustc: String,
}

impl Machine {
    /// This one.
    #[must_use]
    pub fn this() -> Self {
        let asked = RefreshKind::nothing().with_cpu(CpuRefreshKind::nothing());
        let system = System::new_with_specifics(asked).ok();
        let cpus = system.as_ref().map(System::cpus).unwrap_or_default();
        Self {
            cpu: cpus.first().map_or("an unknown processor", |cpu| cpu.brand().trim()).to_owned(),
            cores: cpus.len(),
            system: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
            rustc: rustc_version_runtime::version().to_string(),
        }
    }
}
