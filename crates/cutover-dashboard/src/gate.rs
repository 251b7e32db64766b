//! The one gate in front of every route.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{OriginalUri, Request};
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;
use http::request::Parts;
use http::{HeaderValue, Method, StatusCode, header};
use tower_service::Service;

use crate::body::{Reading, Rest};
use crate::command::Format;
use crate::fields::asks_for_emergency;
use crate::origin::{self, Door};
use crate::respond::{refuse, secure};
use crate::state::State;
use crate::view::Problem;
use crate::{Deny, Principal, pages};

/// What stands before the paths of the dashboard, such as `/cutover`; empty at the root. It is among the extensions of every
/// request behind the gate, as is the [`Principal`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mount(pub(crate) String);

/// Lets a request through to `routes`, or refuses it.
pub(crate) async fn pass(state: Arc<State>, routes: Router, request: Request) -> Response {
    let mut response = admit(&state, routes, request).await.unwrap_or_else(|refused| refused);
    secure(&mut response);
    response
}

async fn admit(state: &State, routes: Router, request: Request) -> Result<Response, Response> {
    let (mut parts, body) = request.into_parts();
    let asked = Asked::of(&parts);
    let principal = authorize(state, &parts).await.map_err(|deny| denied(&deny, asked))?;
    let mount = mount(state, &parts);
    let refused = |problem: Problem| {
        if asked.api { refuse(&problem, true) } else { pages::refused(&mount, &principal, &problem) }
    };
    check_method(state, &parts, asked).map_err(refused)?;
    let body =
        if asked.is_sent() { take(state, &principal, body, asked).await.map_err(refused)? } else { Body::empty() };
    parts.extensions.insert(mount.clone());
    parts.extensions.insert(principal.clone());
    let response = serve(state, routes, Request::from_parts(parts, body), asked).await?;
    Ok(wrong_method(&response, asked).map_or(response, |(problem, allow)| allowing(refused(problem), allow)))
}

/// What is asked for, by the path and the method.
#[derive(Debug, Clone, Copy)]
struct Asked {
    api: bool,
    page: bool,
    sent: Sent,
}

/// What is to be changed, as far as the path says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sent {
    Nothing,
    Emergency,
    /// Another mode, which may be an emergency.
    Mode,
    Command,
}

impl Asked {
    fn of(parts: &Parts) -> Self {
        let path = parts.uri.path();
        let api = path == "/api" || path.starts_with("/api/");
        let live = path == "/live" || (path.starts_with("/m/") && path.ends_with("/live"));
        let reads = parts.method == Method::GET || parts.method == Method::HEAD;
        let page = reads && !api && !live && !path.starts_with("/assets/");
        let sent = if parts.method == Method::POST { Sent::to(path) } else { Sent::Nothing };
        Self { api, page, sent }
    }

    fn is_sent(self) -> bool {
        self.sent != Sent::Nothing
    }

    const fn format(self) -> Format {
        if self.api { Format::Json } else { Format::Form }
    }
}

impl Sent {
    fn to(path: &str) -> Self {
        match path.rsplit('/').next() {
            Some("emergency" | "abort") => Self::Emergency,
            Some("mode") => Self::Mode,
            _ => Self::Command,
        }
    }
}

async fn authorize(state: &State, parts: &Parts) -> Result<Principal, Deny> {
    let asked = AssertUnwindSafe(async { state.authorizer.authorize(parts).await }).catch_unwind();
    match tokio::time::timeout(state.timeout, asked).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(_)) => {
            tracing::error!("the authorizer of the dashboard panicked, which denies");
            Err(Deny::Forbidden)
        }
        Err(_) => {
            tracing::error!("the authorizer of the dashboard did not answer in time, which denies");
            Err(Deny::Forbidden)
        }
    }
}

fn denied(deny: &Deny, asked: Asked) -> Response {
    let unknown = || Problem::new("unauthenticated", 401, "Sign in first.");
    match deny {
        Deny::SignInAt(place) if asked.page => match HeaderValue::from_str(place) {
            Ok(place) => (StatusCode::SEE_OTHER, [(header::LOCATION, place)]).into_response(),
            Err(_) => refuse(&unknown(), asked.api),
        },
        Deny::Unauthenticated | Deny::SignInAt(_) => refuse(&unknown(), asked.api),
        Deny::Forbidden => refuse(&Problem::new("forbidden", 403, "You may not see this."), asked.api),
    }
}

fn check_method(state: &State, parts: &Parts, asked: Asked) -> Result<(), Problem> {
    if parts.method == Method::GET || parts.method == Method::HEAD {
        return Ok(());
    }
    if !asked.is_sent() {
        return Err(Problem::new("method", 405, "There are GET, HEAD and POST. Nothing was changed."));
    }
    let door = if asked.api { Door::Api } else { Door::Page };
    origin::check(&parts.headers, door, state.origin.as_ref())
}

