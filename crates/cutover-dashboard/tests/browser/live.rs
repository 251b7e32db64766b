//! What happens elsewhere appears without a reload, but not in a form that somebody has open.

use std::time::Duration;

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

/// The row of a migration in the overview.
fn row(id: &str) -> String {
    format!(".migrations > li:has(a[href$='/m/{id}'])")
}

async fn order(window: &Window) -> Vec<String> {
    let ids =
        window.run("return [...document.querySelectorAll('.migrations h2')].map((name) => name.textContent)").await;
    ids.as_array().unwrap().iter().map(|id| id.as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_overview_follows_while_something_in_it_has_the_focus() {
    let stage = Stage::open().await;
    let window = Window::open(&stage, "olga").await;
    window.go("").await;
    window.size(1280, 300).await;
    assert_eq!(order(&window).await, ["search", "fresh", "price"]);
    window.run("document.querySelector(\"a[href$='/m/fresh']\").focus()").await;
    stage.search.set_rollout(percent(60.0), "ben", "more").await.unwrap();
    window.appears(&row("search"), "60 % new").await;
    stage.price.set_shadow_share(Some(percent(50.0)), "ben", "compare half").await.unwrap();
    window.appears(&row("price"), "compare half").await;
    window.run("window.scrollTo(0, 100)").await;
    let focused = "return document.activeElement.getAttribute('href')";
    assert!(window.run(focused).await.as_str().unwrap().ends_with("/m/fresh"));
    // What needs somebody comes first, around the row that has the focus.
    stage.fresh.emergency_rollback("guard", "too many failures").await;
    window.appears(&row("fresh"), "too many failures").await;
    assert_eq!(order(&window).await, ["fresh", "search", "price"]);
    assert!(window.run(focused).await.as_str().unwrap().ends_with("/m/fresh"));
    assert_eq!(window.run("return window.scrollY").await, 100, "who only has the focus there sees what comes first");
    assert_eq!(window.complaints().await, Vec::<String>::new());
    window.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_overview_follows_around_a_form_that_is_open_and_half_filled_in() {
    let stage = Stage::open().await;
    let window = Window::open(&stage, "olga").await;
    window.go("").await;
    window.size(1280, 400).await;
    let form = format!("{} .m-emergency", row("price"));
    window.click(&format!("{form} > summary")).await;
    window.fill(&format!("{form} [name=reason]"), "half typed").await;
    let place = format!("return document.querySelector(\"{form} button\").getBoundingClientRect().top");
    let before = window.run(&place).await.as_f64().unwrap();
    stage.fresh.emergency_rollback("guard", "too many failures").await;
    stage.price.set_shadow_share(Some(percent(50.0)), "ben", "compare half").await.unwrap();
    stage.search.set_rollout(percent(60.0), "ben", "more").await.unwrap();
    window.appears(&row("search"), "60 % new").await;
    window.appears(&row("fresh"), "too many failures").await;
    window.appears(&row("price"), "compare half").await;
    assert_eq!(order(&window).await, ["fresh", "search", "price"]);
    let typed = "return document.activeElement.name + ': ' + document.activeElement.value";
    assert_eq!(window.run(typed).await, "reason: half typed");
    let after = window.run(&place).await.as_f64().unwrap();
    assert!((before - after).abs() < 2.0, "the button stays under the pointer: {before} {after}");
    window.send(&format!("{form} button")).await;
    assert_eq!(Stage::last(&stage.price).await.reason.as_str(), "EMERGENCY: half typed");
    window.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_that_somebody_selects_stays_while_the_rest_of_its_row_moves_on() {
    let stage = Stage::open().await;
    let window = Window::open(&stage, "vera").await;
    window.go("").await;
    window
        .run(&format!("getSelection().selectAllChildren(document.querySelector(\"{} .attention\"))", row("search")))
        .await;
    let selected = window.run("return getSelection().toString()").await;
    assert!(selected.as_str().unwrap().contains("stuck"), "{selected}");
    stage.search.set_rollout(percent(60.0), "ben", "more").await.unwrap();
    window.appears(&row("search"), "60 % new").await;
    assert_eq!(window.run("return getSelection().toString()").await, selected);
    window.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_table_that_somebody_reads_goes_on_and_stays_open() {
    let stage = Stage::open().await;
    let window = Window::open(&stage, "vera").await;
    window.go("/m/search").await;
    window.click("#charts-table > summary").await;
    let rows = "return document.querySelectorAll('#charts-table tbody tr').length";
    let before = window.run(rows).await.as_u64().unwrap();
    for _ in 0..100 {
        if window.run(rows).await.as_u64().unwrap() > before {
            break;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    assert!(window.run(rows).await.as_u64().unwrap() > before);
    assert_eq!(window.run("return document.activeElement.parentElement.id").await, "charts-table");
    assert!(window.has("#charts-table[open]").await);
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
