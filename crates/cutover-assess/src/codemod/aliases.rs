//! Rules from the aliases of an application.

use cutover::AliasMap;

use crate::context::Context;
use crate::rule::{Complexity, Rule, RuleError, RuleSet};

/// A rule for each old name of `aliases`, which replaces it by the new one. So what an application still accepts by its old name can
/// be renamed in its sources.
///
/// Names are looked for in `contexts`; keys and event names stand in [`Context::String`]. They are whole where no identifier goes
/// on, so that `db` is found in `my-db` too: read the diff.
///
/// # Errors
/// [`RuleError::NoRules`] if there are no aliases, and for names that a rule cannot look for.
///
/// ```
/// use cutover::AliasMap;
/// use cutover_assess::{Context, codemod::alias_rules};
///
/// let aliases = AliasMap::segmented(".", [("db", "database")])?;
/// let rules = alias_rules(&aliases, [Context::String])?;
/// assert_eq!(rules.rules()[0].replacement.as_deref(), Some("database"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn alias_rules(aliases: &AliasMap, contexts: impl IntoIterator<Item = Context>) -> Result<RuleSet, RuleError> {
    let contexts: Vec<_> = contexts.into_iter().collect();
    let rules = aliases.deprecations().zip(1..).filter_map(|(alias, number): (_, usize)| {
        let new = alias.new?;
        let rule = Rule::new(format!("alias-{number}"), alias.old, format!("Old name of {new}"), Complexity::Low);
        Some(rule.contexts(contexts.iter().copied()).replacement(new))
    });
    RuleSet::new(rules)
}
