//! Each form of the text of a report.

use std::time::Duration;

use super::*;
use crate::guard::{Action, RelativeReport};
use crate::percentage::Percentage;

const STRENGTH: Strength = Strength { ln_e: 6.3, ln_threshold: Some(6.0), ln_alarm: 1.0, ln_alarm_threshold: 14.732 };

/// Inconclusive, and without legacy beside it.
fn report(trigger: Trigger, limit: f64, events: u64, trials: u64) -> TriggerReport {
    #[expect(clippy::cast_precision_loss, reason = "small numbers")]
    let estimate = (trials > 0).then(|| events as f64 / trials as f64);
    TriggerReport {
        trigger,
        verdict: GuardVerdict::Inconclusive,
        proof: None,
        applies: true,
        events,
        trials,
        estimate,
        limit,
        counted_beyond: None,
        legacy_events: 0,
        legacy_trials: 0,
        strength: trigger.is_statistical().then_some(STRENGTH),
        relative: None,
        action: Action::Rollback,
        dry_run: false,
    }
}

fn regressed(report: &TriggerReport, proof: Proof) -> TriggerReport {
    TriggerReport { verdict: GuardVerdict::Regressed, proof: Some(proof), ..report.clone() }
}

fn errors() -> TriggerReport {
    report(Trigger::ErrorRate, 0.05, 37, 210)
}

fn beside(control: Control, expected_share: f64) -> TriggerReport {
    let relative = RelativeReport { control, new: 36, legacy: 2, expected_share, ln_e: 9.0 };
    TriggerReport { relative: Some(relative), legacy_events: 3, legacy_trials: 1_900, ..errors() }
}

#[test]
fn each_trigger_says_its_counts_and_its_limit() {
    let lines = [
        (
            report(Trigger::Validation, 0.3, 10, 200),
            "validation        INCONCLUSIVE  10 of 200 comparisons disagree (5.0 %); the limit is 30 %. Nothing is proven.",
        ),
        (
            errors(),
            "error rate        INCONCLUSIVE  37 of 210 calls of new failed (17.6 %); the limit is 5 %. Nothing is proven.",
        ),
        (
            report(Trigger::P95, 2.0, 1, 5_000),
            "p95               INCONCLUSIVE  1 of 5,000 calls of new took longer than 2 times the p95 of legacy \
             (0.020 %); 5 % may. Nothing is proven.",
        ),
        (
            report(Trigger::Throughput, 0.5, 0, 7),
            "throughput        INCONCLUSIVE  0 of 7 calls of new did not end in time (0.0 %); at least 50 % have to \
             end. Nothing is proven.",
        ),
        (
            report(Trigger::Health, 3.0, 1, 0),
            "health            quiet         1 health check of new in a row did not succeed; the limit is 3.",
        ),
        (
            TriggerReport { estimate: Some(1.26), ..report(Trigger::AverageDuration, 600.0, 0, 0) },
            "average duration  INCONCLUSIVE  a call of new takes 1.3 s on average; the limit is 600 s.",
        ),
    ];
    for (report, expected) in lines {
        assert_eq!(report.to_string(), expected);
    }
}

#[test]
fn without_data_it_says_what_is_missing() {
    let text = |trigger| report(trigger, 0.5, 0, 0).to_string();
    assert!(text(Trigger::Validation).ends_with("INCONCLUSIVE  nothing was compared yet."));
    assert!(text(Trigger::ErrorRate).ends_with("INCONCLUSIVE  no call of new was counted yet."));
    assert!(text(Trigger::Throughput).ends_with("INCONCLUSIVE  no call of new was counted yet."));
    assert!(text(Trigger::P95).ends_with("INCONCLUSIVE  no call of new was timed since there is a baseline."));
    assert!(text(Trigger::AverageDuration).ends_with("INCONCLUSIVE  no call of new was timed yet."));
    let missing = |trigger| TriggerReport { applies: false, ..report(trigger, 0.5, 0, 0) }.to_string();
    assert!(missing(Trigger::Validation).ends_with("INCONCLUSIVE  nothing is compared in this mode"));
    assert!(missing(Trigger::ErrorRate).ends_with("INCONCLUSIVE  new does not run in this mode"));
}

