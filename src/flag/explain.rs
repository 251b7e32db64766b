//! [`Explanation`]: where the properties of a flag come from.

use std::fmt;

use super::config::{FlagEntry, ListedKey};
use super::layers::{OVERRIDE, Stack};

/// What a flag is set to, and which layer set it. Its text is a small table.
///
/// Salts and listed keys are counted, not shown.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Explanation {
    /// The flag.
    pub flag: String,
    /// Its properties, in the order of the table of [`FlagConfig`](super::FlagConfig).
    pub properties: Vec<Explained>,
}

impl Explanation {
    /// The layer that set `property`; `None` when it has its default, or when there is no such property.
    #[must_use]
    pub fn layer_of(&self, property: &str) -> Option<&str> {
        self.properties.iter().find(|explained| explained.property == property)?.layer.as_deref()
    }

    pub(super) fn of(flag: &str, stack: &Stack<'_>, switched_off: bool) -> Self {
        let kill = if switched_off {
            Explained { property: "kill", value: "true".to_owned(), layer: Some(OVERRIDE.to_owned()) }
        } else {
            explain(stack, "kill", "false", |entry| entry.kill.map(|kill| kill.to_string()))
        };
        let properties = vec![
            explain(stack, "rollout", "0%", |entry| entry.rollout.map(|share| share.to_string())),
            explain(stack, "salt", "the name", |entry| entry.salt.as_ref().map(|_| "its own".to_owned())),
            kill,
            explain(stack, "allow", "none", |entry| entry.allow.as_deref().map(count)),
            explain(stack, "deny", "none", |entry| entry.deny.as_deref().map(count)),
            explain(stack, "requires", "none", |entry| entry.requires.as_ref().map(|flags| flags.join(", "))),
            explain(stack, "missing_key", "legacy", |entry| entry.missing_key.map(|policy| policy.name().to_owned())),
            explain(stack, "shadow_share", "0%", |entry| entry.shadow_share.map(|share| share.to_string())),
        ];
        Self { flag: flag.to_owned(), properties }
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.flag)?;
        let width = self.properties.iter().map(|explained| explained.value.chars().count()).max().unwrap_or(0);
        for Explained { property, value, layer } in &self.properties {
            let layer = layer.as_deref().unwrap_or("(default)");
            write!(f, "\n  {property:<12}  {value:<width$}  {layer}")?;
        }
        Ok(())
    }
}

/// One property of a flag.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Explained {
    /// The name of the property, such as `rollout`.
    pub property: &'static str,
    /// Its value, for people.
    pub value: String,
    /// The layer that set it; `None` for the default.
    pub layer: Option<String>,
}

fn explain(
    stack: &Stack<'_>,
    property: &'static str,
    default: &str,
    value: impl Fn(&FlagEntry) -> Option<String>,
) -> Explained {
    match stack.top(value) {
        Some((layer, value)) => Explained { property, value, layer: Some(layer.to_owned()) },
        None => Explained { property, value: default.to_owned(), layer: None },
    }
}

fn count(keys: &[ListedKey]) -> String {
    match keys.len() {
        0 => "none".to_owned(),
        1 => "1 key".to_owned(),
        many => format!("{many} keys"),
    }
}
