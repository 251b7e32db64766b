//! An inventory is data, and says what is wrong with it: the value, and what is allowed.

use cutover_fleet::{
    Inventory, InventoryData, InventoryError, Priority, PriorityRule, Strategy, StrategyError, StrategyRule,
    StrategySpec, SystemData,
};
use proptest::prelude::*;

fn data(systems: &[&str]) -> InventoryData {
    InventoryData { systems: systems.iter().map(|name| SystemData::named(*name)).collect(), ..InventoryData::default() }
}

fn with_priority(systems: &[&str], rules: &[(&str, &str)]) -> Result<Inventory, InventoryError> {
    let rule = |(matches, priority): &(&str, &str)| PriorityRule {
        matches: (*matches).to_owned(),
        priority: (*priority).to_owned(),
    };
    Inventory::try_from(InventoryData { priorities: rules.iter().map(rule).collect(), ..data(systems) })
}

fn with_strategy(name: &str) -> Result<Inventory, InventoryError> {
    let strategies = vec![StrategyRule { matches: "*".to_owned(), strategy: StrategySpec::named(name) }];
    Inventory::try_from(InventoryData { strategies, ..data(&["billing"]) })
}

fn order(inventory: &Inventory) -> Vec<(&str, Priority)> {
    inventory.systems().map(|system| (system.name.as_str(), system.priority)).collect()
}

#[test]
fn the_first_pattern_that_matches_counts_and_the_rest_is_last() {
    let rules = [("batch-urgent", "P3"), ("batch-*", "P0"), ("[a-c]*", "P1")];
    let inventory = with_priority(&["zoo", "billing", "batch-urgent", "batch-daily"], &rules).unwrap();
    let expected = [
        ("batch-daily", Priority::P0),
        ("billing", Priority::P1),
        ("batch-urgent", Priority::P3),
        ("zoo", Priority::P4),
    ];
    assert_eq!(order(&inventory), expected);
}

#[test]
fn a_system_listed_twice_is_an_error() {
    let error = Inventory::try_from(data(&["billing", "search", "billing"])).unwrap_err();
    assert_eq!(error.to_string(), "the system billing is listed twice; list it once");
}

#[test]
fn a_pattern_that_matches_nothing_is_an_error() {
    let error = with_priority(&["billing"], &[("serch*", "P0")]).unwrap_err();
    assert_eq!(error.to_string(), "the pattern `serch*` matches no system; there are billing");
    let unread = with_priority(&["billing"], &[("[", "P0")]).unwrap_err();
    assert!(matches!(unread, InventoryError::Pattern { .. }));
}

#[test]
fn an_unknown_priority_or_strategy_is_an_error_and_falls_through_to_nothing() {
    let error = with_priority(&["billing"], &[("*", "P5")]).unwrap_err();
    assert_eq!(error.to_string(), "for `*`: `P5` is not a priority; there are P0, P1, P2, P3 and P4");
    for unknown in ["big_bang", "Direct", "blue-green", ""] {
        let error = with_strategy(unknown).unwrap_err();
        let expected = format!("for `*`: `{unknown}` is not a strategy; there are blue_green, canary, direct");
        assert_eq!(error.to_string(), expected);
    }
    assert!(matches!(
        with_strategy("direct"),
        Err(InventoryError::Strategy { problem: StrategyError::NotAcknowledged, .. })
    ));
}

