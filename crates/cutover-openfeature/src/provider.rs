//! [`CutoverProvider`].

use std::any::Any;
use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use async_trait::async_trait;
use cutover::{BucketKey, FlagSet, MigrationController, MigrationRegistry};
use open_feature::provider::{FeatureProvider, ProviderMetadata, ProviderStatus, ResolutionDetails};
use open_feature::{EvaluationContext, EvaluationResult, StructValue};

use crate::KeyForm;
use crate::answerer::{Answerer, NoKey};
use crate::builder::CutoverProviderBuilder;
use crate::error::ResolveError;
use crate::resolution::Resolution;

/// Answers evaluations of `OpenFeature` from flags and migrations of this process.
///
/// Clones are handles on the same provider: give one to `OpenFeature` and keep one. What is kept answers without `OpenFeature`,
/// so also after [`OpenFeature::shutdown`](open_feature::OpenFeature::shutdown), and without waiting for anybody.
///
/// Every answer comes from one snapshot in memory. None waits, does I/O or panics; a panic of the host's own clock or random
/// source becomes a [`ResolveError::Panicked`], and in the status [`Error`](ProviderStatus::Error).
///
/// ```standalone_crate
/// use cutover::{FlagConfig, FlagSet};
/// use cutover_openfeature::CutoverProvider;
/// use open_feature::OpenFeature;
///
/// # futures::executor::block_on(async {
/// let config: FlagConfig = serde_json::from_str(r#"{ "new-cart": { "rollout": 25, "allow": ["ana"] } }"#)?;
/// let provider = CutoverProvider::builder().flags(FlagSet::new(config)?).build()?;
///
/// let mut api = OpenFeature::singleton_mut().await;
/// api.set_provider(provider.clone()).await;
/// let client = api.create_client();
/// drop(api);
///
/// let ana = open_feature::EvaluationContext::default().with_targeting_key("ana");
/// assert_eq!(client.get_bool_value("new-cart", Some(&ana), None).await, Ok(true));
/// assert!(provider.boolean("new-cart", Some("ana"), false)); // the same answer, without OpenFeature
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
#[derive(Clone)]
pub struct CutoverProvider {
    shared: Arc<Shared>,
}

struct Shared {
    sources: Sources,
    metadata: ProviderMetadata,
}

impl CutoverProvider {
    /// Builds a provider.
    pub fn builder() -> CutoverProviderBuilder {
        CutoverProviderBuilder::default()
    }

    pub(crate) fn new(sources: Sources) -> Self {
        Self { shared: Arc::new(Shared { sources, metadata: ProviderMetadata::new("cutover") }) }
    }

    /// Who serves `targeting_key` for the flag or migration `name`, and why. It does not allocate, except for what is
    /// [registered](CutoverProviderBuilder::registry).
    ///
    /// # Errors
    /// [`ResolveError`].
    pub fn resolve(&self, name: &str, targeting_key: Option<&str>) -> Result<Resolution, ResolveError> {
        contained(|| self.shared.sources.resolve(name, targeting_key))
            .unwrap_or_else(|| Err(ResolveError::panicked(name)))
    }

    /// Whether new serves `targeting_key` for the flag or migration `name`; `default` when there is no answer.
    #[must_use]
    pub fn boolean(&self, name: &str, targeting_key: Option<&str>, default: bool) -> bool {
        self.resolve(name, targeting_key).map_or(default, |resolution| resolution.is_new())
    }

    fn evaluate<T>(
        &self,
        name: &str,
        context: &EvaluationContext,
        details: impl FnOnce(&Resolution, bool) -> ResolutionDetails<T>,
    ) -> EvaluationResult<ResolutionDetails<T>> {
        let resolution = self.resolve(name, context.targeting_key.as_deref())?;
        Ok(details(&resolution, self.shared.sources.with_metadata))
    }

    /// The error for a type that neither flags nor migrations have.
    fn refuse<T>(&self, name: &str, asked: &'static str) -> EvaluationResult<T> {
        // The handle may be the last one of a migration that is taken out meanwhile: dropping it runs code of the host.
        let error = match contained(|| self.shared.sources.find(name).is_some()) {
            Some(true) => ResolveError::WrongType { name: name.to_owned(), asked },
            Some(false) => ResolveError::unknown(name),
            None => ResolveError::panicked(name),
        };
        Err(error.into())
    }
}

