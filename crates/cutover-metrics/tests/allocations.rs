//! An event of a name that is known allocates nothing, with the SDK behind it.

use std::time::Duration;

use cutover::clock::Instant;
use cutover::observe::{Event, Observer, Part, Sample, SkipReason};
use cutover::{DualRunner, Equality, Outcome, Route, Side, SystemMode, Verdict};

mod common;

use common::Exported;

const PARALLEL: Route = Route::new(SystemMode::Parallel, Side::Legacy).with_shadow();

/// What `calls` allocates when it is made for the second time.
fn allocations(mut calls: impl FnMut()) -> u64 {
    calls();
    allocation_counter::measure(calls).count_total
}

fn events() -> Vec<Event> {
    let (started, key, route) = (Instant::from_nanos(0), None, PARALLEL);
    let sample = |side, outcome| Sample::new(side, outcome, Duration::from_millis(3));
    let mut events = vec![
        Event::Skipped { route, reason: SkipReason::NotSampled },
        Event::Fault { part: Part::Comparator },
        Event::BreakerOpened { cool_down: Duration::from_secs(30) },
        Event::BreakerClosed,
        Event::ModeChanged { from: SystemMode::Parallel, to: SystemMode::NewOnly, epoch: 3 },
        Event::StoreLost,
        Event::StoreBack,
    ];
    for outcome in Outcome::ALL {
        let (legacy, new) = (sample(Side::Legacy, Outcome::Ok), sample(Side::New, outcome));
        let (both, fell_back, verdict) = (true, false, Verdict::OneFailed);
        events.push(Event::Served { route, sample: new, started, key });
        events.push(Event::Compared { route, started, both, key, legacy, new, verdict, fell_back });
    }
    events
}

#[test]
fn an_event_of_a_known_name_allocates_nothing() {
    let exported = Exported::new();
    let metrics = exported.observer();
    let of_prices = metrics.for_migration("prices");
    let events = events();
    let tell = || {
        for event in &events {
            metrics.observe("price", event);
            of_prices.observe("price", event);
        }
    };
    assert_eq!(allocations(tell), 0);
}

#[test]
fn an_event_of_a_name_beyond_the_limit_allocates_nothing() {
    let exported = Exported::new();
    let metrics = exported.build(cutover_metrics::MetricsObserver::builder().max_names(1));
    let events = events();
    metrics.observe("first", &Event::BreakerClosed);
    metrics.observe("first", &Event::StoreLost);
    let tell = || events.iter().for_each(|event| metrics.observe("second", event));
    assert_eq!(allocations(tell), 0);
}

#[test]
fn a_call_that_is_measured_allocates_nothing() {
    let exported = Exported::new();
    let builder = DualRunner::<u64, ()>::builder("price", PARALLEL).comparator(Equality);
    let price = builder.observe(exported.observer()).build();
    let calls = || assert_eq!(price.run_sync("order-17", || Ok(7), || Ok(7)), Ok(7));
    assert_eq!(allocations(calls), 0);
}
