//! Health of the two sides: [`HealthCheck`]s that run in the background of a controller.

mod schedule;
mod tally;
mod watch;

pub use schedule::HealthSchedule;
pub use tally::{Health, HealthState, SideHealth};
pub(super) use watch::{Checks, Plan};

/// Re-exported, so that a host's `impl HealthCheck` needs no dependency of its own.
pub use async_trait::async_trait;

use std::error::Error;
use std::future::Future;
use std::sync::Arc;

use super::MigrationController;

/// Why a side is not well. Nothing of it is kept: the text may hold what nobody else is to see.
pub type BoxError = Box<dyn Error + Send + Sync>;

/// Says whether one side is well. It is given to
/// [`ControllerBuilder::health_check`](super::ControllerBuilder::health_check).
///
/// A check that takes longer than its [schedule](HealthSchedule) allows is dropped, and a panic ends here. Dropping the
/// future has to be safe, and it must not block its thread: nothing can take a blocked thread back.
///
/// Closures that return futures are health checks too.
///
/// ```
/// use cutover::control::{BoxError, HealthCheck, HealthSchedule, HealthState, async_trait};
/// use cutover::{MemoryStore, MigrationController, Side};
///
/// struct Ping(std::net::SocketAddr);
///
/// #[async_trait]
/// impl HealthCheck for Ping {
///     async fn check(&self) -> Result<(), BoxError> {
///         if self.0.port() == 0 { Err("no port".into()) } else { Ok(()) }
///     }
/// }
///
/// # futures::executor::block_on(async {
/// let controller = MigrationController::builder("search", MemoryStore::new())
///     .health_check(Side::Legacy, || async { Ok::<_, BoxError>(()) }, HealthSchedule::default())
///     .health_check(Side::New, Ping(([127, 0, 0, 1], 0).into()), HealthSchedule::default())
///     .open()
///     .await?;
/// let health = controller.check_health_now().await.ok_or("nothing is checked")?;
/// assert_eq!(health.legacy.map(|side| side.state), Some(HealthState::Healthy));
/// assert_eq!(health.new.map(|side| side.consecutive_failures), Some(1));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
#[async_trait]
pub trait HealthCheck: Send + Sync {
    /// Checks once. `Ok` says that the side is well.
    ///
    /// # Errors
    /// Why it is not. Only the fact is kept.
    async fn check(&self) -> Result<(), BoxError>;
}

#[async_trait]
impl<F, A, E> HealthCheck for F
where
    F: Fn() -> A + Send + Sync,
    A: Future<Output = Result<(), E>> + Send + 'static,
    E: Into<BoxError> + 'static,
{
    async fn check(&self) -> Result<(), BoxError> {
        self().await.map_err(Into::into)
    }
}

#[async_trait]
impl<C: HealthCheck + ?Sized> HealthCheck for Arc<C> {
    async fn check(&self) -> Result<(), BoxError> {
        (**self).check().await
    }
}

impl MigrationController {
    /// The health of both sides as it was checked last; `None` if no check was given. It is part of the
    /// [status](Self::status) too.
    #[must_use]
    pub fn health(&self) -> Option<Health> {
        self.inner.health.health()
    }

    /// Checks both sides now and waits for the answers, each for at most its timeout. Checks that are under way are
    /// waited for instead. `None` if no check was given.
    ///
    /// On a runtime that cannot sleep there is no timeout: a check that does not answer at once does not count there.
    pub async fn check_health_now(&self) -> Option<Health> {
        self.inner.health.check_now(&self.inner).await
    }
}
