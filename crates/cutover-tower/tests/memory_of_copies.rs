//! What is copied of a body is held no longer than somebody waits for it, also where the body itself lives on.
#![expect(clippy::expect_used, reason = "a test fails by panicking")]

mod common;

use std::future::{pending, poll_fn};
use std::sync::{Arc, Mutex};

use allocation_counter::measure;
use bytes::Bytes;
use common::{Asked, Bench, Broken, PARALLEL, Script, Step, TestSide, answers, get, panicking, post, side};
use cutover_tower::{MigrationBody, MigrationLayerBuilder};
use http::Response;
use http_body::Body;

const SIZE: usize = 300_000;
const LIMIT: usize = 1_000_000;
/// What calls, counts and tasks may hold besides; far below the size of a body.
const BESIDES: i64 = 30_000;

static DATA: [u8; SIZE] = [7; SIZE];

fn data() -> Step {
    Step::Data(Bytes::from_static(&DATA))
}

fn with_limit(builder: MigrationLayerBuilder<TestSide>) -> MigrationLayerBuilder<TestSide> {
    builder.shadow_when(|_| true).body_limit(LIMIT)
}

/// One frame of a body.
fn frame(bench: &Bench, body: &mut std::pin::Pin<Box<MigrationBody<Script>>>) {
    let frame = bench.runtime.run(poll_fn(|cx| body.as_mut().poll_frame(cx)));
    let data = frame.expect("it goes on").expect("no error").into_data().expect("data");
    assert_eq!(data.len(), SIZE);
}

/// How many bytes are held, and were held at most, while a client reads frames before and after the shadow is over.
fn held(new: TestSide, frames: [usize; 2]) -> [i64; 2] {
    let legacy = answers(|| Response::new(Script::new([data(), data(), data(), Step::Never])));
    let bench = Bench::with(PARALLEL, legacy, new, with_limit);
    drop(bench.send(get("/")));
    bench.settle();
    let mut held = None;
    let info = measure(|| {
        let mut body = Box::pin(bench.send(get("/")).expect("it answers").into_body());
        (0..frames[0]).for_each(|_| frame(&bench, &mut body));
        bench.settle();
        (0..frames[1]).for_each(|_| frame(&bench, &mut body));
        held = Some(body);
    });
    assert_eq!(bench.counts().in_flight(), 0);
    drop(held);
    [info.bytes_current, i64::try_from(info.bytes_max).expect("not that many")]
}

fn quick() -> TestSide {
    answers(|| Response::new(Script::full("quick")))
}

fn hangs() -> TestSide {
    side(|_| pending())
}

#[test]
fn a_response_that_is_read_half_holds_no_copy_once_its_shadow_timed_out() {
    for new in [quick(), hangs()] {
        let [held, at_most] = held(new, [1, 0]);
        assert!(held < BESIDES, "{held} bytes");
        assert!(at_most > i64::try_from(SIZE).expect("a size"), "it was copied: {at_most} bytes");
    }
}

#[test]
fn a_response_that_is_read_on_after_its_shadow_is_copied_no_further() {
    let fails = || side(|_| async { Err(Broken(1)) });
    let panics = || side(|_| panicking());
    for new in [quick(), hangs(), fails(), panics()] {
        let [held, at_most] = held(new.clone(), [0, 3]);
        assert!(held < BESIDES && at_most < BESIDES, "{held} bytes, {at_most} at most");
        let [held, _] = self::held(new, [1, 2]);
        assert!(held < BESIDES, "{held} bytes");
    }
}

#[test]
fn a_response_that_only_announces_its_size_takes_no_memory() {
    let bench = Bench::with(PARALLEL, answers(|| Response::new(Script::full(&DATA[..]))), hangs(), with_limit);
    drop(bench.send(get("/")));
    bench.settle();
    let mut unread = None;
    let info = measure(|| unread = Some(bench.send(get("/")).expect("it answers")));
    assert!(info.bytes_current < BESIDES, "{} bytes", info.bytes_current);
    assert_eq!(bench.counts().in_flight(), 1);
}

#[test]
fn a_request_that_is_still_read_after_the_answer_is_copied_no_further() {
    let requests = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&requests);
    let legacy = side(move |request: Asked| {
        let kept = Arc::clone(&kept);
        async move {
            let mut body = Box::pin(request.into_body());
            let first = poll_fn(|cx| body.as_mut().poll_frame(cx)).await;
            assert!(first.expect("a frame").is_ok());
            kept.lock().expect("nobody panics").push(body);
            Ok(Response::new(Script::full("early")))
        }
    });
    let bench = Bench::with(PARALLEL, legacy, quick(), with_limit);
    let upload = || post(Script::new([data(), data(), data(), Step::Never]));
    bench.exchange(upload());
    let info = measure(|| {
        bench.exchange(upload());
        for body in requests.lock().expect("nobody panics").iter_mut() {
            frame(&bench, body);
        }
    });
    assert!(info.bytes_current < BESIDES, "{} bytes", info.bytes_current);
    assert_eq!((bench.layer.request_counts().not_read, bench.counts().in_flight()), (2, 0));
}

#[test]
fn a_copy_of_many_pieces_takes_no_more_than_its_limit_allows() {
    let piece = Step::Data(Bytes::from_static(&DATA[..1_000]));
    let script = move || Script::new(std::iter::repeat_n(piece.clone(), LIMIT / 1_000));
    let bench = Bench::with(PARALLEL, answers(move || Response::new(script())), quick(), with_limit);
    drop(bench.send(get("/")));
    bench.settle();
    let mut body = Box::pin(bench.send(get("/")).expect("it answers").into_body());
    let info = measure(|| {
        for _ in 0..LIMIT / 1_000 {
            bench.runtime.run(poll_fn(|cx| body.as_mut().poll_frame(cx))).expect("a frame").expect("no error");
        }
    });
    let kept = usize::try_from(info.bytes_current).expect("it is kept for the comparison");
    assert!((LIMIT..LIMIT + 30_000).contains(&kept), "{kept} bytes");
    assert!(bench.runtime.run(poll_fn(|cx| body.as_mut().poll_frame(cx))).is_none());
    bench.settle();
    assert_eq!(bench.paths(), ["/body"]);
}
