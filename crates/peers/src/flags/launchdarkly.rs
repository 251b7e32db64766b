//! The client of `launchdarkly-server-sdk`, with test data and without events.

use std::sync::Arc;

use launchdarkly_server_sdk::{
    Client, ConfigBuilder, Context, ContextBuilder, Flag as LdFlag, NullEventProcessorBuilder, TestData,
};
use serde_json::json;

use super::SHARE;
use super::shares::{Flag, Shares, Taken};
use crate::traffic::{Ask, asks, flag_names, in_turn};
use crate::{Subject, Worker};

/// A client that knows `flags` and has been started.
pub(crate) fn client(flags: impl IntoIterator<Item = LdFlag>) -> Arc<Client> {
    let data = TestData::new();
    flags.into_iter().for_each(|flag| data.use_preconfigured_flag(flag));
    let config = ConfigBuilder::new("none").data_source(&data).event_processor(&NullEventProcessorBuilder::new());
    let client = Client::build(config.build().unwrap()).unwrap();
    client.start_with_runtime().unwrap();
    assert!(client.initialized(), "test data is there at once");
    Arc::new(client)
}

/// A boolean flag that is on for `percent` of users; `None` if the number cannot be written.
fn rollout(name: &str, percent: f64) -> Option<LdFlag> {
    let flag = json!({
        "key": name, "on": true, "version": 1, "salt": name,
        "targets": [], "rules": [], "prerequisites": [], "offVariation": 1, "variations": [true, false],
        "fallthrough": { "rollout": { "variations": [
            { "variation": 0, "weight": percent * 1_000.0 },
            { "variation": 1, "weight": (100.0 - percent) * 1_000.0 },
        ] } },
    });
    serde_json::from_value(flag).ok()
}

fn context(key: &str) -> Context {
    ContextBuilder::new(key).build().unwrap()
}

pub(super) struct Variation {
    client: Arc<Client>,
    asks: Vec<(Ask, Context)>,
}

impl Variation {
    pub(super) fn new(flags: usize) -> Self {
        let client = client(flag_names(flags).map(|name| rollout(&name, SHARE).unwrap()));
        let asks = asks(flags).into_iter().map(|ask| {
            let context = context(&ask.key);
            (ask, context)
        });
        Self { client, asks: asks.collect() }
    }
}

impl Subject for Variation {
    fn worker(&self) -> Worker<'_> {
        in_turn(&self.asks, |(ask, context)| self.client.bool_variation(context, &ask.flag, false))
    }
}

/// Shares of a rollout in a flag's fallthrough, in thousandths of a percent.
pub(super) struct LaunchDarkly;

impl Shares for LaunchDarkly {
    fn name(&self) -> &'static str {
        "launchdarkly-server-sdk"
    }

    fn flag(&self, name: &str, percent: f64) -> Taken<Flag> {
        if percent.is_nan() {
            return Taken::CannotBeWritten;
        }
        let Some(flag) = rollout(name, percent) else { return Taken::Refused };
        let (client, name) = (client([flag]), name.to_owned());
        Taken::As(Box::new(move |key| client.bool_variation(&context(key), &name, false)))
    }
}
