//! An emergency is never refused and never held up, whichever way it is asked for.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::{Body, Bytes};
use cutover::SystemMode;
use futures::StreamExt;
use http::{Method, Request};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::common::{Reply, World, api, somebody};

/// The ways of asking: the path, whether it is a form, and what has to stand in the body.
const WAYS: [(&str, bool, &str); 8] = [
    ("/api/v1/migrations/search/emergency", false, ""),
    ("/api/v1/migrations/search/mode", false, "emergency_rollback"),
    ("/api/v1/migrations/search/abort", false, ""),
    ("/api/v1/emergency", false, ""),
    ("/m/search/emergency", true, ""),
    ("/m/search/mode", true, "emergency_rollback"),
    ("/m/search/abort", true, ""),
    ("/emergency", true, ""),
];

fn request(path: &str, form: bool, body: Body) -> Request<Body> {
    let form_of = somebody("operate", Method::POST, path).header("sec-fetch-site", "same-origin");
    if form { form_of.body(body).unwrap() } else { api("operate", path).body(body).unwrap() }
}

/// A body with the fields, and the mode if the way needs it.
fn body(form: bool, mode: &str, fields: &[(&str, Value)]) -> String {
    let mode = (!mode.is_empty()).then(|| ("mode", json!(mode)));
    let fields: Vec<_> = mode.into_iter().chain(fields.iter().cloned()).collect();
    if form {
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned);
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.extend_pairs(fields.iter().map(|(name, value)| (name, text(value))));
        return form.finish();
    }
    json!(fields.into_iter().collect::<std::collections::BTreeMap<_, _>>()).to_string()
}

async fn ask(world: &World, (path, form, mode): (&str, bool, &str), fields: &[(&str, Value)]) -> Reply {
    world.send(request(path, form, Body::from(body(form, mode, fields)))).await
}

fn is_taken(world: &World, reply: &Reply, about: &str) {
    assert!(matches!(reply.status, 200 | 303), "{about}: {} {}", reply.status, reply.body);
    assert_eq!(world.search.mode(), SystemMode::EmergencyRollback, "{about}");
}

/// Sends other commands until they are too many.
async fn spend_the_limit(world: &World) {
    let refused = json!({ "epoch": 9, "etag": "", "reason": "because" });
    let mut sent = 0;
    while world.post("operate", "/api/v1/migrations/search/pause", &refused).await.status != 429 {
        sent += 1;
        assert!(sent < 100, "there is no limit");
    }
}

#[tokio::test(start_paused = true)]
async fn over_the_limit_of_other_commands_it_is_taken() {
    for way in WAYS {
        let world = World::new().await;
        world.to(SystemMode::Parallel).await;
        spend_the_limit(&world).await;
        let fields = [("reason", json!("fire"))];
        is_taken(&world, &ask(&world, way, &fields).await, way.0);
        let reason = world.search.status().reason.unwrap();
        assert_eq!(reason.as_str(), "EMERGENCY: fire", "{}", way.0);
    }
}

