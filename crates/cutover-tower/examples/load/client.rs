//! An open-loop client: asks when it is time, and measures from then.

use std::error::Error;
use std::net::SocketAddr;
use std::thread;
use std::time::{Duration, Instant};

use axum::body::Body;
use hdrhistogram::Histogram;
use http_body_util::BodyExt;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::runtime::Builder;

use crate::empty;
use crate::options::Options;

type Failed = Box<dyn Error + Send + Sync>;

/// Asks one server for as long, over all connections, and gives the latencies in nanoseconds.
pub(crate) fn block(server: SocketAddr, options: &Options, length: Duration) -> Result<Histogram<u64>, Failed> {
    let interval = Duration::from_secs(1) * options.connections / options.rate;
    let count = u32::try_from(length.as_nanos() / interval.as_nanos())?;
    let connections: Vec<_> = (0..options.connections)
        .map(|number| {
            let offset = interval * number / options.connections;
            thread::spawn(move || connection(server, offset, interval, count))
        })
        .collect();
    let mut all = empty()?;
    for connection in connections {
        all.add(&connection.join().map_err(|_| "a connection's thread panicked")??)?;
    }
    Ok(all)
}

/// One connection: a request each `interval`, beginning at `offset`.
#[expect(clippy::disallowed_methods, reason = "a measurement reads the time, and waits for it")]
fn connection(server: SocketAddr, offset: Duration, interval: Duration, count: u32) -> Result<Histogram<u64>, Failed> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let client = Client::builder(TokioExecutor::new()).build_http();
    runtime.block_on(ask(&client, server, 0))?;
    let mut latencies = empty()?;
    let start = Instant::now() + Duration::from_millis(20) + offset;
    for number in 0..count {
        let due = start + interval * number;
        thread::sleep(due.saturating_duration_since(Instant::now()));
        runtime.block_on(ask(&client, server, number % 1_000))?;
        latencies.record(u64::try_from(due.elapsed().as_nanos())?.max(1))?;
    }
    Ok(latencies)
}

async fn ask(client: &Client<HttpConnector, Body>, server: SocketAddr, id: u32) -> Result<(), Failed> {
    let response = client.get(format!("http://{server}/prices/{id}").parse()?).await?;
    let status = response.status();
    let body = response.into_body().collect().await?.to_bytes();
    if status.is_success() && !body.is_empty() { Ok(()) } else { Err(format!("{status}, {} bytes", body.len()).into()) }
}
