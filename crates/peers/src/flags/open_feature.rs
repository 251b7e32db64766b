//! The facade of `open-feature`, around a provider that says always the same.

use async_trait::async_trait;
use open_feature::provider::{FeatureProvider, ProviderMetadata, ResolutionDetails};
use open_feature::{
    Client, EvaluationContext, EvaluationError, EvaluationErrorCode, EvaluationResult, OpenFeature, StructValue,
};

use crate::traffic::{Ask, asks, runtime};
use crate::{Subject, Worker};

pub(super) struct Facade {
    client: Client,
    asks: Vec<(Ask, EvaluationContext)>,
}

impl Facade {
    pub(super) fn new(flags: usize) -> Self {
        let client = runtime().block_on(async {
            let mut api = OpenFeature::singleton_mut().await;
            api.set_provider(Constant(ProviderMetadata::new("constant"))).await;
            api.create_client()
        });
        let asks = asks(flags).into_iter().map(|ask| {
            let context = EvaluationContext::default().with_targeting_key(ask.key.as_str());
            (ask, context)
        });
        Self { client, asks: asks.collect() }
    }
}

impl Subject for Facade {
    fn worker(&self) -> Worker<'_> {
        let mut next = self.asks.iter().cycle();
        crate::traffic::awaited(async move || {
            let Some((ask, context)) = next.next() else { return false };
            self.client.get_bool_value(&ask.flag, Some(context), None).await.unwrap_or(false)
        })
    }
}

struct Constant(ProviderMetadata);

fn another_type<T>() -> EvaluationResult<T> {
    Err(EvaluationError { code: EvaluationErrorCode::TypeMismatch, message: None })
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
        another_type()
    }

    async fn resolve_float_value(&self, _: &str, _: &EvaluationContext) -> EvaluationResult<ResolutionDetails<f64>> {
        another_type()
    }

    async fn resolve_string_value(
        &self,
        _: &str,
        _: &EvaluationContext,
    ) -> EvaluationResult<ResolutionDetails<String>> {
        another_type()
    }

    async fn resolve_struct_value(
        &self,
        _: &str,
        _: &EvaluationContext,
    ) -> Result<ResolutionDetails<StructValue>, EvaluationError> {
        another_type()
    }
}
