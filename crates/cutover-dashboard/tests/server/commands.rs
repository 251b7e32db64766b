//! What a command does, who the audit says it was, and how a refusal looks.

use std::time::Duration;

use cutover::plan::Decision;
use cutover::store::ChangeKind;
use cutover::{Percentage, SystemMode};
use serde_json::json;

use crate::common::{World, merged};

#[tokio::test(start_paused = true)]
async fn what_is_done_is_stored_and_says_what_holds_now() {
    let world = World::new().await;
    let reply = world.command("operate", "mode", &json!({ "mode": "gradual_rollout" })).await;
    assert_eq!(
        (reply.status, reply.json()["epoch"].as_u64(), reply.json()["stored"].as_bool()),
        (200, Some(1), Some(true))
    );
    assert!(reply.json()["text"].as_str().unwrap().contains("gradual_rollout"), "{}", reply.body);
    world.command("operate", "rollout", &json!({ "percent": 12.5 })).await;
    world.command("operate", "shadow-share", &json!({ "percent": 40 })).await;
    let status = world.search.status();
    assert_eq!((status.rollout, status.shadow_share), (Percentage::new(12.5).unwrap(), Percentage::new(40.0).unwrap()));
    world.command("operate", "shadow-share", &json!({ "percent": null })).await;
    assert_eq!((world.search.status().shadow_share, world.search.status().epoch), (Percentage::ZERO, 4));
}

#[tokio::test(start_paused = true)]
async fn what_holds_already_is_not_stored_and_says_so() {
    let world = World::new().await;
    world.to(SystemMode::Parallel).await;
    let reply = world.command("operate", "mode", &json!({ "mode": "parallel" })).await;
    assert_eq!((reply.json()["epoch"].as_u64(), reply.json()["stored"].as_bool()), (Some(1), Some(false)));
    assert!(reply.body.contains("nothing was stored"), "{}", reply.body);
}

#[tokio::test(start_paused = true)]
async fn the_audit_names_the_principal_whatever_the_body_says() {
    let world = World::new().await;
    let forged = world.command("operate", "mode", &json!({ "mode": "parallel", "actor": "the boss" })).await;
    assert_eq!((forged.status, world.search.status().epoch), (422, 0), "{}", forged.body);
    world.command("operate", "mode", &json!({ "mode": "parallel", "reason": "actor=boss" })).await;
    world.post("operate", "/api/v1/migrations/search/emergency", &json!({ "reason": "fire" })).await;
    let actors: Vec<_> =
        world.search.history(0, 9).await.unwrap().iter().map(|entry| entry.actor.to_string()).collect();
    assert_eq!(actors, ["ana", "ana"]);
}

#[tokio::test(start_paused = true)]
async fn a_refused_transition_is_shown_as_refused_and_the_mode_stays() {
    let world = World::new().await;
    let before = world.stored().await;
    let reply = world.command("override", "mode", &json!({ "mode": "new_only" })).await;
    assert_eq!((reply.status, reply.problem().as_str()), (409, "transition"));
    let detail = reply.json()["detail"].as_str().unwrap().to_owned();
    assert!(detail.starts_with("Legacy_only cannot become new_only; allowed from here: parallel"), "{detail}");
    assert!(detail.ends_with("Nothing was changed."), "{detail}");
    assert_eq!(reply.headers["content-type"], "application/problem+json");
    assert_eq!(world.stored().await, before);
    let view = world.get("/api/v1/migrations/search").await.json();
    assert_eq!((&view["status"]["mode"], &view["status"]["epoch"]), (&json!("legacy_only"), &json!(0)));
}

#[tokio::test(start_paused = true)]
async fn a_rollout_where_it_is_fixed_is_refused() {
    let world = World::new().await;
    let reply = world.command("operate", "rollout", &json!({ "percent": 10 })).await;
    assert_eq!((reply.status, reply.problem().as_str(), world.search.status().epoch), (409, "rollout_fixed", 0));
}

