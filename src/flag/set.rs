//! [`FlagSet`]: many flags from layers of configuration, replaced while they are read.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::thread::LocalKey;

use serde::{Deserialize, Deserializer};

use super::config::FlagConfig;
use super::decision::Decision;
use super::error::{FlagSetError, UnknownFlag};
use super::explain::Explanation;
use super::feature::FeatureFlag;
use super::layers::{Layer, OVERRIDE, Stacks};
use super::names::ByName;
use crate::bucket::BucketKey;
use crate::live::{Cache, Cacheable, Live};
use crate::mode::SystemMode;
use crate::outcome::Side;
use crate::random::{RandomSource, SystemRandom};
use crate::route::{Route, Router};

/// Many flags by name: a shared handle, cheap to clone.
///
/// Flags come from named layers. A later layer overrides an earlier one property by property (a list as a whole);
/// [`explain`](Self::explain) says which layer set what. [`replace`](Self::replace) swaps a layer while readers go on:
/// each call sees one whole configuration, and layers that do not fit together change nothing.
///
/// ```
/// use cutover::{FlagConfig, FlagSet};
///
/// let flags = FlagSet::builder()
///     .layer("file", serde_json::from_str(r#"{ "new-search": 10, "new-cart": { "rollout": 100 } }"#)?)
///     .layer("store", FlagConfig::new())
///     .build()?;
/// assert!(flags.is_enabled("new-cart", "user-17")?);
///
/// flags.replace("store", serde_json::from_str(r#"{ "new-search": 100 }"#)?)?;
/// assert!(flags.is_enabled("new-search", "user-17")?);
/// assert_eq!(flags.explain("new-search")?.layer_of("rollout"), Some("store"));
///
/// flags.switch_off("new-cart")?;
/// assert!(!flags.is_enabled("new-cart", "user-17")?);
/// assert!(flags.is_enabled("no-such-flag", "user-17").is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct FlagSet {
    live: Arc<Live<Snapshot>>,
}

impl FlagSet {
    /// A set with one layer, named `config`.
    ///
    /// # Errors
    /// [`FlagSetError`] when a flag requires an unknown one, itself, or too many.
    pub fn new(config: FlagConfig) -> Result<Self, FlagSetError> {
        Self::builder().layer("config", config).build()
    }

    /// A set of several layers.
    #[must_use]
    pub fn builder() -> FlagSetBuilder {
        FlagSetBuilder { layers: Vec::new(), random: Arc::new(SystemRandom) }
    }

