//! What the tests of the store share.

use std::time::{Duration, UNIX_EPOCH};

use cutover::store::{Author, Change, ChangeKind, Expect, MigrationId, Record, Settings, Stamp};
use cutover::{Percentage, StateStore, StoreError, SystemMode};

pub(crate) fn id() -> MigrationId {
    "search".parse().unwrap()
}

/// The change of the operation `op_id` that follows `before`.
pub(crate) fn change(before: Option<&Record>, op_id: u128) -> Change {
    let rollout = Percentage::from_ppm(u32::try_from(op_id % 1_000_000).unwrap()).unwrap();
    let after = Settings { mode: SystemMode::GradualRollout, rollout, shadow_share: None };
    let stamp = Stamp { at: UNIX_EPOCH + Duration::from_millis(1_234), etag: op_id ^ 0xe7a6, op_id };
    Change::new(before, after, ChangeKind::Rollout, Author::new("ana", "test").unwrap(), stamp)
}

/// Stores the change of `op_id` after whatever is there, once.
pub(crate) async fn advance(store: &impl StateStore, op_id: u128) -> Result<Record, StoreError> {
    let before = store.load(&id()).await?;
    store.compare_and_swap(&id(), Expect::of(before.as_ref()), &change(before.as_ref(), op_id)).await
}
