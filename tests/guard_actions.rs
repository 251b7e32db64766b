//! A guard asks for what its triggers say: once it is proven until it is answered, and not without end.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod guard_common;

use std::time::Duration;

use cutover::clock::Instant;
use cutover::guard::{Action, Guard, GuardVerdict, Hold, Note, Proof, RollbackTriggers, Trigger};
use cutover::monitor::SideFailures;
use cutover::{PromotionCriteria, SystemMode};
use guard_common::Watched;

const MINUTE: Duration = Duration::from_secs(60);

fn guard(
    change: impl FnOnce(cutover::guard::RollbackTriggersBuilder) -> cutover::guard::RollbackTriggersBuilder,
) -> Guard {
    Guard::new(change(RollbackTriggers::builder()).build().unwrap(), PromotionCriteria::default())
}

/// New fails always, and legacy never.
fn break_new(watched: &mut Watched) {
    watched.pairs(50, 50, 0);
    for call in 0..200 {
        watched.served(call % 4 == 0, call % 4 == 0);
    }
}

#[test]
fn one_bad_call_is_no_reason() {
    for mut watched in [
        Watched::parallel(Guard::default()),
        Watched::gradual(Guard::default(), 1.0),
        Watched::new_only(Guard::default()),
        Watched::parallel(guard(|build| build.limit(Trigger::Validation, 1e-6).limit(Trigger::ErrorRate, 1e-6))),
        Watched::new_only(guard(|build| build.limit(Trigger::ErrorRate, 1e-6))),
    ] {
        watched.pairs(2, 2, 0);
        watched.comparisons(2, 2);
        watched.fed.health.new = 3;
        let report = watched.look();
        assert_eq!((report.verdict, report.action), (GuardVerdict::Inconclusive, None), "{report}");
    }
}

#[test]
fn what_is_asked_for_is_asked_for_until_it_is_done() {
    let mut watched = Watched::gradual(Guard::default(), 25.0);
    break_new(&mut watched);
    let report = watched.look();
    assert_eq!((report.verdict, report.action), (GuardVerdict::Regressed, Some(Action::Rollback)));
    assert_eq!(report.trigger(Trigger::ErrorRate).unwrap().proof, Some(Proof::Evidence));
    for _ in 0..10 {
        watched.pass(MINUTE);
        assert_eq!(watched.look().action, Some(Action::Rollback));
    }
}

#[test]
fn a_look_without_new_data_changes_nothing() {
    let mut watched = Watched::new_only(Guard::default());
    watched.calls_of_new(1_000, 60);
    let first = watched.look();
    for _ in 0..10_000 {
        assert_eq!(watched.glance(), None);
    }
    assert_eq!(watched.look(), first);
}

#[test]
fn a_regression_stays_one_when_new_is_well_again() {
    let mut watched = Watched::parallel(Guard::default());
    watched.pairs(50, 50, 0);
    assert_eq!(watched.look().verdict, GuardVerdict::Regressed);
    watched.pairs(1_000_000, 0, 40_000);
    let report = watched.look();
    assert_eq!((report.verdict, report.action), (GuardVerdict::Regressed, Some(Action::Rollback)));
    assert!(report.to_string().contains("It had been proven earlier in this phase"), "{report}");
    watched.fed.health.new = 4;
    watched.look();
    watched.fed.health.new = 0;
    assert_eq!(watched.look().trigger(Trigger::Health).unwrap().verdict, GuardVerdict::Regressed);
}

/// 25 % is rolled back to 10 %: a machine began that phase.
#[test]
fn after_a_rollback_nothing_is_promoted_until_somebody_begins_anew() {
    let mut watched = Watched::gradual(Guard::default(), 25.0);
    break_new(&mut watched);
    watched.look();
    watched.change(SystemMode::GradualRollout, 10.0);
    let report = watched.look();
    assert_eq!((report.verdict, report.action, report.phase), (GuardVerdict::Inconclusive, None, 2));
    assert!(report.notes.contains(&Note::Held { trigger: Trigger::ErrorRate }), "{report}");
    watched.pass(60 * MINUTE);
    assert_eq!(watched.look().held_by(), Some(Hold::Regressed));
    watched.change(SystemMode::GradualRollout, 25.0);
    let report = watched.look();
    assert_eq!((report.held_by(), report.phase), (None, 3));
}

#[test]
fn an_emergency_is_held_until_new_runs_again() {
    let mut watched = Watched::new_only(Guard::default());
    watched.calls_of_new(100, 100);
    assert_eq!(watched.look().action, Some(Action::Rollback));
    watched.change(SystemMode::EmergencyRollback, 0.0);
    watched.pass(60 * MINUTE);
    let report = watched.look();
    assert_eq!((report.action, report.held_by()), (None, Some(Hold::Regressed)));
    assert!(report.notes.contains(&Note::NothingToJudge));
    watched.change(SystemMode::LegacyOnly, 0.0);
    watched.look();
    watched.change(SystemMode::Parallel, 0.0);
    assert_eq!(watched.look().held_by(), None);
}

