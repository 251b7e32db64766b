//! A migration goes from legacy to new and back, and what Prometheus would scrape is printed:
//!
//! ```sh
//! cargo run -p cutover-metrics --example prometheus_text
//! ```
#![expect(clippy::print_stdout, reason = "an example")]

use std::error::Error;
use std::time::Duration;

use cutover::{DualRunner, Equality, MemoryStore, MigrationController, Percentage, SystemMode};
use cutover_metrics::MetricsObserver;
use opentelemetry::metrics::MeterProvider;
use opentelemetry_sdk::metrics::SdkMeterProvider;
use prometheus::{Registry, TextEncoder};

type Runner = DualRunner<u64, &'static str>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    // The host's: SDK, reader and exporter.
    let registry = Registry::new();
    let exporter = opentelemetry_prometheus::exporter().with_registry(registry.clone()).build()?;
    let provider = SdkMeterProvider::builder().with_reader(exporter).build();

    let metrics = MetricsObserver::new(&provider.meter("shop"));
    let prices = MigrationController::builder("prices", MemoryStore::new()).observe(metrics.clone()).open().await?;
    metrics.observe_controller(&prices).keep();
    let price = Runner::builder("price", prices.clone()).comparator(Equality);
    let price = price.observe(metrics.for_migration("prices")).build();

    traffic(&price).await;
    prices.transition(SystemMode::Parallel, "ana", "first look").await?;
    traffic(&price).await;
    prices.transition(SystemMode::GradualRollout, "ana", "they agree").await?;
    prices.set_rollout(Percentage::new(25.0)?, "ana", "a quarter").await?;
    traffic(&price).await;
    prices.emergency_rollback("ben", "wrong totals").await;
    traffic(&price).await;

    print!("{}", TextEncoder::new().encode_to_string(&registry.gather())?);
    Ok(())
}

/// 100 calls. New is faster, wrong for every 25th order, and knows nothing of every 40th.
async fn traffic(price: &Runner) {
    for order in 0..100_u64 {
        let legacy = async move {
            tokio::time::sleep(Duration::from_millis(3)).await;
            Ok(100 + order)
        };
        let new = async move {
            tokio::time::sleep(Duration::from_millis(1)).await;
            if order % 40 == 39 { Err("unknown order") } else { Ok(100 + order + u64::from(order % 25 == 0)) }
        };
        // A host would use the answer.
        let _answer = price.run(order, legacy, new).await;
    }
}
