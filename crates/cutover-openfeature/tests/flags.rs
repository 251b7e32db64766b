//! Promise: a flag is a boolean and the string `new` or `legacy`, with the variant, the reason and the numbers of what decided.
#![expect(clippy::unwrap_used, reason = "a test")]

mod common;

use common::{boolean, client_of, context, flags, metadata, provider_of, reason};
use cutover::bucket::{BucketHasher, Domain, ppm_of};
use cutover_openfeature::CutoverProvider;

const CONFIG: &str = r#"{
    "off": 0,
    "tested": { "rollout": 0, "allow": ["tester"] },
    "half": { "rollout": 50, "allow": ["tester"], "deny": ["banned"] },
    "all": 100,
    "killed": { "rollout": 100, "kill": true },
    "page": { "rollout": 100, "requires": ["half"] },
    "dead-page": { "rollout": 100, "requires": ["killed"] },
    "anonymous": { "rollout": 50, "missing_key": "random" }
}"#;

/// Two keys on either side of a flag at 50 %, by the published algorithm.
fn keys_of(flag: &str) -> (String, String) {
    let hasher = BucketHasher::new(flag, Domain::Rollout);
    let key = |inside: bool| {
        let fits = |key: &String| (ppm_of(hasher.bucket(key).unwrap()) < 500_000) == inside;
        (0..1_000).map(|number| format!("user-{number}")).find(fits).unwrap()
    };
    (key(true), key(false))
}

#[tokio::test]
async fn value_variant_and_reason_say_which_rule_decided() {
    let client = client_of(provider_of(CONFIG)).await;
    let (inside, outside) = keys_of("half");
    let cases: &[(&str, Option<&str>, bool, &str, &str)] = &[
        ("off", Some("anna"), false, "STATIC", "percentage"),
        ("off", None, false, "STATIC", "missing_key"),
        ("tested", Some("tester"), true, "TARGETING_MATCH", "allow_list"),
        ("tested", Some("anna"), false, "DEFAULT", "percentage"),
        ("tested", None, false, "DEFAULT", "missing_key"),
        ("half", Some("tester"), true, "TARGETING_MATCH", "allow_list"),
        ("half", Some("banned"), false, "TARGETING_MATCH", "deny_list"),
        ("half", Some(&inside), true, "SPLIT", "percentage"),
        ("half", Some(&outside), false, "SPLIT", "percentage"),
        ("all", Some("anna"), true, "SPLIT", "percentage"),
        ("all", Some(""), true, "SPLIT", "percentage"),
        ("killed", Some("anna"), false, "DISABLED", "kill_switch"),
        ("killed", None, false, "DISABLED", "kill_switch"),
        ("page", Some(&inside), true, "SPLIT", "percentage"),
        ("page", Some(&outside), false, "TARGETING_MATCH", "requires"),
        ("page", Some("banned"), false, "TARGETING_MATCH", "requires"),
        ("dead-page", Some("anna"), false, "STATIC", "requires"),
        ("dead-page", None, false, "STATIC", "missing_key"),
    ];
    for (name, key, on, expected, rule) in cases {
        let details = boolean(&client, name, *key).await.unwrap();
        let variant = if *on { "new" } else { "legacy" };
        let found = (details.flag_key.as_str(), details.value, details.variant.as_deref(), reason(&details));
        assert_eq!(found, (*name, *on, Some(variant), (*expected).to_owned()), "{name} {key:?}");
        assert!(metadata(&details).contains(&format!("rule={rule:?}")), "{name} {key:?}: {}", metadata(&details));

        let text = client.get_string_details(name, key.map(context).as_ref(), None).await.unwrap();
        assert_eq!((text.value.as_str(), text.variant.as_deref()), (variant, Some(variant)), "{name} {key:?}");
        assert_eq!((reason(&text), metadata(&text)), (reason(&details), metadata(&details)), "{name} {key:?}");
    }
}

#[tokio::test]
async fn the_metadata_holds_the_numbers_by_which_the_answer_can_be_checked() {
    let client = client_of(provider_of(CONFIG)).await;
    let (inside, _) = keys_of("half");
    let bucket = BucketHasher::new("half", Domain::Rollout).bucket(&inside).unwrap();
    let found = metadata(&boolean(&client, "half", Some(&inside)).await.unwrap());
    let expected = format!(
        r#"algorithm="sip13-v1" bucket="{bucket}" bucket_ppm={} rule="percentage" threshold=500000"#,
        ppm_of(bucket)
    );
    assert_eq!(found, expected);
}

#[tokio::test]
async fn where_no_key_was_hashed_there_is_no_bucket_in_the_metadata() {
    let client = client_of(provider_of(CONFIG)).await;
    for (name, key, expected) in [
        ("killed", Some("anna"), r#"rule="kill_switch" threshold=1000000"#),
        ("half", Some("tester"), r#"rule="allow_list" threshold=500000"#),
        ("anonymous", None, r#"rule="missing_key" threshold=500000"#),
        ("off", None, r#"rule="missing_key" threshold=0"#),
    ] {
        assert_eq!(metadata(&boolean(&client, name, key).await.unwrap()), expected, "{name} {key:?}");
    }
}

#[tokio::test]
async fn without_a_key_a_flag_that_draws_is_split_by_what_it_draws() {
    for (drawn, on) in [(0, true), (u64::MAX, false)] {
        let random = std::sync::Arc::new(common::Always(drawn));
        let builder = cutover::FlagSet::builder().layer("file", serde_json::from_str(CONFIG).unwrap());
        let flags = builder.random_source(random).build().unwrap();
        let client = client_of(CutoverProvider::builder().flags(flags).build().unwrap()).await;
        let details = boolean(&client, "anonymous", None).await.unwrap();
        assert_eq!((details.value, reason(&details).as_str()), (on, "SPLIT"));
    }
}

#[tokio::test]
async fn layers_and_switches_hold_from_the_next_evaluation_on() {
    let flags = cutover::FlagSet::builder()
        .layer("file", serde_json::from_str(CONFIG).unwrap())
        .layer("store", cutover::FlagConfig::new())
        .build()
        .unwrap();
    let client = client_of(CutoverProvider::builder().flags(flags.clone()).build().unwrap()).await;
    let ask = async || {
        let details = boolean(&client, "off", Some("anna")).await.unwrap();
        (details.value, reason(&details))
    };
    assert_eq!(ask().await, (false, "STATIC".to_owned()));
    flags.replace("store", serde_json::from_str(r#"{ "off": 100 }"#).unwrap()).unwrap();
    assert_eq!(ask().await, (true, "SPLIT".to_owned()));
    flags.switch_off("off").unwrap();
    assert_eq!(ask().await, (false, "DISABLED".to_owned()));
    flags.restore("off").unwrap();
    assert_eq!(ask().await, (true, "SPLIT".to_owned()));
}

#[tokio::test]
async fn metadata_can_be_left_out_and_the_answer_stays() {
    let provider = CutoverProvider::builder().flags(flags(CONFIG)).without_metadata().build().unwrap();
    let client = client_of(provider).await;
    let details = boolean(&client, "half", Some("tester")).await.unwrap();
    assert_eq!((details.value, details.variant.as_deref()), (true, Some("new")));
    assert_eq!((reason(&details).as_str(), metadata(&details).as_str()), ("TARGETING_MATCH", ""));
}
