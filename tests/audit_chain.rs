//! The audit is a chain: what is changed, missing or cut off in it is found, and named.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::sync::{Arc, Mutex};

use cutover::control::{Doubt, VerifyError};
use cutover::store::{
    AuditEntry, AuditFault, AuditHead, AuditKey, AuditProblem, AuditVerifier, Change, ChangeKind, Expect, MigrationId,
    Record, WakeUps, async_trait,
};
use cutover::{MemoryStore, MigrationController, Percentage, StateStore, StoreError, SystemMode};
use proptest::prelude::*;

type Tampering = Box<dyn Fn(Vec<AuditEntry>) -> Vec<AuditEntry> + Send>;
type Loading = Box<dyn FnMut(Option<Record>) -> Option<Record> + Send>;

/// A store whose audit or record somebody has edited.
#[derive(Clone)]
struct Tampered {
    store: MemoryStore,
    tampering: Arc<Mutex<Option<Tampering>>>,
    loading: Arc<Mutex<Option<Loading>>>,
}

impl Tampered {
    fn new() -> Self {
        Self { store: MemoryStore::new(), tampering: Arc::default(), loading: Arc::default() }
    }

    /// From now on a load answers with what `loading` makes of the record.
    fn loads(&self, loading: impl FnMut(Option<Record>) -> Option<Record> + Send + 'static) {
        *self.loading.lock().unwrap() = Some(Box::new(loading));
    }

    fn by(&self, tampering: impl Fn(Vec<AuditEntry>) -> Vec<AuditEntry> + Send + 'static) {
        *self.tampering.lock().unwrap() = Some(Box::new(tampering));
    }
}

#[async_trait]
impl StateStore for Tampered {
    async fn load(&self, id: &MigrationId) -> Result<Option<Record>, StoreError> {
        let record = self.store.load(id).await?;
        Ok(match &mut *self.loading.lock().unwrap() {
            Some(loading) => loading(record),
            None => record,
        })
    }

    async fn compare_and_swap(&self, id: &MigrationId, expect: Expect, change: &Change) -> Result<Record, StoreError> {
        self.store.compare_and_swap(id, expect, change).await
    }

    async fn history(&self, id: &MigrationId, after: u64, limit: usize) -> Result<Vec<AuditEntry>, StoreError> {
        let all = self.store.history(id, 0, usize::MAX).await?;
        let tampering = self.tampering.lock().unwrap();
        let all = tampering.iter().fold(all, |all, tampering| tampering(all));
        Ok(all.into_iter().filter(|entry| entry.epoch > after).take(limit).collect())
    }

    async fn watch(&self, _: &MigrationId) -> Result<Option<WakeUps>, StoreError> {
        Ok(None)
    }
}

fn key(secret: &str) -> AuditKey {
    AuditKey::new(secret.as_bytes()).unwrap()
}

async fn opened(store: &Tampered, secret: Option<&str>) -> MigrationController {
    let builder = MigrationController::builder("search", store.clone()).manual_refresh();
    let builder = secret.map_or_else(
        || MigrationController::builder("search", store.clone()).manual_refresh(),
        |secret| builder.audit_key(key(secret)),
    );
    builder.open().await.unwrap()
}

/// `length` changes.
async fn changed(controller: &MigrationController, length: u32) {
    controller.transition(SystemMode::GradualRollout, "ana", "they agree").await.unwrap();
    for step in 1..length {
        let rollout = Percentage::from_ppm(step).unwrap();
        controller.set_rollout(rollout, "ana", "a little more").await.unwrap();
    }
}

