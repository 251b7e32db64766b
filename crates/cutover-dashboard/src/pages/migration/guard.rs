//! What the guard finds.

use cutover::guard::{CriterionReport, GuardReport, GuardVerdict, Trigger, TriggerReport};

use crate::Role;
use crate::pages::words;
use crate::view::MigrationView;

pub(super) struct GuardWords {
    pub(super) tone: &'static str,
    pub(super) icon: &'static str,
    pub(super) verdict: &'static str,
    pub(super) line: String,
    pub(super) triggers: Vec<Finding>,
    pub(super) criteria: Vec<Finding>,
    pub(super) notes: Vec<String>,
    pub(super) may_begin_anew: bool,
}

/// What was found about a trigger or a criterion.
pub(super) struct Finding {
    pub(super) name: String,
    pub(super) tone: &'static str,
    pub(super) icon: &'static str,
    pub(super) word: &'static str,
    /// How far the evidence is on the way to its threshold, at most 100.
    pub(super) percent: Option<u32>,
    pub(super) strength: String,
    pub(super) sentence: String,
}

impl GuardWords {
    pub(super) fn of(report: &GuardReport, view: &MigrationView) -> Self {
        let (tone, verdict) = match report.verdict {
            GuardVerdict::Healthy => ("ok", "Healthy"),
            GuardVerdict::Inconclusive => ("unknown", "Nothing is proven yet"),
            GuardVerdict::Regressed => ("alarm", "Regressed"),
        };
        let action = report.action.map_or_else(|| "nothing to do".to_owned(), |action| format!("it asks to {action}"));
        let mode = words::mode(report.mode).name;
        let held = report.held_by().is_some() || report.verdict == GuardVerdict::Regressed;
        Self {
            tone,
            icon: tone,
            verdict,
            line: format!("{mode}, epoch {}, phase {}: {action}.", report.epoch, report.phase),
            triggers: report.triggers.iter().map(Finding::of_trigger).collect(),
            criteria: report.criteria.iter().map(Finding::of_criterion).collect(),
            notes: report.notes.iter().map(ToString::to_string).collect(),
            // A guard of a plan begins anew when the plan goes on.
            may_begin_anew: held && view.plan.is_none() && view.role >= Role::Operate,
        }
    }
}

impl Finding {
    fn of_trigger(report: &TriggerReport) -> Self {
        let (tone, word) = match report.verdict {
            _ if !report.applies => ("unknown", "Not in this mode"),
            GuardVerdict::Regressed if report.dry_run => ("warning", "Regressed, dry run"),
            GuardVerdict::Regressed => ("alarm", "Regressed"),
            GuardVerdict::Healthy => ("ok", "Healthy"),
            GuardVerdict::Inconclusive if report.trigger == Trigger::Health => ("ok", "Quiet"),
            GuardVerdict::Inconclusive => ("unknown", "Not proven"),
        };
        let share = if report.applies { share_of_trigger(report) } else { None };
        let name = report.trigger.to_string();
        let sentence = without_head(&report.to_string(), &name);
        Self::new(name, tone, word, share, "of what makes it act", sentence)
    }

    fn of_criterion(report: &CriterionReport) -> Self {
        let proven = report.verdict == GuardVerdict::Healthy;
        let (tone, word) = if proven { ("ok", "Proven") } else { ("unknown", "Not proven") };
        let share = (report.ln_threshold > 0.0).then(|| report.ln_e / report.ln_threshold);
        let sentence = without_head(&report.to_string(), &format!("promote: {}", report.criterion));
        Self::new(report.criterion.to_string(), tone, word, share, "of the proof", sentence)
    }

    fn new(
        name: String,
        tone: &'static str,
        word: &'static str,
        share: Option<f64>,
        of: &str,
        sentence: String,
    ) -> Self {
        let percent = share.filter(|share| !share.is_nan()).map(percent);
        let strength = percent.map(|percent| format!("{percent} % {of}")).unwrap_or_default();
        Self { name, tone, icon: tone, word, percent, strength, sentence }
    }
}

/// From 0 to 100.
fn percent(share: f64) -> u32 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to 100")]
    let percent = (share * 100.0).clamp(0.0, 100.0).floor() as u32;
    percent
}

/// The larger one of what this phase and what the detector of changes has; for triggers that compare one number with a limit,
/// that number by its limit.
fn share_of_trigger(report: &TriggerReport) -> Option<f64> {
    let ratio = |value: f64, threshold: f64| (threshold > 0.0).then(|| value / threshold);
    if let Some(strength) = report.strength {
        let evidence = strength.ln_threshold.and_then(|threshold| ratio(strength.ln_e, threshold));
        let alarm = ratio(strength.ln_alarm, strength.ln_alarm_threshold);
        return evidence.into_iter().chain(alarm).reduce(f64::max);
    }
    match report.trigger {
        Trigger::Health => ratio(crate::chart::float(report.events), report.limit),
        Trigger::AverageDuration => report.estimate.and_then(|seconds| ratio(seconds, report.limit)),
        Trigger::Validation | Trigger::ErrorRate | Trigger::P95 | Trigger::Throughput | _ => None,
    }
}

/// The words before the sentence of a finding, which the page shows in its own way.
const STATES: [&str; 6] = ["HEALTHY", "INCONCLUSIVE", "REGRESSED", "quiet", "PROVEN", "not proven"];

fn without_head(text: &str, name: &str) -> String {
    let text = text.strip_prefix(name).unwrap_or(text).trim_start();
    let text = STATES.iter().find_map(|state| text.strip_prefix(state)).unwrap_or(text).trim_start();
    let mut letters = words::shown(text);
    if let Some(first) = letters.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    letters
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_begins_with_what_was_counted() {
        let line = "error rate        REGRESSED     37 of 210 calls of new failed (17.6 %); the limit is 5 %.";
        let expected = "37 of 210 calls of new failed (17.6 %); the limit is 5 %.";
        assert_eq!(without_head(line, "error rate"), expected);
        let line = "promote: latency  not proven  no data yet; it has to be less than 5 % beyond doubt.";
        assert_eq!(without_head(line, "promote: latency"), "No data yet; it has to be less than 5 % beyond doubt.");
    }

    #[test]
    fn what_is_not_a_number_is_no_evidence_and_no_bar_is_longer_than_full() {
        let finding = |share| Finding::new(String::new(), "", "", Some(share), "", String::new()).percent;
        assert_eq!(
            [f64::NAN, -1.0, 0.999, 7.0, f64::INFINITY].map(finding),
            [None, Some(0), Some(99), Some(100), Some(100)]
        );
    }
}
