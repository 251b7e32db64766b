//! From layers of configuration to flags.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::config::{FlagConfig, FlagEntry, ListedKey, Spelling};
use super::error::FlagSetError;
use super::feature::FeatureFlag;
use super::keys::forms;
use super::names::ByName;
use crate::excerpt::excerpt;
use crate::random::RandomSource;

/// A named source. Of two that set the same property, the later one counts.
#[derive(Clone)]
pub(super) struct Layer {
    pub(super) name: String,
    pub(super) config: Arc<FlagConfig>,
}

/// The name under which [`FlagSet::switch_off`](super::FlagSet::switch_off) appears in explanations.
pub(super) const OVERRIDE: &str = "override";

/// How many flags one may require, those that they require included: each is asked on every call.
const MAX_REQUIRED: usize = 100;

/// What all layers say, by flag.
pub(super) struct Stacks<'a>(BTreeMap<&'a str, Stack<'a>>);

/// What the layers say about one flag, lowest first.
#[derive(Default)]
pub(super) struct Stack<'a>(Vec<(&'a str, &'a FlagEntry)>);

impl<'a> Stack<'a> {
    /// The property that `pick` looks for, from the highest layer that sets it, with that layer's name.
    pub(super) fn top<T>(&self, pick: impl Fn(&'a FlagEntry) -> Option<T>) -> Option<(&'a str, T)> {
        self.0.iter().rev().find_map(|(layer, entry)| Some((*layer, pick(entry)?)))
    }

    fn value<T>(&self, pick: impl Fn(&'a FlagEntry) -> Option<T>) -> Option<T> {
        self.top(pick).map(|(_, value)| value)
    }

    fn requires(&self) -> &'a [String] {
        self.value(|entry| entry.requires.as_deref()).unwrap_or_default()
    }

    /// The flag without what it requires.
    fn flag(&self, name: &str, random: &Arc<dyn RandomSource>) -> FeatureFlag {
        let keys = |listed: Option<&'a Vec<ListedKey>>| listed.into_iter().flatten().flat_map(|key| forms(&key.0));
        let mut flag = FeatureFlag::new(name)
            .rollout(self.value(|entry| entry.rollout).unwrap_or_default())
            .missing_key(self.value(|entry| entry.missing_key).unwrap_or_default())
            .shadow_share(self.value(|entry| entry.shadow_share).unwrap_or_default())
            .allow(keys(self.value(|entry| entry.allow.as_ref())))
            .deny(keys(self.value(|entry| entry.deny.as_ref())))
            .random_source(Arc::clone(random));
        if let Some(salt) = self.value(|entry| entry.salt.as_deref()) {
            flag = flag.salt(salt);
        }
        if self.value(|entry| entry.kill) == Some(true) { flag.kill() } else { flag }
    }
}

impl<'a> Stacks<'a> {
    pub(super) fn new(layers: &'a [Layer]) -> Result<Self, FlagSetError> {
        let spellings = spellings(layers);
        let mut stacks: BTreeMap<&str, Stack<'_>> = BTreeMap::new();
        for Layer { name: layer, config } in layers {
            for (written, entry) in &config.entries {
                let name = match config.spelling {
                    Spelling::Exact => written,
                    Spelling::Loose => meant(written, &spellings)?,
                };
                stacks.entry(name).or_default().0.push((layer, entry));
            }
        }
        Ok(Self(stacks))
    }

    pub(super) fn get(&self, name: &str) -> Option<&Stack<'a>> {
        self.0.get(name)
    }

    /// The flags by name, or the first reason why there can be none.
    pub(super) fn flags(
        &self,
        switched_off: &BTreeSet<String>,
        random: &Arc<dyn RandomSource>,
    ) -> Result<ByName, FlagSetError> {
        let mut flags: HashMap<&str, FeatureFlag> = HashMap::with_capacity(self.0.len());
        for (name, stack) in self.required_first()? {
            let mut flag = stack.flag(name, random);
            if switched_off.contains(name) {
                flag = flag.kill();
            }
            flag = flag.requires(stack.requires().iter().filter_map(|required| flags.get(required.as_str())));
            let count = flag.required().len();
            if count > MAX_REQUIRED {
                return Err(FlagSetError::TooManyRequirements { flag: name.to_owned(), count, max: MAX_REQUIRED });
            }
            flags.insert(name, flag);
        }
        Ok(ByName::new(flags))
    }

