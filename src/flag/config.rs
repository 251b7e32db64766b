//! [`FlagConfig`]: what one source says about flags.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, Deserializer, IntoDeserializer, MapAccess, Unexpected, Visitor};

use super::error::FlagConfigError;
use crate::excerpt::brief;
use crate::{MissingKey, Percentage};

/// What one source (a file, the environment, a store) says about flags, read from any serde format.
///
/// It is a map from names to a rollout, or to a table of properties. Names are `a-z`, `0-9`, `.`, `_` and `-`, up to 64.
/// Unknown properties, doubled names and values that are no share are errors.
///
/// | property | value | default |
/// |---|---|---|
/// | `rollout` | `12.5`, `"12.5%"`, `true`, `false` | 0 % |
/// | `salt` | text | the flag's name |
/// | `kill` | `true`, `false` | `false` |
/// | `allow`, `deny` | list of texts and integers | none |
/// | `requires` | list of flags | none |
/// | `missing_key` | `legacy`, `random` | `legacy` |
/// | `shadow_share` | as `rollout` | 0 % |
///
/// A number is percent, never a fraction: `0.25` is a quarter of a percent, and `1` is one percent. In YAML, `yes` and
/// `on` are `true`, which is 100 %, for a reader that follows YAML 1.1; for one that follows YAML 1.2 they are texts,
/// which are refused. `true` means the same to both.
///
/// A file cannot know how the host passes an identity, so an entry of `allow` or `deny` is meant in every form: `17` and
/// `"17"` are both the text and the integer, and the text of a UUID is the UUID too.
///
/// ```
/// use cutover::{FlagConfig, FlagSet};
///
/// let config: FlagConfig = serde_json::from_str(r#"{
///     "new-search": "12.5%",
///     "new-cart": { "rollout": 50, "deny": [4711], "requires": ["new-search"] }
/// }"#)?;
/// let flags = FlagSet::new(config)?;
/// assert!(!flags.is_enabled("new-cart", 4711_u64)?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Default)]
pub struct FlagConfig {
    pub(super) entries: BTreeMap<String, FlagEntry>,
    pub(super) spelling: Spelling,
}

impl FlagConfig {
    /// A source that says nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the rollout of one flag and leaves its other properties to other sources.
    ///
    /// # Errors
    /// [`FlagConfigError::InvalidName`] for what is no name of a flag.
    ///
    /// ```
    /// use cutover::{FlagConfig, FlagSet, Percentage};
    /// let flags = FlagSet::new(FlagConfig::new().with_rollout("new-search", Percentage::HUNDRED)?)?;
    /// assert!(flags.is_enabled("new-search", "user-17")?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn with_rollout(mut self, name: &str, share: Percentage) -> Result<Self, FlagConfigError> {
        self.entry(name)?.rollout = Some(share);
        Ok(self)
    }

    /// What this source says about `name`, to be filled in.
    pub(super) fn entry(&mut self, name: &str) -> Result<&mut FlagEntry, FlagConfigError> {
        if !is_name(name) {
            return Err(FlagConfigError::invalid_name(name));
        }
        Ok(self.entries.entry(name.to_owned()).or_default())
    }
}

/// The names alone: salts tell who is in, listed keys are people.
impl fmt::Debug for FlagConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FlagConfig")
            .field("flags", &self.entries.keys().collect::<Vec<_>>())
            .field("spelling", &self.spelling)
            .finish()
    }
}

/// How the names of a source are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Spelling {
    /// As they are.
    #[default]
    Exact,
    /// `_` may also stand for `-` or `.`, which environment variables cannot hold.
    Loose,
}

/// The properties of one flag, as far as one source sets them.
#[derive(Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct FlagEntry {
    #[serde(deserialize_with = "set")]
    pub(super) rollout: Option<Percentage>,
    #[serde(deserialize_with = "set")]
    pub(super) salt: Option<String>,
    #[serde(deserialize_with = "set")]
    pub(super) kill: Option<bool>,
    #[serde(deserialize_with = "set")]
    pub(super) allow: Option<Vec<ListedKey>>,
    #[serde(deserialize_with = "set")]
    pub(super) deny: Option<Vec<ListedKey>>,
    #[serde(deserialize_with = "set")]
    pub(super) requires: Option<Vec<String>>,
    #[serde(deserialize_with = "set")]
    pub(super) missing_key: Option<MissingKey>,
    #[serde(deserialize_with = "set")]
    pub(super) shadow_share: Option<Percentage>,
}

