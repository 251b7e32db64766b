//! What the layer costs on the path of a request, without a network: from the call of the service to the last byte of the
//! response. Shadows are handed to a runtime that drops them, so that only the client's part is measured.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::hint::black_box;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use cutover::{BucketKey, Route, Runtime, Side, SystemMode};
use cutover_tower::{MigrationLayer, MigrationService, by_header};
use futures::FutureExt;
use futures::future::{BoxFuture, pending};
use http::{HeaderName, Request, Response};
use http_body::Body;
use http_body_util::{BodyExt, Full};
use tower::{Layer, Service};

/// Answers with a small body.
#[derive(Clone)]
struct Answers;

impl<B> Service<Request<B>> for Answers {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<B>) -> Self::Future {
        ready(Ok(Response::new(Full::new(Bytes::from_static(&[7; 200])))))
    }
}

/// Drops what it shall run.
#[derive(Debug)]
struct Nowhere;

impl Runtime for Nowhere {
    fn spawn(&self, task: BoxFuture<'static, ()>) {
        drop(task);
    }

    fn sleep(&self, _: Duration) -> BoxFuture<'static, ()> {
        Box::pin(pending())
    }
}

fn request() -> Request<Full<Bytes>> {
    let request = Request::get("/prices/17").header("host", "localhost").header("accept", "application/json");
    let built = request.header("x-user", "anna").header("user-agent", "bench").body(Full::default());
    built.unwrap_or_default()
}

fn service(route: Route) -> MigrationService<Answers, Answers> {
    let key = by_header(HeaderName::from_static("x-user"));
    let layer = MigrationLayer::builder("prices", move |_: BucketKey<'_>| route, Answers).key(key);
    layer.runner(|runner| runner.runtime(Nowhere)).build().layer(Answers)
}

/// Calls it, and reads the response to its end.
fn exchange<S, B>(service: &mut S, request: Request<Full<Bytes>>)
where
    S: Service<Request<Full<Bytes>>, Response = Response<B>, Error = Infallible>,
    B: Body<Data = Bytes> + Unpin,
{
    if let Some(Ok(response)) = service.call(request).now_or_never() {
        black_box(response.into_body().frame().now_or_never().flatten().is_some());
    }
}

fn requests(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("request");
    let size = BatchSize::SmallInput;
    group.bench_function("legacy alone", |bencher| {
        bencher.iter_batched(request, |request| exchange(&mut Answers, request), size);
    });
    for (name, route) in [
        ("layer, legacy only", Route::new(SystemMode::LegacyOnly, Side::Legacy)),
        ("layer, new only", Route::new(SystemMode::NewOnly, Side::New)),
        ("layer, with a shadow", Route::new(SystemMode::Parallel, Side::Legacy).with_shadow()),
    ] {
        let mut service = service(route);
        group.bench_function(name, |bencher| {
            bencher.iter_batched(request, |request| exchange(&mut service, request), size);
        });
    }
    group.finish();
}

criterion_group!(benches, requests);
criterion_main!(benches);
