//! A shadow costs what its policy allows, and each one that is left out is counted and told under its reason.
#![cfg(feature = "testing")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::future::{pending, ready};
use std::sync::Mutex;
use std::time::Duration;

use cutover::clock::Instant;
use cutover::dual::{DualRunnerBuilder, Order, ShadowPolicy};
use cutover::testing::{SeededRandom, VirtualRuntime};
use cutover::{BucketKey, Clock, DualRunner, Equality, FeatureFlag, Percentage, Route, Runtime, Side, SystemMode};
use futures::future::join;

const PARALLEL: Route = Route::new(SystemMode::Parallel, Side::Legacy).with_shadow();

type Runner = DualRunner<u32, String>;

fn named(name: &str, policy: ShadowPolicy) -> DualRunnerBuilder<u32, String> {
    Runner::builder(name, PARALLEL).comparator(Equality).shadow_policy(policy)
}

fn share(percent: f64) -> ShadowPolicy {
    ShadowPolicy::new().sample(Percentage::new(percent).unwrap())
}

const fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// Whether the shadow of a call runs.
fn is_sampled<'k>(runner: &Runner, key: impl Into<BucketKey<'k>>) -> bool {
    let mut ran = false;
    let new = || {
        ran = true;
        Ok(1)
    };
    runner.run_sync(key, || Ok(1), new).unwrap();
    ran
}

const CALLS: u64 = 20_000;

/// Whether `count` of [`CALLS`] is within four standard deviations of what `probability` leads to expect.
fn is_expected(count: u64, probability: f64) -> bool {
    let (calls, count) = (f64::from(u32::try_from(CALLS).unwrap()), f64::from(u32::try_from(count).unwrap()));
    (count - calls * probability).abs() <= 4.0 * (calls * probability * (1.0 - probability)).sqrt()
}

#[test]
fn a_share_of_the_keys_is_sampled_and_always_the_same() {
    for percent in [0.5, 10.0, 50.0, 99.0] {
        let (first, again) = (named("search", share(percent)).build(), named("search", share(percent)).build());
        for key in 0..CALLS {
            assert_eq!(is_sampled(&first, key), is_sampled(&again, key), "{percent} {key}");
        }
        let counts = first.counts();
        assert!(is_expected(counts.selected, percent / 100.0), "{} at {percent} %", counts.selected);
        assert_eq!(counts.selected + counts.skipped.not_sampled, CALLS);
    }
}

#[test]
fn nobody_and_everybody_are_exact() {
    let (nobody, everybody) = (named("search", share(0.0)).build(), named("search", share(100.0)).build());
    assert!((0..CALLS).all(|key| !is_sampled(&nobody, key) && is_sampled(&everybody, key)));
    assert!(!is_sampled(&nobody, None::<u64>) && is_sampled(&everybody, None::<u64>));
    assert!(!is_sampled(&nobody, "") && is_sampled(&everybody, ""));
}

#[test]
fn a_larger_share_takes_no_key_out() {
    let runners = [1.0, 10.0, 60.0].map(|percent| named("search", share(percent)).build());
    for key in 0..CALLS {
        assert!(runners.each_ref().map(|runner| is_sampled(runner, key)).is_sorted(), "{key}");
    }
}

#[test]
fn two_runners_sample_other_keys() {
    let (one, other) = (named("search", share(10.0)).build(), named("price", share(10.0)).build());
    let both = (0..CALLS).filter(|key| is_sampled(&one, *key) & is_sampled(&other, *key)).count();
    assert!(is_expected(both as u64, 0.01), "{both} keys are in both samples");
}

#[test]
fn the_sample_is_independent_of_the_rollout_of_the_same_name() {
    let flag = FeatureFlag::new("search").rollout(Percentage::new(10.0).unwrap());
    let runner = named("search", share(10.0)).build();
    let both = (0..CALLS).filter(|key| flag.is_enabled(*key) & is_sampled(&runner, *key)).count();
    assert!(is_expected(both as u64, 0.01), "{both} keys are in the rollout and in the sample");
}

/// A runner often has the name of its flag or migration.
#[test]
fn the_sample_is_a_share_of_the_shadows_that_a_router_of_the_same_name_routes() {
    let half = Percentage::new(50.0).unwrap();
    let flag = FeatureFlag::new("search").shadow_share(half);
    let builder = Runner::builder("search", flag).comparator(Equality);
    let runner = builder.shadow_policy(share(50.0)).build();
    let count = (0..CALLS).filter(|key| is_sampled(&runner, *key)).count();
    assert!(is_expected(count as u64, 0.25), "{count}");
}

#[test]
fn calls_without_a_key_are_sampled_by_chance() {
    let sampled = |seed| {
        let runner = named("search", share(10.0)).random(SeededRandom::new(seed)).build();
        (0..CALLS).map(|_| is_sampled(&runner, None::<&str>)).collect::<Vec<_>>()
    };
    assert_eq!(sampled(1), sampled(1));
    assert_ne!(sampled(1), sampled(2));
    let count = sampled(1).into_iter().filter(|sampled| *sampled).count();
    assert!(is_expected(count as u64, 0.1), "{count}");
}

