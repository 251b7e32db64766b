//! Who may do what. This is the place where a real host asks its own sign-in: a session, a header that the proxy in front sets
//! and strips, or a client certificate. Names in a cookie that anybody can write are good for a demonstration on loopback, and
//! for nothing else.

use cutover_dashboard::{Deny, Principal, Role};
use http::HeaderMap;
use http::header::COOKIE;
use http::request::Parts;

/// The people of the demonstration.
pub(crate) const TEAM: [(&str, Role); 3] = [("vera", Role::View), ("otto", Role::Operate), ("olga", Role::Override)];

/// The name of the cookie.
pub(crate) const COOKIE_NAME: &str = "demo-user";

/// Whom the dashboard asks.
pub(crate) fn authorize(request: &Parts) -> Result<Principal, Deny> {
    let (name, role) = member(&request.headers).ok_or_else(|| Deny::SignInAt("/desk".to_owned()))?;
    Principal::new(name, role).map_err(|_| Deny::Forbidden)
}

/// The member of the team that a request says it is from.
pub(crate) fn member(headers: &HeaderMap) -> Option<(&'static str, Role)> {
    let cookies = headers.get(COOKIE)?.to_str().ok()?;
    let mut pairs = cookies.split(';').filter_map(|pair| pair.trim().split_once('='));
    let (_, name) = pairs.find(|(key, _)| *key == COOKIE_NAME)?;
    TEAM.into_iter().find(|(known, _)| *known == name)
}