fn fault(result: Result<AuditHead, VerifyError>) -> (u64, AuditProblem) {
    match result {
        Err(VerifyError::Fault(AuditFault { epoch, problem, .. })) => (epoch, problem),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn what_was_written_is_sound_page_after_page() {
    let store = Tampered::new();
    for secret in [None, Some("a secret of some length")] {
        let store = if secret.is_some() { Tampered::new() } else { store.clone() };
        let controller = opened(&store, secret).await;
        assert_eq!(controller.verify().await.unwrap(), AuditHead::default(), "an empty audit");
        changed(&controller, 450).await;
        let head = controller.verify().await.unwrap();
        assert_eq!(head.epoch, 450);
        controller.set_rollout(Percentage::HUNDRED, "ana", "all").await.unwrap();
        assert_eq!(controller.verify_against(&head).await.unwrap().epoch, 451);
    }
}

#[tokio::test]
async fn an_entry_that_was_edited_removed_or_moved_is_named() {
    let store = Tampered::new();
    let controller = opened(&store, None).await;
    changed(&controller, 9).await;
    store.by(|mut all| {
        all[3].reason = "nothing to see".parse().unwrap();
        all
    });
    assert_eq!(fault(controller.verify().await), (4, AuditProblem::Altered));
    store.by(|mut all| {
        all.remove(6);
        all
    });
    assert_eq!(fault(controller.verify().await), (7, AuditProblem::Missing));
    store.by(|mut all| {
        all.swap(1, 2);
        all
    });
    assert_eq!(fault(controller.verify().await), (2, AuditProblem::Missing));
    store.by(|all| all[..5].to_vec());
    assert_eq!(fault(controller.verify().await), (6, AuditProblem::Missing));
    store.by(|mut all| {
        all[8].format = 99;
        all
    });
    assert_eq!(fault(controller.verify().await), (9, AuditProblem::UnknownFormat));
}

#[tokio::test]
async fn an_entry_of_an_unknown_kind_is_not_called_altered() {
    let store = Tampered::new();
    let controller = opened(&store, None).await;
    changed(&controller, 3).await;
    store.by(|all| {
        let json = all[1].to_json().unwrap().replace(r#""kind":"rollout""#, r#""kind":"barrier""#);
        let newer = AuditEntry::from_json(json.as_bytes()).unwrap();
        assert_eq!(newer.kind, ChangeKind::Other);
        vec![all[0].clone(), newer, all[2].clone()]
    });
    assert_eq!(fault(controller.verify().await), (2, AuditProblem::UnknownFormat));
}

#[tokio::test]
async fn an_entry_after_that_of_the_record_is_named() {
    let store = Tampered::new();
    let operator = opened(&store, None).await;
    changed(&operator, 3).await;
    let third = store.store.load(&"search".parse().unwrap()).await.unwrap();
    changed_more(&operator, 2).await;
    for (record, first_unrecorded) in [(None, 1), (third, 4)] {
        store.loads(move |_| record.clone());
        let fresh = opened(&store, None).await;
        assert_eq!(fault(fresh.verify().await), (first_unrecorded, AuditProblem::Unrecorded));
        assert_eq!(fault(operator.verify().await), (first_unrecorded, AuditProblem::Unrecorded));
    }
}

#[tokio::test]
async fn a_record_that_others_change_meanwhile_is_no_fault() {
    let store = Tampered::new();
    let operator = opened(&store, None).await;
    changed(&operator, 3).await;
    let third = store.store.load(&"search".parse().unwrap()).await.unwrap();
    for before in [None, third] {
        let fresh = opened(&store, None).await;
        changed_more(&operator, 2).await;
        let mut first = Some(before);
        store.loads(move |record| first.take().unwrap_or(record));
        let head = fresh.verify().await.unwrap();
        assert_eq!(Some(head.epoch), store.store.load(&"search".parse().unwrap()).await.unwrap().map(|now| now.epoch));
    }
}

#[tokio::test]
async fn an_end_that_was_cut_off_and_written_anew_is_found_by_a_head_kept_elsewhere() {
    let store = Tampered::new();
    let controller = opened(&store, None).await;
    changed(&controller, 5).await;
    let kept = controller.verify().await.unwrap();
    // Somebody rebuilds everything, and this process has never seen the first version.
    let rebuilt = Tampered::new();
    let author = opened(&rebuilt, None).await;
    changed(&author, 3).await;
    let fresh = opened(&rebuilt, None).await;
    assert_eq!(fresh.verify().await.unwrap().epoch, 3, "sound in itself");
    assert_eq!(fault(fresh.verify_against(&kept).await), (4, AuditProblem::Missing));
    changed_more(&author, 4).await;
    assert_eq!(fault(fresh.verify_against(&kept).await), (5, AuditProblem::Replaced));
}

#[tokio::test]
async fn an_audit_that_was_written_anew_is_found_by_whoever_knows_the_end_of_the_first_one() {
    for (length, expected) in [(6, (5, AuditProblem::Replaced)), (3, (4, AuditProblem::Missing))] {
        let store = Tampered::new();
        let controller = opened(&store, None).await;
        changed(&controller, 5).await;
        let rebuilt = MemoryStore::new();
        changed(&MigrationController::open("search", rebuilt.clone()).await.unwrap(), length).await;
        let id = "search".parse().unwrap();
        let (record, audit) = (rebuilt.load(&id).await.unwrap(), rebuilt.history(&id, 0, 10).await.unwrap());
        store.loads(move |_| record.clone());
        store.by(move |_| audit.clone());
        assert_eq!(fault(controller.verify().await), expected);
        assert_eq!(fault(controller.verify_against(&AuditHead::default()).await), expected);
        assert_eq!(opened(&store, None).await.verify().await.unwrap().epoch, u64::from(length), "sound in itself");
    }
}

async fn changed_more(controller: &MigrationController, times: u32) {
    for step in 0..times {
        let rollout = Percentage::from_ppm(500_000 + step).unwrap();
        controller.set_rollout(rollout, "eve", "rebuilt").await.unwrap();
    }
}

#[tokio::test]
async fn with_a_key_nobody_else_can_write_an_entry() {
    let store = Tampered::new();
    let ours = opened(&store, Some("the secret of the operators")).await;
    changed(&ours, 3).await;
    let theirs = opened(&store, Some("another secret, also long")).await;
    assert_eq!(fault(theirs.verify().await), (1, AuditProblem::Altered));
    changed_more(&theirs, 1).await;
    assert_eq!(fault(ours.verify().await), (4, AuditProblem::Altered));
}

#[tokio::test]
async fn the_entries_of_one_migration_are_none_of_another() {
    let (one, other) = (key("the secret of the operators"), key("the secret of the operators"));
    let store = MemoryStore::new();
    let builder = MigrationController::builder("search", store.clone()).audit_key(one.clone());
    builder.open().await.unwrap().transition(SystemMode::Parallel, "ana", "go").await.unwrap();
    let entries = store.history(&"search".parse().unwrap(), 0, 1).await.unwrap();
    let follow = |id: &str| AuditVerifier::with_key(other.of(&id.parse().unwrap())).follow(&entries[0]);
    assert_eq!(follow("search"), Ok(()));
    assert!(follow("billing").is_err());
}

#[tokio::test]
async fn a_record_without_its_entry_is_doubted_until_somebody_settles_it() {
    let store = Tampered::new();
    changed(&opened(&store, None).await, 4).await;
    store.by(|all| all[..2].to_vec());
    let controller = opened(&store, None).await;
    assert_eq!(controller.status().doubt, Some(Doubt::AuditGap { known_epoch: 4 }));
    let promoted = controller.transition(SystemMode::NewOnly, "ana", "go on").await;
    assert!(promoted.unwrap_err().to_string().contains("reconcile"), "nothing is exposed more");
    controller.transition(SystemMode::Parallel, "ana", "back").await.unwrap();
}

proptest! {
    /// Any byte of what an entry says matters.
    #[test]
    fn no_entry_says_something_else_with_the_same_hash(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let entry = futures::executor::block_on(async {
            let store = MemoryStore::new();
            let controller = MigrationController::open("search", store.clone()).await.unwrap();
            changed(&controller, 2).await;
            store.history(&"search".parse().unwrap(), 0, 2).await.unwrap()
        });
        let mut json = entry[0].to_json().unwrap().into_bytes();
        let at = at.index(json.len());
        json[at] = byte;
        if let Ok(read) = AuditEntry::from_json(&json) {
            let sound = AuditVerifier::new().follow(&read).is_ok();
            prop_assert_eq!(sound, read == entry[0]);
        }
    }
}

type Alteration = fn(&mut AuditEntry);

/// What an entry says, one part at a time, changed to something else.
const ALTERATIONS: [(&str, Alteration); 14] = [
    ("etag", |entry| entry.etag ^= 1),
    ("at", |entry| entry.at += std::time::Duration::from_millis(1)),
    ("actor", |entry| entry.actor = "eve".parse().unwrap()),
    ("reason", |entry| entry.reason = "another".parse().unwrap()),
    ("op_id", |entry| entry.op_id ^= 1),
    ("kind", |entry| entry.kind = ChangeKind::Reconciliation),
    ("no before", |entry| entry.before = None),
    ("mode before", |entry| entry.before.as_mut().unwrap().mode = SystemMode::NewOnly),
    ("mode", |entry| entry.after.mode = SystemMode::NewOnly),
    ("rollout", |entry| entry.after.rollout = Percentage::from_ppm(1).unwrap()),
    ("shadow share", |entry| entry.after.shadow_share = Some(Percentage::ZERO)),
    ("evidence", |entry| entry.evidence = Some(serde_json::json!(1))),
    ("settles", |entry| entry.settles += 1),
    ("format", |entry| entry.format = 0),
];

#[tokio::test]
async fn the_hash_covers_every_part_of_an_entry() {
    let store = MemoryStore::new();
    let controller = MigrationController::open("search", store.clone()).await.unwrap();
    controller.transition(SystemMode::Parallel, "ana", "first look").await.unwrap();
    controller.transition(SystemMode::GradualRollout, "ana", "roll out").await.unwrap();
    let entries = store.history(&"search".parse().unwrap(), 0, 10).await.unwrap();
    let mut verifier = AuditVerifier::new();
    verifier.follow(&entries[0]).unwrap();
    for (part, alter) in ALTERATIONS {
        let mut altered = entries[1].clone();
        alter(&mut altered);
        assert_eq!(verifier.clone().follow(&altered), Err(AuditFault::new(2, AuditProblem::Altered)), "{part}");
    }
    verifier.follow(&entries[1]).unwrap();
}
