//! Every pair of outcomes that can be reached gets the verdict that the table in `Verdict` says, in both directions and
//! through every entry point, and nothing else.
#![cfg(feature = "testing")]
#![expect(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "a test")]

use std::time::Duration;

use cutover::dual::Fallback;
use cutover::observe::Event;
use cutover::record::DiscrepancyKind;
use cutover::{Comparison, Outcome, Route, Shadow, Side, SystemMode, Verdict};

mod dual_common;
#[path = "dual_common/entry.rs"]
mod entry;
#[path = "outcome_table/pair.rs"]
mod pair;

use dual_common::silence_planned_panics;
use entry::Entry;
use pair::{FAST, Got, Leaves, Pair, SLOW, Seen};

/// What two outcomes come to when all that is compared is equal: rows are legacy, columns new, both in the order of
/// `Outcome::ALL`.
const VERDICTS: [[Verdict; 5]; 5] = {
    use Verdict::{Abandoned, BothFailed, Matched, OneFailed, Panicked, TimedOut};
    [
        [Matched, OneFailed, Panicked, TimedOut, Abandoned],
        [OneFailed, BothFailed, Panicked, TimedOut, Abandoned],
        [Panicked, Panicked, Panicked, Panicked, Panicked],
        [TimedOut, TimedOut, Panicked, TimedOut, TimedOut],
        [Abandoned, Abandoned, Panicked, TimedOut, Abandoned],
    ]
};

/// How a call gets to these two ends, or why it cannot.
fn way(entry: Entry, serve: Side, served: Outcome, shadow: Outcome) -> Result<Pair, &'static str> {
    use Outcome::{Abandoned, Panicked, TimedOut};
    let pair = Pair::new(entry, serve, served, shadow);
    match (entry, served, shadow) {
        (_, TimedOut, _) => Err("the side that serves has all the time it needs"),
        (Entry::Sync, Abandoned, _) => Err("a closure cannot be left"),
        (Entry::Sync, _, TimedOut) => Err("a closure cannot be stopped"),
        (Entry::Run | Entry::Sync, Panicked, Abandoned) => Ok(pair),
        (Entry::Sync, _, Abandoned) => Err("the shadow runs unless the side that serves has panicked"),
        (Entry::Detached, Panicked | Abandoned, shadow) if shadow != Abandoned => Err("the shadow never starts"),
        (Entry::Detached, Panicked, _) => Ok(pair),
        (Entry::Detached, Abandoned, _) => Ok(Pair { leaves: Leaves::Caller, ..pair }),
        (Entry::Detached, _, Abandoned) => Ok(Pair { leaves: Leaves::Runtime, ..pair }),
        (Entry::Run, Panicked | Abandoned, TimedOut) => Err("only a caller who has its answer loses patience"),
        (Entry::Run, Abandoned, _) => Ok(Pair { leaves: Leaves::Caller, shadow_first: true, ..pair }),
        (Entry::Run | Entry::Sync, Panicked, _) => Ok(Pair { shadow_first: true, ..pair }),
        (Entry::Run, _, Abandoned) => Ok(Pair { leaves: Leaves::Caller, ..pair }),
        (Entry::Run | Entry::Detached | Entry::Sync, ..) => Ok(pair),
    }
}

#[test]
fn every_pair_of_outcomes_gets_its_verdict() {
    silence_planned_panics();
    let mut reached = 0;
    for entry in Entry::ALL {
        for serve in [Side::Legacy, Side::New] {
            for served in Outcome::ALL {
                for pair in Outcome::ALL.into_iter().filter_map(|shadow| way(entry, serve, served, shadow).ok()) {
                    check(&pair, verdict_of(&pair));
                    reached += 1;
                }
            }
        }
    }
    assert_eq!(reached, 2 * (18 + 12 + 10));
}

#[test]
fn the_comparator_decides_between_two_values() {
    for (says, verdict) in opinions() {
        for_both_ok_and_err(Outcome::Ok, |pair| drop(check(&Pair { values: says.clone(), ..pair }, verdict)));
    }
}

