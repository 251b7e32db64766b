//! One question to a side, over HTTP.

use std::error::Error;
use std::net::SocketAddr;

use http_body_util::{BodyExt, Empty, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;

/// What a side answered.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Vec<u8>,
}

impl Answer {
    pub(super) const fn is_good(&self) -> bool {
        self.status < 400
    }
}

/// Asks for a path, on a connection of its own.
pub(super) async fn get(address: SocketAddr, path: &str) -> Result<Answer, Box<dyn Error + Send + Sync>> {
    let client = Client::builder(TokioExecutor::new()).build_http::<Empty<&'static [u8]>>();
    let response = client.get(format!("http://{address}{path}").parse()?).await?;
    let status = response.status().as_u16();
    let body = Limited::new(response.into_body(), MOST_BYTES).collect().await?.to_bytes().to_vec();
    Ok(Answer { status, body })
}

const MOST_BYTES: usize = 64 * 1024;