/// A property that is named must have a value: `rollout: null` is an error and not the default.
fn set<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// `[a-z0-9][a-z0-9._-]{0,63}`
fn is_name(text: &str) -> bool {
    let plain = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let starts_well = text.as_bytes().first().is_some_and(plain);
    starts_well && text.len() <= 64 && text.bytes().all(|byte| plain(&byte) || b"._-".contains(&byte))
}

impl<'de> Deserialize<'de> for FlagConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // `deserialize_map` would let a YAML reader take an empty file for a map without flags.
        deserializer.deserialize_any(ConfigVisitor)
    }
}

struct ConfigVisitor;

impl<'de> Visitor<'de> for ConfigVisitor {
    type Value = FlagConfig;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map from names of flags to their rollout or properties")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<FlagConfig, A::Error> {
        let mut config = FlagConfig::default();
        while let Some(name) = map.next_key::<String>()? {
            if config.entries.contains_key(&name) {
                return Err(de::Error::custom(format_args!("flag `{name}` stands there twice")));
            }
            let entry = config.entry(&name).map_err(de::Error::custom)?;
            *entry = map.next_value_seed(EntryOf(&name))?;
        }
        Ok(config)
    }

    /// What is no map may be any text, such as another file's: it is not repeated.
    fn visit_str<E: de::Error>(self, _text: &str) -> Result<FlagConfig, E> {
        Err(E::invalid_type(Unexpected::Other("a text"), &self))
    }
}

/// Reads what stands behind the name of a flag. The name goes into the error.
struct EntryOf<'a>(&'a str);

impl<'de> de::DeserializeSeed<'de> for EntryOf<'_> {
    type Value = FlagEntry;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<FlagEntry, D::Error> {
        deserializer
            .deserialize_any(EntryVisitor)
            .map_err(|error| de::Error::custom(format_args!("flag `{}`: {}", self.0, brief(&error.to_string()))))
    }
}

struct EntryVisitor;

impl EntryVisitor {
    fn rollout<'de, E: de::Error>(value: impl IntoDeserializer<'de, E>) -> Result<FlagEntry, E> {
        let rollout = Percentage::deserialize(value.into_deserializer())?;
        Ok(FlagEntry { rollout: Some(rollout), ..FlagEntry::default() })
    }
}

impl<'de> Visitor<'de> for EntryVisitor {
    type Value = FlagEntry;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a percentage from 0 to 100 such as 12.5 or \"12.5%\", true, false, or a table of properties")
    }

    fn visit_bool<E: de::Error>(self, everybody: bool) -> Result<FlagEntry, E> {
        Self::rollout(everybody)
    }

    fn visit_u64<E: de::Error>(self, percent: u64) -> Result<FlagEntry, E> {
        Self::rollout(percent)
    }

    fn visit_i64<E: de::Error>(self, percent: i64) -> Result<FlagEntry, E> {
        Self::rollout(percent)
    }

    fn visit_f64<E: de::Error>(self, percent: f64) -> Result<FlagEntry, E> {
        Self::rollout(percent)
    }

    fn visit_str<E: de::Error>(self, percent: &str) -> Result<FlagEntry, E> {
        Self::rollout(percent)
    }

    fn visit_map<A: MapAccess<'de>>(self, properties: A) -> Result<FlagEntry, A::Error> {
        FlagEntry::deserialize(MapAccessDeserializer::new(properties))
    }
}

/// An entry of `allow` or `deny`, as text.
#[derive(Clone)]
pub(super) struct ListedKey(pub(super) String);

impl<'de> Deserialize<'de> for ListedKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ListedKeyVisitor)
    }
}

struct ListedKeyVisitor;

impl Visitor<'_> for ListedKeyVisitor {
    type Value = ListedKey;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key: a text or an integer")
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<ListedKey, E> {
        Ok(ListedKey(number.to_string()))
    }

    fn visit_u128<E: de::Error>(self, number: u128) -> Result<ListedKey, E> {
        Ok(ListedKey(number.to_string()))
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<ListedKey, E> {
        Ok(ListedKey(number.to_string()))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<ListedKey, E> {
        Ok(ListedKey(text.to_owned()))
    }
}
