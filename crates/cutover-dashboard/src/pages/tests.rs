//! What holds for templates, the style sheet and the script as they stand in the repository.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use super::assets;

/// The colours of a block of custom properties.
fn palette(block: &str) -> BTreeMap<&str, [f64; 3]> {
    let lines = block.lines().filter_map(|line| line.trim().strip_prefix("--")?.strip_suffix(';')?.split_once(": #"));
    let channel = |hex: &str, at: usize| f64::from(u8::from_str_radix(&hex[at..at + 2], 16).unwrap()) / 255.0;
    lines.map(|(name, hex)| (name, [channel(hex, 0), channel(hex, 2), channel(hex, 4)])).collect()
}

/// The light and the dark one.
fn palettes() -> [BTreeMap<&'static str, [f64; 3]>; 2] {
    let (light, rest) = assets::style().content.split_once("@media (prefers-color-scheme: dark)").unwrap();
    [palette(light), palette(rest.split_once("\n}").unwrap().0)]
}

/// As WCAG 2 defines it.
fn contrast(one: [f64; 3], other: [f64; 3]) -> f64 {
    let linear =
        |channel: f64| if channel <= 0.040_45 { channel / 12.92 } else { ((channel + 0.055) / 1.055).powf(2.4) };
    let luminance =
        |[red, green, blue]: [f64; 3]| 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue);
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

/// Texts, and what they stand on.
const TEXTS: [(&str, &str); 23] = [
    ("text", "ground"),
    ("text", "card"),
    ("text", "sunken"),
    ("muted", "ground"),
    ("muted", "card"),
    ("muted", "sunken"),
    ("link", "card"),
    ("link", "ground"),
    ("on-primary", "primary"),
    ("on-danger", "danger"),
    ("alarm", "alarm-ground"),
    ("alarm", "card"),
    ("warning", "warning-ground"),
    ("notice", "notice-ground"),
    ("ok", "ok-ground"),
    ("unknown", "unknown-ground"),
    ("ok", "card"),
    ("mark", "card"),
    ("text", "notice-ground"),
    ("text", "warning-ground"),
    ("link", "sunken"),
    ("alarm", "sunken"),
    ("muted", "unknown-ground"),
];

/// Signs and borders of controls, and what they stand on.
const SIGNS: [(&str, &str); 11] = [
    ("control", "card"),
    ("control", "sunken"),
    ("legacy", "card"),
    ("new", "card"),
    ("alarm", "card"),
    ("warning", "card"),
    ("ok", "card"),
    ("danger", "card"),
    ("primary", "card"),
    ("new", "line"),
    ("link", "ground"),
];

#[test]
fn colours_can_be_told_apart_in_both_themes() {
    for (theme, palette) in ["light", "dark"].into_iter().zip(palettes()) {
        for (pairs, least) in [(TEXTS.as_slice(), 4.5), (SIGNS.as_slice(), 3.0)] {
            for (sign, ground) in pairs {
                let contrast = contrast(palette[sign], palette[ground]);
                assert!(contrast >= least, "{theme}: {sign} on {ground} has {contrast:.2}, and needs {least}");
            }
        }
    }
}

#[test]
fn both_themes_have_the_same_colours() {
    let [light, dark] = palettes();
    assert!(light.len() > 20);
    assert_eq!(light.keys().collect::<Vec<_>>(), dark.keys().collect::<Vec<_>>());
}

#[test]
fn contrast_is_that_of_the_standard() {
    assert!((contrast([0.0; 3], [1.0; 3]) - 21.0).abs() < 1e-9);
    assert!((contrast([119.0 / 255.0; 3], [1.0; 3]) - 4.478).abs() < 1e-3);
}

fn templates(folder: &Path, found: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            templates(&path, found);
        } else {
            found.push((path.display().to_string(), fs::read_to_string(&path).unwrap()));
        }
    }
}

#[test]
fn templates_escape_everything_and_have_no_style_or_script_of_their_own() {
    let mut all = Vec::new();
    templates(&Path::new(env!("CARGO_MANIFEST_DIR")).join("templates"), &mut all);
    assert!(all.len() > 10);
    for (path, text) in all {
        for forbidden in [
            "|safe",
            "| safe",
            "style=",
            "<style",
            " onclick",
            " onload",
            "javascript:",
            "http://",
            "https://",
            "{% autoescape",
        ] {
            assert!(!text.contains(forbidden), "{path} has {forbidden}");
        }
        let scripts = text.matches("<script").count();
        let own = ["morph", "script"].map(|name| format!("<script src=\"{{{{ frame.base }}}}/assets/{name}.js"));
        assert_eq!(scripts, own.iter().map(|own| text.matches(own).count()).sum::<usize>(), "{path}");
    }
}

#[test]
fn the_scripts_are_small_and_make_no_html_of_texts() {
    for (script, lines) in [(assets::script().content, 190), (assets::morph().content, 65)] {
        assert!(script.lines().count() <= lines, "{}", script.lines().count());
        for forbidden in
            ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "Function(", "http"]
        {
            assert!(!script.contains(forbidden), "{forbidden}");
        }
    }
}

#[test]
fn nothing_is_fetched_from_elsewhere() {
    let style = assets::style().content;
    assert!(!style.contains("url(") && !style.contains("@import"));
}