#[tokio::test(start_paused = true)]
async fn every_mode_but_the_present_one_is_a_choice_that_says_why_it_is_refused() {
    let world = World::new().await;
    let view = world.get("/api/v1/migrations/search").await.json();
    let choices = view["choices"].as_array().unwrap();
    let modes: Vec<_> = choices.iter().map(|choice| choice["mode"].as_str().unwrap()).collect();
    assert_eq!(modes, ["parallel", "gradual_rollout", "new_only", "emergency_rollback"]);
    assert!(choices.iter().all(|choice| choice["refused"].is_string()), "who may look has no choice: {choices:?}");
    assert!(choices[2]["refused"].as_str().unwrap().contains("cannot become new_only"), "{choices:?}");
    assert!(choices[0]["refused"].as_str().unwrap().contains("takes the role operate"), "{choices:?}");

    for mode in ["parallel", "gradual_rollout", "new_only", "emergency_rollback"] {
        let world = World::new().await;
        let choices = world.get_as("operate", "/api/v1/migrations/search").await.json()["choices"].clone();
        let choice = choices.as_array().unwrap().iter().find(|choice| choice["mode"] == mode).unwrap().clone();
        let done = world.command("operate", "mode", &json!({ "mode": mode })).await.status == 200;
        assert_eq!(choice["refused"].is_null(), done, "{choice}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_plan_is_operated() {
    let world = World::new().await;
    world.driver.look_once().await;
    let early = world.command("override", "acknowledge", &json!({ "step": "all" })).await;
    assert_eq!((early.status, early.problem().as_str()), (409, "step"), "{}", early.body);
    let unknown = world.command("operate", "approve", &json!({ "step": "canary-step" })).await;
    assert_eq!((unknown.status, unknown.body.contains("canary-step")), (409, false), "{}", unknown.body);
    assert!(unknown.body.contains("compare, tenth, all"), "{}", unknown.body);

    for (name, extra) in [("approve", json!({ "step": "compare" })), ("pause", json!({})), ("resume", json!({}))] {
        let reply = world.command("operate", name, &extra).await;
        assert_eq!((reply.status, reply.json()["stored"].as_bool()), (200, Some(true)), "{name}: {}", reply.body);
    }
    let kinds: Vec<_> = world.search.history(0, 9).await.unwrap().iter().map(|entry| entry.kind).collect();
    assert_eq!(kinds, [ChangeKind::Approval, ChangeKind::Pause, ChangeKind::Resume]);
    world.driver.look_once().await;
    assert_eq!(world.search.mode(), SystemMode::Parallel);

    let aborted = world.command("operate", "abort", &json!({})).await;
    assert_eq!((aborted.status, world.search.mode()), (200, SystemMode::EmergencyRollback), "{}", aborted.body);
    assert_eq!(world.driver.look_once().await.decision, Decision::RolledBack);
    assert_eq!(world.command("operate", "restart", &json!({})).await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn what_a_migration_does_not_have_cannot_be_operated() {
    let world = World::new().await;
    let before = world.stored().await;
    let common = json!({ "epoch": 0, "etag": "", "reason": "because", "confirm": "cart" });
    for name in ["pause", "abort", "begin-anew", "clear-discrepancies"] {
        let reply = world.post("override", &format!("/api/v1/migrations/cart/{name}"), &common).await;
        assert_eq!((reply.status, reply.problem().as_str()), (409, "not_shown"), "{name}: {}", reply.body);
    }
    let step = merged(&common, &json!({ "step": "compare" }));
    assert_eq!(world.post("override", "/api/v1/migrations/cart/approve", &step).await.status, 409);
    assert_eq!(world.stored().await, before);
}

#[tokio::test(start_paused = true)]
async fn discrepancies_are_cleared_and_the_guard_begins_anew() {
    let world = World::new().await;
    world.record_discrepancies(1..=3);
    let cleared = world.command("override", "clear-discrepancies", &json!({ "reason": "looked at all" })).await;
    assert_eq!((cleared.status, world.recorder.len()), (200, 0), "{}", cleared.body);
    assert_eq!((cleared.json()["epoch"].as_u64(), cleared.json()["stored"].as_bool()), (Some(1), Some(true)));
    let entry = world.search.history(0, 9).await.unwrap().remove(0);
    assert_eq!(
        (entry.kind, entry.actor.as_str(), entry.reason.as_str()),
        (ChangeKind::Clearing, "ana", "looked at all")
    );
    assert_eq!(entry.evidence, Some(json!({ "event": "discrepancies_cleared", "kept": 3 })));
    let audit = world.get("/m/search/audit").await.body;
    assert!(audit.contains("discrepancies forgotten") && audit.contains("looked at all"), "{audit}");
    assert!(world.get("/m/search?done=1").await.body.contains("the discrepancies are forgotten"));
    let begun = world.command("operate", "begin-anew", &json!({ "reason": "looked into it" })).await;
    assert_eq!((begun.status, begun.json()["epoch"].as_u64()), (200, Some(2)), "{}", begun.body);
    let entry = world.search.history(1, 9).await.unwrap().remove(0);
    assert_eq!((entry.actor.as_str(), entry.reason.as_str()), ("ana", "looked into it"));
}

#[tokio::test(start_paused = true)]
async fn an_emergency_of_all_rolls_all_back_and_answers_for_each() {
    let world = World::new().await;
    world.to(SystemMode::Parallel).await;
    world.cart.transition(SystemMode::GradualRollout, "ana", "go").await.unwrap();
    let reply = world.post("operate", "/api/v1/emergency", &json!({ "reason": "fire" })).await;
    assert_eq!(
        (world.search.mode(), world.cart.mode()),
        (SystemMode::EmergencyRollback, SystemMode::EmergencyRollback)
    );
    let answers = reply.json()["answers"].clone();
    assert_eq!((&answers[0]["id"], &answers[1]["id"]), (&json!("cart"), &json!("search")), "{answers}");
    assert_eq!((&answers[0]["stored"], &answers[1]["stored"]), (&json!(true), &json!(true)), "{answers}");
    assert_eq!(world.cart.status().reason.unwrap().as_str(), "EMERGENCY: fire");
}

#[tokio::test(start_paused = true)]
async fn an_emergency_again_says_that_it_held_already() {
    let world = World::new().await;
    let path = "/api/v1/migrations/search/emergency";
    assert_eq!(world.post("operate", path, &json!({})).await.json()["stored"], json!(true));
    world.clock.advance(Duration::from_secs(1));
    let again = world.post("operate", path, &json!({})).await;
    assert_eq!((again.status, again.json()["stored"].as_bool()), (200, Some(false)), "{}", again.body);
    assert!(again.body.contains("already"), "{}", again.body);
}

#[tokio::test(start_paused = true)]
async fn unknown_migrations_and_commands_are_not_found() {
    let world = World::new().await;
    let body = json!({ "epoch": 0, "etag": "", "reason": "because" });
    for path in
        ["/api/v1/migrations/nothing/pause", "/api/v1/migrations/search/dance", "/api/v1/migrations/search/pause/now"]
    {
        assert_eq!(world.post("override", path, &body).await.status, 404, "{path}");
    }
}
