//! The old code can be deleted only when all evidence is there and says so.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod codemod_common;

use codemod_common::Tree;
use cutover::compat::{Deprecation, DeprecationReport};
use cutover::dual::Counts;
use cutover::{
    Deprecations, DualRunner, Equality, MemoryStore, MigrationController, MigrationStatus, Percentage, SystemMode,
};
use cutover_assess::readiness::{Evidence, Missing};
use cutover_assess::{Assessment, Complexity, Readiness, Rule, RuleSet, Scan};
use futures::executor::block_on;

fn assessment(source: &str, glob: &str) -> Assessment {
    let tree = Tree::new([("app.py", source.as_bytes())]);
    let rule = Rule::new("llm-chain", "LLMChain", "Legacy LLMChain", Complexity::Low).files([glob]);
    Scan::new(RuleSet::new([rule]).unwrap()).run(tree.root()).unwrap()
}

fn controller() -> MigrationController {
    block_on(MigrationController::open("price", MemoryStore::new())).unwrap()
}

fn status(modes: &[SystemMode]) -> MigrationStatus {
    let controller = controller();
    for mode in modes {
        block_on(controller.transition(*mode, "ana", "a test")).unwrap();
    }
    controller.status()
}

fn finished() -> MigrationStatus {
    status(&[SystemMode::Parallel, SystemMode::NewOnly])
}

/// Counts of a real runner, of calls whose new side answers `new(call)` where legacy answers 1.
fn counts(calls: u32, new: impl Fn(u32) -> Result<u32, String>) -> Counts {
    let controller = controller();
    block_on(controller.transition(SystemMode::Parallel, "ana", "a test")).unwrap();
    let runner = DualRunner::<u32, String>::builder("price", controller).comparator(Equality).build();
    for call in 0..calls {
        runner.run_sync(u64::from(call), || Ok(1), || new(call)).unwrap();
    }
    runner.counts()
}

fn deprecations(used: bool) -> DeprecationReport {
    let deprecations = Deprecations::new();
    let old = Deprecation::new("price").instead("quote");
    deprecations.declare(&old).unwrap();
    if used {
        deprecations.used_in(&old, "the nightly job");
    }
    deprecations.report()
}

#[test]
fn all_evidence_that_says_so_is_ready() {
    let (assessment, status) = (assessment("Runnable()", "*.py"), finished());
    let (counts, report) = (counts(1_000, |_| Ok(1)), deprecations(false));
    let all = Evidence::new().assessment(&assessment).status(&status).counts(&counts).deprecations(&report);
    let readiness = Readiness::of(&all);
    assert!(readiness.is_ready(), "{readiness}");
    assert_eq!(
        readiness.to_string(),
        "ready: the old code can be deleted
  call sites          0 left in 0 of 1 files, 0 allowed, 0 paths not looked at
  migration           price is in new_only
  match rate          100% of 1000 judged calls
  deprecated callers  0 left of 1 deprecated, 0 uses"
    );
}

#[test]
fn each_part_that_is_missing_is_named_and_none_stands_in_for_another() {
    let (assessment, status) = (assessment("Runnable()", "*.py"), finished());
    let (counts, report) = (counts(1_000, |_| Ok(1)), deprecations(false));
    let all = || Evidence::new().assessment(&assessment).status(&status).counts(&counts).deprecations(&report);
    let missing = |evidence: Evidence<'_>| Readiness::of(&evidence).missing;
    assert_eq!(missing(all()), []);
    assert_eq!(missing(Evidence::new().status(&status).counts(&counts).deprecations(&report)), [Missing::Assessment]);
    assert_eq!(
        missing(Evidence::new().assessment(&assessment).counts(&counts).deprecations(&report)),
        [Missing::Status]
    );
    assert_eq!(
        missing(Evidence::new().assessment(&assessment).status(&status).deprecations(&report)),
        [Missing::Counts]
    );
    assert_eq!(
        missing(Evidence::new().assessment(&assessment).status(&status).counts(&counts)),
        [Missing::Deprecations]
    );
    assert_eq!(missing(Evidence::new()).len(), 4);
}

fn missing_in(source: &str, glob: &str) -> Vec<Missing> {
    let assessment = assessment(source, glob);
    let mut missing = Readiness::of(&Evidence::new().assessment(&assessment)).missing;
    missing.truncate(missing.len() - 3);
    missing
}

#[test]
fn call_sites_that_are_left_allowed_or_unseen_are_missing() {
    assert_eq!(missing_in("LLMChain()\nLLMChain()", "*.py"), [Missing::CallSites { left: 2 }]);
    assert_eq!(missing_in("LLMChain()  # migrate:allow(llm-chain)", "*.py"), [Missing::Allowed { allowed: 1 }]);
    assert_eq!(
        missing_in("\u{feff}a\0", "*.py"),
        [Missing::NothingScanned, Missing::Unseen { unseen: 1 }, not_looked_for()]
    );
    assert_eq!(missing_in("LLMChain()", "*.misspelt"), [Missing::NothingScanned, not_looked_for()]);
    let tree = Tree::new([("app.py", b"\xff\xfea\0".as_slice()), ("b.py", b"")]);
    let rule = Rule::new("llm-chain", "LLMChain", "Legacy LLMChain", Complexity::Low);
    let unseen = Scan::new(RuleSet::new([rule]).unwrap()).run(tree.root()).unwrap();
    let readiness = Readiness::of(&Evidence::new().assessment(&unseen));
    assert_eq!(readiness.missing[0], Missing::Unseen { unseen: 1 });
}

