//! A real server of axum, a real client of hyper, and a proxy in front of two versions, over loopback.
#![expect(clippy::expect_used, reason = "a test fails by panicking")]

mod net_common;

use std::convert::Infallible;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::Path;
use axum::routing::{any, get, post};
use cutover::record::MemoryRecorder;
use cutover::{MemoryStore, MigrationController, Route, Side, SystemMode};
use cutover_tower::{MigrationLayer, MigrationLayerBuilder, by_header};
use futures::StreamExt;
use http::{HeaderMap, HeaderName, Request, Response, StatusCode};
use http_body_util::{BodyExt, StreamBody};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use net_common::{HttpSide, client, local, patient, proxy, server, settled, uri};
use tower::Layer;

const PARALLEL: Route = Route::new(SystemMode::Parallel, Side::Legacy).with_shadow();

/// The API: prices, an echo, an endless stream, and a stream with trailers.
fn api(price: u32) -> Router {
    let prices = move |Path(id): Path<u32>| async move {
        axum::Json(serde_json::json!({ "id": id, "price": price, "took_ms": price % 7 }))
    };
    let endless =
        || async { Body::from_stream(futures::stream::repeat(Ok::<_, Infallible>(Bytes::from_static(&[7; 1_000])))) };
    Router::new()
        .route("/prices/{id}", get(prices))
        .route("/echo", post(|body: Bytes| async { body }))
        .route("/stream", post(|request: Request<Body>| async { Body::new(request.into_body()) }))
        .route("/endless", get(endless))
        .route("/message", any(message))
        .layer(axum::extract::DefaultBodyLimit::disable())
}

/// As gRPC answers a unary call: reads all of the request, and says its status in the trailers.
async fn message(asked: Bytes) -> Response<Body> {
    with_status(&asked, "0")
}

async fn refuses(asked: Bytes) -> Response<Body> {
    with_status(&asked, "5")
}

fn with_status(asked: &Bytes, code: &str) -> Response<Body> {
    let mut trailers = HeaderMap::new();
    trailers.insert("grpc-status", code.parse().expect("a value"));
    let frames = [http_body::Frame::data(asked.clone()), http_body::Frame::trailers(trailers)];
    Response::new(Body::new(StreamBody::new(futures::stream::iter(frames.map(Ok::<_, Infallible>)))))
}

struct Running {
    address: std::net::SocketAddr,
    layer: MigrationLayer<HttpSide>,
    recorder: Arc<MemoryRecorder>,
}

async fn run(
    router: impl cutover::Router + 'static,
    [legacy, new]: [HttpSide; 2],
    configure: impl FnOnce(MigrationLayerBuilder<HttpSide>) -> MigrationLayerBuilder<HttpSide>,
) -> Running {
    let recorder = Arc::new(MemoryRecorder::new());
    let records = Arc::clone(&recorder);
    let builder = MigrationLayer::builder("prices", router, new)
        .runner(|runner| runner.shadow_policy(patient()).record_to(records));
    let layer = configure(builder).build();
    let address = server(Router::new().fallback_service(layer.layer(legacy))).await;
    Running { address, layer, recorder }
}

/// Two versions in this process, and the same two behind proxies.
async fn sides(new_price: u32) -> [[HttpSide; 2]; 2] {
    let behind = [server(api(10)).await, server(api(new_price)).await];
    [[local(api(10)), local(api(new_price))], behind.map(proxy)]
}

async fn ask(request: Request<Body>) -> (StatusCode, Bytes) {
    let response = client().request(request).await.expect("it answers");
    (response.status(), to_bytes(Body::new(response.into_body()), 1 << 24).await.expect("a body"))
}

