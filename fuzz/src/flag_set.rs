//! `FlagConfig`, read from JSON, and the `FlagSet` that is built of it.

use std::sync::Arc;

use cutover::flag::{FlagSetError, Rule};
use cutover::random::RandomSource;
use cutover::{BucketKey, Decision, FlagConfig, FlagSet};
use serde_json::Value;

use super::refusal::check_texts;

/// How many flags of a set are asked.
const ASKED: usize = 20;
/// The longest name of a flag, in bytes.
const LONGEST_NAME: usize = 64;

/// Reads `input`, and checks what holds for whatever it is.
pub fn check(input: &[u8]) {
    let config: FlagConfig = match serde_json::from_slice(input) {
        Ok(config) => config,
        Err(error) => return check_texts(&error, input),
    };
    match set(config) {
        Ok(flags) => check_set(&flags, input),
        Err(error) => check_texts(&error, input),
    }
}

fn set(config: FlagConfig) -> Result<FlagSet, FlagSetError> {
    FlagSet::builder().layer("config", config).random_source(Arc::new(Half)).build()
}

fn check_set(flags: &FlagSet, input: &[u8]) {
    let names = flags.names();
    let asked = names.get(..ASKED).unwrap_or(&names);
    let before = decisions(flags, asked, input);
    check_same_after_writing(asked, &before, input);
    for name in asked {
        assert!(is_name(name), "{name:?}");
        check_explanation(flags, name);
        flags.switch_off(name).expect("it is there");
        assert!(keys(input).all(|key| flags.decide(name, key).is_ok_and(|decision| !decision.enabled)));
        flags.restore(name).expect("it is there");
    }
    assert_eq!(decisions(flags, asked, input), before, "after switching off and on");
    flags.replace("config", FlagConfig::new()).expect("no flags fit together");
    assert_eq!(flags.names(), Vec::<String>::new());
}

fn decisions(flags: &FlagSet, names: &[String], input: &[u8]) -> Vec<Decision> {
    names.iter().flat_map(|name| keys(input).map(|key| decide(flags, name, key))).collect()
}

/// The decision, which does not contradict the flag.
fn decide(flags: &FlagSet, name: &str, key: BucketKey<'_>) -> Decision {
    let decision = flags.decide(name, key).expect("it is there");
    assert_eq!(flags.is_enabled(name, key).ok(), Some(decision.enabled));
    let flag = flags.get(name).expect("it is there");
    assert_eq!((flag.name(), flag.share()), (name, decision.threshold));
    assert_eq!(flag.decide(key), decision);
    assert_eq!(flag.is_killed(), decision.rule == Rule::KillSwitch);
    match decision.rule {
        Rule::KillSwitch | Rule::DenyList | Rule::Requires => assert!(!decision.enabled),
        Rule::AllowList => assert!(decision.enabled),
        Rule::Percentage => {
            let inside = decision.bucket.map(|bucket| decision.threshold.contains(bucket));
            assert_eq!(Some(decision.enabled), inside);
        }
        Rule::MissingKey | _ => assert!(matches!(key, BucketKey::Missing)),
    }
    decision
}

/// The same configuration in the order and the spelling of another writer decides the same.
fn check_same_after_writing(names: &[String], before: &[Decision], input: &[u8]) {
    let value: Value = serde_json::from_slice(input).expect("it was read as flags");
    let written = serde_json::to_vec(&value).expect("a value can be written");
    let config = serde_json::from_slice(&written).expect("what was written can be read");
    let flags = set(config).expect("it was a set before");
    assert_eq!(decisions(&flags, names, input), before);
}

/// The explanation counts salts and listed keys, and shows none.
fn check_explanation(flags: &FlagSet, name: &str) {
    let explanation = flags.explain(name).expect("it is there");
    for explained in &explanation.properties {
        assert!(explained.layer.as_deref().is_none_or(|layer| layer == "config"));
        let shown = match explained.property {
            "salt" => ["the name", "its own"].contains(&explained.value.as_str()),
            "allow" | "deny" => {
                explained.value == "none" || explained.value.ends_with("key") || explained.value.ends_with("keys")
            }
            _ => true,
        };
        assert!(shown, "{explanation}");
    }
}

fn keys(input: &[u8]) -> impl Iterator<Item = BucketKey<'_>> {
    let number = u64::try_from(input.len()).unwrap_or(u64::MAX);
    [
        BucketKey::Str("user-17"),
        BucketKey::Bytes(input.get(..LONGEST_NAME).unwrap_or(input)),
        BucketKey::U64(number),
        BucketKey::U128(17),
        BucketKey::Uuid([0x11; 16]),
        BucketKey::Missing,
    ]
    .into_iter()
}

/// `[a-z0-9][a-z0-9._-]{0,63}`
fn is_name(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    name.len() <= LONGEST_NAME && name.starts_with(plain) && name.chars().all(|c| plain(c) || "._-".contains(c))
}

/// Draws the middle, always.
#[derive(Debug)]
struct Half;

impl RandomSource for Half {
    fn next_u64(&self) -> u64 {
        1 << 63
    }
}
