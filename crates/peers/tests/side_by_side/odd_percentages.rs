//! What becomes of numbers that are no percentages, and of the ends of the scale.

use cutover_peers::flags::{Share, Taken};

use super::shares;

const USERS: usize = 20_000;
const NOBODY: Taken<Share> = Taken::As(Share { users: USERS, inside: 0 });
const EVERYBODY: Taken<Share> = Taken::As(Share { users: USERS, inside: USERS });

fn taken(library: &str, percent: f64) -> Taken<Share> {
    shares(library).share(percent, USERS)
}

#[track_caller]
fn assert_about(taken: Taken<Share>, percent: f64) {
    let Taken::As(share) = taken else { panic!("{taken:?}") };
    assert!((share.percent() - percent).abs() < 0.3, "{share} for {percent} %");
}

#[test]
fn zero_is_nobody_and_a_hundred_everybody_of_twenty_thousand() {
    for library in cutover_peers::flags::all_shares() {
        assert_eq!((library.share(0.0, USERS), library.share(100.0, USERS)), (NOBODY, EVERYBODY), "{}", library.name());
    }
}

#[test]
fn cutover_refuses_what_is_no_percentage_and_takes_half_a_percent_as_it_is() {
    assert_eq!([f64::NAN, -5.0, 250.0].map(|odd| taken("cutover", odd)), [Taken::Refused; 3]);
    assert_about(taken("cutover", 0.5), 0.5);
}

#[test]
fn launchdarkly_takes_negative_and_too_large_weights() {
    assert_eq!([-5.0, 250.0].map(|odd| taken("launchdarkly-server-sdk", odd)), [NOBODY, EVERYBODY]);
    assert_about(taken("launchdarkly-server-sdk", 0.5), 0.5);
}

/// The bucket of this user rounds to 1 as a number of 24 bits, and 1 is not below 100 %.
pub(crate) const AT_THE_VERY_END: &str = "user-00013282453";

#[test]
fn launchdarkly_leaves_one_user_in_millions_out_of_a_hundred_percent() {
    let everybody = |library| match shares(library).flag("new-search", 100.0) {
        Taken::As(flag) => flag(AT_THE_VERY_END),
        Taken::Refused | Taken::CannotBeWritten => panic!("100 % was not taken"),
    };
    assert_eq!((everybody("launchdarkly-server-sdk"), everybody("cutover")), (false, true));
}

#[test]
fn unleash_takes_what_is_no_whole_number_for_nobody() {
    let odd = [f64::NAN, -5.0, 0.5].map(|odd| taken("unleash-yggdrasil", odd));
    assert_eq!(odd, [NOBODY; 3]);
    assert_eq!(taken("unleash-yggdrasil", 250.0), Taken::Refused);
}

#[test]
fn growthbook_takes_negative_and_too_large_coverage() {
    for version in ["growthbook-rust, hash version 1", "growthbook-rust, hash version 2"] {
        assert_eq!([-5.0, 250.0].map(|odd| taken(version, odd)), [NOBODY, EVERYBODY], "{version}");
        assert_about(taken(version, 0.5), 0.5);
    }
}

#[test]
fn feature_flag_refuses_all_but_whole_percentages() {
    assert_eq!([-5.0, 0.5, 250.0].map(|odd| taken("feature-flag", odd)), [Taken::Refused; 3]);
}

#[test]
fn request_shadow_has_whole_percentages_and_takes_more_than_a_hundred_for_a_hundred() {
    assert_eq!([f64::NAN, -5.0, 0.5].map(|odd| taken("request-shadow", odd)), [Taken::CannotBeWritten; 3]);
    assert_eq!(taken("request-shadow", 250.0), EVERYBODY);
}

#[test]
fn thesis_takes_any_number() {
    assert_eq!([f64::NAN, -5.0, 250.0].map(|odd| taken("thesis", odd)), [NOBODY, NOBODY, EVERYBODY]);
    assert_about(taken("thesis", 0.5), 0.5);
}