#[test]
fn what_does_not_fit_to_a_strategy_is_refused() {
    let refused = |json: &str| serde_json::from_str::<Strategy>(json).unwrap_err().to_string();
    assert!(
        refused(r#"{ "name": "blue_green", "shares": [50, 100] }"#)
            .starts_with("the strategy blue_green has no `shares`")
    );
    assert!(
        refused(r#"{ "name": "canary", "shares": [50, 10, 100] }"#)
            .contains("they have to grow, from above 0% to 100%")
    );
    assert!(refused(r#"{ "name": "canary", "shares": [50] }"#).contains("[50%]"));
    assert!(refused(r#"{ "name": "canary", "shares": [0, 100] }"#).contains("above 0%"));
    assert!(
        refused(r#"{ "name": "blue_green", "every": "1ms" }"#).starts_with("`every` is 1ms; allowed: at least 100 ms")
    );
    let slower = r#"{ "name": "blue_green", "limits": { "latency_change_at_most": -0.1 } }"#;
    assert!(
        refused(slower).starts_with("the limit `latency_change_at_most` is -0.1; allowed: 0 to 10 (plus is slower)")
    );
    assert!(refused(r#"{ "name": "blue_green", "wach": "5m" }"#).starts_with("unknown field `wach`"));
}

#[test]
fn what_is_too_short_to_be_a_watch_is_refused() {
    let read = |watch: &str, every: &str, looks: u32| {
        let json = format!(
            r#"{{ "name": "blue_green", "watch": "{watch}", "every": "{every}", "limits": {{ "unhealthy_looks": {looks} }} }}"#
        );
        serde_json::from_str::<Strategy>(&json).map(drop).map_err(|error| error.to_string())
    };
    assert_eq!(
        read("0s", "100ms", 3).unwrap_err(),
        "`watch` is 0ns, too short to be one; it has to be at least 300ms: `unhealthy_looks` (3) times `every` (100ms)"
    );
    assert!(read("599ms", "200ms", 3).is_err(), "what is bad could not be seen often enough");
    assert!(read("199ms", "200ms", 1).is_err(), "one look sees no time pass");
    for (watch, every, looks) in [("600ms", "200ms", 3), ("2s", "200ms", 3), ("200ms", "200ms", 1)] {
        assert_eq!(read(watch, every, looks), Ok(()));
    }
}

#[test]
fn names_that_no_store_takes_and_nothing_at_all_are_errors() {
    let error = Inventory::try_from(data(&["../etc"])).unwrap_err();
    assert!(error.to_string().starts_with("not the name of a system: `../etc`"), "{error}");
    assert_eq!(Inventory::try_from(data(&[])).unwrap_err().to_string(), "the inventory has no systems");
}

#[test]
fn what_is_written_reads_back_as_the_same() {
    let json = r#"{ "systems": [{ "name": "billing", "category": "service", "attributes": { "port": "8080" } }],
        "priorities": [{ "match": "*", "priority": "P2" }],
        "strategies": [{ "match": "b*", "strategy": { "name": "canary", "shares": [5, 100], "watch": "2m" } }] }"#;
    let inventory: Inventory = serde_json::from_str(json).unwrap();
    let again: Inventory = serde_json::from_str(&serde_json::to_string(&inventory).unwrap()).unwrap();
    assert_eq!(again, inventory);
    let strategies = [Strategy::blue_green(), Strategy::canary(), Strategy::direct("ana").unwrap()];
    for strategy in strategies {
        let json = serde_json::to_string(&strategy).unwrap();
        assert_eq!(serde_json::from_str::<Strategy>(&json).unwrap(), strategy, "{json}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        rng_seed: proptest::test_runner::RngSeed::Fixed(5), cases: 200, ..ProptestConfig::default()
    })]

    #[test]
    fn turns_go_by_priority_and_then_as_listed(priorities in proptest::collection::vec(0..5_usize, 1..20)) {
        let names: Vec<String> = (0..priorities.len()).map(|number| format!("s{number}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let named = |place: &usize| Priority::ALL[*place].name();
        let rules: Vec<(&str, &str)> = names.iter().copied().zip(priorities.iter().map(named)).collect();
        let inventory = with_priority(&names, &rules).unwrap();
        let mut expected: Vec<(usize, usize)> = priorities.iter().copied().zip(0..).collect();
        expected.sort_unstable();
        let found: Vec<String> = inventory.systems().map(|system| system.name.to_string()).collect();
        prop_assert_eq!(found, expected.iter().map(|(_, place)| format!("s{place}")).collect::<Vec<_>>());
    }
}
