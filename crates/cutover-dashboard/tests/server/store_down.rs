//! Each answer comes in time while the store hangs or fails, and an emergency works without it.

use std::future::pending;
use std::time::Duration;

use cutover::record::Fingerprint;
use cutover::store::{Added, DiscrepancyStore, MigrationId, async_trait};
use cutover::testing::Fault;
use cutover::{Discrepancy, StoreError, SystemMode};
use cutover_dashboard::{Dashboard, Migration};
use serde_json::json;
use tokio::time::Instant;

use crate::common::{READ, World, by_header, commands};

const FAULTS: [Fault; 4] = [Fault::Hang, Fault::Unavailable, Fault::Corrupt, Fault::Panic];

#[tokio::test(start_paused = true)]
async fn everything_can_be_read_within_the_timeout() {
    for fault in FAULTS {
        let world = World::new().await;
        world.to(SystemMode::Parallel).await;
        world.store.set_standing(Some(fault));
        for path in
            READ.into_iter().filter(|path| !path.ends_with("01")).chain(["/api/v1/migrations/search/audit?verify=1"])
        {
            let started = Instant::now();
            let reply = world.get(path).await;
            assert_eq!(reply.status, 200, "{fault:?} {path}: {}", reply.body);
            assert!(started.elapsed() <= Duration::from_secs(5), "{fault:?} {path}: {:?}", started.elapsed());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_status_comes_from_memory_without_waiting() {
    let world = World::new().await;
    world.to(SystemMode::Parallel).await;
    world.store.set_standing(Some(Fault::Hang));
    let started = Instant::now();
    let view = world.get("/api/v1/migrations/search").await.json();
    assert_eq!((&view["status"]["mode"], started.elapsed()), (&json!("parallel"), Duration::ZERO));
}

#[tokio::test(start_paused = true)]
async fn what_the_store_did_not_answer_is_said() {
    let world = World::new().await;
    world.store.set_standing(Some(Fault::Hang));
    for path in ["audit", "audit?verify=1", "claims", "claims?item=ticket"] {
        let page = world.get(&format!("/api/v1/migrations/search/{path}")).await.json();
        let trouble = page["trouble"].as_str().unwrap_or_default();
        assert!(trouble.contains("did not answer"), "{path}: {page}");
        assert!(page["verification"].is_null(), "an audit that was not read is not called intact: {page}");
    }
    world.store.heal();
    let page = world.get("/api/v1/migrations/search/audit?verify=1").await.json();
    assert_eq!((&page["trouble"], &page["verification"]["intact"]), (&json!(null), &json!(true)));
}

#[tokio::test(start_paused = true)]
async fn an_emergency_holds_at_once_and_says_that_it_is_not_stored_yet() {
    for fault in [Fault::Hang, Fault::Unavailable, Fault::Panic] {
        for path in ["/api/v1/migrations/search/emergency", "/api/v1/migrations/search/abort", "/api/v1/emergency"] {
            let world = World::new().await;
            world.to(SystemMode::Parallel).await;
            world.store.set_standing(Some(fault));
            let body = json!({ "reason": "fire" });
            let mut asked = Box::pin(world.post("operate", path, &body));
            assert!(futures::poll!(&mut asked).is_pending());
            assert_eq!(world.search.mode(), SystemMode::EmergencyRollback, "{path}: before the store has answered");
            let reply = asked.await;
            let answer = reply.json();
            let answer = answer["answers"].as_array().map_or(&answer, |answers| &answers[1]);
            assert_eq!((reply.status, &answer["stored"]), (200, &json!(false)), "{fault:?} {path}: {answer}");
            let text = answer["text"].as_str().unwrap();
            assert!(text.contains("not stored yet") && !text.contains("and it is stored"), "{text}");
            let view = world.get("/api/v1/migrations/search").await.json();
            assert_eq!(view["attention"][0]["severity"], json!("alarm"), "{view}");
            assert!(view["attention"][0]["text"].as_str().unwrap().contains("not stored yet"), "{view}");

            world.store.heal();
            tokio::time::sleep(Duration::from_secs(30)).await;
            assert!(!world.search.status().unpersisted_emergency);
            let first = world.search.history(1, 1).await.unwrap().remove(0);
            assert_eq!((first.actor.as_str(), first.reason.as_str()), ("ana", "EMERGENCY: fire"));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_abort_that_nobody_tries_again_is_not_said_to_be_tried_again() {
    let world = World::new().await;
    world.to(SystemMode::Parallel).await;
    world.search.emergency_rollback("ana", "fire").await;
    let before = world.stored().await;
    world.store.set_standing(Some(Fault::Hang));
    let path = "/api/v1/migrations/search/abort";
    let reply = world.post("operate", path, &json!({ "reason": "it is over" })).await;
    assert_eq!((reply.status, reply.problem().as_str()), (503, "timeout"), "{}", reply.body);
    assert!(reply.body.contains("say it again"), "{}", reply.body);
    world.store.heal();
    tokio::time::sleep(Duration::from_secs(30)).await;
    assert_eq!(world.stored().await, before);
    let again = world.post("operate", path, &json!({ "reason": "it is over" })).await;
    assert_eq!((again.status, &again.json()["stored"]), (200, &json!(true)), "{}", again.body);
}

#[tokio::test(start_paused = true)]
async fn every_other_command_says_that_the_store_is_the_reason_and_never_that_it_is_done() {
    for fault in [Fault::Hang, Fault::Unavailable] {
        for (name, body) in commands().into_iter().filter(|(name, _)| !matches!(*name, "emergency" | "abort")) {
            let world = World::new().await;
            world.record_discrepancies(1..=2);
            world.store.set_standing(Some(fault));
            let started = Instant::now();
            let reply = world.post("override", &format!("/api/v1/migrations/search/{name}"), &body).await;
            assert_eq!(reply.status, 503, "{fault:?} {name}: {}", reply.body);
            assert!(matches!(reply.problem().as_str(), "store" | "timeout"), "{fault:?} {name}: {}", reply.body);
            assert!(started.elapsed() <= Duration::from_secs(5), "{fault:?} {name}");
            world.store.heal();
            assert_eq!(
                (world.stored().await["modes"][0].as_str(), world.recorder.len()),
                (Some("legacy_only"), 2),
                "{name}"
            );
        }
    }
}

/// A store of discrepancies that never answers.
struct Hanging;

#[async_trait]
impl DiscrepancyStore for Hanging {
    async fn add(&self, _: &MigrationId, _: &[Discrepancy]) -> Result<Added, StoreError> {
        pending().await
    }

    async fn page(&self, _: &MigrationId, _: Option<Fingerprint>, _: usize) -> Result<Vec<Discrepancy>, StoreError> {
        pending().await
    }

    async fn clear(&self, _: &MigrationId) -> Result<(), StoreError> {
        pending().await
    }
}

#[tokio::test(start_paused = true)]
async fn discrepancies_whose_store_hangs_hold_up_nothing_else() {
    let world = World::new().await;
    let migration = Migration::new(&world.search).discrepancy_store(Hanging);
    let router = Dashboard::new(by_header).clock(world.clock.clone()).migration(migration).router().unwrap();
    let world = World { router, ..world };
    tokio::time::sleep(Duration::from_secs(60)).await;
    let started = Instant::now();
    let view = world.get("/api/v1/migrations/search").await.json();
    assert_eq!((&view["discrepancies"], started.elapsed()), (&json!(null), Duration::ZERO));
    let page = world.get("/api/v1/migrations/search/discrepancies").await.json();
    assert_eq!(page["trouble"], json!("The store did not answer."));
    let one = world.get("/api/v1/migrations/search/discrepancies/00000000000000000000000000000001").await;
    assert_eq!((one.status, one.problem().as_str()), (503, "store"));
    let cleared = world.command("override", "clear-discrepancies", &json!({})).await;
    assert_eq!(cleared.status, 503, "{}", cleared.body);
}
