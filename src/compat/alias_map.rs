//! [`AliasMap`]: old names and the new ones that they stand for.

use std::borrow::Cow;
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::iter::once;

use serde::{Deserialize, Serialize};

use super::alias_error::{AliasError, OldNameError, UnknownName};
use super::deprecation::Deprecation;
use super::unique::unique;
use crate::excerpt::excerpt;

/// Old names and the new ones that they stand for: configuration keys, events, rules.
///
/// The longest name that is known decides. In a map with a separator, a name also stands for all that lies below it:
///
/// ```
/// use cutover::AliasMap;
///
/// let keys = AliasMap::segmented(".", [("db", "database"), ("db.host", "database.address"), ("log", "log.level")])?;
/// assert_eq!(keys.resolve("db.port"), "database.port");
/// assert_eq!(keys.resolve("db.host"), "database.address"); // the longer one
/// assert_eq!(keys.resolve("dbx.host"), "dbx.host"); // `dbx` is another name
/// assert_eq!(keys.resolve("log"), "log.level");
/// assert_eq!(keys.resolve("log.level"), "log.level"); // new already, and longer than `log`
///
/// let error = AliasMap::whole([("a", "b"), ("b", "c"), ("c", "a")]).unwrap_err();
/// assert_eq!(error.to_string(), "aliases lead in a circle: a -> b -> c -> a");
/// # Ok::<(), cutover::compat::AliasError>(())
/// ```
///
/// # Laws
/// - Chains are followed to their end: with `a` to `b` and `b` to `c`, `a` is `c`. Old names of several generations are
///   what a long life leaves behind, and nobody should have to touch the first when the second changes.
/// - Circles are refused when the map is made. What is left ends: each step leads to a new name, and goes on only where
///   that is an old name itself, or where a longer old name begins with it.
/// - A resolved name stays as it is: `resolve(resolve(name)) == resolve(name)`.
/// - A name that is not known stays as it is, or is an [error](Self::resolve_known) for those who ask.
///
/// A map is read with serde from `{ "separator": ".", "aliases": { "db": "database" } }`; without `separator`, names are
/// whole. Names that stand twice, and fields that are not known, are refused.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct AliasMap {
    separator: Option<String>,
    aliases: BTreeMap<String, Alias>,
    new: BTreeSet<String>,
}

/// What an old name stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Alias {
    /// In this map.
    next: String,
    /// When all chains are followed.
    last: String,
}

impl AliasMap {
    /// Aliases of whole names: one name never is part of another.
    ///
    /// # Errors
    /// [`AliasError`] names the entry that is empty, stands twice or leads in a circle.
    pub fn whole<O: Into<String>, N: Into<String>>(
        aliases: impl IntoIterator<Item = (O, N)>,
    ) -> Result<Self, AliasError> {
        Self::build(None, collected(aliases)?)
    }

    /// Aliases of names in segments with `separator` between them, such as `.`, `/` or `::`.
    ///
    /// # Errors
    /// As [`whole`](Self::whole). No segment is empty, or begins or ends with a character of the separator.
    pub fn segmented<O: Into<String>, N: Into<String>>(
        separator: &str,
        aliases: impl IntoIterator<Item = (O, N)>,
    ) -> Result<Self, AliasError> {
        Self::build(Some(separator.to_owned()), collected(aliases)?)
    }

    fn build(separator: Option<String>, aliases: BTreeMap<String, String>) -> Result<Self, AliasError> {
        if separator.as_deref() == Some("") {
            return Err(AliasError::NoSeparator);
        }
        let alias = |(old, next): (String, String)| (old, Alias { next, last: String::new() });
        let new = aliases.values().cloned().collect();
        let mut map = Self { separator, aliases: aliases.into_iter().map(alias).collect(), new };
        map.check_names()?;
        map.check_circles()?;
        let last: Vec<String> = map.aliases.keys().map(|old| map.resolve(old).into_owned()).collect();
        for (alias, last) in map.aliases.values_mut().zip(last) {
            alias.last = last;
        }
        Ok(map)
    }

    fn check_names(&self) -> Result<(), AliasError> {
        let mut names = self.aliases.keys().chain(&self.new);
        match names.find(|name| !self.segments(name).iter().all(|segment| self.is_segment(segment))) {
            Some(bad) => Err(AliasError::InvalidName { name: excerpt(bad), separator: self.separator.clone() }),
            None => Ok(()),
        }
    }