#[async_trait]
impl FeatureProvider for CutoverProvider {
    /// [`STALE`](ProviderStatus::STALE) while a migration is, else [`Ready`](ProviderStatus::Ready): a controller is open
    /// before it is here. [`Error`](ProviderStatus::Error) where a host's clock panics, so that nobody knows. `OpenFeature` 0.3
    /// never asks; the reason and the metadata of each answer say the same.
    fn status(&self) -> ProviderStatus {
        match contained(|| self.shared.sources.is_stale()) {
            Some(false) => ProviderStatus::Ready,
            Some(true) => ProviderStatus::STALE,
            None => ProviderStatus::Error,
        }
    }

    fn metadata(&self) -> &ProviderMetadata {
        &self.shared.metadata
    }

    async fn resolve_bool_value(
        &self,
        flag_key: &str,
        context: &EvaluationContext,
    ) -> EvaluationResult<ResolutionDetails<bool>> {
        self.evaluate(flag_key, context, Resolution::boolean)
    }

    async fn resolve_string_value(
        &self,
        flag_key: &str,
        context: &EvaluationContext,
    ) -> EvaluationResult<ResolutionDetails<String>> {
        self.evaluate(flag_key, context, Resolution::string)
    }

    async fn resolve_int_value(
        &self,
        flag_key: &str,
        _context: &EvaluationContext,
    ) -> EvaluationResult<ResolutionDetails<i64>> {
        self.refuse(flag_key, "integer")
    }

    async fn resolve_float_value(
        &self,
        flag_key: &str,
        _context: &EvaluationContext,
    ) -> EvaluationResult<ResolutionDetails<f64>> {
        self.refuse(flag_key, "float")
    }

    async fn resolve_struct_value(
        &self,
        flag_key: &str,
        _context: &EvaluationContext,
    ) -> EvaluationResult<ResolutionDetails<StructValue>> {
        self.refuse(flag_key, "structure")
    }
}

impl fmt::Debug for CutoverProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CutoverProvider").field(&self.shared.sources).finish()
    }
}

/// Runs what may call code of the host; `None` if that panicked. The flags and controllers are consistent at every moment.
fn contained<R>(foreign: impl FnOnce() -> R) -> Option<R> {
    catch_unwind(AssertUnwindSafe(foreign)).map_err(discard).ok()
}

/// Drops what a panic carried. Where its destructor panics too, what that one carries is leaked: dropping it could go on so.
#[cold]
fn discard(payload: Box<dyn Any + Send>) {
    if let Err(hostile) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        std::mem::forget(hostile);
    }
}

/// Where answers come from, and how they are given.
#[derive(Debug)]
pub(crate) struct Sources {
    pub(crate) migrations: HashMap<String, MigrationController>,
    pub(crate) registry: Option<MigrationRegistry>,
    pub(crate) flags: Option<FlagSet>,
    pub(crate) key_form: KeyForm,
    pub(crate) with_metadata: bool,
}

impl Default for Sources {
    fn default() -> Self {
        Self {
            migrations: HashMap::new(),
            registry: None,
            flags: None,
            key_form: KeyForm::default(),
            with_metadata: true,
        }
    }
}

impl Sources {
    /// What `name` stands for. A migration hides a flag, because an emergency must never be hidden.
    pub(crate) fn find(&self, name: &str) -> Option<Answerer<'_>> {
        let registered = || self.registry.as_ref().and_then(|registry| registry.get(name)).map(Cow::Owned);
        let migration = self.migrations.get(name).map(Cow::Borrowed).or_else(registered);
        let flag = || self.flags.as_ref().and_then(|flags| flags.get(name));
        migration.map(Answerer::Migration).or_else(|| flag().map(Answerer::Flag))
    }

    fn resolve(&self, name: &str, targeting_key: Option<&str>) -> Result<Resolution, ResolveError> {
        let answerer = self.find(name).ok_or_else(|| ResolveError::unknown(name))?;
        let key = targeting_key.ok_or(NoKey::Missing);
        let key = key.and_then(|text| self.key_form.read(text).ok_or(NoKey::Invalid));
        answerer.answer(key).map_err(|reason| match reason {
            NoKey::Missing => ResolveError::NoTargetingKey { name: name.to_owned() },
            NoKey::Invalid => ResolveError::InvalidTargetingKey { name: name.to_owned(), form: self.key_form },
        })
    }

    fn is_stale(&self) -> bool {
        let is_stale = |controller: &MigrationController| controller.decide(BucketKey::Missing).stale;
        let registered = |registry: &MigrationRegistry| {
            registry.ids().iter().filter_map(|id| registry.get(id.as_str())).any(|controller| is_stale(&controller))
        };
        self.migrations.values().any(is_stale) || self.registry.as_ref().is_some_and(registered)
    }
}
