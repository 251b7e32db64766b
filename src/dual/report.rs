//! Turns a judgement into a discrepancy, and closes the books.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use super::books::Books;
use super::end::View;
use super::judge::{Compared, Judge, Judgement};
use super::recorder::RecorderSlot;
use super::shared::Shared;
use super::trace;
use crate::bucket::BucketKey;
use crate::compare::{Comparison, Difference};
use crate::observe::{Part, Sample};
use crate::outcome::{Side, Verdict};
use crate::record::{Capture, Discrepancy, DiscrepancyKind, Fingerprint, SideRecord};

/// The two sides of a call that has ended, and the second answer of legacy if there is one.
pub(super) struct Pair<'a, T, E> {
    pub(super) legacy: View<'a, T, E>,
    pub(super) new: View<'a, T, E>,
    pub(super) twin: Option<&'a T>,
}

/// What a discrepancy shows of a key, made while the key is at hand.
pub(super) fn key_text(key: BucketKey<'_>, shared: &Shared, raw: bool) -> Option<String> {
    if raw {
        return raw_key(key);
    }
    shared.sampler.bucket(key).map(|bucket| format!("{bucket:016x}"))
}

fn raw_key(key: BucketKey<'_>) -> Option<String> {
    match key {
        BucketKey::Str(text) => Some(text.to_owned()),
        BucketKey::Bytes(bytes) => Some(hex(bytes)),
        BucketKey::U64(number) => Some(number.to_string()),
        BucketKey::U128(number) => Some(number.to_string()),
        BucketKey::Uuid(bytes) => Some(hex(&bytes)),
        BucketKey::Missing => None,
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat()
}

impl<T, E> Judge<T, E> {
    /// Judges the pair, records what disagrees and counts the call. Nothing in here reaches the caller.
    #[inline]
    pub(super) fn settle<P: Deref<Target = Shared>>(
        &self,
        books: &mut Books<P>,
        pair: &Pair<'_, T, E>,
        key: impl FnOnce(&Shared) -> Option<String>,
        context: impl FnOnce(&mut Capture) -> fmt::Result,
    ) -> Option<Finding> {
        let compared = self.compare(pair);
        if matches!(compared, Some(Ok(Comparison::Match))) && pair.twin.is_none() {
            books.close(Verdict::Matched);
            return None;
        }
        self.settle_more(books, pair, compared, key, context)
    }

    /// As [`settle`](Self::settle), for all that is not a plain match.
    fn settle_more<P: Deref<Target = Shared>>(
        &self,
        books: &mut Books<P>,
        pair: &Pair<'_, T, E>,
        compared: Option<Compared>,
        key: impl FnOnce(&Shared) -> Option<String>,
        context: impl FnOnce(&mut Capture) -> fmt::Result,
    ) -> Option<Finding> {
        let judgement = self.judge(&books.shared, pair, compared);
        let verdict = judgement.verdict;
        let finding = match judgement.kind(&pair.legacy) {
            None => judgement.fault.map(|fault| Finding::of_fault(&books.shared, &fault)),
            Some(kind) => self.report(books, pair, kind, judgement, key, context),
        };
        books.close(verdict);
        finding
    }

    /// Makes the discrepancy only if somebody wants it and has room for it.
    #[cold]
    fn report<P: Deref<Target = Shared>>(
        &self,
        books: &Books<P>,
        pair: &Pair<'_, T, E>,
        kind: DiscrepancyKind,
        judgement: Judgement,
        key: impl FnOnce(&Shared) -> Option<String>,
        context: impl FnOnce(&mut Capture) -> fmt::Result,
    ) -> Option<Finding> {
        let shared = &*books.shared;
        let mut found = Discrepancy::bare(&shared.name, kind, books.route, shared.clock.wall());
        found.legacy = Self::bare_side(books.sample(Side::Legacy));
        found.new = Self::bare_side(books.sample(Side::New));
        if shared.wants_values() {
            found.legacy.value = self.captures.side(shared, &pair.legacy);
            found.new.value = self.captures.side(shared, &pair.new);
            found.context = self.captures.written(shared, context).filter(|context| !context.text.is_empty());
            found.key = key(shared);
        }
        let finding = shared.panics_on_discrepancy.then(|| Finding::new(&found, &judgement.differences));
        (found.differences, found.differences_truncated) = self.shown(judgement.differences);
        found.fingerprint = Fingerprint::of(&found);
        books.in_span(|| trace::discrepancy(&found));
        shared.record(found);
        finding
    }

    const fn bare_side(sample: Sample) -> SideRecord {
        SideRecord::new(sample.outcome, sample.elapsed)
    }

    /// The differences as a discrepancy shows them: with their values only if the host asked for them, and those of
    /// each side only up to the capture limit.
    fn shown(&self, mut differences: Vec<Difference>) -> (Vec<Difference>, bool) {
        let limit = if self.captures.differences { self.captures.limit } else { 0 };
        let (mut legacy, mut new) = (Capture::with_limit(limit), Capture::with_limit(limit));
        for difference in &mut differences {
            difference.legacy = difference.legacy.take().filter(|value| legacy.json(value).is_ok());
            difference.new = difference.new.take().filter(|value| new.json(value).is_ok());
        }
        let truncated = self.captures.differences && (legacy.is_truncated() || new.is_truncated());
        (differences, truncated)
    }
}

impl Shared {
    /// Whether values should be captured: somebody records, and has room.
    fn wants_values(&self) -> bool {
        self.panics_on_discrepancy || self.recorder.as_ref().is_some_and(|recorder| self.has_room(recorder))
    }

    fn has_room(&self, recorder: &RecorderSlot) -> bool {
        recorder.has_room().unwrap_or_else(|_| {
            self.fault(Part::Recorder);
            false
        })
    }

    fn record(&self, found: Discrepancy) {
        if self.recorder.as_ref().is_some_and(|recorder| !recorder.record(found)) {
            self.fault(Part::Recorder);
        }
    }
}

/// The readable text of a discrepancy, or of a comparison that failed, for runners that panic on one.
#[derive(Debug)]
pub(super) struct Finding(String);

impl Finding {
    fn new(found: &Discrepancy, differences: &[Difference]) -> Self {
        let title = format!("{}: {} ({} vs {})", found.runner, found.kind, found.legacy.outcome, found.new.outcome);
        let sides = [("legacy", &found.legacy.value), ("new", &found.new.value), ("context", &found.context)];
        let sides = sides.into_iter().filter_map(|(name, value)| Some(format!("{name}: {}", value.as_ref()?)));
        let mut lines: Vec<_> = sides.chain(differences.iter().map(ToString::to_string)).collect();
        if lines.is_empty() {
            lines.push("(to see values, give the runner `capture_json()` and `capture_errors(..)`)".to_owned());
        }
        lines.insert(0, format!("the two sides disagree: {title}"));
        Self(lines.join("\n  "))
    }

    fn of_fault(shared: &Shared, fault: &str) -> Self {
        Self(format!("{}: the comparator failed, and nothing was compared: {fault}", shared.name))
    }

    /// Panics with what was found, if anything was.
    #[inline]
    pub(super) fn raise_any(found: Option<Self>) {
        if let Some(finding) = found {
            finding.raise();
        }
    }

    /// Panics with the text, as the host's test asked for.
    #[expect(clippy::panic, reason = "this is what the feature `testing` promises")]
    pub(super) fn raise(self) -> ! {
        panic!("{}", self.0)
    }
}

impl Discrepancy {
    /// A discrepancy seen once, `at` this time, about which nothing else is known yet.
    fn bare(runner: &Arc<str>, kind: DiscrepancyKind, route: crate::Route, at: std::time::SystemTime) -> Self {
        let side = SideRecord::new(crate::Outcome::Abandoned, std::time::Duration::ZERO);
        Self {
            fingerprint: Fingerprint::default(),
            runner: Arc::clone(runner),
            kind,
            differences: Vec::new(),
            differences_truncated: false,
            legacy: side.clone(),
            new: side,
            served: route.serve,
            mode: route.mode,
            epoch: route.epoch,
            key: None,
            context: None,
            occurrences: 1,
            first_seen: at,
            last_seen: at,
        }
    }
}
