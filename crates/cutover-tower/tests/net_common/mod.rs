//! Real servers and a real client over loopback.
#![allow(dead_code, reason = "each test uses a part of it")]
#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use cutover::DualRunner;
use cutover::dual::ShadowPolicy;
use cutover_tower::{HttpAnswer, HttpFailure, MigrationBody};
use http::{Request, Response, StatusCode, Uri};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::net::TcpListener;
use tower::service_fn;
use tower::util::BoxCloneSyncService;

/// A side: what a request is asked of, with axum's bodies.
pub(crate) type HttpSide = BoxCloneSyncService<Request<MigrationBody<Body>>, Response<Body>, Infallible>;

pub(crate) fn local(router: Router) -> HttpSide {
    BoxCloneSyncService::new(router)
}

/// Passes each request on to a server; `502` where that fails.
pub(crate) fn proxy(to: SocketAddr) -> HttpSide {
    let client = Client::builder(TokioExecutor::new()).build_http();
    BoxCloneSyncService::new(service_fn(move |mut request: Request<MigrationBody<Body>>| {
        let client = client.clone();
        async move {
            *request.uri_mut() = uri(to, request.uri().path());
            let answer = client.request(request).await;
            Ok(answer.map_or_else(|_| status(StatusCode::BAD_GATEWAY), |response| response.map(Body::new)))
        }
    }))
}

fn status(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

pub(crate) fn uri(to: SocketAddr, path: &str) -> Uri {
    format!("http://{to}{path}").parse().expect("an address is a URI")
}

/// Listens on a free port of loopback.
pub(crate) async fn listener() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback has a free port");
    let address = listener.local_addr().expect("it has an address");
    (listener, address)
}

/// Serves until the runtime ends.
pub(crate) fn serve(listener: TcpListener, router: Router) {
    tokio::spawn(async move { axum::serve(listener, router).await });
}

/// A server for this router, with its address.
pub(crate) async fn server(router: Router) -> SocketAddr {
    let (listener, address) = listener().await;
    serve(listener, router);
    address
}

pub(crate) fn client() -> Client<HttpConnector, Body> {
    Client::builder(TokioExecutor::new()).build_http()
}

/// Shadows that take as long as a busy machine makes them: none ends by its timeout.
pub(crate) fn patient() -> ShadowPolicy {
    ShadowPolicy::new().timeout(Duration::from_secs(60))
}

/// Waits until all shadows have ended.
pub(crate) async fn settled(runner: &DualRunner<HttpAnswer, HttpFailure>) {
    let wait = async {
        while runner.counts().in_flight() > 0 {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(50), wait).await.expect("shadows end");
}
