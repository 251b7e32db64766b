//! [`ByName`]: the table of flags by name.

use std::collections::HashMap;

use super::feature::{FeatureFlag, Gist};
use crate::bucket::remainder;

/// Flags by name: an open table with linear probing, made once and at most half full.
///
/// A line of the table is a cache line. It has the key of a name and the gist of its flag, so that one line answers for
/// a flag with nothing but a percentage.
pub(super) struct ByName {
    lines: Box<[Line]>,
    flags: Vec<(String, FeatureFlag)>,
}

#[repr(align(64))]
struct Line(Option<Entry>);

struct Entry {
    key: Key,
    gist: Gist,
    flag: u32,
}

impl ByName {
    pub(super) fn new(flags: HashMap<&str, FeatureFlag>) -> Self {
        let flags: Vec<_> = flags.into_iter().map(|(name, flag)| (name.to_owned(), flag)).collect();
        let lines = std::iter::repeat_with(|| Line(None)).take((2 * flags.len()).next_power_of_two()).collect();
        let mut table = Self { lines, flags: Vec::new() };
        for (index, (name, flag)) in (0..).zip(&flags) {
            table.insert(name, Entry { key: Key::of(name), gist: flag.gist(), flag: index });
        }
        Self { flags, ..table }
    }

    fn insert(&mut self, name: &str, entry: Entry) {
        let mut at = entry.key.hash(name);
        while self.lines.get(self.index(at)).is_some_and(|line| line.0.is_some()) {
            at = at.wrapping_add(1);
        }
        let index = self.index(at);
        if let Some(line) = self.lines.get_mut(index) {
            line.0 = Some(entry);
        }
    }

    pub(super) fn names(&self) -> impl ExactSizeIterator<Item = &str> {
        self.flags.iter().map(|(name, _)| name.as_str())
    }

    pub(super) fn contains(&self, name: &str) -> bool {
        self.find(name).is_some()
    }

    pub(super) fn get(&self, name: &str) -> Option<&FeatureFlag> {
        self.find(name).and_then(|entry| self.named(entry)).map(|(_, flag)| flag)
    }

    #[inline]
    pub(super) fn gist(&self, name: &str) -> Option<Gist> {
        self.find(name).map(|entry| entry.gist)
    }

    #[inline(never)]
    fn find(&self, name: &str) -> Option<&Entry> {
        if name.len() > Key::WHOLE {
            return self.find_long(name);
        }
        let key = Key::of(name);
        self.probe(key.hash(name), |entry| entry.key == key)
    }

    #[inline(never)]
    fn find_long(&self, name: &str) -> Option<&Entry> {
        let key = Key::of(name);
        self.probe(key.hash(name), |entry| {
            entry.key == key && self.named(entry).is_some_and(|(known, _)| known == name)
        })
    }

    #[inline]
    fn probe(&self, hash: u64, is_sought: impl Fn(&Entry) -> bool) -> Option<&Entry> {
        let mut at = hash;
        loop {
            let entry = self.lines.get(self.index(at))?.0.as_ref()?;
            if is_sought(entry) {
                return Some(entry);
            }
            at = at.wrapping_add(1);
        }
    }

    /// Round the table, whose length is a power of two.
    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "the mask cuts more")]
    fn index(&self, at: u64) -> usize {
        at as usize & (self.lines.len() - 1)
    }

    fn named(&self, entry: &Entry) -> Option<&(String, FeatureFlag)> {
        self.flags.get(usize::try_from(entry.flag).ok()?)
    }
}

/// What a name is told from others by: its first 16 bytes, its last 15 and its length. That is all of a name of up to
/// [`WHOLE`](Self::WHOLE) bytes.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Key {
    head: u128,
    tail: u128,
}

impl Key {
    /// How long a name may be for its key to have it whole.
    const WHOLE: usize = 31;

    #[inline]
    fn of(name: &str) -> Self {
        let bytes = name.as_bytes();
        let length = u128::from(u8::try_from(bytes.len()).unwrap_or(u8::MAX)) << 120;
        if let (Some(first), Some(last)) = (bytes.first_chunk(), bytes.last_chunk()) {
            return Self { head: u128::from_le_bytes(*first), tail: u128::from_le_bytes(*last) >> 8 | length };
        }
        Self { head: short(bytes), tail: length }
    }

    /// A quick hash of `name`, whose key this is. It needs no secret: only the operator, never a caller, puts names into
    /// the table.
    #[inline]
    fn hash(self, name: &str) -> u64 {
        let ends = fold(self.head ^ PI[0]) ^ fold(self.tail ^ PI[1]);
        if name.len() <= Self::WHOLE { ends } else { hash_on(ends, name) }
    }
}