#[test]
fn a_regression_says_how_it_is_proven_and_what_happens() {
    let end = |report: TriggerReport, proof| {
        let text = regressed(&report, proof).to_string();
        text.split_once(". ").map(|(_, end)| end.to_owned()).unwrap_or_default()
    };
    assert_eq!(end(errors(), Proof::Evidence), "So much by chance: less than 1 in 500. Action: roll back.");
    assert_eq!(
        end(errors(), Proof::Alarm),
        "So much lately by chance: no more than once in 2,000,000 calls. Action: roll back."
    );
    let faded = TriggerReport { strength: Some(Strength { ln_e: 5.9, ..STRENGTH }), ..errors() };
    assert_eq!(
        end(faded, Proof::Evidence),
        "It had been proven earlier in this phase, and stays so until the next one. Action: roll back."
    );
    let health = TriggerReport { action: Action::Freeze, ..report(Trigger::Health, 3.0, 4, 0) };
    assert_eq!(end(health, Proof::Number), "Action: freeze.");
    let dry = TriggerReport { dry_run: true, ..errors() };
    assert!(end(dry, Proof::Evidence).ends_with("Dry run: it would roll back."));
    let healthy = TriggerReport { verdict: GuardVerdict::Healthy, ..errors() };
    assert!(healthy.to_string().ends_with("the limit is 5 %. It keeps to the limit."));
}

#[test]
fn legacy_stands_beside_new() {
    let text = regressed(&beside(Control::Pairs, 0.5), Proof::Evidence).to_string();
    assert_eq!(
        text,
        "error rate        REGRESSED     37 of 210 calls of new failed (17.6 %); the limit is 5 %; legacy: 3 of 1,900; \
         of 38 items with one bad side it was new in 36. So much by chance: less than 1 in 500. Action: roll back."
    );
    let text = beside(Control::Split, 0.1).to_string();
    assert!(text.contains("; legacy: 3 of 1,900; of 38 bad calls 36 were served by new, which serves 10 %."), "{text}");
    let health = TriggerReport { legacy_events: 2, ..report(Trigger::Health, 3.0, 4, 0) };
    assert!(
        health.to_string().ends_with("4 health checks of new in a row did not succeed; the limit is 3; 2 of legacy.")
    );
}

fn criterion(criterion: Criterion, events: u64, trials: u64) -> CriterionReport {
    CriterionReport {
        criterion,
        verdict: GuardVerdict::Inconclusive,
        events,
        trials,
        estimate: (trials > 0).then_some(0.01),
        limit: 0.05,
        counted_beyond: None,
        ln_e: 1.0,
        ln_threshold: 3.0,
        lately_worse: false,
    }
}

#[test]
fn criteria_say_what_has_to_be_proven() {
    assert_eq!(
        criterion(Criterion::Validation, 10, 1_000).to_string(),
        "promote: validation not proven  10 of 1,000 comparisons disagree (1.0 %); it has to be less than 5 % beyond doubt."
    );
    let proven = CriterionReport { verdict: GuardVerdict::Healthy, ..criterion(Criterion::Throughput, 10, 1_000) };
    assert_eq!(
        proven.to_string(),
        "promote: throughput PROVEN      10 of 1,000 calls of new did not end in time (1.0 %); \
         it has to be less than 5 % beyond doubt."
    );
    let lately = CriterionReport { lately_worse: true, ..criterion(Criterion::Latency, 10, 1_000) };
    assert_eq!(
        lately.to_string(),
        "promote: latency    not proven  10 of 1,000 calls of new were too slow (1.0 %); it has to be less than 5 % \
         beyond doubt. It was, but what came lately speaks against it."
    );
    let none = criterion(Criterion::Latency, 0, 0).to_string();
    assert!(none.contains("not proven  no data yet; it has to be"), "{none}");
}

#[test]
fn calls_are_told_by_the_factor_they_were_counted_by() {
    let p95 = TriggerReport { counted_beyond: Some(2.0), ..report(Trigger::P95, 4.0, 30, 200) };
    assert_eq!(
        p95.to_string(),
        "p95               INCONCLUSIVE  30 of 200 calls of new took longer than 2 times the p95 of legacy (15.0 %); the limit \
         is 4 times. Nothing is proven."
    );
    assert!(regressed(&p95, Proof::Evidence).to_string().contains("4 times. It had been proven earlier in this phase"));
    let latency = CriterionReport { counted_beyond: Some(1.1), ..criterion(Criterion::Latency, 4, 400) };
    assert_eq!(
        latency.to_string(),
        "promote: latency    not proven  4 of 400 calls of new took longer than 1.1 times the p95 of legacy (1.0 %), which is \
         not what is asked for."
    );
}

