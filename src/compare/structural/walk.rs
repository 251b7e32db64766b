//! Goes down both trees at once and collects where they differ.

use std::collections::{HashMap, VecDeque};
use std::hash::{Hash, Hasher};
use std::ops::ControlFlow;

use serde_json::{Map, Value};
use siphasher::sip::SipHasher13;

use super::rules::{Action, Reach, Rule, Step};
use super::{Difference, number};

/// The differences between two trees, and whether there are any: the list is cut at `limit`.
pub(super) fn differences(rules: &[Rule], limit: usize, legacy: &Value, new: &Value) -> Option<Vec<Difference>> {
    let mut walk = Walk { path: Vec::new(), active: Vec::new(), found: Vec::new(), limit };
    let root = walk.root(rules);
    let flow = walk.pair(legacy, new, root);
    (flow.is_break() || !walk.found.is_empty()).then_some(walk.found)
}

struct Walk<'a> {
    /// The steps from the root to here. A path is written out only for a difference.
    path: Vec<Step<'a>>,
    /// The rules that may still match further down; each [`Place`] owns a stretch at the end.
    active: Vec<&'a Rule>,
    found: Vec<Difference>,
    limit: usize,
}

/// What holds where the walk is.
#[derive(Clone, Copy, Default)]
struct Place<'a> {
    /// The stretch of [`Walk::active`].
    from: usize,
    to: usize,
    tolerance: Option<f64>,
    unordered: Option<&'a Option<String>>,
}

/// Breaks when the list is full.
type Flow = ControlFlow<()>;

