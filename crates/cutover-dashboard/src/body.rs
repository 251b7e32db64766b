//! [`Reading`]: the body of a request as it comes in, bounded in bytes and in time.

use std::time::Duration;

use axum::body::{Body, BodyDataStream};
use futures_util::StreamExt;
use futures_util::stream::Fuse;

use crate::command::MAX_BODY;
use crate::view::Problem;

/// A body, of which some has come.
pub(crate) struct Reading {
    stream: Fuse<BodyDataStream>,
    /// What has come, at most [`MAX_BODY`] bytes.
    pub(crate) bytes: Vec<u8>,
}

/// What is missing of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rest {
    Nothing,
    /// It has not come yet.
    Late,
    /// It will not come.
    Broken,
    /// Nobody waits for it.
    TooLong,
}

impl Reading {
    pub(crate) fn of(body: Body) -> Self {
        Self { stream: body.into_data_stream().fuse(), bytes: Vec::new() }
    }

    /// Reads on, for so long at most.
    pub(crate) async fn until(&mut self, patience: Duration) -> Rest {
        tokio::time::timeout(patience, self.read()).await.unwrap_or(Rest::Late)
    }

    async fn read(&mut self) -> Rest {
        while let Some(chunk) = self.stream.next().await {
            let Ok(chunk) = chunk else { return Rest::Broken };
            let room = MAX_BODY - self.bytes.len();
            self.bytes.extend_from_slice(chunk.get(..room).unwrap_or(&chunk));
            if chunk.len() > room {
                return Rest::TooLong;
            }
        }
        Rest::Nothing
    }
}

impl From<Rest> for Problem {
    fn from(rest: Rest) -> Self {
        match rest {
            Rest::TooLong => Self::new("body", 413, "The body has more than 16384 bytes. Nothing was changed."),
            Rest::Nothing | Rest::Late => Self::new("body", 408, "The body did not come in time. Nothing was changed."),
            Rest::Broken => Self::new("body", 400, "The body broke off. Nothing was changed."),
        }
    }
}
