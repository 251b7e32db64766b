//! Each event adds to its own counts, and to nothing else.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cutover::clock::Instant;
use cutover::control::Doubt;
use cutover::observe::{
    CheckOutcome, ClaimEnd, ClaimRefusal, Event, Observer, Part, PlanEvent, Refusal, Sample, SkipReason,
};
use cutover::{Outcome, Route, Side, SystemMode, Verdict};
use cutover_metrics::Watch;

mod common;

use common::{Exported, Scrape};

/// Every series whose value has changed, as text, and by how much. Durations are left to another test.
fn changes(before: &Scrape, after: &Scrape) -> BTreeMap<String, u64> {
    let values = |scrape: &Scrape| -> BTreeMap<String, f64> {
        let families = scrape.0.iter().filter(|(name, _)| *name != "cutover_call_duration_seconds");
        let samples = families.flat_map(|(_, family)| &family.samples);
        samples.map(|sample| (series(sample), sample.value)).collect()
    };
    let before = values(before);
    let grown = values(after).into_iter().map(|(series, value)| {
        let was = before.get(&series).copied().unwrap_or_default();
        (series, common::count(value - was))
    });
    grown.filter(|(_, by)| *by > 0).collect()
}

/// The name and the labels, those that name migration, runner and meter aside.
fn series(sample: &common::text::Sample) -> String {
    let names = ["cutover_migration", "cutover_runner", "otel_scope_name"];
    let labels = sample.labels.iter().filter(|(label, _)| !names.contains(&label.as_str()));
    let labels: Vec<_> = labels.map(|(label, value)| format!("{}={value}", label.replace("cutover_", ""))).collect();
    format!("{} {}", sample.name.replace("cutover_", "").replace("_total", ""), labels.join(" ")).trim().to_owned()
}

/// What the event adds, for a name that was heard of before.
fn added(event: &Event) -> Vec<String> {
    let exported = Exported::new();
    let metrics = exported.observer();
    metrics.observe("price", &Event::BreakerClosed);
    metrics.observe("price", &Event::StoreLost);
    let before = exported.scrape();
    metrics.observe("price", event);
    let changes = changes(&before, &exported.scrape());
    assert!(changes.values().all(|by| *by == 1), "{changes:?}");
    changes.into_keys().collect()
}

const PARALLEL: Route = Route::new(SystemMode::Parallel, Side::Legacy).with_shadow();
const STARTED: Instant = Instant::from_nanos(0);

const fn sample(side: Side, outcome: Outcome) -> Sample {
    Sample::new(side, outcome, Duration::from_millis(3))
}

#[test]
fn a_call_of_one_side_counts_for_the_side_that_served() {
    for outcome in Outcome::ALL {
        for side in [Side::Legacy, Side::New] {
            let served =
                Event::Served { route: PARALLEL, sample: sample(side, outcome), started: STARTED, key: Some(7) };
            assert_eq!(added(&served), [format!("calls outcome={outcome} role=serve side={side}")]);
        }
    }
}

#[test]
fn a_call_of_both_sides_counts_for_each_and_once_for_the_pair() {
    for verdict in Verdict::ALL {
        for (serve, fell_back, roles) in [
            (Side::Legacy, false, ["serve", "shadow"]),
            (Side::New, false, ["shadow", "serve"]),
            (Side::New, true, ["fallback", "serve"]),
        ] {
            let (legacy, new) = (sample(Side::Legacy, Outcome::Ok), sample(Side::New, Outcome::Err));
            let route = Route::new(SystemMode::GradualRollout, serve).with_shadow();
            let (started, both, key) = (STARTED, true, None);
            let mut expected = vec![
                format!("calls outcome=err role={} side=new", roles[1]),
                format!("calls outcome=ok role={} side=legacy", roles[0]),
                format!("comparisons verdict={verdict}"),
            ];
            expected.extend(fell_back.then(|| "fallbacks".to_owned()));
            assert_eq!(
                added(&Event::Compared { route, started, both, key, legacy, new, verdict, fell_back }),
                expected
            );
        }
    }
}

#[test]
fn skips_and_faults_count_by_their_reason_and_part() {
    for reason in SkipReason::ALL {
        let expected = [format!("shadows_skipped reason={}", reason.name())];
        assert_eq!(added(&Event::Skipped { route: PARALLEL, reason }), expected);
    }
    for part in Part::ALL {
        assert_eq!(added(&Event::Fault { part }), [format!("faults part={}", part.name())]);
    }
}

#[test]
fn a_breaker_that_opens_is_counted_and_shown_until_it_closes() {
    let opened = Event::BreakerOpened { cool_down: Duration::from_secs(30) };
    assert_eq!(added(&opened), ["breaker_open", "breaker_openings"]);
    let exported = Exported::new();
    let metrics = exported.observer();
    for (event, open) in [(opened, 1.0), (Event::BreakerClosed, 0.0), (opened, 1.0)] {
        metrics.observe("price", &event);
        assert!((exported.scrape().sum("cutover_breaker_open", &[]) - open).abs() < f64::EPSILON);
    }
    assert_eq!(common::count(exported.scrape().sum("cutover_breaker_openings_total", &[])), 2);
}

