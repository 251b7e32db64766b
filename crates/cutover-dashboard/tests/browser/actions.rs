//! What is done through the page ends in the audit, in the name of who is signed in.

use std::time::Duration;

use cutover::store::AuditEntry;
use cutover::{MigrationController, SystemMode};

use crate::stage::{Stage, percent};
use crate::window::Window;

async fn is_last(migration: &MigrationController, reason: &str) -> AuditEntry {
    let entry = Stage::last(migration).await;
    assert_eq!((entry.actor.as_str(), entry.reason.as_str()), ("olga", reason));
    entry
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_are_changed_in_the_name_of_who_is_signed_in() {
    let stage = Stage::open().await;
    let window = Window::open(&stage, "olga").await;
    window.go("/m/search").await;
    window.act("rollout", "", &[("percent", "40"), ("reason", "more")]).await;
    assert_eq!(is_last(&stage.search, "more").await.after.rollout, percent(40.0));
    assert!(window.text("#notice").await.contains("Stored."));
    assert!(window.text(".title-row").await.contains("40 % new"));

    window.act("shadow-share", "", &[("percent", "10"), ("reason", "compare some")]).await;
    assert_eq!(is_last(&stage.search, "compare some").await.after.shadow_share, Some(percent(10.0)));

    let parallel = "[data-to=parallel]";
    window.act("mode", parallel, &[("reason", "compare all")]).await;
    assert_eq!(is_last(&stage.search, "compare all").await.after.mode, SystemMode::Parallel);

    let everybody = "[data-to=new_only]";
    window.act("mode", everybody, &[("reason", "all agree"), ("confirm", "search")]).await;
    assert_eq!(is_last(&stage.search, "all agree").await.after.mode, SystemMode::NewOnly);
    window.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_clicks_roll_back_from_everywhere() {
    let stage = Stage::open().await;
    let window = Window::open(&stage, "olga").await;
    for path in ["/m/search", "/m/search/audit", "/m/search/claims", "/m/search/discrepancies"] {
        if stage.search.mode() == SystemMode::EmergencyRollback {
            stage.search.transition(SystemMode::LegacyOnly, "ana", "again").await.unwrap();
        }
        window.go(path).await;
        window.click(".emergency > summary").await;
        window.send(".emergency button").await;
        window.find("#notice").await;
        assert_eq!(stage.search.mode(), SystemMode::EmergencyRollback, "{path}");
        is_last(&stage.search, "EMERGENCY: from the dashboard").await;
    }
    window.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_clicks_roll_back_one_or_all_from_the_overview() {
    let stage = Stage::open().await;
    let window = Window::open(&stage, "olga").await;
    window.go("").await;
    window.act("m/search/emergency", "", &[]).await;
    assert_eq!(stage.search.mode(), SystemMode::EmergencyRollback);
    assert_ne!(stage.price.mode(), SystemMode::EmergencyRollback);

    window.go("").await;
    window.click(".emergency > summary").await;
    window.send(".emergency button").await;
    assert!(window.text("#notice").await.contains("price: Everything goes to legacy now"));
    is_last(&stage.price, "EMERGENCY: from the dashboard").await;
    window.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_that_is_opened_at_the_edge_of_the_window_comes_into_it() {
    let stage = Stage::open().await;
    let window = Window::open(&stage, "olga").await;
    for (width, height) in [(1280, 400), (360, 500)] {
        window.size(width, height).await;
        window.go("").await;
        let form = "li[data-key=price] .m-emergency";
        window.run(&format!("document.querySelector('{form}').scrollIntoView({{ block: 'end' }})")).await;
        window.click(&format!("{form} > summary")).await;
        window.find(&format!("{form}[open]")).await;
        tokio::time::sleep(Duration::from_millis(200)).await;
        let seen = format!(
            "const place = document.querySelector('{form} button').getBoundingClientRect(); return place.bottom <= innerHeight && place.top >= 0"
        );
        assert_eq!(window.run(&seen).await, true, "{width}");
    }
    window.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_clicks_roll_back_a_group_from_the_overview() {
    let stage = Stage::open().await;
    let window = Window::open(&stage, "olga").await;
    window.go("").await;
    window.click(".emergency > summary").await;
    assert_eq!(window.text(".groups li .muted").await, "fresh, price");
    window.fill("#emergency-reason", "wrong totals").await;
    window.send(".groups button").await;
    assert!(window.text("#notice").await.contains("price: Everything goes to legacy now"));
    is_last(&stage.price, "EMERGENCY: wrong totals").await;
    assert_eq!(stage.fresh.mode(), SystemMode::EmergencyRollback);
    assert_ne!(stage.search.mode(), SystemMode::EmergencyRollback);
    window.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_is_opened_as_an_address_says_where_its_form_is() {
    let stage = Stage::open().await;
    let window = Window::open(&stage, "olga").await;
    window.go("/m/search/rollout").await;
    assert!(window.text("#notice[role=alert]").await.contains("use the form on its page"));
    window.click("main a[href$='/m/search']").await;
    window.find("form[action$='/rollout']").await;
    window.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_is_operated_in_the_name_of_who_is_signed_in() {
    let stage = Stage::open().await;
    let window = Window::open(&stage, "olga").await;
    let said = |entry: AuditEntry| entry.evidence.unwrap()["event"].as_str().unwrap().to_owned();
    for (command, event) in [
        ("approve", "approved"),
        ("pause", "paused"),
        ("resume", "resumed"),
        ("abort", "aborted"),
        ("restart", "restarted"),
    ] {
        window.go("/m/price").await;
        window.act(command, "", &[("reason", command)]).await;
        let entry = Stage::last(&stage.price).await;
        assert_eq!(entry.actor.as_str(), "olga", "{command}");
        assert!(entry.reason.as_str().ends_with(command), "{}", entry.reason);
        assert_eq!(said(entry), event);
        stage.driver.look_once().await;
    }
    window.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn discrepancies_are_forgotten_only_with_the_name_typed() {
    let stage = Stage::open().await;
    let window = Window::open(&stage, "olga").await;
    window.go("/m/search/discrepancies").await;
    let form = [("reason", "looked at all"), ("confirm", "price")];
    window.act("clear-discrepancies", "", &form).await;
    assert!(window.text("#notice[role=alert]").await.contains("Type the name"));
    assert_eq!(stage.recorder.len(), 1);
    let form = [("reason", "looked at all"), ("confirm", "search")];
    window.act("clear-discrepancies", "", &form).await;
    assert!(window.text("#notice[role=status]").await.contains("the discrepancies are forgotten"));
    assert!(stage.recorder.is_empty());
    is_last(&stage.search, "looked at all").await;
    window.go("/m/search/audit").await;
    assert!(window.text(".audit li:first-child").await.contains("discrepancies forgotten"));
    window.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_role_may_not_do_is_shown_as_such() {
    let stage = Stage::open().await;
    let window = Window::open(&stage, "otto").await;
    window.go("/m/search").await;
    assert!(window.text("#why-new_only").await.contains("override"));
    let window = {
        window.close().await;
        Window::open(&stage, "vera").await
    };
    window.go("/m/search").await;
    assert!(!window.has("main form[method=post]").await);
    assert!(window.text("#why-parallel").await.contains("operate"));
    window.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_changes_too_much_is_refused_on_a_page_and_can_still_roll_back() {
    let stage = Stage::open().await;
    let window = Window::open(&stage, "olga").await;
    for number in 1..=40 {
        window.go("/m/search").await;
        window.act("rollout", "", &[("percent", &number.to_string()), ("reason", "again")]).await;
        if window.text("h1").await == "This was refused" {
            break;
        }
    }
    assert!(window.text("#notice[role=alert]").await.contains("too many changes"));
    window.go("/m/search").await;
    window.click(".emergency > summary").await;
    window.send(".emergency button").await;
    assert_eq!(stage.search.mode(), SystemMode::EmergencyRollback);
    window.close().await;
}
