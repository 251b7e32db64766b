//! [`Score`]: writes down what happens in a run.

use std::time::Duration;

use super::chance::Chance;
use super::naive::Naive;
use super::traffic::Span;
use super::{Breach, Broken, Happening, Moment, NaiveAlarm, Outcome, Played};
use crate::guard::{Action, GuardReport};
use crate::store::Settings;

#[derive(Debug)]
pub(super) struct Score {
    seed: u64,
    calls: u64,
    served_by_new: u64,
    /// When the first fault began, and what new served since.
    broke: Option<(u64, u64)>,
    hurt: u64,
    breach: Option<Breach>,
    naive: Naive,
    naive_alarm: Option<NaiveAlarm>,
    timeline: Vec<Moment>,
}

impl Score {
    pub(super) const fn new(seed: u64) -> Self {
        Self {
            seed,
            calls: 0,
            served_by_new: 0,
            broke: None,
            hurt: 0,
            breach: None,
            naive: Naive::new(),
            naive_alarm: None,
            timeline: Vec::new(),
        }
    }

    /// A fault began.
    pub(super) fn broke(&mut self, at: u64) {
        self.broke.get_or_insert((at, 0));
    }

    /// Takes in the calls of `length` seconds from `start` on.
    pub(super) fn take(&mut self, start: u64, length: f64, span: &Span, chance: &mut Chance) {
        let (served, new) = (span.counts.served_new.started, span.counts.new);
        self.calls += served + span.counts.served_legacy.started;
        self.served_by_new += served;
        if let Some((_, since)) = self.broke.as_mut().filter(|(at, _)| *at <= start) {
            *since += served;
        }
        if self.naive_alarm.is_none() {
            let share = self.naive.take(new.started, new.failed, chance);
            self.naive_alarm =
                share.map(|share| self.alarm(seconds(start) + share_of(length, share), span.hurt, share));
        }
        self.hurt += span.hurt;
    }

    fn alarm(&self, at: Duration, hurt: u64, share: f64) -> NaiveAlarm {
        let broke = self.broke.map(|(broke, _)| seconds(broke)).filter(|broke| *broke <= at);
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a part"
        )]
        let hurt = (hurt as f64 * share).round() as u64;
        NaiveAlarm {
            at,
            delay: broke.map_or(Duration::ZERO, |broke| at.saturating_sub(broke)),
            is_false: broke.is_none(),
            hurt_calls: self.hurt + hurt,
        }
    }

    /// Other settings hold.
    pub(super) fn begin_anew(&mut self) {
        self.naive.begin_anew();
    }

    pub(super) fn breach(&mut self, now: u64, action: Action, step: String, report: &GuardReport) {
        let (broke, served_by_new) = self.broke.unwrap_or((now, 0));
        self.breach.get_or_insert_with(|| Breach {
            at: seconds(now),
            delay: seconds(now.saturating_sub(broke)),
            served_by_new,
            step,
            action,
            triggers: report.regressed().filter(|found| !found.dry_run).map(|found| found.trigger).collect(),
        });
    }

    pub(super) fn happen(&mut self, at: u64, settings: Settings, event: Happening) {
        let Settings { mode, rollout, .. } = settings;
        self.timeline.push(Moment { at: seconds(at), mode, rollout, event });
    }

    pub(super) fn played(self, outcome: Outcome, now: u64, hurt_keys: u64) -> Played {
        let broken = |(at, served_by_new)| Broken { at: seconds(at), served_by_new, hurt_calls: self.hurt, hurt_keys };
        let broken = self.broke.map(broken);
        let is_before = |breach: &Breach| broken.is_none_or(|broken| breach.at < broken.at);
        Played {
            seed: self.seed,
            outcome,
            took: seconds(now),
            calls: self.calls,
            served_by_new: self.served_by_new,
            false_alarm: self.breach.as_ref().is_some_and(is_before),
            broken,
            breach: self.breach,
            naive: self.naive_alarm,
            timeline: self.timeline,
        }
    }
}

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn share_of(length: f64, share: f64) -> Duration {
    Duration::try_from_secs_f64(length * share).unwrap_or_default()
}
