//! Shadows that fault in a row are stopped for a while; then one is tried, and its end decides.
#![cfg(feature = "testing")]
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::future::{pending, ready};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cutover::dual::ShadowPolicy;
use cutover::observe::{Event, SkipReason};
use cutover::testing::VirtualRuntime;
use cutover::{DualRunner, Equality, FeatureFlag, Observer, Percentage, Route, Router, Side, SystemMode};

const PARALLEL: Route = Route::new(SystemMode::Parallel, Side::Legacy).with_shadow();

type Runner = DualRunner<u32, String>;

/// Keeps what is told of breakers and skipped shadows.
#[derive(Default)]
struct Told(Mutex<Vec<Event>>);

impl Told {
    fn take(&self) -> Vec<Event> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

impl Observer for Told {
    fn observe(&self, source: &str, event: &Event) {
        assert_eq!(source, "search");
        if !matches!(event, Event::Compared { .. } | Event::Served { .. }) {
            self.0.lock().unwrap().push(*event);
        }
    }

    fn never_blocks(&self) -> bool {
        true
    }
}

struct Site {
    runtime: VirtualRuntime,
    runner: Runner,
    told: Arc<Told>,
}

impl Site {
    fn new(router: impl Router + 'static, policy: ShadowPolicy) -> Self {
        let (runtime, told) = (VirtualRuntime::new(), Arc::new(Told::default()));
        let builder = Runner::builder("search", router).comparator(Equality).shadow_policy(policy);
        let builder = builder.runtime(runtime.clone()).clock(runtime.clock()).observe(Arc::clone(&told));
        Self { runner: builder.build(), runtime, told }
    }

    fn call(&self, new: impl FnOnce() -> Result<u32, String>) {
        assert_eq!(self.runner.run_sync("anna", || Ok(1), new), Ok(1));
    }

    fn fault(&self) {
        self.call(|| panic!("new"));
    }

    fn advance(&self, millis: u64) {
        self.runtime.clock().advance(Duration::from_millis(millis));
    }

