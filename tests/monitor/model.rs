//! Whatever calls come and end in whatever order, the sums are those of a plain list of them.

use std::time::Duration;

use cutover::monitor::{PhaseCounts, SideCounts};
use cutover::observe::Sample;
use cutover::random::RandomSource;
use cutover::testing::SeededRandom;
use cutover::{Clock, Outcome, Side, SystemMode, Verdict};

use crate::world::{Open, World, millis, route};

const P95: Duration = millis(700);

/// A call of the list: how it started, and how and when it ended.
struct Listed {
    open: Open,
    tick: u64,
    end: Option<End>,
}

#[derive(Clone, Copy)]
struct End {
    at: u64,
    legacy: Option<Sample>,
    new: Option<Sample>,
    verdict: Verdict,
}

struct Random(SeededRandom);

impl Random {
    fn below(&self, limit: u64) -> u64 {
        self.0.next_u64() % limit
    }

    fn one_of<V: Copy>(&self, values: &[V]) -> V {
        values[usize::try_from(self.below(values.len() as u64)).unwrap()]
    }

    fn outcome(&self) -> Outcome {
        use Outcome::{Abandoned, Err, Ok, Panicked, TimedOut};
        self.one_of(&[Ok, Ok, Ok, Err, Panicked, TimedOut, Abandoned])
    }

    fn verdict(&self, legacy: Outcome, new: Outcome) -> Verdict {
        match (legacy, new) {
            (Outcome::Ok, Outcome::Ok) | (Outcome::Err, Outcome::Err) => {
                self.one_of(&[Verdict::Matched, Verdict::Mismatched, Verdict::Ignored])
            }
            _ => Verdict::OneFailed,
        }
    }
}

fn second(nanos: u64) -> u64 {
    nanos / 1_000_000_000
}

/// What has ended by then does, however late somebody looks.
const fn deadline(tick: u64) -> u64 {
    (tick + 1 + 30) * 1_000_000_000
}

#[test]
fn the_sums_are_those_of_a_plain_list() {
    for seed in 0..60 {
        play(seed);
    }
}

fn play(seed: u64) {
    let (world, random) = (World::with_p95(P95), Random(SeededRandom::new(seed)));
    let mut list: Vec<Listed> = Vec::new();
    let pace = random.one_of(&[10, 300, 3_000]);
    world.begin(route(SystemMode::GradualRollout, Side::New, 5));
    let begins = second(world.clock.now().as_nanos());
    for step in 0..1_500 {
        match random.below(10) {
            0..5 => list.push(start(&world, &random)),
            5..8 => end_one(&world, &random, &mut list),
            _ => world.clock.advance(millis(random.below(pace))),
        }
        if random.below(40) == 0 {
            let now = world.clock.now().as_nanos();
            let late = list.iter().filter(|call| call.end.is_some_and(|end| end.at >= deadline(call.tick))).count();
            assert_eq!(world.counts(), expected(&list, begins, now), "seed {seed}, step {step}");
            assert_eq!(world.monitor.snapshot().late, late as u64, "seed {seed}, step {step}");
        }
    }
}

fn start(world: &World, random: &Random) -> Listed {
    let serve = if random.below(2) == 0 { Side::Legacy } else { Side::New };
    let route = route(SystemMode::GradualRollout, serve, 5);
    let open = if random.below(2) == 0 { world.start(route) } else { world.start_both(route) };
    Listed { open, tick: second(open.started.as_nanos()), end: None }
}

/// Ends one of the calls that are open; some never end.
fn end_one(world: &World, random: &Random, list: &mut [Listed]) {
    let still_open = |(place, call): (usize, &mut Listed)| (call.end.is_none() && place % 17 != 3).then_some(place);
    let open: Vec<usize> = list.iter_mut().enumerate().filter_map(still_open).collect();
    if open.is_empty() {
        return;
    }
    let call = &mut list[random.one_of(&open)];
    let now = world.clock.now();
    let took = now.since(call.open.started);
    let sample = |side, outcome, took| Sample::new(side, outcome, took);
    let falls_back = !call.open.both && call.open.route.serve == Side::New && random.below(4) == 0;
    let (legacy, new, verdict);
    if call.open.both || falls_back {
        let ends = if falls_back { (random.outcome(), Outcome::Err) } else { (random.outcome(), random.outcome()) };
        let legacy_took = took.mul_f64(random.below(101) as f64 / 100.0);
        (legacy, new) = (Some(sample(Side::Legacy, ends.0, legacy_took)), Some(sample(Side::New, ends.1, took)));
        verdict = random.verdict(ends.0, ends.1);
        world.end_both(call.open, legacy.unwrap(), new.unwrap(), verdict);
    } else {
        let ends = sample(call.open.route.serve, random.outcome(), took);
        (legacy, new) = match ends.side {
            Side::Legacy => (Some(ends), None),
            Side::New => (None, Some(ends)),
        };
        verdict = Verdict::Matched;
        world.end(call.open, ends.outcome);
    }
    call.end = Some(End { at: now.as_nanos(), legacy, new, verdict });
}