#[tokio::test(start_paused = true)]
async fn it_has_no_limit_of_its_own() {
    for way in WAYS.into_iter().filter(|(path, ..)| !path.ends_with("/abort")) {
        let world = World::new().await;
        for number in 0..200 {
            let reply = ask(&world, way, &[]).await;
            assert!(matches!(reply.status, 200 | 303), "{} {number}: {}", way.0, reply.body);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_abort_is_taken_as_an_emergency_and_limited_only_as_the_note_that_it_is_after_one() {
    let world = World::new().await;
    spend_the_limit(&world).await;
    let abort = || world.post("operate", "/api/v1/migrations/search/abort", &Value::Null);
    for _ in 0..20 {
        assert_eq!(abort().await.status, 200);
        world.to(SystemMode::LegacyOnly).await;
    }
    world.search.emergency_rollback("ana", "fire").await;
    let before = world.stored().await;
    let noted = abort().await;
    assert_eq!((noted.status, noted.problem().as_str()), (429, "rate"), "{}", noted.body);
    assert!(noted.body.contains("Legacy serves everybody already"), "{}", noted.body);
    assert_eq!(world.stored().await, before);
}

#[tokio::test(start_paused = true)]
async fn whatever_else_stands_in_the_body_it_is_taken() {
    let bodies: [&[(&str, Value)]; 9] = [
        &[],
        &[("epoch", json!(77)), ("etag", json!("0".repeat(32))), ("reason", json!("fire"))],
        &[("epoch", json!("canary")), ("etag", json!("canary"))],
        &[("confirm", json!("another".repeat(99)))],
        &[("percent", json!(250))],
        &[("step", json!("canary")), ("unknown", json!("canary"))],
        &[("reason", json!(""))],
        &[("reason", json!("two\nlines\u{0}"))],
        &[("reason", json!("it is on fire ".repeat(2_000)))],
    ];
    for way in WAYS {
        for fields in bodies {
            let world = World::new().await;
            world.to(SystemMode::Parallel).await;
            is_taken(&world, &ask(&world, way, fields).await, &format!("{} {fields:?}", way.0));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_that_breaks_off_or_never_ends_holds_it_up_for_a_second_at_most() {
    for (path, form, mode) in WAYS {
        let whole = body(form, mode, &[("reason", json!("it is on fire ".repeat(2_000)))]);
        // JSON has its fields in the order of their names, so that the mode comes first here.
        let start = Bytes::from(whole.into_bytes()).slice(..2_000);
        let first = || futures::stream::iter([Ok::<_, Infallible>(start.clone())]);
        let broken = Body::from(start.clone());
        let endless = Body::from_stream(first().chain(futures::stream::pending()));
        let flood = Body::from_stream(first().chain(futures::stream::repeat(Ok(Bytes::from_static(&[b'x'; 1024])))));
        for (about, body) in [("broken", broken), ("endless", endless), ("flood", flood)] {
            let world = World::new().await;
            world.to(SystemMode::Parallel).await;
            let started = Instant::now();
            is_taken(&world, &world.send(request(path, form, body)).await, &format!("{path} {about}"));
            assert!(started.elapsed() <= Duration::from_secs(1), "{path} {about}: {:?}", started.elapsed());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_too_long_of_its_reason_is_cut_and_marked() {
    for way in WAYS {
        let world = World::new().await;
        world.to(SystemMode::Parallel).await;
        ask(&world, way, &[("reason", json!(format!("\u{7}wrong totals{}", "ü".repeat(1_000))))]).await;
        let reason = world.search.status().reason.unwrap();
        let reason = reason.as_str();
        assert!(reason.starts_with("EMERGENCY: wrong totalsü") && reason.ends_with("ü… [cut]"), "{}: {reason}", way.0);
        assert!((1_000..=1_024).contains(&reason.len()), "{}: {}", way.0, reason.len());
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_that_only_speaks_of_one_asks_for_none() {
    let world = World::new().await;
    let common =
        json!({ "epoch": 0, "etag": "", "reason": "after \"mode\": \"emergency_rollback\"", "mode": "parallel" });
    assert_eq!(world.post("operate", "/api/v1/migrations/search/mode", &common).await.status, 200);
    assert_eq!(world.search.mode(), SystemMode::Parallel);
    let form = body(true, "canary", &[("reason", json!("mode=emergency_rollback"))]);
    let reply = world.send(request("/m/search/mode", true, Body::from(form))).await;
    assert_eq!((reply.status, world.search.mode()), (422, SystemMode::Parallel));
    let pause = json!({ "reason": "because", "mode": "emergency_rollback" });
    assert_eq!(world.post("operate", "/api/v1/migrations/search/pause", &pause).await.status, 422);
    assert_eq!(world.search.mode(), SystemMode::Parallel);
}

#[tokio::test(start_paused = true)]
async fn who_may_only_look_may_not() {
    for (path, form, mode) in WAYS {
        let world = World::new().await;
        let mut request = request(path, form, Body::from(body(form, mode, &[])));
        request.headers_mut().insert("x-role", "view".parse().unwrap());
        let reply = world.send(request).await;
        assert_eq!((reply.status, world.search.mode()), (403, SystemMode::LegacyOnly), "{path}");
    }
}
