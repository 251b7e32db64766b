//! What another site makes a browser send changes nothing.

use crate::common::{World, somebody};
use axum::body::Body;
use cutover::SystemMode;
use http::Method;

const ORIGIN: &str = "https://ops.example.com";

/// Whether a POST with these headers passes, by what comes of an emergency.
async fn passes(origin: Option<&str>, path: &str, headers: &[(&str, &str)]) -> bool {
    let world = World::with(|dashboard| match origin {
        Some(origin) => dashboard.origin(origin),
        None => dashboard,
    })
    .await;
    let mut request = somebody("operate", Method::POST, path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let before = world.stored().await;
    let reply = world.send(request.body(Body::from("{}")).unwrap()).await;
    let refused = matches!(reply.status, 403 | 415);
    if refused {
        assert_eq!(world.stored().await, before, "{headers:?}");
        assert!(reply.body.contains("Nothing was changed") || reply.body.contains("twice"), "{}", reply.body);
    }
    !refused
}

#[tokio::test(start_paused = true)]
async fn a_form_passes_from_the_same_origin_alone() {
    let table: [(&[(&str, &str)], bool); 15] = [
        (&[("sec-fetch-site", "same-origin")], true),
        (&[("sec-fetch-site", "none")], true),
        (&[("sec-fetch-site", "same-site")], false),
        (&[("sec-fetch-site", "cross-site")], false),
        (&[("sec-fetch-site", "")], false),
        (&[("sec-fetch-site", "Same-Origin")], false),
        (&[("sec-fetch-site", "cross-site"), ("origin", ORIGIN)], false),
        (&[("sec-fetch-site", "same-origin"), ("sec-fetch-site", "cross-site")], false),
        (&[("origin", ORIGIN)], true),
        (&[("origin", "https://ops.example.com.evil.example")], false),
        (&[("origin", "http://ops.example.com")], false),
        (&[("origin", "https://ops.example.com:8443")], false),
        (&[("origin", "null")], false),
        (&[("origin", ORIGIN), ("origin", ORIGIN)], false),
        (&[], false),
    ];
    for (headers, expected) in table {
        assert_eq!(passes(Some(ORIGIN), "/m/search/pause", headers).await, expected, "{headers:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn without_a_configured_origin_a_browser_has_to_say_that_it_is_the_same() {
    assert!(passes(None, "/m/search/pause", &[("sec-fetch-site", "same-origin")]).await);
    assert!(!passes(None, "/m/search/pause", &[("origin", ORIGIN)]).await);
    let world = World::new().await;
    let request = somebody("operate", Method::POST, "/m/search/pause").header("origin", ORIGIN).body(Body::empty());
    let said = world.send(request.unwrap()).await.body;
    assert!(said.contains("Dashboard::origin"), "{said}");
}

#[tokio::test(start_paused = true)]
async fn the_api_takes_what_no_form_of_another_site_can_send() {
    const JSON: (&str, &str) = ("content-type", "application/json");
    const OURS: (&str, &str) = ("x-cutover-dashboard", "1");
    let table: [(&[(&str, &str)], bool); 14] = [
        (&[JSON, OURS], true),
        (&[("content-type", "application/json; charset=utf-8"), OURS], true),
        (&[JSON], false),
        (&[OURS], false),
        (&[("content-type", "text/plain"), OURS], false),
        (&[("content-type", "application/x-www-form-urlencoded"), OURS], false),
        (&[("content-type", "text/plain; application/json"), OURS], false),
        (&[JSON, ("x-cutover-dashboard", "0")], false),
        (&[JSON, ("x-cutover-dashboard", "")], false),
        (&[JSON, OURS, ("sec-fetch-site", "same-origin")], true),
        (&[JSON, OURS, ("sec-fetch-site", "cross-site")], false),
        (&[JSON, OURS, ("sec-fetch-site", "same-site")], false),
        (&[JSON, OURS, ("origin", ORIGIN)], true),
        (&[JSON, OURS, ("origin", "https://evil.example")], false),
    ];
    for (headers, expected) in table {
        for path in ["/api/v1/migrations/search/emergency", "/api/v1/emergency"] {
            assert_eq!(passes(Some(ORIGIN), path, headers).await, expected, "{path} {headers:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_emergency_of_another_site_rolls_nothing_back() {
    let world = World::new().await;
    for path in ["/emergency", "/m/search/emergency", "/m/search/abort", "/api/v1/emergency"] {
        let request = somebody("override", Method::POST, path)
            .header("sec-fetch-site", "cross-site")
            .header("content-type", "application/json")
            .header("x-cutover-dashboard", "1");
        assert_eq!(world.send(request.body(Body::empty()).unwrap()).await.status, 403, "{path}");
    }
    assert_eq!((world.search.mode(), world.cart.mode()), (SystemMode::LegacyOnly, SystemMode::LegacyOnly));
}

#[tokio::test(start_paused = true)]
async fn no_other_site_may_read_an_answer() {
    let world = World::new().await;
    let request = somebody("view", Method::GET, "/api/v1/migrations").header("origin", "https://evil.example");
    let reply = world.send(request.body(Body::empty()).unwrap()).await;
    assert!(!reply.headers.keys().any(|name| name.as_str().starts_with("access-control")), "{:?}", reply.headers);
}