    /// From each name to the end of its chain. What is known to end is not walked again.
    fn check_circles(&self) -> Result<(), AliasError> {
        let mut ends = BTreeSet::new();
        for old in self.aliases.keys() {
            let (mut path, mut on_path) = (Vec::new(), BTreeSet::new());
            let mut name = old;
            while let Some(alias) = self.aliases.get(name).filter(|_| !ends.contains(name)) {
                path.push(name.clone());
                if !on_path.insert(name) {
                    return Err(AliasError::Circle {
                        path: path.into_iter().skip_while(|first| first != name).collect(),
                    });
                }
                name = &alias.next;
            }
            ends.append(&mut on_path);
        }
        Ok(())
    }

    /// The new name for `name`, which stays as it is if it is new already or not known at all.
    #[must_use]
    pub fn resolve<'a>(&self, name: &'a str) -> Cow<'a, str> {
        let mut resolved = Cow::Borrowed(name);
        while let Some(next) = self.step(&resolved) {
            resolved = Cow::Owned(next);
        }
        resolved
    }

    /// As [`resolve`](Self::resolve), for those who accept no name that the map does not know.
    ///
    /// ```
    /// # use cutover::AliasMap;
    /// let events = AliasMap::whole([("issue_opened", "issues.opened")])?;
    /// assert_eq!(events.resolve_known("issue_opened")?, "issues.opened");
    /// assert_eq!(events.resolve_known("issues.opened")?, "issues.opened");
    /// assert_eq!(
    ///     events.resolve_known("issue_closed").unwrap_err().to_string(),
    ///     "`issue_closed` is no name that is known; known are: issue_opened, issues.opened",
    /// );
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`UnknownName`] when neither an old nor a new name is the beginning of `name`.
    pub fn resolve_known<'a>(&self, name: &'a str) -> Result<Cow<'a, str>, UnknownName> {
        if self.known(name).is_some() {
            return Ok(self.resolve(name));
        }
        let only_new = self.new.iter().filter(|new| !self.aliases.contains_key(*new));
        Err(UnknownName::new(name, self.aliases.keys().chain(only_new)))
    }

    /// The one old name that stands for `new`: for those who have to write what old readers understand.
    ///
    /// ```
    /// # use cutover::AliasMap;
    /// let keys = AliasMap::segmented(".", [("db", "database"), ("logging", "log"), ("logger", "log")])?;
    /// assert_eq!(keys.old_name("database.port")?, "db.port");
    /// assert_eq!(
    ///     keys.old_name("log.level").unwrap_err().to_string(),
    ///     "`log.level` has several old names, such as logger.level and logging.level",
    /// );
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`OldNameError::None`] when nothing old stands for it, [`OldNameError::Several`] when more than one name does, and
    /// [`OldNameError::NotNew`] when `new` is an old name itself.
    pub fn old_name(&self, new: &str) -> Result<String, OldNameError> {
        if let Cow::Owned(newer) = self.resolve(new) {
            return Err(OldNameError::NotNew { name: excerpt(new), new: excerpt(&newer) });
        }
        let (mut found, mut looked_at) = (self.steps_to(new), 0);
        // A name before the first is another old name of the same; two are enough to know.
        while let Some(first) = found.get(looked_at).filter(|_| found.len() < 2).cloned() {
            found.extend(self.steps_to(&first));
            looked_at += 1;
        }
        match found.as_slice() {
            [] => Err(OldNameError::None { name: excerpt(new) }),
            [one] => Ok(one.clone()),
            [one, another, ..] => Err(OldNameError::Several {
                name: excerpt(new),
                old: [one.min(another).clone(), one.max(another).clone()],
            }),
        }
    }

    /// What is known of the old name that `name` is or begins with; nothing for a name that is not old.
    ///
    /// ```
    /// # use cutover::{AliasMap, Deprecations};
    /// # static OLD: Deprecations = Deprecations::new();
    /// let events = AliasMap::whole([("issue_opened", "issues.opened")])?;
    /// if let Some(deprecation) = events.deprecation("issue_opened") {
    ///     OLD.used_in(&deprecation, "webhooks"); // warns once: use `issues.opened`
    /// }
    /// # assert_eq!(OLD.report().uses(), 1);
    /// # Ok::<(), cutover::compat::AliasError>(())
    /// ```
    #[must_use]
    pub fn deprecation(&self, name: &str) -> Option<Deprecation<'_>> {
        match self.known(name)? {
            Known::Old(old, alias) => Some(Deprecation::new(old).instead(&alias.last)),
            Known::New => None,
        }
    }

    /// Every old name and what it stands for in the end, to [declare](super::Deprecations::declare) them.
    pub fn deprecations(&self) -> impl Iterator<Item = Deprecation<'_>> {
        self.aliases.iter().map(|(old, alias)| Deprecation::new(old).instead(&alias.last))
    }

    /// One alias further, if `name` is old.
    fn step(&self, name: &str) -> Option<String> {
        match self.known(name)? {
            Known::Old(old, alias) => Some(alias.next.clone() + name.get(old.len()..)?),
            Known::New => None,
        }
    }

    /// The names of which `name` is the next.
    fn steps_to(&self, name: &str) -> Vec<String> {
        let below = |beginning: &str| self.prefixes(name).any(|prefix| prefix == beginning);
        let leading = self.aliases.iter().filter(|(_, alias)| below(&alias.next));
        let names = leading.filter_map(|(old, alias)| Some(old.clone() + name.get(alias.next.len()..)?));
        names.filter(|before| self.step(before).as_deref() == Some(name)).collect()
    }

    /// The longest known name that is `name` or its beginning. One that is old and new is old.
    fn known(&self, name: &str) -> Option<Known<'_>> {
        let known = |prefix: &str| match self.aliases.get_key_value(prefix) {
            Some((old, alias)) => Some(Known::Old(old, alias)),
            None => self.new.contains(prefix).then_some(Known::New),
        };
        self.prefixes(name).filter_map(known).last()
    }

    /// The beginnings of `name` that end where a segment ends, the shortest first and `name` itself last.
    fn prefixes<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let separators = self.separator.iter().flat_map(|separator| name.match_indices(separator.as_str()));
        separators.filter_map(|(at, _)| name.get(..at)).chain(once(name))
    }

    pub(super) fn segments<'a>(&self, name: &'a str) -> Vec<&'a str> {
        match &self.separator {
            Some(separator) => name.split(separator.as_str()).collect(),
            None => vec![name],
        }
    }

    /// Whether `text` can stand between two separators and be told from them.
    pub(super) fn is_segment(&self, text: &str) -> bool {
        let separator = self.separator.as_deref().unwrap_or_default();
        let at_an_end = |c| text.starts_with(c) || text.ends_with(c);
        let splits = !separator.is_empty() && text.contains(separator);
        !text.is_empty() && !splits && !separator.chars().any(at_an_end)
    }

    pub(super) fn separator(&self) -> Option<&str> {
        self.separator.as_deref()
    }
}

