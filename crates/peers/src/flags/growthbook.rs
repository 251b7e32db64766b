//! The client of `growthbook-rust`, without its server.

use growthbook_rust::client::{GrowthBookClient, GrowthBookClientBuilder, GrowthBookClientTrait};
use growthbook_rust::model_public::{GrowthBookAttribute, GrowthBookAttributeValue};
use serde_json::{Map, Value, json};

use super::SHARE;
use super::shares::{Flag, Shares, Taken};
use crate::traffic::{Ask, asks, flag_names, in_turn, runtime};
use crate::{Subject, Worker};

/// A client that knows `flags`; `None` if it refuses them.
fn client(flags: Map<String, Value>) -> Option<GrowthBookClient> {
    let builder = GrowthBookClientBuilder::new().features_json(Value::Object(flags)).ok()?;
    runtime().block_on(builder.build()).ok()
}

fn rollout(percent: f64, hash_version: u8) -> Value {
    let rule = json!({
        "force": true, "coverage": percent / 100.0, "hashAttribute": "id", "hashVersion": hash_version,
    });
    json!({ "defaultValue": false, "rules": [rule] })
}

fn attributes(key: &str) -> Vec<GrowthBookAttribute> {
    vec![GrowthBookAttribute::new("id".to_owned(), GrowthBookAttributeValue::String(key.to_owned()))]
}

pub(super) struct Client {
    client: GrowthBookClient,
    asks: Vec<(Ask, Vec<GrowthBookAttribute>)>,
}

impl Client {
    pub(super) fn new(flags: usize) -> Self {
        let client = client(flag_names(flags).map(|name| (name, rollout(SHARE, 2))).collect()).unwrap();
        let asks = asks(flags).into_iter().map(|ask| {
            let attributes = attributes(&ask.key);
            (ask, attributes)
        });
        Self { client, asks: asks.collect() }
    }
}

impl Subject for Client {
    fn worker(&self) -> Worker<'_> {
        in_turn(&self.asks, |(ask, attributes)| self.client.is_on(&ask.flag, Some(attributes.clone())))
    }
}

/// Coverage of a rule, as a share of one.
pub(super) struct GrowthBook {
    pub(super) hash_version: u8,
}

impl Shares for GrowthBook {
    fn name(&self) -> &'static str {
        if self.hash_version == 1 { "growthbook-rust, hash version 1" } else { "growthbook-rust, hash version 2" }
    }

    fn flag(&self, name: &str, percent: f64) -> Taken<Flag> {
        if percent.is_nan() {
            return Taken::CannotBeWritten;
        }
        let rule = rollout(percent, self.hash_version);
        let Some(client) = client(Map::from_iter([(name.to_owned(), rule)])) else { return Taken::Refused };
        let name = name.to_owned();
        Taken::As(Box::new(move |key| client.is_on(&name, Some(attributes(key)))))
    }
}
