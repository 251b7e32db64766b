//! Each page is there, has its headings and its landmarks, and the browser complains about nothing.

use crate::stage::Stage;
use crate::window::Window;

const PAGES: [(&str, &str); 8] = [
    ("", "Migrations"),
    ("/m/search", "search"),
    ("/m/price", "price"),
    ("/m/fresh", "fresh"),
    ("/m/search/discrepancies", "Discrepancies of search"),
    ("/m/search/audit", "Audit of search"),
    ("/m/search/audit?verify=1", "Audit of search"),
    ("/m/search/claims?item=order+17", "Claims of search"),
];

#[tokio::test(flavor = "multi_thread")]
async fn each_page_is_there_and_the_browser_complains_about_nothing() {
    let stage = Stage::open().await;
    for user in ["olga", "vera"] {
        let window = Window::open(&stage, user).await;
        for (path, heading) in PAGES {
            window.go(path).await;
            assert_eq!(window.text("h1").await, heading, "{path}");
            assert!(window.has("main#main").await && window.has("header").await, "{path}");
            assert_eq!(window.has(".emergency").await, user == "olga", "{path}");
        }
        assert_eq!(window.complaints().await, Vec::<String>::new());
        window.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_show_what_the_store_holds() {
    let stage = Stage::open().await;
    let window = Window::open(&stage, "olga").await;
    window.go("/m/search").await;
    assert!(window.text(".title-row").await.contains("25 % new"));
    window.go("/m/search/discrepancies").await;
    assert_eq!(window.text(".diff tbody code").await, "/total");
    assert!(window.text(".diff .was").await.contains("100"));
    window.go("/m/search/discrepancies?q=nowhere").await;
    assert!(window.text(".empty").await.contains("Nothing that was looked at matches"));
    window.go("/m/search/audit?verify=1").await;
    assert!(window.text(".banner.ok").await.contains("Intact"));
    assert!(window.text(".audit li:first-child").await.contains("a quarter"));
    window.go("/m/search/claims?item=order+17").await;
    assert!(window.text("section.card").await.contains("its lease ran out"));
    window.go("/m/price").await;
    assert!(window.text(".step.next").await.contains("half"));
    window.go("/m/nowhere").await;
    assert!(window.text("#notice").await.contains("nothing here"));
    window.close().await;
}
