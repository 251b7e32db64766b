//! An application asks `OpenFeature`; what answers is a flag and a migration of `cutover`, while the migration is rolled out
//! and rolled back.
//!
//! `cargo run -p cutover-openfeature --example checkout`
#![expect(clippy::print_stdout, reason = "an example talks")]

use std::error::Error;

use cutover::{FlagConfig, FlagSet, MemoryStore, MigrationController, Percentage, SystemMode};
use cutover_openfeature::{CutoverProvider, EvaluationFailure, retire};
use open_feature::{Client, EvaluationContext, EvaluationReason, FlagMetadataValue, OpenFeature};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // A real application keeps its migrations in a durable store, such as cutover-sqlite.
    let payment = MigrationController::open("payment", MemoryStore::new()).await?;
    let config: FlagConfig = serde_json::from_str(r#"{ "new-cart": { "rollout": 10, "allow": ["ana"] } }"#)?;
    let provider = CutoverProvider::builder().flags(FlagSet::new(config)?).migration(payment.clone()).build()?;

    let client = {
        let mut api = OpenFeature::singleton_mut().await;
        api.set_provider(provider.clone()).await;
        api.create_client() // once, and not for every request: it does not need the global lock again
    };

    println!("{:<34} {:<8} {:<6} {:<16} metadata", "", "key", "value", "reason");
    show("a flag, on the list", &client, "new-cart", "ana").await?;
    show("a flag, by its bucket", &client, "new-cart", "ben").await?;
    show("a migration, legacy only", &client, "payment", "ben").await?;
    payment.transition(SystemMode::Parallel, "ana", "compare first").await?;
    payment.transition(SystemMode::GradualRollout, "ana", "they agree").await?;
    payment.set_rollout(Percentage::new(50.0)?, "ana", "half").await?;
    for key in ["ana", "ben", "cid", "dora"] {
        show("rolled out to 50 %", &client, "payment", key).await?;
    }
    let refused = client.get_bool_value("payment", None, None).await.map_err(EvaluationFailure);
    println!("{:<34} {}", "without a targeting key", refused.err().map_or_else(String::new, |error| error.to_string()));

    payment.emergency_rollback("ben", "wrong totals").await;
    show("rolled back", &client, "payment", "ana").await?;

    retire(&mut *OpenFeature::singleton_mut().await, &[]).await;
    let ended = client.get_bool_value("new-cart", None, None).await.map_err(EvaluationFailure);
    println!(
        "{:<34} {}",
        "retired, asked through OpenFeature",
        ended.err().map_or_else(String::new, |error| error.to_string())
    );
    println!("{:<34} {}", "retired, the kept provider", provider.boolean("new-cart", Some("ana"), false));
    Ok(())
}

async fn show(what: &str, client: &Client, name: &str, key: &str) -> Result<(), EvaluationFailure> {
    let context = EvaluationContext::default().with_targeting_key(key);
    let details = client.get_bool_details(name, Some(&context), None).await?;
    let reason = details.reason.as_ref().map(EvaluationReason::to_string).unwrap_or_default();
    let mut metadata: Vec<_> = details.flag_metadata.values.iter().map(|(name, value)| line(name, value)).collect();
    metadata.sort_unstable();
    println!("{what:<34} {key:<8} {:<6} {reason:<16} {}", details.value, metadata.join(" "));
    Ok(())
}

fn line(name: &str, value: &FlagMetadataValue) -> String {
    match value {
        FlagMetadataValue::Bool(value) => format!("{name}={value}"),
        FlagMetadataValue::Int(value) => format!("{name}={value}"),
        FlagMetadataValue::Float(value) => format!("{name}={value}"),
        FlagMetadataValue::String(value) => format!("{name}={value}"),
    }
}
