//! What the head of a request says: whether it may have a shadow, and what the shadow's own head is.

use http::header::{
    CONNECTION, EXPECT, HeaderName, HeaderValue, IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE,
    IF_UNMODIFIED_SINCE, TE, TRAILER, TRANSFER_ENCODING, UPGRADE,
};
use http::request::Parts;
use http::{HeaderMap, Method, StatusCode};

/// The header that marks a shadow's request; its value is the name of the migration.
///
/// A request that arrives with it never has a shadow, in no [`MigrationService`](crate::MigrationService) of no process: a
/// new side that is a proxy, and points back at the application, ends after one round. It changes nothing else: the
/// request is routed and served like any other one.
///
/// Anybody can send it. What that gains is that one's own requests are not compared: put in front of the application
/// something that removes it from requests of outsiders, where those might want to hide from the comparison.
pub const SHADOW_HEADER: HeaderName = HeaderName::from_static("cutover-shadow");

/// The headers that belong to one connection, after RFC 9110, section 7.6.1; and `Expect`, since the body is there.
const OF_THE_CONNECTION: [HeaderName; 7] = [
    CONNECTION,
    EXPECT,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    TRAILER,
    TRANSFER_ENCODING,
    UPGRADE,
];

/// Whether the request leaves HTTP behind: a WebSocket, a tunnel.
pub(crate) fn wants_upgrade(head: &Parts) -> bool {
    head.method == Method::CONNECT || head.headers.contains_key(UPGRADE)
}

/// What a request says about states that its client knows. Its validators are those of one side.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Conditions {
    /// `If-None-Match`, `If-Modified-Since`
    unless_known: bool,
    /// `If-Range`
    range_if_known: bool,
    /// `If-Match` with a validator, `If-Unmodified-Since`
    only_if_known: bool,
}

impl Conditions {
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let has = |name| headers.contains_key(name);
        Self {
            unless_known: has(IF_NONE_MATCH) || has(IF_MODIFIED_SINCE),
            range_if_known: has(IF_RANGE),
            only_if_known: has(IF_UNMODIFIED_SINCE) || headers.get_all(IF_MATCH).iter().any(|value| value != "*"),
        }
    }

    pub(crate) const fn any(self) -> bool {
        self.unless_known || self.range_if_known || self.only_if_known
    }

    /// Whether two sides may differ so only because one of them does not know the validator.
    pub(crate) fn explain(self, one: StatusCode, other: StatusCode) -> bool {
        let explained = |conditional, plain: StatusCode| match conditional {
            StatusCode::NOT_MODIFIED => self.unless_known && plain == StatusCode::OK,
            StatusCode::PARTIAL_CONTENT => self.range_if_known && plain == StatusCode::OK,
            StatusCode::PRECONDITION_FAILED => self.only_if_known && plain.is_success(),
            _ => false,
        };
        explained(one, other) || explained(other, one)
    }
}

/// Takes out what is said to the connection and not to the service.
///
/// What `Connection` names stays: the side that serves sees it too, and a client that names `Authorization` there shall
/// not decide that the shadow is asked something else.
pub(crate) fn leave_the_connection(headers: &mut HeaderMap) {
    for name in &OF_THE_CONNECTION {
        headers.remove(name);
    }
    // What remains of it asks the service for trailers, as gRPC does.
    let asks_for_trailers = headers.get_all(TE).iter().any(|value| value.as_bytes().eq_ignore_ascii_case(b"trailers"));
    headers.remove(TE);
    if asks_for_trailers {
        headers.insert(TE, HeaderValue::from_static("trailers"));
    }
}

/// A migration's name as the value of a header.
pub(crate) fn mark(name: &str) -> HeaderValue {
    let plain: String = name.chars().map(|c| if c.is_ascii_graphic() { c } else { '?' }).collect();
    HeaderValue::try_from(plain).unwrap_or_else(|_| HeaderValue::from_static("?"))
}
