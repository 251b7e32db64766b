//! Promise: for every flag, migration and key the answer is the one of `FlagSet::decide` and `MigrationController::route`.
#![expect(clippy::unwrap_used, reason = "a test")]

mod common;

use std::sync::Arc;

use common::{Always, context, to};
use cutover::flag::Rule;
use cutover::{BucketKey, FlagSet, MemoryStore, MigrationController, MissingKey, Percentage, Side, SystemMode};
use cutover_openfeature::{CutoverProvider, Origin, Reason, ResolveError};
use futures::executor::block_on;
use open_feature::provider::FeatureProvider;
use open_feature::{EvaluationContext, FlagMetadataValue};
use proptest::prelude::*;
use serde_json::{Value, json};

/// Shares with a weight on both ends.
fn shares() -> impl Strategy<Value = u32> {
    prop_oneof![Just(0), Just(1_000_000), Just(1), Just(999_999), 0..=1_000_000_u32]
}

/// Keys that lists name, and others.
fn keys() -> impl Strategy<Value = Option<String>> {
    prop_oneof![
        Just(None),
        Just(Some(String::new())),
        "[abc]".prop_map(Some),
        (0..100_000_u32).prop_map(|number| Some(format!("user-{number}"))),
        any::<String>().prop_map(Some),
    ]
}

fn flag(required: &'static [&'static str]) -> impl Strategy<Value = Value> {
    let lists = (prop::collection::vec("[abc]", 0..3), prop::collection::vec("[abc]", 0..3));
    (shares(), prop::bool::weighted(0.1), lists, any::<bool>(), prop::sample::subsequence(required, 0..=required.len()))
        .prop_map(|(ppm, kill, (allow, deny), random, requires)| {
            json!({
                "rollout": f64::from(ppm) / 10_000.0, "kill": kill, "allow": allow, "deny": deny, "requires": requires,
                "missing_key": if random { "random" } else { "legacy" }, "salt": "a salt of its own",
            })
        })
}

/// A set of three flags, of which later ones may require earlier ones.
fn sets() -> impl Strategy<Value = FlagSet> {
    (flag(&[]), flag(&["a"]), flag(&["a", "b"]), any::<u64>()).prop_map(|(a, b, c, draw)| {
        let config = serde_json::from_value(json!({ "a": a, "b": b, "c": c })).unwrap();
        FlagSet::builder().layer("file", config).random_source(Arc::new(Always(draw))).build().unwrap()
    })
}