fn not_looked_for() -> Missing {
    Missing::NotLookedFor { rule: "llm-chain".to_owned() }
}

#[test]
fn every_other_mode_is_not_the_end() {
    use SystemMode::{GradualRollout, LegacyOnly, NewOnly, Parallel};
    for modes in [&[][..], &[Parallel], &[GradualRollout], &[Parallel, NewOnly, GradualRollout]] {
        let status = status(modes);
        let readiness = Readiness::of(&Evidence::new().status(&status));
        let mode = modes.last().copied().unwrap_or(LegacyOnly);
        assert!(readiness.missing.contains(&Missing::Mode { mode }), "{modes:?}: {:?}", readiness.missing);
    }
    assert!(
        !Readiness::of(&Evidence::new().status(&finished()))
            .missing
            .iter()
            .any(|missing| matches!(missing, Missing::Mode { .. }))
    );
}

#[test]
fn a_status_that_the_store_does_not_confirm_is_not_certain() {
    let doubts: [fn(&mut MigrationStatus); 3] =
        [|status| status.stale = true, |status| status.assumed = true, |status| status.unpersisted_emergency = true];
    for doubt in doubts {
        let mut status = finished();
        doubt(&mut status);
        let readiness = Readiness::of(&Evidence::new().status(&status));
        assert!(readiness.missing.contains(&Missing::Uncertain), "{:?}", readiness.missing);
    }
}

fn missing_of(counts: &Counts) -> Vec<Missing> {
    let mut missing = Readiness::of(&Evidence::new().counts(counts)).missing;
    missing.retain(|missing| matches!(missing, Missing::Judged { .. } | Missing::MatchRate { .. }));
    missing
}

#[test]
fn too_few_compared_calls_or_too_many_that_differ_are_missing() {
    assert_eq!(missing_of(&counts(0, |_| Ok(1))), [Missing::Judged { judged: 0, least: 1_000 }]);
    assert_eq!(missing_of(&counts(999, |_| Ok(1))), [Missing::Judged { judged: 999, least: 1_000 }]);
    assert_eq!(missing_of(&counts(1_000, |call| Ok(if call == 0 { 2 } else { 1 }))), []);
    let rate = Percentage::new(99.8).unwrap();
    let least = Percentage::new(99.9).unwrap();
    let differ =
        counts(1_000, |call| if call < 1 { Err("failed".to_owned()) } else { Ok(if call < 2 { 2 } else { 1 }) });
    assert_eq!(missing_of(&differ), [Missing::MatchRate { match_rate: rate, least }]);
}

#[test]
fn a_match_rate_is_rounded_down_and_nothing_is_no_rate() {
    let mut counts = counts(0, |_| Ok(1));
    (counts.matched, counts.mismatched) = (u64::MAX / 2, 1);
    let readiness = Readiness::of(&Evidence::new().counts(&counts).at_least_matching(Percentage::HUNDRED));
    assert_eq!(readiness.comparison.unwrap().match_rate, Some(Percentage::new(99.9999).unwrap()));
    assert!(readiness.missing.iter().any(|missing| matches!(missing, Missing::MatchRate { .. })));
    (counts.matched, counts.mismatched, counts.ignored) = (0, 0, 5_000);
    let readiness = Readiness::of(&Evidence::new().counts(&counts).at_least_judged(0));
    assert_eq!(readiness.comparison.unwrap().match_rate, None);
    assert!(readiness.missing.contains(&Missing::Judged { judged: 0, least: 1 }));
}

#[test]
fn callers_of_what_is_deprecated_are_missing_and_so_is_an_empty_report() {
    let missing =
        |report: &DeprecationReport| Readiness::of(&Evidence::new().deprecations(report)).missing[3..].to_vec();
    assert_eq!(missing(&deprecations(true)), [Missing::DeprecatedCallers { callers: 1 }]);
    assert_eq!(missing(&DeprecationReport::default()), [Missing::Deprecations]);
    let mut full = deprecations(false);
    full.uncounted = 7;
    assert_eq!(missing(&full), [Missing::UncountedCallers { uses: 7 }]);
}

#[test]
fn it_is_one_value_that_other_programs_read() {
    let status = status(&[SystemMode::Parallel]);
    let json = serde_json::to_value(Readiness::of(&Evidence::new().status(&status))).unwrap();
    assert_eq!(json["migration"]["mode"], "parallel");
    assert_eq!(json["missing"][1], serde_json::json!({ "kind": "mode", "mode": "parallel" }));
    assert_eq!(json["call_sites"], serde_json::Value::Null);
}