    /// Whether the flag `name` is on for `key`. Costs two hashes, of the name and of the key; no lock, no allocation.
    ///
    /// # Errors
    /// [`UnknownFlag`] when no layer has it.
    #[expect(clippy::inline_always, reason = "the kind of key is known where it is called, and nowhere else")]
    #[inline(always)]
    pub fn is_enabled<'a>(&self, name: &str, key: impl Into<BucketKey<'a>>) -> Result<bool, UnknownFlag> {
        let key = key.into();
        match self.at_hand(name, key) {
            Some(decision) => Ok(decision.enabled),
            None => self.look(name, move |flag| flag.is_enabled(key)),
        }
    }

    /// As [`is_enabled`](Self::is_enabled), with the rule that decided and its numbers.
    ///
    /// # Errors
    /// [`UnknownFlag`] when no layer has it.
    #[expect(clippy::inline_always, reason = "the kind of key is known where it is called, and nowhere else")]
    #[inline(always)]
    pub fn decide<'a>(&self, name: &str, key: impl Into<BucketKey<'a>>) -> Result<Decision, UnknownFlag> {
        let key = key.into();
        match self.at_hand(name, key) {
            Some(decision) => Ok(decision),
            None => self.look(name, move |flag| flag.decide(key)),
        }
    }

    /// The flag as it is now, with all that it requires. It does not follow later changes.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<FeatureFlag> {
        self.look(name, FeatureFlag::clone).ok()
    }

    /// A router that asks the flag `name` anew on every call. Once the flag has vanished, legacy serves alone.
    ///
    /// # Errors
    /// [`UnknownFlag`] when no layer has it now.
    pub fn router(&self, name: &str) -> Result<FlagRouter, UnknownFlag> {
        self.look(name, |_| ())?;
        Ok(FlagRouter { flags: self.clone(), name: name.into() })
    }

    /// The names of all flags, sorted.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.live.get().flags.names().map(str::to_owned).collect();
        names.sort_unstable();
        names
    }

    /// The names of the layers, lowest first.
    #[must_use]
    pub fn layers(&self) -> Vec<String> {
        self.live.get().layer_names()
    }

    /// What the flag `name` is set to, and by which layer.
    ///
    /// # Errors
    /// [`UnknownFlag`] when no layer has it.
    pub fn explain(&self, name: &str) -> Result<Explanation, UnknownFlag> {
        let now = self.live.get();
        let stacks = Stacks::new(&now.layers).map_err(|_| UnknownFlag::new(name))?;
        let stack = stacks.get(name).ok_or_else(|| UnknownFlag::new(name))?;
        Ok(Explanation::of(name, stack, now.switched_off.contains(name)))
    }

    /// Puts `config` in the place of a layer's content, for all handles and routers of this set at once.
    ///
    /// # Errors
    /// [`FlagSetError`] when there is no such layer or the layers no longer fit together; then nothing has changed.
    pub fn replace(&self, layer: &str, config: FlagConfig) -> Result<(), FlagSetError> {
        let config = Arc::new(config);
        self.live.update(|now| {
            let mut layers = now.layers.clone();
            let unknown = || FlagSetError::UnknownLayer { layer: layer.to_owned(), known: now.layer_names() };
            layers.iter_mut().find(|known| known.name == layer).ok_or_else(unknown)?.config = Arc::clone(&config);
            Snapshot::new(layers, now.switched_off.clone(), Arc::clone(&now.random))
        })
    }

    /// Turns the kill switch of one flag on and keeps the rest. It outranks every layer and survives their replacement,
    /// until [`restore`](Self::restore).
    ///
    /// # Errors
    /// [`UnknownFlag`] when no layer has it.
    pub fn switch_off(&self, name: &str) -> Result<(), UnknownFlag> {
        self.override_switch(name, |now, switched_off| {
            let known = now.flags.contains(name);
            if known {
                switched_off.insert(name.to_owned());
            }
            known
        })
    }

    /// Takes [`switch_off`](Self::switch_off) back, so that the layers decide again. No effect on a flag that is not
    /// switched off.
    ///
    /// # Errors
    /// [`UnknownFlag`] when no layer has it and it was not switched off.
    pub fn restore(&self, name: &str) -> Result<(), UnknownFlag> {
        self.override_switch(name, |now, switched_off| switched_off.remove(name) || now.flags.contains(name))
    }

    fn override_switch(
        &self,
        name: &str,
        change: impl FnOnce(&Snapshot, &mut BTreeSet<String>) -> bool,
    ) -> Result<(), UnknownFlag> {
        self.live.update(|now| {
            let mut switched_off = now.switched_off.clone();
            if !change(now, &mut switched_off) {
                return Err(UnknownFlag::new(name));
            }
            let layers = now.layers.clone();
            Snapshot::new(layers, switched_off, Arc::clone(&now.random)).map_err(|_| UnknownFlag::new(name))
        })
    }

    /// The decision, when this thread has the configuration at hand and the flag has nothing but a percentage.
    #[expect(clippy::inline_always, reason = "the kind of key is known where it is called, and nowhere else")]
    #[inline(always)]
    fn at_hand(&self, name: &str, key: BucketKey<'_>) -> Option<Decision> {
        self.live.peek(|now| now.flags.gist(name))??.decide(key)
    }

    #[inline(never)]
    fn look<R>(&self, name: &str, ask: impl Fn(&FeatureFlag) -> R) -> Result<R, UnknownFlag> {
        self.live.read(|now| now.flags.get(name).map(&ask)).ok_or_else(|| UnknownFlag::new(name))
    }
}

