//! A path that is asked for in the wrong way says what is to be done instead.

use axum::body::Body;
use cutover_dashboard::command::Command;
use http::Method;

use crate::common::{Reply, World, api, somebody};

async fn ask(world: &World, method: Method, path: &str) -> Reply {
    world.send(somebody("operate", method, path).body(Body::empty()).unwrap()).await
}

#[tokio::test(start_paused = true)]
async fn a_command_that_is_opened_as_a_page_says_where_its_form_is() {
    let world = World::new().await;
    let before = world.stored().await;
    let of_one = Command::NAMES.into_iter().map(|name| format!("/m/search/{name}"));
    for path in of_one.chain(["/emergency".to_owned()]) {
        let reply = ask(&world, Method::GET, &path).await;
        assert_eq!((reply.status, reply.headers["allow"].to_str().unwrap()), (405, "POST"), "{path}");
        assert_eq!(reply.headers["content-type"], "text/html; charset=utf-8", "{path}");
        assert!(reply.body.contains("Nothing was changed"), "{path}: {}", reply.body);
        assert!(reply.body.contains("the form on its page"), "{path}: {}", reply.body);
        let page = if path == "/emergency" { "href=\"/\"" } else { "href=\"/m/search\"" };
        assert!(reply.body.contains(page), "{path}: {}", reply.body);
        assert_eq!(ask(&world, Method::HEAD, &path).await.status, 405, "{path}");
    }
    assert_eq!(world.stored().await, before);
}

#[tokio::test(start_paused = true)]
async fn a_command_that_is_read_from_the_api_says_how_it_is_sent() {
    let world = World::new().await;
    let of_one = Command::NAMES.into_iter().map(|name| format!("/api/v1/migrations/search/{name}"));
    for path in of_one.chain(["/api/v1/emergency".to_owned()]) {
        let reply = ask(&world, Method::GET, &path).await;
        assert_eq!((reply.status, reply.headers["allow"].to_str().unwrap()), (405, "POST"), "{path}");
        assert_eq!(
            (reply.problem().as_str(), &reply.headers["content-type"]),
            ("method", &"application/problem+json".parse().unwrap())
        );
        assert!(reply.body.contains("POST") && reply.body.contains("Nothing was changed"), "{path}: {}", reply.body);
    }
}

#[tokio::test(start_paused = true)]
async fn what_can_only_be_read_says_so() {
    let world = World::new().await;
    for path in ["/", "/m/search", "/m/search/audit", "/m/search/live", "/live", "/assets/style.css"] {
        let post = somebody("operate", Method::POST, path).header("sec-fetch-site", "same-origin");
        let reply = world.send(post.body(Body::empty()).unwrap()).await;
        assert_eq!((reply.status, reply.headers["allow"].to_str().unwrap()), (405, "GET, HEAD"), "{path}");
        assert!(reply.body.contains("can only be read"), "{path}: {}", reply.body);
    }
    for path in ["/api/v1/migrations", "/api/v1/migrations/search"] {
        let reply = world.send(api("operate", path).body(Body::from("{}")).unwrap()).await;
        assert_eq!((reply.status, reply.headers["allow"].to_str().unwrap()), (405, "GET, HEAD"), "{path}");
        assert_eq!(reply.problem(), "method", "{path}: {}", reply.body);
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_not_there_is_not_found_whatever_the_method() {
    let world = World::new().await;
    for path in
        ["/m/search/dance", "/m/nothing/pause", "/api/v1/migrations/search/dance", "/api/v1/migrations/nothing/pause"]
    {
        assert_eq!(ask(&world, Method::GET, path).await.status, 404, "{path}");
    }
}
