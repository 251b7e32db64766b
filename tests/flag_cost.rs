//! Promise: asking a flag allocates nothing.

use allocation_counter::measure;
use cutover::{BucketKey, FeatureFlag, FlagConfig, FlagSet, MissingKey, Percentage, Router};

#[test]
fn a_decision_of_a_flag_allocates_nothing() {
    let flag = FeatureFlag::new("new-search").rollout(Percentage::new(50.0).unwrap()).allow(["anna"]).deny([17_u64]);
    let flag = flag
        .shadow_share(Percentage::new(50.0).unwrap())
        .requires([&FeatureFlag::new("api").missing_key(MissingKey::Random)]);
    let long = "x".repeat(10_000);
    let keys = ["", "anna", "berta", long.as_str()].map(BucketKey::from);
    let allocated = measure(|| {
        for key in keys.into_iter().chain([17_u64.into(), 17_u128.into(), BucketKey::Uuid([7; 16]), BucketKey::Missing])
        {
            std::hint::black_box((flag.is_enabled(key), flag.decide(key), flag.route(key)));
        }
    });
    assert_eq!(allocated.count_total, 0);
}

#[test]
fn asking_a_set_allocates_nothing_once_the_thread_has_seen_it() {
    let flags: FlagSet = serde_json::from_str(r#"{ "new-search": { "rollout": 50, "deny": ["anna"] } }"#).unwrap();
    let router = flags.router("new-search").unwrap();
    flags.is_enabled("new-search", "anna").unwrap();
    let ask = || {
        for key in ["anna", "berta", ""] {
            std::hint::black_box((flags.is_enabled("new-search", key).unwrap(), router.route(key.into())));
        }
    };
    assert_eq!(measure(ask).count_total, 0);
    flags.replace("config", FlagConfig::new().with_rollout("new-search", Percentage::HUNDRED).unwrap()).unwrap();
    assert!(flags.is_enabled("new-search", "anna").unwrap());
    assert_eq!(measure(ask).count_total, 0);
}
