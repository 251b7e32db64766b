//! Promise: where there is no answer there is the code of the specification, the caller's default holds, and nothing panics.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test")]

mod common;

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::SystemTime;

use common::{boolean, client_of, context, flags, gradual, provider_of};
use cutover::bucket::{BucketHasher, Domain};
use cutover::clock::{Clock, Instant};
use cutover::random::RandomSource;
use cutover::testing::ManualClock;
use cutover::{BucketKey, FlagSet, MemoryStore, MigrationController, MigrationRegistry, SystemMode};
use cutover_openfeature::{CutoverProvider, EvaluationFailure, KeyForm, ResolveError};
use open_feature::provider::{FeatureProvider, ProviderStatus};
use open_feature::{EvaluationError, EvaluationErrorCode as Code, StructValue};

const CONFIG: &str = r#"{
    "half": 50, "all": 100, "off": 0, "killed": { "rollout": 50, "kill": true },
    "tested": { "rollout": 0, "allow": ["17"] }
}"#;

#[tokio::test]
async fn what_nothing_has_the_name_of_is_not_found_in_any_type() {
    let client = client_of(provider_of(CONFIG)).await;
    let context = context("user-17");
    let errors = [
        client.get_bool_value("missing", Some(&context), None).await.unwrap_err(),
        client.get_string_value("missing", Some(&context), None).await.unwrap_err(),
        client.get_int_value("missing", Some(&context), None).await.unwrap_err(),
        client.get_float_value("missing", Some(&context), None).await.unwrap_err(),
        client.get_struct_value::<StructValue>("missing", Some(&context), None).await.map(|_| ()).unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.code, Code::FlagNotFound);
        assert_eq!(error.message.unwrap(), "there is no flag and no migration `missing`");
    }
    assert!(client.get_bool_value("missing", Some(&context), None).await.unwrap_or(true), "the caller's default");
}

#[tokio::test]
async fn numbers_and_structures_are_a_type_mismatch() {
    let search = gradual("search", 50.0).await;
    let provider = CutoverProvider::builder().flags(flags(CONFIG)).migration(search).build().unwrap();
    let client = client_of(provider).await;
    for name in ["half", "search", "killed"] {
        for context in [Some(context("user-17")), None] {
            let context = context.as_ref();
            let errors = [
                (client.get_int_value(name, context, None).await.unwrap_err(), "integer"),
                (client.get_float_value(name, context, None).await.unwrap_err(), "float"),
                (
                    client.get_struct_value::<StructValue>(name, context, None).await.map(|_| ()).unwrap_err(),
                    "structure",
                ),
            ];
            for (error, asked) in errors {
                assert_eq!(error.code, Code::TypeMismatch);
                let message = error.message.unwrap();
                assert!(message.contains(&format!("`{name}` has no {asked} value")), "{message}");
            }
        }
    }
    assert_eq!(client.get_int_value("half", None, None).await.unwrap_or(7), 7, "the caller's default");
}

#[tokio::test]
async fn a_missing_targeting_key_is_an_error_only_where_the_answer_may_depend_on_it() {
    let provider = provider_of(CONFIG);
    let client = client_of(provider.clone()).await;
    for name in ["half", "all"] {
        let error = boolean(&client, name, None).await.unwrap_err();
        assert_eq!(error.code, Code::TargetingKeyMissing, "{name}");
        let message = error.message.unwrap();
        assert!(message.contains(&format!("`{name}` depends on the targeting key")), "{message}");
        for default in [true, false] {
            assert_eq!(provider.boolean(name, None, default), default);
        }
    }
    for name in ["off", "killed", "tested"] {
        assert!(!boolean(&client, name, None).await.unwrap().value, "{name}");
        assert!(!provider.boolean(name, None, true), "{name}: legacy serves, whatever the default");
    }
}

#[tokio::test]
async fn a_targeting_key_of_another_form_is_an_invalid_context() {
    let search = gradual("search", 50.0).await;
    let builder = CutoverProvider::builder().flags(flags(CONFIG)).migration(search.clone());
    let provider = builder.key_form(KeyForm::U64).build().unwrap();
    let client = client_of(provider.clone()).await;
    for name in ["half", "all", "tested", "search"] {
        for key in ["user-17", "", "017"] {
            let error = boolean(&client, name, Some(key)).await.unwrap_err();
            assert_eq!(error.code, Code::InvalidContext, "{name} {key}");
            let message = error.message.unwrap();
            assert!(message.contains("a decimal number below 2^64"), "{message}");
        }
    }
    for name in ["off", "killed"] {
        assert!(!boolean(&client, name, Some("user-17")).await.unwrap().value, "{name}: no key changes it");
    }
    common::to(&search, SystemMode::EmergencyRollback).await;
    assert!(!boolean(&client, "search", Some("user-17")).await.unwrap().value, "an emergency holds for every caller");
}

