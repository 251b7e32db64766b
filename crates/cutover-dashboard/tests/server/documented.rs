//! API.md has every route and every command, and nothing else.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use axum::body::Body;
use cutover_dashboard::command::Command;
use serde_json::json;

use crate::common::{World, api, commands};

fn read(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap()
}

/// The routes of the headings, such as `GET /live`.
fn documented() -> BTreeSet<String> {
    let text = read("API.md");
    let headings = text.lines().filter_map(|line| line.strip_prefix("### `")?.strip_suffix('`').map(ToOwned::to_owned));
    headings.collect()
}

/// The routes of the sources.
fn built() -> BTreeSet<String> {
    let text = read("src/api.rs") + &read("src/live.rs");
    let routes = text.split(".route(\"").skip(1).map(|rest| {
        let (path, rest) = rest.split_once("\", ").unwrap();
        let method = if rest.starts_with("get(") { "GET" } else { "POST" };
        format!("{method} {path}")
    });
    routes.collect()
}

#[test]
fn the_routes_of_the_document_are_those_of_the_sources() {
    assert_eq!(documented(), built());
    assert!(built().len() >= 11, "{:?}", built());
}

#[tokio::test(start_paused = true)]
async fn every_documented_route_is_there() {
    let world = World::new().await;
    world.record_discrepancies([1]);
    let fingerprint = world.recorder.discrepancies().remove(0).fingerprint.to_string();
    for route in documented() {
        let (method, path) = route.split_once(' ').unwrap();
        let path = path
            .replace("{id}", "search")
            .replace("{fingerprint}", &fingerprint)
            .replace("{command}", "emergency")
            .replace("{group}", "shop");
        let reply = if method == "GET" && !path.ends_with("/live") {
            world.get(&path).await.status
        } else if method == "GET" {
            let request = crate::common::somebody("view", http::Method::GET, &path).body(Body::empty()).unwrap();
            tower::ServiceExt::oneshot(world.router.clone(), request).await.unwrap().status().as_u16()
        } else {
            world.send(api("operate", &path).body(Body::from("{}")).unwrap()).await.status
        };
        assert_eq!(reply, 200, "{route}");
    }
}

#[test]
fn every_command_is_documented_with_its_role_and_confirmation() {
    let text = read("API.md");
    for name in Command::NAMES {
        assert!(text.lines().any(|line| line.starts_with(&format!("| `{name}`"))), "{name}");
    }
    let names: BTreeSet<_> = Command::NAMES.into_iter().collect();
    assert_eq!(names, commands().into_iter().map(|(name, _)| name).collect());
}

#[tokio::test(start_paused = true)]
async fn every_kind_of_problem_is_documented() {
    let text = read("API.md");
    let sources = ["act", "api", "gate", "origin", "problem", "records", "search"];
    for source in sources {
        let source = read(&format!("src/{source}.rs"));
        for after in source.split("::new(").skip(1) {
            let Some(kind) = after.trim_start().strip_prefix('"').and_then(|rest| rest.split('"').next()) else {
                continue;
            };
            let is_kind = !kind.is_empty() && kind.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
            assert!(!is_kind || text.contains(&format!("| `{kind}` |")), "{kind}");
        }
    }
    let world = World::new().await;
    let reply = world.post("view", "/api/v1/migrations/search/pause", &json!({})).await;
    assert!(text.contains(&format!("| `{}` |", reply.problem())), "{}", reply.body);
}
