//! The two servers that are measured: legacy alone, and legacy with new in its shadow.

use std::io;
use std::net::SocketAddr;

use axum::extract::Path;
use axum::routing::get;
use axum::{Json, Router};
use cutover::runtime::TokioRuntime;
use cutover::{Route, Side, SystemMode};
use cutover_tower::{MigrationLayer, by_path_segment};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};
use tower::Layer;

pub(crate) struct Arms {
    pub(crate) alone: SocketAddr,
    pub(crate) layered: SocketAddr,
    layer: MigrationLayer<Router>,
    /// Dropped last: they serve.
    _runtimes: [Runtime; 2],
}

impl Arms {
    pub(crate) fn start(own_runtime: bool) -> io::Result<Self> {
        let server = Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        let shadows = Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let parallel = Route::new(SystemMode::Parallel, Side::Legacy).with_shadow();
        let handle = shadows.handle().clone();
        let layer = MigrationLayer::builder("prices", parallel, api())
            .key(by_path_segment(1))
            .runner(move |runner| if own_runtime { runner.runtime(TokioRuntime::new(handle)) } else { runner })
            .build();
        let alone = server.block_on(serve(Router::new().fallback_service(api())))?;
        let layered = server.block_on(serve(Router::new().fallback_service(layer.layer(api()))))?;
        Ok(Self { alone, layered, layer, _runtimes: [server, shadows] })
    }

    /// What became of the shadows.
    pub(crate) fn summary(&self) -> String {
        let counts = self.layer.runner().counts();
        let else_ended = counts.ended() - counts.matched;
        format!("{} selected, {} matched, {else_ended} ended otherwise", counts.selected, counts.matched)
    }
}

/// A small API: some JSON, as most answers are.
fn api() -> Router {
    Router::new().route("/prices/{id}", get(price))
}

async fn price(Path(id): Path<u32>) -> Json<Value> {
    Json(json!({ "id": id, "cents": 990 + 7 * id, "currency": "EUR", "stock": [3, 1, 4], "name": "a thing for sale" }))
}

async fn serve(router: Router) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(address)
}