#[test]
fn whoever_answers_begins_a_phase_with_fresh_counts() {
    let mut watched = Watched::gradual(guard(|build| build.action(Trigger::ErrorRate, Action::Ask)), 25.0);
    break_new(&mut watched);
    assert_eq!(watched.look().action, Some(Action::Ask));
    watched.guard.begin_anew();
    let report = watched.look();
    assert_eq!((report.action, report.phase, report.held_by()), (None, 2, None));
    assert_eq!(report.trigger(Trigger::ErrorRate).unwrap().trials, 0);
    break_new(&mut watched);
    assert_eq!(watched.look().action, Some(Action::Ask), "it is judged anew");
}

#[test]
fn for_a_while_after_a_rollback_nothing_is_promoted() {
    let mut watched = Watched::new_only(Guard::default().cool_down(10 * MINUTE));
    watched.calls_of_new(100, 100);
    watched.look();
    for mode in [SystemMode::EmergencyRollback, SystemMode::LegacyOnly, SystemMode::Parallel] {
        watched.change(mode, 0.0);
        watched.look();
    }
    watched.pass(9 * MINUTE);
    let report = watched.look();
    assert_eq!(report.held_by(), Some(Hold::CoolingDown));
    assert!(report.notes.contains(&Note::CoolingDown { seconds: 60 }), "{report}");
    watched.pairs(50, 50, 0);
    assert_eq!(watched.look().action, Some(Action::Rollback), "a rollback never waits");
    watched.change(SystemMode::LegacyOnly, 0.0);
    watched.look();
    watched.change(SystemMode::Parallel, 0.0);
    watched.pass(10 * MINUTE);
    assert_eq!(watched.look().held_by(), None);
}

#[test]
fn too_many_rollbacks_become_a_freeze() {
    let mut watched = Watched::new_only(Guard::default().rollbacks_at_most(2, 60 * MINUTE));
    let break_again = |watched: &mut Watched| {
        watched.change(SystemMode::LegacyOnly, 0.0);
        watched.look();
        watched.change(SystemMode::NewOnly, 100.0);
        watched.look();
        watched.calls_of_new(100, 100);
        watched.look()
    };
    let asked = [(); 3].map(|()| break_again(&mut watched).action.expect("something"));
    assert_eq!(asked, [Action::Rollback, Action::Rollback, Action::Freeze]);
    let report = watched.look();
    assert!(report.notes.contains(&Note::ActionsSpent { actions: 2, seconds: 3_600 }));
    assert!(report.to_string().contains("2 rollbacks in 1 h: that is enough. It is frozen instead"), "{report}");
    watched.pass(60 * MINUTE);
    assert_eq!(break_again(&mut watched).action, Some(Action::Rollback));
}

#[test]
fn a_dry_run_says_what_would_happen() {
    let mut watched = Watched::new_only(guard(|build| build.dry_run(Trigger::ErrorRate)));
    watched.calls_of_new(100, 100);
    let report = watched.look();
    assert_eq!((report.action, report.verdict), (None, GuardVerdict::Inconclusive));
    assert_eq!(report.trigger(Trigger::ErrorRate).unwrap().verdict, GuardVerdict::Regressed);
    assert!(report.to_string().contains("Dry run: it would roll back."), "{report}");
}

#[test]
fn a_warning_holds_nothing_and_goes_with_its_cause() {
    let mut watched = Watched::new_only(Guard::default());
    watched.fed.average = Some(Duration::from_secs(601));
    let report = watched.look();
    assert_eq!((report.action, report.held_by()), (Some(Action::Warn), None));
    assert_eq!(report.trigger(Trigger::AverageDuration).unwrap().verdict, GuardVerdict::Regressed);
    assert_ne!(report.verdict, GuardVerdict::Regressed);
    watched.fed.average = Some(Duration::from_secs(600));
    let report = watched.look();
    assert_eq!(report.trigger(Trigger::AverageDuration).unwrap().verdict, GuardVerdict::Healthy);
}

#[test]
fn the_strongest_action_wins() {
    let build = guard(|build| build.action(Trigger::ErrorRate, Action::Ask).action(Trigger::Health, Action::Freeze));
    let mut watched = Watched::new_only(build);
    watched.calls_of_new(100, 100);
    assert_eq!(watched.look().action, Some(Action::Ask));
    watched.fed.health.new = 4;
    assert_eq!(watched.look().action, Some(Action::Freeze));
    watched.fed.counts.new.overdue = 100;
    assert_eq!(watched.look().action, Some(Action::Rollback));
}

#[test]
fn health_acts_beyond_its_limit_and_not_when_legacy_is_no_better() {
    let mut watched = Watched::new_only(Guard::default());
    for (legacy, new, action) in [(0, 3, None), (4, 4, None), (4, 900, None), (3, 4, Some(Action::Rollback))] {
        watched.fed.health = SideFailures { legacy, new };
        let report = watched.look();
        assert_eq!(report.action, action, "{legacy} {new}");
        assert_eq!(report.notes.contains(&Note::LegacyUnhealthy), legacy > 3);
    }
}

