//! What holds for every call, whatever is broken in it.

use std::time::Duration;

use cutover::dual::Fallback;
use cutover::{Side, Verdict};

use crate::entry::Entry;
use crate::scenario::{Got, Scenario, Seen};
use crate::world::{Fault, Given, Part};

/// What a call did not keep; empty when all is well.
pub(crate) fn broken_laws(scenario: &Scenario, seen: &Seen) -> Vec<String> {
    let call = Observed { scenario, seen };
    let mut broken = seen.world.with(|ledger| ledger.broken.clone());
    let mut law = |holds: bool, law: &str| broken.extend((!holds).then(|| law.to_owned()));
    law(call.answer_is_the_served_one(), "the caller gets what the serving side gave");
    law(call.time_is_bounded(), "the caller waits no longer than the parts in its way may take");
    law(call.selection_is_counted(), "a call of both sides is selected once");
    law(call.verdict_fits(), "the call is counted in the right column");
    law(call.fallback_is_counted(), "a fallback is counted");
    law(call.next_is_selected(), "no permit is lost");
    broken
}

struct Observed<'a> {
    scenario: &'a Scenario,
    seen: &'a Seen,
}

impl Observed<'_> {
    fn given(&self, side: Side) -> Option<Given> {
        self.seen.world.given(side).map(|(given, _)| given)
    }

    /// A router that panics is taken for one that says legacy only.
    fn serve(&self) -> Side {
        if self.router_panics() { Side::Legacy } else { self.scenario.route.serve }
    }

    fn router_panics(&self) -> bool {
        [Fault::Panic, Fault::HostilePayload].into_iter().any(|fault| self.scenario.has(Part::Router, fault))
    }

    fn falls_back(&self) -> bool {
        let failed = matches!(self.given(Side::New), Some(Given::Error(_) | Given::Panic(_)));
        self.scenario.fallback == Fallback::ToLegacy && self.serve() == Side::New && failed
    }

    fn answers(&self) -> Side {
        if self.falls_back() { Side::Legacy } else { self.serve() }
    }

    fn left_early(&self) -> bool {
        self.scenario.entry != Entry::Sync && self.scenario.polls != u32::MAX
    }

    fn answer_is_the_served_one(&self) -> bool {
        match (&self.seen.got, self.given(self.answers())) {
            (Got::This(got), Some(given)) => *got == given,
            (Got::Nothing, None) => true,
            (Got::Nothing, Some(_)) => self.left_early() || self.waits_for_ever(),
            _ => false,
        }
    }

    /// Nobody can be waited for in vain, but with a runtime whose sleep never ends.
    fn waits_for_ever(&self) -> bool {
        let hangs = [Part::Shadow, Part::Twin].into_iter().any(|part| self.scenario.has(part, Fault::Hang));
        self.scenario.entry == Entry::Run && self.scenario.has(Part::Sleep, Fault::Hang) && hangs
    }

    fn time_is_bounded(&self) -> bool {
        self.seen.got == Got::Nothing || self.seen.took <= self.served_after() + self.wait()
    }

    /// When the answer stood: where legacy answers for new, new has failed before or after that.
    fn served_after(&self) -> Duration {
        let after = |side| self.seen.world.given(side).map_or(0, |(_, ended)| ended.as_nanos());
        let new = if self.falls_back() { after(Side::New) } else { 0 };
        Duration::from_nanos(new.max(after(self.answers())))
    }

    /// What the table in the documentation of `dual` allows on top.
    fn wait(&self) -> Duration {
        let blocked: Duration = self.parts_in_the_way().iter().map(|&part| self.seen.blocked[part as usize]).sum();
        blocked
            + match self.scenario.entry {
                Entry::Run if self.scenario.has(Part::Sleep, Fault::Hang) => Duration::from_secs(3),
                Entry::Run => self.scenario.patience.min(self.scenario.timeout.saturating_sub(self.served_after())),
                Entry::Detached => Duration::ZERO,
                Entry::Sync => self.scenario.legacy.delay.max(self.scenario.new.delay),
            }
    }

    fn parts_in_the_way(&self) -> &'static [Part] {
        match self.scenario.entry {
            Entry::Detached if !self.falls_back() && !self.served_panicked() => {
                &[Part::Clone, Part::Projection, Part::ErrorCapture, Part::Spawn, Part::Observer]
            }
            Entry::Detached | Entry::Run | Entry::Sync => &Part::ALL,
        }
    }

    fn served_panicked(&self) -> bool {
        matches!(self.given(self.serve()), Some(Given::Panic(_)))
    }

    fn selection_is_counted(&self) -> bool {
        let started = self.scenario.polls > 0 || self.scenario.entry == Entry::Sync;
        let routed = started && self.scenario.selects() && !self.router_panics();
        self.seen.counts.selected == u64::from(routed || self.seen.counts.fallbacks == 1)
    }

    fn verdict_fits(&self) -> bool {
        let counts = &self.seen.counts;
        let Some(verdict) = Verdict::ALL.into_iter().find(|&verdict| counts.of(verdict) == 1) else {
            return counts.selected == 0;
        };
        let gave = |side, what: fn(&Given) -> bool| self.given(side).as_ref().is_some_and(what);
        let panicked = |given: &Given| matches!(given, Given::Panic(_));
        match verdict {
            Verdict::Panicked => gave(Side::Legacy, panicked) || gave(Side::New, panicked),
            Verdict::OneFailed => matches!(
                self.both(),
                (Some(Given::Error(_)), Some(Given::Value(_))) | (Some(Given::Value(_)), Some(Given::Error(_)))
            ),
            Verdict::Matched => self.were_compared() && self.contents_are_equal(),
            Verdict::Mismatched => self.were_compared() && !self.contents_are_equal(),
            Verdict::Ignored => self.were_compared() && (self.comparison_is_broken() || self.legacy_is_noisy()),
            Verdict::TimedOut => self.shadow_may_be_late(),
            Verdict::Abandoned => self.may_be_abandoned(),
            Verdict::BothFailed => false,
        }
    }

    /// Both gave a value, or both an error.
    fn were_compared(&self) -> bool {
        matches!(
            self.both(),
            (Some(Given::Value(_)), Some(Given::Value(_))) | (Some(Given::Error(_)), Some(Given::Error(_)))
        )
    }

    fn both(&self) -> (Option<Given>, Option<Given>) {
        (self.given(Side::Legacy), self.given(Side::New))
    }

    fn contents_are_equal(&self) -> bool {
        self.scenario.legacy.content == self.scenario.new.content
    }

    fn comparison_is_broken(&self) -> bool {
        let parts = [Part::Comparator, Part::ErrorComparator, Part::Projection];
        self.scenario.broken.iter().any(|(part, _)| parts.contains(part))
    }

    /// Legacy and its twin differ.
    fn legacy_is_noisy(&self) -> bool {
        self.scenario.twin.is_some_and(|twin| twin.content != self.scenario.legacy.content)
    }

    fn shadow_may_be_late(&self) -> bool {
        self.scenario.entry != Entry::Sync && !self.falls_back()
    }

    fn may_be_abandoned(&self) -> bool {
        let never_ran = self.given(self.serve().other()).is_none();
        let broken = |part| self.scenario.broken.iter().any(|&(other, _)| other == part);
        let never_stopped = self.scenario.has(Part::Sleep, Fault::Hang);
        let lost = broken(Part::Clone) || broken(Part::Spawn) || never_stopped || self.scenario.shuts_down;
        self.left_early() || self.seen.got == Got::Nothing || (never_ran && lost)
    }

    fn fallback_is_counted(&self) -> bool {
        let expected = if self.falls_back() && self.seen.got != Got::Nothing { 1..=1 } else { 0..=1 };
        expected.contains(&self.seen.counts.fallbacks) && (self.falls_back() || self.seen.counts.fallbacks == 0)
    }

    /// The call after this one runs both sides, if the policy lets it.
    fn next_is_selected(&self) -> bool {
        let (first, both) = (&self.seen.counts, &self.seen.after);
        both.selected == both.ended() && both.selected - first.selected == u64::from(self.scenario.selects())
    }
}
