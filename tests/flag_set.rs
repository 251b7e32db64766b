//! Promise: a set of flags is always whole: layers have one precedence, and a bad change changes nothing.
#![expect(clippy::unwrap_used, clippy::float_cmp, reason = "a test")]

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use cutover::flag::{FlagConfigError, FlagSetError, Rule};
use cutover::{BucketKey, FlagConfig, FlagSet, Router, Shadow, Side, SystemMode};

fn json(text: &str) -> FlagConfig {
    serde_json::from_str(text).unwrap()
}

fn set(text: &str) -> FlagSet {
    FlagSet::new(json(text)).unwrap()
}

fn percent(flags: &FlagSet, name: &str) -> f64 {
    flags.get(name).unwrap().share().percent()
}

/// A file, the environment and a store, the last one empty.
fn layered() -> FlagSet {
    let file = r#"{ "new-search": { "rollout": 10, "deny": ["berta"], "salt": "s" }, "new-cart": true }"#;
    FlagSet::builder()
        .layer("file", json(file))
        .layer("environment", FlagConfig::from_env("FLAG_", [("FLAG_NEW_SEARCH", "20%")]).unwrap())
        .layer("store", FlagConfig::new())
        .build()
        .unwrap()
}

#[test]
fn an_unknown_name_is_an_error_and_not_a_flag_that_is_off() {
    let flags = set(r#"{ "new-search": true }"#);
    assert_eq!(flags.is_enabled("new-serach", "anna").unwrap_err().to_string(), "there is no flag `new-serach`");
    assert!(flags.decide("new-serach", "anna").is_err());
    assert!(flags.get("new-serach").is_none());
    assert!(flags.router("new-serach").is_err());
    assert!(flags.explain("new-serach").is_err());
    assert!(flags.switch_off("new-serach").is_err() && flags.restore("new-serach").is_err());
    assert_eq!(flags.names(), ["new-search"]);
}

#[test]
fn later_layers_override_property_by_property() {
    let flags = layered();
    assert_eq!(percent(&flags, "new-search"), 20.0);
    assert_eq!(flags.decide("new-search", "berta").unwrap().rule, Rule::DenyList);
    flags.replace("store", json(r#"{ "new-search": { "shadow_share": 100, "deny": [] } }"#)).unwrap();
    assert_eq!(percent(&flags, "new-search"), 20.0);
    assert_eq!(flags.decide("new-search", "berta").unwrap().rule, Rule::Percentage);
    assert_eq!(flags.router("new-search").unwrap().route("anna".into()).shadow, Shadow::Run);
    assert_eq!(flags.layers(), ["file", "environment", "store"]);
}

#[test]
fn explain_names_the_layer_of_every_property() {
    let flags = layered();
    flags.replace("store", json(r#"{ "new-search": { "shadow_share": 1 } }"#)).unwrap();
    flags.switch_off("new-search").unwrap();
    let explained = flags.explain("new-search").unwrap();
    let layers = explained.properties.iter().map(|each| (each.property, each.layer.as_deref())).collect::<Vec<_>>();
    let expected = [
        ("rollout", Some("environment")),
        ("salt", Some("file")),
        ("kill", Some("override")),
        ("allow", None),
        ("deny", Some("file")),
        ("requires", None),
        ("missing_key", None),
        ("shadow_share", Some("store")),
    ];
    assert_eq!(layers, expected);
    assert_eq!(explained.layer_of("rollout"), Some("environment"));
}

#[test]
fn one_flag_is_switched_off_and_the_rest_stays() {
    let flags = layered();
    flags.switch_off("new-cart").unwrap();
    assert_eq!(flags.decide("new-cart", "anna").unwrap().rule, Rule::KillSwitch);
    assert_eq!(percent(&flags, "new-search"), 20.0);
    flags.replace("file", json(r#"{ "new-cart": { "rollout": 100, "kill": false } }"#)).unwrap();
    assert!(!flags.is_enabled("new-cart", "anna").unwrap());
    flags.restore("new-cart").unwrap();
    assert!(flags.is_enabled("new-cart", "anna").unwrap());
}

#[test]
fn a_switch_survives_the_flag_and_can_be_taken_back_without_it() {
    let flags = layered();
    flags.switch_off("new-cart").unwrap();
    flags.replace("file", FlagConfig::new()).unwrap();
    assert!(flags.is_enabled("new-cart", "anna").is_err());
    flags.replace("file", json(r#"{ "new-cart": true }"#)).unwrap();
    assert!(!flags.is_enabled("new-cart", "anna").unwrap());
    flags.replace("file", FlagConfig::new()).unwrap();
    flags.restore("new-cart").unwrap();
    flags.replace("file", json(r#"{ "new-cart": true }"#)).unwrap();
    assert!(flags.is_enabled("new-cart", "anna").unwrap());
}

#[test]
fn a_flag_that_is_switched_off_takes_those_with_it_that_require_it() {
    let flags = set(r#"{ "api": true, "page": { "rollout": 100, "requires": ["api"] }, "other": true }"#);
    assert!(flags.is_enabled("page", "anna").unwrap());
    flags.switch_off("api").unwrap();
    assert_eq!(flags.decide("page", "anna").unwrap().rule, Rule::Requires);
    assert!(!flags.get("page").unwrap().is_enabled("anna"));
    assert!(flags.is_enabled("other", "anna").unwrap());
}

#[test]
fn requirements_hold_for_the_same_key() {
    let flags = set(r#"{ "api": 50, "page": { "rollout": 50, "requires": ["api"] } }"#);
    let alone = set(r#"{ "page": 50 }"#);
    for key in 0..1_000_u64 {
        let both = alone.is_enabled("page", key).unwrap() && flags.is_enabled("api", key).unwrap();
        assert_eq!(flags.is_enabled("page", key).unwrap(), both);
    }
}

#[test]
fn circles_and_unknown_requirements_are_errors() {
    let error = |text| FlagSet::new(json(text)).unwrap_err().to_string();
    let requires = |of: &str, flag: &str| format!(r#""{of}": {{ "requires": ["{flag}"] }}"#);
    let circle =
        format!("{{ {}, {}, {}, {} }}", requires("a", "b"), requires("b", "c"), requires("c", "d"), requires("d", "b"));
    assert_eq!(error(&circle), "flags require each other in a circle: b -> c -> d -> b");
    assert_eq!(error(r#"{ "a": { "requires": ["a"] } }"#), "flags require each other in a circle: a -> a");
    assert_eq!(error(r#"{ "a": { "requires": ["b"] } }"#), "flag `a` requires `b`, which no layer has");
    assert!(serde_json::from_str::<FlagSet>(&circle).unwrap_err().to_string().contains("b -> c -> d -> b"));
}

#[test]
fn a_long_chain_is_refused_and_not_followed_for_ever() {
    let link = |n: u32| format!(r#""f{n}": {{ "rollout": 100, "requires": ["f{}"] }}"#, n + 1);
    let chain = |length| format!("{{ {}, \"f{length}\": true }}", (0..length).map(link).collect::<Vec<_>>().join(", "));
    assert!(set(&chain(100)).is_enabled("f0", "anna").unwrap());
    let error = FlagSet::new(json(&chain(20_000))).unwrap_err();
    assert!(matches!(error, FlagSetError::TooManyRequirements { count: 101, max: 100, .. }), "{error}");
}

#[test]
fn a_wide_ladder_of_requirements_is_read_in_linear_time() {
    let rung = |n: u32, side: &str| {
        let below = if n == 0 { String::new() } else { format!(r#""l{0}", "r{0}""#, n - 1) };
        format!(r#""{side}{n}": {{ "rollout": 100, "requires": [{below}] }}"#)
    };
    let rungs: Vec<_> = (0..50).flat_map(|n| [rung(n, "l"), rung(n, "r")]).collect();
    assert!(set(&format!("{{ {} }}", rungs.join(", "))).is_enabled("l49", "anna").unwrap());
}

#[test]
fn a_bad_layer_leaves_everything_as_it_was() {
    let flags = layered();
    let before = flags.explain("new-search").unwrap();
    let bad = json(r#"{ "new-search": { "rollout": 99, "requires": ["nobody"] }, "fresh": true }"#);
    assert!(matches!(flags.replace("file", bad), Err(FlagSetError::UnknownRequirement { .. })));
    let unknown = flags.replace("fiel", FlagConfig::new()).unwrap_err().to_string();
    assert_eq!(unknown, "there is no layer `fiel`; the layers are: file, environment, store");
    assert_eq!(flags.explain("new-search").unwrap(), before);
    assert_eq!(flags.names(), ["new-cart", "new-search"]);
    assert!(flags.is_enabled("new-cart", "anna").unwrap());
}

#[test]
fn layer_names_are_used_once() {
    for names in [["file", "file"], ["file", "override"]] {
        let builder = names.into_iter().fold(FlagSet::builder(), |set, name| set.layer(name, FlagConfig::new()));
        assert!(matches!(builder.build(), Err(FlagSetError::LayerNameTaken { layer }) if layer == names[1]));
    }
}

#[test]
fn the_environment_sets_every_property() {
    let variables = [
        ("APP_NEW_CART__ROLLOUT", "0"),
        ("APP_NEW_CART__SALT", "Old Salt"),
        ("APP_NEW_CART__ALLOW", "anna, 17,"),
        ("APP_NEW_CART__DENY", ""),
        ("APP_NEW_CART__REQUIRES", "api"),
        ("APP_NEW_CART__KILL", "false"),
        ("APP_NEW_CART__MISSING_KEY", "random"),
        ("APP_NEW_CART__SHADOW_SHARE", "100"),
        ("APP_API", "true"),
        ("HOME", "250%"),
    ];
    let flags = FlagSet::builder()
        .layer("file", json(r#"{ "new-cart": { "rollout": 50, "kill": true, "deny": ["anna"] } }"#))
        .layer("environment", FlagConfig::from_env("APP_", variables).unwrap())
        .build()
        .unwrap();
    assert_eq!(flags.names(), ["api", "new-cart"]);
    let explained = flags.explain("new-cart").unwrap();
    assert!(explained.properties.iter().all(|each| each.layer.as_deref() == Some("environment")), "{explained}");
    assert!(flags.is_enabled("new-cart", "anna").unwrap() && flags.is_enabled("new-cart", 17_u64).unwrap());
    assert!(flags.decide("new-cart", BucketKey::Missing).unwrap().bucket.is_some());
}

#[test]
fn a_bad_variable_is_named() {
    let cases = [
        ("F_A", "250%", "out of range"),
        ("F_A", "", "not a number"),
        ("F_A__ROLOUT", "5", "unknown property `rolout`"),
        ("F_A__KILL", "maybe", "true or false"),
        ("F_A__MISSING_KEY", "new", "`legacy` or `random`"),
        ("F_", "5", "no name"),
        ("F_É", "5", "no name"),
    ];
    for (variable, value, named) in cases {
        let error = FlagConfig::from_env("F_", [(variable, value)]).unwrap_err();
        assert!(matches!(&error, FlagConfigError::InvalidVariable { variable: name, .. } if name == variable));
        assert!(error.to_string().contains(named), "{error}");
    }
    assert!(FlagConfig::from_env("F_", [("F_A", "5"), ("F_A__ROLLOUT", "6")]).is_err());
}

#[test]
fn a_variable_that_may_mean_two_flags_is_refused() {
    let environment = FlagConfig::from_env("F_", [("F_NEW_CART", "5")]).unwrap();
    let build = |file| FlagSet::builder().layer("file", json(file)).layer("env", environment.clone()).build();
    let error = build(r#"{ "new-cart": 1, "new.cart": 2 }"#).unwrap_err().to_string();
    assert_eq!(error, "`new_cart` from the environment stands for several flags: new-cart, new.cart");
    assert_eq!(build(r#"{ "new.cart": 2 }"#).unwrap().names(), ["new.cart"]);
    assert_eq!(build("{}").unwrap().names(), ["new_cart"]);
}

#[test]
fn a_router_follows_reloads_and_serves_legacy_once_its_flag_is_gone() {
    let flags = set(r#"{ "new-search": true }"#);
    let router = flags.router("new-search").unwrap();
    let route = || router.route("anna".into());
    assert_eq!((route().serve, route().mode), (Side::New, SystemMode::GradualRollout));
    flags.replace("config", json(r#"{ "new-search": { "rollout": 0, "shadow_share": 100 } }"#)).unwrap();
    assert_eq!((route().serve, route().shadow), (Side::Legacy, Shadow::Run));
    flags.switch_off("new-search").unwrap();
    assert_eq!((route().shadow, route().mode), (Shadow::Never, SystemMode::EmergencyRollback));
    flags.replace("config", FlagConfig::new()).unwrap();
    assert_eq!((route().serve, route().shadow, route().mode), (Side::Legacy, Shadow::Never, SystemMode::LegacyOnly));
}

#[test]
fn readers_see_a_whole_set_while_it_is_replaced() {
    let [both, neither] =
        [r#"{ "a": true, "b": { "rollout": 100, "requires": ["a"] } }"#, r#"{ "a": false, "b": true }"#];
    let flags = set(both);
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let readers = [(); 3].map(|()| {
            scope.spawn(|| {
                let mut seen = [false; 2];
                while !done.load(Ordering::Relaxed) || seen != [true; 2] {
                    // `b` is on in both sets; a mixture of them would say no.
                    assert!(flags.is_enabled("b", "anna").unwrap());
                    seen[usize::from(flags.is_enabled("a", "anna").unwrap())] = true;
                }
            })
        });
        for round in 0_u32.. {
            flags.replace("config", json(if round % 2 == 0 { neither } else { both })).unwrap();
            done.store(round > 2_000, Ordering::Relaxed);
            if readers.iter().all(thread::ScopedJoinHandle::is_finished) {
                break;
            }
        }
    });
}

#[test]
fn concurrent_changes_of_different_layers_all_survive() {
    let names = ["one", "two", "three", "four"];
    let empty = names.into_iter().fold(FlagSet::builder(), |set, name| set.layer(name, FlagConfig::new()));
    let flags = empty.build().unwrap();
    thread::scope(|scope| {
        for name in names {
            let flags = flags.clone();
            scope.spawn(move || {
                for rollout in 0..=100 {
                    flags.replace(name, json(&format!(r#"{{ "{name}": {rollout} }}"#))).unwrap();
                    assert_eq!(percent(&flags, name), f64::from(rollout));
                }
                flags.switch_off(name).unwrap();
            });
        }
    });
    for name in names {
        assert_eq!(percent(&flags, name), 100.0);
        assert!(flags.get(name).unwrap().is_killed());
    }
}

#[test]
fn a_set_and_its_router_can_be_shared_between_threads() {
    fn shared<T: Send + Sync + Clone + 'static>(_: &T) {}
    let flags = set(r#"{ "new-search": true }"#);
    shared(&flags);
    shared(&flags.router("new-search").unwrap());
    shared(&flags.get("new-search").unwrap());
}
