//! The traffic: a few clients that ask for prices over HTTP, some hundred times a second in all.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use axum::body::Body;
use axum::http::{StatusCode, Uri};
use cutover::random::{RandomSource, SystemRandom};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;

/// How many clients there are.
const CLIENTS: u64 = 16;
/// Each asks as soon as that time has passed since it asked last.
const PAUSE: Duration = Duration::from_millis(30);
/// The orders that they ask for.
const ORDERS: u64 = 20_000;
/// Nobody asks more often than that, whatever happens.
const MOST_CALLS: u64 = 30_000;

/// What the clients got.
#[derive(Debug, Default)]
struct Got {
    answers: AtomicU64,
    errors: AtomicU64,
    over: AtomicBool,
}

pub(crate) struct Shoppers {
    got: Arc<Got>,
    tasks: JoinSet<()>,
}

impl Shoppers {
    pub(crate) fn start(server: SocketAddr) -> Self {
        let got = Arc::new(Got::default());
        let mut tasks = JoinSet::new();
        // One client keeps the connections of all; hyper's own is compiled anyway, since axum stands on it.
        let client = Client::builder(TokioExecutor::new()).build_http::<Body>();
        for _ in 0..CLIENTS {
            tasks.spawn(shop(client.clone(), server, Arc::clone(&got)));
        }
        Self { got, tasks }
    }

    /// How many calls were answered, and how many of them with an error, so far.
    pub(crate) fn got(&self) -> (u64, u64) {
        (self.got.answers.load(Ordering::Relaxed), self.got.errors.load(Ordering::Relaxed))
    }

    pub(crate) async fn stop(mut self) {
        self.got.over.store(true, Ordering::Relaxed);
        while self.tasks.join_next().await.is_some() {}
    }
}

async fn shop(client: Client<HttpConnector, Body>, server: SocketAddr, got: Arc<Got>) {
    let mut pause = tokio::time::interval(PAUSE);
    pause.set_missed_tick_behavior(MissedTickBehavior::Delay);
    for _ in 0..MOST_CALLS / CLIENTS {
        pause.tick().await;
        if got.over.load(Ordering::Relaxed) {
            return;
        }
        let is_well = ask(&client, server, SystemRandom.next_u64() % ORDERS).await;
        got.answers.fetch_add(1, Ordering::Relaxed);
        got.errors.fetch_add(u64::from(!is_well), Ordering::Relaxed);
    }
}

/// Whether there was a price.
async fn ask(client: &Client<HttpConnector, Body>, server: SocketAddr, order: u64) -> bool {
    let Ok(uri) = format!("http://{server}/price/{order}").parse::<Uri>() else { return false };
    let answered = tokio::time::timeout(Duration::from_secs(5), client.get(uri)).await;
    let Ok(Ok(response)) = answered else { return false };
    let is_well = response.status() == StatusCode::OK;
    // Read to its end, so that the connection can be used again.
    axum::body::to_bytes(Body::new(response.into_body()), 1_024).await.is_ok() && is_well
}
