//! [`Beside`]: new beside legacy, for one trigger.

use super::stream::{Counted, Stream};
use super::tally::{Tally, control, split};
use super::{Control, RelativeReport, Trigger};
use crate::stats::Relative;
use crate::store::Settings;

/// What it says that new served a bad call.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Labelling {
    /// As much as it should.
    Right,
    /// Nothing, since one of the sides gets too few calls.
    Blind,
    /// Less than it should, since new gets more calls: this share of them, from 0 to 1.
    Excess(f64),
}

/// New beside legacy.
#[derive(Debug, Clone)]
pub(super) struct Beside {
    control: Control,
    expected_share: f64,
    stream: Stream,
    excess: Option<Excess>,
}

impl Beside {
    /// Comparisons that disagree are of both sides alike: they are compared with a limit alone.
    pub(super) fn new(trigger: Trigger, settings: &Settings) -> Option<Self> {
        let control = control(settings).filter(|_| trigger != Trigger::Validation)?;
        let expected_share = match control {
            Control::Pairs => 0.5,
            Control::Split => split(settings)?,
        };
        let stream = Stream::new(Relative::at_most(1.0).ok()?.in_phase(expected_share)?);
        Some(Self { control, expected_share, stream, excess: None })
    }

    pub(super) fn take(&mut self, tally: &Tally, labelling: Labelling) {
        let sums = tally.relative(self.control);
        self.stream.take(sums);
        self.excess = match labelling {
            Labelling::Right | Labelling::Blind => None,
            Labelling::Excess(seen) => Excess::seen(seen, self.expected_share, self.excess.take()),
        };
        if let Some(excess) = &mut self.excess {
            excess.stream.take(sums);
        }
    }

    /// All that have to prove that new is worse.
    pub(super) fn streams(&self) -> impl Iterator<Item = &Stream> {
        self.excess.iter().map(|excess| &excess.stream).chain([&self.stream])
    }

    pub(super) fn ln_alarm(&self) -> f64 {
        self.streams().map(Stream::ln_alarm).fold(f64::INFINITY, f64::min)
    }

    pub(super) fn report(&self) -> RelativeReport {
        let Counted { events: new, trials } = self.stream.seen();
        RelativeReport {
            control: self.control,
            new,
            legacy: trials.saturating_sub(new),
            expected_share: self.excess.as_ref().map_or(self.expected_share, |excess| rounded(excess.seen)),
            ln_e: self.streams().map(Stream::ln_e).fold(f64::INFINITY, f64::min),
        }
    }
}

/// New gets more calls than its share, so that it has more of the bad ones although it is no worse. It has to have more of
/// them than this explains.
#[derive(Debug, Clone)]
struct Excess {
    /// The share of calls that it gets.
    seen: f64,
    /// How many steps the odds of the stream are above those that should be.
    steps: f64,
    stream: Stream,
}

/// Odds in a stream go up by this factor.
const STEP: f64 = 1.25;

impl Excess {
    /// The stream of `before` goes on while the odds stay where they are.
    fn seen(seen: f64, expected: f64, before: Option<Self>) -> Option<Self> {
        let odds = |share: f64| share / (1.0 - share);
        // From one to two steps above: what was seen is not quite what is.
        let steps = ((odds(seen) / odds(expected)).log(STEP).ceil() + 1.0).min(MOST_STEPS);
        match before {
            #[expect(clippy::float_cmp, reason = "whole numbers")]
            Some(before) if before.steps == steps => Some(Self { seen, ..before }),
            _ => {
                let stream = Stream::new(Relative::at_most(STEP.powf(steps)).ok()?.in_phase(expected)?);
                Some(Self { seen, steps, stream })
            }
        }
    }
}

/// A measured share, with the digits that say something.
fn rounded(share: f64) -> f64 {
    let unit = if share < 0.01 { 1e-6 } else { 1e-3 };
    (share / unit).round() * unit
}

/// Five thousand million times as much is more than anybody can tell.
const MOST_STEPS: f64 = 100.0;
