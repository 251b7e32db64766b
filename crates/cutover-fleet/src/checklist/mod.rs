//! [`Checklists`]: what has to be true before, during and after a migration.

mod builtin;
mod check;
mod error;
mod fitted;
mod result;
mod run;
mod view;

pub use builtin::{BackupExists, NoRegression, ValidationPassed};
pub use check::{Check, Finding};
pub use error::ChecklistError;
pub use result::{CheckResult, ItemResult};
pub use view::View;

pub(crate) use fitted::fitted;
pub(crate) use result::all_passed;
pub(crate) use view::Facts;

use std::fmt;
use std::sync::Arc;

use globset::GlobMatcher;
use serde::{Deserialize, Serialize};

use crate::inventory::compile;
use crate::system::SystemName;
use crate::text::{excerpt, message};

/// When a list is gone through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "the four lists of a migration")]
pub enum When {
    /// Before anything is done: what does not pass keeps the system from being migrated.
    Before,
    /// When new runs and has no traffic yet: what does not pass takes the migration back.
    During,
    /// When new serves alone: what does not pass keeps legacy from being decommissioned.
    After,
    /// When legacy is gone: what is left to tidy up.
    Cleanup,
}

impl When {
    /// All of them, in the order of a migration.
    pub const ALL: [Self; 4] = [Self::Before, Self::During, Self::After, Self::Cleanup];

    /// The name in data and messages, such as `before`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Before => "before",
            Self::During => "during",
            Self::After => "after",
            Self::Cleanup => "cleanup",
        }
    }

    const fn preset(self) -> &'static [&'static str] {
        match self {
            Self::Before => &[
                "backup_exists",
                "tests_passing",
                "dependencies_mapped",
                "rollback_plan",
                "monitoring_setup",
                "team_notified",
            ],
            Self::During => &["unit_tests", "integration_tests", "no_performance_regression", "parallel_validation"],
            Self::After => &["features", "performance", "documentation", "team"],
            Self::Cleanup => &["code", "infrastructure", "documentation"],
        }
    }
}

impl fmt::Display for When {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// The items of the four lists, the check of each, and what was waived.
///
/// An item without a check does not pass: it is an [error](CheckResult::Error) until a check is given, a person waives it,
/// or the item is removed. Waiving is on the record, with who and why.
///
/// ```
/// use cutover_fleet::{BackupExists, Checklists, Finding, When};
///
/// let checklists = Checklists::preset()
///     .check(When::Before, "backup_exists", BackupExists)?
///     .check(When::Before, "tests_passing", |name: &str| {
///         let green = name != "flaky"; // ask your CI here
///         async move { Ok(if green { Finding::Pass } else { Finding::Fail("the main branch is red".into()) }) }
///     })?
///     .waive(When::Before, "team_notified", "*", "ana", "told in the meeting of May 3")?;
/// let refused = checklists.waive(When::Before, "team_told", "*", "ana", "of course").unwrap_err();
/// assert!(refused.to_string().starts_with("the list before has no item `team_told`; it has backup_exists, tests_passing"));
/// # Ok::<(), cutover_fleet::ChecklistError>(())
/// ```
#[derive(Clone, Default)]
#[must_use]
pub struct Checklists {
    items: Vec<Item>,
}

#[derive(Clone)]
struct Item {
    when: When,
    name: String,
    check: Option<Arc<dyn Check>>,
    waivers: Vec<Waiver>,
}

/// Somebody says that an item does not have to pass.
#[derive(Debug, Clone)]
struct Waiver {
    systems: GlobMatcher,
    actor: String,
    reason: String,
}

impl Checklists {
    /// No items at all.
    pub fn empty() -> Self {
        Self::default()
    }

    /// The usual items, without checks:
    ///
    /// | list | items |
    /// |---|---|
    /// | before | `backup_exists`, `tests_passing`, `dependencies_mapped`, `rollback_plan`, `monitoring_setup`, `team_notified` |
    /// | during | `unit_tests`, `integration_tests`, `no_performance_regression`, `parallel_validation` |
    /// | after | `features`, `performance`, `documentation`, `team` |
    /// | cleanup | `code`, `infrastructure`, `documentation` |
    pub fn preset() -> Self {
        let named = |when: When| when.preset().iter().map(move |name| Item::new(when, name));
        Self { items: When::ALL.into_iter().flat_map(named).collect() }
    }

