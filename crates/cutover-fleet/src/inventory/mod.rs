//! [`Inventory`]: which systems there are, in which order they have their turn, and by which strategy.

mod data;
mod error;

pub use data::{InventoryData, PriorityRule, StrategyRule, SystemData};
pub use error::InventoryError;

use std::collections::BTreeSet;

use globset::{Glob, GlobMatcher};
use serde::{Deserialize, Serialize};

use crate::strategy::Strategy;
use crate::system::{Priority, System, SystemName};
use crate::text::excerpt;

/// The systems to migrate, in the order of their turns: by priority, and among those of one priority as they are listed.
///
/// Priorities and strategies are given by patterns over names, such as `batch-*`. Of several that match, *the first one*
/// counts: put the special ones above the general ones. What no pattern matches is [`P4`](Priority::P4) and
/// [blue-green](Strategy::blue_green). A pattern that matches no system is an error, since somebody meant something by it.
///
/// ```
/// use cutover_fleet::{Inventory, Priority};
///
/// let inventory: Inventory = serde_json::from_str(r#"{
///     "systems": [{ "name": "billing" }, { "name": "report-daily", "category": "batch" }, { "name": "report-weekly" }],
///     "priorities": [{ "match": "report-weekly", "priority": "P0" }, { "match": "report-*", "priority": "P1" }],
///     "strategies": [{ "match": "billing", "strategy": { "name": "canary", "shares": [5, 50, 100] } }]
/// }"#)?;
/// let order: Vec<&str> = inventory.systems().map(|system| system.name.as_str()).collect();
/// assert_eq!(order, ["report-weekly", "report-daily", "billing"]);
///
/// let misspelt = serde_json::from_str::<Inventory>(r#"{
///     "systems": [{ "name": "billing" }],
///     "priorities": [{ "match": "biling*", "priority": "P0" }]
/// }"#).unwrap_err();
/// assert!(misspelt.to_string().starts_with("the pattern `biling*` matches no system; there are billing"));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "InventoryData", into = "InventoryData")]
pub struct Inventory {
    data: InventoryData,
    entries: Vec<Entry>,
}

/// A system and how it is migrated.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Entry {
    pub(crate) system: System,
    pub(crate) strategy: Strategy,
}

impl Inventory {
    /// The systems in the order of their turns.
    #[must_use]
    pub fn systems(&self) -> impl ExactSizeIterator<Item = &System> {
        self.entries.iter().map(|entry| &entry.system)
    }

    /// The strategy of a system; `None` if there is no such system.
    #[must_use]
    pub fn strategy(&self, name: &str) -> Option<&Strategy> {
        self.entry(name).map(|entry| &entry.strategy)
    }

    pub(crate) fn entry(&self, name: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.system.name.as_str() == name)
    }

    pub(crate) fn entries(&self) -> &[Entry] {
        &self.entries
    }
}

impl TryFrom<InventoryData> for Inventory {
    type Error = InventoryError;

    fn try_from(data: InventoryData) -> Result<Self, InventoryError> {
        let names = names(&data)?;
        let priorities = data.priorities.iter().map(|rule| Ok((rule.matches.as_str(), priority(rule)?)));
        let priorities = Rules::new(priorities, &names)?;
        let strategies = data.strategies.iter().map(|rule| Ok((rule.matches.as_str(), strategy(rule)?)));
        let strategies = Rules::new(strategies, &names)?;
        let mut entries: Vec<Entry> = data
            .systems
            .iter()
            .zip(names)
            .map(|(system, name)| Entry {
                strategy: strategies.first(&name).cloned().unwrap_or_default(),
                system: System {
                    priority: priorities.first(&name).copied().unwrap_or(Priority::P4),
                    category: system.category.clone().unwrap_or_default(),
                    attributes: system.attributes.clone(),
                    ..System::new(name)
                },
            })
            .collect();
        entries.sort_by_key(|entry| entry.system.priority);
        Ok(Self { data, entries })
    }
}

impl From<Inventory> for InventoryData {
    fn from(inventory: Inventory) -> Self {
        inventory.data
    }
}

fn names(data: &InventoryData) -> Result<Vec<SystemName>, InventoryError> {
    let mut seen = BTreeSet::new();
    let parsed = data.systems.iter().map(|system| system.name.parse::<SystemName>().map_err(InventoryError::Name));
    let names = parsed.collect::<Result<Vec<_>, _>>()?;
    match names.iter().find(|name| !seen.insert(name.as_str())) {
        Some(twice) => Err(InventoryError::ListedTwice { system: twice.clone() }),
        None if names.is_empty() => Err(InventoryError::Empty),
        None => Ok(names),
    }
}

fn priority(rule: &PriorityRule) -> Result<Priority, InventoryError> {
    let pattern = || excerpt(&rule.matches);
    rule.priority.parse().map_err(|problem| InventoryError::Priority { pattern: pattern(), problem })
}

fn strategy(rule: &StrategyRule) -> Result<Strategy, InventoryError> {
    let refuse = |problem| InventoryError::Strategy { pattern: excerpt(&rule.matches), problem };
    rule.strategy.clone().try_into().map_err(refuse)
}

/// Patterns and what they give; the first one that matches counts.
struct Rules<T>(Vec<(GlobMatcher, T)>);

impl<T> Rules<T> {
    fn new<'a>(
        rules: impl Iterator<Item = Result<(&'a str, T), InventoryError>>,
        names: &[SystemName],
    ) -> Result<Self, InventoryError> {
        let compiled = rules.map(|rule| rule.and_then(|(pattern, gives)| Ok((compile(pattern, names)?, gives))));
        compiled.collect::<Result<_, _>>().map(Self)
    }

    fn first(&self, name: &SystemName) -> Option<&T> {
        self.0.iter().find(|(pattern, _)| pattern.is_match(name.as_str())).map(|(_, gives)| gives)
    }
}

/// A pattern that matches at least one of the names.
pub(crate) fn compile(pattern: &str, names: &[SystemName]) -> Result<GlobMatcher, InventoryError> {
    let glob = Glob::new(pattern)
        .map_err(|source| InventoryError::Pattern { pattern: excerpt(pattern), source: Box::new(source) })?;
    let matcher = glob.compile_matcher();
    if names.iter().any(|name| matcher.is_match(name.as_str())) {
        return Ok(matcher);
    }
    Err(InventoryError::MatchesNothing { pattern: excerpt(pattern), systems: names.to_vec() })
}
