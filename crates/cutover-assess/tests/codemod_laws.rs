//! For arbitrary bytes and edits: apply then undo is the identity, and the diff of a plan does what the plan does.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod codemod_common;

use codemod_common::Tree;
use cutover_assess::codemod::Edit;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngSeed};

/// Bytes of lines, of all kinds of ends, and of what is no text.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        4 => "[ab]{0,3}".prop_map(String::into_bytes),
        3 => Just(b"\n".to_vec()),
        1 => Just(b"\r\n".to_vec()),
        1 => Just(b"\r".to_vec()),
        1 => Just("ü€".as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 1..4),
    ];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

/// Some edits of these bytes that do not overlap: the places come in order, each behind the last.
fn edits(path: &'static str, bytes: &[u8], picks: &[(usize, usize, String)]) -> Vec<Edit> {
    let mut edits = Vec::new();
    let mut free = 0;
    for (skip, length, text) in picks {
        let (start, end) = (free + skip, free + skip + length);
        free = end + 1;
        let Some(Ok(expected)) = bytes.get(start..end).map(str::from_utf8) else { continue };
        if expected != text {
            edits.push(Edit::new(path, start, expected, text.clone()));
        }
    }
    edits
}

fn picks() -> impl Strategy<Value = Vec<(usize, usize, String)>> {
    prop::collection::vec((0..12_usize, 0..5_usize, "[abü\r\n]{0,4}"), 1..8)
}

fn config(cases: u32) -> Config {
    Config { cases, rng_seed: RngSeed::Fixed(17), failure_persistence: None, ..Config::default() }
}

/// What a reader of unified diffs makes of the old bytes.
fn patched(old: &[u8], diff: &[u8]) -> Vec<u8> {
    let mut rest = lines(old);
    let mut new = Vec::new();
    let mut taken = 0;
    let lines: Vec<_> = lines(diff).skip(2).collect();
    for (line, next) in lines.iter().zip(lines.iter().skip(1).chain([&b"".as_slice()])) {
        let (kind, content) = line.split_first().unwrap();
        // The mark behind a line takes its end away.
        let content = if next.starts_with(b"\\ ") { content.strip_suffix(b"\n").unwrap() } else { content };
        if *kind == b'@' {
            let first = first_old_line(line);
            new.extend(rest.by_ref().take(first - taken));
            taken = first;
        }
        if matches!(kind, b'-' | b' ') {
            assert_eq!(rest.next(), Some(content));
            taken += 1;
        }
        if matches!(kind, b'+' | b' ') {
            new.push(content);
        }
    }
    new.extend(rest);
    new.concat()
}

fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes.split_inclusive(|byte| *byte == b'\n')
}

/// From `@@ -12,3 +12,4 @@`, counted from 0.
fn first_old_line(head: &[u8]) -> usize {
    let head = str::from_utf8(head).unwrap();
    let range = head.strip_prefix("@@ -").unwrap().split(' ').next().unwrap();
    let (start, length) = range.split_once(',').unwrap_or((range, "1"));
    let start: usize = start.parse().unwrap();
    if length == "0" { start } else { start - 1 }
}

proptest! {
    #![proptest_config(config(64))]

    #[test]
    fn apply_then_undo_is_the_identity(one in bytes(), two in bytes(), first in picks(), second in picks()) {
        let tree = Tree::new([("one", one.as_slice()), ("two", two.as_slice())]);
        let before = tree.snapshot();
        let edits = [edits("one", &one, &first), edits("two", &two, &second)].concat();
        // Edits within a character, or that together change nothing, are refused.
        let Ok(plan) = tree.plan(edits) else { return Ok(()) };
        let journal = plan.apply().unwrap();
        for file in plan.files() {
            prop_assert_eq!(tree.read(file.path().to_str().unwrap()), file.after());
        }
        prop_assert!(tree.snapshot() != before);
        journal.undo().unwrap();
        prop_assert_eq!(tree.snapshot(), before);
    }
}

proptest! {
    #![proptest_config(config(2_000))]

    #[test]
    fn the_diff_of_a_plan_does_what_the_plan_does(old in bytes(), picks in picks()) {
        let tree = Tree::new([("one", old.as_slice())]);
        let Ok(plan) = tree.plan(edits("one", &old, &picks)) else { return Ok(()) };
        let mut diff = Vec::new();
        plan.diff().write_to(&mut diff).unwrap();
        prop_assert_eq!(patched(&old, &diff), plan.files()[0].after());
    }
}

#[test]
fn the_cases_are_not_only_refused_ones() {
    let mut runner = proptest::test_runner::TestRunner::new(config(1));
    let cases = (0..200).map(|_| (bytes(), picks()).new_tree(&mut runner).unwrap().current());
    let planned = cases.filter(|(bytes, picks)| {
        let tree = Tree::new([("one", bytes.as_slice())]);
        tree.plan(edits("one", bytes, picks)).is_ok()
    });
    assert!(planned.count() > 100);
}
