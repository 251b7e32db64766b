//! [`KeyForm`]: what the text of a targeting key stands for.

use cutover::BucketKey;

/// What the text of a targeting key stands for.
///
/// `OpenFeature` knows texts only, and an integer is never the same [`BucketKey`] as its decimal text. Where the application
/// routes by integers or UUIDs, say so here, or the same user falls into two buckets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum KeyForm {
    /// The text itself, as [`BucketKey::Str`] (the default). The empty text is a key like any other.
    #[default]
    Text,
    /// A decimal number below 2^64 without sign and leading zeros, as [`BucketKey::U64`].
    U64,
    /// A UUID such as `00112233-4455-6677-8899-aabbccddeeff` in either case, as [`BucketKey::Uuid`].
    Uuid,
}

impl KeyForm {
    /// The key that `text` stands for; `None` when it is not of this form.
    pub(crate) fn read(self, text: &str) -> Option<BucketKey<'_>> {
        match self {
            Self::Text => Some(BucketKey::Str(text)),
            Self::U64 => decimal(text).map(BucketKey::U64),
            Self::Uuid => uuid(text).map(BucketKey::Uuid),
        }
    }

    /// What is allowed, for messages.
    pub(crate) const fn allowed(self) -> &'static str {
        match self {
            Self::Text => "any text",
            Self::U64 => "a decimal number below 2^64 without sign and leading zeros",
            Self::Uuid => "a UUID of 32 hexadecimal digits and four hyphens",
        }
    }
}

fn decimal(text: &str) -> Option<u64> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    text.parse().ok().filter(|_| plain)
}

/// The 16 bytes of a hyphenated UUID (RFC 9562, section 4).
fn uuid(text: &str) -> Option<[u8; 16]> {
    let well_formed = text.split('-').map(str::len).eq([8, 4, 4, 4, 12]);
    let mut digits = text.chars().filter(|character| *character != '-');
    let mut next = || digits.next()?.to_digit(16);
    let mut bytes = [0; 16];
    for byte in &mut bytes {
        *byte = u8::try_from(next()? << 4 | next()?).ok()?;
    }
    well_formed.then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_read_in_its_plain_spelling_only() {
        assert_eq!(KeyForm::U64.read("0"), Some(BucketKey::U64(0)));
        assert_eq!(KeyForm::U64.read("18446744073709551615"), Some(BucketKey::U64(u64::MAX)));
        for text in ["", "+17", "-17", "017", "00", "17 ", "1e3", "18446744073709551616", "\u{0661}"] {
            assert_eq!(KeyForm::U64.read(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_uuid_is_read_in_either_case() {
        let bytes = 0x0011_2233_4455_6677_8899_aabb_ccdd_eeff_u128.to_be_bytes();
        for text in ["00112233-4455-6677-8899-aabbccddeeff", "00112233-4455-6677-8899-AABBccddEEFF"] {
            assert_eq!(KeyForm::Uuid.read(text), Some(BucketKey::Uuid(bytes)));
        }
        let wrong = [
            "",
            "00112233445566778899aabbccddeeff",
            "00112233-4455-6677-8899-aabbccddeef",
            "00112233-4455-6677-8899-aabbccddeefff",
            "0011223-34455-6677-8899-aabbccddeeff",
            "+0112233-4455-6677-8899-aabbccddeeff",
            "{00112233-4455-6677-8899-aabbccddeeff}",
        ];
        for text in wrong {
            assert_eq!(KeyForm::Uuid.read(text), None, "{text:?}");
        }
    }

    #[test]
    fn any_text_is_a_text() {
        assert_eq!(KeyForm::Text.read(""), Some(BucketKey::Str("")));
        assert_eq!(KeyForm::default(), KeyForm::Text);
    }
}
