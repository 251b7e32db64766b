//! The table of README.md is the list in the code.

use cutover_metrics::METRICS;
use cutover_metrics::metric::{DURATION_BOUNDARIES, Kind};

mod common;

const README: &str = include_str!("../README.md");

/// The cells of each row of the table below the heading.
fn rows(heading: &str) -> Vec<Vec<&'static str>> {
    let lines = README.lines().skip_while(|line| *line != heading).skip_while(|line| !line.starts_with('|'));
    let rows = lines.take_while(|line| line.starts_with('|')).skip(2);
    rows.map(|row| row.trim_matches('|').split('|').map(str::trim).collect()).collect()
}

#[test]
fn the_table_has_every_metric_as_it_is() {
    let rows = rows("## The metrics");
    let in_code: Vec<Vec<String>> = METRICS
        .iter()
        .map(|metric| {
            let kind = match metric.kind {
                Kind::Counter => "counter",
                Kind::Histogram => "histogram",
                Kind::Gauge | _ => "gauge",
            };
            let attributes = metric.attributes.iter().map(|name| name.strip_prefix("cutover.").unwrap());
            let attributes = attributes.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" ");
            let (name, unit) = (format!("`{}`", metric.name), format!("`{}`", metric.unit));
            vec![name, kind.to_owned(), unit, attributes, metric.description.to_owned()]
        })
        .collect();
    assert_eq!(rows, in_code);
}

#[test]
fn the_table_has_every_attribute_with_its_values() {
    let mut in_code: Vec<&str> = METRICS.iter().flat_map(|metric| metric.attributes).copied().collect();
    in_code.sort_unstable();
    in_code.dedup();
    let rows = rows("## The attributes");
    let named: Vec<_> = rows.iter().map(|row| format!("cutover.{}", row[0].trim_matches('`'))).collect();
    assert_eq!(named, in_code);
    let world = common::world::World::new();
    world.live();
    let scrape = world.exported.scrape();
    for sample in scrape.0.values().flat_map(|family| &family.samples) {
        for (label, value) in sample.labels.iter().filter(|(label, _)| label.starts_with("cutover_")) {
            let row = rows
                .iter()
                .find(|row| format!("cutover_{}", row[0].trim_matches('`').replace('.', "_")) == *label)
                .unwrap();
            let free = ["`migration`", "`runner`"].contains(&row[0]);
            assert!(free || row[1].contains(&format!("`{value}`")), "{label}={value} is not in {row:?}");
        }
    }
}

#[test]
fn the_boundaries_are_in_the_text() {
    let listed: Vec<String> = DURATION_BOUNDARIES.iter().map(f64::to_string).collect();
    assert!(README.replace('\n', " ").contains(&listed.join(", ")), "{}", listed.join(", "));
    assert!(DURATION_BOUNDARIES.is_sorted_by(|a, b| a < b));
}
