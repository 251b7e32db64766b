//! Runs and summaries as text.

use std::fmt::{self, Display, Formatter};
use std::time::Duration;

use super::{Happening, Moment, Outcome, Played, Spread, Summary};
use crate::mode::SystemMode;

/// One line for each thing that happened, and one for the end.
impl Display for Played {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.timeline.iter().try_for_each(|moment| writeln!(f, "{moment}"))?;
        let took = Span(self.took);
        write!(
            f,
            "Seed {}: {} after {took}; new served {} of {} calls.",
            self.seed, self.outcome, self.served_by_new, self.calls
        )?;
        if let Some(broken) = &self.broken {
            write!(f, " {} of the {} calls", broken.hurt_calls, broken.served_by_new)?;
            write!(f, " that new served broken were hurt, of {} keys.", broken.hurt_keys)?;
        }
        match &self.breach {
            Some(breach) if self.false_alarm => write!(f, " A false alarm after {}.", Span(breach.at)),
            Some(breach) => write!(f, " Found after {}.", Span(breach.delay)),
            None if self.broken.is_some() => f.write_str(" Nobody found it."),
            None => Ok(()),
        }
    }
}

impl Display for Outcome {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Finished => "finished",
            Self::RolledBack => "rolled back",
            Self::GivenUp => "given up",
        })
    }
}

/// Such as `day  8 00:14  gradual_rollout 25%  entered quarter`.
impl Display for Moment {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let seconds = self.at.as_secs();
        let (day, hour, minute) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
        let mut settings = self.mode.to_string();
        if self.mode == SystemMode::GradualRollout {
            settings = format!("{settings} {}", self.rollout);
        }
        write!(f, "day {day:>2} {hour:02}:{minute:02}  {settings:<20}  {}", self.event)
    }
}

impl Display for Happening {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Entered { step } => write!(f, "entered {step}"),
            Self::Broke { fault } => write!(f, "new broke (fault {fault})"),
            Self::Mended { fault } => write!(f, "new is well again (fault {fault})"),
            Self::Approved { step } => write!(f, "a person approved {step}"),
            Self::Acknowledged { step } => write!(f, "a person acknowledged that {step} cannot be taken back"),
            Self::Breached { action, report } => {
                let found: Vec<String> = report.regressed().map(|found| found.trigger.to_string()).collect();
                write!(f, "the guard found something ({}): {action}", found.join(", "))
            }
            Self::RolledBack { by_a_person: true } => f.write_str("a person rolled back"),
            Self::RolledBack { by_a_person: false } => f.write_str("rolled back"),
            Self::Resumed => f.write_str("a person found nothing broken, and let it go on"),
            Self::Finished => f.write_str("finished"),
            Self::GivenUp { waiting } => write!(f, "given up; {waiting}"),
        }
    }
}

/// A few sentences.
impl Display for Summary {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self { runs, finished, rolled_back, given_up, false_alarms, broken, detected, .. } = self;
        write!(f, "{runs} runs: {finished} finished, {rolled_back} rolled back, {given_up} given up; ")?;
        write!(f, "{false_alarms} false alarms (naive rule: {})", self.naive.false_alarms)?;
        if *broken > 0 {
            write!(f, "; broken in {broken}, found in {detected}, after {} s", Middle(&self.delay))?;
            write!(f, " and {} calls of new;", Middle(&self.served_by_new))?;
            write!(f, " hurt: {} calls of {} keys", Middle(&self.hurt_calls), Middle(&self.hurt_keys))?;
        }
        if *finished > 0 {
            write!(f, "; {} days to the end", Middle(&self.days))?;
        }
        f.write_str(" (medians, and what 95 % of the runs do not exceed)")
    }
}

/// `12 (up to 40)`.
struct Middle<'a>(&'a Spread);

impl Display for Middle<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match (self.0.median(), self.0.quantile(0.95)) {
            (Some(median), Some(most)) => write!(f, "{median:.0} (up to {most:.0})"),
            _ => f.write_str("no"),
        }
    }
}

/// A time in its two largest units.
struct Span(Duration);

impl Display for Span {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs();
        match (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60) {
            (0, 0, 0, seconds) => write!(f, "{seconds} s"),
            (0, 0, minutes, seconds) => write!(f, "{minutes} min {seconds} s"),
            (0, hours, minutes, _) => write!(f, "{hours} h {minutes} min"),
            (days, hours, ..) => write!(f, "{days} d {hours} h"),
        }
    }
}
