//! The page of a run, looked at in a real browser: by colours, by width, by keyboard, and as a screen reader has it.

#![expect(clippy::unwrap_used, reason = "a test ends where something is missing")]

mod run;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::json;
use tempfile::TempDir;
use xtask::rig::browser::{Browser, Scheme};
use xtask::rig::place;

const TAB: (&str, u32) = ("Tab", 9);
const ENTER: (&str, u32) = ("Enter", 13);

/// Everything that is read, with its contrast to what is behind it (WCAG 2.2, 1.4.3): how much was looked at, and what falls
/// short. In a drawing, the last shape before a text that covers its middle is behind it.
const CONTRAST: &str = include_str!("contrast.js");

/// The pages of the run that is told in `run`, made by the program.
struct Pages {
    folder: TempDir,
    browser: Browser,
}

impl Pages {
    async fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let config = format!(
            "data_dir = {:?}\n[apps.web]\nimage = \"ghcr.io/acme/web:1\"\nport = 80\n",
            folder.path()
        );
        std::fs::write(folder.path().join("cutover.toml"), config).unwrap();
        let runs = folder.path().join("web/runs");
        std::fs::create_dir_all(&runs).unwrap();
        std::fs::write(runs.join("20260102T030405.678Z.json"), run::record().to_string()).unwrap();
        let pages = Self { folder, browser: Browser::start().await.unwrap() };
        pages.cutover(&["report", "web", "--html", "page.html"]);
        pages.cutover(&["report", "cdcdcdcd", "--svg", "chart.svg"]);
        pages
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn cutover(&self, arguments: &[&str]) -> String {
        let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
        command.env_clear().current_dir(self.folder.path()).args(arguments);
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// What the keyboard has come to: a region or a link by its name, a summary by its text.
    fn focus(&mut self) -> String {
        let name = "(e => e.getAttribute('aria-label') || (e === document.body ? '' : e.textContent))";
        let value = self.browser.evaluate(&format!("{name}(document.activeElement)")).unwrap();
        value.as_str().unwrap().to_owned()
    }

    fn press(&mut self, (key, number): (&str, u32)) {
        self.browser.press(key, number).unwrap();
    }
}

/// Keeps a picture beside the build, for people.
fn keep(name: &str, picture: &[u8]) {
    let folder = place::kept().join("pages");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join(name), picture).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_is_readable_in_light_and_dark_wide_and_narrow() {
    let mut pages = Pages::new().await;
    let page = pages.file("page.html");
    pages.browser.open(&page).await.unwrap();
    let mut grounds = Vec::new();
    for (scheme, width) in
        [(Scheme::Light, 1280), (Scheme::Light, 375), (Scheme::Dark, 1280), (Scheme::Dark, 375)]
    {
        let browser = &mut pages.browser;
        browser.show(scheme, width).unwrap();
        browser.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)").unwrap();
        let wide = browser.evaluate("[document.documentElement.scrollWidth, innerWidth]").unwrap();
        assert_eq!(wide, json!([width, width]), "{scheme:?}: the page is wider than the window");
        let read = browser.evaluate(CONTRAST).unwrap();
        assert!(read["seen"].as_u64().unwrap() > 150, "{scheme:?}, {width}: {read}");
        assert_eq!(read["poor"], json!([]), "{scheme:?}, {width}");
        grounds.push(browser.evaluate("getComputedStyle(document.body).backgroundColor").unwrap());
        let picture = browser.picture().unwrap();
        assert!(picture.len() > 20_000, "the picture is empty");
        keep(&format!("{scheme:?}-{width}.png").to_lowercase(), &picture);
    }
    assert_eq!(grounds[0], grounds[1]);
    assert_ne!(grounds[0], grounds[2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_is_read_by_keyboard_and_by_screen_reader() {
    let mut pages = Pages::new().await;
    let page = pages.file("page.html");
    pages.browser.open(&page).await.unwrap();
    let mut way = Vec::new();
    loop {
        pages.press(TAB);
        let focus = pages.focus();
        if focus.is_empty() || way.first() == Some(&focus) || way.len() > 20 {
            break;
        }
        let seen = "getComputedStyle(document.activeElement).outlineStyle";
        assert_eq!(pages.browser.evaluate(seen).unwrap(), "solid", "the focus on {focus} is not seen");
        way.push(focus);
    }
    let tables = "Before the switch, during the second after it, and from then on";
    let phases = "What was done, and how long it took";
    let gate = "Questions with the same answer stand in one line";
    assert_eq!(way, ["Skip to the run", tables, "The chart", "The same as a table", phases, gate, "3 lines"]);
    let open = "[...document.querySelectorAll('details')].map(d => d.open)";
    assert_eq!(pages.browser.evaluate(open).unwrap(), json!([false, false]));
    pages.browser.evaluate("document.querySelector('summary').focus()").unwrap();
    pages.press(ENTER);
    assert_eq!(pages.browser.evaluate(open).unwrap(), json!([true, false]));

    let nodes = pages.browser.nodes().unwrap();
    // The tree comes in no order of reading.
    let named = |role: &str| -> BTreeSet<&str> {
        nodes.iter().filter(|node| node.role == role).map(|node| node.name.as_str()).collect()
    };
    let headings = [
        "web: deploy rolled-back",
        "The run",
        "Requests meanwhile",
        "Over time",
        "Phases",
        "What the gates asked",
        "The release's last lines",
    ];
    assert_eq!(named("heading"), BTreeSet::from(headings));
    let over_time = "Requests over time, after the run's beginning";
    assert_eq!(named("table"), BTreeSet::from([tables, over_time, phases, gate]));
    assert_eq!(named("image"), BTreeSet::from(["web: deploy, rolled-back in 6.0 s"]));
    let image = nodes.iter().find(|node| node.role == "image").unwrap();
    let told = "blue served at first, green from 2.0 s on, blue from 4.0 s on. Requests: 300 sent, 20 failed";
    assert!(image.description.starts_with(told), "{image:?}");
    let reached = ["link", "region", "DisclosureTriangle", "rowheader"];
    let there = |role: &str| nodes.iter().any(|node| node.role == role);
    assert!(reached.iter().all(|role| there(role)), "{nodes:#?}");
    let nameless: Vec<_> =
        nodes.iter().filter(|node| reached.contains(&node.role.as_str()) && node.name.is_empty()).collect();
    assert!(nameless.is_empty(), "{nameless:#?}");
    assert_eq!(pages.browser.evaluate("document.documentElement.lang").unwrap(), "en");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_asks_for_nothing_and_runs_nothing_from_outside() {
    let mut pages = Pages::new().await;
    for name in ["page.html", "chart.svg"] {
        let file = pages.file(name);
        pages.browser.open(&file).await.unwrap();
        let browser = &mut pages.browser;
        assert_eq!(browser.evaluate("performance.getEntriesByType('resource').length").unwrap(), 0, "{name}");
        assert_eq!(browser.evaluate("typeof window.evil").unwrap(), "undefined", "{name}");
        assert_eq!(browser.evaluate("document.querySelectorAll('script, parsererror').length").unwrap(), 0);
    }
    let drawn = "document.documentElement.nodeName + ' ' + document.querySelectorAll('rect.failed').length";
    assert_eq!(pages.browser.evaluate(drawn).unwrap(), "svg 20");
    let told = pages.cutover(&["report"]);
    assert!(told.contains("web: deploy, rolled-back in 6.0 s"), "{told}");
    assert!(Path::new(&pages.file("page.html")).is_file());
}
