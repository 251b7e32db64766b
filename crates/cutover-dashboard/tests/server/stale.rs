//! What was decided on another record than the one that holds is refused, and nothing changes.

use cutover::SystemMode;
use serde_json::{Value, json};

use crate::common::{World, commands, merged};

/// Records that are not the present one, which has epoch 1.
fn stale(etag: &str) -> [Value; 4] {
    let other = format!("{:032x}", u128::from_str_radix(etag, 16).unwrap() ^ 1);
    [
        json!({ "epoch": 0, "etag": "" }),
        json!({ "epoch": 0, "etag": etag }),
        json!({ "epoch": 1, "etag": other }),
        json!({ "epoch": 2, "etag": etag }),
    ]
}

#[tokio::test(start_paused = true)]
async fn a_command_on_another_record_is_outdated() {
    for (name, body) in commands().into_iter().filter(|(name, _)| !matches!(*name, "emergency" | "abort")) {
        let world = World::new().await;
        world.to(SystemMode::Parallel).await;
        world.record_discrepancies(1..=2);
        let (before, etag) = (world.stored().await, format!("{:032x}", world.search.status().etag.unwrap()));
        for seen in stale(&etag) {
            let path = format!("/api/v1/migrations/search/{name}");
            let reply = world.post("override", &path, &merged(&body, &seen)).await;
            assert_eq!((reply.status, reply.problem().as_str()), (409, "outdated"), "{name} {seen}: {}", reply.body);
        }
        assert_eq!(world.stored().await, before, "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_same_command_twice_is_carried_out_once() {
    let world = World::new().await;
    let body = json!({ "epoch": 0, "etag": "", "reason": "compare", "mode": "parallel" });
    let path = "/api/v1/migrations/search/mode";
    let replies = [world.post("operate", path, &body).await.status, world.post("operate", path, &body).await.status];
    assert_eq!((replies, world.search.status().epoch), ([200, 409], 1));
}

#[tokio::test(start_paused = true)]
async fn an_emergency_and_an_abort_are_never_outdated() {
    for name in ["emergency", "abort"] {
        let world = World::new().await;
        world.to(SystemMode::Parallel).await;
        let seen = json!({ "epoch": 0, "etag": "", "reason": "wrong totals" });
        let reply = world.post("operate", &format!("/api/v1/migrations/search/{name}"), &seen).await;
        assert_eq!((reply.status, world.search.mode()), (200, SystemMode::EmergencyRollback), "{name}: {}", reply.body);
    }
}

#[tokio::test(start_paused = true)]
async fn a_command_that_does_not_say_what_was_seen_is_refused() {
    for (name, body) in commands().into_iter().filter(|(name, _)| !matches!(*name, "emergency" | "abort")) {
        let world = World::new().await;
        let before = world.stored().await;
        for field in ["epoch", "etag"] {
            let mut body = body.clone();
            body.as_object_mut().unwrap().remove(field);
            let reply = world.post("override", &format!("/api/v1/migrations/search/{name}"), &body).await;
            assert_eq!(reply.status, 422, "{name} without {field}: {}", reply.body);
        }
        assert_eq!(world.stored().await, before, "{name}");
    }
}
