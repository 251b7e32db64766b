//! The old rules of each system.

use std::fmt::Write;

use cutover_fleet::System;

/// The rule file of a system, as its people have written it over the years.
pub(crate) fn rules_of(system: &System) -> String {
    let country = system.name.as_str().rsplit('-').next().unwrap_or_default();
    let size = 1 + country.bytes().map(u32::from).sum::<u32>() % 9;
    match (system.attribute("rules"), system.category.as_str()) {
        (Some("between"), _) => {
            "when amount between 10..20 say some\nwhen amount > 20 say many\notherwise few\n".to_owned()
        }
        (Some("mixed case"), _) => mixed_case(),
        (Some("too many"), _) => many(40),
        (_, "pricing") => {
            format!("when weight > {} say {size}9.90\nwhen weight > 5 say 9.90\notherwise 4.90\n", 10 + size)
        }
        (_, "routing") => {
            format!("when topic is invoice say desk-{size}\nwhen topic is refund say desk-0\notherwise front-desk\n")
        }
        (_, "limits") => format!("when amount > {} say ask\nwhen amount < 1 say no\notherwise yes\n", size * 100),
        (_, "ledger") => many(size),
        _ => format!("when language is {country} say welcome-{size}\notherwise hello\n"),
    }
}

/// Half of the values are written with capitals, as the old engine allows.
fn mixed_case() -> String {
    "when topic is Invoice say desk-1\nwhen topic is REFUND say desk-2\nwhen topic is Parcel say desk-3\notherwise front-desk\n".to_owned()
}

fn many(rules: u32) -> String {
    (1..=rules).rev().fold(String::new(), |mut text, rule| {
        let _written = writeln!(text, "when balance > {} say class-{rule}", rule * 10);
        text
    }) + "otherwise class-0\n"
}
