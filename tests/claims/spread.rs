//! When claims are renewed.

use std::time::Duration;

use cutover::control::Claim;

use super::{TTL, World};

#[test]
fn claims_made_at_once_are_renewed_apart_up_to_fifteen_percent_around_a_third_of_their_time() {
    let world = World::new();
    let claims: Vec<_> = (0..300).map(|item| world.claim(&world.ana, &format!("ticket {item}")).unwrap()).collect();
    let renewed_within = |pause: Duration| {
        let before = world.calls();
        world.pass(pause);
        world.calls() - before
    };
    assert_eq!(renewed_within(TTL / 3 * 84 / 100), 0);
    assert!(renewed_within(TTL / 300) <= 1);
    let tenths: Vec<_> = (0..10).map(|_| renewed_within(TTL / 100)).collect();
    assert!(tenths.iter().all(|renewed| (15..=50).contains(renewed)), "{tenths:?}");
    assert!(tenths.iter().sum::<u64>() >= 299 && claims.iter().all(Claim::still_valid), "{tenths:?}");
}