#[test]
fn changes_of_the_mode_count_by_the_new_one_and_emergencies_once_more() {
    for to in SystemMode::ALL {
        let mut expected = vec![format!("transitions mode={to}")];
        if to == SystemMode::EmergencyRollback {
            expected.insert(0, "emergencies".to_owned());
        }
        assert_eq!(added(&Event::ModeChanged { from: SystemMode::Parallel, to, epoch: 3 }), expected);
    }
}

#[test]
fn the_store_and_the_checks_count_what_went_wrong() {
    let [known_epoch, found_epoch] = [7, 3];
    for (doubt, reason) in [
        (Doubt::StateLost { known_epoch }, "state_lost"),
        (Doubt::StateRegressed { known_epoch, found_epoch }, "state_regressed"),
        (Doubt::Forked { known_epoch, found_epoch }, "forked"),
        (Doubt::AuditGap { known_epoch }, "audit_gap"),
    ] {
        assert_eq!(added(&Event::DoubtRaised { doubt }), [format!("doubts reason={reason}")]);
    }
    assert_eq!(added(&Event::StoreLost), ["store_outages"]);
    for outcome in [CheckOutcome::Ok, CheckOutcome::Failed, CheckOutcome::TimedOut, CheckOutcome::Panicked] {
        let checked = Event::HealthChecked { side: Side::New, outcome, consecutive_failures: 1 };
        assert_eq!(added(&checked), [format!("health_checks outcome={outcome} side=new")]);
    }
}

#[test]
fn refused_changes_and_what_happens_to_a_plan_count_by_what_it_was() {
    use PlanEvent as P;
    use Refusal as R;
    for why in [R::Text, R::Transition, R::RolloutFixed, R::InDoubt, R::Outdated, R::Evidence, R::Contended, R::Store] {
        assert_eq!(added(&Event::ChangeRefused { why }), [format!("changes_refused reason={why}")]);
    }
    for event in [P::Entered, P::Approved, P::Acknowledged, P::Paused, P::Frozen, P::Asked] {
        assert_eq!(added(&Event::PlanMoved { event, step: Some(3) }), [format!("plan_events event={event}")]);
    }
    for event in [P::Resumed, P::Restarted, P::Done, P::RolledBack, P::Aborted] {
        assert_eq!(added(&Event::PlanMoved { event, step: None }), [format!("plan_events event={event}")]);
    }
}

#[test]
fn claims_count_by_side_when_they_begin_when_they_are_refused_and_when_they_end() {
    use ClaimEnd as E;
    use ClaimRefusal as C;
    for side in [Side::Legacy, Side::New] {
        assert_eq!(added(&Event::Claimed { side }), [format!("claims side={side}")]);
        for why in [C::Item, C::Ttl, C::OutdatedRoute, C::NotServing, C::InDoubt, C::Unpersisted] {
            assert_eq!(added(&Event::NotClaimed { side, why }), [format!("claims_refused reason={why} side={side}")]);
        }
        for why in [C::Assumed, C::Held, C::Completed, C::Late, C::Store] {
            assert_eq!(added(&Event::NotClaimed { side, why }), [format!("claims_refused reason={why} side={side}")]);
        }
        for end in [E::Completed, E::Released, E::Lost, E::Dropped] {
            assert_eq!(added(&Event::ClaimEnded { side, end }), [format!("claims_ended outcome={end} side={side}")]);
        }
    }
}

#[test]
fn what_ends_well_or_only_starts_counts_nowhere() {
    let started = Event::Started { route: PARALLEL, started: STARTED, both: true };
    for event in [started, Event::StoreBack, Event::DoubtSettled, Event::BreakerClosed] {
        assert!(added(&event).is_empty(), "{event:?}");
    }
}

#[test]
fn neither_starts_nor_keys_are_asked_for_and_nothing_is_queued() {
    let metrics = Exported::new().observer();
    assert_eq!((metrics.hears_starts(), metrics.hears_keys(), metrics.never_blocks()), (false, false, true));
}

/// Panics when it is dropped.
struct Hostile;

impl Drop for Hostile {
    fn drop(&mut self) {
        std::panic::resume_unwind(Box::new("planned"));
    }
}

#[test]
fn a_guard_that_ends_while_it_is_read_and_panics_then_does_no_harm() {
    let exported = Exported::new();
    let metrics = exported.observer();
    let watch: Arc<Mutex<Option<Watch>>> = Arc::default();
    let (last, hostile) = (Arc::clone(&watch), Hostile);
    let report = move || {
        let _dropped_last = &hostile;
        drop(last.lock().unwrap().take());
        None
    };
    *watch.lock().unwrap() = Some(metrics.observe_guard("price", report));
    let _first = exported.scrape();
    assert_eq!(common::count(exported.scrape().sum("cutover_metrics_unread_total", &[])), 1);
}
