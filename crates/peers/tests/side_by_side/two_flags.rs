//! Whether being in one rollout says something about being in another.

use super::shares;

fn correlated(library: &str) -> Option<usize> {
    shares(library).correlated_pairs()
}

#[test]
fn flags_of_cutover_are_not_correlated() {
    assert_eq!(correlated("cutover"), Some(0));
}

#[test]
fn flags_of_launchdarkly_unleash_growthbook_2_and_feature_flag_are_not_correlated() {
    for library in ["launchdarkly-server-sdk", "unleash-yggdrasil", "growthbook-rust, hash version 2", "feature-flag"] {
        assert_eq!(correlated(library), Some(0), "{library}");
    }
}

#[test]
fn flags_of_growthbook_1_are_correlated() {
    assert!(correlated("growthbook-rust, hash version 1").unwrap() > 50);
}

#[test]
fn two_samplers_of_request_shadow_take_the_same_calls() {
    assert_eq!(correlated("request-shadow"), Some(780));
}
