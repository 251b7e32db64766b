//! Promise: each known defect of `open-feature` 0.3.0 is as described, and there is the way round it that README.md names.
//! When the first half of a test fails, the defect is gone.
#![expect(clippy::unwrap_used, reason = "a test")]

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use common::{Constant, boolean, client_of, context, flags, gradual, provider_of};
use cutover_openfeature::{CutoverProvider, retire};
use futures::FutureExt;
use futures::executor::block_on;
use open_feature::provider::{FeatureProvider, ProviderMetadata, ProviderStatus, ResolutionDetails};
use open_feature::{
    Client, EvaluationContext, EvaluationErrorCode, EvaluationResult, OpenFeature, StructValue, async_trait,
};

const CONFIG: &str = r#"{ "all": 100 }"#;

async fn panics(client: Client) -> bool {
    let asked = tokio::spawn(async move { boolean(&client, "all", Some("user-17")).await.is_ok() });
    asked.await.is_err_and(|error| error.is_panic())
}

#[tokio::test]
async fn after_shutdown_a_client_panics_and_a_kept_provider_answers() {
    let mut api = OpenFeature::default();
    let kept = provider_of(CONFIG);
    api.set_provider(kept.clone()).await;
    let client = api.create_client();
    api.shutdown().await;
    assert!(panics(client).await, "the defect");
    assert!(kept.boolean("all", Some("user-17"), false));
    assert!(block_on(kept.resolve_bool_value("all", &context("user-17"))).unwrap().value);
}

