//! On a window of 360 pixels nothing has to be scrolled sideways.

use crate::stage::Stage;
use crate::window::Window;

#[tokio::test(flavor = "multi_thread")]
async fn no_page_is_wider_than_a_small_window() {
    let stage = Stage::open().await;
    let window = Window::open(&stage, "mallory").await;
    let pages = [
        "",
        "/m/search",
        "/m/price",
        "/m/search/discrepancies",
        "/m/search/audit?verify=1",
        "/m/search/claims?item=order+17",
        "/m/nowhere",
    ];
    for width in [360, 768, 1280] {
        window.size(width, 800).await;
        for path in pages {
            window.go(path).await;
            window.run("document.querySelectorAll('details').forEach((details) => { details.open = true; })").await;
            let beyond = window.run("return document.documentElement.scrollWidth - window.innerWidth").await;
            let widest = "const out = [...document.querySelectorAll('main *, header *')].filter((e) => e.getBoundingClientRect().right > innerWidth + 1 && !e.closest('.scroll, .tabs, svg')); return out.slice(0, 3).map((e) => e.outerHTML.slice(0, 160))";
            assert!(beyond.as_i64().unwrap() <= 0, "{path} at {width}: {beyond} more, {}", window.run(widest).await);
        }
    }
    window.close().await;
}
