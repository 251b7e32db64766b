//! Promise: who is in a rollout is stable, exact, fair, monotone, and independent between flags.
#![expect(clippy::unwrap_used, reason = "a test")]

use cutover::bucket::{BucketHasher, Domain};
use cutover::{BucketKey, FeatureFlag, Percentage};
use proptest::prelude::*;

fn percent(percent: f64) -> Percentage {
    Percentage::new(percent).unwrap()
}

proptest! {
    #[test]
    fn growing_never_removes_anyone(name in ".{0,20}", key in ".{0,40}", a in 0_u32..=1_000_000, b in 0_u32..=1_000_000) {
        let at = |ppm| FeatureFlag::new(&*name).rollout(Percentage::from_ppm(ppm).unwrap()).is_enabled(&key);
        prop_assert!(!at(a.min(b)) || at(a.max(b)));
    }

    #[test]
    fn zero_is_nobody_and_a_hundred_is_everybody(name in ".{0,20}", key in proptest::collection::vec(any::<u8>(), 0..100)) {
        let flag = FeatureFlag::new(name);
        prop_assert!(!flag.is_enabled(&key));
        prop_assert!(flag.rollout(Percentage::HUNDRED).is_enabled(&key));
    }

    #[test]
    fn a_share_contains_exactly_the_buckets_below_it(bucket: u64, ppm in 0_u32..=1_000_000) {
        let below = u128::from(bucket) * 1_000_000 < (u128::from(ppm) << 64);
        prop_assert_eq!(Percentage::from_ppm(ppm).unwrap().contains(bucket), below);
    }

    #[test]
    fn text_and_its_bytes_are_one_key(text in ".{0,80}") {
        let hasher = BucketHasher::new("salt", Domain::Rollout);
        prop_assert_eq!(hasher.bucket(&text), hasher.bucket(text.as_bytes()));
    }
}

#[test]
fn zero_and_a_hundred_are_exact_at_the_last_buckets() {
    assert!(!Percentage::ZERO.contains(0));
    assert!(Percentage::HUNDRED.contains(u64::MAX));
    assert!(!Percentage::from_ppm(999_999).unwrap().contains(u64::MAX));
    assert!(Percentage::from_ppm(1).unwrap().contains(0));
}

#[test]
fn the_share_holds_over_a_million_keys() {
    const KEYS: u32 = 1_000_000;
    let shares = [0.01, 0.5, 1.0, 10.0, 12.5, 33.3, 50.0, 99.0, 99.99].map(percent);
    let hasher = BucketHasher::new("new-search", Domain::Rollout);
    let mut enabled = [0_u32; 9];
    for key in 0..KEYS {
        let bucket = hasher.bucket(u64::from(key)).unwrap();
        for (count, share) in enabled.iter_mut().zip(shares) {
            *count += u32::from(share.contains(bucket));
        }
    }
    for (count, share) in enabled.into_iter().zip(shares) {
        let p = share.percent() / 100.0;
        let expected = f64::from(KEYS) * p;
        let sigma = (expected * (1.0 - p)).sqrt();
        assert!((f64::from(count) - expected).abs() <= 4.0 * sigma, "{share}: {count}");
    }
}

#[test]
fn half_a_percent_is_not_rounded_to_one() {
    let flag = FeatureFlag::new("new-search").rollout(percent(0.5));
    let enabled = (0..100_000_u64).filter(|key| flag.is_enabled(*key)).count();
    assert!((400..600).contains(&enabled), "{enabled}");
}

#[test]
fn two_flags_do_not_hit_the_same_users() {
    let [first, second] = ["new-search", "new-cart"].map(|name| FeatureFlag::new(name).rollout(percent(10.0)));
    let users = ids(|n| format!("user-{n}"));
    let both = users.iter().filter(|user| first.is_enabled(*user) && second.is_enabled(*user)).count();
    let expected = users.len() / 100;
    assert!((expected / 2..expected * 2).contains(&both), "{both}, expected about {expected}");
}

#[test]
fn flags_are_independent_for_sequential_ids() {
    assert_independent(&ids(|n| n.to_string()));
}

#[test]
fn flags_are_independent_for_uuids() {
    assert_independent(&ids(|n| {
        let hex = format!("{:032x}", u128::from(n).wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835));
        format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
    }));
}

#[test]
fn flags_are_independent_for_mail_addresses() {
    assert_independent(&ids(|n| format!("first.last{n}@example.org")));
}

#[test]
fn the_salt_keeps_the_users_of_a_renamed_flag() {
    let old = FeatureFlag::new("new-search").rollout(percent(30.0));
    let renamed = FeatureFlag::new("search").salt("new-search").rollout(percent(30.0));
    let resalted = FeatureFlag::new("new-search").salt("search").rollout(percent(30.0));
    assert!((0..1_000_u64).all(|key| old.decide(key) == renamed.decide(key)));
    assert!((0..1_000_u64).any(|key| old.is_enabled(key) != resalted.is_enabled(key)));
}

#[test]
fn an_empty_text_is_a_key_and_numbers_are_not_their_text() {
    let flag = FeatureFlag::new("new-search").rollout(percent(50.0));
    assert!(flag.decide("").bucket.is_some());
    assert_eq!(flag.decide("").bucket, flag.decide(b"").bucket);
    assert_ne!(flag.decide("17").bucket, flag.decide(17_u64).bucket);
    assert_ne!(flag.decide(17_u64).bucket, flag.decide(17_u128).bucket);
    assert_ne!(flag.decide(17_u128).bucket, flag.decide(BucketKey::Uuid(17_u128.to_le_bytes())).bucket);
    assert_ne!(flag.decide("a").bucket, flag.decide("A").bucket);
    assert_eq!(flag.decide(None::<&str>).bucket, None);
}

/// Of all pairs of flags at 10 %, none shares users more or less often than chance allows: 5 sigma over 780 pairs.
fn assert_independent(ids: &[String]) {
    let share = percent(10.0);
    let enabled: Vec<Vec<bool>> = flag_names()
        .map(|name| BucketHasher::new(&name, Domain::Rollout))
        .map(|hasher| ids.iter().map(|id| share.contains(hasher.bucket(id).unwrap())).collect())
        .collect();
    let n = f64::from(u32::try_from(ids.len()).unwrap());
    let sigma = (n * 0.01 * 0.99).sqrt();
    let mut pairs = 0;
    for (first, a) in enabled.iter().enumerate() {
        for b in enabled.iter().take(first) {
            let both = u32::try_from(a.iter().zip(b).filter(|(a, b)| **a && **b).count()).unwrap();
            assert!((f64::from(both) - n * 0.01).abs() <= 5.0 * sigma, "{both} of {n}");
            pairs += 1;
        }
    }
    assert_eq!(pairs, 780);
}

fn flag_names() -> impl Iterator<Item = String> {
    let areas = ["search", "cart", "checkout", "billing", "login", "profile", "mail", "export", "import", "reports"];
    let kinds = ["new-{}", "{}-v2", "{}_rewrite", "{}.api.2"];
    areas.into_iter().flat_map(move |area| kinds.map(|kind| kind.replace("{}", area)))
}

fn ids(id: impl Fn(u32) -> String) -> Vec<String> {
    (1..=10_000).map(id).collect()
}
