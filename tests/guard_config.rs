//! What a guard is configured with is what was asked for, and what is not allowed is refused by name.
#![expect(clippy::float_cmp, reason = "configured numbers are kept exactly")]

use cutover::guard::{Action, CallsToFalseAlarm, Criterion, GuardError, RollbackTriggers, Trigger};
use cutover::{Guard, PromotionCriteria};
use serde_json::json;

#[test]
fn the_default_is_what_the_documentation_says() {
    let triggers = RollbackTriggers::default();
    let expected = [
        (Trigger::Validation, 0.3, 0.2, Action::Rollback),
        (Trigger::ErrorRate, 0.05, 0.4, Action::Rollback),
        (Trigger::P95, 2.0, 0.2, Action::Rollback),
        (Trigger::Throughput, 0.5, 0.1, Action::Rollback),
        (Trigger::Health, 3.0, 0.1, Action::Rollback),
        (Trigger::AverageDuration, 600.0, 0.0, Action::Warn),
    ];
    for (trigger, limit, share, action) in expected {
        let rule = triggers.rule(trigger);
        assert_eq!((rule.limit, rule.share, rule.action), (limit, share, action), "{trigger}");
        assert!(rule.enabled && !rule.dry_run, "{trigger}");
    }
    assert_eq!(triggers.budget(), 0.01);
    assert_eq!(triggers.calls_to_false_alarm(), CallsToFalseAlarm { with_control: 1e9, without_control: 1e6 });
    let criteria = PromotionCriteria::default();
    assert_eq!((criteria.validation_at_least(), criteria.alpha()), (0.8, 0.05));
    assert_eq!((criteria.throughput_change_at_least(), criteria.p95_change_at_most()), (-0.05, 0.10));
    assert_eq!(*Guard::default().triggers(), triggers);
}

#[test]
fn limits_out_of_range_are_refused_by_trigger_and_value() {
    let refused = |trigger, limit| {
        let refused = RollbackTriggers::builder().limit(trigger, limit).build().unwrap_err();
        let GuardError::Limit { trigger: named, value, .. } = refused else { return false };
        named == trigger && (value == limit || value.is_nan() && limit.is_nan())
    };
    for trigger in Trigger::ALL {
        for limit in [f64::NAN, f64::INFINITY, -1.0, 0.0] {
            assert!(refused(trigger, limit), "{trigger}: {limit}");
        }
    }
    let ranges = [
        (Trigger::Validation, 0.91),
        (Trigger::ErrorRate, 5.0),
        (Trigger::P95, 1.0),
        (Trigger::Throughput, 1.0),
        (Trigger::Throughput, 0.09),
        (Trigger::Health, 0.5),
    ];
    assert!(ranges.into_iter().all(|(trigger, limit)| refused(trigger, limit)));
    let message = RollbackTriggers::builder().limit(Trigger::P95, 0.9).build().unwrap_err().to_string();
    assert_eq!(message, "the limit of the trigger `p95` is 0.9; allowed: more than 1, at most 100");
}

#[test]
fn shares_are_shares_and_add_up_to_the_budget_at_most() {
    let built = |trigger, share| RollbackTriggers::builder().share(trigger, share).build();
    for share in [-0.1, 1.1, f64::NAN] {
        let refused = built(Trigger::ErrorRate, share).unwrap_err();
        assert!(matches!(refused, GuardError::Share { trigger: Trigger::ErrorRate, .. }), "{refused}");
    }
    let refused = built(Trigger::ErrorRate, 0.0).unwrap_err().to_string();
    assert_eq!(refused, "the share of the trigger `error_rate` is 0; allowed: 1e-6 to 1, or the trigger switched off");
    let refused = built(Trigger::ErrorRate, 0.75).unwrap_err().to_string();
    assert_eq!(refused, "with the trigger `p95` the shares add up to 1.15; allowed: at most 1");
    built(Trigger::Health, 0.0).unwrap();
    let without = RollbackTriggers::builder().without(Trigger::P95).without(Trigger::Validation);
    without.share(Trigger::ErrorRate, 0.8).build().unwrap();
}

#[test]
fn budgets_and_calls_to_a_false_alarm_have_a_range() {
    for budget in [0.0, -0.01, 1.0, 1.01, f64::NAN] {
        let refused = RollbackTriggers::builder().budget(budget).build().unwrap_err();
        assert_eq!(
            refused.to_string(),
            format!("the budget of false rollbacks is {budget}; allowed: more than 0, less than 1")
        );
    }
    for calls in [0.0, 99.0, 1e16, f64::NAN] {
        for calls in [
            CallsToFalseAlarm { with_control: calls, ..CallsToFalseAlarm::default() },
            CallsToFalseAlarm { without_control: calls, ..CallsToFalseAlarm::default() },
        ] {
            let refused = RollbackTriggers::builder().calls_to_false_alarm(calls).build().unwrap_err();
            assert!(matches!(refused, GuardError::FalseAlarm { .. }), "{refused}");
        }
    }
}

