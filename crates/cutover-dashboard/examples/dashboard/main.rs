//! A shop moves four of its parts from legacy to new, and a dashboard shows it: real calls of two implementations, a plan, a
//! guard, and faults to inject.
//!
//! `cargo run -p cutover-dashboard --example dashboard [-- PORT]` serves on 127.0.0.1 until it is stopped; without a port it
//! takes a free one. Where `DEMO_SECONDS` is set, it ends by itself after as many seconds.
//!
//! What a host writes is in `team.rs` (who may do what) and `moves.rs` (controllers, monitors, plan and guard); the two
//! implementations are in `shop.rs`, and the rest is the show.

#![expect(clippy::print_stdout, reason = "an example talks to whoever runs it")]

mod desk;
mod faults;
mod moves;
mod shop;
mod team;

use std::error::Error;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::response::Redirect;
use axum::routing::get;
use cutover_dashboard::Dashboard;
use tokio::net::TcpListener;
use tokio::sync::watch;

use faults::Faults;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let port = std::env::args().nth(1).map(|port| port.parse::<u16>()).transpose()?.unwrap_or(0);
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    let address = listener.local_addr()?;

    let faults = Arc::new(Faults::default());
    let (stop, stopped) = watch::channel(false);
    let until = |mut stopped: watch::Receiver<bool>| async move { drop(stopped.wait_for(|stopped| *stopped).await) };
    tokio::spawn(async move {
        end().await;
        stop.send_replace(true);
    });
    let (moves, registry) = moves::begin(&faults).await?;
    let dashboard = moves
        .into_iter()
        .fold(Dashboard::new(team::authorize), Dashboard::migration)
        .registry(&registry)
        .origin(format!("http://{address}"))
        .sample_every(Duration::from_secs(2))
        .until(until(stopped.clone()))
        .router()?;

    let app = Router::new()
        .route("/", get(|| async { Redirect::to("/desk") }))
        .merge(desk::routes(faults))
        .nest("/cutover", dashboard);
    println!("The dashboard:           http://{address}/cutover");
    println!("Faults, and signing in:  http://{address}/desk");
    axum::serve(listener, app).with_graceful_shutdown(until(stopped)).await?;
    Ok(())
}

/// Ctrl-C, or the end of the time that was given.
async fn end() {
    let seconds = std::env::var("DEMO_SECONDS").ok().and_then(|seconds| seconds.parse().ok());
    let stopped = async { tokio::signal::ctrl_c().await.unwrap_or(()) };
    match seconds {
        Some(seconds) => drop(tokio::time::timeout(Duration::from_secs(seconds), stopped).await),
        None => stopped.await,
    }
}
