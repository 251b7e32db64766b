//! [`Waiting`]: a bounded queue that merges equals. Pure logic, no lock and no thread.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;

/// What can be handed over: plain data, whose destructor does nothing foreign.
pub(crate) trait Parcel: Send + 'static {
    /// What equal parcels have in common.
    type Label: Eq + Hash + Send;

    /// The label; `None` for a parcel that equals no other.
    fn label(&self) -> Option<Self::Label>;

    /// Bytes held.
    fn size(&self) -> usize;

    /// Takes in a later parcel with the same label. The size stays.
    fn merge(&mut self, later: &Self);
}

/// How much may wait.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) entries: usize,
    pub(crate) bytes: usize,
}

/// Where a pushed parcel went.
pub(crate) enum Place<P> {
    /// The end of the queue.
    Own,
    /// Into an equal one that waits.
    Shared,
    /// Nowhere: there is no room. Whoever pushed drops it, outside of the lock.
    None(P),
}

pub(crate) struct Waiting<P: Parcel> {
    limits: Limits,
    /// The parcels with their sizes, oldest first.
    parcels: VecDeque<(P, usize)>,
    /// The place of each label, counted from the first parcel ever queued.
    places: HashMap<P::Label, u64>,
    bytes: usize,
    /// How many parcels have left the queue.
    left: u64,
}

impl<P: Parcel> Waiting<P> {
    pub(crate) fn new(limits: Limits) -> Self {
        Self { limits, parcels: VecDeque::new(), places: HashMap::new(), bytes: 0, left: 0 }
    }

    /// Queues a parcel of `size` bytes.
    pub(crate) fn push(&mut self, parcel: P, size: usize) -> Place<P> {
        let label = parcel.label();
        if let Some(equal) = label.as_ref().and_then(|label| self.find(label)) {
            equal.merge(&parcel);
            return Place::Shared;
        }
        if self.parcels.len() >= self.limits.entries || self.bytes.saturating_add(size) > self.limits.bytes {
            return Place::None(parcel);
        }
        if let Some(label) = label {
            self.places.insert(label, self.end());
        }
        self.bytes += size;
        self.parcels.push_back((parcel, size));
        Place::Own
    }

    fn find(&mut self, label: &P::Label) -> Option<&mut P> {
        let place = self.places.get(label)?.checked_sub(self.left)?;
        self.parcels.get_mut(usize::try_from(place).ok()?).map(|(parcel, _)| parcel)
    }

    /// Takes the oldest parcel.
    pub(crate) fn pop(&mut self) -> Option<P> {
        let (parcel, size) = self.parcels.pop_front()?;
        if let Some(label) = parcel.label() {
            self.places.remove(&label);
        }
        self.bytes -= size;
        self.left += 1;
        Some(parcel)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.parcels.is_empty()
    }

    pub(crate) fn has_room(&self) -> bool {
        self.parcels.len() < self.limits.entries && self.bytes < self.limits.bytes
    }

    /// How many parcels were ever queued.
    pub(crate) fn end(&self) -> u64 {
        self.left + self.parcels.len() as u64
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::test_runner::RngSeed;

    use super::*;

    /// A label, a size, and how many pushes it stands for.
    #[derive(Debug, Clone, PartialEq)]
    struct Sack(Option<u8>, usize, u64);

    impl Parcel for Sack {
        type Label = u8;

        fn label(&self) -> Option<u8> {
            self.0
        }

        fn size(&self) -> usize {
            self.1
        }

        fn merge(&mut self, later: &Self) {
            self.2 += later.2;
        }
    }

    #[derive(Debug, Clone)]
    enum Step {
        Push(Sack),
        Pop,
    }

    fn step() -> impl Strategy<Value = Step> {
        let sack = (prop::option::of(0_u8..6), 0_usize..40).prop_map(|(label, size)| Step::Push(Sack(label, size, 1)));
        prop_oneof![3 => sack, 1 => Just(Step::Pop)]
    }

    proptest! {
        #![proptest_config(ProptestConfig { rng_seed: RngSeed::Fixed(1), failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn it_behaves_like_a_list_that_is_searched(steps in prop::collection::vec(step(), 0..80)) {
            let limits = Limits { entries: 4, bytes: 100 };
            let mut waiting = Waiting::new(limits);
            let mut model: Vec<Sack> = Vec::new();
            for step in steps {
                match step {
                    Step::Pop => {
                        let oldest = (!model.is_empty()).then(|| model.remove(0));
                        prop_assert_eq!(waiting.pop(), oldest);
                    }
                    Step::Push(sack) => {
                        let equal = model.iter().position(|other| other.0.is_some() && other.0 == sack.0);
                        let bytes: usize = model.iter().map(|sack| sack.1).sum();
                        let fits = model.len() < limits.entries && bytes + sack.1 <= limits.bytes;
                        let size = sack.size();
                        match (waiting.push(sack.clone(), size), equal) {
                            (Place::Shared, Some(at)) => model[at].merge(&sack),
                            (Place::Own, None) if fits => model.push(sack),
                            (Place::None(back), None) if !fits => prop_assert_eq!(back, sack),
                            _ => prop_assert!(false, "another place than in the list"),
                        }
                    }
                }
                let bytes: usize = model.iter().map(|sack| sack.1).sum();
                prop_assert_eq!(waiting.has_room(), model.len() < limits.entries && bytes < limits.bytes);
                prop_assert_eq!(waiting.end() - waiting.left, model.len() as u64);
                prop_assert_eq!(waiting.is_empty(), model.is_empty());
                prop_assert_eq!(waiting.places.len(), model.iter().filter(|sack| sack.0.is_some()).count());
            }
        }
    }
}
