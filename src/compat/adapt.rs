//! Configurations with old keys, read by a program that knows the new ones only.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::alias_map::AliasMap;
use super::deprecation::Deprecation;
use super::deprecations::Deprecations;

impl AliasMap {
    /// A tree of objects with all keys renamed, such as a configuration in any format that serde reads.
    ///
    /// A name is the path to a value, with the separator between keys; in a map without one, names are the outermost
    /// keys. Lists are values: keys inside them are not names. A key that contains the separator is none either, and
    /// stays. Whatever is no object comes back as it is.
    ///
    /// ```
    /// use cutover::AliasMap;
    /// use serde_json::json;
    ///
    /// let keys = AliasMap::segmented(".", [("db", "database"), ("db.host", "database.address")])?;
    /// let adapted = keys.adapt(&json!({ "db": { "host": "10.0.0.7", "port": 5432 }, "name": "shop" }))?;
    /// assert_eq!(adapted.tree, json!({ "database": { "address": "10.0.0.7", "port": 5432 }, "name": "shop" }));
    /// let renamed: Vec<_> = adapted.renamed.iter().map(|key| format!("{} -> {}", key.old, key.new)).collect();
    /// assert_eq!(renamed, ["db.host -> database.address", "db.port -> database.port"]);
    ///
    /// let both = keys.adapt(&json!({ "db": { "port": 5432 }, "database": { "port": 6432 } })).unwrap_err();
    /// assert_eq!(
    ///     both.to_string(),
    ///     "`database.port` and `db.port` both give `database.port`, with different values; keep one of them",
    /// );
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`KeyConflict`] when two keys give one, unless their values are equal, and when one gives a value where another
    /// gives an object.
    pub fn adapt(&self, tree: &Value) -> Result<Adapted, KeyConflict> {
        let Value::Object(keys) = tree else { return Ok(Adapted { tree: tree.clone(), renamed: Vec::new() }) };
        let mut placed = Placed { map: self, tree: Map::new(), from: BTreeMap::new() };
        let mut renamed = Vec::new();
        for (path, value) in leaves(keys) {
            renamed.extend(placed.place(&path, value)?);
        }
        Ok(Adapted { tree: Value::Object(placed.tree), renamed })
    }

    /// The new path, and the old name at the beginning of the old one, if there is one.
    fn new_path(&self, path: &[&str]) -> (Vec<String>, Option<Deprecation<'_>>) {
        let most = if self.separator().is_some() { path.len() } else { 1 };
        let named = path.iter().take(most).take_while(|key| self.is_segment(key)).count();
        let (name, rest) = path.split_at(named);
        let name = name.join(self.separator().unwrap_or_default());
        let new = self.resolve(&name);
        let new = if named == 0 { Vec::new() } else { self.segments(&new) };
        (new.into_iter().chain(rest.iter().copied()).map(ToOwned::to_owned).collect(), self.deprecation(&name))
    }

    fn shown(&self, path: &[impl AsRef<str>]) -> String {
        path.iter().map(AsRef::as_ref).collect::<Vec<_>>().join(self.separator().unwrap_or("."))
    }
}

/// Every value that is no object with keys, and the path to it, in the order of the tree.
fn leaves(keys: &Map<String, Value>) -> Vec<(Vec<&str>, &Value)> {
    let mut found = Vec::new();
    let mut open = children(&[], keys);
    while let Some((path, value)) = open.pop() {
        match value.as_object().filter(|keys| !keys.is_empty()) {
            Some(keys) => open.extend(children(&path, keys)),
            None => found.push((path, value)),
        }
    }
    found
}

/// The last one first, so that the first one is taken next.
fn children<'a>(path: &[&'a str], keys: &'a Map<String, Value>) -> Vec<(Vec<&'a str>, &'a Value)> {
    let below = |key: &'a str| path.iter().copied().chain([key]).collect();
    let mut children: Vec<_> = keys.iter().map(|(key, value)| (below(key), value)).collect();
    children.reverse();
    children
}

/// A tree that grows by one value after the other.
struct Placed<'a> {
    map: &'a AliasMap,
    tree: Map<String, Value>,
    /// Which key gave the value at a path.
    from: BTreeMap<Vec<String>, String>,
}

