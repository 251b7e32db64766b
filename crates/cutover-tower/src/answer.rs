//! [`HttpAnswer`] and [`HttpFailure`]: what the comparison sees of a response.

use std::fmt;
use std::sync::{Arc, LazyLock, OnceLock};

use bytes::Bytes;
use http::{HeaderMap, StatusCode};

use crate::copy::{BodyCopy, Whole};
use crate::head::Conditions;

/// What the comparison sees of a side's response. It is cheap to clone.
///
/// It never stands between a client and its response, which streams on its own way.
#[derive(Clone)]
pub struct HttpAnswer {
    status: StatusCode,
    kept: Option<Arc<Kept>>,
}

/// What is kept of a response that is to be compared.
struct Kept {
    headers: HeaderMap,
    conditions: Conditions,
    body: OnceLock<BodyCopy>,
    /// What the body counts as until it is there.
    without_body: BodyCopy,
}

static NO_HEADERS: LazyLock<HeaderMap> = LazyLock::new(HeaderMap::new);

impl HttpAnswer {
    /// The answer of a side that runs alone; nobody compares it.
    pub(crate) const fn alone(status: StatusCode) -> Self {
        Self { status, kept: None }
    }

    /// The answer of the side that serves. Its body arrives as the client reads it.
    pub(crate) fn served(status: StatusCode, headers: HeaderMap, conditions: Conditions) -> Self {
        Self::kept(status, headers, conditions, BodyCopy::Unread)
    }

    /// The answer of the shadow. Nobody but the comparison waits for its body.
    pub(crate) fn shadow(status: StatusCode, headers: HeaderMap, conditions: Conditions) -> Self {
        Self::kept(status, headers, conditions, BodyCopy::Late)
    }

    fn kept(status: StatusCode, headers: HeaderMap, conditions: Conditions, without_body: BodyCopy) -> Self {
        let kept = Kept { headers, conditions, body: OnceLock::new(), without_body };
        Self { status, kept: Some(Arc::new(kept)) }
    }

    /// Takes in the body that was gathered.
    pub(crate) fn set_body(&self, body: BodyCopy) {
        if let Some(kept) = &self.kept {
            kept.body.set(body).ok();
        }
    }

    pub(crate) fn copy(&self) -> &BodyCopy {
        self.kept.as_ref().map_or(&BodyCopy::Unread, |kept| kept.body.get().unwrap_or(&kept.without_body))
    }

    fn whole(&self) -> Option<&Whole> {
        match self.copy() {
            BodyCopy::Whole(whole) => Some(whole),
            BodyCopy::TooLarge | BodyCopy::Failed | BodyCopy::Unread | BodyCopy::Late => None,
        }
    }

    /// The status.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        self.status
    }

    /// The headers.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        self.kept.as_ref().map_or(&NO_HEADERS, |kept| &kept.headers)
    }

    /// The body, if all of it is there: it ended within the limit, its client read it to the end, and it came in time.
    #[must_use]
    pub fn body(&self) -> Option<&Bytes> {
        self.whole().map(|whole| &whole.data)
    }

    /// The trailers, if the body is there and had some.
    #[must_use]
    pub fn trailers(&self) -> Option<&HeaderMap> {
        self.whole()?.trailers.as_ref()
    }

    /// Whether validators that only one side knows may be all that makes the statuses differ.
    pub(crate) fn differs_by_validators(&self, other: &Self) -> bool {
        self.kept.as_ref().is_some_and(|kept| kept.conditions.explain(self.status, other.status))
    }

    /// Whether the request named a state that its client knows already (`If-None-Match`,
    /// `If-Modified-Since`, `If-Range`, `If-Match` with a validator, `If-Unmodified-Since`).
    #[must_use]
    pub fn asked_conditionally(&self) -> bool {
        self.kept.as_ref().is_some_and(|kept| kept.conditions.any())
    }
}

/// Headers and body stay out of logs.
impl fmt::Debug for HttpAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpAnswer").field("status", &self.status).finish_non_exhaustive()
    }
}

/// A side failed: its service returned an error, or a response that counts as a failure.
///
/// The caller of the side that serves gets the error or the response itself; this is what is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub struct HttpFailure {
    status: Option<StatusCode>,
}

impl HttpFailure {
    pub(crate) const fn response(status: StatusCode) -> Self {
        Self { status: Some(status) }
    }

    pub(crate) const fn service() -> Self {
        Self { status: None }
    }

    /// The status of the response; `None` when the service returned an error instead.
    #[must_use]
    pub const fn status(&self) -> Option<StatusCode> {
        self.status
    }
}

impl fmt::Display for HttpFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.status {
            Some(status) => write!(f, "the side answered with status {}", status.as_u16()),
            None => f.write_str("the side's service returned an error"),
        }
    }
}
