//! Every response has the headers that keep browsers from harm.

use axum::body::Body;
use http::Method;
use serde_json::json;
use tower::ServiceExt;

use crate::common::{World, api, somebody};

const EXPECTED: [(&str, &str); 7] = [
    (
        "content-security-policy",
        "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; \
         frame-ancestors 'none'",
    ),
    ("x-frame-options", "DENY"),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "same-origin"),
    ("cache-control", "no-store"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
];

#[tokio::test(start_paused = true)]
async fn answers_refusals_and_streams_alike_have_them() {
    let world = World::new().await;
    let nobody = || http::Request::get("/").body(Body::empty()).unwrap();
    let read = |path: &str| somebody("view", Method::GET, path).body(Body::empty()).unwrap();
    let post = |path: &str, body: String| api("operate", path).body(Body::from(body)).unwrap();
    let form = |path: &str| somebody("operate", Method::POST, path).body(Body::empty()).unwrap();
    let put = somebody("operate", Method::PUT, "/").body(Body::empty()).unwrap();
    let requests = [
        (nobody(), 401),
        (read("/api/v1/migrations"), 200),
        (read("/api/v1/migrations/search/audit"), 200),
        (read("/live"), 200),
        (read("/m/search/live"), 200),
        (read("/nothing"), 404),
        (read("/api/v1/nothing"), 404),
        (read("/api/v1/migrations/search/audit?limit=0"), 422),
        (put, 405),
        (form("/m/search/pause"), 403),
        (post("/api/v1/migrations/search/pause", "x".repeat(20_000)), 413),
        (post("/api/v1/migrations/search/pause", "{".to_owned()), 422),
        (
            post(
                "/api/v1/migrations/search/pause",
                json!({ "epoch": 7, "etag": "0".repeat(32), "reason": "x" }).to_string(),
            ),
            409,
        ),
        (post("/api/v1/migrations/search/emergency", "{}".to_owned()), 200),
    ];
    for (request, status) in requests {
        let about = format!("{} {}", request.method(), request.uri());
        let response = world.router.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status().as_u16(), status, "{about}");
        for (name, value) in EXPECTED {
            let values: Vec<_> = response.headers().get_all(name).iter().collect();
            assert_eq!(values, [value], "{name} of {about}");
        }
    }
}