#[test]
fn random_order_lets_either_side_run_first_and_the_default_the_one_that_serves() {
    let firsts = |policy| {
        let runner = named("search", policy).random(SeededRandom::new(3)).build();
        let order = Mutex::new(Vec::new());
        let side = |side| {
            order.lock().unwrap().push(side);
            Ok(1)
        };
        (0..CALLS).for_each(|key| drop(runner.run_sync(key, || side(Side::Legacy), || side(Side::New))));
        assert_eq!(runner.counts().matched, CALLS);
        order.into_inner().unwrap().chunks(2).filter(|sides| sides[0] == Side::New).count() as u64
    };
    assert_eq!(firsts(ShadowPolicy::new()), 0);
    assert_eq!(firsts(ShadowPolicy::new().order(Order::ServedFirst)), 0);
    let by_chance = firsts(ShadowPolicy::new().order(Order::Random));
    assert!(is_expected(by_chance, 0.5), "{by_chance}");
}

/// How long a call waits for a shadow that hangs, while its served side takes `served`.
fn wait(policy: ShadowPolicy, patience: Option<Duration>, served: Duration) -> Duration {
    let runtime = VirtualRuntime::new();
    let builder = named("search", policy).runtime(runtime.clone()).clock(runtime.clock());
    let runner = if let Some(patience) = patience { builder.patience(patience) } else { builder }.build();
    let legacy = async {
        runtime.sleep(served).await;
        Ok(1)
    };
    assert_eq!(runtime.run(runner.run("anna", legacy, pending())), Ok(1));
    assert_eq!((runner.counts().timed_out, runner.counts().in_flight()), (1, 0));
    runtime.clock().now().since(Instant::default().plus(served))
}

#[test]
fn the_caller_waits_for_the_patience_or_the_rest_of_the_timeout() {
    let timeout = |millis_long| ShadowPolicy::new().timeout(millis(millis_long));
    assert_eq!(wait(ShadowPolicy::new(), None, millis(0)), millis(100));
    assert_eq!(wait(ShadowPolicy::new(), None, millis(700)), millis(100));
    assert_eq!(wait(ShadowPolicy::new(), None, millis(950)), millis(50));
    assert_eq!(wait(ShadowPolicy::new(), Some(millis(30)), millis(10)), millis(30));
    assert_eq!(wait(ShadowPolicy::new(), Some(Duration::ZERO), millis(10)), millis(0));
    assert_eq!(wait(timeout(40), None, millis(10)), millis(30));
    assert_eq!(wait(timeout(40), None, millis(500)), millis(0));
    assert_eq!(wait(timeout(0), None, millis(10)), millis(0));
    assert_eq!(wait(timeout(60_000), Some(Duration::from_secs(30)), millis(10)), millis(30_000));
}

#[test]
fn at_most_so_many_shadows_run_at_a_time() {
    let runtime = VirtualRuntime::new();
    let runner = named("search", ShadowPolicy::new().max_in_flight(2)).runtime(runtime.clone()).build();
    let call = || {
        let sleep = runtime.sleep(millis(10));
        let new = async {
            sleep.await;
            Ok(1)
        };
        runner.run("anna", ready(Ok(1)), new)
    };
    let ((), ()) = runtime.run(async {
        drop(join(join(call(), call()), join(call(), call())).await);
        (drop(join(call(), call()).await), drop(call().await))
    });
    let counts = runner.counts();
    assert_eq!((counts.selected, counts.matched, counts.skipped.in_flight), (5, 5, 2));
}

#[test]
fn a_place_is_free_again_however_its_shadow_ended() {
    let runtime = VirtualRuntime::new();
    let policy = ShadowPolicy::new().max_in_flight(1).without_breaker();
    let runner = named("search", policy).runtime(runtime.clone()).clock(runtime.clock()).build();
    runner.run_sync("anna", || Ok(1), || panic!("new")).unwrap();
    runtime.run(runner.run("anna", ready(Ok(1)), async { panic!("new") })).unwrap();
    runtime.run(runner.run("anna", ready(Ok(1)), pending())).unwrap();
    runtime.run(runner.run_detached("anna", ready(Ok(1)), pending())).unwrap();
    assert_eq!(runtime.drop_tasks(), 1);
    assert!(runtime.try_run(runner.run("anna", pending(), ready(Ok(1)))).is_none());
    drop(runner.run("anna", ready(Ok(1)), ready(Ok(1))));
    runner.run_sync("anna", || Ok(1), || Ok(1)).unwrap();
    let counts = runner.counts();
    assert_eq!((counts.skipped.in_flight, counts.selected, counts.ended()), (0, 6, 6));
}

#[test]
fn a_limit_of_zero_lets_no_shadow_run() {
    let runtime = VirtualRuntime::new();
    let runner = named("search", ShadowPolicy::new().max_in_flight(0)).runtime(runtime.clone()).build();
    assert!(!is_sampled(&runner, "anna"));
    runtime.run(runner.run("anna", ready(Ok(1)), async { panic!("new was polled") })).unwrap();
    runtime.run(runner.run_detached("anna", ready(Ok(1)), async { panic!("new was polled") })).unwrap();
    runtime.run_until_idle();
    assert_eq!((runner.counts().selected, runner.counts().skipped.in_flight), (0, 3));
}