impl Placed<'_> {
    fn place(&mut self, path: &[&str], value: &Value) -> Result<Option<Renamed>, KeyConflict> {
        let (new, deprecation) = self.map.new_path(path);
        if !put(&mut self.tree, &new, value) {
            return Err(self.conflict(self.map.shown(path), &new));
        }
        let (old, shown) = (self.map.shown(path), self.map.shown(&new));
        let renamed = deprecation.map(|of| Renamed {
            old: old.clone(),
            new: shown,
            alias: of.old.to_owned(),
            instead: of.new.unwrap_or_default().to_owned(),
        });
        self.from.entry(new).or_insert(old);
        Ok(renamed)
    }

    /// Why `key` cannot give the value at `path`: another key gives that one too, or one above or below it.
    fn conflict(&self, key: String, path: &[String]) -> KeyConflict {
        let related = |other: &[String]| other.starts_with(path) || path.starts_with(other);
        let others = self.from.iter().filter(|(other, _)| related(other));
        let nearest = others.max_by_key(|(other, _)| other.len());
        let (other, first) = nearest.map(|(other, first)| (other.as_slice(), first.clone())).unwrap_or_default();
        let (value, object, at) = match other.len().cmp(&path.len()) {
            Ordering::Equal => return KeyConflict::Values { first, second: key, new: self.map.shown(path) },
            Ordering::Less => (first, key, other),
            Ordering::Greater => (key, first, path),
        };
        KeyConflict::Shapes { value, object, new: self.map.shown(at) }
    }
}

/// Puts a value into a tree; says no, and may leave empty objects, when something else is in its place.
fn put(tree: &mut Map<String, Value>, path: &[String], value: &Value) -> bool {
    let Some((last, parents)) = path.split_last() else { return false };
    let mut here = tree;
    for key in parents {
        let Value::Object(below) = here.entry(key.as_str()).or_insert_with(|| Value::Object(Map::new())) else {
            return false;
        };
        here = below;
    }
    match here.get(last) {
        None => here.insert(last.clone(), value.clone()).is_none(),
        Some(Value::Object(_)) if value.as_object().is_some_and(Map::is_empty) => true,
        Some(there) => there == value,
    }
}

/// A tree in which all keys are new, and which ones were not.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Adapted {
    /// The tree.
    pub tree: Value,
    /// The keys that were renamed, in the order of the tree that was read.
    pub renamed: Vec<Renamed>,
}

impl Adapted {
    /// Counts each old name that was used, once, in the place that was read, such as `shop.toml`.
    ///
    /// An old key has no call site. It is used where it stands, and as often as that is read. What counts is the name in the
    /// map, not every key below it, so that a file cannot make more call sites than the map has names.
    pub fn count_in(&self, deprecations: &Deprecations, place: &str) {
        let used: BTreeMap<_, _> = self.renamed.iter().map(|key| (key.alias.as_str(), key)).collect();
        for key in used.into_values() {
            deprecations.used_in(&Deprecation::new(&key.alias).instead(&key.instead), place);
        }
    }
}

/// A key that was renamed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Renamed {
    /// The path as it was read, such as `db.port`.
    pub old: String,
    /// The path as it is now, such as `database.port`.
    pub new: String,
    /// The old name in the map, such as `db`.
    pub alias: String,
    /// What that name stands for, such as `database`.
    pub instead: String,
}

/// Two keys that cannot both be. Values are not shown: they may be secrets.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyConflict {
    /// Two keys give the same name different values.
    #[error("`{first}` and `{second}` both give `{new}`, with different values; keep one of them")]
    Values {
        /// One of them.
        first: String,
        /// The other.
        second: String,
        /// The new name.
        new: String,
    },
    /// One key gives a value where another gives an object.
    #[error("`{value}` gives `{new}` a value, and `{object}` gives it keys of its own; keep one of them")]
    Shapes {
        /// The key that gives a value.
        value: String,
        /// The key that gives something below it.
        object: String,
        /// The new name that would be both.
        new: String,
    },
}
