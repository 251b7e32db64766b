//! What happens elsewhere appears without a reload, but not in a form that somebody has open.

use cutover::SystemMode;
use cutover_test_servers::Proxy;

use crate::stage::{Stage, percent};
use crate::window::Window;

#[tokio::test(flavor = "multi_thread")]
async fn a_change_made_elsewhere_appears_without_a_reload() {
    let stage = Stage::open().await;
    let window = Window::open(&stage, "vera").await;
    window.go("/m/search").await;
    window.run("window.loadedOnce = true").await;
    stage.search.set_rollout(percent(60.0), "ben", "more").await.unwrap();
    window.appears(".title-row", "60 % new").await;
    stage.search.emergency_rollback("guard", "too many failures").await;
    window.appears(".title-row", "Emergency rollback").await;
    window.appears("[data-live=changes]", "too many failures").await;
    assert_eq!(window.run("return window.loadedOnce").await, true);
    assert_eq!(window.complaints().await, Vec::<String>::new());
    window.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_overview_follows_too() {
    let stage = Stage::open().await;
    let window = Window::open(&stage, "vera").await;
    window.go("").await;
    stage.search.emergency_rollback("guard", "too many failures").await;
    window.appears(".migrations", "too many failures").await;
    window.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_open_form_stays_as_it_was_and_says_what_changed() {
    let stage = Stage::open().await;
    let window = Window::open(&stage, "olga").await;
    window.go("/m/search").await;
    window.click("details:has(> form[action$='/rollout']) > summary").await;
    window.fill("form[action$='/rollout'] [name=reason]", "half typed").await;
    stage.search.transition(SystemMode::Parallel, "ben", "compare again").await.unwrap();
    let meanwhile = window.text(".meanwhile").await;
    assert!(meanwhile.contains("epoch 3 → 4 by ben"), "{meanwhile}");
    assert!(meanwhile.contains("refused, except a rollback or an abort."), "{meanwhile}");
    let epoch = window.find("form[action$='/rollout'] [name=epoch]").await.attr("value").await.unwrap();
    assert_eq!(epoch.as_deref(), Some("3"));
    // The rest of the page has moved on.
    window.appears("[data-live=changes]", "compare again").await;
    window.click(".meanwhile button").await;
    window.appears("[data-live=mode]", "compare again").await;
    assert!(!window.has(".meanwhile").await);
    window.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_connection_is_said_until_it_is_back() {
    let stage = Stage::open().await;
    let address = stage.url.strip_prefix("http://").unwrap().strip_suffix("/ops").unwrap();
    let proxy = Proxy::start(address.parse().unwrap()).unwrap();
    let window = Window::at(&format!("http://{}/ops", proxy.addr()), "vera", true).await;
    window.go("/m/search").await;
    proxy.cut();
    window.appears("#connection", "The connection is lost").await;
    stage.search.set_rollout(percent(70.0), "ben", "meanwhile").await.unwrap();
    proxy.pass();
    window.appears(".title-row", "70 % new").await;
    assert!(!window.find("#connection").await.is_displayed().await.unwrap());
    window.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_emergency_works_with_seven_windows_open() {
    let stage = Stage::open().await;
    let window = Window::open(&stage, "olga").await;
    window.go("/m/search").await;
    for _ in 0..6 {
        let tab = window.client.new_window(true).await.unwrap();
        window.client.switch_to_window(tab.handle).await.unwrap();
        window.go("/m/search").await;
    }
    window.click(".emergency summary").await;
    window.send(".emergency-sheet button").await;
    window.find("#notice").await;
    assert_eq!(stage.search.mode(), SystemMode::EmergencyRollback);
    window.close().await;
}
