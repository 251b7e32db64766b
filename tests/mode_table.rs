//! The whole policy is two tables: which mode may follow which, and who serves a call.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use cutover::control::ChangeError;
use cutover::store::{Author, Change, ChangeKind, Expect, MigrationId, Settings, Stamp};
use cutover::{MemoryStore, MigrationController, Percentage, Route, Shadow, Side, StateStore, SystemMode};

use SystemMode::{EmergencyRollback, GradualRollout, LegacyOnly, NewOnly, Parallel};

const TABLE: [(SystemMode, &[SystemMode]); 5] = [
    (LegacyOnly, &[Parallel, GradualRollout, EmergencyRollback]),
    (Parallel, &[LegacyOnly, GradualRollout, NewOnly, EmergencyRollback]),
    (GradualRollout, &[LegacyOnly, Parallel, NewOnly, EmergencyRollback]),
    (NewOnly, &[GradualRollout, Parallel, EmergencyRollback]),
    (EmergencyRollback, &[LegacyOnly]),
];

/// A controller that has always been as `settings` say.
async fn opened_at(settings: Settings) -> MigrationController {
    let (store, id) = (MemoryStore::new(), "table".parse::<MigrationId>().unwrap());
    let stamp = Stamp { at: std::time::UNIX_EPOCH, etag: 1, op_id: 1 };
    let author = Author::new("test", "start").unwrap();
    let change = Change::new(None, settings, ChangeKind::Transition, author, stamp);
    store.compare_and_swap(&id, Expect::Absent, &change).await.unwrap();
    MigrationController::open(id, store).await.unwrap()
}

async fn at(mode: SystemMode) -> MigrationController {
    opened_at(Settings { mode, rollout: Percentage::new(40.0).unwrap(), shadow_share: None }).await
}

#[tokio::test]
async fn every_pair_of_modes_is_as_the_table_says() {
    for (from, allowed) in TABLE {
        assert_eq!(from.allowed(), allowed);
        for to in SystemMode::ALL {
            let controller = at(from).await;
            let result = controller.transition(to, "ana", "try").await;
            let valid = to == from || allowed.contains(&to);
            assert_eq!(result.is_ok(), valid, "{from} to {to}: {result:?}");
            assert_eq!(controller.mode(), if valid { to } else { from });
            let stored = controller.history(0, 10).await.unwrap().len();
            assert_eq!(stored, if valid && to != from { 2 } else { 1 }, "{from} to {to}");
        }
    }
}

#[tokio::test]
async fn a_refused_transition_names_both_modes_and_what_is_allowed() {
    for (from, allowed) in TABLE {
        for to in SystemMode::ALL.into_iter().filter(|to| *to != from && !allowed.contains(to)) {
            let error = at(from).await.transition(to, "ana", "try").await.unwrap_err();
            assert!(matches!(error, ChangeError::Transition(refused) if (refused.from, refused.to) == (from, to)));
            let text = error.to_string();
            for mode in [&from, &to].into_iter().chain(allowed) {
                assert!(text.contains(mode.name()), "{text}");
            }
        }
    }
}

#[tokio::test]
async fn entering_a_mode_without_rollout_sets_it_to_zero_and_the_audit_keeps_the_old_value() {
    for (from, allowed) in TABLE {
        for to in allowed.iter().copied() {
            let controller = at(from).await;
            let before = controller.rollout();
            controller.transition(to, "ana", "go").await.unwrap();
            let resets = matches!(to, LegacyOnly | EmergencyRollback);
            assert_eq!(controller.rollout(), if resets { Percentage::ZERO } else { before });
            let entry = controller.history(1, 1).await.unwrap().remove(0);
            assert_eq!(entry.before.unwrap().rollout, before);
            assert_eq!(entry.after.rollout, controller.rollout());
        }
    }
}

#[tokio::test]
async fn the_rollout_is_refused_where_it_is_zero_by_definition() {
    for mode in SystemMode::ALL {
        let controller = at(mode).await;
        let result = controller.set_rollout(Percentage::HUNDRED, "ana", "more").await;
        let fixed = matches!(mode, LegacyOnly | EmergencyRollback);
        assert_eq!(result.is_err(), fixed);
        if let Err(error) = result {
            let text = error.to_string();
            for part in [mode.name(), "parallel", "gradual_rollout", "new_only"] {
                assert!(text.contains(part), "{text}");
            }
        }
        assert!(controller.set_rollout(controller.rollout(), "ana", "same").await.unwrap().is_noop());
    }
}

#[tokio::test]
async fn every_row_of_the_routing_table_serves_and_shadows_as_documented() {
    const LEGACY: Side = Side::Legacy;
    const NEW: Side = Side::New;
    // mode, rollout in percent, shadow share in percent or the default, who serves, what the shadow does
    let rows = [
        (LegacyOnly, 100, None, LEGACY, Shadow::Never),
        (LegacyOnly, 100, Some(100), LEGACY, Shadow::Never),
        (Parallel, 100, None, LEGACY, Shadow::Run),
        (Parallel, 0, Some(0), LEGACY, Shadow::Never),
        (GradualRollout, 0, None, LEGACY, Shadow::Never),
        (GradualRollout, 0, Some(100), LEGACY, Shadow::Run),
        (GradualRollout, 100, None, NEW, Shadow::Never),
        (GradualRollout, 100, Some(100), NEW, Shadow::Run),
        (NewOnly, 0, None, NEW, Shadow::Never),
        (NewOnly, 0, Some(100), NEW, Shadow::Run),
        (EmergencyRollback, 100, None, LEGACY, Shadow::Never),
        (EmergencyRollback, 100, Some(100), LEGACY, Shadow::Never),
    ];
    for row @ (mode, rollout, share, serve, shadow) in rows {
        let percent = |percent: i32| Percentage::new(percent.into()).unwrap();
        let settings = Settings { mode, rollout: percent(rollout), shadow_share: share.map(percent) };
        let route: Route = opened_at(settings).await.route("user-17");
        assert_eq!((route.mode, route.serve, route.shadow, route.epoch), (mode, serve, shadow, 1), "{row:?}");
    }
}