fn get_from(running: &Running, path: &str) -> Request<Body> {
    Request::get(uri(running.address, path)).body(Body::empty()).expect("a request")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_versions_that_differ_are_found_out_while_legacy_answers() {
    for sides in sides(11).await {
        let running = run(PARALLEL, sides, |builder| builder).await;
        for _ in 0..20 {
            let (status, body) = ask(get_from(&running, "/prices/17")).await;
            assert_eq!((status, &*body), (StatusCode::OK, br#"{"id":17,"price":10,"took_ms":3}"#.as_slice()));
        }
        settled(running.layer.runner()).await;
        assert_eq!(running.layer.runner().counts().mismatched, 20);
        let found = running.recorder.discrepancies().remove(0);
        let paths: Vec<_> = found.differences.iter().map(|difference| difference.path.as_str()).collect();
        assert_eq!((paths, found.occurrences), (vec!["/body/price", "/body/took_ms"], 20));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn large_bodies_pass_both_ways_and_have_no_shadow() {
    let data: Vec<u8> = (0..=u8::MAX).cycle().take(3 << 20).collect();
    for sides in sides(10).await {
        let running = run(PARALLEL, sides, |builder| builder.shadow_when(|_| true)).await;
        for path in ["/echo", "/stream"] {
            let chunked =
                futures::stream::iter(data.clone()).chunks(40_000).map(|chunk| Ok::<_, Infallible>(Bytes::from(chunk)));
            for body in [Body::from(data.clone()), Body::from_stream(chunked)] {
                let request = Request::post(uri(running.address, path)).body(body).expect("a request");
                let (status, echoed) = ask(request).await;
                assert!(status == StatusCode::OK && echoed == data, "{path}: {status}, {} bytes", echoed.len());
            }
        }
        settled(running.layer.runner()).await;
        assert_eq!(running.layer.runner().counts().matched, 0);
        let counts = running.layer.request_counts();
        assert_eq!((counts.too_large + counts.not_read, counts.not_allowed), (4, 0));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_small_upload_that_the_host_allows_is_compared_whether_or_not_its_size_is_known() {
    for sides in sides(10).await {
        let running = run(PARALLEL, sides, |builder| builder.shadow_when(|_| true)).await;
        let chunks = || futures::stream::iter(["some ", "", "text"].map(Ok::<_, Infallible>));
        for body in [Body::from("some text"), Body::from_stream(chunks())] {
            let request = Request::post(uri(running.address, "/echo")).body(body).expect("a request");
            assert_eq!(ask(request).await.1, "some text");
        }
        settled(running.layer.runner()).await;
        assert_eq!(running.layer.runner().counts().matched, 2, "{:?}", running.layer);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_endless_response_streams_until_its_client_leaves() {
    for sides in sides(10).await {
        let running = run(PARALLEL, sides, |builder| builder).await;
        let response = client().request(get_from(&running, "/endless")).await.expect("it answers");
        let mut body = response.into_body();
        let mut seen = 0;
        while seen < 4 << 20 {
            seen += body.frame().await.expect("it goes on").expect("no error").into_data().expect("data").len();
        }
        drop(body);
        settled(running.layer.runner()).await;
        assert_eq!(running.layer.runner().counts().ignored, 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn trailers_of_http_2_survive_and_are_compared() {
    let sides = [local(api(10)), local(Router::new().fallback(refuses))];
    let grpc_status = HeaderName::from_static("grpc-status");
    let comparator = cutover_tower::HttpComparator::new().headers([grpc_status.clone()]);
    let running = run(PARALLEL, sides, |builder| {
        builder
            .comparator(comparator)
            .shadow_when(|head| head.headers.get("content-type").is_some_and(|kind| kind == "application/grpc"))
    })
    .await;
    let client = Client::builder(TokioExecutor::new()).http2_only(true).build_http::<Body>();
    let request = Request::post(uri(running.address, "/message"))
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .body(Body::from_stream(futures::stream::iter([Ok::<_, Infallible>("request")])))
        .expect("a request");
    let response = client.request(request).await.expect("it answers");
    assert_eq!(response.version(), http::Version::HTTP_2);
    let whole = response.into_body().collect().await.expect("a body");
    assert_eq!(whole.trailers().expect("trailers")[&grpc_status], "0");
    assert_eq!(whole.to_bytes(), "request");
    settled(running.layer.runner()).await;
    let found = running.recorder.discrepancies().remove(0);
    let paths: Vec<_> = found.differences.iter().map(|difference| difference.path.as_str()).collect();
    assert_eq!((paths, running.layer.runner().counts().selected), (vec!["/trailers/grpc-status"], 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_version_that_is_gone_or_hangs_costs_the_client_nothing() {
    let (dead, gone) = net_common::listener().await;
    drop(dead);
    let (silent, hangs) = net_common::listener().await;
    for (new, silent) in [(proxy(gone), None), (proxy(hangs), Some(silent))] {
        let running = run(PARALLEL, [local(api(10)), new], |builder| builder).await;
        assert_eq!(ask(get_from(&running, "/prices/1")).await.0, StatusCode::OK);
        if let Some(silent) = silent {
            assert_eq!(running.layer.runner().counts().in_flight(), 1, "the client did not wait for it");
            drop(silent);
        }
        settled(running.layer.runner()).await;
        let counts = running.layer.runner().counts();
        assert_eq!((counts.one_failed, counts.timed_out), (1, 0), "{counts:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rollout_serves_by_the_header_and_an_emergency_takes_it_back() {
    let [sides, _] = sides(11).await;
    let controller = MigrationController::open("prices", MemoryStore::new()).await.expect("it opens");
    let key = by_header(HeaderName::from_static("x-user"));
    let running = run(controller.clone(), sides, |builder| builder.key(key)).await;
    let price = async |user: u32| {
        let mut request = get_from(&running, "/prices/1");
        request.headers_mut().insert("x-user", user.into());
        String::from_utf8(ask(request).await.1.to_vec()).expect("text").contains("\"price\":11")
    };
    controller.transition(SystemMode::GradualRollout, "ana", "begin").await.expect("it is allowed");
    controller
        .set_rollout(cutover::Percentage::new(50.0).expect("a share"), "ana", "half")
        .await
        .expect("it is allowed");
    let mut by_new = 0;
    for user in 0..60 {
        let first = price(user).await;
        assert_eq!(first, price(user).await, "user {user} keeps the side");
        by_new += u32::from(first);
    }
    assert!((15..45).contains(&by_new), "{by_new} of 60 at 50 %");
    controller.emergency_rollback("ana", "wrong prices").await;
    for user in 0..60 {
        assert!(!price(user).await);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn axum_takes_the_layer_for_its_routes() {
    let says = |text: &'static str| Router::new().route("/version", get(move || async move { text }));
    let layer =
        MigrationLayer::builder("prices", PARALLEL, says("2")).runner(|runner| runner.shadow_policy(patient())).build();
    let address = server(says("1").layer(layer.clone())).await;
    let request = Request::get(uri(address, "/version")).body(Body::empty()).expect("a request");
    assert_eq!(ask(request).await, (StatusCode::OK, Bytes::from_static(b"1")));
    settled(layer.runner()).await;
    assert_eq!(layer.runner().counts().mismatched, 1);
}