/// The sums of all ticks that are closed by `now`.
fn expected(list: &[Listed], begins: u64, now: u64) -> PhaseCounts {
    let mut counts = PhaseCounts::empty(5, SystemMode::GradualRollout);
    for tick in begins..second(now) {
        let calls = || list.iter().filter(|call| call.tick == tick);
        if now < deadline(tick) && calls().any(|call| call.end.is_none()) {
            break;
        }
        calls().for_each(|call| add(&mut counts, call));
    }
    counts
}

fn add(counts: &mut PhaseCounts, call: &Listed) {
    let end = call.end.filter(|end| end.at < deadline(call.tick));
    let serve = call.open.route.serve;
    let runs =
        |side| call.open.both || serve == side || end.is_some_and(|end| end.legacy.is_some() && end.new.is_some());
    let sides = [(Side::Legacy, end.and_then(|end| end.legacy)), (Side::New, end.and_then(|end| end.new))];
    for (side, sample) in sides.into_iter().filter(|(side, _)| runs(*side)) {
        let (all, served) = match side {
            Side::Legacy => (&mut counts.legacy, &mut counts.served_legacy),
            Side::New => (&mut counts.new, &mut counts.served_new),
        };
        let run = Run { sample, serves: serve == side };
        add_side(all, run);
        if run.serves {
            served.started += 1;
            served.failed += u64::from(run.failed());
            served.overdue += u64::from(run.overdue());
            served.slow += u64::from(run.is_over(2 * P95));
        }
    }
    if call.open.both {
        let run = |place: usize| Run { sample: sides[place].1, serves: sides[place].0 == serve };
        add_pair(counts, run(0), run(1), end.map(|end| end.verdict));
    }
}

/// One run of a side, which never ended if it has no sample.
#[derive(Clone, Copy)]
struct Run {
    sample: Option<Sample>,
    serves: bool,
}

impl Run {
    fn ended_as(self, outcome: Outcome) -> bool {
        self.sample.is_some_and(|sample| sample.outcome == outcome)
    }

    fn dropped(self) -> bool {
        self.ended_as(Outcome::Abandoned)
    }

    fn stopped(self) -> bool {
        self.ended_as(Outcome::TimedOut) && !self.serves
    }

    fn given_up(self) -> bool {
        self.dropped() || self.stopped()
    }

    fn failed(self) -> bool {
        !self.given_up() && !self.ended_as(Outcome::Ok)
    }

    fn overdue(self) -> bool {
        self.sample.is_none() || (self.ended_as(Outcome::TimedOut) && self.serves)
    }

    fn is_over(self, limit: Duration) -> bool {
        self.overdue() || self.sample.is_some_and(|sample| sample.elapsed > limit)
    }

    fn unfinished(self) -> bool {
        self.stopped() || (self.dropped() && self.is_over(millis(770)))
    }
}

fn add_side(counts: &mut SideCounts, run: Run) {
    counts.started += 1;
    counts.abandoned += u64::from(run.given_up());
    counts.unfinished += u64::from(run.unfinished());
    counts.failed += u64::from(run.failed());
    counts.succeeded += u64::from(run.ended_as(Outcome::Ok));
    counts.overdue += u64::from(run.overdue());
    counts.slow += u64::from(run.is_over(2 * P95));
    counts.slow_for_promotion += u64::from(run.is_over(millis(770)) || run.unfinished());
    counts.timed += u64::from(!run.given_up() || run.unfinished());
}

fn add_pair(counts: &mut PhaseCounts, legacy: Run, new: Run, verdict: Option<Verdict>) {
    let pairs = &mut counts.pairs;
    let legacy_is_long = legacy.stopped() || legacy.is_over(P95);
    pairs.timed += 1;
    pairs.only_new_slow += u64::from(new.is_over(2 * P95) && !legacy_is_long && !legacy.dropped());
    pairs.only_legacy_slow += u64::from(legacy_is_long && !new.is_over(2 * P95));
    if legacy.given_up() || new.given_up() {
        return;
    }
    let one_failed = legacy.failed() != new.failed();
    let mismatched = one_failed || verdict == Some(Verdict::Mismatched);
    pairs.pairs += 1;
    pairs.mismatched += u64::from(mismatched);
    pairs.compared += u64::from(mismatched || verdict == Some(Verdict::Matched));
    pairs.only_new_failed += u64::from(new.failed() && !legacy.failed());
    pairs.only_legacy_failed += u64::from(legacy.failed() && !new.failed());
    pairs.only_new_overdue += u64::from(new.overdue() && !legacy.overdue());
    pairs.only_legacy_overdue += u64::from(legacy.overdue() && !new.overdue());
}
