//! One comparison as a table.

use std::collections::BTreeMap;

use crate::harness::Results;
use crate::{Comparison, Entry, Guarantee, Role};

use super::figures::{Figures, digits};
use super::versions::version_of;

/// How far a row of cutover may be above its floor.
const GOAL: f64 = 1.3;

/// What differs less is the same.
const RESOLUTION: f64 = 1.05;

/// A table of BENCHMARKS.md.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) title: String,
    pub(super) about: String,
    pub(super) heads: Vec<String>,
    pub(super) rows: Vec<Vec<String>>,
    unexplained: Vec<String>,
}

impl Table {
    pub(super) fn new(comparison: &Comparison, results: &Results) -> Self {
        let maker = Maker::new(comparison, results);
        let heads = [
            "what",
            "package",
            "ns",
            "of floor",
            "of cutover",
            "ns, 2 threads",
            "of floor",
            "of cutover",
            "allocations",
            "guarantees",
            "remarks",
        ];
        Self {
            title: comparison.title.to_owned(),
            about: comparison.about.to_owned(),
            heads: heads.map(ToOwned::to_owned).to_vec(),
            rows: comparison.entries.iter().map(|entry| maker.row(entry)).collect(),
            unexplained: comparison.entries.iter().filter_map(|entry| maker.unexplained(entry)).collect(),
        }
    }

    pub(super) fn unexplained(&self) -> Vec<String> {
        self.unexplained.clone()
    }
}

struct Maker<'c> {
    comparison: &'c Comparison,
    results: &'c Results,
    figures: [Figures<'c>; 2],
}

impl<'c> Maker<'c> {
    fn new(comparison: &'c Comparison, results: &'c Results) -> Self {
        let figures = [1, 2].map(|threads| Figures::new(results, comparison.id, threads));
        Self { comparison, results, figures }
    }

    fn row(&self, entry: &Entry) -> Vec<String> {
        let mut row = vec![self.name(entry), package(entry)];
        row.extend(self.figures.iter().flat_map(|figures| self.times(entry, figures)));
        row.extend([self.allocations(entry), guarantees(entry.guarantees), self.remarks(entry)]);
        row
    }

    fn name(&self, entry: &Entry) -> String {
        match entry.role {
            Role::Floor => format!("floor {}: {}", self.letter(entry.name), entry.name),
            Role::Ours => format!("**{}**", entry.name),
            Role::Peer => entry.name.to_owned(),
        }
    }

    /// Time, ratio to its floor, ratio to cutover.
    fn times(&self, entry: &Entry, figures: &Figures<'_>) -> [String; 3] {
        let floor = self.floor(entry);
        let of_floor = figures.ratio(entry.name, floor).filter(|_| entry.role != Role::Floor);
        let of_floor = of_floor.map(|ratio| format!("{} {}", digits(ratio), self.letter(floor)));
        let of_ours = self.ours().next().and_then(|ours| figures.ratio(entry.name, ours.name));
        let of_ours = of_ours.filter(|_| entry.role == Role::Peer).map(digits);
        [figures.nanos(entry.name).map(digits), of_floor, of_ours].map(Option::unwrap_or_default)
    }

    fn floor<'e>(&'e self, entry: &'e Entry) -> &'e str {
        let first = || self.comparison.entries.iter().find(|entry| entry.role == Role::Floor);
        entry.floor.or_else(|| first().map(|floor| floor.name)).unwrap_or_default()
    }

    /// Floors are A, B, ..
    fn letter(&self, floor: &str) -> char {
        let floors = self.comparison.entries.iter().filter(|entry| entry.role == Role::Floor);
        floors.zip('A'..).find(|(entry, _)| entry.name == floor).map_or('?', |(_, letter)| letter)
    }

