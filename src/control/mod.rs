//! [`MigrationController`]: mode and rollout from a store, valid transitions, instant rollback, status.

mod builder;
mod change;
mod claims;
mod decide;
mod emergency;
mod error;
mod fallback;
mod flight;
mod follow;
mod freshness;
mod health;
mod inner;
mod keeper;
mod known;
mod last_known;
mod news;
mod port;
mod proposal;
mod registry;
mod repeat;
mod route_decision;
mod routing;
mod snapshot;
mod start;
mod status;
mod verify;
mod weak;

pub use builder::ControllerBuilder;
pub use change::Changed;
pub use claims::{Claim, Claims, NotClaimed, Reconciled, Resolution, Stuck};
pub use emergency::Persisted;
pub use error::{ChangeError, OpenError};
pub use fallback::{AutoFallback, AutoFallbackBuilder, AutoFallbackError};
pub use health::{BoxError, Health, HealthCheck, HealthSchedule, HealthState, SideHealth, async_trait};
pub use last_known::LastKnownError;
pub use proposal::{Note, Proposal};
pub use registry::{Group, MigrationRegistry, RegisterError, UnknownGroup, WeakRegistry};
pub use route_decision::RouteDecision;
pub use start::StartPolicy;
pub use status::MigrationStatus;
pub use verify::VerifyError;
pub use weak::WeakController;

pub use crate::store::Doubt;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use crate::Percentage;
use crate::bucket::BucketKey;
use crate::clock::Clock;
use crate::handover::FlushTimeout;
use crate::mode::SystemMode;
use crate::observe::Event;
use crate::random::RandomSource;
use crate::route::{Route, Router};
use crate::runtime::Runtime;
use crate::store::{AuditEntry, Author, MigrationId, StateStore, StoreError};
use decide::{Expected, Target, Wish};
use inner::Inner;

/// Controls one migration: it routes calls by the stored mode and rollout, and changes them in valid steps only.
///
/// Clones are handles on the same controller. Any number of processes may control one migration through one store: every
/// change is decided on the fresh record and stored only if that record still stands, else it is decided anew.
///
/// Routing never waits: it reads one snapshot from memory, without a lock, an allocation or the store.
///
/// ```
/// use cutover::store::MemoryStore;
/// use cutover::{MigrationController, Percentage, Side, SystemMode};
///
/// # futures::executor::block_on(async {
/// let search = MigrationController::open("search", MemoryStore::new()).await?;
/// assert_eq!(search.route("user-17").serve, Side::Legacy);
///
/// search.transition(SystemMode::GradualRollout, "ana", "shadow run was clean").await?;
/// search.set_rollout(Percentage::HUNDRED, "ana", "small tenant").await?;
/// assert_eq!(search.route("user-17").serve, Side::New);
///
/// search.emergency_rollback("ben", "wrong totals");
/// assert_eq!(search.route("user-17").serve, Side::Legacy);
/// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
/// ```
#[derive(Clone)]
pub struct MigrationController {
    inner: Arc<Inner>,
}

impl MigrationController {
    /// Opens the migration `id` in `store` with the defaults of [`builder`](Self::builder).
    ///
    /// # Errors
    /// As [`ControllerBuilder::open`].
    pub async fn open(id: impl AsRef<str>, store: impl StateStore + 'static) -> Result<Self, OpenError> {
        Self::builder(id, store).open().await
    }

    /// Builds a controller of the migration `id` in `store`. The id is also the salt of the buckets.
    pub fn builder(id: impl AsRef<str>, store: impl StateStore + 'static) -> ControllerBuilder {
        ControllerBuilder::new(id.as_ref(), Arc::new(store))
    }

    /// Which migration this is.
    #[must_use]
    pub fn id(&self) -> &MigrationId {
        &self.inner.port.id
    }

