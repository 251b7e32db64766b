//! What README says of costs stands in BENCHMARKS.md.

use std::fs;
use std::path::Path;

const PAGE: &str = "](BENCHMARKS.md#";

fn read(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(name)).unwrap()
}

/// The rows of the section that a link leads to.
fn rows<'p>(page: &'p str, anchor: &str) -> Vec<Vec<&'p str>> {
    let section = page.split("\n## ").find(|section| slug(section.lines().next().unwrap_or_default()) == anchor);
    let section = section.unwrap_or_else(|| panic!("BENCHMARKS.md has no section #{anchor}"));
    section.lines().filter(|line| line.starts_with('|')).map(cells).collect()
}

fn slug(title: &str) -> String {
    let kept = title.chars().filter(|letter| letter.is_alphanumeric() || " -_".contains(*letter));
    kept.collect::<String>().to_lowercase().replace(' ', "-")
}

fn cells(row: &str) -> Vec<&str> {
    row.trim_matches('|').split('|').map(str::trim).collect()
}

/// The text and the anchor of each link to the page.
fn links(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.match_indices(PAGE).map(|(at, _)| {
        let (before, after) = (&text[..at], &text[at + PAGE.len()..]);
        let anchor = after.split(')').next().unwrap_or_default();
        (before.rsplit_once('[').map_or(before, |(_, shown)| shown), anchor)
    })
}

#[test]
fn each_row_of_the_readme_is_a_row_of_the_benchmarks() {
    let (readme, page) = (read("README.md"), read("BENCHMARKS.md"));
    let mut checked = 0;
    for line in readme.lines().filter(|line| line.starts_with("| [") && line.contains(PAGE)) {
        let (name, anchor) = links(line).next().unwrap();
        let rows = rows(&page, anchor);
        let row = rows.iter().find(|row| row[0].trim_matches('*') == name);
        let row = row.unwrap_or_else(|| panic!("no row {name} in #{anchor}"));
        let measured = [row[2], row[3].trim_end_matches(char::is_alphabetic).trim(), row[5], row[8]];
        assert_eq!(
            cells(line)[1..5],
            measured,
            "{name} in #{anchor}: nanoseconds, of its floor, 2 threads, allocations"
        );
        checked += 1;
    }
    assert!(checked > 5, "README has a table of costs");
}

#[test]
fn each_comparison_with_a_peer_in_the_readme_is_a_figure_of_the_benchmarks() {
    let (readme, page) = (read("README.md"), read("BENCHMARKS.md"));
    let prose = readme.lines().filter(|line| !line.starts_with('|')).collect::<Vec<_>>().join("\n");
    let figures = links(&prose).filter(|(shown, _)| shown.starts_with(|first: char| first.is_ascii_digit()));
    let mut checked = 0;
    for (figure, anchor) in figures {
        assert!(rows(&page, anchor).iter().flatten().any(|cell| *cell == figure), "{figure} is not in #{anchor}");
        checked += 1;
    }
    assert!(checked > 2, "README compares with peers");
}
