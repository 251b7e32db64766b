//! [`Present`]: what holds while a guard looks.

use crate::control::MigrationStatus;
use crate::store::Settings;

/// What holds while a guard looks: the settings and their epoch, from one snapshot.
///
/// Counts of another epoch are not judged by it.
///
/// ```
/// use cutover::guard::Present;
/// use cutover::{MemoryStore, MigrationController};
/// # futures::executor::block_on(async {
/// let controller = MigrationController::open("search", MemoryStore::new()).await?;
/// assert_eq!(Present::of(&controller.status()).epoch, 0);
/// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a host that has no controller at hand makes its own")]
pub struct Present {
    /// The epoch of the record.
    pub epoch: u64,
    /// The mode, the rollout and the shadow share in effect.
    pub settings: Settings,
}

impl Present {
    /// What a controller routes by.
    #[must_use]
    pub const fn of(status: &MigrationStatus) -> Self {
        let shadow_share = Some(status.shadow_share);
        Self { epoch: status.epoch, settings: Settings { mode: status.mode, rollout: status.rollout, shadow_share } }
    }

    /// The shadow share that is meant, whether it is set or the mode's default.
    pub(super) fn settings(&self) -> Settings {
        Settings { shadow_share: Some(self.settings.effective_shadow_share()), ..self.settings }
    }
}
