//! What is a comment and what is a string, language by language.
#![expect(clippy::indexing_slicing, reason = "a test fails by panicking")]

use cutover_assess::{Context, Language};

/// Files of sources, in which each line is followed by its mask: `#` for comments, `"` for strings, and `.` for code. Between
/// sources stands `~~~`.
const FILES: [(Language, &str); 13] = [
    (Language::Rust, include_str!("languages/rust.txt")),
    (Language::Python, include_str!("languages/python.txt")),
    (Language::JavaScript, include_str!("languages/javascript.txt")),
    (Language::TypeScript, include_str!("languages/typescript.txt")),
    (Language::Tsx, include_str!("languages/javascript.txt")),
    (Language::Go, include_str!("languages/go.txt")),
    (Language::Java, include_str!("languages/java.txt")),
    (Language::C, include_str!("languages/c.txt")),
    (Language::Shell, include_str!("languages/shell.txt")),
    (Language::Ruby, include_str!("languages/ruby.txt")),
    (Language::Yaml, include_str!("languages/yaml.txt")),
    (Language::Toml, include_str!("languages/toml.txt")),
    (Language::Make, include_str!("languages/make.txt")),
];

#[test]
fn each_language_is_told_as_its_file_says() {
    for (language, file) in FILES {
        file.split("~~~\n").for_each(|source| assert_masks(language, source));
    }
}

#[test]
fn so_is_each_with_the_line_ends_of_windows() {
    for (language, file) in FILES {
        file.split("~~~\n").for_each(|source| assert_masks(language, &source.replace('\n', "\r\n")));
    }
}

/// Each line is followed by its mask.
fn assert_masks(language: Language, text: &str) {
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let source: String = lines.iter().copied().step_by(2).collect();
    for (pair, told) in lines.chunks(2).zip(masks(language, &source)) {
        assert_eq!(told, pair[1].trim_end(), "\n{language:?}: {}\nof\n{source}", pair[0]);
    }
}

/// One sign for each character of each line.
fn masks(language: Language, source: &str) -> Vec<String> {
    let segments = language.segments(source.as_bytes());
    let sign = |at: usize| match segments.iter().find(|segment| segment.range.contains(&at)).map(|found| found.context)
    {
        Some(Context::Code) => '.',
        Some(Context::Comment) => '#',
        Some(Context::String) => '"',
        None => '?',
    };
    let mut start = 0;
    let mask = |line: &str| {
        let mask = line.trim_end().char_indices().map(|(at, _)| sign(start + at)).collect();
        start += line.len();
        mask
    };
    source.split_inclusive('\n').map(mask).collect()
}

#[test]
fn a_language_is_told_by_the_name_of_the_file() {
    for (path, language) in [
        ("src/a.rs", Language::Rust),
        ("a.PY", Language::Python),
        ("a.b.pyi", Language::Python),
        ("a.mjs", Language::JavaScript),
        ("a.d.ts", Language::TypeScript),
        ("a.tsx", Language::Tsx),
        ("a.go", Language::Go),
        ("A.java", Language::Java),
        ("a.hpp", Language::C),
        ("a.zsh", Language::Shell),
        ("Rakefile", Language::Ruby),
        (".github/a.yml", Language::Yaml),
        ("Cargo.toml", Language::Toml),
        ("sub/Makefile", Language::Make),
        ("CMakeLists.txt", Language::Make),
        ("a.ipynb", Language::Unknown),
        (".py", Language::Unknown),
        ("py", Language::Unknown),
    ] {
        assert_eq!(Language::of(path, b""), language, "{path}");
    }
}

#[test]
fn a_file_without_extension_says_by_whom_it_is_run() {
    assert_eq!(Language::of("run", b"#!/usr/bin/env python3\n"), Language::Python);
    assert_eq!(Language::of("run", b"#!/bin/bash\n"), Language::Shell);
    assert_eq!(Language::of("run", b"python\n#!/bin/bash\n"), Language::Unknown);
    assert_eq!(Language::of("run.txt", b"#!/bin/bash\n"), Language::Unknown);
}