    /// How many shadows ran, and how many the breaker kept back.
    fn ran_and_kept_back(&self) -> (u64, u64) {
        let counts = self.runner.counts();
        (counts.selected, counts.skipped.breaker_open)
    }
}

const SKIPPED: Event = Event::Skipped { route: PARALLEL, reason: SkipReason::BreakerOpen };

fn three_in_a_row() -> ShadowPolicy {
    ShadowPolicy::new().breaker(3, Duration::from_secs(60))
}

#[test]
fn faults_in_a_row_stop_shadows_until_the_cool_down_is_over() {
    let site = Site::new(PARALLEL, three_in_a_row());
    (0..3).for_each(|_| site.fault());
    assert_eq!(site.told.take(), [Event::BreakerOpened { cool_down: Duration::from_secs(60) }]);
    (0..5).for_each(|_| site.call(|| panic!("new was called")));
    assert_eq!(site.told.take(), [SKIPPED; 5]);
    site.advance(59_999);
    site.call(|| panic!("new was called"));
    assert_eq!(site.ran_and_kept_back(), (3, 6));
    site.advance(1);
    site.call(|| Ok(1));
    assert_eq!(site.told.take(), [SKIPPED, Event::BreakerClosed]);
    (0..5).for_each(|_| site.call(|| Ok(1)));
    assert_eq!((site.ran_and_kept_back(), site.runner.counts().matched), ((9, 6), 6));
}

#[test]
fn a_trial_that_faults_stops_shadows_again() {
    let site = Site::new(PARALLEL, three_in_a_row());
    (0..3).for_each(|_| site.fault());
    for round in 1..=4 {
        site.advance(60_000);
        site.fault();
        site.call(|| panic!("new was called"));
        assert_eq!(site.ran_and_kept_back(), (3 + round, round));
    }
    site.advance(60_000);
    site.call(|| Err("a failure is no fault".into()));
    site.call(|| Ok(1));
    assert_eq!(site.ran_and_kept_back(), (9, 4));
    assert_eq!(site.told.take().last(), Some(&Event::BreakerClosed));
}

#[test]
fn one_trial_runs_at_a_time() {
    let site = Site::new(PARALLEL, three_in_a_row());
    (0..3).for_each(|_| site.fault());
    site.advance(60_000);
    let meanwhile = || {
        site.call(|| panic!("new was called"));
        Ok(1)
    };
    site.runner.run_sync("anna", meanwhile, || Ok(1)).unwrap();
    assert_eq!(site.ran_and_kept_back(), (4, 1));
    site.call(|| Ok(1));
    assert_eq!(site.ran_and_kept_back(), (5, 1));
}

#[test]
fn shadows_that_take_too_long_are_faults_too() {
    let site = Site::new(PARALLEL, three_in_a_row());
    let hang = || site.runtime.run(site.runner.run("anna", ready(Ok(1)), pending())).unwrap();
    let hang_detached = || {
        site.runtime.run(site.runner.run_detached("anna", ready(Ok(1)), pending())).unwrap();
        site.runtime.settle(Duration::from_secs(1));
    };
    hang();
    hang_detached();
    hang();
    assert_eq!(site.told.take().len(), 1);
    hang();
    assert_eq!((site.ran_and_kept_back(), site.runner.counts().timed_out), ((3, 1), 3));
}

#[test]
fn failures_and_differences_are_no_faults_and_good_ends_start_anew() {
    let site = Site::new(PARALLEL, three_in_a_row());
    for _ in 0..20 {
        site.call(|| Err("failed".into()));
        site.call(|| Ok(2));
        site.fault();
        site.fault();
        site.call(|| Ok(1));
        let dropped = site.runner.run("anna", pending(), ready(Ok(1)));
        assert!(site.runtime.try_run(dropped).is_none());
    }
    assert_eq!((site.ran_and_kept_back(), site.told.take()), ((120, 0), Vec::new()));
}

#[test]
fn by_default_ten_faults_stop_shadows_for_thirty_seconds() {
    let site = Site::new(PARALLEL, ShadowPolicy::new());
    (0..11).for_each(|_| site.fault());
    assert_eq!(site.ran_and_kept_back(), (10, 1));
    site.advance(29_999);
    site.fault();
    assert_eq!(site.ran_and_kept_back(), (10, 2));
    site.advance(1);
    site.call(|| Ok(1));
    assert_eq!(site.ran_and_kept_back(), (11, 2));
}

#[test]
fn without_a_breaker_faults_stop_nothing() {
    let site = Site::new(PARALLEL, ShadowPolicy::new().without_breaker());
    (0..100).for_each(|_| site.fault());
    assert_eq!((site.ran_and_kept_back(), site.told.take()), ((100, 0), Vec::new()));
}

#[test]
fn each_reason_is_counted_and_told_apart() {
    let half = FeatureFlag::new("search").shadow_share(Percentage::new(50.0).unwrap());
    let site = Site::new(half, three_in_a_row().max_in_flight(1));
    for key in 0..1_000_u64 {
        let meanwhile = || site.runner.run_sync(key, || Ok(1), || Ok(1));
        let new = || if key < 900 { meanwhile() } else { panic!("new") };
        site.runner.run_sync(key, meanwhile, new).unwrap();
    }
    let skipped = site.runner.counts().skipped;
    let counted = [skipped.not_sampled, skipped.in_flight, skipped.breaker_open, skipped.nested];
    let told = site.told.take();
    let is_for =
        |wanted: SkipReason| move |event: &&Event| matches!(event, Event::Skipped { reason, .. } if *reason == wanted);
    let told = SkipReason::ALL.map(|wanted| told.iter().filter(is_for(wanted)).count() as u64);
    assert_eq!(counted, told);
    assert!(counted.iter().all(|count| *count > 50), "{counted:?}");
}

#[test]
fn legacy_that_panics_in_place_of_new_is_no_shadow_of_which_the_breaker_hears() {
    let told = Arc::new(Told::default());
    let runner = Runner::builder("search", Route::new(SystemMode::NewOnly, Side::New))
        .comparator(Equality)
        .shadow_policy(ShadowPolicy::new().breaker(1, Duration::from_secs(60)))
        .fallback(cutover::dual::Fallback::ToLegacy)
        .observe(Arc::clone(&told))
        .build();
    let call = || runner.run_sync("anna", || panic!("legacy"), || Err("new".to_owned()));
    assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(call)).is_err());
    assert_eq!((runner.counts().panicked, runner.counts().fallbacks), (1, 1));
    assert_eq!(told.take(), []);
}
