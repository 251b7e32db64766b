//! Sixteen processes see the same breach at once: one emergency is stored.

use cutover::store::StateStore;
use cutover::{MigrationController, SystemMode};
use futures::future::{join_all, try_join_all};

use crate::Failure;
use crate::address::Address;

/// How many detectors.
const DETECTORS: u32 = 16;

/// The most and the fewest audit entries that one emergency of 16 detectors made.
///
/// # Errors
/// When the store fails.
pub async fn detect(address: &Address, rounds: u32) -> Result<(usize, usize), Failure> {
    let mut entries = Vec::new();
    for round in 0..rounds {
        let id = format!("detected-{round}");
        let store = address.connect().await?;
        let operator = MigrationController::builder(&id, store.clone()).manual_refresh().open().await?;
        operator.transition(SystemMode::GradualRollout, "ana", "begin").await?;
        let before = store.history(&id.parse()?, 0, 100).await?.len();
        let open = |_| MigrationController::builder(&id, store.clone()).manual_refresh().open();
        let detectors = try_join_all((0..DETECTORS).map(open)).await?;
        let pulled =
            detectors.iter().map(|detector| tokio::spawn(detector.emergency_rollback("guard", "errors above 5 %")));
        join_all(pulled).await;
        entries.push(store.history(&id.parse()?, 0, 100).await?.len() - before);
    }
    Ok((entries.iter().copied().max().unwrap_or_default(), entries.iter().copied().min().unwrap_or_default()))
}
