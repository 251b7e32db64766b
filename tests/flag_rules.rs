//! Promise: the rules of a flag are asked in one order, and a decision says which of them decided.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use cutover::bucket::{BucketHasher, Domain};
use cutover::flag::Rule;
use cutover::random::RandomSource;
use cutover::{BucketKey, FeatureFlag, MissingKey, Percentage, Router, Shadow, Side, SystemMode};

const EVERYBODY: Percentage = Percentage::HUNDRED;

fn half() -> FeatureFlag {
    FeatureFlag::new("new-search").rollout(Percentage::new(50.0).unwrap())
}

#[test]
fn a_new_flag_is_off_for_everybody() {
    let decision = FeatureFlag::new("new-search").decide("user-17");
    assert!(!decision.enabled);
    assert_eq!((decision.rule, decision.threshold), (Rule::Percentage, Percentage::ZERO));
}

#[test]
fn the_rules_are_asked_from_kill_switch_to_percentage() {
    let flag = FeatureFlag::new("new-search").rollout(EVERYBODY);
    let rule = |flag: &FeatureFlag| {
        let decision = flag.decide("user-17");
        assert_eq!(flag.is_enabled("user-17"), decision.enabled);
        (decision.rule, decision.enabled)
    };
    assert_eq!(rule(&flag), (Rule::Percentage, true));
    let flag = flag.rollout(Percentage::ZERO).allow(["user-17"]);
    assert_eq!(rule(&flag), (Rule::AllowList, true));
    let flag = flag.deny(["user-17"]);
    assert_eq!(rule(&flag), (Rule::DenyList, false));
    assert_eq!(rule(&flag.kill()), (Rule::KillSwitch, false));
}

#[test]
fn a_deny_list_holds_at_a_hundred_percent_and_only_for_its_keys() {
    let flag = FeatureFlag::new("new-search").rollout(EVERYBODY).deny([17_u64]).deny(["x".repeat(500).as_str()]);
    assert!(!flag.is_enabled(17_u64));
    assert!(!flag.is_enabled(&"x".repeat(500)));
    assert!(flag.is_enabled(18_u64) && flag.is_enabled("17") && flag.is_enabled(17_u128));
}

#[test]
fn a_changed_flag_leaves_the_one_it_came_from() {
    let flag = half();
    let killed = flag.clone().kill().allow(["user-17"]);
    assert!(killed.is_killed() && !flag.is_killed());
    assert_eq!(flag.decide("user-17").rule, Rule::Percentage);
}

#[test]
fn a_decision_holds_the_numbers_it_was_made_by() {
    let flag = half();
    for key in 0..1_000_u64 {
        let decision = flag.decide(key);
        assert_eq!(decision.bucket, BucketHasher::new("new-search", Domain::Rollout).bucket(key));
        assert_eq!(decision.enabled, decision.threshold.contains(decision.bucket.unwrap()));
    }
}

#[test]
fn a_call_without_a_key_stays_on_legacy_even_at_a_hundred_percent() {
    let decision = FeatureFlag::new("new-search").rollout(EVERYBODY).decide(BucketKey::Missing);
    assert!(!decision.enabled);
    assert_eq!((decision.rule, decision.bucket), (Rule::MissingKey, None));
}

#[test]
fn a_call_without_a_key_draws_when_asked_to() {
    let flag = half().missing_key(MissingKey::Random).random_source(Script::of([0, u64::MAX, 1 << 63, (1 << 63) - 1]));
    let answers = [(); 4].map(|()| flag.decide(None::<&str>));
    assert_eq!(answers.map(|decision| decision.enabled), [true, false, false, true]);
    assert_eq!(answers.map(|decision| decision.bucket), [Some(0), Some(u64::MAX), Some(1 << 63), Some((1 << 63) - 1)]);
    assert!(answers.iter().all(|decision| decision.rule == Rule::MissingKey));
}

#[test]
fn a_key_never_draws() {
    let flag = half().missing_key(MissingKey::Random).random_source(Script::of([]));
    assert_eq!(flag.decide("").rule, Rule::Percentage);
}

#[test]
fn a_flag_is_on_only_where_all_it_requires_are_on() {
    let [base, api] = ["base", "api"].map(|name| FeatureFlag::new(name).rollout(Percentage::new(50.0).unwrap()));
    let page = half().allow([7_u64]).requires([&api.requires([&base])]);
    let api = FeatureFlag::new("api").rollout(Percentage::new(50.0).unwrap());
    let mut seen = [0, 0];
    for key in 0..1_000_u64 {
        let alone = key == 7 || half().is_enabled(key);
        let decision = page.decide(key);
        assert_eq!(decision.enabled, alone && api.is_enabled(key) && base.is_enabled(key), "{key}");
        assert_eq!(decision.rule == Rule::Requires, alone && !decision.enabled, "{key}");
        seen[usize::from(decision.rule == Rule::Requires)] += 1;
    }
    assert!(seen[0] > 100 && seen[1] > 100, "{seen:?}");
}