enum Known<'a> {
    Old(&'a str, &'a Alias),
    New,
}

fn collected<O: Into<String>, N: Into<String>>(
    aliases: impl IntoIterator<Item = (O, N)>,
) -> Result<BTreeMap<String, String>, AliasError> {
    let mut all = BTreeMap::new();
    for (old, new) in aliases {
        match all.entry(old.into()) {
            Entry::Vacant(free) => drop(free.insert(new.into())),
            Entry::Occupied(taken) => {
                let names = [taken.key(), taken.get(), &new.into()].map(|name| excerpt(name));
                let [old, first, second] = names;
                return Err(AliasError::Twice { old, first, second });
            }
        }
    }
    Ok(all)
}

/// As it stands in a file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    separator: Option<String>,
    #[serde(deserialize_with = "unique")]
    aliases: BTreeMap<String, String>,
}

impl TryFrom<Written> for AliasMap {
    type Error = AliasError;

    fn try_from(written: Written) -> Result<Self, AliasError> {
        Self::build(written.separator, written.aliases)
    }
}

impl From<AliasMap> for Written {
    fn from(map: AliasMap) -> Self {
        let AliasMap { separator, aliases, new: _ } = map;
        Self { separator, aliases: aliases.into_iter().map(|(old, alias)| (old, alias.next)).collect() }
    }
}