#[test]
fn a_trigger_that_is_off_does_nothing() {
    let mut watched = Watched::new_only(guard(|build| build.without(Trigger::ErrorRate).without(Trigger::Health)));
    watched.calls_of_new(1_000, 1_000);
    watched.fed.health.new = 100;
    let report = watched.look();
    assert_eq!((report.action, report.trigger(Trigger::ErrorRate)), (None, None));
}

#[test]
fn without_new_counts_for_long_nothing_is_known() {
    let mut watched = Watched::parallel(Guard::default());
    watched.pairs(100_000, 10, 10);
    watched.comparisons(100_000, 0);
    watched.fed.counts.new.timed = 100_000;
    assert_eq!(watched.look().verdict, GuardVerdict::Healthy);
    watched.pass(5 * MINUTE);
    let report = watched.look();
    assert_eq!((report.verdict, report.action), (GuardVerdict::Inconclusive, None));
    assert!(report.notes.contains(&Note::NoNewCounts { seconds: 300 }));
    assert_eq!(report.held_by(), Some(Hold::NoNewCounts));
    watched.pairs(1, 0, 0);
    assert_eq!(watched.look().verdict, GuardVerdict::Healthy);
}

/// One of several processes began anew, or was not heard of for a moment: nothing may be counted twice.
#[test]
fn counts_that_go_back_begin_a_phase_anew() {
    let mut watched = Watched::parallel(Guard::default());
    watched.pairs(100, 8, 0);
    let whole = watched.fed;
    assert_eq!((watched.look().action, watched.look().phase), (None, 1));
    watched.fed.counts = cutover::monitor::PhaseCounts::empty(1, SystemMode::Parallel);
    for _ in 0..5 {
        let report = watched.look();
        assert!(report.notes.contains(&Note::BegunAnew), "{report}");
        let seen = watched.fed;
        watched.fed = whole;
        let report = watched.look();
        assert_eq!((report.trigger(Trigger::ErrorRate).unwrap().trials, report.action), (100, None));
        watched.fed = seen;
    }
    assert_eq!(watched.look().phase, 7);
}

#[test]
fn a_regression_is_not_forgotten_when_counts_go_back() {
    let mut watched = Watched::new_only(Guard::default());
    watched.calls_of_new(100, 100);
    watched.look();
    watched.fed.counts = cutover::monitor::PhaseCounts::empty(1, SystemMode::NewOnly);
    assert_eq!(watched.look().action, Some(Action::Rollback));
}

#[test]
fn epochs_with_the_same_settings_add_up_and_others_do_not_count() {
    let mut watched = Watched::parallel(Guard::default());
    watched.pairs(60, 6, 0);
    watched.look();
    watched.change(SystemMode::Parallel, 0.0);
    watched.pairs(40, 4, 0);
    let report = watched.look();
    let errors = report.trigger(Trigger::ErrorRate).unwrap();
    assert_eq!((errors.events, errors.trials, report.phase, report.epoch), (10, 100, 1, 2));

    watched.present.epoch = 3;
    watched.pairs(1_000, 1_000, 0);
    let report = watched.look();
    assert_eq!((report.action, report.trigger(Trigger::ErrorRate).unwrap().trials), (None, 100), "counts of epoch 2");
}

#[test]
fn other_settings_begin_with_fresh_counts() {
    let mut watched = Watched::parallel(Guard::default());
    watched.pairs(100, 8, 0);
    watched.look();
    watched.change(SystemMode::GradualRollout, 10.0);
    let report = watched.look();
    assert_eq!((report.trigger(Trigger::ErrorRate).unwrap().trials, report.phase), (0, 2));
    let strength = report.trigger(Trigger::ErrorRate).unwrap().strength.unwrap();
    let spent = cutover::stats::spend(0.01 * 0.4, 2);
    assert!((strength.ln_threshold.unwrap() + spent.ln()).abs() < 1e-9, "{strength:?}");
    assert!(Guard::default().after_phases(4).phases() == 4);
}

#[test]
fn the_evidence_for_the_audit_is_small_and_complete() {
    let mut watched = Watched::gradual(Guard::default(), 25.0);
    break_new(&mut watched);
    watched.comparisons(u64::MAX / 4, u64::MAX / 8);
    watched.fed.average = Some(Duration::MAX);
    watched.now = Instant::from_nanos(u64::MAX);
    let report = watched.look();
    let evidence = report.evidence();
    let bytes = evidence.to_string().len();
    assert!(bytes < 8 * 1024, "{bytes} bytes");
    assert_eq!(evidence["action"], "rollback");
    assert_eq!(serde_json::from_value::<cutover::guard::GuardReport>(evidence).unwrap(), report);
}
