//! Without JavaScript everything can be read and done.

use cutover::SystemMode;

use crate::stage::{Stage, percent};
use crate::window::Window;

#[tokio::test(flavor = "multi_thread")]
async fn without_javascript_people_read_and_act() {
    let stage = Stage::open().await;
    let window = Window::without_javascript(&stage, "olga").await;
    window.go("").await;
    assert_eq!(window.client.find_all(fantoccini::Locator::Css(".migration")).await.unwrap().len(), 3);
    window.click("a[href$='/m/search']").await;
    assert_eq!(window.text("h1").await, "search");
    window.act("rollout", "", &[("percent", "50"), ("reason", "half")]).await;
    assert_eq!(stage.search.rollout(), percent(50.0));
    for page in ["discrepancies", "audit", "claims"] {
        window.click(&format!(".tabs a[href$='/{page}']")).await;
        window.find(&format!(".tabs a[href$='/{page}'][aria-current]")).await;
    }
    window.click(".emergency > summary").await;
    window.send(".emergency button").await;
    assert!(window.text("#notice").await.contains("Stored."));
    assert_eq!(stage.search.mode(), SystemMode::EmergencyRollback);
    window.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn javascript_is_really_switched_off() {
    let stage = Stage::open().await;
    let window = Window::without_javascript(&stage, "olga").await;
    window
        .client
        .goto("data:text/html,<p id=said>no</p><script>document.getElementById('said').textContent='yes'</script>")
        .await
        .unwrap();
    assert_eq!(window.text("#said").await, "no");
    window.close().await;
}
