//! A body beyond the limit is never held up, held in memory or compared; the side that serves is not aware of the limit.

mod common;

use std::time::Duration;

use bytes::Bytes;
use common::{Bench, PARALLEL, Read, Script, Step, get, post, read, reader};
use cutover::Runtime;
use http_body::Body;

const LIMIT: usize = 100;

fn bench(legacy: Script, new: Script) -> (Bench, [common::Seen; 2]) {
    let ((legacy, of_legacy), (new, of_new)) = (reader(legacy), reader(new));
    let bench = Bench::with(PARALLEL, legacy, new, |builder| builder.shadow_when(|_| true).body_limit(LIMIT));
    (bench, [of_legacy, of_new])
}

fn bytes(count: usize) -> Vec<u8> {
    (0..=u8::MAX).cycle().take(count).collect()
}

/// Of unknown size, in pieces of 10 bytes.
fn pieces(count: usize) -> Script {
    Script::new(bytes(count).chunks(10).map(|piece| Step::Data(Bytes::copy_from_slice(piece))))
}

#[test]
fn a_request_at_the_limit_has_a_shadow_and_one_byte_more_has_none() {
    for (size, shadows) in [(LIMIT - 1, 1), (LIMIT, 1), (LIMIT + 1, 0), (100 * LIMIT, 0)] {
        for request in [Script::full(bytes(size)), pieces(size)] {
            let known = request.says_size;
            let (bench, [legacy, new]) = bench(Script::full("a"), Script::full("a"));
            bench.exchange(post(request));
            assert_eq!(legacy.lock().expect("nobody panics")[0].1.data(), bytes(size));
            assert_eq!(new.lock().expect("nobody panics").len(), shadows, "{size} bytes, known {known}");
            assert_eq!(bench.layer.request_counts().too_large, 1 - shadows as u64);
            // Where the size is known, the shadow is not even selected.
            let abandoned = u64::from(shadows == 0 && !known);
            assert_eq!((bench.counts().abandoned, bench.counts().matched), (abandoned, shadows as u64));
        }
    }
}

#[test]
fn a_request_that_is_answered_before_it_was_read_has_no_shadow() {
    let legacy = common::answers(|| http::Response::new(Script::full("early")));
    let (new, seen) = reader(Script::full("early"));
    let bench = Bench::with(PARALLEL, legacy, new, |builder| builder.shadow_when(|_| true));
    let (_, body) = bench.exchange(post(Script::new([Step::data("unread"), Step::Never])));
    assert_eq!(body.data(), b"early");
    assert_eq!((seen.lock().expect("nobody panics").len(), bench.layer.request_counts().not_read), (0, 1));
    assert_eq!((bench.counts().abandoned, bench.counts().in_flight()), (1, 0));
}

#[test]
fn a_request_body_that_fails_has_no_shadow() {
    let (bench, [legacy, new]) = bench(Script::full("a"), Script::full("a"));
    bench.exchange(post(Script::new([Step::data("half"), Step::Fail(common::Broken(4))])));
    let seen = Read { frames: vec!["half".into()], trailers: None, error: Some(common::Broken(4)) };
    assert_eq!(legacy.lock().expect("nobody panics")[0].1, seen);
    assert_eq!((new.lock().expect("nobody panics").len(), bench.layer.request_counts().not_read), (0, 1));
}

#[test]
fn the_served_side_gets_each_piece_of_a_request_before_the_next_one_exists() {
    // The side answers after one piece, and the request never ends: nothing waits for the rest.
    let legacy = common::side(|request: common::Asked| async move {
        let mut body = Box::pin(request.into_body());
        let first = std::future::poll_fn(|cx| body.as_mut().poll_frame(cx)).await;
        let first = first.expect("a frame").expect("no error").into_data().expect("data");
        Ok(http::Response::new(Script::full(first)))
    });
    let (new, _) = reader(Script::default());
    let bench = Bench::with(PARALLEL, legacy, new, |builder| builder.shadow_when(|_| true));
    let (_, body) = bench.exchange(post(Script::new([Step::data("first"), Step::Never])));
    assert_eq!(body.data(), b"first");
}

#[test]
fn responses_at_the_limit_are_compared_and_larger_ones_are_not() {
    for (size, known) in [(LIMIT, true), (LIMIT, false), (LIMIT + 1, true), (LIMIT + 1, false), (50 * LIMIT, false)] {
        let script = |size| if known { Script::full(bytes(size)) } else { pieces(size) };
        let (bench, _) = bench(script(size), script(size));
        assert_eq!(bench.exchange(get("/")).1.data(), bytes(size));
        let compared = u64::from(size <= LIMIT);
        assert_eq!((bench.counts().matched, bench.counts().ignored), (compared, 1 - compared), "{size}, {known}");
    }
}

#[test]
fn a_whole_body_beside_one_beyond_the_limit_differs() {
    for (legacy, new) in [(LIMIT, LIMIT + 1), (LIMIT + 1, LIMIT)] {
        let (bench, _) = bench(pieces(legacy), pieces(new));
        bench.exchange(get("/"));
        assert_eq!(bench.paths(), ["/body"]);
    }
}

#[test]
fn an_endless_response_streams_on_and_its_heads_are_compared() {
    let endless = || Script::new([Step::Endless(Bytes::from(bytes(10)))]);
    let (bench, _) = bench(endless(), endless());
    let mut body = Box::pin(bench.send(get("/")).expect("it answers").into_body());
    for _ in 0..1_000 {
        let frame = bench.runtime.run(std::future::poll_fn(|cx| body.as_mut().poll_frame(cx)));
        assert_eq!(frame.expect("it goes on").expect("no error").into_data().expect("data"), bytes(10));
    }
    bench.settle();
    assert_eq!((bench.counts().ignored, bench.counts().in_flight()), (1, 0));
}

#[test]
fn a_response_that_never_goes_on_holds_its_shadow_for_the_timeout_only() {
    let (bench, _) = bench(Script::new([Step::data("head"), Step::Never]), Script::full("head"));
    let body = bench.send(get("/")).expect("it answers").into_body();
    assert!(!bench.runtime.settle(Duration::from_millis(999)));
    assert!(bench.runtime.settle(Duration::from_millis(1)));
    assert_eq!((bench.counts().ignored, bench.counts().in_flight()), (1, 0));
    drop(body);
}

#[test]
fn a_shadow_whose_body_never_ends_differs_from_one_that_is_whole() {
    let (bench, _) = bench(Script::full("whole"), Script::new([Step::data("who"), Step::Never]));
    bench.exchange(get("/"));
    assert_eq!((bench.paths(), bench.counts().mismatched), (vec!["/body".to_owned()], 1));
}

#[test]
fn a_slow_client_costs_no_side_any_time() {
    let (bench, _) = bench(Script::full("same"), Script::full("same"));
    let body = bench.send(get("/")).expect("it answers").into_body();
    bench.runtime.run(bench.runtime.sleep(Duration::from_millis(600)));
    assert_eq!(bench.runtime.run(read(body)).data(), b"same");
    bench.settle();
    let counts = bench.counts();
    assert_eq!((counts.matched, counts.legacy_nanos, counts.new_nanos), (1, 0, 0));
}
