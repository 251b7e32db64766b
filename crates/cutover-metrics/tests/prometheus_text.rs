//! What the official Prometheus exporter makes of it is what the runner and the controller themselves say.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test")]

use std::time::Duration;

use cutover::observe::SkipReason;
use cutover::{Outcome, Side, SystemMode, Verdict};
use cutover_metrics::METRICS;
use cutover_metrics::metric::{DURATION_BOUNDARIES, Kind};

mod common;

use common::text::{Sample, parse};
use common::world::{Runner, World};
use common::{Scrape, count, number, prometheus_name};

const SIDES: [Side; 2] = [Side::Legacy, Side::New];
const ROLES: [&str; 3] = ["serve", "shadow", "fallback"];

fn lived() -> World {
    let world = World::new();
    world.live();
    world
}

fn total(scrape: &Scrape, metric: &str, runner: &str, label: (&str, &str)) -> u64 {
    let labels = [("migration", "prices"), ("runner", runner), label];
    count(scrape.value(metric, &labels).unwrap_or_else(|| panic!("{metric} has no series {labels:?}")))
}

#[test]
fn comparisons_skips_faults_and_fallbacks_are_those_of_the_runner() {
    let world = lived();
    let scrape = world.exported.scrape();
    for (name, runner) in [("price", &world.price), ("careful", &world.careful), ("frugal", &world.frugal)] {
        let counts = runner.counts();
        for verdict in Verdict::ALL {
            let exported = total(&scrape, "cutover_comparisons_total", name, ("verdict", verdict.name()));
            assert_eq!(exported, counts.of(verdict), "{name} {verdict}");
        }
        for (reason, skipped) in skipped(runner) {
            assert_eq!(total(&scrape, "cutover_shadows_skipped_total", name, ("reason", reason.name())), skipped);
        }
        let comparator = total(&scrape, "cutover_faults_total", name, ("part", "comparator"));
        assert_eq!(comparator, counts.faults.comparator);
        let labels = [("migration", "prices"), ("runner", name)];
        assert_eq!(count(scrape.value("cutover_fallbacks_total", &labels).unwrap()), counts.fallbacks);
        assert_eq!(counts.in_flight(), 0);
    }
}

fn skipped(runner: &Runner) -> [(SkipReason, u64); 4] {
    let skipped = runner.counts().skipped;
    [
        (SkipReason::NotSampled, skipped.not_sampled),
        (SkipReason::InFlight, skipped.in_flight),
        (SkipReason::BreakerOpen, skipped.breaker_open),
        (SkipReason::Nested, skipped.nested),
    ]
}

#[test]
fn the_traffic_reaches_every_count_that_is_compared() {
    let world = lived();
    let counts = [&world.price, &world.careful, &world.frugal].map(Runner::counts);
    for verdict in Verdict::ALL {
        assert!(counts.iter().any(|counts| counts.of(verdict) > 0), "nothing was {verdict}");
    }
    for index in 0..4 {
        let reached = [&world.price, &world.careful, &world.frugal].map(|runner| skipped(runner)[index]);
        assert!(reached.iter().any(|(_, count)| *count > 0), "{reached:?}");
    }
    assert!(counts[1].fallbacks > 0 && counts[0].faults.comparator > 0);
    let heard = world.heard.calls.lock().unwrap();
    for outcome in Outcome::ALL {
        for side in SIDES {
            assert!(heard.keys().any(|[_, _, s, o]| s == side.name() && o == outcome.name()), "no {outcome} of {side}");
        }
    }
}

#[test]
fn calls_are_those_that_another_observer_hears() {
    let world = lived();
    let scrape = world.exported.scrape();
    let heard = world.heard.calls.lock().unwrap();
    for ([runner, role, side, outcome], durations) in &*heard {
        let labels =
            [("migration", "prices"), ("runner", runner), ("role", role), ("side", side), ("outcome", outcome)];
        assert_eq!(scrape.value("cutover_calls_total", &labels), Some(number(durations.len())), "{labels:?}");
    }
    let all: usize = heard.values().map(Vec::len).sum();
    assert_eq!(Some(scrape.sum("cutover_calls_total", &[])), Some(number(all)));
}

