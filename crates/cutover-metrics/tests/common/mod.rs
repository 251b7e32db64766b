//! What the tests share: a meter that is exported as Prometheus text, and traffic for it.
#![allow(dead_code, clippy::allow_attributes, reason = "each test uses its own part")]
#![expect(clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

pub(crate) mod eval;
pub(crate) mod promql;
pub(crate) mod text;
pub(crate) mod world;

use std::collections::BTreeMap;

use cutover_metrics::{MetricsBuilder, MetricsObserver};
use opentelemetry::metrics::MeterProvider;
use opentelemetry_sdk::metrics::SdkMeterProvider;
use prometheus::{Registry, TextEncoder};

use text::{Family, Labels, Sample};

/// A meter provider, and the official exporter behind it.
pub(crate) struct Exported {
    provider: SdkMeterProvider,
    registry: Registry,
}

impl Exported {
    pub(crate) fn new() -> Self {
        let registry = Registry::new();
        let exporter = opentelemetry_prometheus::exporter().with_registry(registry.clone()).build().unwrap();
        Self { provider: SdkMeterProvider::builder().with_reader(exporter).build(), registry }
    }

    pub(crate) fn observer(&self) -> MetricsObserver {
        self.build(MetricsObserver::builder())
    }

    pub(crate) fn build(&self, builder: MetricsBuilder) -> MetricsObserver {
        builder.build(&self.provider.meter("shop"))
    }

    /// What a scrape gets.
    pub(crate) fn text(&self) -> String {
        TextEncoder::new().encode_to_string(&self.registry.gather()).unwrap()
    }

    pub(crate) fn scrape(&self) -> Scrape {
        Scrape::of(&self.text())
    }
}

/// What a scrape got, read strictly.
#[derive(Debug)]
pub(crate) struct Scrape(pub(crate) BTreeMap<String, Family>);

impl Scrape {
    pub(crate) fn of(text: &str) -> Self {
        Self(text::parse(text).unwrap_or_else(|why| panic!("{why}\n{text}")))
    }

    pub(crate) fn samples(&self, metric: &str) -> &[Sample] {
        self.0.get(metric).map_or(&[], |family| &family.samples)
    }

    /// The value of the one series of `metric` that has these labels, those of the meter aside.
    pub(crate) fn value(&self, metric: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let wanted: Labels = labels.iter().map(|(name, value)| (own_label(name), (*value).to_owned())).collect();
        let found = self.samples(metric).iter().find(|sample| own(&sample.labels) == wanted);
        found.map(|sample| sample.value)
    }

    /// All series of `metric` that have these labels, added up.
    pub(crate) fn sum(&self, metric: &str, labels: &[(&str, &str)]) -> f64 {
        let has = |sample: &&Sample| {
            labels.iter().all(|(name, value)| sample.labels.get(&own_label(name)).map(String::as_str) == Some(value))
        };
        self.samples(metric).iter().filter(has).map(|sample| sample.value).sum()
    }

    /// How many series there are.
    pub(crate) fn len(&self) -> usize {
        self.0.values().map(|family| family.samples.len()).sum()
    }
}

/// The count that a sample says.
pub(crate) fn count(sample: f64) -> u64 {
    sample.to_string().parse().unwrap_or_else(|_| panic!("{sample} is no count"))
}

/// A count as samples say it.
pub(crate) fn number(count: impl std::fmt::Display) -> f64 {
    count.to_string().parse().unwrap()
}

/// The label of an attribute: `side` is `cutover_side`.
fn own_label(name: &str) -> String {
    if name == "le" { name.to_owned() } else { format!("cutover_{name}") }
}

/// The labels that come from the attributes.
fn own(labels: &Labels) -> Labels {
    labels.iter().filter(|(name, _)| !name.starts_with("otel_")).map(|(k, v)| (k.clone(), v.clone())).collect()
}

/// What Prometheus calls a metric: its exporter's rules for names, units and counters.
pub(crate) fn prometheus_name(metric: &cutover_metrics::Metric) -> String {
    let suffix = match (metric.unit, metric.kind) {
        ("s", _) => "_seconds",
        ("1", _) => "_ratio",
        (_, cutover_metrics::metric::Kind::Counter) => "_total",
        _ => "",
    };
    format!("{}{suffix}", metric.name.replace('.', "_"))
}
