//! How answers and refusals are sent.

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::{HeaderName, HeaderValue, StatusCode, header};
use serde::Serialize;

use crate::view::Problem;

/// A value as JSON.
pub(crate) fn json<T: Serialize>(value: &T) -> Response {
    Json(value).into_response()
}

/// A refusal: for the API as JSON, for pages as plain text.
pub(crate) fn refuse(problem: &Problem, api: bool) -> Response {
    let mut response = refusal(problem, api);
    let advice = match problem.status {
        405 => Some((header::ALLOW, "GET, HEAD, POST")),
        429 => Some((header::RETRY_AFTER, "6")),
        _ => None,
    };
    response.headers_mut().extend(advice.map(|(name, value)| (name, HeaderValue::from_static(value))));
    response
}

fn refusal(problem: &Problem, api: bool) -> Response {
    let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    if api {
        let mut response = (status, Json(problem)).into_response();
        let kind = HeaderValue::from_static("application/problem+json");
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
        return response;
    }
    let kind = [(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"))];
    (status, kind, format!("{problem}\n")).into_response()
}

/// Sets the headers that every response has.
pub(crate) fn secure(response: &mut Response) {
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
}

const HEADERS: [(HeaderName, &str); 8] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; \
         frame-ancestors 'none'",
    ),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "same-origin"),
    (header::CACHE_CONTROL, "no-store"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (HeaderName::from_static("x-robots-tag"), "noindex, nofollow"),
];
