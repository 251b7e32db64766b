//! Pictures of the pages with half an hour of calls behind them, in both themes and two widths.
//!
//! `CUTOVER_SCREENSHOTS=1` writes the two of the README; all others go to a temporary folder, or to that of
//! `CUTOVER_SCREENSHOTS_IN`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::played::Played;
use crate::window::Window;

const PAGES: [(&str, &str); 7] = [
    ("overview", ""),
    ("rolled-back", "/m/search"),
    ("plan", "/m/price"),
    ("fresh", "/m/invoice-total"),
    ("discrepancies", "/m/search/discrepancies"),
    ("audit", "/m/search/audit?verify=1"),
    ("claims", "/m/suggest/claims?item=catalogue%2Fmugs"),
];

/// The pages, themes, heights and scales that the README shows.
const README: [(&str, &str, &str, u32, f64); 2] =
    [("overview", "", "light", 800, 1.0), ("migration", "/m/price", "dark", 1280, 0.75)];

/// What a picture of the README may weigh.
const HEAVIEST: usize = 200 * 1024;

#[tokio::test(start_paused = true)]
async fn pictures_are_made_in_both_themes_and_two_widths() {
    let played = Played::play().await;
    tokio::time::resume();
    let window = Window::at(&played.url, "olga", true).await;
    let folder = tempfile::tempdir().unwrap();
    let asked = std::env::var_os("CUTOVER_SCREENSHOTS_IN").map(PathBuf::from);
    let place = asked.as_deref().unwrap_or_else(|| folder.path());
    for scheme in ["light", "dark"] {
        window.scheme(scheme).await;
        for width in [1280, 360] {
            for (name, path) in PAGES {
                window.size(width, 800).await;
                window.go(path).await;
                let height = window.run("return document.documentElement.scrollHeight").await.as_u64().unwrap();
                let picture = take(&window, width, u32::try_from(height.min(6_000)).unwrap()).await;
                std::fs::write(place.join(format!("{name}-{width}-{scheme}.png")), picture).unwrap();
            }
        }
    }
    assert_eq!(window.complaints().await, Vec::<String>::new());
    for (name, path, scheme, height, scale) in README {
        window.scheme(scheme).await;
        window.go(path).await;
        window.scaled(1280, height, scale).await;
        tokio::time::sleep(SETTLED).await;
        let picture = window.client.screenshot().await.unwrap();
        if std::env::var_os("CUTOVER_SCREENSHOTS").is_some() {
            assert!(picture.len() <= HEAVIEST, "{name} has {} bytes", picture.len());
            let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
            std::fs::write(docs.join(format!("{name}.png")), picture).unwrap();
        }
    }
    window.close().await;
}

/// After so long a window of another size is drawn.
const SETTLED: Duration = Duration::from_millis(150);

async fn take(window: &Window, width: u32, height: u32) -> Vec<u8> {
    window.size(width, height).await;
    tokio::time::sleep(SETTLED).await;
    let picture = window.client.screenshot().await.unwrap();
    // The size stands in the first chunk of a PNG.
    let number = |at: usize| u32::from_be_bytes(picture[at..at + 4].try_into().unwrap());
    assert_eq!((number(16), number(20)), (width, height));
    picture
}
