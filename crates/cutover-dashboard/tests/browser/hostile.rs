//! Texts from outside are shown as texts, whatever they say.

use std::time::Duration;

use cutover::{DualRunner, Structural, SystemMode};
use serde_json::{Value, json};

use crate::stage::Stage;
use crate::window::Window;

const CORPUS: [&str; 12] = [
    "<script>document.title = 'owned'; alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "' onmouseover='alert(1)",
    "</title></textarea></pre><svg onload=alert(1)>",
    "javascript:alert(1)",
    "<a href=\"javascript:alert(1)\">here</a>",
    "<style>*{display:none}</style>",
    "{{7*7}}${7*7}<%= 7*7 %>",
    "safe\u{202e}txt.exe\u{2066}",
    "\u{feff}\u{200b}zero\u{200d}width",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "]]><!--<script>alert(1)</script>",
];

async fn is_harmless(window: &Window, page: &str) {
    assert!(!window.has_dialog().await, "{page} has a dialog");
    let scripts =
        "return [...document.querySelectorAll('script')].map((script) => script.src.replace(/.*\\/|\\?.*/g, ''))";
    assert_eq!(window.run(scripts).await, json!(["morph.js", "script.js"]), "{page}");
    let strange = "return document.querySelectorAll('main img, main style, main svg[onload], main a[href^=javascript], \
                   main [onmouseover], main [onerror]').length";
    assert_eq!(window.run(strange).await, 0, "{page}");
    assert_ne!(window.run("return document.title").await, "owned");
    let complaints = window.complaints().await;
    let strange: Vec<_> = complaints.iter().filter(|complaint| !complaint.contains("a status of 422")).collect();
    assert!(strange.is_empty(), "{page}: {strange:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hostile_name_and_reason_do_nothing() {
    let stage = Stage::open().await;
    let window = Window::open(&stage, "mallory").await;
    for (number, reason) in CORPUS.into_iter().enumerate() {
        let to = if number % 2 == 0 { SystemMode::Parallel } else { SystemMode::GradualRollout };
        stage.search.transition(to, reason, reason).await.unwrap();
    }
    window.go("/m/search").await;
    window.act("rollout", "", &[("percent", "35"), ("reason", CORPUS[1])]).await;
    is_harmless(&window, "the page after a change").await;
    window.act("mode", "[data-to=new_only]", &[("reason", CORPUS[0]), ("confirm", "wrong")]).await;
    is_harmless(&window, "the page after a refusal").await;
    let kept = window.find("form[action$='/rollout'] [name=reason]").await.prop("value").await.unwrap();
    assert_eq!(kept.as_deref(), Some(CORPUS[0]));
    for page in ["", "/m/search", "/m/search/audit", "/m/search/claims?item=order+17", "/m/search/discrepancies"] {
        window.go(page).await;
        is_harmless(&window, page).await;
    }
    window.go("/m/search/audit").await;
    let text = window.text("main").await;
    assert!(text.contains("<script>document.title = 'owned'; alert(1)</script>"), "{text}");
    assert!(text.contains("safe[U+202E]txt.exe[U+2066]"), "{text}");
    window.go("/m/search/claims?item=order+17").await;
    assert!(window.text("main").await.contains("\"><img src=x onerror=alert(1)>"));
    window.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_answers_do_nothing() {
    let stage = Stage::open().await;
    stage.search.transition(SystemMode::Parallel, "ana", "compare").await.unwrap();
    for (number, text) in CORPUS.into_iter().chain(["a\0b", "\u{1b}[31mred\u{1b}[0m\u{7}"]).enumerate() {
        let runner = DualRunner::<Value, String>::builder(text, stage.search.clone())
            .comparator(Structural::new())
            .capture_json()
            .capture_errors(|error, out| std::fmt::Write::write_str(out, error))
            .capture_differences()
            .capture_keys()
            .record_to(std::sync::Arc::clone(&stage.recorder))
            .build();
        let (legacy, new) = (json!({ text: text, "n": 1 }), json!({ text: [text], "m": text }));
        runner.run(text, async { Ok(legacy.clone()) }, async { Ok(new) }).await.unwrap();
        let failed = runner.run(number as u64, async { Ok(legacy) }, async { Err(text.to_owned()) });
        failed.await.unwrap();
        runner.flush(Duration::from_secs(10)).unwrap();
    }
    let window = Window::open(&stage, "olga").await;
    window.go("/m/search/discrepancies").await;
    is_harmless(&window, "discrepancies").await;
    let text = window.text("main").await;
    assert!(text.contains("[U+001B][31mred") || text.contains("\\u001b[31mred"), "{text}");
    assert!(text.contains("<style>*{display:none}</style>"));
    let links = window.client.find_all(fantoccini::Locator::Css(".discrepancy h2 a")).await.unwrap().len();
    assert!(links > 20, "{links}");
    for at in 0..links {
        window.go("/m/search/discrepancies").await;
        window.send(&format!(".discrepancy:nth-of-type({}) h2 a", at + 1)).await;
        is_harmless(&window, "a discrepancy").await;
    }
    for text in CORPUS {
        let query: String = form_urlencoded::byte_serialize(text.as_bytes()).collect();
        for page in ["discrepancies?q", "claims?item"] {
            window.go(&format!("/m/search/{page}={query}")).await;
            is_harmless(&window, page).await;
        }
    }
    window.close().await;
}
