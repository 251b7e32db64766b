//! Reports as text, for people who run the service.

use std::fmt::{self, Display, Formatter};

use super::figures::{Number, Odds, OutOf, Percent, Rounded, Seconds, Share, Thousands, rounded_down};
use super::{
    Control, Criterion, CriterionReport, GuardReport, GuardVerdict, Note, Proof, Strength, Trigger, TriggerReport,
};
use crate::mode::SystemMode;
use crate::monitor::Baseline;

/// A line for the whole, one for each trigger and criterion, and one for each note.
impl Display for GuardReport {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{} in {}", self.verdict, self.mode)?;
        if self.mode == SystemMode::GradualRollout {
            write!(f, " at {}", self.rollout)?;
        }
        write!(f, ", epoch {}, phase {}", self.epoch, self.phase)?;
        match self.action {
            Some(action) => write!(f, ": {action}")?,
            None => write!(f, ": nothing to do")?,
        }
        self.triggers.iter().try_for_each(|report| write!(f, "\n{report}"))?;
        self.criteria.iter().try_for_each(|report| write!(f, "\n{report}"))?;
        if let Some(Baseline { p95, calls, .. }) = self.baseline {
            let calls = Thousands(calls);
            write!(
                f,
                "\nbaseline: 95 % of legacy's calls took at most {p95:.1?}, by {calls} calls before new was judged"
            )?;
        }
        self.notes.iter().try_for_each(|note| write!(f, "\nNote: {note}"))
    }
}

/// Such as `error rate        REGRESSED     37 of 210 calls of new failed (17.6 %); the limit is 5 %; ..`.
impl Display for TriggerReport {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{:<17} {:<13} ", self.trigger, State(self))?;
        if !self.applies {
            let compares = self.trigger == Trigger::Validation;
            let missing = if compares { "nothing is compared" } else { "new does not run" };
            return write!(f, "{missing} in this mode");
        }
        write!(f, "{}.", self.sentence())?;
        self.write_chance(f)?;
        self.write_action(f)
    }
}

/// The verdict, in a word for people.
struct State<'a>(&'a TriggerReport);

impl Display for State<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self(report) = self;
        let is_quiet = report.trigger == Trigger::Health && report.verdict != GuardVerdict::Regressed;
        if is_quiet { f.pad("quiet") } else { Display::fmt(&report.verdict, f) }
    }
}

/// The counts alone, without what they prove.
struct Sentence<'a>(&'a TriggerReport);

impl Display for Sentence<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.0.write_counts(f)?;
        self.0.write_legacy(f)
    }
}

impl TriggerReport {
    pub(super) fn sentence(&self) -> impl Display + '_ {
        Sentence(self)
    }

    fn write_counts(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let share = Share(self.estimate);
        let (counted, limit) = (OutOf(self.events, self.trials), self.limit);
        match self.trigger {
            Trigger::Health | Trigger::AverageDuration => self.write_number(f),
            Trigger::Validation if self.trials == 0 => f.write_str("nothing was compared yet"),
            Trigger::P95 if self.trials == 0 => f.write_str("no call of new was timed since there is a baseline"),
            Trigger::ErrorRate | Trigger::Throughput if self.trials == 0 => {
                f.write_str("no call of new was counted yet")
            }
            Trigger::Validation => {
                write!(f, "{counted} comparisons disagree ({share}); the limit is {}", Percent(limit))
            }
            Trigger::ErrorRate => {
                write!(f, "{counted} calls of new failed ({share}); the limit is {}", Percent(limit))
            }
            Trigger::P95 => {
                let times = Number(self.counted_beyond.unwrap_or(limit));
                write!(f, "{counted} calls of new took longer than {times} times the p95 of legacy ({share})")?;
                match self.counted_beyond {
                    Some(_) => write!(f, "; the limit is {} times", Number(limit)),
                    None => f.write_str("; 5 % may"),
                }
            }
            Trigger::Throughput => {
                let least = Percent(limit);
                write!(f, "{counted} calls of new did not end in time ({share}); at least {least} have to end")
            }
        }
    }

    /// What compares one number with a limit.
    fn write_number(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let limit = Number(self.limit);
        match self.estimate {
            Some(seconds) => {
                write!(f, "a call of new takes {} s on average; the limit is {limit} s", Rounded(seconds))
            }
            None if self.trigger == Trigger::AverageDuration => f.write_str("no call of new was timed yet"),
            None => {
                let (failures, checks) = (Thousands(self.events), plural(self.events, "check", "checks"));
                write!(f, "{failures} health {checks} of new in a row did not succeed; the limit is {limit}")
            }
        }
    }

    /// How legacy did, where it runs beside new.
    fn write_legacy(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.trigger == Trigger::Health && self.legacy_events > 0 {
            return write!(f, "; {} of legacy", Thousands(self.legacy_events));
        }
        let Some(relative) = self.relative.filter(|_| self.trials > 0) else { return Ok(()) };
        write!(f, "; legacy: {}", OutOf(self.legacy_events, self.legacy_trials))?;
        let (new, all) = (Thousands(relative.new), Thousands(relative.new.saturating_add(relative.legacy)));
        match relative.control {
            Control::Pairs => write!(f, "; of {all} items with one bad side it was new in {new}"),
            Control::Split => {
                write!(
                    f,
                    "; of {all} bad calls {new} were served by new, which serves {}",
                    Percent(relative.expected_share)
                )
            }
        }
    }

    fn write_chance(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match (self.proof, self.strength) {
            (Some(_), Some(_)) if self.counted_beyond.is_some() => f.write_str(EARLIER),
            (Some(Proof::Evidence), Some(strength)) if is_still_proven(&strength) => {
                write!(f, " So much by chance: less than {}.", Odds(strength.ln_e))
            }
            (Some(Proof::Alarm), Some(strength)) => {
                let calls = Thousands(rounded_down(strength.ln_alarm_threshold));
                write!(f, " So much lately by chance: no more than once in {calls} calls.")
            }
            (Some(_), Some(_)) => f.write_str(EARLIER),
            (None, _) if self.verdict == GuardVerdict::Healthy => f.write_str(" It keeps to the limit."),
            (None, Some(_)) if self.trials > 0 => f.write_str(" Nothing is proven."),
            (_, None) | (None, _) => Ok(()),
        }
    }

    fn write_action(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.verdict {
            GuardVerdict::Regressed if self.dry_run => write!(f, " Dry run: it would {}.", self.action),
            GuardVerdict::Regressed => write!(f, " Action: {}.", self.action),
            GuardVerdict::Healthy | GuardVerdict::Inconclusive => Ok(()),
        }
    }
}

