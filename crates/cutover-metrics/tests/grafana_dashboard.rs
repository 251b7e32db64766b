//! The dashboard asks for nothing that is not exported, and Grafana can lay it out.
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test")]

use std::collections::BTreeSet;

use cutover_metrics::METRICS;
use serde_json::Value;

mod common;

use common::prometheus_name;
use common::promql::Series;
use common::world::World;

fn dashboard() -> Value {
    serde_json::from_str(include_str!("../grafana/cutover.json")).unwrap()
}

fn exported() -> Series {
    let world = World::new();
    world.live();
    Series::of(&world.exported.scrape())
}

fn items<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value[name].as_array().unwrap_or_else(|| panic!("no list {name}"))
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_else(|| panic!("no text {name} in {value}"))
}

/// The names in `{{name}}`.
fn placeholders(template: &str) -> Vec<&str> {
    template.split("{{").skip(1).map(|rest| rest.split("}}").next().unwrap().trim()).collect()
}

/// Each query with the texts that show its result.
fn queries(dashboard: &Value) -> Vec<(&str, Vec<&str>)> {
    let targets = items(dashboard, "panels").iter().filter(|panel| panel["type"] != "row");
    let targets = targets.flat_map(|panel| items(panel, "targets"));
    let of_panels = targets.map(|target| (text(target, "expr"), vec![text(target, "legendFormat")]));
    let annotations = items(&dashboard["annotations"], "list").iter();
    let of_annotations =
        annotations.map(|note| (text(note, "expr"), vec![text(note, "titleFormat"), text(note, "textFormat")]));
    of_panels.chain(of_annotations).collect()
}

#[test]
fn every_query_asks_for_metrics_labels_and_values_that_are_exported() {
    let (dashboard, exported) = (dashboard(), exported());
    let queries = queries(&dashboard);
    assert!(queries.len() > 30);
    for (expr, shown) in queries {
        let found = exported.check(expr).unwrap_or_else(|why| panic!("{why}"));
        for label in shown.into_iter().flat_map(placeholders) {
            assert!(found.labels.contains(label), "{expr} has no label {label}, only {:?}", found.labels);
        }
    }
}

#[test]
fn a_panel_of_all_migrations_keeps_each_apart_and_says_which_it_is() {
    let (dashboard, exported) = (dashboard(), exported());
    let all = queries(&dashboard);
    let of_migrations = all.iter().filter(|(expr, _)| expr.contains("$migration"));
    assert!(of_migrations.clone().count() > 30);
    for (expr, shown) in of_migrations {
        assert!(exported.check(expr).unwrap().labels.contains("cutover_migration"), "{expr} adds migrations up");
        let named = shown.iter().any(|text| placeholders(text).contains(&"cutover_migration"));
        assert!(named, "{expr} is shown as {shown:?}");
        let of_sides = expr.contains("cutover_calls_total") || expr.contains("cutover_call_duration");
        assert!(!of_sides || shown.iter().any(|text| placeholders(text).contains(&"cutover_side")), "{expr}");
    }
}

#[test]
fn durations_of_shadows_stand_apart_from_those_of_sides_that_serve() {
    let dashboard = dashboard();
    let all = queries(&dashboard);
    let durations: Vec<_> = all.iter().filter(|(expr, _)| expr.contains("cutover_call_duration")).collect();
    assert_eq!(durations.len(), 3);
    for (expr, shown) in durations {
        assert!(expr.contains("cutover_role") && placeholders(shown[0]).contains(&"cutover_role"), "{expr}");
    }
}

#[test]
fn every_metric_is_on_it() {
    let (dashboard, exported) = (dashboard(), exported());
    let found = queries(&dashboard).into_iter().flat_map(|(expr, _)| exported.check(expr).unwrap().metrics);
    let found: BTreeSet<String> = found.map(|name| name.trim_end_matches("_bucket").to_owned()).collect();
    let all: BTreeSet<String> = METRICS.iter().map(prometheus_name).collect();
    assert_eq!(found, all);
}

