//! What the tests share.
#![allow(dead_code, reason = "each test uses some of it")]

use cutover::random::RandomSource;
use cutover::{FlagSet, MemoryStore, MigrationController, Percentage, SystemMode};
use cutover_openfeature::CutoverProvider;
use open_feature::provider::{FeatureProvider, ProviderMetadata, ResolutionDetails};
use open_feature::{
    Client, EvaluationContext, EvaluationDetails, EvaluationError, EvaluationReason, EvaluationResult,
    FlagMetadataValue, OpenFeature, StructValue, async_trait,
};

/// Every draw is this number.
#[derive(Debug)]
pub(crate) struct Always(pub(crate) u64);

impl RandomSource for Always {
    fn next_u64(&self) -> u64 {
        self.0
    }
}

pub(crate) fn percent(share: f64) -> Percentage {
    Percentage::new(share).unwrap()
}

pub(crate) fn flags(json: &str) -> FlagSet {
    FlagSet::builder().layer("file", serde_json::from_str(json).unwrap()).build().unwrap()
}

pub(crate) fn provider_of(json: &str) -> CutoverProvider {
    CutoverProvider::builder().flags(flags(json)).build().unwrap()
}

pub(crate) async fn migration(id: &str) -> MigrationController {
    MigrationController::open(id, MemoryStore::new()).await.unwrap()
}

pub(crate) async fn to(controller: &MigrationController, mode: SystemMode) {
    controller.transition(mode, "ana", "a test").await.unwrap();
}

pub(crate) async fn at(controller: &MigrationController, share: f64) {
    controller.set_rollout(percent(share), "ana", "a test").await.unwrap();
}

/// A migration in a gradual rollout.
pub(crate) async fn gradual(id: &str, share: f64) -> MigrationController {
    let controller = migration(id).await;
    to(&controller, SystemMode::GradualRollout).await;
    at(&controller, share).await;
    controller
}

/// A client of an API of its own, so that tests do not share the global one.
pub(crate) async fn client_of(provider: impl FeatureProvider) -> Client {
    let mut api = OpenFeature::default();
    api.set_provider(provider).await;
    api.create_client()
}

pub(crate) fn context(targeting_key: &str) -> EvaluationContext {
    EvaluationContext::default().with_targeting_key(targeting_key)
}

pub(crate) async fn boolean(
    client: &Client,
    name: &str,
    targeting_key: Option<&str>,
) -> Result<EvaluationDetails<bool>, EvaluationError> {
    client.get_bool_details(name, targeting_key.map(context).as_ref(), None).await
}

/// The name of the reason in the specification.
pub(crate) fn reason<T>(details: &EvaluationDetails<T>) -> String {
    details.reason.as_ref().map(EvaluationReason::to_string).unwrap_or_default()
}

/// The flag metadata as sorted text, such as `epoch="3" threshold=250000`.
pub(crate) fn metadata<T>(details: &EvaluationDetails<T>) -> String {
    let show = |value: &FlagMetadataValue| match value {
        FlagMetadataValue::Bool(value) => value.to_string(),
        FlagMetadataValue::Int(value) => value.to_string(),
        FlagMetadataValue::Float(value) => format!("{value:?}"),
        FlagMetadataValue::String(value) => format!("{value:?}"),
    };
    let mut values: Vec<_> =
        details.flag_metadata.values.iter().map(|(name, value)| format!("{name}={}", show(value))).collect();
    values.sort_unstable();
    values.join(" ")
}

/// Says yes to everything: what `OpenFeature` costs by itself.
pub(crate) struct Constant(ProviderMetadata);

impl Default for Constant {
    fn default() -> Self {
        Self(ProviderMetadata::new("constant"))
    }
}

#[async_trait]
impl FeatureProvider for Constant {
    fn metadata(&self) -> &ProviderMetadata {
        &self.0
    }

    async fn resolve_bool_value(&self, _: &str, _: &EvaluationContext) -> EvaluationResult<ResolutionDetails<bool>> {
        Ok(ResolutionDetails::new(true))
    }

    async fn resolve_int_value(&self, _: &str, _: &EvaluationContext) -> EvaluationResult<ResolutionDetails<i64>> {
        Ok(ResolutionDetails::new(1))
    }

    async fn resolve_float_value(&self, _: &str, _: &EvaluationContext) -> EvaluationResult<ResolutionDetails<f64>> {
        Ok(ResolutionDetails::new(1.0))
    }

    async fn resolve_string_value(
        &self,
        _: &str,
        _: &EvaluationContext,
    ) -> EvaluationResult<ResolutionDetails<String>> {
        Ok(ResolutionDetails::new("new"))
    }

    async fn resolve_struct_value(
        &self,
        _: &str,
        _: &EvaluationContext,
    ) -> EvaluationResult<ResolutionDetails<StructValue>> {
        Ok(ResolutionDetails::default())
    }
}
