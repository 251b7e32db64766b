//! [`Sites`]: counts of call sites that are found without a lock.

use std::panic::Location;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use super::file;
use super::report::Caller;

/// A table of call sites that only grows, up to its capacity. A slot is written once, so that whoever looks needs no lock.
///
/// Sites are told apart by what they are and not by where the compiler keeps their names: one call in generic code may
/// have several locations in memory, one for each crate that uses it.
pub(super) struct Sites {
    /// At least twice as many as there are sites, so that a search is short.
    slots: Box<[OnceLock<Box<Site>>]>,
    taken: AtomicUsize,
    capacity: usize,
}

impl Sites {
    pub(super) fn new(capacity: usize) -> Self {
        let slots = (0..capacity.saturating_mul(2).next_power_of_two()).map(|_| OnceLock::new());
        Self { slots: slots.collect(), taken: AtomicUsize::new(0), capacity }
    }

    pub(super) fn find(&self, old: &str, place: Place<'_>) -> Option<&Site> {
        self.slots_for(old, place).map_while(OnceLock::get).map(Box::as_ref).find(|site| site.is(old, place))
    }

    /// Adds a site that is not there; says whether there was room. Only one thread may do so at a time.
    pub(super) fn insert(&self, old: &str, place: Place<'_>) -> bool {
        let free = self.slots_for(old, place).find(|slot| slot.get().is_none());
        let Some(free) = free.filter(|_| !self.is_full()) else { return false };
        let inserted = free.set(Box::new(Site::new(old, place))).is_ok();
        self.taken.fetch_add(usize::from(inserted), Ordering::Release);
        inserted
    }

    pub(super) fn is_full(&self) -> bool {
        self.taken.load(Ordering::Acquire) >= self.capacity
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Site> {
        self.slots.iter().filter_map(OnceLock::get).map(Box::as_ref)
    }

    /// All slots, in the order in which this site looks for its own.
    fn slots_for(&self, old: &str, place: Place<'_>) -> impl Iterator<Item = &OnceLock<Box<Site>>> {
        let last = self.slots.len() as u64 - 1;
        let start = usize::try_from(place.hash(old) & last).unwrap_or(0);
        let (before, after) = self.slots.split_at(start);
        after.iter().chain(before)
    }
}

/// Where something old is used.
#[derive(Debug, Clone, Copy)]
pub(super) enum Place<'a> {
    /// A call in code.
    Code(&'static Location<'static>),
    /// A place that the host names.
    Named(&'a str),
}

impl Place<'_> {
    /// A quick hash. It needs no key: only the host's own code and files, never a caller, make call sites.
    fn hash(self, old: &str) -> u64 {
        let hash = match self {
            Self::Code(location) => u64::from(location.line()) ^ u64::from(location.column()).rotate_left(20),
            Self::Named(name) => fnv(FNV_START, name),
        };
        let hash = fnv(FNV_START ^ hash, old);
        hash ^ (hash >> 32)
    }

    pub(super) fn to_caller(self, uses: u64) -> Caller {
        match self {
            Self::Code(at) => {
                let (line, column) = (Some(at.line()), Some(at.column()));
                Caller { file: file::normalised(at.file()), line, column, uses }
            }
            Self::Named(name) => Caller { file: name.to_owned(), line: None, column: None, uses },
        }
    }
}

/// FNV-1a of 64 bits (Fowler, Noll, Vo).
fn fnv(start: u64, text: &str) -> u64 {
    text.bytes().fold(start, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3))
}

const FNV_START: u64 = 0xcbf2_9ce4_8422_2325;

/// One place that uses one old thing.
pub(super) struct Site {
    pub(super) old: Box<str>,
    place: OwnedPlace,
    uses: AtomicU64,
}

enum OwnedPlace {
    Code(&'static Location<'static>),
    Named(Box<str>),
}

impl Site {
    fn new(old: &str, place: Place<'_>) -> Self {
        let place = match place {
            Place::Code(location) => OwnedPlace::Code(location),
            Place::Named(name) => OwnedPlace::Named(name.into()),
        };
        Self { old: old.into(), place, uses: AtomicU64::new(0) }
    }

    fn is(&self, old: &str, place: Place<'_>) -> bool {
        let same_place = match (&self.place, place) {
            (OwnedPlace::Code(here), Place::Code(there)) => *here == there,
            (OwnedPlace::Named(here), Place::Named(there)) => **here == *there,
            (OwnedPlace::Code(_), Place::Named(_)) | (OwnedPlace::Named(_), Place::Code(_)) => false,
        };
        same_place && *self.old == *old
    }

    pub(super) fn count(&self) {
        self.uses.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn to_caller(&self) -> Caller {
        let uses = self.uses.load(Ordering::Relaxed);
        match &self.place {
            OwnedPlace::Code(location) => Place::Code(location).to_caller(uses),
            OwnedPlace::Named(name) => Place::Named(name).to_caller(uses),
        }
    }
}
