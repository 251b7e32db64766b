//! A request that one side serves alone costs one allocation, whatever its body; bodies pass through without any.
#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use std::future::{Ready, ready};
use std::task::{Context, Poll};

use allocation_counter::{AllocationInfo, measure};
use bytes::Bytes;
use cutover::{Route, Side, SystemMode};
use cutover_tower::{MigrationBody, MigrationLayer, MigrationService, by_header};
use futures::FutureExt;
use http::{HeaderName, Request, Response};
use http_body_util::{BodyExt, Full};
use tower::{Layer, Service};

const LEGACY_ONLY: Route = Route::new(SystemMode::LegacyOnly, Side::Legacy);
const NEW_ONLY: Route = Route::new(SystemMode::NewOnly, Side::New);
const PARALLEL: Route = Route::new(SystemMode::Parallel, Side::Legacy).with_shadow();

/// Answers with the request's body, and allocates nothing.
#[derive(Clone)]
struct Echo;

type Body = Full<Bytes>;

impl Service<Request<MigrationBody<Body>>> for Echo {
    type Response = Response<Body>;
    type Error = std::convert::Infallible;
    type Future = Ready<Result<Response<Body>, Self::Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<MigrationBody<Body>>) -> Self::Future {
        let data = request.into_body().frame().now_or_never().flatten();
        let data = data.and_then(|frame| frame.ok()?.into_data().ok()).unwrap_or_default();
        ready(Ok(Response::new(Full::new(data))))
    }
}

fn service(route: Route) -> MigrationService<Echo, Echo> {
    let key = by_header(HeaderName::from_static("x-user"));
    MigrationLayer::builder("orders", route, Echo).key(key).build().layer(Echo)
}

fn request(size: usize) -> Request<Body> {
    let body = Full::new(Bytes::from(vec![7; size]));
    Request::get("/").header("x-user", "anna").body(body).expect("a request")
}

/// What a request costs, from its call to the last byte of its response.
fn cost(service: &mut MigrationService<Echo, Echo>, size: usize) -> AllocationInfo {
    let mut request = Some(request(size));
    measure(|| {
        let Some(request) = request.take() else { return };
        let response = service.call(request).now_or_never().expect("it answers at once").expect("it never fails");
        let frame = response.into_body().frame().now_or_never().flatten();
        let data = frame.and_then(|frame| frame.ok()?.into_data().ok()).unwrap_or_default();
        assert_eq!(data.len(), size);
    })
}

#[test]
fn a_request_of_one_side_costs_one_allocation_and_copies_nothing() {
    for route in [LEGACY_ONLY, NEW_ONLY] {
        let mut service = service(route);
        cost(&mut service, 1);
        let small = cost(&mut service, 1);
        let large = cost(&mut service, 1 << 20);
        assert_eq!((small.count_total, large.count_total), (1, 1), "{route:?}");
        assert_eq!(small.bytes_total, large.bytes_total, "the size of a body makes no difference");
        assert!(small.bytes_total < 4_096, "{} bytes", small.bytes_total);
    }
}

#[test]
fn a_body_beyond_the_limit_is_not_copied_beside_a_shadow_either() {
    let runtime = cutover::testing::VirtualRuntime::new();
    let virtually = runtime.clone();
    let layer = MigrationLayer::builder("orders", PARALLEL, Echo)
        .runner(|runner| runner.runtime(virtually))
        .body_limit(1_000)
        .build();
    let mut service = layer.layer(Echo);
    cost(&mut service, 999);
    runtime.run_until_idle();
    let within = cost(&mut service, 999);
    runtime.run_until_idle();
    let beyond = cost(&mut service, 1 << 20);
    assert!(within.bytes_total > 2 * 999, "both bodies were copied");
    assert!(beyond.bytes_total < 4_096, "{} bytes", beyond.bytes_total);
    assert_eq!((layer.runner().counts().matched, layer.request_counts().too_large), (2, 1));
}