#[test]
fn the_error_comparator_decides_between_two_errors() {
    for (says, verdict) in opinions() {
        for_both_ok_and_err(Outcome::Err, |pair| drop(check(&Pair { errors: Some(says.clone()), ..pair }, verdict)));
    }
}

fn opinions() -> [(Comparison, Verdict); 3] {
    [
        (Comparison::Match, Verdict::Matched),
        (Comparison::Ignored, Verdict::Ignored),
        (Comparison::Mismatch(Vec::new()), Verdict::Mismatched),
    ]
}

fn for_both_ok_and_err(outcome: Outcome, check: impl Fn(Pair)) {
    for entry in Entry::ALL {
        for serve in [Side::Legacy, Side::New] {
            check(Pair::new(entry, serve, outcome, outcome));
        }
    }
}

#[test]
fn legacy_answers_for_a_new_side_that_failed() {
    silence_planned_panics();
    for entry in Entry::ALL {
        for new in [Outcome::Ok, Outcome::Err, Outcome::Panicked] {
            for legacy in [Outcome::Ok, Outcome::Err, Outcome::Panicked] {
                for shadow in [Shadow::Run, Shadow::Never, Shadow::NotSampled] {
                    let mut pair = Pair::new(entry, Side::New, new, legacy);
                    pair.fallback = Fallback::ToLegacy;
                    pair.route.shadow = shadow;
                    check_fallback(&pair);
                }
            }
        }
    }
}

fn check_fallback(pair: &Pair) {
    let falls_back = pair.new != Outcome::Ok;
    if pair.route.shadow == Shadow::Run || falls_back {
        let seen = check(pair, verdict_of(pair));
        assert_eq!(seen.counts.fallbacks, u64::from(falls_back), "{pair:?}");
        check_own_times(pair, &seen);
    } else {
        let seen = pair.play();
        assert_eq!(seen.got, Some(Got(Side::New, Outcome::Ok)), "{pair:?}");
        assert_eq!((seen.counts.selected, seen.counts.fallbacks, seen.recorded.len()), (0, 0, 0), "{pair:?}");
    }
}

/// Each side's time counts from its own start.
fn check_own_times(pair: &Pair, seen: &Seen) {
    let own = |event: &&Event| matches!(event, Event::Compared { legacy, new, .. } if (legacy.elapsed, new.elapsed) == (SLOW, FAST));
    assert_eq!(seen.heard.iter().filter(own).count(), 1, "{pair:?}: {:?}", seen.heard);
    assert_eq!((seen.counts.legacy_nanos, seen.counts.new_nanos), (nanos(SLOW), nanos(FAST)), "{pair:?}");
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap()
}

#[test]
fn new_never_answers_for_a_legacy_side_that_failed() {
    silence_planned_panics();
    for entry in Entry::ALL {
        for legacy in [Outcome::Err, Outcome::Panicked] {
            let serves = Pair::new(
                entry,
                Side::Legacy,
                legacy,
                if legacy == Outcome::Err { Outcome::Ok } else { Outcome::Abandoned },
            );
            let pair = Pair { fallback: Fallback::ToLegacy, ..serves };
            let seen = check(&pair, verdict_of(&pair));
            assert_eq!(seen.counts.fallbacks, 0, "{pair:?}");
        }
    }
}

#[test]
fn a_call_of_one_side_is_no_pair() {
    silence_planned_panics();
    for entry in Entry::ALL {
        for serve in [Side::Legacy, Side::New] {
            for served in [Outcome::Ok, Outcome::Err, Outcome::Panicked] {
                let route = Route::new(SystemMode::NewOnly, serve);
                let pair = Pair { route, ..Pair::new(entry, serve, served, Outcome::Ok) };
                let seen = pair.play();
                assert_eq!(seen.got, Some(Got(serve, served)), "{pair:?}");
                assert_eq!((seen.counts.selected, seen.counts.ended(), seen.compared), (0, 0, (0, 0)), "{pair:?}");
                assert!(seen.recorded.is_empty(), "{pair:?}");
                assert!(
                    matches!(seen.heard[..], [Event::Served { sample, .. }] if sample.outcome == served),
                    "{pair:?}"
                );
            }
        }
    }
}

