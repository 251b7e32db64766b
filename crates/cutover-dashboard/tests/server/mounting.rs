//! The router works wherever it is mounted, and says what is wrong when it cannot be built.

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use cutover::MigrationRegistry;
use cutover_dashboard::{Dashboard, DashboardError, Migration};
use http::Method;
use serde_json::json;

use crate::common::{World, by_header, somebody};

async fn status(app: &Router, path: &str) -> u16 {
    let world = World { router: app.clone(), ..World::new().await };
    world.send(somebody("view", Method::GET, path).body(Body::empty()).unwrap()).await.status
}

/// `nest` leaves the path with a slash at its end to the host; `nest_service` does not.
#[tokio::test(start_paused = true)]
async fn nested_at_any_path_it_answers_there_and_nowhere_else() {
    for base in ["/cutover", "/ops/tools/cutover"] {
        let host = || Router::new().route("/", get(|| async { "the host" }));
        let nested = host().nest(base, World::new().await.router);
        let as_service = host().nest_service(base, World::new().await.router);
        for (app, slash) in [(nested, 404), (as_service, 401)] {
            assert_eq!(status(&app, &format!("{base}/api/v1/migrations")).await, 200, "{base}");
            assert_eq!(status(&app, &format!("{base}/api/v1/migrations/search/audit")).await, 200, "{base}");
            for (path, expected) in [("", 401), ("/", slash), ("/m/search", 401), ("/nothing", 401), ("//", 401)] {
                let request = http::Request::get(format!("{base}{path}")).body(Body::empty()).unwrap();
                let reply = World { router: app.clone(), ..World::new().await }.send(request).await;
                assert_eq!(reply.status, expected, "{base}{path}");
            }
            let world = World { router: app.clone(), ..World::new().await };
            let pulled = world.post("operate", &format!("{base}/api/v1/migrations/search/emergency"), &json!({})).await;
            assert_eq!(pulled.status, 200, "{base}: {}", pulled.body);
            let host = World { router: app.clone(), ..World::new().await }.get("/").await;
            assert_eq!((host.body.as_str(), host.headers.get("x-frame-options")), ("the host", None));
            assert_eq!(status(&app, "/api/v1/migrations").await, 404);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn merged_as_the_fallback_of_the_root_it_answers_at_the_root() {
    let world = World::new().await;
    assert_eq!(status(&world.router, "/api/v1/migrations").await, 200);
    let app = Router::new().route("/health", get(|| async { "ok" })).merge(world.router.clone());
    assert_eq!((status(&app, "/api/v1/migrations").await, status(&app, "/health").await), (200, 200));
}

#[tokio::test(start_paused = true)]
async fn one_migration_cannot_be_given_twice() {
    let world = World::new().await;
    let twice = Dashboard::new(by_header).migration(Migration::new(&world.cart)).migration(Migration::new(&world.cart));
    assert_eq!(twice.router().unwrap_err(), DashboardError::Twice { id: "cart".parse().unwrap() });
}

#[tokio::test(start_paused = true)]
async fn a_registry_adds_those_that_were_not_given() {
    let world = World::new().await;
    let registry = MigrationRegistry::new();
    registry.register(world.search.clone(), &[]).unwrap();
    registry.register(world.cart.clone(), &[]).unwrap();
    let given = Migration::new(&world.search).recorder(world.recorder.clone());
    let router = Dashboard::new(by_header).migration(given).registry(&registry).router().unwrap();
    let world = World { router, ..world };
    assert_eq!(world.get("/api/v1/migrations/cart").await.status, 200);
    assert_eq!(world.get("/api/v1/migrations/search").await.json()["discrepancies"], json!(0));
}

#[tokio::test(start_paused = true)]
async fn an_origin_is_a_scheme_a_host_and_perhaps_a_port() {
    let with = |origin: &str| Dashboard::new(by_header).origin(origin).router().map(drop);
    for origin in
        ["https://ops.example.com", "http://localhost:8080", "https://[::1]:9000", "HTTPS://Ops.Example.com:443"]
    {
        assert_eq!(with(origin), Ok(()), "{origin}");
    }
    let bad = [
        "",
        "ops.example.com",
        "https://",
        "ftp://a.example",
        "https://a.example/",
        "https://a.example/x",
        "https://a@b.example",
        "*",
        "null",
        "https://a.example?x",
        "https://a b",
    ];
    for origin in bad {
        assert_eq!(with(origin), Err(DashboardError::Origin), "{origin}");
    }
}

#[tokio::test(start_paused = true)]
async fn times_and_the_base_path_are_checked() {
    let new = || Dashboard::new(by_header);
    let seconds = Duration::from_secs;
    for bad in [
        new().sample_every(seconds(0)),
        new().sample_every(seconds(3_601)),
        new().timeout(Duration::from_millis(999)),
        new().timeout(seconds(601)),
    ] {
        assert!(matches!(bad.router(), Err(DashboardError::Time { .. })));
    }
    for base in ["cutover", "/a b", "//evil.example", "/a\"", "/a?b", "/ä"] {
        assert_eq!(new().base_path(base).router().map(drop), Err(DashboardError::BasePath), "{base}");
    }
    for base in ["", "/", "/cutover", "/ops/cutover/"] {
        assert_eq!(new().base_path(base).router().map(drop), Ok(()), "{base}");
    }
}

#[test]
fn without_a_runtime_there_is_no_router() {
    assert_eq!(Dashboard::new(by_header).router().map(drop), Err(DashboardError::NoRuntime));
}

#[tokio::test(start_paused = true)]
async fn links_begin_with_the_base_path_and_pages_that_are_not_shown_can_roll_back() {
    let world = World::with(|dashboard| dashboard.base_path("/ops")).await;
    for path in ["/", "/m/search", "/m/search/audit", "/m/search/discrepancies/none", "/m/none", "/none"] {
        let reply = world.get_as("operate", path).await;
        for start in ["href=\"/", "action=\"/", "src=\"/"] {
            assert!(reply.body.split(start).skip(1).all(|rest| rest.starts_with("ops")), "{path}: {}", reply.body);
        }
        assert!(!reply.body.contains("nothing to roll back"), "{path}");
        let of = if path.starts_with("/m/search") { "/ops/m/search/emergency" } else { "/ops/emergency" };
        assert!(reply.body.contains(&format!("action=\"{of}\"")), "{path}: {}", reply.body);
    }
    let put = world.send(somebody("operate", Method::PUT, "/m/search").body(Body::empty()).unwrap()).await;
    assert!(put.status == 405 && put.body.contains("action=\"/ops/m/search/emergency\""), "{}", put.body);
}
