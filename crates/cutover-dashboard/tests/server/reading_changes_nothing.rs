//! Only a POST changes something.

use crate::common::{READ, World, commands, somebody};
use axum::body::Body;
use http::Method;

/// The fields of a command as a query.
fn query(body: &serde_json::Value) -> String {
    let fields = body.as_object().unwrap().iter().map(|(name, value)| {
        let text = value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned);
        format!("{name}={text}")
    });
    fields.collect::<Vec<_>>().join("&")
}

#[tokio::test(start_paused = true)]
async fn get_and_head_change_nothing_even_with_a_whole_command_in_the_query() {
    let world = World::new().await;
    world.record_discrepancies(1..=3);
    let before = world.stored().await;
    for (name, body) in commands() {
        let command = query(&body);
        let posted = [
            format!("/api/v1/migrations/search/{name}?{command}"),
            format!("/m/search/{name}?{command}"),
            format!("/emergency?{command}"),
            format!("/api/v1/emergency?{command}"),
        ];
        let read = READ.into_iter().map(|path| format!("{path}?command={name}&{command}"));
        for path in posted.into_iter().chain(read) {
            for method in [Method::GET, Method::HEAD] {
                let request = somebody("override", method.clone(), &path)
                    .header("content-type", "application/json")
                    .header("x-cutover-dashboard", "1")
                    .header("x-http-method-override", "POST")
                    .body(Body::from(body.to_string()));
                world.send(request.unwrap()).await;
            }
        }
    }
    assert_eq!(world.stored().await, before);
}

#[tokio::test(start_paused = true)]
async fn other_methods_are_refused() {
    let world = World::new().await;
    let before = world.stored().await;
    for method in ["PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "post", "SOMETHING"] {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        for (name, body) in commands() {
            let path = format!("/api/v1/migrations/search/{name}");
            let request = somebody("override", method.clone(), &path)
                .header("content-type", "application/json")
                .header("x-cutover-dashboard", "1")
                .body(Body::from(body.to_string()));
            let reply = world.send(request.unwrap()).await;
            assert_eq!(
                (reply.status, reply.headers["allow"].to_str().unwrap()),
                (405, "GET, HEAD, POST"),
                "{method} {path}"
            );
        }
    }
    assert_eq!(world.stored().await, before);
}

#[tokio::test(start_paused = true)]
async fn a_head_says_what_a_get_says_without_its_body() {
    let world = World::new().await;
    for path in READ {
        let get = world.get(path).await;
        let head = world.send(somebody("view", Method::HEAD, path).body(Body::empty()).unwrap()).await;
        assert_eq!((head.status, head.body.as_str()), (get.status, ""), "{path}");
    }
}
