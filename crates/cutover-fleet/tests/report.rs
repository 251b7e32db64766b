//! The report is the same for the same audits, for people and for programs.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod world;

use std::time::Duration;

use cutover_fleet::{FleetReport, Outcome, Vitals};
use world::{BLUE_GREEN, Machine, World, inventory};

const FOUR: [&str; 4] = ["billing", "search", "users", "x"];

fn world() -> World {
    let sick = Machine { new: vec![Some(Vitals::unhealthy())], ..Machine::default() };
    World::with([("search", sick)])
}

fn run(world: &World) -> FleetReport {
    let settings = r#"{ "phases": [
        { "name": "first", "until": 25, "most_failures": 0, "at_once": 1 },
        { "name": "rest | all", "until": 100, "most_failures": 0, "at_once": 1 }
    ] }"#;
    let builder = world.builder(&inventory(&FOUR, BLUE_GREEN)).settings(serde_json::from_str(settings).unwrap());
    let fleet = builder.build().unwrap();
    world.run(async { fleet.run().await })
}

const MARKDOWN: &str = r#"# Fleet report

4 systems: 2 pending, 1 rolled back, 1 migrated.

Stopped: the phase rest \| all had 1 failures, and may have 0.

## Figures

| figure | value | unit | target | met | score |
|---|---|---|---|---|---|
| migrated | 0.250 | share of all systems | at least 1 | no | 0.25 |
| rate | 5760.000 | systems per day |  |  |  |
| validation | 0.900 | share of cases | at least 0.8 | yes | 1.00 |
| rollbacks | 1.000 | number | at most 4 | yes | 1.00 |
| failed | 0.000 | systems | at most 0 | yes | 1.00 |
| throughput | +0.300 | change | at least 0.2 | yes | 1.00 |
| latency | -0.100 | change of the p95 | below 0.1 | yes | 1.00 |
| hours | 0.004 | per system | below 2 | yes | 1.00 |
| downtime | 0.000 | minutes | at most 0 | yes | 1.00 |

Score: 0.91 of 1, the mean of the scores above.

## Phase first (up to 25%)

| system | priority | category | strategy | outcome | validation | p95 change | throughput change |
|---|---|---|---|---|---|---|---|
| billing | P4 | other | blue_green | migrated | 9/10 | -0.100 | +0.300 |

## Phase rest \| all (up to 100%)

| system | priority | category | strategy | outcome | validation | p95 change | throughput change |
|---|---|---|---|---|---|---|---|
| search | P4 | other | blue_green | rolled back | 9/10 |  |  |
| users | P4 | other | blue_green | pending |  |  |  |
| x | P4 | other | blue_green | pending |  |  |  |

## What did not succeed

```text
search: rolled back at "watch at 100%": new was unhealthy 3 times in a row
  send all traffic to legacy: done
  start legacy: done
  put the backup back: not tried: legacy was not stopped, so that its data are newer
  verify legacy: done
  stop new: done
```
"#;

#[test]
fn as_markdown_it_says_where_the_fleet_stands_and_what_did_not_succeed() {
    assert_eq!(run(&world()).to_markdown(), MARKDOWN);
}

#[test]
fn the_same_audits_give_the_same_report() {
    let world = world();
    let first = run(&world);
    let fleet = world.fleet(&inventory(&FOUR, BLUE_GREEN));
    let json = |report: &FleetReport| serde_json::to_string(report).unwrap();
    let [second, third] = [0, 1].map(|_| world.run(async { fleet.report().await }));
    assert_eq!(json(&second), json(&third));
    assert_eq!(second.to_markdown(), third.to_markdown());
    assert_eq!(first.systems().collect::<Vec<_>>(), second.systems().collect::<Vec<_>>());
    assert_eq!(json(&run(&self::world())), json(&first), "also in another world");
}

#[test]
fn as_json_it_has_names_and_numbers_for_programs() {
    let report = run(&world());
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(json["stopped"]["reason"], "too_many_failures");
    let search = &json["phases"][1]["systems"][0];
    assert_eq!((&search["outcome"], &search["failure"]["kind"]), (&"rolled_back".into(), &"unhealthy".into()));
    assert_eq!(search["failure"]["recovery"][0]["part"], "route");
    assert_eq!(search["failure"]["recovery"][0]["result"], "done");
    assert_eq!(report.system("billing").unwrap().took(), Some(Duration::from_secs(15)));
    assert_eq!(report.count(Outcome::Migrated), 1);
}

#[test]
fn in_a_line_it_says_how_many_are_migrated() {
    let text = run(&world()).to_string();
    assert!(text.starts_with("1 of 4 systems migrated; stopped: the phase rest | all had 1 failures"), "{text}");
    assert!(text.contains("\n  latency: -0.100 change of the p95 (below 0.1: met)"), "{text}");
}

#[test]
fn a_clock_that_was_set_back_measures_no_time_at_all() {
    let mut report = run(&world()).system("billing").unwrap().clone();
    report.ended = report.began.map(|began| began - Duration::from_secs(1));
    assert_eq!(report.took(), None, "and not none at all, which would be the best time that there is");
    report.ended = report.began;
    assert_eq!(report.took(), Some(Duration::ZERO));
}
