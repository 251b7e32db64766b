//! Each command takes a role, and some the migration's name too.

use cutover::SystemMode;
use serde_json::json;

use crate::common::{World, commands, merged};

/// Which commands need more than `operate`, and so the typed name. The rest needs `operate`.
const GUARDED: [&str; 3] = ["acknowledge", "reconcile", "clear-discrepancies"];

#[tokio::test(start_paused = true)]
async fn who_may_only_look_changes_nothing() {
    for (name, body) in commands() {
        let world = World::new().await;
        world.record_discrepancies(1..=2);
        let before = world.stored().await;
        let reply = world.post("view", &format!("/api/v1/migrations/search/{name}"), &body).await;
        assert_eq!((reply.status, reply.problem().as_str()), (403, "role"), "{name}: {}", reply.body);
        assert_eq!(world.stored().await, before, "{name}");
    }
    let world = World::new().await;
    let reply = world.post("view", "/api/v1/emergency", &json!({})).await;
    assert_eq!((reply.status, reply.problem().as_str()), (403, "role"));
    assert_eq!((world.search.mode(), world.cart.mode()), (SystemMode::LegacyOnly, SystemMode::LegacyOnly));
}

#[tokio::test(start_paused = true)]
async fn each_command_takes_the_role_of_the_table() {
    for (name, body) in commands() {
        for role in ["operate", "override"] {
            let world = World::new().await;
            world.record_discrepancies(1..=2);
            let before = world.stored().await;
            let reply = world.post(role, &format!("/api/v1/migrations/search/{name}"), &body).await;
            let refused = role == "operate" && GUARDED.contains(&name);
            assert_eq!(reply.problem() == "role", refused, "{role} {name}: {}", reply.body);
            assert_eq!(reply.status == 403, refused, "{role} {name}: {}", reply.body);
            if refused {
                assert_eq!(world.stored().await, before, "{role} {name}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn serving_everybody_from_new_takes_override_and_every_other_mode_operate() {
    for (mode, refused) in [("new_only", true), ("gradual_rollout", false), ("legacy_only", false)] {
        let world = World::new().await;
        world.to(SystemMode::Parallel).await;
        let reply = world.command("operate", "mode", &json!({ "mode": mode })).await;
        assert_eq!(reply.problem() == "role", refused, "{mode}: {}", reply.body);
        let reply = world.command("override", "mode", &json!({ "mode": mode })).await;
        assert_eq!(reply.status, 200, "{mode}: {}", reply.body);
    }
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_taken_back_takes_the_name_of_the_migration() {
    let dangerous = [("mode", json!({ "mode": "new_only" })), ("acknowledge", json!({ "step": "all" }))];
    let others = [("reconcile", json!({})), ("clear-discrepancies", json!({}))];
    for (name, extra) in dangerous.into_iter().chain(others) {
        let world = World::new().await;
        world.to(SystemMode::Parallel).await;
        world.record_discrepancies(1..=2);
        let before = world.stored().await;
        for typed in [json!(null), json!(""), json!("Search"), json!("search "), json!("cart"), json!("sear")] {
            let extra = merged(&extra, &json!({ "confirm": typed }));
            let reply = world.command("override", name, &extra).await;
            assert_eq!(
                (reply.status, reply.problem().as_str()),
                (422, "confirmation"),
                "{name} {typed}: {}",
                reply.body
            );
            world.clock.advance(std::time::Duration::from_secs(60));
        }
        assert_eq!(world.stored().await, before, "{name}");
        let confirmed = world.command("override", name, &extra).await;
        assert_ne!(confirmed.problem(), "confirmation", "{name}: {}", confirmed.body);
    }
}

#[tokio::test(start_paused = true)]
async fn an_emergency_takes_no_name_and_no_reason() {
    let world = World::new().await;
    world.to(SystemMode::Parallel).await;
    let reply = world.post("operate", "/api/v1/migrations/search/emergency", &json!({})).await;
    assert_eq!((reply.status, reply.json()["stored"].as_bool()), (200, Some(true)), "{}", reply.body);
    assert_eq!(world.search.status().reason.unwrap().as_str(), "EMERGENCY: from the dashboard");
}
