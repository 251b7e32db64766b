//! Claims that are stuck are shown, and any item can be looked up.

use std::time::Duration;

use cutover::Side;
use serde_json::json;

use crate::common::World;

#[tokio::test(start_paused = true)]
async fn an_item_whose_holder_is_gone_is_stuck_and_an_item_can_be_looked_up() {
    let world = World::new().await;
    let ttl = Duration::from_secs(30);
    let gone = world.claims.claim("ticket 17", Side::Legacy, 0, ttl).await.unwrap();
    std::mem::forget(gone);
    let held = world.claims.claim("ticket 18", Side::Legacy, 0, ttl).await.unwrap();
    held.complete().await.unwrap();
    let page = world.get("/api/v1/migrations/search/claims?item=ticket%2018").await.json();
    assert_eq!(
        (page["stuck"].as_array().map(Vec::len), &page["found"]["item"]),
        (Some(0), &json!("ticket 18")),
        "{page}"
    );

    world.clock.advance(Duration::from_secs(31));
    let page = world.get("/api/v1/migrations/search/claims?item=").await.json();
    assert_eq!((&page["stuck"][0]["item"], &page["found"]), (&json!("ticket 17"), &json!(null)), "{page}");
    assert_eq!(page["stuck"][0], json!(world.claims.stuck(9).await.unwrap()[0]));

    tokio::time::sleep(Duration::from_secs(31)).await;
    let view = world.get("/api/v1/migrations/search").await.json();
    assert_eq!(view["stuck"], json!(1));
    let texts: Vec<_> = view["attention"].as_array().unwrap().iter().map(|one| one["text"].as_str().unwrap()).collect();
    assert!(texts.iter().any(|text| text.starts_with("1 claim is stuck")), "{texts:?}");
}

#[tokio::test(start_paused = true)]
async fn what_was_never_claimed_is_not_found_and_no_claims_are_shown_without_them() {
    let world = World::new().await;
    let page = world.get("/api/v1/migrations/search/claims?item=nothing").await.json();
    assert_eq!((&page["found"], &page["trouble"]), (&json!(null), &json!(null)));
    let reply = world.get("/api/v1/migrations/cart/claims").await;
    assert_eq!((reply.status, reply.problem().as_str()), (404, "not_shown"));
}
