//! A layer from environment variables.

use serde::Deserialize;
use serde::de::IntoDeserializer;
use serde::de::value::{Error as PlainError, StrDeserializer};

use super::config::{FlagConfig, FlagEntry, ListedKey, Spelling};
use super::error::FlagConfigError;
use crate::{MissingKey, Percentage};

impl FlagConfig {
    /// Reads the variables that start with `prefix` and ignores the others.
    ///
    /// With the prefix `FLAG_`, `FLAG_NEW_CART=12.5%` sets the rollout of `new-cart`, `new.cart` or `new_cart`, whichever
    /// of them another layer has (`new_cart` when none does), and `FLAG_NEW_CART__DENY=a,b` one property. Properties are
    /// those of [`FlagConfig`]; lists are separated by commas. Upper and lower case are the same.
    ///
    /// # Errors
    /// [`FlagConfigError`] names the variable: no flag's name, an unknown property, a value that cannot be read, or two
    /// variables that set the same property.
    ///
    /// ```
    /// use cutover::{FlagConfig, FlagSet};
    ///
    /// let file = serde_json::from_str(r#"{ "new-cart": 10 }"#)?;
    /// let variables = [("FLAG_NEW_CART", "50%"), ("PATH", "/usr/bin")];    // in a host: std::env::vars()
    /// let flags = FlagSet::builder()
    ///     .layer("file", file)
    ///     .layer("environment", FlagConfig::from_env("FLAG_", variables)?)
    ///     .build()?;
    /// assert_eq!(flags.get("new-cart").map(|flag| flag.share().percent()), Some(50.0));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn from_env<N: AsRef<str>, V: AsRef<str>>(
        prefix: &str,
        variables: impl IntoIterator<Item = (N, V)>,
    ) -> Result<Self, FlagConfigError> {
        let mut config = Self { spelling: Spelling::Loose, ..Self::default() };
        for (variable, value) in variables {
            let variable = variable.as_ref();
            if let Some(rest) = variable.strip_prefix(prefix) {
                let refuse = |problem| FlagConfigError::InvalidVariable { variable: variable.to_owned(), problem };
                config.read_variable(&rest.to_lowercase(), value.as_ref()).map_err(refuse)?;
            }
        }
        Ok(config)
    }

    fn read_variable(&mut self, rest: &str, value: &str) -> Result<(), String> {
        let (name, property) = rest.rsplit_once("__").unwrap_or((rest, "rollout"));
        let entry = self.entry(name).map_err(|error| error.to_string())?;
        entry.set_from_text(property, value)
    }
}

impl FlagEntry {
    fn set_from_text(&mut self, property: &str, value: &str) -> Result<(), String> {
        match property {
            "rollout" => put(&mut self.rollout, share(value)?),
            "salt" => put(&mut self.salt, value.to_owned()),
            "kill" => put(&mut self.kill, yes_or_no(value)?),
            "allow" => put(&mut self.allow, items(value).map(ListedKey).collect()),
            "deny" => put(&mut self.deny, items(value).map(ListedKey).collect()),
            "requires" => put(&mut self.requires, items(value).collect()),
            "missing_key" => put(&mut self.missing_key, policy(value)?),
            "shadow_share" => put(&mut self.shadow_share, share(value)?),
            unknown => Err(format!("unknown property `{unknown}`; known are {PROPERTIES}")),
        }
    }
}

fn put<T>(property: &mut Option<T>, value: T) -> Result<(), String> {
    match property.replace(value) {
        None => Ok(()),
        Some(_) => Err("another variable sets the same property".to_owned()),
    }
}

fn share(text: &str) -> Result<Percentage, String> {
    text.parse().map_err(|error: crate::PercentageError| error.to_string())
}

fn yes_or_no(text: &str) -> Result<bool, String> {
    text.parse().map_err(|_| "it must be true or false".to_owned())
}

fn policy(text: &str) -> Result<MissingKey, String> {
    let text: StrDeserializer<'_, PlainError> = text.into_deserializer();
    MissingKey::deserialize(text).map_err(|error| error.to_string())
}

fn items(text: &str) -> impl Iterator<Item = String> {
    text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned)
}

const PROPERTIES: &str = "rollout, salt, kill, allow, deny, requires, missing_key and shadow_share";
