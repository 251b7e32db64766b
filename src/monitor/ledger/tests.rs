use super::*;
use crate::observe::Event;
use crate::outcome::Outcome;
use std::time::Duration;

#[derive(Debug)]
struct Fixed(AtomicU64);

impl Clock for Fixed {
    fn now(&self) -> Instant {
        Instant::from_nanos(self.0.load(Ordering::Relaxed))
    }

    fn wall(&self) -> std::time::SystemTime {
        std::time::UNIX_EPOCH
    }
}

const NEW: Route = Route::new(SystemMode::NewOnly, Side::New);

fn ledger() -> (Arc<Fixed>, Ledger) {
    let clock = Arc::new(Fixed(AtomicU64::new(0)));
    let ledger = Ledger::new(Settings::default(), Arc::clone(&clock) as _, false, Qualities::new(Vec::new()));
    (clock, ledger)
}

fn calls(ledger: &Ledger, tick: u64, calls: u64) {
    let started = Instant::from_nanos(tick * 1_000_000_000);
    for _ in 0..calls {
        ledger.start(&NEW, started, Kind::New);
        ledger.end_alone(&NEW, &Sample::new(Side::New, Outcome::Ok, Duration::from_millis(1)), started, None);
    }
}

/// Somebody holds the lock for so long that the ring is full.
#[test]
fn ticks_without_room_are_lost_whole_and_say_so() {
    let (clock, ledger) = ledger();
    calls(&ledger, 0, 1);
    calls(&ledger, 1, 5);
    let room = RING as u64;
    ledger.with_closing(|_| (2..room + 10).for_each(|tick| calls(&ledger, tick, 5)));
    for tick in room + 10..room + 20 {
        calls(&ledger, tick, 5);
    }
    clock.0.store((room + 20) * 1_000_000_000, Ordering::Relaxed);
    let snapshot = ledger.read(|closing| closing.snapshot(&ledger));
    let kept = 5 * (room + 19 - snapshot.lost_ticks);
    assert_eq!((snapshot.counts.new.started, snapshot.counts.new.succeeded), (kept, kept));
    assert!((8..=10).contains(&snapshot.lost_ticks), "{} ticks lost", snapshot.lost_ticks);
    assert_eq!(snapshot.time, Duration::from_secs(room + 19 - snapshot.lost_ticks));
}

/// Somebody holds the lock while the next phase is first seen.
#[test]
fn a_phase_that_could_not_begin_begins_with_the_next_call() {
    let (clock, ledger) = ledger();
    calls(&ledger, 0, 1);
    ledger.with_closing(|_| calls(&ledger, 1, 3));
    let mut later = NEW;
    later.epoch = 9;
    let start = |tick: u64| ledger.start(&later, Instant::from_nanos(tick * 1_000_000_000), Kind::New);
    ledger.with_closing(|_| start(2));
    start(2);
    start(3);
    clock.0.store(40_000_000_000, Ordering::Relaxed);
    let counts = ledger.read(|closing| closing.counts());
    assert_eq!((counts.epoch, counts.new.started, counts.new.overdue), (9, 1, 1));
}

/// A thread that is about to begin a phase finds that another one was faster, a tick ago.
#[test]
fn who_comes_second_to_begin_a_phase_is_counted_in_it() {
    let (clock, ledger) = ledger();
    let phase = phase_of(NEW.epoch, NEW.mode);
    let begin = |tick: u64| ledger.begin(phase, &NEW, tick, Instant::from_nanos(tick * 1_000_000_000));
    assert!(begin(4) && begin(5), "it is the present one");
    let mut earlier = NEW;
    earlier.epoch = 7;
    calls(&ledger, 5, 3);
    assert!(ledger.begin(phase_of(7, NEW.mode), &earlier, 6, Instant::from_nanos(6_000_000_000)));
    assert!(!begin(7), "it is over");
    clock.0.store(40_000_000_000, Ordering::Relaxed);
    assert_eq!(ledger.read(|closing| closing.counts()).epoch, 7);
}

/// The controller says once that the store has an earlier epoch, while somebody reads.
#[test]
fn the_word_of_the_controller_is_not_lost_because_somebody_reads() {
    let (clock, ledger) = ledger();
    let mut later = NEW;
    later.epoch = 9;
    ledger.start(&later, Instant::default(), Kind::New);
    clock.0.store(3_000_000_000, Ordering::Relaxed);
    let told = std::sync::Barrier::new(2);
    std::thread::scope(|scope| {
        ledger.with_closing(|_| {
            scope.spawn(|| {
                told.wait();
                ledger.go_back(4, SystemMode::NewOnly);
            });
            told.wait();
            // If it would not wait, it would have given up by now.
            (0..1_000).for_each(|_| std::thread::yield_now());
        });
    });
    assert_eq!(ledger.read(|closing| closing.counts()).epoch, 4);
}

/// Whoever looks at a glance is to count what a close look counts, and nothing else.
#[test]
fn usual_events_are_counted_alike_and_others_are_left_alone() {
    let ((_, glanced), (_, looked)) = (ledger(), ledger());
    let sample = |outcome, seconds| Sample::new(Side::New, outcome, Duration::from_secs(seconds));
    let well = sample(Outcome::Ok, 1);
    let end = |route, sample, tick: u64| {
        let started = Instant::from_nanos(tick * 1_000_000_000);
        glanced.count_usual(&Event::Served { route, sample, started, key: None })
    };
    assert!(!end(NEW, well, 0), "there is no phase");
    for ledger in [&glanced, &looked] {
        (0..4).for_each(|tick| calls(ledger, tick, 1));
    }
    let started = Instant::from_nanos(3_999_999_999);
    assert!(glanced.count_usual(&Event::Started { route: NEW, started, both: false }) && end(NEW, well, 3));
    assert!(glanced.record_usual(&NEW, &well, started).is_some());
    for _ in 0..2 {
        looked.start(&NEW, started, Kind::New);
        looked.end_alone(&NEW, &well, started, None);
    }
    let mut later = NEW;
    later.epoch = 9;
    assert!(!end(NEW, well, 2) && !end(NEW, well, 4), "of another tick");
    assert!(!end(later, well, 3), "of another phase");
    assert!(!end(NEW, sample(Outcome::Err, 1), 3) && !end(NEW, sample(Outcome::Ok, 30), 3), "not well");
    assert_eq!(glanced.sums(3), looked.sums(3));
    let durations = |ledger: &Ledger| {
        let mut totals = Totals::new();
        ledger.add_durations(Side::New, &mut totals);
        totals.histogram()
    };
    assert_eq!(durations(&glanced), durations(&looked));
    glanced.open_from.store(4, Ordering::Release);
    assert!(!end(NEW, well, 3), "the tick is closed");
}
