//! Nothing is shown and nothing is done without a principal, whatever the path is.

use std::future::pending;
use std::time::Duration;

use crate::common::{READ, World, commands};
use axum::body::Body;
use cutover::store::async_trait;
use cutover_dashboard::{Authorizer, Dashboard, Deny, Principal};
use http::request::Parts;
use http::{Method, Request};

/// Paths of all kinds: pages, assets, live updates, the API, what is not there, and what looks like something else.
const PATHS: [&str; 19] = [
    "/",
    "",
    "/m/search",
    "/m/search/discrepancies",
    "/m/search/audit?verify=1",
    "/m/search/claims",
    "/m/search/live",
    "/live",
    "/assets/style.css",
    "/assets/morph.js",
    "/assets/script.js",
    "/api/v1/migrations",
    "/api/v1/nothing",
    "/api/v2/migrations",
    "//api/v1/migrations",
    "/API/v1/migrations",
    "/api/v1/../v1/migrations",
    "/%61pi/v1/migrations",
    "/nothing",
];

fn nobody(method: Method, path: &str) -> Request<Body> {
    let path = if path.is_empty() { "/" } else { path };
    Request::builder().method(method).uri(path).body(Body::empty()).unwrap()
}

#[tokio::test(start_paused = true)]
async fn without_a_principal_every_path_answers_alike() {
    let world = World::new().await;
    for method in [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::DELETE, Method::OPTIONS] {
        for path in PATHS.into_iter().chain(READ) {
            let reply = world.send(nobody(method.clone(), path)).await;
            assert_eq!(reply.status, 401, "{method} {path}");
            assert!(!reply.body.contains("search"), "{method} {path}: {}", reply.body);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_there_cannot_be_told_from_what_is_not() {
    let world = World::new().await;
    let there = world.send(nobody(Method::GET, "/api/v1/migrations/search")).await;
    let not_there = world.send(nobody(Method::GET, "/api/v1/migrations/nothing")).await;
    assert_eq!((there.status, &there.body, &there.headers), (not_there.status, &not_there.body, &not_there.headers));
}

#[tokio::test(start_paused = true)]
async fn without_a_principal_no_command_is_carried_out() {
    let world = World::new().await;
    let before = world.stored().await;
    for (name, body) in commands() {
        for path in [format!("/m/search/{name}"), format!("/api/v1/migrations/search/{name}"), "/emergency".to_owned()]
        {
            let request = Request::post(&path)
                .header("content-type", "application/json")
                .header("x-cutover-dashboard", "1")
                .header("sec-fetch-site", "same-origin")
                .body(Body::from(body.to_string()));
            assert_eq!(world.send(request.unwrap()).await.status, 401, "{path}");
        }
    }
    assert_eq!(world.stored().await, before);
}

#[tokio::test(start_paused = true)]
async fn pages_lead_to_where_one_signs_in_and_everything_else_does_not() {
    let sign_in = |_: &Parts| Err::<Principal, _>(Deny::SignInAt("/login?next=cutover".to_owned()));
    let router = Dashboard::new(sign_in).router().unwrap();
    let world = World { router, ..World::new().await };
    let page = world.send(nobody(Method::GET, "/m/search")).await;
    assert_eq!((page.status, page.headers["location"].to_str().unwrap()), (303, "/login?next=cutover"));
    for path in ["/api/v1/migrations", "/live", "/m/search/live", "/assets/style.css"] {
        let reply = world.send(nobody(Method::GET, path)).await;
        assert_eq!((reply.status, reply.headers.get("location")), (401, None), "{path}");
    }
    assert_eq!(world.send(nobody(Method::POST, "/m/search/emergency")).await.status, 401);
}

#[tokio::test(start_paused = true)]
async fn a_place_to_sign_in_that_is_no_header_value_is_not_sent() {
    let sign_in = |_: &Parts| Err::<Principal, _>(Deny::SignInAt("/login\r\nset-cookie: a=b".to_owned()));
    let world = World { router: Dashboard::new(sign_in).router().unwrap(), ..World::new().await };
    let reply = world.send(nobody(Method::GET, "/")).await;
    assert_eq!((reply.status, reply.headers.get("set-cookie")), (401, None));
}

#[tokio::test(start_paused = true)]
async fn an_authorizer_that_panics_denies() {
    let panics = |_: &Parts| -> Result<Principal, Deny> { panic!("the session store is gone: token=canary-8") };
    let world = World { router: Dashboard::new(panics).router().unwrap(), ..World::new().await };
    let reply = world.send(nobody(Method::GET, "/api/v1/migrations")).await;
    assert_eq!(reply.status, 403);
    assert!(!reply.body.contains("canary"));
}

struct Hanging;

#[async_trait]
impl Authorizer for Hanging {
    async fn authorize(&self, _: &Parts) -> Result<Principal, Deny> {
        pending().await
    }
}

#[tokio::test(start_paused = true)]
async fn an_authorizer_that_does_not_answer_denies_after_the_timeout() {
    let router = Dashboard::new(Hanging).timeout(Duration::from_secs(3)).router().unwrap();
    let world = World { router, ..World::new().await };
    let started = tokio::time::Instant::now();
    let reply = world.send(nobody(Method::GET, "/")).await;
    assert_eq!((reply.status, started.elapsed().as_secs()), (403, 3));
}

#[tokio::test(start_paused = true)]
async fn who_is_known_and_may_see_nothing_is_told_so() {
    let forbidden = |_: &Parts| Err::<Principal, _>(Deny::Forbidden);
    let world = World { router: Dashboard::new(forbidden).router().unwrap(), ..World::new().await };
    for path in PATHS {
        assert_eq!(world.send(nobody(Method::GET, path)).await.status, 403, "{path}");
    }
}