#[test]
fn a_ladder_of_requirements_asks_every_flag_once() {
    let draws = Script::of([0; 61]);
    let rung = |name: String| {
        let flag = FeatureFlag::new(name).rollout(EVERYBODY);
        flag.missing_key(MissingKey::Random).random_source(draws.clone())
    };
    let mut below: Vec<FeatureFlag> = Vec::new();
    for level in 0..30 {
        below = ["left", "right"].map(|side| rung(format!("{side}{level}")).requires(&below)).to_vec();
    }
    assert!(rung("top".to_owned()).requires(&below).is_enabled(BucketKey::Missing));
    assert_eq!(draws.left(), 0);
}

#[test]
fn routing_follows_the_table_of_gradual_rollout() {
    for (share, sampled) in [(0.0, Shadow::Never), (100.0, Shadow::Run)] {
        let flag = half().shadow_share(Percentage::new(share).unwrap());
        for key in 0..100_u64 {
            let route = flag.route(key.into());
            let serve = if flag.is_enabled(key) { Side::New } else { Side::Legacy };
            assert_eq!(
                (route.serve, route.shadow, route.mode, route.epoch),
                (serve, sampled, SystemMode::GradualRollout, 0)
            );
        }
    }
}

#[test]
fn who_is_sampled_says_nothing_about_who_is_in() {
    let flag = half().shadow_share(Percentage::new(50.0).unwrap());
    let mut seen = [[0, 0], [0, 0]];
    for key in 0..4_000_u64 {
        let route = flag.route(key.into());
        assert_ne!(route.shadow, Shadow::Never);
        seen[usize::from(route.serve == Side::New)][usize::from(route.shadow == Shadow::Run)] += 1;
    }
    assert!(seen.as_flattened().iter().all(|count| (850..1_150).contains(count)), "{seen:?}");
}

#[test]
fn calls_without_a_key_are_sampled_by_their_policy() {
    let sampled = |flag: FeatureFlag| flag.shadow_share(Percentage::new(50.0).unwrap()).route(BucketKey::Missing);
    assert_eq!(sampled(half()).shadow, Shadow::NotSampled);
    let drawing = half().missing_key(MissingKey::Random).random_source(Script::of([0, u64::MAX, u64::MAX, 0]));
    let [first, second] = [(); 2].map(|()| sampled(drawing.clone()));
    assert_eq!((first.serve, first.shadow), (Side::New, Shadow::NotSampled));
    assert_eq!((second.serve, second.shadow), (Side::Legacy, Shadow::Run));
}

#[test]
fn a_killed_flag_runs_legacy_alone() {
    let route = half().shadow_share(EVERYBODY).kill().route("user-17".into());
    assert_eq!((route.serve, route.shadow, route.mode), (Side::Legacy, Shadow::Never, SystemMode::EmergencyRollback));
}

#[test]
fn debug_shows_neither_salt_nor_keys() {
    let text = format!("{:?}", half().salt("s3cret").allow(["anna@example.org"]).deny([4711_u64]));
    assert!(text.contains("new-search") && text.contains("50%"), "{text}");
    assert!(!text.contains("s3cret") && !text.contains("anna") && !text.contains("4711"), "{text}");
}

/// Gives out the scripted numbers, and panics after the last one.
#[derive(Debug)]
struct Script {
    draws: Vec<u64>,
    next: AtomicU64,
}

impl Script {
    fn of<const N: usize>(draws: [u64; N]) -> Arc<Self> {
        Arc::new(Self { draws: draws.to_vec(), next: AtomicU64::new(0) })
    }

    fn left(&self) -> usize {
        self.draws.len() - usize::try_from(self.next.load(Ordering::SeqCst)).unwrap()
    }
}

impl RandomSource for Script {
    fn next_u64(&self) -> u64 {
        let at = self.next.fetch_add(1, Ordering::SeqCst);
        self.draws[usize::try_from(at).unwrap()]
    }
}

#[test]
fn a_flag_is_off_for_all_when_no_key_could_be_on() {
    let off = FeatureFlag::new("new-search");
    assert!(off.is_off_for_all() && off.clone().deny(["user-17"]).is_off_for_all());
    assert!(off.clone().missing_key(MissingKey::Random).is_off_for_all());
    assert!(half().kill().is_off_for_all() && off.clone().allow(["user-17"]).kill().is_off_for_all());
    assert!(half().requires([&off]).is_off_for_all());
    assert!(half().requires([&half().requires([&off])]).is_off_for_all());
    let allowing = off.clone().allow(["user-17"]);
    assert!(!allowing.is_off_for_all() && !half().requires([&allowing]).is_off_for_all());
    assert!(off.requires([&half()]).is_off_for_all());
    assert!(!half().is_off_for_all() && !half().deny(["user-17"]).is_off_for_all());
}