#[tokio::test]
async fn a_retired_api_refuses_and_does_not_panic() {
    let mut api = OpenFeature::default();
    api.set_provider(provider_of(CONFIG)).await;
    api.set_named_provider("checkout", provider_of(CONFIG)).await;
    let clients = [api.create_client(), api.create_named_client("checkout"), api.create_named_client("other")];
    retire(&mut api, &["checkout"]).await;
    for client in clients {
        let error = boolean(&client, "all", Some("user-17")).await.unwrap_err();
        assert_eq!(error.code, EvaluationErrorCode::ProviderNotReady);
    }
    api.set_provider(provider_of(CONFIG)).await;
    assert!(boolean(&api.create_client(), "all", Some("user-17")).await.unwrap().value, "it can come back");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn evaluations_that_run_while_it_is_retired_do_not_panic() {
    let mut api = OpenFeature::default();
    api.set_provider(provider_of(CONFIG)).await;
    let (stop, answers) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let ask = |client: Client, stop: Arc<AtomicBool>, answers: Arc<AtomicUsize>| async move {
        while !stop.load(Ordering::Relaxed) {
            match boolean(&client, "all", Some("user-17")).await {
                Ok(details) => assert!(details.value),
                Err(error) => assert_eq!(error.code, EvaluationErrorCode::ProviderNotReady),
            }
            answers.fetch_add(1, Ordering::Relaxed);
            tokio::task::yield_now().await;
        }
    };
    let tasks: Vec<_> =
        (0..8).map(|_| tokio::spawn(ask(api.create_client(), Arc::clone(&stop), Arc::clone(&answers)))).collect();
    let answered = async || {
        let before = answers.load(Ordering::Relaxed);
        while answers.load(Ordering::Relaxed) < before + 8 && !tasks.iter().any(tokio::task::JoinHandle::is_finished) {
            tokio::task::yield_now().await;
        }
    };
    for _ in 0..20 {
        retire(&mut api, &["checkout"]).await;
        answered().await;
        api.set_provider(provider_of(CONFIG)).await;
        answered().await;
    }
    stop.store(true, Ordering::Relaxed);
    for task in tasks {
        task.await.unwrap();
    }
}

/// A provider that may take for ever to initialise, says that it is not ready, and counts who asks whether it is.
#[derive(Default)]
struct Awkward {
    inner: Constant,
    hangs: bool,
    asked: Arc<AtomicUsize>,
}

#[async_trait]
impl FeatureProvider for Awkward {
    async fn initialize(&mut self, _context: &EvaluationContext) {
        if self.hangs {
            std::future::pending::<()>().await;
        }
    }

    fn status(&self) -> ProviderStatus {
        self.asked.fetch_add(1, Ordering::Relaxed);
        ProviderStatus::NotReady
    }

    fn metadata(&self) -> &ProviderMetadata {
        self.inner.metadata()
    }

    async fn resolve_bool_value(&self, n: &str, c: &EvaluationContext) -> EvaluationResult<ResolutionDetails<bool>> {
        self.inner.resolve_bool_value(n, c).await
    }

    async fn resolve_int_value(&self, n: &str, c: &EvaluationContext) -> EvaluationResult<ResolutionDetails<i64>> {
        self.inner.resolve_int_value(n, c).await
    }

    async fn resolve_float_value(&self, n: &str, c: &EvaluationContext) -> EvaluationResult<ResolutionDetails<f64>> {
        self.inner.resolve_float_value(n, c).await
    }

    async fn resolve_string_value(
        &self,
        n: &str,
        c: &EvaluationContext,
    ) -> EvaluationResult<ResolutionDetails<String>> {
        self.inner.resolve_string_value(n, c).await
    }

    async fn resolve_struct_value(
        &self,
        n: &str,
        c: &EvaluationContext,
    ) -> EvaluationResult<ResolutionDetails<StructValue>> {
        self.inner.resolve_struct_value(n, c).await
    }
}

#[tokio::test]
async fn a_provider_that_initialises_slowly_holds_up_every_client_and_this_one_takes_one_poll() {
    let mut api = OpenFeature::default();
    api.set_provider(provider_of(CONFIG)).await;
    let client = api.create_client();
    let cancelled = {
        let mut registering = Box::pin(api.set_provider(Awkward { hangs: true, ..Awkward::default() }));
        assert!(registering.as_mut().now_or_never().is_none());
        boolean(&client, "all", Some("user-17")).now_or_never().is_none()
    };
    assert!(cancelled, "the defect: the client waits for the initialisation of another provider");
    assert!(panics(client).await, "the defect: a registration that is cancelled leaves no default provider");

    assert!(api.set_provider(provider_of(CONFIG)).now_or_never().is_some());
    assert!(api.set_named_provider("checkout", provider_of(CONFIG)).now_or_never().is_some());
    assert!(boolean(&api.create_client(), "all", Some("user-17")).await.unwrap().value);
}

#[tokio::test]
async fn a_named_client_asks_the_default_provider_while_its_own_is_replaced_and_flags_change_in_place() {
    let mut api = OpenFeature::default();
    api.set_provider(provider_of(r#"{ "all": 0 }"#)).await;
    let set = flags(CONFIG);
    let own = || CutoverProvider::builder().flags(set.clone()).build().unwrap();
    api.set_named_provider("checkout", own()).await;
    let client = api.create_named_client("checkout");
    let ask = async || boolean(&client, "all", Some("user-17")).await.unwrap().value;
    assert!(ask().await);
    let mut replacing = Box::pin(api.set_named_provider("checkout", Awkward { hangs: true, ..Awkward::default() }));
    assert!(replacing.as_mut().now_or_never().is_none());
    assert!(!ask().await, "the defect");
    drop(replacing);

    api.set_named_provider("checkout", own()).await;
    assert!(ask().await);
    set.replace("file", serde_json::from_str(r#"{ "all": 0 }"#).unwrap()).unwrap();
    assert!(!ask().await);
}

#[test]
fn an_evaluation_of_this_provider_takes_one_poll_on_any_executor() {
    let search = block_on(gradual("search", 50.0));
    let provider = CutoverProvider::builder().flags(flags(CONFIG)).migration(search).build().unwrap();
    let client = block_on(client_of(provider.clone()));
    let context = context("user-17");
    for name in ["all", "search", "missing"] {
        assert!(provider.resolve_bool_value(name, &context).now_or_never().is_some());
        assert!(provider.resolve_string_value(name, &context).now_or_never().is_some());
        assert!(provider.resolve_int_value(name, &context).now_or_never().is_some());
        assert!(client.get_bool_value(name, Some(&context), None).now_or_never().is_some());
    }
}

#[tokio::test]
async fn nobody_reads_the_status_so_each_answer_says_whether_it_is_stale() {
    let awkward = Awkward::default();
    let asked = Arc::clone(&awkward.asked);
    let client = client_of(awkward).await;
    assert!(boolean(&client, "all", Some("user-17")).await.unwrap().value);
    assert_eq!(asked.load(Ordering::Relaxed), 0, "the defect");

    let search = gradual("search", 50.0).await;
    let client = client_of(CutoverProvider::builder().migration(search).build().unwrap()).await;
    let details = boolean(&client, "search", Some("user-17")).await.unwrap();
    assert!(common::metadata(&details).contains("stale=false"));
}