    fn ours(&self) -> impl Iterator<Item = &'c Entry> {
        self.comparison.entries.iter().filter(|entry| entry.role == Role::Ours)
    }

    fn peers(&self) -> impl Iterator<Item = &'c Entry> {
        self.comparison.entries.iter().filter(|entry| entry.role == Role::Peer)
    }

    fn allocations(&self, entry: &Entry) -> String {
        let counted = self.results.allocations.iter();
        let mut of_it =
            counted.filter(|counted| counted.comparison == self.comparison.id && counted.subject == entry.name);
        of_it.next().map(|counted| allocations(counted.per_call)).unwrap_or_default()
    }

    fn remarks(&self, entry: &Entry) -> String {
        let verdict = if entry.role == Role::Ours { self.verdict(entry) } else { Vec::new() };
        let note = (!entry.note.is_empty()).then(|| entry.note.to_owned());
        verdict.into_iter().chain(note).collect::<Vec<_>>().join("; ")
    }

    /// Where a row of cutover stands.
    fn verdict(&self, ours: &Entry) -> Vec<String> {
        let [alone, _] = &self.figures;
        let near = alone.ratio(ours.name, self.floor(ours)).is_some_and(|ratio| ratio <= GOAL);
        let slower = excuses(ours, self.faster_peers(ours));
        let near = near.then(|| format!("within {GOAL} of its floor"));
        let fastest = slower.is_empty() && self.peers().next().is_some();
        let fastest = fastest.then(|| "no peer is faster".to_owned());
        near.into_iter().chain(fastest).chain(slower).collect()
    }

    fn faster_peers(&self, ours: &Entry) -> impl Iterator<Item = &'c Entry> {
        self.peers().filter(move |peer| self.is_slower(ours, peer))
    }

    fn is_slower(&self, ours: &Entry, peer: &Entry) -> bool {
        self.figures.iter().any(|figures| figures.ratio(ours.name, peer.name).is_some_and(|ratio| ratio > RESOLUTION))
    }

    /// A peer that is faster and offers as much needs a reason that nobody has written down.
    fn unexplained(&self, ours: &Entry) -> Option<String> {
        let goal =
            |figures: &Figures<'_>| figures.ratio(ours.name, self.floor(ours)).is_some_and(|ratio| ratio <= GOAL);
        if ours.role != Role::Ours || self.figures.iter().all(goal) {
            return None;
        }
        let equal = self.faster_peers(ours).find(|peer| lacks(ours, peer).is_empty())?;
        Some(format!("{}: {} is slower than {}", self.comparison.id, ours.name, equal.name))
    }
}

/// One for each set of guarantees that is missing.
fn excuses<'e>(ours: &Entry, faster: impl Iterator<Item = &'e Entry>) -> Vec<String> {
    let mut by_lack: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for peer in faster {
        let name = format!("{} {}", peer.package.unwrap_or_default(), peer.name);
        by_lack.entry(guarantees(&lacks(ours, peer))).or_default().push(name.trim().to_owned());
    }
    let excuse = |(lacking, peers): (String, Vec<String>)| match (peers.join(" and "), lacking.is_empty()) {
        (peers, true) => format!("slower than {peers}"),
        (peers, false) => format!("slower than {peers}, without: {lacking}"),
    };
    by_lack.into_iter().map(excuse).collect()
}

fn lacks(ours: &Entry, peer: &Entry) -> Vec<Guarantee> {
    ours.guarantees.iter().copied().filter(|guarantee| !peer.offers(*guarantee)).collect()
}

fn package(entry: &Entry) -> String {
    let Some(package) = entry.package else { return String::new() };
    version_of(package).map_or_else(|| package.to_owned(), |version| format!("{package} {version}"))
}

fn guarantees(all: &[Guarantee]) -> String {
    all.iter().map(|guarantee| guarantee.words()).collect::<Vec<_>>().join(", ")
}

/// Whole numbers, but for what happens in some calls only.
fn allocations(per_call: f64) -> String {
    if (per_call - per_call.round()).abs() < 0.005 {
        digits(per_call.round()).trim_end_matches(".00").trim_end_matches(".0").to_owned()
    } else {
        format!("{per_call:.2}")
    }
}
