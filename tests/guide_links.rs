//! Every link of the guide leads somewhere, for readers of the repository and for those of the documentation.
#![expect(clippy::panic, reason = "a test says what is missing")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// Label to target, as in `[label]: target`.
type Targets = BTreeMap<String, String>;

fn read(file: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The chapters with their modules, as `src/guide/mod.rs` has them.
fn chapters() -> BTreeMap<String, String> {
    let modules = read("src/guide/mod.rs");
    let rows = modules.lines().filter_map(|line| line.trim().split_once(": \""));
    let chapters = rows.filter_map(|(module, rest)| Some((rest.split_once(".md\"")?.0, module)));
    chapters.map(|(page, module)| (format!("{page}.md"), module.to_owned())).collect()
}

fn pages() -> Vec<String> {
    chapters().into_keys().chain(["README.md".to_owned()]).collect()
}

/// Without code: what stands there is no link.
fn prose(page: &str) -> String {
    let text = read(&format!("docs/{page}"));
    text.split("```").step_by(2).collect()
}

fn targets(text: &str) -> Targets {
    let definitions = text.lines().filter_map(|line| line.strip_prefix('[')?.split_once("]: "));
    definitions.map(|(label, target)| (label.to_owned(), target.to_owned())).collect()
}

/// The labels in `[text][label]` and in [`label`].
fn used(text: &str) -> BTreeSet<String> {
    let body: Vec<&str> = text.lines().filter(|line| !(line.starts_with('[') && line.contains("]: "))).collect();
    let body = body.join("\n");
    let second = body.split("][").skip(1).filter_map(|rest| rest.split_once(']'));
    let short = body.split("[`").skip(1).filter_map(|rest| rest.split_once("`]"));
    let second = second.map(|(label, _)| label.to_owned());
    let short =
        short.filter(|(_, rest)| !rest.is_empty() && !rest.starts_with('[')).map(|(label, _)| format!("`{label}`"));
    second.chain(short).collect()
}

/// The anchors of a page's headings.
fn anchors(page: &str) -> BTreeSet<String> {
    let kept = |heading: &str| {
        let kept = heading.trim().to_lowercase();
        kept.chars().filter(|char| char.is_alphanumeric() || " -_".contains(*char)).collect::<String>()
    };
    prose(page)
        .lines()
        .filter(|line| line.starts_with('#'))
        .map(|line| kept(line.trim_start_matches('#')).replace(' ', "-"))
        .collect()
}

fn in_documentation() -> Targets {
    targets(&(read("src/guide/links.md") + &read("src/guide/links_testing.md")))
}

#[test]
fn every_page_is_a_chapter_and_stands_in_the_lists() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    let files = fs::read_dir(docs).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let files: BTreeSet<String> = files.filter(|file| !["README.md", "proofs.md"].contains(&file.as_str())).collect();
    assert_eq!(files, chapters().into_keys().collect());
    let (contents, readme) = (read("docs/README.md"), read("README.md"));
    for page in files {
        assert!(contents.contains(&format!("]: {page}")), "docs/README.md does not list {page}");
        assert!(readme.contains(&format!("](docs/{page})")), "README.md does not list {page}");
    }
}

#[test]
fn every_label_has_a_target_and_every_target_is_used() {
    for page in pages() {
        let text = prose(&page);
        let defined: BTreeSet<String> = targets(&text).into_keys().collect();
        assert_eq!(used(&text), defined, "{page}: labels that are used, and labels that have a target");
        assert!(
            !text.contains("](")
                || text.split("](").skip(1).all(|link| link.starts_with("http") || link.starts_with('#')),
            "{page}: a link within a line leads nowhere in the documentation; name its target at the end"
        );
    }
}

#[test]
fn every_target_is_there() {
    for page in pages() {
        for (label, target) in targets(&prose(&page)) {
            let (file, anchor) = target.split_once('#').unwrap_or((&target, ""));
            read(&format!("docs/{file}"));
            let is_page = anchor.is_empty() || file.starts_with("..") || anchors(file).contains(anchor);
            assert!(is_page, "{page}: [{label}] leads to {target}, and there is no such heading");
        }
    }
}

#[test]
fn the_documentation_leads_to_the_same_chapters() {
    let (chapters, documentation) = (chapters(), in_documentation());
    for page in pages() {
        for (label, target) in targets(&prose(&page)) {
            let there = documentation.get(&label);
            let there = there.unwrap_or_else(|| panic!("{page}: src/guide/links.md has no [{label}]"));
            let (file, anchor) = target.split_once('#').map_or((&*target, None), |(file, anchor)| (file, Some(anchor)));
            let Some(module) = chapters.get(file) else { continue };
            let anchor = anchor.map(|anchor| format!("#{anchor}")).unwrap_or_default();
            assert_eq!(there, &format!("crate::guide::{module}{anchor}"), "{page}: [{label}]");
        }
    }
}

#[test]
fn without_the_feature_testing_the_same_labels_have_targets() {
    let labels = |file: &str| targets(&read(file)).into_keys().collect::<Vec<_>>();
    assert_eq!(labels("src/guide/links_testing.md"), labels("src/guide/links_without_testing.md"));
}
