//! The crate `feature-flag`.

use feature_flag::{FlagEvaluator, FlagSet, Subject as User};
use serde_json::{Value, json};

use super::SHARE;
use super::shares::{Flag, Shares, Taken};
use crate::traffic::{Ask, asks, flag_names, in_turn};
use crate::{Subject, Worker};

fn evaluator(flags: impl IntoIterator<Item = Value>) -> Option<FlagEvaluator> {
    let flags = json!({ "flags": flags.into_iter().collect::<Vec<_>>() });
    Some(FlagEvaluator::new(FlagSet::from_json(&flags.to_string()).ok()?))
}

fn rollout(name: &str, percent: f64) -> Value {
    let weights = json!([
        { "variant": "on", "weight": number(percent) },
        { "variant": "off", "weight": number(100.0 - percent) },
    ]);
    let rule =
        json!({ "id": "all", "when": { "kind": "always" }, "outcome": { "kind": "rollout", "variants": weights } });
    json!({ "id": name, "variants": ["on", "off"], "default_variant": "off", "rules": [rule] })
}

/// JSON without a point where there is nothing behind it.
#[expect(clippy::cast_possible_truncation, reason = "whole numbers of percent are small")]
fn number(value: f64) -> Value {
    if value.fract() == 0.0 { json!(value as i64) } else { json!(value) }
}

pub(super) struct Evaluator {
    evaluator: FlagEvaluator,
    asks: Vec<(Ask, User)>,
}

impl Evaluator {
    pub(super) fn new(flags: usize) -> Self {
        let evaluator = evaluator(flag_names(flags).map(|name| rollout(&name, SHARE))).unwrap();
        let asks = asks(flags).into_iter().map(|ask| {
            let user = User::new(ask.key.as_str());
            (ask, user)
        });
        Self { evaluator, asks: asks.collect() }
    }
}

impl Subject for Evaluator {
    fn worker(&self) -> Worker<'_> {
        in_turn(&self.asks, |(ask, user)| {
            self.evaluator.evaluate(&ask.flag, user).is_ok_and(|found| found.variant == "on")
        })
    }
}

/// Weights of variants, whole numbers that add up to 100.
pub(super) struct FeatureFlag;

impl Shares for FeatureFlag {
    fn name(&self) -> &'static str {
        "feature-flag"
    }

    fn flag(&self, name: &str, percent: f64) -> Taken<Flag> {
        if percent.is_nan() {
            return Taken::CannotBeWritten;
        }
        let Some(evaluator) = evaluator([rollout(name, percent)]) else { return Taken::Refused };
        let name = name.to_owned();
        Taken::As(Box::new(move |key| evaluator.variant_or(&name, &User::new(key), "off") == "on"))
    }
}