    /// With one more item.
    ///
    /// # Errors
    /// [`ChecklistError::Name`] for a name that is blank, too long, or there already.
    pub fn item(mut self, when: When, name: &str) -> Result<Self, ChecklistError> {
        let usable = !name.trim().is_empty() && name.len() <= MAX_NAME && !name.chars().any(char::is_control);
        if !usable || self.position(when, name).is_ok() {
            return Err(ChecklistError::Name { when, name: excerpt(name) });
        }
        self.items.push(Item::new(when, name));
        Ok(self)
    }

    /// Without an item.
    ///
    /// # Errors
    /// [`ChecklistError::NoSuchItem`].
    pub fn without(mut self, when: When, name: &str) -> Result<Self, ChecklistError> {
        let place = self.position(when, name)?;
        self.items.remove(place);
        Ok(self)
    }

    /// Checks an item by `check`, in the place of an earlier one.
    ///
    /// # Errors
    /// [`ChecklistError::NoSuchItem`].
    pub fn check(self, when: When, name: &str, check: impl Check + 'static) -> Result<Self, ChecklistError> {
        let check: Arc<dyn Check> = Arc::new(check);
        self.change(when, name, |item| item.check = Some(check))
    }

    /// Waives an item for the systems whose names match `systems`: it is not checked there, and says so.
    ///
    /// # Errors
    /// [`ChecklistError::NoSuchItem`], [`ChecklistError::Pattern`], and [`ChecklistError::Unsaid`] when actor or reason are
    /// blank. That the pattern matches a system is checked when the fleet is built.
    pub fn waive(
        self,
        when: When,
        name: &str,
        systems: &str,
        actor: &str,
        reason: &str,
    ) -> Result<Self, ChecklistError> {
        let glob = globset::Glob::new(systems).map_err(|_| ChecklistError::Pattern { pattern: excerpt(systems) })?;
        let (actor, reason) = (message(actor), message(reason));
        if actor.is_empty() || reason.is_empty() {
            return Err(ChecklistError::Unsaid { when, name: excerpt(name) });
        }
        let waiver = Waiver { systems: glob.compile_matcher(), actor, reason };
        self.change(when, name, |item| item.waivers.push(waiver))
    }

    /// The items of a list, in the order in which they are checked.
    pub fn items(&self, when: When) -> impl Iterator<Item = &str> {
        self.of(when).map(|item| item.name.as_str())
    }

    /// Whether every waiver is one of a system that there is.
    pub(crate) fn fit(&self, systems: &[SystemName]) -> Result<(), crate::inventory::InventoryError> {
        let mut waivers = self.items.iter().flat_map(|item| &item.waivers);
        waivers.try_for_each(|waiver| compile(waiver.systems.glob().glob(), systems).map(drop))
    }

    fn of(&self, when: When) -> impl Iterator<Item = &Item> {
        self.items.iter().filter(move |item| item.when == when)
    }

    fn change(mut self, when: When, name: &str, change: impl FnOnce(&mut Item)) -> Result<Self, ChecklistError> {
        let place = self.position(when, name)?;
        self.items.get_mut(place).map(change);
        Ok(self)
    }

    fn position(&self, when: When, name: &str) -> Result<usize, ChecklistError> {
        let found = self.items.iter().position(|item| item.when == when && item.name == name);
        found.ok_or_else(|| ChecklistError::NoSuchItem {
            when,
            name: excerpt(name),
            known: self.items(when).map(ToOwned::to_owned).collect(),
        })
    }
}

const MAX_NAME: usize = 64;

impl Item {
    fn new(when: When, name: &str) -> Self {
        Self { when, name: name.to_owned(), check: None, waivers: Vec::new() }
    }
}

impl fmt::Debug for Checklists {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let items = self.items.iter().map(|item| format!("{} {}", item.when, item.name));
        f.debug_list().entries(items).finish()
    }
}
