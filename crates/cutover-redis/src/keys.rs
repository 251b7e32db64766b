//! Where things are kept: [`Prefix`] and [`Keys`].

use std::sync::Arc;

use cutover::store::{ItemId, MigrationId};

/// What all keys of a store begin with.
#[derive(Debug, Clone)]
pub(crate) struct Prefix(Arc<str>);

impl Prefix {
    pub(crate) fn new(text: &str) -> Result<Self, PrefixError> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._:-".contains(&byte);
        let fits = (1..=PrefixError::MAX_BYTES).contains(&text.len());
        if !fits || !text.bytes().all(allowed) {
            return Err(PrefixError { excerpt: text.chars().take(40).flat_map(char::escape_debug).collect() });
        }
        Ok(Self(text.into()))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for Prefix {
    fn default() -> Self {
        Self("cutover".into())
    }
}

/// A text that cannot be the prefix of keys. Nothing has changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{excerpt}` is not a prefix; allowed: 1 to {} of `A-Z`, `a-z`, `0-9`, `.`, `_`, `:` and `-`", Self::MAX_BYTES)]
#[non_exhaustive]
pub struct PrefixError {
    excerpt: String,
}

impl PrefixError {
    /// The longest prefix, in bytes.
    pub const MAX_BYTES: usize = 64;
}

/// The keys of one migration. All of them have one hash tag, so that a cluster keeps them in one slot.
#[derive(Debug)]
pub(crate) struct Keys(String);

impl Keys {
    pub(crate) fn new(prefix: &Prefix, id: &MigrationId) -> Self {
        Self(format!("{{{}:{id}}}", prefix.as_str()))
    }

    fn key(&self, name: &str) -> String {
        format!("{}:{name}", self.0)
    }

    pub(crate) fn record(&self) -> String {
        self.key("record")
    }

    pub(crate) fn audit(&self) -> String {
        self.key("audit")
    }

    pub(crate) fn operations(&self) -> String {
        self.key("operations")
    }

    /// Where the audit of a lost record goes when `operation` begins a new one.
    pub(crate) fn audit_aside(&self, operation: &str) -> String {
        self.key(&format!("aside:{operation}:audit"))
    }

    pub(crate) fn operations_aside(&self, operation: &str) -> String {
        self.key(&format!("aside:{operation}:operations"))
    }

    pub(crate) fn changes(&self) -> String {
        self.key("changes")
    }

    pub(crate) fn claim(&self, item: &ItemId) -> String {
        self.key(&format!("claim:{item}"))
    }

    pub(crate) fn leases(&self) -> String {
        self.key("leases")
    }

    pub(crate) fn discrepancies(&self) -> String {
        self.key("discrepancies")
    }

    pub(crate) fn fingerprints(&self) -> String {
        self.key("fingerprints")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The slot of a key by the cluster specification: CRC-16/XMODEM over what stands between the first brace and the
    /// next closing one, modulo 16384.
    fn slot(key: &str) -> u16 {
        let tag = key.split_once('{').and_then(|(_, rest)| rest.split_once('}')).map(|(tag, _)| tag);
        let hashed = tag.filter(|tag| !tag.is_empty()).unwrap_or(key);
        let crc =
            hashed.bytes().fold(0_u16, |crc, byte| {
                (0..8).fold(crc ^ (u16::from(byte) << 8), |crc, _| {
                    if crc & 0x8000 == 0 { crc << 1 } else { (crc << 1) ^ 0x1021 }
                })
            });
        crc % 16384
    }

    #[test]
    fn slots_are_those_of_the_specification() {
        assert_eq!(slot("123456789"), 0x31C3);
        assert_eq!(slot("{user1000}.following"), slot("{user1000}.followers"));
        assert_eq!(slot("foo{}{bar}"), slot("foo{}{bar}"));
        assert_ne!(slot("{a}"), slot("{b}"));
    }

    #[test]
    fn all_keys_of_a_migration_are_in_one_slot_whatever_the_items_are_called() {
        for prefix in ["cutover", "a:b", "x", "-._:"] {
            for id in ["search", "search.v2", "0", "a-b_c.d"] {
                let keys = Keys::new(&Prefix::new(prefix).unwrap(), &id.parse().unwrap());
                let items = ["plain", "}", "{", "{other}", "}{x}", "a:b", "\u{202E}", "*?[a]"];
                let claims = items.map(|item| keys.claim(&item.parse().unwrap()));
                let others = [
                    keys.record(),
                    keys.audit(),
                    keys.operations(),
                    keys.audit_aside("0f"),
                    keys.operations_aside("0f"),
                    keys.leases(),
                    keys.discrepancies(),
                    keys.fingerprints(),
                ];
                for key in claims.iter().chain(&others) {
                    assert_eq!(slot(key), slot(&format!("{prefix}:{id}")), "{key}");
                }
            }
        }
    }

    #[test]
    fn a_prefix_says_what_is_allowed_and_excerpts_what_is_not() {
        for bad in ["", "{a}", "a b", "ä", "a\n", &"x".repeat(65)] {
            let refused = Prefix::new(bad).unwrap_err();
            assert!(refused.to_string().contains("allowed: 1 to 64 of"), "{refused}");
            assert!(refused.to_string().len() < 160, "{refused}");
        }
        assert_eq!(Prefix::new("app:prod").unwrap().as_str(), "app:prod");
    }
}
