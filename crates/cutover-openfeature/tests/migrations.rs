//! Promise: a migration says whether new serves the targeting key, as its mode decides, also while its store is silent.
#![expect(clippy::unwrap_used, reason = "a test")]

mod common;

use std::time::Duration;

use common::{at, boolean, client_of, context, gradual, metadata, migration, percent, reason, to};
use cutover::bucket::{BucketHasher, Domain, ppm_of};
use cutover::control::StartPolicy;
use cutover::testing::{FailingStore, Fault, VirtualRuntime};
use cutover::{MemoryStore, MigrationController, MigrationRegistry, MissingKey, SystemMode};
use cutover_openfeature::{CutoverProvider, Origin, Reason};
use futures::executor::block_on;
use open_feature::EvaluationErrorCode;
use open_feature::provider::{FeatureProvider, ProviderStatus};

fn of(controller: &MigrationController) -> CutoverProvider {
    CutoverProvider::builder().migration(controller.clone()).build().unwrap()
}

#[tokio::test]
async fn the_mode_decides_the_value_and_the_reason() {
    use SystemMode::{EmergencyRollback, LegacyOnly, NewOnly, Parallel};
    let search = migration("search").await;
    let client = client_of(of(&search)).await;
    let modes = [
        (Parallel, false, "STATIC", "1"),
        (NewOnly, true, "STATIC", "2"),
        (EmergencyRollback, false, "DISABLED", "3"),
        (LegacyOnly, false, "STATIC", "4"),
    ];
    for (mode, new, expected, epoch) in modes {
        to(&search, mode).await;
        for key in [Some("user-17"), None] {
            let details = boolean(&client, "search", key).await.unwrap();
            let variant = if new { "new" } else { "legacy" };
            assert_eq!((details.value, details.variant.as_deref()), (new, Some(variant)), "{mode} {key:?}");
            assert_eq!(reason(&details), expected, "{mode} {key:?}");
            let text = format!(r#"epoch="{epoch}" mode="{mode}" stale=false threshold=0"#);
            assert_eq!(metadata(&details), text, "{mode} {key:?}");
            let text = client.get_string_value("search", key.map(context).as_ref(), None).await;
            assert_eq!(text.as_deref(), Ok(variant));
        }
    }
}

#[tokio::test]
async fn a_gradual_rollout_splits_by_the_bucket_of_the_targeting_key() {
    let search = gradual("search", 25.0).await;
    let client = client_of(of(&search)).await;
    let hasher = BucketHasher::new("search", Domain::Rollout);
    let mut served = 0;
    for number in 0..2_000 {
        let key = format!("user-{number}");
        let bucket = hasher.bucket(&key).unwrap();
        let details = boolean(&client, "search", Some(&key)).await.unwrap();
        assert_eq!(details.value, ppm_of(bucket) < 250_000);
        assert_eq!(details.value, search.route(&key).serve == cutover::Side::New);
        assert_eq!(reason(&details), "SPLIT");
        let expected = format!(
            r#"algorithm="sip13-v1" bucket="{bucket}" bucket_ppm={} epoch="2" mode="gradual_rollout" stale=false threshold=250000"#,
            ppm_of(bucket)
        );
        assert_eq!(metadata(&details), expected);
        served += u32::from(details.value);
    }
    assert!((400..600).contains(&served), "{served}");
}

#[tokio::test]
async fn a_targeting_key_is_needed_exactly_when_the_answer_may_depend_on_it() {
    let search = gradual("search", 0.0).await;
    let client = client_of(of(&search)).await;
    let details = boolean(&client, "search", None).await.unwrap();
    assert_eq!((details.value, reason(&details).as_str()), (false, "STATIC"));
    // At 100 % too: a call without a key is served by legacy there, and one with a key by new.
    for share in [0.0001, 50.0, 100.0] {
        at(&search, share).await;
        let error = boolean(&client, "search", None).await.unwrap_err();
        assert_eq!(error.code, EvaluationErrorCode::TargetingKeyMissing, "{share}");
        assert_eq!(search.route(None::<&str>).serve, cutover::Side::Legacy);
    }
    to(&search, SystemMode::NewOnly).await;
    assert!(boolean(&client, "search", None).await.unwrap().value);
}

#[tokio::test]
async fn without_a_key_a_migration_that_draws_is_split_by_what_it_draws() {
    let store = MemoryStore::new();
    gradual_at(&MigrationController::open("search", store.clone()).await.unwrap(), 50.0).await;
    for (drawn, new) in [(0, true), (u64::MAX, false)] {
        let builder = MigrationController::builder("search", store.clone()).missing_key(MissingKey::Random);
        let search = builder.random(common::Always(drawn)).open().await.unwrap();
        let details = boolean(&client_of(of(&search)).await, "search", None).await.unwrap();
        assert_eq!((details.value, reason(&details).as_str()), (new, "SPLIT"));
        assert!(!metadata(&details).contains("bucket"), "a draw says nothing about anybody");
    }
}

#[tokio::test]
async fn an_emergency_holds_from_the_next_evaluation_on() {
    let search = gradual("search", 100.0).await;
    let client = client_of(of(&search)).await;
    assert!(boolean(&client, "search", Some("user-17")).await.unwrap().value);
    drop(search.emergency_rollback("ben", "wrong totals"));
    for key in [Some("user-17"), None] {
        let details = boolean(&client, "search", key).await.unwrap();
        assert_eq!((details.value, reason(&details).as_str()), (false, "DISABLED"));
    }
}

#[test]
fn while_the_store_is_silent_the_answer_stays_and_is_stale() {
    let runtime = VirtualRuntime::new();
    let store = FailingStore::new(MemoryStore::new(), runtime.clone());
    let builder = MigrationController::builder("search", store.clone()).runtime(runtime.clone()).clock(runtime.clock());
    let builder = builder.manual_refresh().max_staleness(Duration::from_secs(30));
    let search = runtime.run(builder.open()).unwrap();
    runtime.run(gradual_at(&search, 25.0));
    let provider = of(&search);
    let client = block_on(client_of(provider.clone()));
    let ask = |expected: &str, status: ProviderStatus| {
        let details = block_on(boolean(&client, "search", Some("user-17"))).unwrap();
        assert_eq!(details.value, search.route("user-17").serve == cutover::Side::New);
        assert_eq!(reason(&details), expected);
        assert!(metadata(&details).contains(&format!("stale={}", expected == "STALE")), "{}", metadata(&details));
        assert!(metadata(&details).contains("algorithm="));
        assert_eq!(provider.status(), status);
    };
    ask("SPLIT", ProviderStatus::Ready);
    runtime.clock().advance(Duration::from_secs(31));
    ask("STALE", ProviderStatus::STALE);
    runtime.run(search.refresh()).unwrap();
    ask("SPLIT", ProviderStatus::Ready);
    store.set_standing(Some(Fault::Unavailable));
    runtime.run(search.refresh()).unwrap_err();
    ask("STALE", ProviderStatus::STALE);
    let error = block_on(boolean(&client, "search", None)).unwrap_err();
    assert_eq!(error.code, EvaluationErrorCode::TargetingKeyMissing);

    // What this process has decided itself is certain, whatever the store.
    drop(search.emergency_rollback("ben", "wrong totals"));
    let details = block_on(boolean(&client, "search", Some("user-17"))).unwrap();
    assert_eq!((details.value, reason(&details).as_str()), (false, "DISABLED"));
    assert!(metadata(&details).contains("stale=true"));
}

async fn gradual_at(controller: &MigrationController, share: f64) {
    to(controller, SystemMode::GradualRollout).await;
    at(controller, share).await;
}

#[test]
fn a_mode_that_was_assumed_at_the_start_is_stale() {
    let runtime = VirtualRuntime::new();
    let store = FailingStore::new(MemoryStore::new(), runtime.clone());
    store.set_standing(Some(Fault::Unavailable));
    let builder = MigrationController::builder("search", store).runtime(runtime.clone()).clock(runtime.clock());
    let builder = builder.manual_refresh().on_unreachable(StartPolicy::Assume(SystemMode::NewOnly));
    let provider = of(&runtime.run(builder.open()).unwrap());
    let resolution = provider.resolve("search", None).unwrap();
    assert_eq!((resolution.is_new(), resolution.reason), (true, Reason::Stale));
    assert!(matches!(resolution.origin, Origin::Migration { mode: SystemMode::NewOnly, epoch: 0, stale: true, .. }));
}

#[tokio::test]
async fn a_registry_is_followed() {
    let registry = MigrationRegistry::new();
    let provider = CutoverProvider::builder().registry(registry.clone()).build().unwrap();
    let client = client_of(provider.clone()).await;
    let code = async || boolean(&client, "search", Some("user-17")).await.map_err(|error| error.code);
    assert_eq!(code().await.unwrap_err(), EvaluationErrorCode::FlagNotFound);
    registry.register(gradual("search", 100.0).await, &[]).unwrap();
    assert!(code().await.unwrap().value);
    assert_eq!(provider.status(), ProviderStatus::Ready);
    registry.remove("search");
    assert_eq!(code().await.unwrap_err(), EvaluationErrorCode::FlagNotFound);
}

#[tokio::test]
async fn a_name_is_used_once_and_a_migration_hides_a_flag_that_comes_later() {
    let (search, other) = (migration("search").await, migration("search").await);
    let registry = MigrationRegistry::new();
    registry.register(other.clone(), &[]).unwrap();
    let flags = || common::flags(r#"{ "search": 100 }"#);
    let builder = || CutoverProvider::builder();
    for twice in [
        builder().migration(search.clone()).migration(other),
        builder().migration(search.clone()).flags(flags()),
        builder().flags(flags()).registry(registry.clone()),
        builder().registry(registry).migration(search.clone()),
    ] {
        let error = twice.build().unwrap_err();
        assert_eq!(error.name, "search");
        assert!(error.to_string().contains("`search`"), "{error}");
    }
    let set = common::flags("{}");
    let provider = builder().flags(set.clone()).migration(search.clone()).build().unwrap();
    set.replace("file", serde_json::from_str(r#"{ "search": 100 }"#).unwrap()).unwrap();
    assert!(!provider.boolean("search", Some("user-17"), true), "the migration answers");
    assert_eq!(percent(0.0), search.rollout());
}
