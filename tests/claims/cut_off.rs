//! Calls that are dropped at any await.

use std::pin::pin;
use std::task::{Context, Waker};

use cutover::Side;
use cutover::store::ClaimState;

use super::{TTL, World};

/// Polls a future a few times and drops it, at one await after the other, until it ends by itself.
fn cut_off_at_every_await<F: Future>(mut make: impl FnMut() -> F, mut after: impl FnMut(usize)) -> usize {
    for polls in 0.. {
        {
            let mut future = pin!(make());
            let mut context = Context::from_waker(Waker::noop());
            if (0..polls).any(|_| future.as_mut().poll(&mut context).is_ready()) {
                return polls;
            }
        }
        after(polls);
    }
    0
}

#[test]
fn a_claim_that_is_cut_off_anywhere_blocks_nobody_for_longer_than_its_time() {
    let world = World::new();
    let mut tokens = vec![0];
    let ended = cut_off_at_every_await(
        || world.ana.claims.claim("ticket 17", Side::Legacy, 0, TTL),
        |polls| {
            world.pass(TTL);
            let claim = world.claim(&world.ben, "ticket 17").unwrap();
            assert!(claim.token() > *tokens.last().unwrap(), "after {polls} polls");
            tokens.push(claim.token());
            world.runtime.run(claim.release()).unwrap();
        },
    );
    assert!(ended >= 3, "{ended}");
    let granted_in_vain = tokens.windows(2).filter(|pair| pair[1] > pair[0] + 1).count();
    assert!(granted_in_vain > 0, "one was cut off after the store had granted it: {tokens:?}");
}

#[test]
fn a_completion_that_is_cut_off_anywhere_can_be_repeated() {
    let world = World::new();
    for item in 0.. {
        let item = format!("ticket {item}");
        let claim = world.claim(&world.ana, &item).unwrap();
        let cut_off = {
            let mut completing = pin!(claim.complete());
            let mut context = Context::from_waker(Waker::noop());
            let polls = item["ticket ".len()..].parse::<usize>().unwrap();
            (0..polls).all(|_| completing.as_mut().poll(&mut context).is_pending())
        };
        world.runtime.run(claim.complete()).unwrap();
        assert_eq!(world.stored(&item).unwrap().state, ClaimState::Completed);
        assert!(!claim.still_valid());
        if !cut_off {
            assert!(item != "ticket 0" && item != "ticket 1");
            return;
        }
    }
}