#[test]
fn the_form_of_the_targeting_key_is_the_key_by_which_the_application_routes() {
    let uuid = "00112233-4455-6677-8899-aabbccddeeff";
    let bytes = 0x0011_2233_4455_6677_8899_aabb_ccdd_eeff_u128.to_be_bytes();
    let cases = [
        (KeyForm::Text, "17", BucketKey::Str("17")),
        (KeyForm::U64, "17", BucketKey::U64(17)),
        (KeyForm::Uuid, uuid, BucketKey::Uuid(bytes)),
    ];
    for (form, text, key) in cases {
        let provider = CutoverProvider::builder().flags(flags(CONFIG)).key_form(form).build().unwrap();
        let bucket = provider.resolve("half", Some(text)).unwrap().bucket;
        assert_eq!(bucket, BucketHasher::new("half", Domain::Rollout).bucket(key), "{form:?}");
    }
}

#[derive(Debug)]
struct Panicking;

impl RandomSource for Panicking {
    fn next_u64(&self) -> u64 {
        std::panic::panic_any(Hostile)
    }
}

/// Its destructor panics as well.
struct Hostile;

impl Drop for Hostile {
    fn drop(&mut self) {
        panic!("scripted")
    }
}

#[tokio::test]
async fn a_panic_of_what_the_host_gave_becomes_an_error() {
    let config = serde_json::from_str(r#"{ "drawn": { "rollout": 50, "missing_key": "random" } }"#).unwrap();
    let flags = FlagSet::builder().layer("file", config).random_source(Arc::new(Panicking)).build().unwrap();
    let provider = CutoverProvider::builder().flags(flags).build().unwrap();
    assert_eq!(provider.resolve("drawn", None), Err(ResolveError::Panicked { name: "drawn".to_owned() }));
    let client = client_of(provider).await;
    let error = boolean(&client, "drawn", None).await.unwrap_err();
    assert_eq!(error.code.to_string(), "GENERAL");
    assert!(boolean(&client, "drawn", Some("user-17")).await.is_ok(), "a key draws nothing");
}

/// Panics from some moment on.
#[derive(Debug, Clone, Default)]
struct BrokenClock(Arc<ManualClock>, Arc<AtomicBool>);

impl Clock for BrokenClock {
    fn now(&self) -> Instant {
        if self.1.load(Ordering::Relaxed) {
            std::panic::resume_unwind(Box::new("scripted"))
        }
        self.0.now()
    }

    fn wall(&self) -> SystemTime {
        self.0.wall()
    }
}

async fn with_clock(id: &str, clock: BrokenClock) -> MigrationController {
    MigrationController::builder(id, MemoryStore::new()).manual_refresh().clock(clock).open().await.unwrap()
}

#[tokio::test]
async fn a_clock_that_panics_makes_the_status_an_error_and_reaches_nobody() {
    let broken = BrokenClock::default();
    let search = with_clock("search", broken.clone()).await;
    let registry = MigrationRegistry::new();
    registry.register(search.clone(), &[]).unwrap();
    for builder in [CutoverProvider::builder().migration(search), CutoverProvider::builder().registry(registry)] {
        let provider = builder.flags(flags(CONFIG)).build().unwrap();
        broken.1.store(false, Ordering::Relaxed);
        assert_eq!(provider.status(), ProviderStatus::Ready);
        broken.1.store(true, Ordering::Relaxed);
        assert_eq!(provider.status(), ProviderStatus::Error);
        assert_eq!(provider.resolve("search", Some("17")).unwrap_err().code().to_string(), "GENERAL");
        assert!(provider.boolean("all", Some("17"), false), "flags have no clock");
        broken.1.store(false, Ordering::Relaxed);
        assert_eq!(provider.status(), ProviderStatus::Ready, "it is asked anew each time");
    }
}

#[tokio::test]
async fn a_long_or_strange_name_is_shown_short_and_in_one_line() {
    let client = client_of(provider_of(CONFIG)).await;
    for name in ["x".repeat(100_000), "new\nline\u{1b}[2J".to_owned(), String::new()] {
        let message = boolean(&client, &name, Some("user-17")).await.unwrap_err().message.unwrap();
        assert!(message.len() < 120 && !message.contains(char::is_control), "{message:?}");
    }
}

#[test]
fn an_evaluation_error_can_be_carried_as_an_error() {
    fn carried(error: EvaluationError) -> Box<dyn Error + Send + Sync> {
        EvaluationFailure::from(error).into()
    }
    let error = |code, message: Option<&str>| EvaluationError { code, message: message.map(str::to_owned) };
    for (error, expected) in [
        (error(Code::FlagNotFound, Some("no such flag")), "FLAG_NOT_FOUND: no such flag"),
        (error(Code::TargetingKeyMissing, None), "TARGETING_KEY_MISSING"),
        (error(Code::General("timeout".to_owned()), None), "GENERAL: timeout"),
        (error(Code::General("timeout".to_owned()), Some("after 2 s")), "GENERAL: after 2 s"),
        (error(Code::General("GENERAL".to_owned()), None), "GENERAL"),
    ] {
        assert_eq!(carried(error).to_string(), expected);
    }
}

#[tokio::test]
async fn a_provider_without_anything_knows_no_name() {
    let provider = CutoverProvider::builder().build().unwrap();
    assert_eq!(provider.resolve("half", Some("user-17")).unwrap_err().code(), Code::FlagNotFound);
    let search = MigrationController::open("search", MemoryStore::new()).await.unwrap();
    let provider = CutoverProvider::builder().migration(search).build().unwrap();
    assert_eq!(provider.resolve("Search", Some("user-17")).unwrap_err().code(), Code::FlagNotFound);
}
