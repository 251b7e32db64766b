//! [`KeySet`]: the keys of an allow or deny list.

use std::collections::HashSet;

use crate::bucket::BucketKey;

/// A set of owned keys that is asked with borrowed ones, without allocating.
///
/// Two keys are the same when they are hashed as the same bytes with the same tag. A missing key is never in a set.
#[derive(Clone, Default)]
pub(super) struct KeySet {
    by_tag: [HashSet<Box<[u8]>>; 4],
}

impl KeySet {
    pub(super) fn insert(&mut self, key: BucketKey<'_>) {
        key.with_bytes(|bytes: &[u8], tag| {
            if let Some(keys) = self.by_tag.get_mut(usize::from(tag)) {
                keys.insert(bytes.into());
            }
        });
    }

    pub(super) fn contains(&self, key: BucketKey<'_>) -> bool {
        let listed = |bytes: &[u8], tag| self.by_tag.get(usize::from(tag)).is_some_and(|keys| keys.contains(bytes));
        key.with_bytes(listed).unwrap_or(false)
    }

    pub(super) fn len(&self) -> usize {
        self.by_tag.iter().map(HashSet::len).sum()
    }
}

/// Every key that an entry of a configured list stands for.
///
/// A file cannot know how the host passes an identity, so `17` is the text and the integers, and the text of a UUID is
/// the UUID too.
pub(super) fn forms(entry: &str) -> impl Iterator<Item = BucketKey<'_>> {
    let number = plain_decimal(entry);
    let small = number.and_then(|number| u64::try_from(number).ok());
    let uuid = hyphenated_uuid(entry);
    [Some(BucketKey::Str(entry)), number.map(BucketKey::U128), small.map(BucketKey::U64), uuid.map(BucketKey::Uuid)]
        .into_iter()
        .flatten()
}

fn plain_decimal(text: &str) -> Option<u128> {
    text.parse::<u128>().ok().filter(|number| number.to_string() == text)
}

/// The 16 bytes of `xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx` (RFC 9562, section 4).
fn hyphenated_uuid(text: &str) -> Option<[u8; 16]> {
    let lengths = text.split('-').map(str::len);
    let digits: String = text.split('-').collect();
    let well_formed = lengths.eq([8, 4, 4, 4, 12]) && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    well_formed.then(|| u128::from_str_radix(&digits, 16).ok().map(u128::to_be_bytes)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set_of(entry: &str) -> KeySet {
        let mut keys = KeySet::default();
        forms(entry).for_each(|key| keys.insert(key));
        keys
    }

    #[test]
    fn text_and_bytes_are_one_key_and_integers_are_not_their_text() {
        let mut keys = KeySet::default();
        keys.insert("17".into());
        assert!(keys.contains(b"17".into()));
        assert!(!keys.contains(17_u64.into()));
        keys.insert(17_u64.into());
        assert!(keys.contains(17_u64.into()));
        assert!(!keys.contains(17_u128.into()));
        assert!(!keys.contains(BucketKey::Missing));
    }

    #[test]
    fn a_configured_entry_is_the_identity_in_every_form() {
        let number = set_of("17");
        assert!(number.contains("17".into()) && number.contains(17_u64.into()) && number.contains(17_u128.into()));
        assert_eq!(set_of("017").len(), 1);
        let uuid = set_of("00112233-4455-6677-8899-AAbbccddeeff");
        let bytes = 0x0011_2233_4455_6677_8899_aabb_ccdd_eeff_u128.to_be_bytes();
        assert!(uuid.contains(BucketKey::Uuid(bytes)));
        assert_eq!(set_of("00112233-4455-6677-8899-+abbccddeeff").len(), 1);
        assert_eq!(set_of("").len(), 1);
    }
}
