//! The engine of Unleash's clients.

use std::collections::HashMap;

use unleash_types::client_features::{ClientFeature, ClientFeatures, Context, Strategy};
use unleash_yggdrasil::{EngineState, UpdateMessage};

use super::SHARE;
use super::shares::{Flag, Shares, Taken};
use crate::traffic::{Ask, asks, flag_names, in_turn};
use crate::{Subject, Worker};

/// An engine that knows `flags`, and what it said about them.
fn engine(flags: impl IntoIterator<Item = ClientFeature>) -> (EngineState, usize) {
    let engine = EngineState::default();
    let features =
        ClientFeatures { version: 2, features: flags.into_iter().collect(), segments: None, query: None, meta: None };
    let warnings = engine.take_state(UpdateMessage::FullResponse(features));
    (engine, warnings.map_or(0, |warnings| warnings.len()))
}

fn rollout(name: String, percent: &str) -> ClientFeature {
    let parameters = [("rollout", percent), ("stickiness", "userId"), ("groupId", name.as_str())];
    let parameters = parameters.map(|(key, value)| (key.to_owned(), value.to_owned()));
    let strategy = Strategy {
        name: "flexibleRollout".to_owned(),
        parameters: Some(HashMap::from(parameters)),
        sort_order: None,
        segments: None,
        constraints: None,
        variants: None,
    };
    ClientFeature { name, enabled: true, strategies: Some(vec![strategy]), ..ClientFeature::default() }
}

fn context(key: &str) -> Context {
    Context { user_id: Some(key.to_owned()), ..Context::default() }
}

pub(super) struct Engine {
    engine: EngineState,
    asks: Vec<(Ask, Context)>,
}

impl Engine {
    pub(super) fn new(flags: usize) -> Self {
        let (engine, warnings) = engine(flag_names(flags).map(|name| rollout(name, &SHARE.to_string())));
        assert_eq!(warnings, 0);
        let asks = asks(flags).into_iter().map(|ask| {
            let context = context(&ask.key);
            (ask, context)
        });
        Self { engine, asks: asks.collect() }
    }
}

impl Subject for Engine {
    fn worker(&self) -> Worker<'_> {
        in_turn(&self.asks, |(ask, context)| self.engine.is_enabled(&ask.flag, context, &None))
    }
}

/// Shares of the strategy `flexibleRollout`, whose parameters are text.
pub(super) struct Unleash;

impl Shares for Unleash {
    fn name(&self) -> &'static str {
        "unleash-yggdrasil"
    }

    fn flag(&self, name: &str, percent: f64) -> Taken<Flag> {
        let (engine, warnings) = engine([rollout(name.to_owned(), &percent.to_string())]);
        if warnings > 0 {
            return Taken::Refused;
        }
        let name = name.to_owned();
        Taken::As(Box::new(move |key| engine.is_enabled(&name, &context(key), &None)))
    }
}
