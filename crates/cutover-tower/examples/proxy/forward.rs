//! A side that is another server: passes requests on, and responses back.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::task::{Context, Poll};

use axum::body::Body;
use cutover_tower::MigrationBody;
use futures::future::BoxFuture;
use http::uri::{InvalidUri, Uri};
use http::{Request, Response, StatusCode};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tower::Service;

/// Passes each request on to one server; clones share its connections.
#[derive(Clone)]
pub(crate) struct Forward {
    to: SocketAddr,
    client: Client<HttpConnector, MigrationBody<Body>>,
}

impl Forward {
    pub(crate) fn new(to: SocketAddr) -> Self {
        Self { to, client: Client::builder(TokioExecutor::new()).build_http() }
    }
}

impl Service<Request<MigrationBody<Body>>> for Forward {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<MigrationBody<Body>>) -> Self::Future {
        let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
        let uri = uri(self.to, path);
        let client = self.client.clone();
        Box::pin(async move {
            let Ok(uri) = uri else { return Ok(failed(StatusCode::BAD_REQUEST)) };
            *request.uri_mut() = uri;
            let answer = client.request(request).await;
            Ok(answer.map_or_else(|_| failed(StatusCode::BAD_GATEWAY), |response| response.map(Body::new)))
        })
    }
}

fn failed(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

/// The place of a path on a server.
pub(crate) fn uri(server: SocketAddr, path: &str) -> Result<Uri, InvalidUri> {
    format!("http://{server}{path}").parse()
}

/// A client of the proxy.
pub(crate) fn client() -> Client<HttpConnector, Body> {
    Client::builder(TokioExecutor::new()).build_http()
}
