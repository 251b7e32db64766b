//! What is too long, too deep, too often or not what it should be is refused, and nothing changes.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::{Body, Bytes};
use futures::StreamExt;
use serde_json::{Value, json};

use crate::common::{World, api, commands, merged, somebody};

const PAUSE: &str = "/api/v1/migrations/search/pause";

#[tokio::test(start_paused = true)]
async fn a_body_has_at_most_16_kib() {
    let world = World::new().await;
    let body = |size: usize| {
        let mut body = json!({ "epoch": 0, "etag": "", "reason": "because" }).to_string();
        body.extend(std::iter::repeat_n(' ', size - body.len()));
        Body::from(body)
    };
    let before = world.stored().await;
    let too_long = world.send(api("operate", PAUSE).body(body(16 * 1024 + 1)).unwrap()).await;
    assert_eq!((too_long.status, too_long.problem().as_str()), (413, "body"));
    assert_eq!(world.stored().await, before);
    assert_eq!(world.send(api("operate", PAUSE).body(body(16 * 1024)).unwrap()).await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_never_ends_is_given_up() {
    let endless = || Body::from_stream(futures::stream::pending::<Result<Bytes, Infallible>>());
    let flood =
        || Body::from_stream(futures::stream::repeat(Ok::<_, Infallible>(Bytes::from_static(&[b' '; 1024]))).boxed());
    let world = World::new().await;
    assert_eq!(world.send(api("operate", PAUSE).body(endless()).unwrap()).await.status, 408);
    assert_eq!(world.send(api("operate", PAUSE).body(flood()).unwrap()).await.status, 413);
    assert_eq!(world.search.status().epoch, 0);
}

#[tokio::test(start_paused = true)]
async fn json_that_is_deep_or_no_command_is_refused() {
    let world = World::new().await;
    let deep = |levels: usize| format!("{{\"reason\":{}{}}}", "[".repeat(levels), "]".repeat(levels));
    let common = r#""epoch":0,"etag":"","reason":"because""#;
    let bodies = [
        deep(200),
        deep(7_000),
        String::new(),
        "null".to_owned(),
        "[]".to_owned(),
        format!("{{{common}"),
        format!("{{{common}}} {{}}"),
        format!("{{{common},\"percent\":10}}"),
        format!("{{{common},\"admin\":true}}"),
        format!("{{{common},\"epoch\":1}}"),
        r#"{"epoch":"0","etag":"","reason":"because"}"#.to_owned(),
        r#"{"epoch":-1,"etag":"","reason":"because"}"#.to_owned(),
        r#"{"epoch":0.5,"etag":"","reason":"because"}"#.to_owned(),
        r#"{"epoch":18446744073709551616,"etag":"","reason":"because"}"#.to_owned(),
    ];
    for body in bodies {
        let reply = world.send(api("operate", PAUSE).body(Body::from(body.clone())).unwrap()).await;
        assert_eq!(
            (reply.status, world.search.status().epoch),
            (422, 0),
            "{}: {}",
            &body[..body.len().min(80)],
            reply.body
        );
        world.clock.advance(Duration::from_secs(60));
    }
}

#[tokio::test(start_paused = true)]
async fn a_value_that_is_not_allowed_is_refused_and_never_repeated() {
    let long = "canary-".repeat(200);
    let table: [(&str, Value); 16] = [
        ("pause", json!({ "reason": "" })),
        ("pause", json!({ "reason": "  " })),
        ("pause", json!({ "reason": "canary\nline" })),
        ("pause", json!({ "reason": "canary\u{0}" })),
        ("pause", json!({ "reason": "canary\u{1b}[31m" })),
        ("pause", json!({ "reason": "canary\u{85}x" })),
        ("pause", json!({ "reason": long })),
        ("mode", json!({ "mode": "canary_mode" })),
        ("mode", json!({ "mode": "Parallel" })),
        ("mode", json!({})),
        ("rollout", json!({ "percent": 250 })),
        ("rollout", json!({ "percent": -0.001 })),
        ("rollout", json!({})),
        ("approve", json!({ "step": "canary\u{7}" })),
        ("approve", json!({ "step": long })),
        ("pause", json!({ "epoch": 1, "etag": "canary-canary-canary-canary-cana" })),
    ];
    for (name, extra) in table {
        let world = World::new().await;
        let common = json!({ "epoch": 0, "etag": "", "reason": "because", "confirm": "search" });
        let path = format!("/api/v1/migrations/search/{name}");
        let reply = world.post("override", &path, &merged(&common, &extra)).await;
        assert_eq!((reply.status, world.search.status().epoch), (422, 0), "{name} {extra}: {}", reply.body);
        assert!(!reply.body.contains("canary"), "{name}: {}", reply.body);
        assert!(reply.json()["detail"].as_str().unwrap().ends_with("Nothing was changed."), "{}", reply.body);
    }
}

#[tokio::test(start_paused = true)]
async fn an_actor_asks_for_ten_changes_a_minute() {
    let world = World::new().await;
    let refused = json!({ "epoch": 9, "etag": "", "reason": "because" });
    for _ in 0..10 {
        assert_ne!(world.post("operate", PAUSE, &refused).await.status, 429);
    }
    let before = world.stored().await;
    for (name, body) in commands().into_iter().filter(|(name, _)| !matches!(*name, "emergency" | "abort")) {
        let reply = world.post("override", &format!("/api/v1/migrations/search/{name}"), &body).await;
        assert_eq!((reply.status, reply.problem().as_str()), (429, "rate"), "{name}");
        assert_eq!(reply.headers["retry-after"], "6");
    }
    let form = somebody("operate", http::Method::POST, "/m/search/pause").header("sec-fetch-site", "same-origin");
    assert_eq!(world.send(form.body(Body::empty()).unwrap()).await.status, 429);
    assert_eq!(world.stored().await, before);

    let other = api("operate", PAUSE).header("x-user", "ben");
    let mut other = other.body(Body::from(refused.to_string())).unwrap();
    other.headers_mut().insert("x-user", "ben".parse().unwrap());
    assert_ne!(world.send(other).await.status, 429, "another actor is not held up");

    world.clock.advance(Duration::from_secs(60));
    assert_ne!(world.post("operate", PAUSE, &refused).await.status, 429, "a minute later there are more");
}

#[tokio::test(start_paused = true)]
async fn reading_is_not_limited() {
    let world = World::new().await;
    for _ in 0..200 {
        assert_eq!(world.get("/api/v1/migrations").await.status, 200);
    }
}

#[tokio::test(start_paused = true)]
async fn a_query_that_is_not_allowed_is_refused_and_never_repeated() {
    let world = World::new().await;
    let long = "canary".repeat(40);
    let queries = [
        "discrepancies?kind=canary".to_owned(),
        "discrepancies?after=canary".to_owned(),
        "discrepancies?after=%2b0000000000000000000000000000001".to_owned(),
        "discrepancies?limit=0".to_owned(),
        "discrepancies?limit=201".to_owned(),
        "discrepancies?limit=canary".to_owned(),
        "discrepancies?q=canary%00".to_owned(),
        format!("discrepancies?q={long}"),
        "discrepancies?q=a&q=b".to_owned(),
        "discrepancies/canary".to_owned(),
        "audit?before=canary".to_owned(),
        "audit?limit=201".to_owned(),
        "audit?verify=canary".to_owned(),
        "claims?item=canary%0a".to_owned(),
    ];
    for query in queries {
        let reply = world.get(&format!("/api/v1/migrations/search/{query}")).await;
        assert_eq!((reply.status, reply.problem().as_str()), (422, "query"), "{query}: {}", reply.body);
        assert!(!reply.body.contains("canary"), "{query}: {}", reply.body);
    }
}