fn verdict_of(pair: &Pair) -> Verdict {
    VERDICTS[pair.legacy as usize][pair.new as usize]
}

/// The pair is answered, counted, compared, recorded and told as it should, and not otherwise.
fn check(pair: &Pair, verdict: Verdict) -> Seen {
    let seen = pair.play();
    assert_eq!(seen.got, answer(pair), "{pair:?}");
    assert_eq!(seen.counts.selected, 1, "{pair:?}");
    for column in Verdict::ALL {
        assert_eq!(seen.counts.of(column), u64::from(column == verdict), "{column} of {pair:?}");
    }
    let faults = seen.counts.faults;
    assert_eq!(faults, cutover::dual::Faults::default(), "{pair:?}");
    assert_eq!(seen.compared, comparisons(pair), "{pair:?}");
    check_recorded(pair, verdict, &seen);
    check_heard(pair, verdict, &seen);
    seen
}

fn answer(pair: &Pair) -> Option<Got> {
    let outcome = |side| if side == Side::Legacy { pair.legacy } else { pair.new };
    let answers = if falls_back(pair) { Side::Legacy } else { pair.route.serve };
    (pair.leaves != Leaves::Caller).then(|| Got(answers, outcome(answers)))
}

fn falls_back(pair: &Pair) -> bool {
    pair.fallback == Fallback::ToLegacy && pair.route.serve == Side::New && pair.new != Outcome::Ok
}

fn comparisons(pair: &Pair) -> (usize, usize) {
    let both = |outcome| (pair.legacy, pair.new) == (outcome, outcome);
    (usize::from(both(Outcome::Ok)), usize::from(both(Outcome::Err) && pair.errors.is_some()))
}

/// Disagreements are recorded, but not those of a call that nobody settles because it was dropped.
fn check_recorded(pair: &Pair, verdict: Verdict, seen: &Seen) {
    let kind = match (verdict, pair.legacy) {
        _ if pair.leaves != Leaves::Nobody => None,
        (Verdict::Mismatched, Outcome::Ok) => Some(DiscrepancyKind::ValuesDiffer),
        (Verdict::Mismatched, _) => Some(DiscrepancyKind::ErrorsDiffer),
        (Verdict::OneFailed, Outcome::Ok) => Some(DiscrepancyKind::NewFailed),
        (Verdict::OneFailed, _) => Some(DiscrepancyKind::LegacyFailed),
        (Verdict::Panicked, _) => Some(DiscrepancyKind::Panicked),
        (Verdict::TimedOut, _) => Some(DiscrepancyKind::TimedOut),
        (Verdict::Matched | Verdict::Ignored | Verdict::BothFailed | Verdict::Abandoned, _) => None,
    };
    let recorded = seen.recorded.iter().map(|found| (found.kind, found.legacy.outcome, found.new.outcome));
    let expected = kind.map(|kind| (kind, pair.legacy, pair.new));
    assert_eq!(recorded.collect::<Vec<_>>(), Vec::from_iter(expected), "{pair:?}");
    for found in &seen.recorded {
        assert_eq!((found.served, found.occurrences), (pair.route.serve, 1), "{pair:?}");
        assert_eq!(found.context.as_ref().unwrap().text, "\"a remark\"", "{pair:?}");
    }
}

/// One event says the same as the counts.
fn check_heard(pair: &Pair, counted: Verdict, seen: &Seen) {
    let compared = seen.heard.iter().filter(|event| !matches!(event, Event::Skipped { .. })).collect::<Vec<_>>();
    let [Event::Compared { route, legacy, new, verdict, fell_back, .. }] = compared[..] else {
        panic!("{pair:?}: {compared:?}");
    };
    assert_eq!((*route, *verdict, *fell_back), (pair.route, counted, falls_back(pair)), "{pair:?}");
    assert_eq!((legacy.side, legacy.outcome), (Side::Legacy, pair.legacy), "{pair:?}");
    assert_eq!((new.side, new.outcome), (Side::New, pair.new), "{pair:?}");
}
