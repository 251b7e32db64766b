//! Promise: the targeting key of the merged context decides, hooks see what was decided, and nothing else of a context matters.
#![expect(clippy::unwrap_used, reason = "a test")]

mod common;

use std::sync::{Arc, Mutex};

use common::{boolean, context, metadata, provider_of, reason};
use open_feature::{
    Client, EvaluationContext, EvaluationDetails, EvaluationError, EvaluationErrorCode, EvaluationOptions, Hook,
    HookContext, HookHints, OpenFeature, Type, Value, async_trait,
};

const CONFIG: &str = r#"{ "beta": { "rollout": 50, "allow": ["ana"], "deny": ["ben"] } }"#;

/// A client with a targeting key on the levels of the API and of the client.
async fn client(global: Option<&str>, own: Option<&str>) -> Client {
    let mut api = OpenFeature::default();
    api.set_provider(provider_of(CONFIG)).await;
    if let Some(key) = global {
        api.set_evaluation_context(context(key)).await;
    }
    let mut client = api.create_client();
    if let Some(key) = own {
        client.set_evaluation_context(context(key));
    }
    client
}

#[tokio::test]
async fn the_targeting_key_of_the_invocation_outranks_that_of_the_client_and_that_the_global_one() {
    let (ana, ben) = (Some("ana"), Some("ben"));
    for (global, own, invocation, on) in [
        (ana, None, None, true),
        (ben, None, None, false),
        (ana, ben, None, false),
        (ben, ana, None, true),
        (ana, ana, ben, false),
        (ben, ben, ana, true),
        (ben, None, ana, true),
        (None, ben, ana, true),
    ] {
        let details = boolean(&client(global, own).await, "beta", invocation).await.unwrap();
        assert_eq!(
            (details.value, reason(&details).as_str()),
            (on, "TARGETING_MATCH"),
            "{global:?} {own:?} {invocation:?}"
        );
    }
    let error = boolean(&client(None, None).await, "beta", None).await.unwrap_err();
    assert_eq!(error.code, EvaluationErrorCode::TargetingKeyMissing);
}

#[tokio::test]
async fn a_context_without_a_targeting_key_leaves_that_of_the_level_above() {
    let client = client(Some("ana"), None).await;
    let invocation = EvaluationContext::default().with_custom_field("plan", "free");
    assert_eq!(client.get_bool_value("beta", Some(&invocation), None).await, Ok(true));
}

#[tokio::test]
async fn custom_fields_change_nothing() {
    let client = client(None, None).await;
    for number in 0..100 {
        let plain = context(&format!("user-{number}"));
        let full = plain
            .clone()
            .with_custom_field("targeting_key", "ana")
            .with_custom_field("targetingKey", "ben")
            .with_custom_field("rollout", 100)
            .with_custom_field("beta", true);
        let plain = client.get_bool_details("beta", Some(&plain), None).await.unwrap();
        let full = client.get_bool_details("beta", Some(&full), None).await.unwrap();
        assert_eq!((plain.value, metadata(&plain)), (full.value, metadata(&full)));
    }
}

/// Writes down the stages; may replace the context before the evaluation, or refuse it.
#[derive(Default)]
struct Recording {
    log: Arc<Mutex<Vec<String>>>,
    replace: Option<EvaluationContext>,
    refuse: bool,
}

impl Recording {
    fn note(&self, line: String) {
        self.log.lock().unwrap().push(line);
    }
}

