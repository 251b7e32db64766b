//! The example rules ask for nothing that is not exported.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

use std::collections::{BTreeMap, BTreeSet};

mod common;

use common::promql::Series;
use common::world::World;

type Rule = BTreeMap<String, serde_json::Value>;

fn rules() -> Vec<Rule> {
    let file: BTreeMap<String, Vec<serde_json::Value>> =
        serde_saphyr::from_str(include_str!("../prometheus/cutover-alerts.yml")).unwrap();
    let groups = file["groups"].iter().flat_map(|group| group["rules"].as_array().unwrap());
    groups.map(|rule| serde_json::from_value(rule.clone()).unwrap()).collect()
}

#[test]
fn every_rule_asks_for_metrics_labels_and_values_that_are_exported() {
    let world = World::new();
    world.live();
    let exported = Series::of(&world.exported.scrape());
    let rules = rules();
    assert_eq!(rules.len(), 7);
    for rule in &rules {
        let found = exported.check(rule["expr"].as_str().unwrap()).unwrap_or_else(|why| panic!("{why}"));
        let texts = rule["annotations"].as_object().unwrap().values().map(|text| text.as_str().unwrap());
        for template in texts.flat_map(|text| text.split("{{ $labels.").skip(1)) {
            let label = template.split(" }}").next().unwrap();
            assert!(found.labels.contains(label), "{rule:?} has no label {label}");
        }
    }
}

#[test]
fn every_rule_has_a_name_of_its_own_and_a_severity() {
    let rules = rules();
    let names: BTreeSet<_> = rules.iter().map(|rule| rule["alert"].as_str().unwrap()).collect();
    assert_eq!(names.len(), rules.len());
    for rule in &rules {
        assert!(["warning", "critical"].contains(&rule["labels"]["severity"].as_str().unwrap()));
        let known = ["alert", "annotations", "expr", "for", "labels"];
        assert!(rule.keys().all(|key| known.contains(&key.as_str())), "{rule:?}");
    }
}
