//! [`InventoryData`]: an inventory as it stands in a file, before it is checked.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::strategy::StrategySpec;
use crate::system::Category;

/// An inventory as data, for any format of configuration. [`Inventory::try_from`](crate::Inventory) checks it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::exhaustive_structs, reason = "a host that finds its systems by itself makes it")]
pub struct InventoryData {
    /// The systems.
    pub systems: Vec<SystemData>,
    /// Which have which priority; the first pattern that matches counts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub priorities: Vec<PriorityRule>,
    /// Which are migrated by which strategy; the first pattern that matches counts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub strategies: Vec<StrategyRule>,
}

/// A system as data.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::exhaustive_structs, reason = "a host that finds its systems by itself makes it")]
pub struct SystemData {
    /// Its name; see [`SystemName`](crate::SystemName).
    pub name: String,
    /// What kind of system it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<Category>,
    /// Whatever the host wants to know of it. No secrets.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, String>,
}

impl SystemData {
    /// The system `name`.
    #[must_use]
    pub fn named(name: impl Into<String>) -> Self {
        Self { name: name.into(), ..Self::default() }
    }
}

/// The priority of the systems whose names match.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::exhaustive_structs, reason = "a pattern and what it gives")]
pub struct PriorityRule {
    /// A pattern over names, such as `batch-*`.
    #[serde(rename = "match")]
    pub matches: String,
    /// `P0` to `P4`.
    pub priority: String,
}

/// The strategy of the systems whose names match.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::exhaustive_structs, reason = "a pattern and what it gives")]
pub struct StrategyRule {
    /// A pattern over names, such as `batch-*`.
    #[serde(rename = "match")]
    pub matches: String,
    /// The strategy.
    pub strategy: StrategySpec,
}
