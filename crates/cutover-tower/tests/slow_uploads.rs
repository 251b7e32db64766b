//! A client that sends slowly costs the side that serves no time: a side is timed while it works, and not while it waits for
//! the rest of a request.
#![expect(clippy::expect_used, reason = "a test fails by panicking")]

mod common;

use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use common::{Broken, LEGACY_ONLY, LIVE, NEW_ONLY, PARALLEL, Script};
use cutover::dual::Counts;
use cutover::observe::Event;
use cutover::testing::VirtualRuntime;
use cutover::{Clock, Observer, Route, Runtime, Side};
use cutover_tower::{MigrationBody, MigrationLayer, MigrationLayerBuilder};
use futures::future::{BoxFuture, Either, select};
use http::{Request, Response};
use http_body::{Body, Frame};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed};
use tower::util::BoxCloneSyncService;
use tower::{Layer, ServiceExt, service_fn};

/// A body whose pieces arrive when its client sends them, whoever reads or does not.
struct Sent {
    runtime: VirtualRuntime,
    /// In nanoseconds of the clock.
    arrivals: VecDeque<u64>,
    arrives: Option<BoxFuture<'static, ()>>,
}

impl Body for Sent {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        let Some(arrival) = self.arrivals.front().copied() else { return Poll::Ready(None) };
        let now = self.runtime.clock().now().as_nanos();
        if arrival > now {
            let sleep = Runtime::sleep(&self.runtime, Duration::from_nanos(arrival - now));
            return self.arrives.insert(sleep).as_mut().poll(cx).map(|()| None);
        }
        self.arrivals.pop_front();
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(b"piece")))))
    }

    fn is_end_stream(&self) -> bool {
        self.arrivals.is_empty()
    }
}

type Asked = Request<MigrationBody<Sent>>;
type TestSide = BoxCloneSyncService<Asked, Response<Script>, Broken>;

