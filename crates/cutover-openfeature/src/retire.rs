//! [`retire`].

use open_feature::OpenFeature;
use open_feature::provider::NoOpProvider;

/// Takes the default provider and those of the clients named `names` out of `api`. Evaluations go on, and say
/// `PROVIDER_NOT_READY`.
///
/// Call it instead of [`OpenFeature::shutdown`], after which every evaluation panics. Do not cancel it: a cancelled
/// [`set_provider`](OpenFeature::set_provider) may leave `api` without a default provider too.
///
/// ```standalone_crate
/// use open_feature::{EvaluationErrorCode, OpenFeature};
///
/// # futures::executor::block_on(async {
/// let mut api = OpenFeature::singleton_mut().await;
/// let client = api.create_client();
/// cutover_openfeature::retire(&mut api, &["checkout"]).await;
/// let refused = client.get_bool_value("new-cart", None, None).await.unwrap_err();
/// assert_eq!(refused.code, EvaluationErrorCode::ProviderNotReady);
/// # });
/// ```
pub async fn retire(api: &mut OpenFeature, names: &[&str]) {
    api.set_provider(NoOpProvider::default()).await;
    for name in names {
        api.set_named_provider(name, NoOpProvider::default()).await;
    }
}
