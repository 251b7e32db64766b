//! What the head of a request says: whether it may have a shadow, and what the shadow's own head is.

use http::header::{
    CONNECTION, EXPECT, HeaderName, HeaderValue, IF_MODIFIED_SINCE, IF_NONE_MATCH, TE, TRAILER, TRANSFER_ENCODING,
    UPGRADE,
};
use http::request::Parts;
use http::{HeaderMap, Method};

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

/// Whether the client knows a state already.
pub(crate) fn is_conditional(headers: &HeaderMap) -> bool {
    headers.contains_key(IF_NONE_MATCH) || headers.contains_key(IF_MODIFIED_SINCE)
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
