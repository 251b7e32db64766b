//! Who asks, and what they may do: [`Authorizer`].

use std::fmt;

use cutover::store::{Actor, TextError, async_trait};
use http::request::Parts;
use serde::Serialize;

/// Says who makes a request. It is asked before anything else looks at the request, for pages, assets, live updates and the
/// API alike; without a [`Principal`] nothing is shown.
///
/// How it knows is the host's: a session cookie, a header that the proxy in front sets and strips, a client certificate. A
/// closure over the request's head will do where nothing has to be waited for:
///
/// ```
/// use cutover_dashboard::{Deny, Principal, Role};
/// use http::request::Parts;
///
/// let by_proxy = |request: &Parts| {
///     let user = request.headers.get("x-authenticated-user").and_then(|user| user.to_str().ok());
///     let user = user.ok_or(Deny::Unauthenticated)?;
///     Principal::new(user, Role::Operate).map_err(|_| Deny::Forbidden)
/// };
/// # fn is_authorizer(_: impl cutover_dashboard::Authorizer) {}
/// # is_authorizer(by_proxy);
/// ```
///
/// One that panics or takes longer than the request timeout denies.
#[async_trait]
pub trait Authorizer: Send + Sync {
    /// Who makes the request with this head.
    ///
    /// # Errors
    /// [`Deny`] for one whose maker is not known, or may see nothing.
    async fn authorize(&self, request: &Parts) -> Result<Principal, Deny>;
}

#[async_trait]
impl<F> Authorizer for F
where
    F: Fn(&Parts) -> Result<Principal, Deny> + Send + Sync,
{
    async fn authorize(&self, request: &Parts) -> Result<Principal, Deny> {
        self(request)
    }
}

/// Who makes a request, as the audit names them, and what they may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    actor: Actor,
    role: Role,
}

impl Principal {
    /// `actor` is what the audit says: 1 to 256 bytes without control characters.
    ///
    /// # Errors
    /// [`TextError`] for a name that the audit does not take.
    pub fn new(actor: &str, role: Role) -> Result<Self, TextError> {
        Ok(Self { actor: actor.parse()?, role })
    }

    /// Who it is.
    #[must_use]
    pub const fn actor(&self) -> &Actor {
        &self.actor
    }

    /// What they may do.
    #[must_use]
    pub const fn role(&self) -> Role {
        self.role
    }
}

/// What a principal may do; each role may do what the ones before it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Role {
    /// Look.
    View,
    /// Move along the transitions, set rollout and shadow share, approve, pause and resume plans, and roll back.
    Operate,
    /// What cannot be taken back or sets safeguards aside: serve everybody from new, acknowledge a step that is forward only,
    /// reconcile a store that lost records, forget discrepancies.
    Override,
}

impl Role {
    /// The name, as in JSON: `view`, `operate` or `override`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::View => "view",
            Self::Operate => "operate",
            Self::Override => "override",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Why a request is denied.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Deny {
    /// Nobody is known to make it: status 401.
    #[error("not signed in")]
    Unauthenticated,
    /// Its maker is known and may not: status 403.
    #[error("not allowed")]
    Forbidden,
    /// Its maker signs in elsewhere, at this path or address: a page is redirected there with status 303; anything else gets
    /// status 401.
    #[error("not signed in")]
    SignInAt(String),
}