#[test]
fn its_variables_are_the_source_and_the_migration() {
    let (dashboard, exported) = (dashboard(), exported());
    let variables = items(&dashboard["templating"], "list");
    let names: Vec<_> = variables.iter().map(|variable| text(variable, "name")).collect();
    assert_eq!(names, ["datasource", "migration"]);
    let query = text(&variables[1]["query"], "query");
    let (metric, label) =
        query.strip_prefix("label_values(").unwrap().strip_suffix(')').unwrap().split_once(", ").unwrap();
    assert!(exported.has_label(metric, label), "{query}");
    for (expr, _) in queries(&dashboard) {
        let used: Vec<_> = expr.split('$').skip(1).map(|rest| rest.split([']', '"']).next().unwrap()).collect();
        let known = ["migration", "__rate_interval", "__range"];
        assert!(used.iter().all(|name| known.contains(name)), "{expr} uses {used:?}");
        let of_all = expr.contains("cutover_metrics_");
        assert!(
            of_all || expr.matches('{').count() == expr.matches(r#"{cutover_migration=~"$migration""#).count(),
            "{expr}"
        );
    }
}

#[test]
fn every_panel_and_annotation_reads_from_the_chosen_source() {
    let dashboard = dashboard();
    let panels = items(&dashboard, "panels").iter().filter(|panel| panel["type"] != "row");
    let targets = panels.clone().flat_map(|panel| items(panel, "targets"));
    for reader in panels.clone().chain(targets).chain(items(&dashboard["annotations"], "list")) {
        assert_eq!(text(&reader["datasource"], "uid"), "${datasource}");
        assert_eq!(text(&reader["datasource"], "type"), "prometheus");
    }
    for panel in panels {
        assert!(!text(panel, "description").is_empty() && !text(&panel["fieldConfig"]["defaults"], "unit").is_empty());
        let refs: BTreeSet<_> = items(panel, "targets").iter().map(|target| text(target, "refId")).collect();
        assert_eq!(refs.len(), items(panel, "targets").len());
    }
}

#[test]
fn ids_are_unique_and_a_schema_is_named() {
    let dashboard = dashboard();
    let panels = items(&dashboard, "panels");
    let ids: BTreeSet<_> = panels.iter().map(|panel| panel["id"].as_u64().unwrap()).collect();
    let titles: BTreeSet<_> = panels.iter().map(|panel| text(panel, "title")).collect();
    assert_eq!((ids.len(), titles.len()), (panels.len(), panels.len()));
    assert!(dashboard["schemaVersion"].as_u64().is_some_and(|version| version >= 39));
    assert_eq!(text(&dashboard, "uid"), "cutover");
}

#[test]
fn no_panel_lies_on_another_or_beside_the_grid() {
    let dashboard = dashboard();
    let places: Vec<_> = items(&dashboard, "panels").iter().map(place).collect();
    for (index, (title, [x, y, w, h])) in places.iter().enumerate() {
        assert!(*w > 0 && *h > 0 && x + w <= 24, "{title}");
        for (other, [ox, oy, ow, oh]) in &places[..index] {
            let apart = x + w <= *ox || ox + ow <= *x || y + h <= *oy || oy + oh <= *y;
            assert!(apart, "{title} lies on {other}");
        }
    }
}

fn place(panel: &Value) -> (&str, [u64; 4]) {
    (text(panel, "title"), ["x", "y", "w", "h"].map(|name| panel["gridPos"][name].as_u64().unwrap()))
}

#[test]
fn the_check_refuses_what_is_not_exported() {
    let exported = exported();
    for (wrong, why) in [
        ("sum(rate(cutover_call_total[5m]))", "cutover_call_total"),
        (r#"cutover_mode{cutover_mode="paralel"}"#, "paralel"),
        (r#"cutover_comparisons_total{cutover_verdict=~"matched|mismached"}"#, "mismached"),
        ("sum by (side) (cutover_calls_total)", "side"),
        ("histogram_quantile(0.5, sum by (cutover_side) (rate(cutover_call_duration_seconds_bucket[5m])))", "le"),
        ("sum(rate(cutover_calls_total[5m])", "cutover_calls_total"),
    ] {
        let refused = exported.check(wrong).expect_err(wrong);
        assert!(refused.contains(why), "{refused}");
    }
}
