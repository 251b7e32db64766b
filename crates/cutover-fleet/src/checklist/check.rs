//! [`Check`]: what the host asks about one item.

use std::future::Future;

use async_trait::async_trait;

use super::View;
use crate::host::HostError;

/// Answers whether one item of a checklist is true for a system. It changes nothing: all that it gets is a [`View`], through
/// which it can only look. A check that makes what it checks would always pass.
///
/// A check that fails, panics or takes longer than its deadline is an [error](super::CheckResult::Error), and never passes.
/// Its future is dropped at the deadline. It must not block its thread.
///
/// A closure from the name of a system to a future is a check too.
///
/// ```
/// use cutover_fleet::{Check, Finding, HostError, View, async_trait};
///
/// struct HasOwner;
///
/// #[async_trait]
/// impl Check for HasOwner {
///     async fn check(&self, view: &View<'_>) -> Result<Finding, HostError> {
///         Ok(match view.system().attribute("owner") {
///             Some(_) => Finding::Pass,
///             None => Finding::Fail("nobody owns it: give it the attribute `owner`".into()),
///         })
///     }
/// }
/// ```
#[async_trait]
pub trait Check: Send + Sync {
    /// Looks.
    ///
    /// # Errors
    /// [`HostError`] when it could not be found out.
    async fn check(&self, view: &View<'_>) -> Result<Finding, HostError>;
}

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "it is true, or it is not; that it is not known is an error")]
pub enum Finding {
    /// It is true.
    Pass,
    /// It is not, and what to do about it.
    Fail(String),
}

impl Finding {
    /// Passes if `true`, and else fails with `otherwise`.
    #[must_use]
    pub fn when(passes: bool, otherwise: impl FnOnce() -> String) -> Self {
        if passes { Self::Pass } else { Self::Fail(otherwise()) }
    }
}

#[async_trait]
impl<F, A> Check for F
where
    F: Fn(&str) -> A + Send + Sync,
    A: Future<Output = Result<Finding, HostError>> + Send + 'static,
{
    async fn check(&self, view: &View<'_>) -> Result<Finding, HostError> {
        self(view.system().name.as_str()).await
    }
}
