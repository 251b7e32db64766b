//! The side that serves and its client see each other's bodies as if nothing stood between them, whatever runs beside.
#![expect(clippy::expect_used, reason = "a test fails by panicking")]

mod common;

use bytes::Bytes;
use common::{Bench, LEGACY_ONLY, LIVE, NEW_ONLY, PARALLEL, Read, Script, Step, post, read, reader};
use http::HeaderMap;
use http_body::Body;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed};

fn trailers() -> HeaderMap {
    let mut trailers = HeaderMap::new();
    trailers.insert("checksum", "31fc".parse().expect("a value"));
    trailers
}

/// Bodies in pieces of all sizes, empty ones too, with waits between them, trailers and errors.
fn bodies() -> impl Strategy<Value = Script> {
    let piece = prop_oneof![
        6 => proptest::collection::vec(any::<u8>(), 0..40).prop_map(Step::data),
        2 => Just(Step::Wait),
    ];
    let end = prop_oneof![
        3 => Just(None),
        2 => Just(Some(Step::Trailers(trailers()))),
        1 => any::<u32>().prop_map(|code| Some(Step::Fail(common::Broken(code)))),
    ];
    (proptest::collection::vec(piece, 0..12), end, any::<bool>()).prop_map(|(mut steps, end, says_size)| {
        let ends = end.is_none();
        steps.extend(end);
        // Who says its size and has trailers would be over too early for this script.
        Script { steps: steps.into(), says_size: says_size && ends }
    })
}

fn as_written(script: &Script) -> Read {
    futures::executor::block_on(read(script.clone()))
}

proptest! {
    #![proptest_config(Config { cases: 400, rng_seed: RngSeed::Fixed(7), ..Config::default() })]

    #[test]
    fn frames_trailers_and_errors_are_the_same_on_both_ways(
        request in bodies(),
        response in bodies(),
        route in prop_oneof![Just(LEGACY_ONLY), Just(PARALLEL), Just(NEW_ONLY), Just(LIVE)],
        limit in prop_oneof![Just(0_usize), 1..100_usize, Just(65_536)],
    ) {
        let (serving, seen) = reader(response.clone());
        let (beside, beside_seen) = reader(Script::full("the other side"));
        let (legacy, new) = if route.serve == cutover::Side::Legacy { (serving, beside) } else { (beside, serving) };
        let bench = Bench::with(route, legacy, new, |builder| builder.shadow_when(|_| true).body_limit(limit));

        let answer = bench.send(post(request.clone())).expect("it answers").into_body();
        prop_assert_eq!(answer.size_hint().exact(), response.size_hint().exact());
        prop_assert_eq!(answer.is_end_stream(), response.is_end_stream());
        prop_assert_eq!(bench.runtime.run(read(answer)), as_written(&response));
        bench.settle();

        let sent = as_written(&request);
        prop_assert_eq!(&seen.lock().expect("nobody panics")[0].1, &sent);
        // The shadow gets the same bytes and trailers, or it does not run.
        let runs = route.shadow == cutover::Shadow::Run && sent.error.is_none() && sent.data().len() <= limit;
        let beside_seen = beside_seen.lock().expect("nobody panics");
        prop_assert_eq!(beside_seen.len(), usize::from(runs));
        if let Some((_, read)) = beside_seen.first() {
            prop_assert_eq!((read.data(), &read.trailers), (sent.data(), &sent.trailers));
        }
        prop_assert_eq!(bench.counts().in_flight(), 0);
    }
}

#[test]
fn a_piece_of_a_body_is_the_same_memory_on_both_sides() {
    let data = Bytes::from(vec![7; 100]);
    for route in [LEGACY_ONLY, PARALLEL] {
        let (legacy, seen) = reader(Script::full(data.clone()));
        let (new, _) = reader(Script::default());
        let bench = Bench::with(route, legacy, new, |builder| builder.shadow_when(|_| true));
        let (_, read) = bench.exchange(post(Script::full(data.clone())));
        assert_eq!(read.frames[0].as_ptr(), data.as_ptr());
        assert_eq!(seen.lock().expect("nobody panics")[0].1.frames[0].as_ptr(), data.as_ptr());
    }
}

#[test]
fn a_client_that_stops_at_the_last_byte_has_read_all_of_it() {
    // It knows its size, but not yet that nothing follows.
    let body = |text: &'static str| Script { steps: [Step::data(text), Step::Wait].into(), says_size: true };
    for (new, paths) in [("12345", vec![]), ("1234x", vec!["/body"])] {
        let ((legacy, _), (new, _)) = (reader(body("12345")), reader(body(new)));
        let bench = Bench::new(PARALLEL, legacy, new);
        let mut body = Box::pin(bench.send(common::get("/")).expect("it answers").into_body());
        let first = bench.runtime.run(std::future::poll_fn(|cx| body.as_mut().poll_frame(cx)));
        assert!(first.is_some_and(|frame| frame.is_ok()) && !body.is_end_stream());
        drop(body);
        bench.settle();
        assert_eq!((bench.paths(), bench.counts().ignored), (paths.into_iter().map(str::to_owned).collect(), 0));
    }
}
