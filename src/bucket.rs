//! [`BucketKey`], [`Domain`] and the stable hash `sip13-v1`.
//!
//! The algorithm is a contract that another language can implement from this page; golden vectors stand in
//! `tests/vectors/bucketing.json`.
//!
//! - Key derivation, once per salt and domain:
//!   `K = SipHash-2-4-128(key = 0,0; b"cutover/sip13-v1" ++ 0x00 ++ domain ++ salt)`, with `k0 = h1` and `k1 = h2`.
//!   `domain` is one byte, `salt` is UTF-8.
//! - Bucket: `SipHash-1-3(key = k0,k1; bytes ++ tag)` as `u64`, where `tag` is one byte for the kind of key.
//! - Share: the bucket is in a share of `ppm` iff `(bucket as u128 * 1_000_000) >> 64 < ppm`.
//!
//! `SipHash` is from Aumasson and Bernstein, *`SipHash`: a fast short-input PRF* (2012).

use siphasher::sip128::{Hasher128, SipHasher24};
use std::hash::Hasher;

/// The name of the bucketing algorithm. A change of any bucket would be a new name.
pub const ALGORITHM: &str = "sip13-v1";

/// What a hash is used for. Each domain has its own key, so that who is in a rollout says nothing about who is sampled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[repr(u8)]
pub enum Domain {
    /// Who is served by the new side.
    Rollout = 1,
    /// Whose calls also run the shadow.
    Shadow = 2,
    /// Which of several variants a key gets.
    Variants = 3,
}

/// What is bucketed: a user, tenant, order or any other identity that must always get the same answer.
///
/// Keys are borrowed and hashed as the bytes they are: no Unicode normalisation, no case folding, never the `Hash` trait.
/// Strings and byte slices with the same bytes are the same key; an integer is never the same key as its decimal text.
/// An empty string is a key like any other; [`Missing`](Self::Missing) is the absence of one, and is never hashed.
///
/// Methods that take `impl Into<BucketKey>` accept:
///
/// | a key of type | is |
/// |---|---|
/// | `&str`, `&String` | text; of an owned `String`, pass `&name` |
/// | `&[u8]`, `&[u8; N]`, `&Vec<u8>` | bytes |
/// | `u32`, `u64` | the same key for the same number |
/// | `u128` | never the key of an equal `u64` |
/// | an `Option` of any of them | [`Missing`](Self::Missing) for `None` |
/// | `BucketKey` | itself, such as [`BucketKey::Uuid`] of a UUID's bytes |
///
/// For an `i64`, decide once: `u64::try_from(id)?` where ids are never negative, or the text `&id.to_string()`, which is
/// another key.
///
/// ```
/// use cutover::BucketKey;
///
/// let user = String::from("user-17");
/// assert_eq!(BucketKey::from(&user), BucketKey::from("user-17"));
/// assert_eq!(BucketKey::from(None::<&str>), BucketKey::Missing);
/// assert_eq!(BucketKey::from(17_u32), BucketKey::from(u64::try_from(17_i64)?));
/// # Ok::<(), std::num::TryFromIntError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum BucketKey<'a> {
    /// UTF-8 text, tag 0x00.
    Str(&'a str),
    /// Raw bytes, tag 0x00.
    Bytes(&'a [u8]),
    /// Eight little-endian bytes, tag 0x01.
    U64(u64),
    /// Sixteen little-endian bytes, tag 0x02.
    U128(u128),
    /// The sixteen bytes of a UUID in RFC 9562 order, tag 0x03.
    Uuid([u8; 16]),
    /// There is no key: a [`MissingKey`] policy decides.
    Missing,
}

impl<'a> From<&'a str> for BucketKey<'a> {
    #[inline]
    fn from(key: &'a str) -> Self {
        Self::Str(key)
    }
}

impl<'a> From<&'a String> for BucketKey<'a> {
    #[inline]
    fn from(key: &'a String) -> Self {
        Self::Str(key)
    }
}

impl<'a> From<&'a [u8]> for BucketKey<'a> {
    #[inline]
    fn from(key: &'a [u8]) -> Self {
        Self::Bytes(key)
    }
}