fn asked(key: Option<&String>) -> EvaluationContext {
    key.map(|key| context(key)).unwrap_or_default()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn a_flag_answers_as_its_set_decides(flags in sets(), keys in prop::collection::vec(keys(), 1..12)) {
        let provider = CutoverProvider::builder().flags(flags.clone()).build().unwrap();
        for name in ["a", "b", "c"] {
            for key in &keys {
                let decision = flags.decide(name, key.as_deref()).unwrap();
                let resolved = provider.resolve(name, key.as_deref());
                let context = asked(key.as_ref());
                let boolean = block_on(provider.resolve_bool_value(name, &context));
                let string = block_on(provider.resolve_string_value(name, &context));
                let Ok(resolution) = resolved else {
                    prop_assert_eq!(resolved, Err(ResolveError::NoTargetingKey { name: name.to_owned() }));
                    prop_assert!(boolean.is_err() && string.is_err());
                    prop_assert!(key.is_none() && decision.rule == Rule::MissingKey && decision.bucket.is_none());
                    prop_assert!(!decision.enabled && decision.threshold != Percentage::ZERO);
                    continue;
                };
                prop_assert_eq!(resolution.is_new(), decision.enabled);
                prop_assert_eq!(resolution.threshold, decision.threshold);
                prop_assert_eq!(resolution.bucket, decision.bucket.filter(|_| key.is_some()));
                let same_rule = matches!(resolution.origin, Origin::Flag { rule, .. } if rule == decision.rule);
                prop_assert!(same_rule, "{:?} {:?}", resolution, decision);
                let (boolean, string) = (boolean.unwrap(), string.unwrap());
                prop_assert_eq!(boolean.value, decision.enabled);
                prop_assert_eq!(&string.value, if decision.enabled { "new" } else { "legacy" });
                prop_assert_eq!(boolean.variant.as_ref(), Some(&string.value));
                prop_assert_eq!(boolean.reason, string.reason);
                prop_assert_eq!(boolean.flag_metadata, string.flag_metadata);
            }
        }
    }

    /// Caches keep such answers for everybody.
    #[test]
    fn what_is_static_or_disabled_is_the_same_for_every_context(
        flags in sets(), key in keys(), others in prop::collection::vec(keys(), 12),
    ) {
        let provider = CutoverProvider::builder().flags(flags).build().unwrap();
        for name in ["a", "b", "c"] {
            let Ok(resolution) = provider.resolve(name, key.as_deref()) else { continue };
            if matches!(resolution.reason, Reason::Static | Reason::Disabled) {
                for other in others.iter().map(Option::as_deref).chain([None, Some("a"), Some("b"), Some("c")]) {
                    let same = provider.resolve(name, other).unwrap();
                    prop_assert_eq!((same.side, same.reason), (resolution.side, resolution.reason));
                }
            }
        }
    }

    #[test]
    fn a_migration_answers_as_its_controller_routes(
        mode in prop::sample::select(SystemMode::ALL.to_vec()),
        ppm in shares(), random in any::<bool>(), draw in any::<u64>(), keys in prop::collection::vec(keys(), 1..12),
    ) {
        let rollout = Percentage::from_ppm(ppm).unwrap();
        let controller = block_on(controller(mode, rollout, random, draw));
        let provider = CutoverProvider::builder().migration(controller.clone()).build().unwrap();
        for key in &keys {
            let route = controller.route(key.as_deref());
            let resolved = provider.resolve("search", key.as_deref());
            let boolean = block_on(provider.resolve_bool_value("search", &asked(key.as_ref())));
            let Ok(resolution) = resolved else {
                prop_assert_eq!(resolved, Err(ResolveError::NoTargetingKey { name: "search".to_owned() }));
                prop_assert!(key.is_none() && !random && route.serve == Side::Legacy && boolean.is_err());
                prop_assert!(mode == SystemMode::GradualRollout && rollout != Percentage::ZERO);
                continue;
            };
            prop_assert_eq!(resolution.side, route.serve);
            prop_assert_eq!(of_migration(resolution.origin), Some((route.mode, route.epoch, false)));
            prop_assert_eq!(resolution.threshold, controller.rollout());
            let decision = controller.decide(BucketKey::from(key.as_deref()));
            prop_assert_eq!(resolution.bucket, decision.bucket.filter(|_| key.is_some()));
            let boolean = boolean.unwrap();
            prop_assert_eq!(boolean.value, route.serve == Side::New);
            let metadata = boolean.flag_metadata.unwrap();
            let epoch = FlagMetadataValue::String(route.epoch.to_string());
            prop_assert_eq!(metadata.values.get("epoch"), Some(&epoch));
        }
    }
}

async fn controller(mode: SystemMode, rollout: Percentage, random: bool, draw: u64) -> MigrationController {
    let store = MemoryStore::new();
    let writer = MigrationController::open("search", store.clone()).await.unwrap();
    to(&writer, SystemMode::GradualRollout).await;
    writer.set_rollout(rollout, "ana", "a test").await.unwrap();
    to(&writer, mode).await;
    let missing = if random { MissingKey::Random } else { MissingKey::Legacy };
    MigrationController::builder("search", store).missing_key(missing).random(Always(draw)).open().await.unwrap()
}

fn of_migration(origin: Origin) -> Option<(SystemMode, u64, bool)> {
    if let Origin::Migration { mode, epoch, stale, .. } = origin { Some((mode, epoch, stale)) } else { None }
}