const EARLIER: &str = " It had been proven earlier in this phase, and stays so until the next one.";

fn is_still_proven(strength: &Strength) -> bool {
    strength.ln_threshold.is_some_and(|threshold| strength.ln_e >= threshold)
}

/// Such as `promote: latency  INCONCLUSIVE  30 of 400 calls of new ..`.
impl Display for CriterionReport {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let name = format!("promote: {}", self.criterion);
        let state = match self.verdict {
            GuardVerdict::Healthy => "PROVEN",
            GuardVerdict::Inconclusive | GuardVerdict::Regressed => "not proven",
        };
        write!(f, "{name:<19} {state:<11} ")?;
        let counted = OutOf(self.events, self.trials);
        let (share, limit) = (Share(self.estimate), Percent(self.limit));
        match self.criterion {
            _ if self.trials == 0 => f.write_str("no data yet")?,
            Criterion::Validation => write!(f, "{counted} comparisons disagree ({share})")?,
            Criterion::Throughput => write!(f, "{counted} calls of new did not end in time ({share})")?,
            Criterion::Latency => match self.counted_beyond.map(Number) {
                None => write!(f, "{counted} calls of new were too slow ({share})")?,
                Some(times) => {
                    return write!(
                        f,
                        "{counted} calls of new took longer than {times} times the p95 of legacy ({share}), \
                         which is not what is asked for."
                    );
                }
            },
        }
        write!(f, "; it has to be less than {limit} beyond doubt.")?;
        if self.lately_worse {
            f.write_str(" It was, but what came lately speaks against it.")?;
        }
        Ok(())
    }
}

impl Display for Note {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::NothingToJudge => f.write_str("new does not run in this mode, so there is nothing to judge"),
            Self::NothingCounted => f.write_str("nothing was counted in this phase yet"),
            Self::NoNewCounts { seconds } => {
                write!(f, "nothing new was counted for {}; monitoring may be down", Seconds(*seconds))
            }
            Self::BegunAnew => f.write_str("the counts went back, so counting has begun anew"),
            Self::NoBaseline => f.write_str("there is no baseline of legacy yet, so nobody knows what is slow"),
            Self::LegacyUnhealthy => f.write_str("legacy fails its health checks too: going back to it is no way out"),
            Self::WrongSplit { expected, seen } => {
                write!(f, "new serves {} of the calls instead of {}", Share(Some(*seen)), Percent(*expected))
            }
            Self::OtherP95Factor { counted, limit } => {
                let (counted, limit) = (Number(*counted), Number(*limit));
                write!(
                    f,
                    "calls are slow beyond {counted} times the p95 of legacy for the monitor, and beyond {limit} times for the \
                     p95 trigger: it is held. Build the monitor with p95_factor({limit}), or the trigger with the limit {counted}"
                )
            }
            Self::OtherPromotionFactor { counted, limit } => {
                let (counted, limit) = (Number(*counted), Number(*limit));
                write!(
                    f,
                    "calls are too slow for a promotion beyond {counted} times the p95 of legacy for the monitor, and beyond \
                     {limit} times for the criterion latency: it is held. Build the monitor with promotion_factor({limit})"
                )
            }
            Self::ActionsSpent { actions, seconds } => {
                let (times, time) = (plural(u64::from(*actions), "rollback", "rollbacks"), Seconds(*seconds));
                write!(f, "{actions} {times} in {time}: that is enough. It is frozen instead; look for the cause")
            }
            Self::CoolingDown { seconds } => {
                write!(f, "a rollback was asked for lately: nothing is promoted for {}", Seconds(*seconds))
            }
            Self::Held { trigger } => {
                write!(f, "{trigger} had regressed before the rollback; nothing is promoted until somebody begins anew")
            }
        }
    }
}

fn plural(count: u64, one: &'static str, many: &'static str) -> &'static str {
    if count == 1 { one } else { many }
}

#[cfg(test)]
mod tests;