/// Plus is better for throughput, and worse for the p95. Whoever mistakes one for the other is told.
#[test]
fn criteria_out_of_range_are_refused_with_their_sign() {
    let build = PromotionCriteria::builder;
    for share in [0.0, 1.0, 80.0, f64::NAN] {
        let refused = build().validation_at_least(share).build().unwrap_err();
        assert!(matches!(refused, GuardError::Criterion { criterion: Criterion::Validation, .. }), "{refused}");
    }
    for change in [0.0, 0.05, -1.0, -5.0, f64::NAN] {
        let refused = build().throughput_change_at_least(change).build().unwrap_err();
        assert!(refused.to_string().contains("(minus is worse than legacy)"), "{refused}");
    }
    for change in [-0.10, 10.0, f64::NAN] {
        let refused = build().p95_change_at_most(change).build().unwrap_err();
        assert!(refused.to_string().contains("(plus is slower than legacy)"), "{refused}");
    }
    for alpha in [0.0, 0.51, f64::NAN] {
        let refused = build().alpha(alpha).build().unwrap_err().to_string();
        assert_eq!(refused, format!("the chance of a wrong promotion is {alpha}; allowed: more than 0, at most 0.5"));
    }
}

#[test]
fn what_is_written_reads_back_as_the_same() {
    let triggers = RollbackTriggers::builder()
        .limit(Trigger::ErrorRate, 0.02)
        .share(Trigger::ErrorRate, 0.3)
        .action(Trigger::Validation, Action::Ask)
        .dry_run(Trigger::P95)
        .without(Trigger::Throughput)
        .budget(0.005)
        .build()
        .unwrap();
    let written = serde_json::to_value(triggers).unwrap();
    assert_eq!(
        written["error_rate"],
        json!({ "limit": 0.02, "share": 0.3, "action": "rollback", "dry_run": false, "enabled": true })
    );
    assert_eq!(serde_json::from_value::<RollbackTriggers>(written).unwrap(), triggers);
    let criteria = PromotionCriteria::builder().validation_at_least(0.99).build().unwrap();
    let written = serde_json::to_value(criteria).unwrap();
    assert_eq!(written["throughput_change_at_least"], json!(-0.05));
    assert_eq!(serde_json::from_value::<PromotionCriteria>(written).unwrap(), criteria);
}

#[test]
fn what_is_not_given_is_as_in_the_default() {
    assert_eq!(serde_json::from_value::<RollbackTriggers>(json!({})).unwrap(), RollbackTriggers::default());
    let read: RollbackTriggers = serde_json::from_value(json!({ "p95": { "limit": 3.0 } })).unwrap();
    assert_eq!(read, RollbackTriggers::builder().limit(Trigger::P95, 3.0).build().unwrap());
    assert_eq!(serde_json::from_value::<PromotionCriteria>(json!({})).unwrap(), PromotionCriteria::default());
    let yaml: RollbackTriggers =
        serde_saphyr::from_str("health: { limit: 5 }\nvalidation: { action: freeze }").unwrap();
    assert_eq!((yaml.rule(Trigger::Health).limit, yaml.rule(Trigger::Validation).action), (5.0, Action::Freeze));
}

#[test]
fn what_is_read_is_checked_like_what_is_built() {
    let refused = |given: serde_json::Value| serde_json::from_value::<RollbackTriggers>(given).unwrap_err().to_string();
    let limit = refused(json!({ "error_rate": { "limit": 5 } }));
    assert_eq!(limit, "the limit of the trigger `error_rate` is 5; allowed: more than 0, at most 0.9");
    assert!(refused(json!({ "budget": 2 })).starts_with("the budget of false rollbacks is 2;"));
    assert!(refused(json!({ "error_rates": {} })).contains("error_rates"), "a typing error is no default");
    assert!(refused(json!({ "p95": { "limits": 2 } })).contains("limits"));
    assert!(refused(json!({ "p95": { "action": "explode" } })).contains("explode"));
    let criteria = serde_json::from_value::<PromotionCriteria>(json!({ "throughput_change_at_least": 0.05 }));
    assert!(criteria.unwrap_err().to_string().starts_with("the criterion `throughput` is 0.05;"));
}