#[tokio::test]
async fn fractional_shares_select_their_share_independently_of_each_other() {
    let half = Percentage::new(50.0).unwrap();
    let controller = opened_at(Settings { mode: GradualRollout, rollout: half, shadow_share: Some(half) }).await;
    let mut counts = [[0_u32; 2]; 2];
    for user in 0..10_000_u64 {
        let route = controller.route(user);
        counts[usize::from(route.serve == Side::New)][usize::from(route.shadow == Shadow::Run)] += 1;
        assert_ne!(route.shadow, Shadow::Never);
    }
    assert!(counts.iter().flatten().all(|count| (2_300..2_700).contains(count)), "{counts:?}");
}

#[tokio::test]
async fn a_call_without_a_key_is_legacy_unless_chance_was_asked_for() {
    let half = Settings { mode: GradualRollout, rollout: Percentage::new(50.0).unwrap(), shadow_share: None };
    let legacy = opened_at(half).await;
    assert!((0..100).all(|_| legacy.route(None::<&str>).serve == Side::Legacy));
    assert_eq!(at(Parallel).await.route(None::<&str>).shadow, Shadow::Run, "a share of all needs no key");
    let store = MemoryStore::new();
    let random = MigrationController::builder("chance", store).missing_key(cutover::MissingKey::Random);
    let random = random.open().await.unwrap();
    random.transition(GradualRollout, "ana", "go").await.unwrap();
    random.set_rollout(half.rollout, "ana", "half").await.unwrap();
    let new = (0..1000).filter(|_| random.route(None::<&str>).serve == Side::New).count();
    assert!((400..600).contains(&new), "{new}");
}

#[test]
fn every_mode_has_one_wire_name() {
    let names = ["legacy_only", "parallel", "gradual_rollout", "new_only", "emergency_rollback"];
    for (mode, name) in SystemMode::ALL.into_iter().zip(names) {
        assert_eq!((mode.name(), mode.to_string().as_str()), (name, name));
        assert_eq!(name.parse(), Ok(mode));
        assert_eq!(serde_json::to_string(&mode).unwrap(), format!("\"{name}\""));
        assert_eq!(serde_json::from_str::<SystemMode>(&format!("\"{name}\"")).unwrap(), mode);
    }
}

#[test]
fn an_unknown_name_is_an_error_that_lists_the_known_ones() {
    for name in ["", "LegacyOnly", "legacy-only", "canary"] {
        let text = name.parse::<SystemMode>().unwrap_err().to_string();
        assert!(text.contains(&format!("`{name}`")) && text.contains("gradual_rollout"), "{text}");
        assert!(serde_json::from_value::<SystemMode>(name.into()).is_err());
    }
}

#[cfg(feature = "testing")]
#[test]
fn the_modulo_router_sends_known_items_to_known_sides() {
    use cutover::Router;
    let quarter = cutover::testing::ModuloRouter::new(25);
    for (item, side) in [(1_u64, Side::New), (24, Side::New), (25, Side::Legacy), (99, Side::Legacy), (100, Side::New)]
    {
        assert_eq!(quarter.route(item.into()).serve, side, "item {item}");
    }
}

/// `(mode, whether the key is in the rollout, serves, shadow, default share)`
const ROUTING: [(SystemMode, bool, Side, Option<Side>, Percentage); 10] = [
    (LegacyOnly, false, Side::Legacy, None, Percentage::ZERO),
    (LegacyOnly, true, Side::Legacy, None, Percentage::ZERO),
    (Parallel, false, Side::Legacy, Some(Side::New), Percentage::HUNDRED),
    (Parallel, true, Side::Legacy, Some(Side::New), Percentage::HUNDRED),
    (GradualRollout, false, Side::Legacy, Some(Side::New), Percentage::ZERO),
    (GradualRollout, true, Side::New, Some(Side::Legacy), Percentage::ZERO),
    (NewOnly, false, Side::New, Some(Side::Legacy), Percentage::ZERO),
    (NewOnly, true, Side::New, Some(Side::Legacy), Percentage::ZERO),
    (EmergencyRollback, false, Side::Legacy, None, Percentage::ZERO),
    (EmergencyRollback, true, Side::Legacy, None, Percentage::ZERO),
];

#[test]
fn every_field_of_the_routing_table_is_as_it_says() {
    for (mode, in_rollout, serves, shadow, default_share) in ROUTING {
        let row = mode.routing(in_rollout);
        assert_eq!((row.serves, row.shadow, row.default_share), (serves, shadow, default_share), "{mode} {in_rollout}");
    }
}
