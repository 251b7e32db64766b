//! Everything can be reached with the keyboard alone.

use cutover::SystemMode;
use fantoccini::actions::{InputSource as _, KeyAction, KeyActions};
use fantoccini::key::Key;

use crate::stage::Stage;
use crate::window::Window;

async fn press(window: &Window, key: Key) {
    let value = char::from(key);
    let keys = KeyActions::new("keyboard".to_owned());
    let keys = keys.then(KeyAction::Down { value }).then(KeyAction::Up { value });
    window.client.perform_actions(keys).await.unwrap();
}

/// What has the focus, by its text or its name.
async fn focused(window: &Window) -> String {
    let script = "const e = document.activeElement; return e.textContent.trim() || e.name || e.tagName";
    window.run(script).await.as_str().unwrap_or_default().to_owned()
}

async fn tab_to(window: &Window, wanted: &str) {
    for _ in 0..40 {
        press(window, Key::Tab).await;
        if focused(window).await.contains(wanted) {
            return;
        }
    }
    panic!("{wanted} cannot be reached with the keyboard");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_emergency_is_three_keys_away_once_it_has_the_focus() {
    let stage = Stage::open().await;
    let window = Window::open(&stage, "olga").await;
    window.go("/m/search").await;
    press(&window, Key::Tab).await;
    assert_eq!(focused(&window).await, "Skip to content");
    tab_to(&window, "Emergency rollback").await;
    press(&window, Key::Enter).await;
    press(&window, Key::Tab).await;
    assert_eq!(focused(&window).await, "reason");
    press(&window, Key::Enter).await;
    window.find("#notice").await;
    assert_eq!(stage.search.mode(), SystemMode::EmergencyRollback);
    window.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_the_focus_shows_it() {
    let stage = Stage::open().await;
    let window = Window::open(&stage, "olga").await;
    window.go("/m/search").await;
    for wanted in ["cutover", "Discrepancies", "Parallel", "Rollout"] {
        tab_to(&window, wanted).await;
        let outline = window.run("return getComputedStyle(document.activeElement).outlineStyle").await;
        assert_eq!(outline, "solid", "{wanted}");
    }
    window.close().await;
}
