//! The example rules ask for nothing that is not exported, and fire for as long as they should.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use cutover::testing::Fault;
use cutover::{Clock, SystemMode};

mod common;

use common::eval::History;
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
    assert_eq!(rules.len(), 8);
    for rule in &rules {
        let found = exported.check(rule["expr"].as_str().unwrap()).unwrap_or_else(|why| panic!("{why}"));
        let texts = rule["annotations"].as_object().unwrap().values().map(|text| text.as_str().unwrap());
        for template in texts.flat_map(|text| text.split("{{ $labels.").skip(1)) {
            let label = template.split(" }}").next().unwrap();
            assert!(found.labels.contains(label), "{rule:?} has no label {label}");
        }
    }
}

fn rule(name: &str) -> String {
    let rules = rules();
    rules.iter().find(|rule| rule["alert"] == name).unwrap()["expr"].as_str().unwrap().to_owned()
}

/// A world that is scraped each minute.
struct Scraped {
    world: World,
    history: History,
}

impl Scraped {
    fn go_on(&mut self, minutes: u64) {
        for _ in 0..minutes {
            self.world.runtime.clock().advance(Duration::from_secs(60));
            let at = Duration::from_nanos(self.world.runtime.clock().now().as_nanos());
            self.history.add(at, self.world.exported.scrape());
        }
    }

    /// Whether the alert fires now, and for the migration.
    fn fires(&self, alert: &str) -> bool {
        let firing = self.history.eval(&rule(alert));
        assert!(firing.keys().all(|labels| labels["cutover_migration"] == "prices"));
        !firing.is_empty()
    }
}

#[test]
fn the_alert_for_an_emergency_fires_at_once_and_for_as_long_as_it_holds() {
    let mut scraped = Scraped { world: World::new(), history: History::default() };
    scraped.world.enter(SystemMode::Parallel);
    scraped.go_on(10);
    assert!(!scraped.fires("CutoverEmergency"));
    scraped.world.runtime.run(scraped.world.prices.emergency_rollback("ben", "wrong totals"));
    for minutes in [1, 4, 5, 60, 180] {
        scraped.go_on(minutes);
        assert!(scraped.fires("CutoverEmergency"), "{minutes} minutes later");
    }
    scraped.world.enter(SystemMode::LegacyOnly);
    scraped.go_on(1);
    assert!(!scraped.fires("CutoverEmergency"), "somebody has left it");
}

#[test]
fn an_emergency_that_is_not_stored_fires_both_alerts() {
    let mut scraped = Scraped { world: World::new(), history: History::default() };
    scraped.world.enter(SystemMode::Parallel);
    scraped.world.store.set_standing(Some(Fault::Unavailable));
    drop(scraped.world.prices.emergency_rollback("ben", "wrong totals"));
    scraped.go_on(30);
    assert!(scraped.fires("CutoverEmergency") && scraped.fires("CutoverEmergencyNotStored"));
    assert!(scraped.fires("CutoverStale") && !scraped.fires("CutoverDoubt"));
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