    /// The flags in an order in which each stands after those that it requires (Kahn, *Topological sorting of large
    /// networks*, 1962).
    fn required_first(&self) -> Result<Vec<(&'a str, &Stack<'a>)>, FlagSetError> {
        let mut required_by: HashMap<&str, Vec<&str>> = HashMap::new();
        let mut waiting: BTreeMap<&str, usize> = BTreeMap::new();
        for (flag, stack) in &self.0 {
            for required in stack.requires() {
                self.check_known(flag, required)?;
                required_by.entry(required).or_default().push(flag);
            }
            waiting.insert(flag, stack.requires().len());
        }
        let mut ready: Vec<&str> = waiting.iter().filter(|(_, count)| **count == 0).map(|(name, _)| *name).collect();
        let mut ordered = Vec::with_capacity(self.0.len());
        while let Some(name) = ready.pop() {
            waiting.remove(name);
            ordered.extend(self.0.get_key_value(name).map(|(name, stack)| (*name, stack)));
            for flag in required_by.remove(name).unwrap_or_default() {
                if let Some(count) = waiting.get_mut(flag) {
                    *count -= 1;
                    if *count == 0 {
                        ready.push(flag);
                    }
                }
            }
        }
        if waiting.is_empty() { Ok(ordered) } else { Err(self.cycle_among(&waiting)) }
    }

    fn check_known(&self, flag: &str, required: &str) -> Result<(), FlagSetError> {
        if self.0.contains_key(required) {
            return Ok(());
        }
        Err(FlagSetError::UnknownRequirement { flag: flag.to_owned(), required: excerpt(required) })
    }

    /// Follows requirements among flags that wait for each other until one comes up again.
    fn cycle_among(&self, waiting: &BTreeMap<&str, usize>) -> FlagSetError {
        let next = |name: &str| self.0.get(name)?.requires().iter().find(|flag| waiting.contains_key(flag.as_str()));
        let mut path: Vec<&str> = waiting.keys().take(1).copied().collect();
        while let Some(required) = path.last().and_then(|name| next(name)) {
            let seen = path.iter().position(|name| name == required);
            path.push(required);
            if let Some(start) = seen {
                path.drain(..start);
                break;
            }
        }
        FlagSetError::Cycle { path: path.into_iter().map(str::to_owned).collect() }
    }
}

/// The exact names by how a variable of the environment spells them.
fn spellings(layers: &[Layer]) -> HashMap<String, BTreeSet<&String>> {
    let mut spellings: HashMap<String, BTreeSet<&String>> = HashMap::new();
    if layers.iter().any(|layer| layer.config.spelling == Spelling::Loose) {
        let exact = layers.iter().filter(|layer| layer.config.spelling == Spelling::Exact);
        for name in exact.flat_map(|layer| layer.config.entries.keys()) {
            spellings.entry(spelled(name)).or_default().insert(name);
        }
    }
    spellings
}

fn spelled(name: &str) -> String {
    name.replace(['-', '.'], "_")
}

/// The flag that a loosely written name means: the only one that is spelled so, or itself.
fn meant<'a>(
    written: &'a String,
    spellings: &HashMap<String, BTreeSet<&'a String>>,
) -> Result<&'a String, FlagSetError> {
    let Some(names) = spellings.get(&spelled(written)) else { return Ok(written) };
    match names.iter().copied().collect::<Vec<_>>().as_slice() {
        [name] => Ok(name),
        several => Err(FlagSetError::AmbiguousName {
            spelling: written.clone(),
            candidates: several.iter().map(|name| (*name).clone()).collect(),
        }),
    }
}