#[test]
fn durations_are_those_that_another_observer_hears() {
    let world = lived();
    let scrape = world.exported.scrape();
    let heard = world.heard.calls.lock().unwrap();
    let runs = SIDES.into_iter().flat_map(|side| Outcome::ALL.map(|outcome| (side, outcome)));
    for (runner, role) in ["price", "careful", "frugal"].into_iter().flat_map(|runner| ROLES.map(|role| (runner, role)))
    {
        for (side, outcome) in runs.clone() {
            let told = heard.get(&[runner, role, side.name(), outcome.name()].map(str::to_owned));
            let durations = told.filter(|_| outcome != Outcome::Abandoned).cloned().unwrap_or_default();
            let [side, outcome] = [("side", side.name()), ("outcome", outcome.name())];
            check_durations(
                &scrape,
                &[("migration", "prices"), ("runner", runner), ("role", role), side, outcome],
                &durations,
            );
        }
    }
}

#[test]
fn shadows_and_those_who_serve_have_durations_of_their_own_and_their_series_are_few() {
    let world = lived();
    let scrape = world.exported.scrape();
    let mut series: Vec<_> = scrape.samples("cutover_call_duration_seconds").iter().collect();
    series.retain(|sample| sample.name.ends_with("_count"));
    for (role, sides) in [("serve", &SIDES[..]), ("shadow", &SIDES[..]), ("fallback", &[Side::Legacy][..])] {
        for side in SIDES {
            let has = |sample: &&&Sample| {
                sample.labels["cutover_role"] == role && sample.labels["cutover_side"] == side.name()
            };
            let told = series.iter().filter(has).count();
            assert_eq!(told > 0, sides.contains(&side), "{role} of {side}");
            assert!(told <= 3 * 4, "{role} of {side}: {told} series of three runners and four outcomes");
        }
    }
}

/// Counts, sum and every bucket.
fn check_durations(scrape: &Scrape, labels: &[(&str, &str)], durations: &[Duration]) {
    let name = "cutover_call_duration_seconds";
    let of = |suffix: &str, bound: Option<&str>| {
        let labels: Vec<_> = labels.iter().copied().chain(bound.map(|bound| ("le", bound))).collect();
        let samples = scrape.samples(name).iter().filter(|sample| sample.name == format!("{name}{suffix}"));
        let mut with_labels = samples.filter(|sample| {
            labels.iter().all(|(label, value)| {
                let label = if *label == "le" { "le".to_owned() } else { format!("cutover_{label}") };
                sample.labels.get(&label).map(String::as_str) == Some(value)
            })
        });
        with_labels.next().map(|sample| sample.value)
    };
    if durations.is_empty() {
        assert_eq!(of("_count", None), None, "{labels:?}");
        return;
    }
    assert_eq!(of("_count", None), Some(number(durations.len())), "{labels:?}");
    let sum: f64 = durations.iter().map(Duration::as_secs_f64).sum();
    assert!((of("_sum", None).unwrap() - sum).abs() < 1e-9 * sum.max(1.0));
    for bound in DURATION_BOUNDARIES {
        let within = durations.iter().filter(|duration| duration.as_secs_f64() <= bound).count();
        assert_eq!(of("_bucket", Some(&bound.to_string())), Some(number(within)), "{labels:?} up to {bound} s");
    }
}

#[test]
fn transitions_are_those_of_the_audit() {
    let world = lived();
    let scrape = world.exported.scrape();
    let audit = world.runtime.run(world.prices.history(0, 200)).unwrap();
    let mut entered: Vec<SystemMode> = Vec::new();
    let mut before = SystemMode::LegacyOnly;
    for entry in audit {
        if entry.after.mode != before {
            before = entry.after.mode;
            entered.push(before);
        }
    }
    assert_eq!(entered.len(), 6);
    for mode in SystemMode::ALL {
        let expected = entered.iter().filter(|entered| **entered == mode).count();
        let labels = [("migration", "prices"), ("mode", mode.name())];
        assert_eq!(scrape.value("cutover_transitions_total", &labels), Some(number(expected)), "{mode}");
    }
    assert_eq!(scrape.value("cutover_emergencies_total", &[("migration", "prices")]), Some(1.0));
    assert_eq!(scrape.value("cutover_store_outages_total", &[("migration", "prices")]), Some(1.0));
}