#[test]
fn notes_are_sentences() {
    let notes = [
        (Note::NothingToJudge, "new does not run in this mode, so there is nothing to judge"),
        (Note::NothingCounted, "nothing was counted in this phase yet"),
        (Note::NoNewCounts { seconds: 420 }, "nothing new was counted for 7 min; monitoring may be down"),
        (Note::BegunAnew, "the counts went back, so counting has begun anew"),
        (Note::NoBaseline, "there is no baseline of legacy yet, so nobody knows what is slow"),
        (Note::LegacyUnhealthy, "legacy fails its health checks too: going back to it is no way out"),
        (Note::WrongSplit { expected: 0.1, seen: 0.1952 }, "new serves 19.5 % of the calls instead of 10 %"),
        (
            Note::OtherP95Factor { counted: 2.0, limit: 4.0 },
            "calls are slow beyond 2 times the p95 of legacy for the monitor, and beyond 4 times for the p95 trigger: it is \
             held. Build the monitor with p95_factor(4), or the trigger with the limit 2",
        ),
        (
            Note::OtherPromotionFactor { counted: 1.1, limit: 1.0 + 0.05 },
            "calls are too slow for a promotion beyond 1.1 times the p95 of legacy for the monitor, and beyond 1.05 times for \
             the criterion latency: it is held. Build the monitor with promotion_factor(1.05)",
        ),
        (
            Note::ActionsSpent { actions: 1, seconds: 86_400 },
            "1 rollback in 24 h: that is enough. It is frozen instead; look for the cause",
        ),
        (Note::CoolingDown { seconds: 60 }, "a rollback was asked for lately: nothing is promoted for 60 s"),
        (
            Note::Held { trigger: Trigger::P95 },
            "p95 had regressed before the rollback; nothing is promoted until somebody begins anew",
        ),
    ];
    for (note, expected) in notes {
        assert_eq!(note.to_string(), expected);
    }
}

#[test]
fn the_whole_begins_with_what_is_to_be_done() {
    let whole = GuardReport {
        verdict: GuardVerdict::Regressed,
        action: Some(Action::Rollback),
        epoch: 7,
        mode: SystemMode::GradualRollout,
        rollout: Percentage::saturating_from_ppm(100_000),
        phase: 2,
        baseline: Some(Baseline {
            p95: Duration::from_micros(67_250),
            calls: 1_900,
            calls_per_second: 10.0,
            error_rate: 0.0,
        }),
        triggers: vec![regressed(&errors(), Proof::Evidence)],
        criteria: vec![criterion(Criterion::Latency, 0, 0)],
        notes: vec![Note::NoBaseline],
    };
    let text = whole.to_string();
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines[0], "REGRESSED in gradual_rollout at 10%, epoch 7, phase 2: roll back");
    assert!(lines[1].starts_with("error rate        REGRESSED") && lines[2].starts_with("promote: latency"));
    assert_eq!(lines[3], "baseline: 95 % of legacy's calls took at most 67.2ms, by 1,900 calls before new was judged");
    assert_eq!(lines[4], "Note: there is no baseline of legacy yet, so nobody knows what is slow");
    let quiet = GuardReport { verdict: GuardVerdict::Healthy, action: None, mode: SystemMode::NewOnly, ..whole };
    assert!(quiet.to_string().starts_with("HEALTHY in new_only, epoch 7, phase 2: nothing to do"));
    assert_eq!(quiet.reason(), "error rate: 37 of 210 calls of new failed (17.6 %); the limit is 5 %");
    let late = GuardReport { triggers: vec![regressed(&errors(), Proof::Alarm)], ..quiet };
    assert_eq!(
        late.reason(),
        "error rate by the latest calls; in all: 37 of 210 calls of new failed (17.6 %); the limit is 5 %"
    );
}
