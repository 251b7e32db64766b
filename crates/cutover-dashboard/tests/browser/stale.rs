//! Who decides on what does not hold any more is refused, and sees that.

use cutover::SystemMode;

use crate::stage::{Stage, percent};
use crate::window::Window;

#[tokio::test(flavor = "multi_thread")]
async fn the_second_of_two_windows_is_refused_and_changes_nothing() {
    let stage = Stage::open().await;
    let (first, second) = (Window::open(&stage, "olga").await, Window::open(&stage, "otto").await);
    first.go("/m/search").await;
    second.go("/m/search").await;
    // The second one is about to type when the first one acts.
    second.click("details:has(> form[action$='/rollout']) > summary").await;
    first.act("rollout", "", &[("percent", "30"), ("reason", "first")]).await;
    assert!(second.text(".meanwhile").await.contains("epoch 3 → 4 by olga"));

    second.fill("form[action$='/rollout'] [name=percent]", "80").await;
    second.fill("form[action$='/rollout'] [name=reason]", "second").await;
    second.send("form[action$='/rollout'] button").await;
    let refused = second.text("#notice[role=alert]").await;
    assert!(refused.contains("Refused.") && refused.contains("epoch 4"), "{refused}");
    assert_eq!(stage.search.rollout(), percent(30.0));
    assert_eq!(Stage::last(&stage.search).await.reason.as_str(), "first");
    // What was typed as the reason is still there, on a page that shows what holds.
    assert!(second.text(".title-row").await.contains("30 % new"));
    let kept = second.find("form[action$='/rollout'] [name=reason]").await.prop("value").await.unwrap();
    assert_eq!(kept.as_deref(), Some("second"));
    first.close().await;
    second.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transition_that_is_not_valid_is_refused_and_shown_as_refused() {
    let stage = Stage::open().await;
    stage.search.transition(SystemMode::LegacyOnly, "ana", "back").await.unwrap();
    let window = Window::open(&stage, "olga").await;
    window.go("/m/search").await;
    assert!(window.text("#why-new_only").await.contains("Legacy only cannot become New only"));
    assert!(!window.has("form[data-to=new_only]").await);
    // Somebody sends it all the same.
    window.click("details:has(> form[action$='/mode']) > summary").await;
    window.run("document.querySelector(\"form[action$='/mode'] [name=mode]\").value = 'new_only'").await;
    window.run("document.querySelector(\"form[action$='/mode']\").insertAdjacentHTML('beforeend', \"<input name='confirm' value='search'>\")").await;
    window.fill("form[action$='/mode']:has([name=confirm]) [name=reason]", "all").await;
    window.send("form[action$='/mode']:has([name=confirm]) button").await;
    let refused = window.text("#notice[role=alert]").await;
    assert!(refused.contains("Legacy only cannot become New only"), "{refused}");
    assert_eq!(stage.search.mode(), SystemMode::LegacyOnly);
    assert!(window.text(".title-row").await.contains("Legacy only"));
    window.close().await;
}
