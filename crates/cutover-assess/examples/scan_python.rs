//! Assesses a small Python application and shows what would have to be migrated, as text and by rule.
//!
//! Run it with `cargo run -p cutover-assess --example scan_python`.

use std::error::Error;
use std::io::{self, Write as _};

use cutover_assess::{Format, Report, RuleSet, Scan};

fn main() -> Result<(), Box<dyn Error>> {
    let rules: RuleSet = toml::from_str(include_str!("rules/python_llm.toml"))?;
    let assessment = Scan::new(rules).run(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/legacy_app"))?;

    let mut out = io::stdout().lock();
    Report::new(Format::Text).write(&assessment, &mut out)?;

    writeln!(out, "\nWhere to begin:")?;
    let mut rules = assessment.totals().rules;
    rules.sort_by_key(|rule| rule.total.effort);
    for rule in rules.iter().filter(|rule| rule.total.places > 0) {
        writeln!(
            out,
            "{:>3} {} for {} of `{}`",
            rule.total.effort,
            assessment.effort().unit,
            rule.total.places,
            rule.rule
        )?;
    }
    Ok(())
}