impl<'a, const N: usize> From<&'a [u8; N]> for BucketKey<'a> {
    #[inline]
    fn from(key: &'a [u8; N]) -> Self {
        Self::Bytes(key)
    }
}

impl<'a> From<&'a Vec<u8>> for BucketKey<'a> {
    #[inline]
    fn from(key: &'a Vec<u8>) -> Self {
        Self::Bytes(key)
    }
}

impl From<u64> for BucketKey<'_> {
    #[inline]
    fn from(key: u64) -> Self {
        Self::U64(key)
    }
}

/// Widened: the same key as the equal `u64`.
impl From<u32> for BucketKey<'_> {
    #[inline]
    fn from(key: u32) -> Self {
        Self::U64(key.into())
    }
}

impl From<u128> for BucketKey<'_> {
    #[inline]
    fn from(key: u128) -> Self {
        Self::U128(key)
    }
}

impl<'a, K: Into<Self>> From<Option<K>> for BucketKey<'a> {
    #[inline]
    fn from(key: Option<K>) -> Self {
        key.map_or(BucketKey::<'a>::Missing, Into::into)
    }
}

impl BucketKey<'_> {
    /// Hands `take` the bytes that stand for this key and the tag of its kind; `None` for a missing key.
    #[expect(clippy::inline_always, reason = "the kind of key is known where it is called, and nowhere else")]
    #[inline(always)]
    pub(crate) fn with_bytes<R>(self, take: impl TakeBytes<R>) -> Option<R> {
        let text = match self {
            Self::Str(text) => text.as_bytes(),
            Self::Bytes(bytes) => bytes,
            Self::U64(number) => return Some(take.take(&number.to_le_bytes(), 1)),
            Self::U128(number) => return Some(take.take(&number.to_le_bytes(), 2)),
            Self::Uuid(bytes) => return Some(take.take(&bytes, 3)),
            Self::Missing => return None,
        };
        Some(take.take(text, 0))
    }
}

/// What the bytes of a key are handed to. A closure would do, but cannot be inlined always.
pub(crate) trait TakeBytes<R> {
    fn take(self, bytes: &[u8], tag: u8) -> R;
}

impl<R, F: FnOnce(&[u8], u8) -> R> TakeBytes<R> for F {
    fn take(self, bytes: &[u8], tag: u8) -> R {
        self(bytes, tag)
    }
}

/// What happens to a call without a key. It is never bucket 0, which would put every anonymous call on one side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum MissingKey {
    /// The legacy side serves (the default).
    #[default]
    Legacy,
    /// Each call draws its own bucket: the share holds on average, but no caller keeps its side.
    Random,
}

impl MissingKey {
    /// The name in configuration: `legacy` or `random`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Legacy => "legacy",
            Self::Random => "random",
        }
    }
}

/// The keyed hash of one salt and domain: turns keys into buckets, the same ones for ever.
///
/// ```
/// use cutover::bucket::{BucketHasher, Domain};
///
/// let hasher = BucketHasher::new("checkout", Domain::Rollout);
/// assert_eq!(hasher.bucket("user-17"), hasher.bucket("user-17"));
/// assert_ne!(hasher.bucket("user-17"), BucketHasher::new("search", Domain::Rollout).bucket("user-17"));
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct BucketHasher {
    k0: u64,
    k1: u64,
}

impl BucketHasher {
    /// Derives the key for `salt` and `domain`.
    #[must_use]
    pub fn new(salt: &str, domain: Domain) -> Self {
        let mut derive = SipHasher24::new_with_keys(0, 0);
        derive.write(b"cutover/sip13-v1\x00");
        derive.write(&[domain as u8]);
        derive.write(salt.as_bytes());
        let key = derive.finish128();
        Self { k0: key.h1, k1: key.h2 }
    }

    /// The bucket of `key`, uniform over all of `u64`; `None` for a missing key.
    #[must_use]
    #[expect(clippy::inline_always, reason = "the kind of key is known where it is called, and nowhere else")]
    #[inline(always)]
    pub fn bucket<'a>(&self, key: impl Into<BucketKey<'a>>) -> Option<u64> {
        key.into().with_bytes(self)
    }
}