#[test]
fn the_text_has_every_metric_with_its_unit_kind_and_labels() {
    let world = lived();
    let scrape = world.exported.scrape();
    for metric in METRICS {
        let name = prometheus_name(&metric);
        let family = scrape.0.get(&name).unwrap_or_else(|| panic!("{name} is missing"));
        let kind = match metric.kind {
            Kind::Counter => "counter",
            Kind::Histogram => "histogram",
            Kind::Gauge | _ => "gauge",
        };
        assert_eq!((family.kind.as_str(), family.help.as_str()), (kind, metric.description), "{name}");
        let expected: Vec<_> = metric.attributes.iter().map(|attribute| attribute.replace('.', "_")).collect();
        assert!(metric.attributes.is_sorted(), "{name}");
        for sample in &family.samples {
            let own = |label: &&String| *label != "le" && !label.starts_with("otel_");
            let labels: Vec<_> = sample.labels.keys().filter(own).cloned().collect();
            assert_eq!(labels, expected, "{name}");
        }
    }
    let ours = scrape.0.keys().filter(|name| name.starts_with("cutover")).count();
    assert_eq!((ours, scrape.0.len()), (METRICS.len(), METRICS.len() + 1), "and target_info");
}

#[test]
fn counts_never_go_back_from_one_scrape_to_the_next() {
    let world = World::new();
    let mut last = world.exported.scrape();
    for _ in 0..3 {
        world.traffic();
        world.enter(SystemMode::Parallel);
        let scrape = world.exported.scrape();
        for (name, family) in last.0.iter().filter(|(_, family)| family.kind != "gauge") {
            for sample in &family.samples {
                let now = scrape.0[name].samples.iter().find(|s| s.name == sample.name && s.labels == sample.labels);
                assert!(now.unwrap().value >= sample.value, "{sample:?}");
            }
        }
        last = scrape;
    }
}

#[test]
fn the_reader_refuses_what_the_format_does_not_allow() {
    let fine = "# HELP a_total A count.\n# TYPE a_total counter\na_total{b=\"c \\\" d\"} 3\n";
    let families = parse(fine).unwrap();
    assert_eq!(families["a_total"].samples[0].labels["b"], "c \" d");
    for (from, to) in [
        ("a_total{", "a-total{"),
        ("a_total{", "b_total{"),
        ("{b=", "{__b="),
        ("{b=", "{0b="),
        ("\"} 3", "\"} three"),
        ("\"} 3", "\"} -3"),
        ("\"} 3", "\"} 2.5"),
        ("\"} 3", "\",b=\"e\"} 3"),
        ("\"} 3", " 3"),
        ("\\\"", "\\q"),
        (" counter", " count"),
        ("# HELP a_total A count.\n", ""),
        ("# TYPE a_total counter\n", ""),
        ("a_total{b=\"c \\\" d\"} 3\n", ""),
        ("} 3\n", "} 3"),
    ] {
        let wrong = fine.replacen(from, to, 1);
        assert!(wrong != fine && parse(&wrong).is_err(), "{wrong}");
    }
    assert!(parse(&fine.repeat(2)).is_err(), "twice");
    assert!(parse(&fine.replace("_total", "")).is_err(), "a counter without its suffix");
}

#[test]
fn the_reader_refuses_histograms_that_do_not_add_up() {
    let fine = "# HELP h Times.\n# TYPE h histogram\nh_bucket{le=\"0.1\"} 1\nh_bucket{le=\"1\"} 2\nh_bucket{le=\"+Inf\"} 3\nh_sum 4.5\nh_count 3\n";
    assert!(parse(fine).is_ok());
    for (from, to) in [
        ("\"1\"} 2", "\"1\"} 0"),
        ("\"1\"} 2", "\"0.01\"} 2"),
        ("+Inf\"} 3", "+Inf\"} 4"),
        ("h_bucket{le=\"+Inf\"} 3\n", ""),
        ("h_sum 4.5\n", ""),
        ("h_count 3\n", ""),
        ("h_sum", "h_other"),
    ] {
        let wrong = fine.replacen(from, to, 1);
        assert!(wrong != fine && parse(&wrong).is_err(), "{wrong}");
    }
}