impl<'a> Walk<'a> {
    fn root(&mut self, rules: &'a [Rule]) -> Place<'a> {
        let mut place = Place::default();
        for rule in rules {
            if rule.stands_at_root() { place.arrive(&rule.action) } else { self.active.push(rule) }
        }
        place.to = self.active.len();
        place
    }

    fn pair(&mut self, legacy: &'a Value, new: &'a Value, place: Place<'a>) -> Flow {
        match (legacy, new) {
            (Value::Object(legacy), Value::Object(new)) => self.objects(legacy, new, place),
            (Value::Array(legacy), Value::Array(new)) => match place.unordered {
                Some(key) => self.unordered(legacy, new, key.as_deref(), place),
                None => self.ordered(legacy, new, place),
            },
            (Value::Number(a), Value::Number(b)) if number::agree(a, b, place.tolerance) => Flow::Continue(()),
            _ if legacy == new => Flow::Continue(()),
            _ => self.report(Some(legacy), Some(new)),
        }
    }

    fn objects(&mut self, legacy: &'a Map<String, Value>, new: &'a Map<String, Value>, place: Place<'a>) -> Flow {
        let mut shared = 0;
        for (key, value) in legacy {
            let partner = new.get(key);
            shared += usize::from(partner.is_some());
            self.step(place, Step::Key(key), Some(value), partner)?;
        }
        if shared == new.len() {
            return Flow::Continue(());
        }
        let added = new.iter().filter(|(key, _)| !legacy.contains_key(*key));
        added.into_iter().try_for_each(|(key, value)| self.step(place, Step::Key(key), None, Some(value)))
    }

    fn ordered(&mut self, legacy: &'a [Value], new: &'a [Value], place: Place<'a>) -> Flow {
        let length = legacy.len().max(new.len());
        (0..length).try_for_each(|at| self.step(place, Step::Index(at), legacy.get(at), new.get(at)))
    }

    /// Goes down the pairs of two unordered arrays, then what only new has.
    fn unordered(&mut self, legacy: &'a [Value], new: &'a [Value], key: Option<&str>, place: Place<'a>) -> Flow {
        let mut free: Vec<Option<&'a Value>> = new.iter().map(Some).collect();
        let partners = self.partners(legacy, new, key, place);
        for (at, (value, partner)) in legacy.iter().zip(partners).enumerate() {
            let partner = partner.and_then(|partner| free.get_mut(partner)).and_then(Option::take);
            // Partners by value are known to be equal.
            if key.is_some() || partner.is_none() {
                self.step(place, Step::Index(at), Some(value), partner)?;
            }
        }
        let added = free.iter().enumerate().filter(|(_, value)| value.is_some());
        added.into_iter().try_for_each(|(at, value)| self.step(place, Step::Index(at), None, *value))
    }

    /// For each element of legacy, the index of its partner in new: those in place first, as they are in equal answers,
    /// then among those with the same mark.
    fn partners(
        &mut self,
        legacy: &'a [Value],
        new: &'a [Value],
        key: Option<&str>,
        place: Place<'a>,
    ) -> Vec<Option<usize>> {
        let in_place = legacy.iter().zip(new).take_while(|(a, b)| self.are_partners(a, b, key, place)).count();
        let mut waiting: HashMap<u64, VecDeque<(usize, &'a Value)>> = HashMap::new();
        for (at, value) in new.iter().enumerate().skip(in_place) {
            waiting.entry(self.mark_element(value, key, place)).or_default().push_back((at, value));
        }
        let partner = |value: &'a Value| {
            let queue = waiting.get_mut(&self.mark_element(value, key, place))?;
            let first = queue.iter().position(|(_, other)| self.are_partners(value, other, key, place))?;
            queue.remove(first).map(|(at, _)| at)
        };
        (0..in_place).map(Some).chain(legacy.iter().skip(in_place).map(partner)).collect()
    }

    fn mark_element(&mut self, value: &'a Value, key: Option<&str>, place: Place<'a>) -> u64 {
        match key.map(|key| value.pointer(key)) {
            Some(key) => key.map_or(0, |key| self.mark(key, Place::default())),
            None => self.within(place, ELEMENT, |walk, place| walk.mark(value, place)).unwrap_or(0),
        }
    }

    fn are_partners(&mut self, legacy: &'a Value, new: &'a Value, key: Option<&str>, place: Place<'a>) -> bool {
        match key.map(|key| (legacy.pointer(key), new.pointer(key))) {
            Some((Some(legacy), Some(new))) => self.probe(|walk| walk.pair(legacy, new, Place::default())),
            Some((legacy, new)) => legacy == new,
            None => self.probe(|walk| walk.step(place, ELEMENT, Some(legacy), Some(new))),
        }
    }

    /// Whether a comparison finds nothing; what it finds is not kept.
    fn probe(&mut self, compare: impl FnOnce(&mut Self) -> Flow) -> bool {
        let limit = std::mem::replace(&mut self.limit, self.found.len());
        let flow = compare(self);
        self.limit = limit;
        flow.is_continue()
    }

    /// A hash that is the same for values that compare as equal here.
    fn mark(&mut self, value: &'a Value, place: Place<'a>) -> u64 {
        match value {
            Value::Null => hash_of(0_u8),
            Value::Bool(flag) => hash_of(flag),
            Value::String(text) => hash_of(text),
            Value::Number(_) if place.tolerance.is_some() => hash_of(1_u8),
            Value::Number(number) => hash_with(|hasher| number::hash(number, hasher)),
            Value::Array(items) => {
                let is_ordered = place.unordered.is_none();
                let children = items.iter().enumerate();
                self.mark_all(
                    children.map(|(at, item)| (if is_ordered { Step::Index(at) } else { ELEMENT }, item)),
                    place,
                )
            }
            Value::Object(map) => self.mark_all(map.iter().map(|(key, value)| (Step::Key(key), value)), place),
        }
    }

    /// A sum, because the order of an object's members, or of an unordered array, means nothing.
    fn mark_all(&mut self, children: impl Iterator<Item = (Step<'a>, &'a Value)>, place: Place<'a>) -> u64 {
        children.fold(2, |sum, (step, child)| {
            let mark = self.within(place, step, |walk, place| hash_of((step, walk.mark(child, place))));
            sum.wrapping_add(mark.unwrap_or(0))
        })
    }

    fn step(&mut self, place: Place<'a>, step: Step<'a>, legacy: Option<&'a Value>, new: Option<&'a Value>) -> Flow {
        let below = |walk: &mut Self, place| match (legacy, new) {
            (Some(legacy), Some(new)) => walk.pair(legacy, new, place),
            _ => walk.report(legacy, new),
        };
        self.within(place, step, below).unwrap_or(Flow::Continue(()))
    }

    /// Runs `body` one step further down; `None` where that place is ignored.
    fn within<R>(
        &mut self,
        place: Place<'a>,
        step: Step<'a>,
        body: impl FnOnce(&mut Self, Place<'a>) -> R,
    ) -> Option<R> {
        let kept = self.active.len();
        let result = self.enter(place, step).map(|below| {
            self.path.push(step);
            let result = body(self, below);
            self.path.pop();
            result
        });
        self.active.truncate(kept);
        result
    }

    fn enter(&mut self, place: Place<'a>, step: Step<'a>) -> Option<Place<'a>> {
        let from = self.active.len();
        let mut below = Place { from, to: from, tolerance: place.tolerance, unordered: None };
        for at in place.from..place.to {
            let Some(&rule) = self.active.get(at) else { break };
            match (rule.reach(self.path.len(), step), &rule.action) {
                (Reach::Leaves, _) => {}
                (Reach::Continues, _) => self.active.push(rule),
                (Reach::Arrives, Action::Ignore) => return None,
                (Reach::Arrives, action) => below.arrive(action),
            }
        }
        below.to = self.active.len();
        Some(below)
    }

    fn report(&mut self, legacy: Option<&Value>, new: Option<&Value>) -> Flow {
        if self.found.len() >= self.limit {
            return Flow::Break(());
        }
        self.found.push(Difference::new(pointer(&self.path), legacy.cloned(), new.cloned()));
        Flow::Continue(())
    }
}

impl<'a> Place<'a> {
    fn arrive(&mut self, action: &'a Action) {
        match action {
            Action::Ignore => {}
            Action::Tolerance(size) => self.tolerance = Some(*size),
            Action::Unordered(key) => self.unordered = Some(key),
        }
    }
}

/// The step to an element whose index means nothing.
const ELEMENT: Step<'static> = Step::Index(usize::MAX);

fn hash_of(value: impl Hash) -> u64 {
    hash_with(|hasher| value.hash(hasher))
}

fn hash_with(feed: impl FnOnce(&mut SipHasher13)) -> u64 {
    let mut hasher = SipHasher13::new();
    feed(&mut hasher);
    hasher.finish()
}

fn pointer(path: &[Step<'_>]) -> String {
    let token = |step: &Step<'_>| match step {
        Step::Key(key) => format!("/{}", key.replace('~', "~0").replace('/', "~1")),
        Step::Index(index) => format!("/{index}"),
    };
    path.iter().map(token).collect()
}