impl TakeBytes<u64> for &BucketHasher {
    #[expect(clippy::inline_always, reason = "of a known kind of key, one hash is left")]
    #[inline(always)]
    fn take(self, bytes: &[u8], tag: u8) -> u64 {
        sip13(self.k0, self.k1, bytes, tag)
    }
}

/// `SipHash-1-3(key = k0,k1; bytes ++ tag)` in one pass, without copying the two together.
#[expect(clippy::inline_always, reason = "a call costs a tenth of a short hash")]
#[inline(always)]
fn sip13(k0: u64, k1: u64, bytes: &[u8], tag: u8) -> u64 {
    let mut state = Sip13::new(k0, k1);
    let mut words = bytes.chunks_exact(8);
    for word in &mut words {
        state.absorb(<[u8; 8]>::try_from(word).map_or(0, u64::from_le_bytes));
    }
    let left = words.remainder().len();
    let last = remainder(bytes, left) | u64::from(tag) << (8 * left);
    let length = (bytes.len() as u64 + 1) << 56;
    if left == 7 {
        state.absorb(last);
        return state.finish(length);
    }
    state.finish(length | last)
}

/// The last `left` bytes, fewer than 8, as a little-endian number.
#[inline]
pub(crate) fn remainder(bytes: &[u8], left: usize) -> u64 {
    match bytes.last_chunk() {
        Some(_) if left == 0 => 0,
        Some(last) => u64::from_le_bytes(*last) >> (64 - 8 * left),
        None => bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte)),
    }
}

/// The state of `SipHash-1-3`.
struct Sip13 {
    v0: u64,
    v1: u64,
    v2: u64,
    v3: u64,
}

impl Sip13 {
    #[inline]
    const fn new(k0: u64, k1: u64) -> Self {
        Self {
            v0: k0 ^ 0x736f_6d65_7073_6575,
            v1: k1 ^ 0x646f_7261_6e64_6f6d,
            v2: k0 ^ 0x6c79_6765_6e65_7261,
            v3: k1 ^ 0x7465_6462_7974_6573,
        }
    }

    #[inline]
    const fn absorb(&mut self, word: u64) {
        self.v3 ^= word;
        self.round();
        self.v0 ^= word;
    }

    #[inline]
    const fn finish(mut self, last: u64) -> u64 {
        self.absorb(last);
        self.v2 ^= 0xff;
        self.round();
        self.round();
        self.round();
        self.v0 ^ self.v1 ^ self.v2 ^ self.v3
    }

    #[inline]
    const fn round(&mut self) {
        self.v0 = self.v0.wrapping_add(self.v1);
        self.v2 = self.v2.wrapping_add(self.v3);
        self.v1 = self.v1.rotate_left(13) ^ self.v0;
        self.v3 = self.v3.rotate_left(16) ^ self.v2;
        self.v0 = self.v0.rotate_left(32);
        self.v2 = self.v2.wrapping_add(self.v1);
        self.v0 = self.v0.wrapping_add(self.v3);
        self.v1 = self.v1.rotate_left(17) ^ self.v2;
        self.v3 = self.v3.rotate_left(21) ^ self.v0;
        self.v2 = self.v2.rotate_left(32);
    }
}

/// The derived key stays out of logs: with it, anybody could choose keys that fall into a rollout.
impl std::fmt::Debug for BucketHasher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BucketHasher").finish_non_exhaustive()
    }
}

/// Where a bucket lies in parts per million, 0 to 999,999.
///
/// ```
/// assert_eq!(cutover::bucket::ppm_of(0), 0);
/// assert_eq!(cutover::bucket::ppm_of(u64::MAX), 999_999);
/// ```
#[must_use]
#[inline]
pub const fn ppm_of(bucket: u64) -> u32 {
    #[expect(clippy::cast_possible_truncation, reason = "a quotient below 1,000,000 fits")]
    let ppm = ((bucket as u128 * 1_000_000) >> 64) as u32;
    ppm
}
