//! The HTTP server, and the one call site that is guarded.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::get;
use cutover::DualRunner;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::prices::{NoPrice, Prices};

/// What the handler needs.
#[derive(Clone)]
pub(crate) struct Site {
    pub(crate) runner: Arc<DualRunner<u64, NoPrice>>,
    pub(crate) prices: Arc<Prices>,
}

/// `GET /price/17`. Which side answers is decided by the order's number, and is the same for it until the rollout changes.
async fn price(State(site): State<Site>, Path(order): Path<u64>) -> Result<String, StatusCode> {
    let (legacy, new) = (site.prices.legacy(order), site.prices.new_one(order));
    let price = site.runner.run(order, legacy, new).await;
    price.map(|price| price.to_string()).map_err(|NoPrice| StatusCode::INTERNAL_SERVER_ERROR)
}

pub(crate) struct Server {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    task: JoinHandle<io::Result<()>>,
}

impl Server {
    /// On a free port of this machine, for nobody else.
    pub(crate) async fn start(site: Site) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let (stop, stopped) = oneshot::channel::<()>();
        let app = Router::new().route("/price/{order}", get(price)).with_state(site);
        let serving = axum::serve(listener, app).with_graceful_shutdown(async move { drop(stopped.await) });
        Ok(Self { address, stop, task: tokio::spawn(async { serving.await }) })
    }

    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) async fn stop(self) -> io::Result<()> {
        drop(self.stop);
        self.task.await?
    }
}
