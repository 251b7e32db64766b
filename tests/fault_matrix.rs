//! Whatever breaks, and however, the caller gets the answer of the side that serves, in bounded time, and the call is
//! counted once.
#![cfg(feature = "testing")]
#![expect(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "a test")]

use std::panic::catch_unwind;
use std::time::Duration;

use cutover::dual::{Counts, Fallback, Order};
use cutover::{Route, Side, SystemMode, Verdict};

#[path = "fault_matrix/chance.rs"]
mod chance;
mod dual_common;
#[path = "dual_common/entry.rs"]
mod entry;
#[path = "fault_matrix/laws.rs"]
mod laws;
#[path = "fault_matrix/parts.rs"]
mod parts;
#[path = "fault_matrix/rare.rs"]
mod rare;
#[path = "fault_matrix/scenario.rs"]
mod scenario;
#[path = "fault_matrix/sides.rs"]
mod sides;
#[path = "fault_matrix/table.rs"]
mod table;
#[path = "dual_common/with_bomb.rs"]
mod with_bomb;
#[path = "fault_matrix/world.rs"]
mod world;

use chance::Chance;
use dual_common::silence_planned_panics;
use entry::Entry;
use laws::broken_laws;
use scenario::{Got, Scenario, Seen};
use sides::Behaviour;
use table::{Cell, PATIENCE, SLOW, TABLE};
use world::{Fault, Part};

const SERVED: Duration = Duration::from_millis(10);
const SHADOW: Duration = Duration::from_millis(5);

#[test]
fn every_part_stands_in_the_matrix_with_every_fault() {
    let expected = Part::ALL.into_iter().flat_map(|part| Fault::ALL.map(|fault| (part, fault)));
    let listed = TABLE.iter().map(|&(part, fault, _)| (part, fault));
    assert!(listed.eq(expected));
}

#[test]
fn no_broken_part_touches_the_served_answer() {
    silence_planned_panics();
    let mut broken = Vec::new();
    for (part, fault, cells) in TABLE {
        for (entry, cell) in Entry::ALL.into_iter().zip(cells) {
            let Ok(cell) = cell else { continue };
            for serve in [Side::Legacy, Side::New] {
                let checked = catch_unwind(|| check(*part, *fault, entry, serve, cell));
                broken.extend(checked.is_err().then_some((part, fault, entry, serve)));
            }
        }
    }
    assert!(broken.is_empty(), "these cells do not hold: {broken:#?}");
}

/// `CUTOVER_FAULT_SEED` and `CUTOVER_FAULT_RUNS` draw others.
#[test]
fn what_breaks_together_touches_no_served_answer_either() {
    silence_planned_panics();
    let (first, runs) = (number("CUTOVER_FAULT_SEED", 0x5eed), number("CUTOVER_FAULT_RUNS", 120_000));
    for seed in first..first + runs {
        let scenario = Chance::new(seed).scenario();
        let played = catch_unwind(|| scenario.play());
        let broken = played.map(|seen| broken_laws(&scenario, &seen));
        assert!(matches!(&broken, Ok(none) if none.is_empty()), "seed {seed}: {broken:?}\n{scenario:#?}");
    }
}

fn number(variable: &str, default: u64) -> u64 {
    std::env::var(variable).map_or(default, |number| number.parse().unwrap())
}

fn check(part: Part, fault: Fault, entry: Entry, serve: Side, cell: &Cell) {
    let of = format!("{part:?} with {fault:?} in {entry:?}, served by {serve}");
    let scenario = scenario(part, fault, entry, serve);
    let seen = scenario.play();
    let answers = if cell.verdict.is_some() { serve } else { Side::Legacy };
    let given = seen.world.given(answers).map_or(Got::Nothing, |(given, _)| Got::This(given));
    assert!(given != Got::Nothing || (part, fault) == (Part::Served, Fault::Hang), "{of}: nothing was served");
    assert_eq!(seen.got, given, "{of}");
    assert!(seen.took <= own_time(part, entry, cell) + cell.wait, "{of}: took {:?}", seen.took);
    assert_counts(&seen, part, cell, &of);
    assert_eq!(seen.world.with(|ledger| std::mem::take(&mut ledger.broken)), [""; 0], "{of}");
}

/// What a call takes in which nothing is broken: closures run one after the other.
fn own_time(part: Part, entry: Entry, cell: &Cell) -> Duration {
    match entry {
        Entry::Sync if cell.verdict.is_some() => SERVED + shadow_time(part),
        Entry::Run | Entry::Detached | Entry::Sync => SERVED,
    }
}

fn shadow_time(part: Part) -> Duration {
    if part == Part::Sleep { SLOW } else { SHADOW }
}

fn assert_counts(seen: &Seen, part: Part, cell: &Cell, of: &str) {
    let counts = &seen.counts;
    assert_eq!(counts.selected, u64::from(cell.verdict.is_some()), "{of}: {counts:?}");
    for verdict in Verdict::ALL {
        assert_eq!(counts.of(verdict), u64::from(cell.verdict == Some(verdict)), "{of}: {verdict} of {counts:?}");
    }
    for (column, faults) in faults(counts) {
        let expected = if Some(column) == column_of(part) { cell.faults } else { 0 };
        assert_eq!(faults, expected, "{of}: {column} of {counts:?}");
    }
    assert_eq!(seen.after.selected, counts.selected + 1, "{of}: the next call is selected");
    assert_eq!(seen.after.ended(), counts.ended() + 1, "{of}: the next call ends");
}

fn faults(counts: &Counts) -> [(&'static str, u64); 6] {
    let faults = &counts.faults;
    [
        ("router", faults.router),
        ("comparator", faults.comparator),
        ("capture", faults.capture),
        ("recorder", faults.recorder),
        ("observer", faults.observer),
        ("runtime", faults.runtime),
    ]
}

fn column_of(part: Part) -> Option<&'static str> {
    match part {
        Part::Router => Some("router"),
        Part::Comparator | Part::Projection | Part::ErrorComparator => Some("comparator"),
        Part::Context | Part::Clone | Part::Capture | Part::ErrorCapture => Some("capture"),
        Part::Recorder | Part::QueuedRecorder => Some("recorder"),
        Part::Observer | Part::QueuedObserver => Some("observer"),
        Part::Spawn | Part::Sleep => Some("runtime"),
        Part::Served | Part::Shadow | Part::Twin => None,
    }
}

/// Both sides run and disagree, so that every part has something to do.
fn scenario(part: Part, fault: Fault, entry: Entry, serve: Side) -> Scenario {
    let fails = matches!(part, Part::Projection | Part::ErrorComparator | Part::ErrorCapture);
    let side = |side: Side| Behaviour {
        part: if side == serve { Part::Served } else { Part::Shadow },
        side,
        yields: 1,
        delay: if side == serve { SERVED } else { shadow_time(part) },
        content: if side == Side::Legacy { 1 } else { 2 },
        fails,
    };
    let twin = Behaviour { part: Part::Twin, delay: SHADOW, ..side(Side::Legacy) };
    Scenario {
        entry,
        route: Route::new(SystemMode::Parallel, serve).with_shadow(),
        fallback: Fallback::Never,
        sampled: true,
        places: Some(1),
        timeout: Duration::from_secs(1),
        order: Order::ServedFirst,
        patience: PATIENCE,
        legacy: side(Side::Legacy),
        new: side(Side::New),
        twin: (part == Part::Twin).then_some(twin),
        broken: vec![(part, fault)],
        polls: u32::MAX,
        shuts_down: false,
        seed: 1,
    }
}