/// The hash of a name that is longer than its key: its words after the head, and `ends`.
#[inline(never)]
fn hash_on(ends: u64, name: &str) -> u64 {
    let words = name.as_bytes().chunks_exact(8).skip(2).map(|word| remainder(word, 8));
    words.fold(ends, |hash, word| fold((u128::from(hash) << 64 | u128::from(word)) ^ PI[0]))
}

/// Both halves of the product of both halves (Yi, *wyhash*, 2019), so that every bit of `number` reaches every bit.
#[inline]
fn fold(number: u128) -> u64 {
    #[expect(clippy::cast_possible_truncation, reason = "the halves")]
    let halves = |number: u128| (number as u64, (number >> 64) as u64);
    let (low, high) = halves(number);
    let (low, high) = halves(u128::from(low) * u128::from(high));
    low ^ high
}

/// Digits of pi: numbers that no name is likely to cancel.
const PI: [u128; 2] = [0x243f_6a88_85a3_08d3_1319_8a2e_0370_7344, 0xa409_3822_299f_31d0_082e_fa98_ec4e_6c89];

/// Up to 15 bytes as a number: all there are, some of them twice. With the length, it says which.
#[inline]
fn short(bytes: &[u8]) -> u128 {
    match (bytes.first_chunk(), bytes.last_chunk()) {
        (Some(first), Some(last)) => {
            u128::from(u64::from_le_bytes(*first)) | u128::from(u64::from_le_bytes(*last)) << 64
        }
        _ => remainder(bytes, bytes.len()).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(names: &[String]) -> ByName {
        ByName::new(names.iter().map(|name| (name.as_str(), FeatureFlag::new(name))).collect())
    }

    fn assert_all_found(names: &[String]) {
        let table = table(names);
        for name in names {
            assert_eq!(table.get(name).map(FeatureFlag::name), Some(name.as_str()));
        }
        assert_eq!(table.names().len(), names.len());
    }

    fn numbered(name: impl Fn(usize) -> String) -> Vec<String> {
        (0..10_000).map(name).collect()
    }

    #[test]
    fn an_empty_table_has_no_flag() {
        assert!(["", "a", &"a".repeat(40)].iter().all(|name| !table(&[]).contains(name)));
    }

    #[test]
    fn names_of_every_length_are_told_apart() {
        let names: Vec<String> = (0..300).flat_map(|length| ["a", "\0"].map(|text| text.repeat(length))).collect();
        assert_all_found(names.get(1..).unwrap());
    }

    #[test]
    fn names_that_differ_in_one_byte_are_told_apart() {
        for length in 1..80 {
            let same = "a".repeat(length);
            let names: Vec<String> = (0..length).map(|at| format!("{}b{}", &same[..at], &same[at + 1..])).collect();
            assert_all_found(&names);
            assert!(!table(&names).contains(&same));
        }
    }

    #[test]
    fn ten_thousand_flags_are_found_and_no_other() {
        let (flags, others) = (numbered(|n| format!("flag-{n}")), numbered(|n| format!("other-{n}")));
        assert_all_found(&flags);
        let table = table(&flags);
        assert!(!others.iter().any(|name| table.contains(name)));
    }

    #[test]
    fn names_that_look_alike_are_spread() {
        let long = "x".repeat(40);
        let families: [Box<dyn Fn(usize) -> String>; 6] = [
            Box::new(|n| format!("{n}")),
            Box::new(|n| format!("new-search-{n}")),
            Box::new(|n| format!("{n:05}-of-search")),
            Box::new(|n| format!("tenant-{n:06}/new-search/{n:06}")),
            Box::new(|n| format!("{long}{n:05}")),
            Box::new(|n| format!("{long}{n:05}{long}")),
        ];
        for name in families {
            let table = table(&numbered(name));
            assert!(table.steps() < 2 * table.flags.len(), "{} steps", table.steps());
        }
    }

    impl ByName {
        /// How many lines are looked at when each flag is asked for once.
        fn steps(&self) -> usize {
            let steps = |(at, line): (usize, &Line)| {
                let (name, _) = self.named(line.0.as_ref()?)?;
                Some(1 + (at.wrapping_sub(self.index(Key::of(name).hash(name))) & (self.lines.len() - 1)))
            };
            self.lines.iter().enumerate().filter_map(steps).sum()
        }
    }
}