fn side<F>(answer: impl Fn(MigrationBody<Sent>) -> F + Clone + Send + Sync + 'static) -> TestSide
where
    F: Future<Output = ()> + Send + 'static,
{
    BoxCloneSyncService::new(service_fn(move |request: Asked| {
        let answered = answer(request.into_body());
        async move {
            answered.await;
            Ok(Response::new(Script::full("done")))
        }
    }))
}

const fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

async fn next(body: &mut Pin<Box<MigrationBody<Sent>>>) -> bool {
    poll_fn(|cx| body.as_mut().poll_frame(cx)).await.is_some()
}

/// What one request told.
struct Told {
    counts: Counts,
    /// What the side that serves took, as observers hear it.
    served: Duration,
}

/// One request whose pieces arrive at these milliseconds, to a side that serves by `serving` beside one that takes no time.
fn ask(route: Route, arrivals: &[u64], serving: impl FnOnce(VirtualRuntime) -> TestSide) -> Told {
    let runtime = VirtualRuntime::new();
    let beside = side(|body| async move {
        let mut body = Box::pin(body);
        while next(&mut body).await {}
    });
    let serving = serving(runtime.clone());
    let (legacy, new) = if route.serve == Side::Legacy { (serving, beside) } else { (beside, serving) };
    let heard = Arc::new(Heard::default());
    let (virtually, told) = (runtime.clone(), Arc::clone(&heard));
    let builder: MigrationLayerBuilder<TestSide> = MigrationLayer::builder("uploads", route, new);
    let layer = builder
        .shadow_when(|_| true)
        .runner(move |runner| runner.clock(virtually.clock()).runtime(virtually).observe(told))
        .build();
    let arrivals = arrivals.iter().map(|at| at * 1_000_000).collect();
    let body = Sent { runtime: runtime.clone(), arrivals, arrives: None };
    let request = Request::post("/").body(body).expect("a request");
    let response = runtime.run(layer.layer(legacy).oneshot(request)).expect("it answers");
    assert_eq!(runtime.run(common::read(response.into_body())).data(), b"done");
    assert!(runtime.settle(Duration::from_secs(60)));
    let served = heard.0.lock().expect("nobody panics").expect("one call");
    Told { counts: layer.runner().counts(), served }
}

/// The time of the side that served, as observers hear it.
#[derive(Default)]
struct Heard(Mutex<Option<Duration>>);

impl Heard {
    fn note(&self, served: Duration) {
        *self.0.lock().expect("nobody panics") = Some(served);
    }
}

impl Observer for Heard {
    fn observe(&self, _: &str, event: &Event) {
        if let Event::Served { sample, .. } = event {
            self.note(sample.elapsed);
        }
        if let Event::Compared { route, legacy, new, .. } = event {
            self.note(if route.serve == Side::Legacy { legacy } else { new }.elapsed);
        }
    }

    fn never_blocks(&self) -> bool {
        true
    }
}

/// Works before the first piece, after each one, and after the last.
fn working(runtime: VirtualRuntime, before: Duration, works: Vec<u64>, after: Duration) -> TestSide {
    side(move |body| {
        let (runtime, works) = (runtime.clone(), works.clone());
        async move {
            let mut body = Box::pin(body);
            runtime.sleep(before).await;
            let mut works = works.into_iter();
            while next(&mut body).await {
                runtime.sleep(millis(works.next().unwrap_or(0))).await;
            }
            runtime.sleep(after).await;
        }
    })
}

#[test]
fn a_client_that_sends_slowly_costs_no_side_any_time() {
    for (route, beside) in [(PARALLEL, true), (LIVE, true), (LEGACY_ONLY, false), (NEW_ONLY, false)] {
        let told = ask(route, &[100, 5_000], |runtime| working(runtime, millis(20), vec![], millis(30)));
        assert_eq!(told.served, millis(50), "{route:?}");
        assert_eq!(told.counts.matched, u64::from(beside), "{route:?}");
        let nanos = if beside { 50_000_000 } else { 0 };
        assert_eq!(told.counts.legacy_nanos + told.counts.new_nanos, nanos, "the runner says the same");
    }
}

#[test]
fn what_arrives_while_the_side_works_ends_the_wait_though_nobody_comes_for_it() {
    // It asks, does something else for 800 ms, and only then comes again: the piece was there after 300.
    let told = ask(PARALLEL, &[300], |runtime| {
        side(move |body| {
            let runtime = runtime.clone();
            async move {
                let mut body = Box::pin(body);
                let asked = poll_fn(|cx| Poll::Ready(body.as_mut().poll_frame(cx).is_pending())).await;
                assert!(asked, "nothing is there yet");
                runtime.sleep(millis(800)).await;
                assert!(next(&mut body).await);
            }
        })
    });
    assert_eq!((told.served, told.counts.matched), (millis(500), 1));
}

#[test]
fn a_side_that_answers_without_what_it_waited_for_is_timed_whole() {
    let told = ask(PARALLEL, &[0, 10_000], |runtime| {
        side(move |body| {
            let (runtime, held) = (runtime.clone(), Arc::new(Mutex::new(Box::pin(body))));
            async move {
                let reading = Arc::clone(&held);
                let first = poll_fn(|cx| reading.lock().expect("nobody panics").as_mut().poll_frame(cx)).await;
                let pending = |cx: &mut Context<'_>| reading.lock().expect("nobody panics").as_mut().poll_frame(cx);
                let waits = poll_fn(|cx| Poll::Ready(pending(cx).is_pending())).await;
                assert!(first.is_some() && waits);
                runtime.sleep(millis(700)).await;
                // Somebody else goes on reading after the answer.
                runtime.clone().spawn(Box::pin(async move { drop(held) }));
            }
        })
    });
    assert_eq!((told.served, told.counts.abandoned), (millis(700), 1), "and no shadow runs");
}

#[test]
fn a_side_that_gives_up_a_client_is_not_timed_while_it_waited() {
    let told = ask(PARALLEL, &[10, 90_000], |runtime| {
        side(move |body| {
            let runtime = runtime.clone();
            async move {
                let mut body = Box::pin(body);
                let all = async { while next(&mut body).await {} };
                let late = runtime.sleep(millis(1_000));
                assert!(matches!(select(pin!(all), late).await, Either::Right(_)));
                drop(body);
                runtime.sleep(millis(40)).await;
            }
        })
    });
    assert_eq!((told.served, told.counts.abandoned), (millis(40), 1));
}

proptest! {
    #![proptest_config(Config { cases: 200, rng_seed: RngSeed::Fixed(7), ..Config::default() })]

    #[test]
    fn a_side_takes_what_it_works_whenever_its_client_sends(
        pieces in proptest::collection::vec((0..400_u64, 0..400_u64), 1..8),
        before in 0..400_u64,
        after in 0..400_u64,
        route in prop_oneof![Just(PARALLEL), Just(LIVE), Just(LEGACY_ONLY)],
    ) {
        let mut sent = 0;
        let (arrivals, works): (Vec<u64>, Vec<u64>) = pieces.iter().map(|(gap, work)| {
            sent += gap;
            (sent, *work)
        }).unzip();
        let worked = before + works.iter().sum::<u64>() + after;
        let told = ask(route, &arrivals, |runtime| working(runtime, millis(before), works, millis(after)));
        prop_assert_eq!(told.served, millis(worked));
    }
}
