//! Metrics of [`cutover`] for OpenTelemetry: [`MetricsObserver`].
//!
//! | for | see |
//! |---|---|
//! | counting what runners and controllers tell | [`MetricsObserver`] |
//! | gauges of migrations | [`MetricsObserver::observe_controller`], [`MetricsObserver::observe_registry`] |
//! | gauges of the evidence of a guard | [`MetricsObserver::observe_guard`] |
//! | how long gauges are told | [`Watch`] |
//! | how many names are told apart | [`MetricsBuilder::max_names`] |
//! | the name, unit and attributes of each metric | [`METRICS`], [`attribute`](metric::attribute), README.md |
//! | the ranges of durations | [`DURATION_BOUNDARIES`](metric::DURATION_BOUNDARIES) |
//!
//! The crate uses the API of OpenTelemetry only: SDK, reader and exporter are the host's. `grafana/cutover.json` is a
//! dashboard for what the Prometheus exporter makes of it, and `prometheus/cutover-alerts.yml` has rules for alerts.

#![cfg_attr(cutover_docsrs, feature(doc_cfg))]

mod cells;
mod contain;
mod gauges;
pub mod metric;
mod migration;
mod names;
mod observer;
mod series;
mod state;
mod watch;

pub use metric::{METRICS, Metric};
pub use observer::{MetricsBuilder, MetricsObserver};
pub use watch::Watch;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