/// What is said to a request that the routes take in another way, and in which way they do.
fn wrong_method(response: &Response, asked: Asked) -> Option<(Problem, &'static str)> {
    if response.status() != StatusCode::METHOD_NOT_ALLOWED {
        return None;
    }
    let (detail, allow) = match (asked.is_sent(), asked.api) {
        (true, _) => ("This can only be read, with GET or HEAD. Nothing was changed.", "GET, HEAD"),
        (false, true) => ("This changes something: send it with POST, as API.md says. Nothing was changed.", "POST"),
        (false, false) => (
            "This address changes something, so that it cannot be opened: use the form on its page. Nothing was changed.",
            "POST",
        ),
    };
    Some((Problem::new("method", 405, detail), allow))
}

fn allowing(mut response: Response, allow: &'static str) -> Response {
    response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(allow));
    response
}

fn check_limit(state: &State, principal: &Principal) -> Result<(), Problem> {
    if state.limits.allows(principal.actor()) {
        return Ok(());
    }
    let detail =
        "You asked for too many changes in a short time. Nothing was changed; wait a minute. An emergency still works.";
    Err(Problem::new("rate", 429, detail))
}

/// An emergency waits no longer for its body, which it can do without.
const EMERGENCY_BODY: Duration = Duration::from_secs(1);

/// The body of a command that may be given. No limit holds up an emergency, and what has come of its body is enough.
async fn take(state: &State, principal: &Principal, body: Body, asked: Asked) -> Result<Body, Problem> {
    let mut reading = Reading::of(body);
    if matches!(asked.sent, Sent::Emergency | Sent::Mode) {
        let rest = reading.until(EMERGENCY_BODY).await;
        if asked.sent == Sent::Emergency || asks_for_emergency(asked.format(), &reading.bytes) {
            return Ok(Body::from(reading.bytes));
        }
        if rest == Rest::TooLong {
            return Err(rest.into());
        }
    }
    check_limit(state, principal)?;
    let rest = reading.until(state.timeout).await;
    if rest == Rest::Nothing { Ok(Body::from(reading.bytes)) } else { Err(rest.into()) }
}

async fn serve(state: &State, mut routes: Router, request: Request, asked: Asked) -> Result<Response, Response> {
    let served = AssertUnwindSafe(routes.call(request)).catch_unwind();
    match tokio::time::timeout(state.timeout, served).await {
        Ok(Ok(Ok(response))) => Ok(response),
        Ok(Ok(Err(never))) => match never {},
        Ok(Err(_)) => {
            tracing::error!("a part that the dashboard shows panicked");
            Err(refuse(&Problem::panicked(asked.is_sent()), asked.api))
        }
        Err(_) => Err(refuse(&Problem::timeout(), asked.api)),
    }
}

fn mount(state: &State, parts: &Parts) -> Mount {
    let inner = parts.uri.path();
    let whole = parts.extensions.get::<OriginalUri>().map_or(inner, |uri| uri.0.path());
    Mount(state.base_path.clone().unwrap_or_else(|| in_front(inner, whole).to_owned()))
}

/// What stands before the path `inner` in the `whole` one. Links begin with it, so that it must not lead elsewhere.
fn in_front<'a>(inner: &str, whole: &'a str) -> &'a str {
    let front = if inner == "/" { whole } else { whole.strip_suffix(inner).unwrap_or_default() };
    let front = front.trim_end_matches('/');
    if is_base(front) { front } else { "" }
}

/// Whether a path may stand before the paths in links: empty, or `/` and what browsers take for a path of this site.
pub(crate) fn is_base(path: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/-._~".contains(c);
    path.is_empty() || (path.starts_with('/') && !path.contains("//") && path.chars().all(plain))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_it_is_mounted_is_what_stands_before_the_path() {
        let table = [
            ("/", "/", ""),
            ("/m/search", "/m/search", ""),
            ("/", "/cutover", "/cutover"),
            ("/", "/cutover/", "/cutover"),
            ("/m/search", "/cutover/m/search", "/cutover"),
            ("/m/search/audit", "/ops/cutover/m/search/audit", "/ops/cutover"),
            ("/m", "/m/m", "/m"),
            // A host that rewrites paths has to say what stands before them.
            ("/m/search", "/other", ""),
            ("/m/search", "//evil.example/m/search", ""),
            ("/", "/\\evil.example", ""),
            ("/m/search", "/a\"b/m/search", ""),
        ];
        for (inner, whole, expected) in table {
            assert_eq!(in_front(inner, whole), expected, "{inner} of {whole}");
        }
    }
}
