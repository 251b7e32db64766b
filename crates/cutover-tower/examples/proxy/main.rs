//! A proxy in front of two versions of an API, and the migration from one to the other: found out while nobody is served
//! by it, mended, rolled out, and taken back.
//!
//! `cargo run -p cutover-tower --example proxy` tells the story and ends. With `-- --serve` it goes on until Ctrl-C.
#![expect(clippy::print_stdout, reason = "an example tells what it does")]

mod api;
mod forward;

use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use api::Version;
use axum::Router;
use axum::body::{Body, to_bytes};
use cutover::{MemoryRecorder, MemoryStore, MigrationController, Percentage, Structural, SystemMode};
use cutover_tower::{HttpComparator, MigrationLayer, by_header};
use forward::{Forward, client, uri};
use http::{HeaderName, Request};
use serde_json::json;
use tokio::net::TcpListener;
use tower::Layer;

type Outcome<T> = Result<T, Box<dyn Error>>;

const USER: HeaderName = HeaderName::from_static("x-user");

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Outcome<()> {
    let new = Version::new("v2");
    new.rounds_down(true);
    let legacy_at = serve(api::router(Version::new("v1"))).await?;
    let new_at = serve(api::router(new.clone())).await?;

    let controller = MigrationController::open("prices", MemoryStore::new()).await?;
    let recorder = Arc::new(MemoryRecorder::new());
    let records = Arc::clone(&recorder);
    let layer = MigrationLayer::builder("prices", controller.clone(), Forward::new(new_at))
        .key(by_header(USER))
        .comparator(HttpComparator::new().json(Structural::new().ignore("/served_by")))
        .describe(|head| json!({ "method": head.method.as_str(), "path": head.uri.path() }))
        .runner(move |runner| runner.record_to(records).capture_differences())
        .build();
    let proxy = serve(Router::new().fallback_service(layer.layer(Forward::new(legacy_at)))).await?;
    println!("legacy on {legacy_at}, new on {new_at}, the proxy in front of them on {proxy}\n");

    let story = Story { proxy, controller, layer, recorder, new };
    story.tell().await?;
    if std::env::args().any(|argument| argument == "--serve") {
        println!("\nserving on http://{proxy}/prices/1 until Ctrl-C; send x-user to be somebody");
        tokio::signal::ctrl_c().await?;
    }
    Ok(())
}

/// Serves on a free port of loopback.
async fn serve(router: Router) -> Outcome<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(address)
}

struct Story {
    proxy: SocketAddr,
    controller: MigrationController,
    layer: MigrationLayer<Forward>,
    recorder: Arc<MemoryRecorder>,
    new: Version,
}

impl Story {
    async fn tell(&self) -> Outcome<()> {
        self.show("legacy only: nothing runs beside it").await?;

        self.controller.transition(SystemMode::Parallel, "ana", "first look").await?;
        self.show("parallel: new runs as the shadow, and rounds prices down").await?;
        for found in self.recorder.discrepancies() {
            println!("  {found}");
            if let Some(context) = &found.context {
                println!("  seen {} times, first at {context}", found.occurrences);
            }
        }

        self.new.rounds_down(false);
        self.show("parallel: new is mended").await?;

        self.controller.transition(SystemMode::GradualRollout, "ana", "no discrepancy left").await?;
        self.controller.set_rollout(Percentage::new(30.0)?, "ana", "a part of the users").await?;
        self.show("gradual rollout: 30 % of the users are served by new").await?;

        self.controller.emergency_rollback("ben", "somebody complained").await;
        self.show("emergency rollback: everybody is back on legacy").await?;

        self.put().await
    }

    /// Twenty users ask for prices; who served them, and what the comparison says.
    async fn show(&self, title: &str) -> Outcome<()> {
        let before = self.layer.runner().counts();
        let mut by_new = 0;
        for user in 0..20 {
            let request = Request::get(uri(self.proxy, &format!("/prices/{user}"))?);
            let answer = ask(request.header(USER, user).body(Body::empty())?).await?;
            by_new += u32::from(answer.contains("v2"));
        }
        while self.layer.runner().counts().in_flight() > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let counts = self.layer.runner().counts();
        println!(
            "{title}\n  20 requests: {} by legacy, {by_new} by new; {} shadows: {} matched, {} mismatched",
            20 - by_new,
            counts.selected - before.selected,
            counts.matched - before.matched,
            counts.mismatched - before.mismatched,
        );
        Ok(())
    }

    /// A PUT runs once, whatever the mode.
    async fn put(&self) -> Outcome<()> {
        self.controller.transition(SystemMode::LegacyOnly, "ana", "the complaint is settled").await?;
        self.controller.transition(SystemMode::Parallel, "ana", "another look").await?;
        let request = Request::put(uri(self.proxy, "/prices/3")?).body(Body::from("12.5"))?;
        let answer = ask(request).await?;
        let left_out = self.layer.request_counts().not_allowed;
        println!(
            "parallel: a PUT is not safe, and has no shadow\n  {answer}; {left_out} request ran without its shadow"
        );
        Ok(())
    }
}

async fn ask(request: Request<Body>) -> Outcome<String> {
    let response = client().request(request).await?;
    let body = to_bytes(Body::new(response.into_body()), 1 << 16).await?;
    Ok(String::from_utf8(body.to_vec())?)
}