#[async_trait]
impl Hook for Recording {
    async fn before<'a>(
        &self,
        context: &HookContext<'a>,
        _hints: Option<&'a HookHints>,
    ) -> Result<Option<EvaluationContext>, EvaluationError> {
        assert_eq!((context.provider_metadata.name.as_str(), &context.flag_type), ("cutover", &Type::Bool));
        self.note(format!("before {}", context.flag_key));
        if self.refuse {
            let code = EvaluationErrorCode::General("refused".to_owned());
            return Err(EvaluationError { code, message: None });
        }
        Ok(self.replace.clone())
    }

    async fn after<'a>(
        &self,
        _context: &HookContext<'a>,
        details: &EvaluationDetails<Value>,
        _hints: Option<&'a HookHints>,
    ) -> Result<(), EvaluationError> {
        let variant = details.variant.clone().unwrap();
        self.note(format!("after {:?} {variant} {} {}", details.value, reason(details), metadata(details)));
        Ok(())
    }

    async fn error<'a>(&self, _context: &HookContext<'a>, error: &EvaluationError, _hints: Option<&'a HookHints>) {
        self.note(format!("error {}", error.code));
    }

    async fn finally<'a>(
        &self,
        _context: &HookContext<'a>,
        details: &EvaluationDetails<Value>,
        _hints: Option<&'a HookHints>,
    ) {
        self.note(format!("finally {:?} {}", details.value, reason(details)));
    }
}

async fn ask(hook: Recording, flag: &str, key: Option<&str>) -> (Result<bool, EvaluationErrorCode>, Vec<String>) {
    let log = Arc::clone(&hook.log);
    let options = EvaluationOptions::default().with_hook(hook);
    let asked = key.map(context);
    let answer = client(None, None).await.get_bool_value(flag, asked.as_ref(), Some(&options)).await;
    let lines = log.lock().unwrap().clone();
    (answer.map_err(|error| error.code), lines)
}

#[tokio::test]
async fn hooks_see_the_value_the_variant_the_reason_and_the_metadata() {
    let (answer, lines) = ask(Recording::default(), "beta", Some("ana")).await;
    assert_eq!(answer, Ok(true));
    assert_eq!(
        lines,
        [
            "before beta",
            r#"after Bool(true) new TARGETING_MATCH rule="allow_list" threshold=500000"#,
            "finally Bool(true) TARGETING_MATCH",
        ]
    );
}

#[tokio::test]
async fn hooks_see_errors_and_the_caller_gets_its_default() {
    let (answer, lines) = ask(Recording::default(), "missing", Some("ana")).await;
    assert_eq!(answer, Err(EvaluationErrorCode::FlagNotFound));
    assert_eq!(lines, ["before missing", "error FLAG_NOT_FOUND", "finally Bool(false) ERROR"]);
    let (answer, lines) = ask(Recording::default(), "beta", None).await;
    assert!(answer.unwrap_or(true));
    assert_eq!(lines, ["before beta", "error TARGETING_KEY_MISSING", "finally Bool(false) ERROR"]);
}

#[tokio::test]
async fn a_hook_may_give_the_targeting_key() {
    for (key, on) in [("ana", true), ("ben", false)] {
        let hook = Recording { replace: Some(context(key)), ..Recording::default() };
        assert_eq!(ask(hook, "beta", None).await.0, Ok(on));
    }
}

#[tokio::test]
async fn a_hook_that_refuses_prevents_the_evaluation() {
    let (answer, lines) = ask(Recording { refuse: true, ..Recording::default() }, "beta", Some("ana")).await;
    assert_eq!(answer, Err(EvaluationErrorCode::General("refused".to_owned())));
    assert_eq!(lines, ["before beta", "error refused", "finally Bool(false) ERROR"]);
}

#[tokio::test]
async fn a_named_client_asks_its_own_provider_and_others_the_default_one() {
    let mut api = OpenFeature::default();
    api.set_provider(provider_of(r#"{ "beta": 0 }"#)).await;
    api.set_named_provider("checkout", provider_of(r#"{ "beta": 100 }"#)).await;
    for (name, on) in [("checkout", true), ("search", false), ("", false)] {
        let client = api.create_named_client(name);
        assert_eq!(boolean(&client, "beta", Some("anna")).await.unwrap().value, on, "{name}");
    }
    assert_eq!(api.provider_metadata().await.name, "cutover");
    assert_eq!(api.named_provider_metadata("checkout").await.unwrap().name, "cutover");
}
