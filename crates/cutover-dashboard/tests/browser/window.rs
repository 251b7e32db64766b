//! A window of a headless Chromium.

use std::time::Duration;

use cutover_test_servers::ChromeDriver;
use fantoccini::elements::Element;
use fantoccini::error::{CmdError, ErrorStatus};
use fantoccini::wd::WebDriverCompatibleCommand;
use fantoccini::{Client, ClientBuilder, Locator};
use http::Method;
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tempfile::TempDir;
use url::{ParseError, Url};

use crate::stage::Stage;

/// A browser with one user, whose name is in a cookie.
pub(crate) struct Window {
    pub(crate) client: Client,
    url: String,
    /// The profile of the browser.
    _profile: TempDir,
}

/// How long something may take that is waited for.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

impl Window {
    /// A browser in which `user` is signed in.
    pub(crate) async fn open(stage: &Stage, user: &str) -> Self {
        Self::at(&stage.url, user, true).await
    }

    /// The same with JavaScript switched off.
    pub(crate) async fn without_javascript(stage: &Stage, user: &str) -> Self {
        Self::at(&stage.url, user, false).await
    }

    /// A browser for the dashboard at `url`.
    pub(crate) async fn at(url: &str, user: &str, javascript: bool) -> Self {
        let profile = tempfile::tempdir().unwrap();
        let folder = format!("--user-data-dir={}", profile.path().display());
        let mut arguments =
            vec!["--headless=new", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars", &folder];
        // Chromium refuses to run in its sandbox as root, as whom containers run.
        arguments.push("--no-sandbox");
        let preferences =
            if javascript { json!({}) } else { json!({ "profile.managed_default_content_settings.javascript": 2 }) };
        let capabilities = json!({
            "goog:chromeOptions": { "args": arguments, "prefs": preferences },
            "goog:loggingPrefs": { "browser": "ALL" },
            // A dialog would be an attack that worked: it has to be seen.
            "unhandledPromptBehavior": "ignore",
        });
        let Value::Object(capabilities) = capabilities else { unreachable!("it is an object") };
        let driver = ChromeDriver::shared().unwrap().url();
        let client =
            ClientBuilder::new(HttpConnector::new()).capabilities(capabilities).connect(&driver).await.unwrap();
        let window = Self { client, url: url.to_owned(), _profile: profile };
        window.devtools("Network.setCookie", json!({ "name": "user", "value": user, "url": url })).await;
        window.size(1280, 900).await;
        window
    }

    pub(crate) async fn close(self) {
        self.client.close().await.unwrap();
    }

    /// Loads a page of the dashboard.
    pub(crate) async fn go(&self, path: &str) {
        self.client.goto(&format!("{}{path}", self.url)).await.unwrap();
    }

    pub(crate) async fn find(&self, css: &str) -> Element {
        let found = self.client.wait().at_most(PATIENCE).for_element(Locator::Css(css)).await;
        match found {
            Ok(element) => element,
            Err(error) => panic!("{css}: {error}; the page is\n{}", self.client.source().await.unwrap_or_default()),
        }
    }

    pub(crate) async fn has(&self, css: &str) -> bool {
        !self.client.find_all(Locator::Css(css)).await.unwrap().is_empty()
    }

    pub(crate) async fn click(&self, css: &str) {
        self.on(css, async |element| element.click().await).await;
    }

    pub(crate) async fn fill(&self, css: &str, text: &str) {
        self.on(css, async |field| {
            field.clear().await?;
            field.send_keys(text).await
        })
        .await;
    }

    pub(crate) async fn text(&self, css: &str) -> String {
        self.on(css, async |element| element.text().await).await
    }

    /// Does something to an element, again if the page has replaced it meanwhile.
    async fn on<T>(&self, css: &str, what: impl AsyncFn(Element) -> Result<T, CmdError>) -> T {
        for _ in 0..20 {
            match what(self.find(css).await).await {
                Ok(done) => return done,
                Err(error) if is_stale(&error) => {}
                Err(error) => panic!("{css}: {error}"),
            }
        }
        panic!("{css} is replaced all the time")
    }

    /// Waits until the text appears in an element.
    pub(crate) async fn appears(&self, css: &str, text: &str) {
        let mut seen = String::new();
        for _ in 0..100 {
            seen = self.text(css).await;
            if seen.contains(text) {
                return;
            }
            tokio::time::sleep(PATIENCE / 100).await;
        }
        panic!("{text} does not appear in {css}, which says\n{seen}");
    }

    /// Clicks, and waits for the next page.
    pub(crate) async fn send(&self, css: &str) {
        let before = self.find("html").await.element_id();
        self.click(css).await;
        for _ in 0..400 {
            if self.find("html").await.element_id() != before {
                return;
            }
            tokio::time::sleep(PATIENCE / 400).await;
        }
        panic!("{css} leads to no other page");
    }

    /// Opens the form of a command, fills it in and sends it. `form` narrows down which.
    pub(crate) async fn act(&self, command: &str, form: &str, fields: &[(&str, &str)]) {
        let form = format!("form[action$='/{command}']{form}");
        self.click(&format!("main details:has(> {form}) > summary")).await;
        for (name, text) in fields {
            self.fill(&format!("main {form} [name={name}]"), text).await;
        }
        self.send(&format!("main {form} button")).await;
        self.find("#notice").await;
    }

    /// What the browser complained about.
    pub(crate) async fn complaints(&self) -> Vec<String> {
        let log = self.client.issue_cmd(Raw { path: "se/log", body: json!({ "type": "browser" }) }).await.unwrap();
        let entries = log.as_array().cloned().unwrap_or_default();
        let severe = entries.iter().filter(|entry| entry["level"] == "SEVERE");
        severe.map(|entry| entry["message"].as_str().unwrap_or_default().to_owned()).collect()
    }

    pub(crate) async fn has_dialog(&self) -> bool {
        self.client.get_alert_text().await.is_ok()
    }

    pub(crate) async fn run(&self, script: &str) -> Value {
        self.client.execute(script, Vec::new()).await.unwrap()
    }

    pub(crate) async fn size(&self, width: u32, height: u32) {
        self.scaled(width, height, 1.0).await;
    }

    /// The same, with each pixel of the page `scale` pixels wide.
    pub(crate) async fn scaled(&self, width: u32, height: u32, scale: f64) {
        let size = json!({ "width": width, "height": height, "deviceScaleFactor": scale, "mobile": false });
        self.devtools("Emulation.setDeviceMetricsOverride", size).await;
    }

    /// `light` or `dark`.
    pub(crate) async fn scheme(&self, scheme: &str) {
        let feature = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
        self.devtools("Emulation.setEmulatedMedia", feature).await;
    }

    pub(crate) async fn devtools(&self, command: &str, parameters: Value) -> Value {
        let body = json!({ "cmd": command, "params": parameters });
        self.client.issue_cmd(Raw { path: "goog/cdp/execute", body }).await.unwrap()
    }
}

fn is_stale(error: &CmdError) -> bool {
    matches!(error, CmdError::Standard(error) if error.error == ErrorStatus::StaleElementReference)
}

/// What chromedriver knows beyond the protocol.
#[derive(Debug)]
struct Raw {
    path: &'static str,
    body: Value,
}

impl WebDriverCompatibleCommand for Raw {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, ParseError> {
        base.join(&format!("session/{}/{}", session.unwrap_or_default(), self.path))
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        (Method::POST, Some(self.body.to_string()))
    }
}
