//! Promise: a targeting key appears in no answer, no error and no debug output.
#![expect(clippy::unwrap_used, reason = "a test")]

mod common;

use common::{boolean, client_of, context, flags, gradual};
use cutover_openfeature::{CutoverProvider, KeyForm};
use open_feature::StructValue;
use open_feature::provider::FeatureProvider;

/// No part of it is a word of a message, and it is no number and no UUID.
const CANARY: &str = "Qx7!zebra-Qx7@example.org";

#[tokio::test]
async fn the_targeting_key_is_nowhere() {
    let config = format!(
        r#"{{ "half": 50, "off": 0, "all": 100, "killed": {{ "kill": true }},
             "listed": {{ "allow": ["{CANARY}"] }}, "banned": {{ "rollout": 100, "deny": ["{CANARY}"] }} }}"#
    );
    let mut seen = Vec::new();
    for form in [KeyForm::Text, KeyForm::U64, KeyForm::Uuid] {
        let search = gradual("search", 50.0).await;
        let builder = CutoverProvider::builder().flags(flags(&config)).migration(search).key_form(form);
        seen.push(format!("{builder:?}"));
        let provider = builder.build().unwrap();
        seen.push(format!("{provider:?} {:?}", provider.metadata()));
        let client = client_of(provider.clone()).await;
        let context = context(CANARY);
        for name in ["half", "off", "all", "killed", "listed", "banned", "search", "missing"] {
            let resolved = provider.resolve(name, Some(CANARY));
            seen.push(format!("{resolved:?}"));
            seen.extend(resolved.err().map(|error| error.to_string()));
            seen.push(format!("{:?}", boolean(&client, name, Some(CANARY)).await));
            seen.push(format!("{:?}", client.get_string_details(name, Some(&context), None).await));
            seen.push(format!("{:?}", client.get_int_details(name, Some(&context), None).await));
            seen.push(format!("{:?}", client.get_float_details(name, Some(&context), None).await));
            seen.push(format!("{:?}", client.get_struct_details::<StructValue>(name, Some(&context), None).await));
        }
    }
    let seen = seen.join("\n");
    assert!(seen.contains("sip13-v1") && seen.contains("InvalidContext") && seen.contains("AllowList"), "{seen}");
    for part in [CANARY, "Qx7", "zebra", "example.org"] {
        assert!(!seen.contains(part), "{part} in {seen}");
    }
}
