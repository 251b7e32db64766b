//! Flags: is this one on for this user?

mod feature_flag;
mod floor;
mod growthbook;
mod launchdarkly;
mod open_feature;
mod ours;
mod samplers;
mod shares;
mod unleash;

pub(crate) use launchdarkly::client as launchdarkly_client;
pub use shares::{Flag, Share, Shares, Taken, all as all_shares};

use crate::Guarantee::{AllocationFree, ExactEnds, Fractions, RefusesNonsense, Uncorrelated};
use crate::{Comparison, Entry};

/// The share of every flag that is measured, in percent.
const SHARE: f64 = 25.0;

const ABOUT: &str = "Each call asks by name for one flag at 25 %, for one of 1,024 user ids of 16 bytes in turn. What a crate calls \
    its context or subject was built before, which favours those that have one. The floor is one keyed SipHash-1-3 of the id.";

/// One flag is known.
#[must_use]
pub fn one_flag() -> Comparison {
    let mut entries = rows(1);
    let alone = Entry::ours("`FeatureFlag::is_enabled`", ours::Alone::new);
    entries.insert(2, alone.with(OURS).note("no lookup by name"));
    Comparison { id: "flags-1", title: "Flag evaluation, 1 flag", about: ABOUT, entries }
}

/// Ten thousand flags are known.
#[must_use]
pub fn many_flags() -> Comparison {
    Comparison { id: "flags-10000", title: "Flag evaluation, 10,000 flags", about: ABOUT, entries: rows(10_000) }
}

const OURS: &[crate::Guarantee] = &[AllocationFree, ExactEnds, RefusesNonsense, Fractions, Uncorrelated];

fn rows(flags: usize) -> Vec<Entry> {
    vec![
        Entry::floor("bare SipHash-1-3", floor::Hash::new).with(&[AllocationFree]),
        Entry::ours("`FlagSet::is_enabled`", move || ours::Set::new(flags)).with(OURS),
        Entry::peer("client, `bool_variation`", "launchdarkly-server-sdk", move || launchdarkly::Variation::new(flags))
            .with(&[Fractions, Uncorrelated])
            .note("test data, no event processor; an event of each evaluation is still built"),
        Entry::peer("`EngineState::is_enabled`", "unleash-yggdrasil", move || unleash::Engine::new(flags))
            .with(&[ExactEnds, Uncorrelated])
            .note("`flexibleRollout`; not counted in its metrics"),
        Entry::peer("client, `is_on`", "growthbook-rust", move || growthbook::Client::new(flags))
            .with(&[ExactEnds, Fractions, Uncorrelated])
            .note("hash version 2; takes the attributes by value, and copies all flags in each call"),
        Entry::peer("`FlagEvaluator::evaluate`", "feature-flag", move || feature_flag::Evaluator::new(flags))
            .with(&[ExactEnds, RefusesNonsense, Uncorrelated])
            .note("looks for the name from the first flag to the last"),
        Entry::peer("client, `get_bool_value`", "open-feature", move || open_feature::Facade::new(flags))
            .note("around a provider that always says true: nothing is evaluated"),
    ]
}