    /// How the call for `key` runs, by the routing table of [`SystemMode`].
    ///
    /// A call without a key is served by legacy in `GradualRollout`, at 100 % too, unless the controller was built with
    /// [`MissingKey::Random`](crate::MissingKey::Random).
    #[must_use]
    #[inline]
    pub fn route<'a>(&self, key: impl Into<BucketKey<'a>>) -> Route {
        self.inner.routing.route(key.into())
    }

    /// As [`route`](Self::route), with the numbers it was decided by. It waits for nothing either, and reads the clock
    /// besides.
    #[must_use]
    pub fn decide<'a>(&self, key: impl Into<BucketKey<'a>>) -> RouteDecision {
        let stale_from = self.inner.freshness.stale_from();
        let (route, rollout, bucket) = self.inner.routing.decide(key.into());
        RouteDecision { route, rollout, bucket, stale: self.inner.clock.now() >= stale_from }
    }

    /// The mode by which this process routes.
    #[must_use]
    pub fn mode(&self) -> SystemMode {
        self.inner.routing.cell.read().mode
    }

    /// The rollout by which this process routes.
    #[must_use]
    pub fn rollout(&self) -> Percentage {
        self.inner.routing.cell.read().rollout
    }

    /// Changes the mode. A transition to the mode that holds succeeds and stores nothing.
    ///
    /// One to `EmergencyRollback` is an [`emergency_rollback`](Self::emergency_rollback), whose storing is waited for as
    /// long as one call of the store may take.
    ///
    /// # Errors
    /// [`ChangeError`]; nothing has changed, but for the exceptions named there.
    pub async fn transition(&self, to: SystemMode, actor: &str, reason: &str) -> Result<Changed, ChangeError> {
        if to == SystemMode::EmergencyRollback {
            return self.transition_to_emergency(actor, reason, None).await;
        }
        self.change(Wish::of(Target { mode: Some(to), ..Target::default() }), actor, reason).await
    }

    async fn transition_to_emergency(
        &self,
        actor: &str,
        reason: &str,
        evidence: Option<Value>,
    ) -> Result<Changed, ChangeError> {
        let before = self.inner.known().effective();
        let persisted = match evidence {
            Some(evidence) => self.emergency_rollback_with(actor, reason, evidence),
            None => self.emergency_rollback(actor, reason),
        };
        self.inner.confirmed(before, persisted).await
    }

    /// Changes the share of keys that new serves in `GradualRollout`. The same rollout again stores nothing.
    ///
    /// # Errors
    /// [`ChangeError::RolloutFixed`] in `LegacyOnly` and `EmergencyRollback`, where it is 0 by definition; any other
    /// [`ChangeError`].
    pub async fn set_rollout(&self, rollout: Percentage, actor: &str, reason: &str) -> Result<Changed, ChangeError> {
        self.change(Wish::of(Target { rollout: Some(rollout), ..Target::default() }), actor, reason).await
    }

    /// Changes the share of calls that also run the shadow; `None` goes back to the mode's default. It holds in every mode
    /// that has a shadow, until it is changed again.
    ///
    /// ```
    /// # use cutover::{MemoryStore, MigrationController, Percentage, Shadow, SystemMode};
    /// # futures::executor::block_on(async {
    /// let controller = MigrationController::open("search", MemoryStore::new()).await?;
    /// controller.transition(SystemMode::GradualRollout, "ana", "they agree").await?;
    /// assert_eq!(controller.route("user-17").shadow, Shadow::Never);
    /// controller.set_shadow_share(Some(Percentage::HUNDRED), "ana", "go on comparing").await?;
    /// assert_eq!(controller.route("user-17").shadow, Shadow::Run);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// [`ChangeError`].
    pub async fn set_shadow_share(
        &self,
        share: Option<Percentage>,
        actor: &str,
        reason: &str,
    ) -> Result<Changed, ChangeError> {
        self.change(Wish::of(Target { shadow_share: Some(share), ..Target::default() }), actor, reason).await
    }

    /// Settles what holds when the store is in [`Doubt`]: what this process routes by is stored over what was found.
    /// Without doubt nothing is stored.
    ///
    /// # Errors
    /// [`ChangeError`].
    pub async fn reconcile(&self, actor: &str, reason: &str) -> Result<Changed, ChangeError> {
        self.change(Wish::reconcile(), actor, reason).await
    }

    /// As [`reconcile`](Self::reconcile), on the record that was seen or not at all, in one step: by its epoch, which is 0 if
    /// nothing is stored, and by its etag, if another record of the same epoch will not do. Both stand in the
    /// [status](MigrationStatus); what counts is the record that this process believes, not what the store lost it for.
    ///
    /// # Errors
    /// [`ChangeError::Outdated`] when another record holds by then, in doubt or not; any other [`ChangeError`].
    pub async fn reconcile_expecting(
        &self,
        epoch: u64,
        etag: Option<u128>,
        actor: &str,
        reason: &str,
    ) -> Result<Changed, ChangeError> {
        let expected = Some(Expected { epoch, etag });
        self.change(Wish { expected, ..Wish::reconcile() }, actor, reason).await
    }

    async fn change(&self, wish: Wish, actor: &str, reason: &str) -> Result<Changed, ChangeError> {
        let changed = match Author::new(actor, reason) {
            Ok(author) => self.inner.change(wish, author).await,
            Err(error) => Err(error.into()),
        };
        self.heard(changed)
    }

    /// Tells the observers if a change was refused.
    fn heard(&self, changed: Result<Changed, ChangeError>) -> Result<Changed, ChangeError> {
        changed.inspect_err(|error| {
            if let Some(why) = error.refusal() {
                self.tell_of(&Event::ChangeRefused { why });
            }
        })
    }

    /// Tells the observers of this migration.
    pub(crate) fn tell_of(&self, event: &Event) {
        self.inner.tell_of(event);
    }

    /// Routes everything to legacy. It holds in this process when this returns, whatever the store, the texts or the mode.
    ///
    /// Then it is stored, with a reason that begins with `EMERGENCY: `, and retried in the background until it is, also
    /// after the last handle was dropped; it wins against changes of others. An emergency that is stored already is not
    /// stored again. Texts that are not allowed are made so. The handle resolves when the emergency is stored; it need
    /// not be awaited.
    #[expect(clippy::must_use_candidate, reason = "the emergency holds without its handle")]
    pub fn emergency_rollback(&self, actor: &str, reason: &str) -> Persisted {
        self.inner.emergency(Author::for_emergency(actor, reason), None)
    }

    /// Reads the store now and takes in what others have changed. An emergency of this process that is not stored yet stays,
    /// and is tried to be stored. Callers at the same time share one reading, which begins after each of them has asked.
    ///
    /// The controller does so by itself when the store wakes it and at every
    /// [poll](ControllerBuilder::poll_interval).
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read, or does not take the emergency; what was known holds, and is marked
    /// stale. A store that lost records is no error here: it shows in [`MigrationStatus::doubt`].
    pub async fn refresh(&self) -> Result<(), StoreError> {
        self.inner.refresh().await
    }

    /// What this process knows, from one snapshot in memory.
    ///
    /// ```
    /// # use cutover::{MemoryStore, MigrationController, SystemMode};
    /// # futures::executor::block_on(async {
    /// let controller = MigrationController::open("search", MemoryStore::new()).await?;
    /// controller.transition(SystemMode::Parallel, "ana", "first look").await?;
    /// let status = controller.status();
    /// assert_eq!((status.mode, status.epoch), (SystemMode::Parallel, 1));
    /// println!("{}", serde_json::to_string_pretty(&status)?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    #[must_use]
    pub fn status(&self) -> MigrationStatus {
        self.inner.status()
    }

    /// Blocks until the observers have heard everything so far, and until the file of
    /// [`StartPolicy::LastKnownGood`] is written, for at most `deadline` of real time each: for shutting down.
    ///
    /// # Errors
    /// [`FlushTimeout`] says how many still wait.
    pub fn flush(&self, deadline: Duration) -> Result<(), FlushTimeout> {
        let kept = self.inner.keeper.as_ref().map_or(Ok(()), |keeper| keeper.flush(deadline));
        self.inner.observers.flush(deadline).and(kept)
    }

    /// Where whoever builds on this takes time, chance and tasks from.
    pub(crate) fn clock(&self) -> &dyn Clock {
        &*self.inner.clock
    }

    pub(crate) fn random(&self) -> &dyn RandomSource {
        &*self.inner.random
    }

    pub(crate) fn runtime(&self) -> &dyn Runtime {
        &*self.inner.port.runtime
    }

    /// The audit entries with an epoch above `after_epoch`, oldest first, at most `limit` and at most 200 of them.
    ///
    /// ```
    /// # use cutover::{MemoryStore, MigrationController, SystemMode};
    /// # futures::executor::block_on(async {
    /// let controller = MigrationController::open("search", MemoryStore::new()).await?;
    /// controller.transition(SystemMode::Parallel, "ana", "first look").await?;
    /// let first = &controller.history(0, 10).await?[0];
    /// assert_eq!((first.actor.as_str(), first.reason.as_str()), ("ana", "first look"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// [`StoreError`] when the audit cannot be read.
    pub async fn history(&self, after_epoch: u64, limit: usize) -> Result<Vec<AuditEntry>, StoreError> {
        self.inner.port.history(after_epoch, limit.min(MAX_PAGE)).await
    }
}

/// The longest page of the audit.
const MAX_PAGE: usize = 200;

impl Router for MigrationController {
    #[inline]
    fn route(&self, key: BucketKey<'_>) -> Route {
        self.inner.routing.route(key)
    }
}

impl fmt::Debug for MigrationController {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MigrationController")
            .field("id", &self.inner.port.id.as_str())
            .field("snapshot", &self.inner.routing.cell.read())
            .finish_non_exhaustive()
    }
}