/// Reads one configuration, as [`FlagSet::new`] takes it.
impl<'de> Deserialize<'de> for FlagSet {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(FlagConfig::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

/// Names and numbers alone: salts tell who is in, listed keys are people.
impl fmt::Debug for FlagSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let now = self.live.get();
        f.debug_struct("FlagSet")
            .field("layers", &now.layer_names())
            .field("flags", &now.flags.names().len())
            .field("switched_off", &now.switched_off)
            .finish_non_exhaustive()
    }
}

/// Puts a [`FlagSet`] together.
pub struct FlagSetBuilder {
    layers: Vec<Layer>,
    random: Arc<dyn RandomSource>,
}

impl FlagSetBuilder {
    /// Adds a layer above those that are there. The order of calls is the precedence: the last one wins.
    #[must_use]
    pub fn layer(mut self, name: impl Into<String>, config: FlagConfig) -> Self {
        self.layers.push(Layer { name: name.into(), config: Arc::new(config) });
        self
    }

    /// Where flags with [`MissingKey::Random`](crate::MissingKey::Random) draw from (default [`SystemRandom`]).
    #[must_use]
    pub fn random_source(mut self, random: Arc<dyn RandomSource>) -> Self {
        self.random = random;
        self
    }

    /// The set.
    ///
    /// # Errors
    /// [`FlagSetError`] when two layers share a name, one is named `override`, or the layers do not fit together.
    pub fn build(self) -> Result<FlagSet, FlagSetError> {
        let mut taken = BTreeSet::from([OVERRIDE]);
        if let Some(twice) = self.layers.iter().find(|layer| !taken.insert(&layer.name)) {
            return Err(FlagSetError::LayerNameTaken { layer: twice.name.clone() });
        }
        let snapshot = Snapshot::new(self.layers, BTreeSet::new(), self.random)?;
        Ok(FlagSet { live: Arc::new(Live::new(snapshot)) })
    }
}

impl fmt::Debug for FlagSetBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let layers: Vec<_> = self.layers.iter().map(|layer| &layer.name).collect();
        f.debug_struct("FlagSetBuilder").field("layers", &layers).finish_non_exhaustive()
    }
}

/// One flag of a [`FlagSet`] as a [`Router`]: it follows every change of the set.
#[derive(Clone)]
pub struct FlagRouter {
    flags: FlagSet,
    name: Arc<str>,
}

impl FlagRouter {
    /// The name of the flag.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl Router for FlagRouter {
    #[inline]
    fn route(&self, key: BucketKey<'_>) -> Route {
        let vanished = Route::new(SystemMode::LegacyOnly, Side::Legacy);
        self.flags.live.read(|now| now.flags.get(&self.name).map_or(vanished, |flag| flag.route(key)))
    }
}

impl fmt::Debug for FlagRouter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FlagRouter").field("name", &self.name).finish_non_exhaustive()
    }
}

/// One whole configuration: what was read, and the flags made of it.
struct Snapshot {
    layers: Vec<Layer>,
    switched_off: BTreeSet<String>,
    random: Arc<dyn RandomSource>,
    flags: ByName,
}

impl Cacheable for Snapshot {
    #[inline]
    fn cache() -> &'static LocalKey<Cache<Self>> {
        thread_local!(static CACHE: Cache<Snapshot> = const { Cache::new() });
        &CACHE
    }
}

impl Snapshot {
    fn new(
        layers: Vec<Layer>,
        switched_off: BTreeSet<String>,
        random: Arc<dyn RandomSource>,
    ) -> Result<Self, FlagSetError> {
        let flags = Stacks::new(&layers)?.flags(&switched_off, &random)?;
        Ok(Self { layers, switched_off, random, flags })
    }

    fn layer_names(&self) -> Vec<String> {
        self.layers.iter().map(|layer| layer.name.clone()).collect()
    }
}
