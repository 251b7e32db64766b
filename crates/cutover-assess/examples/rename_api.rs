//! Renames an API in a copy of a small application: shows the diff, applies it, and takes it back.
//!
//! ```sh
//! cargo run -p cutover-assess --example rename_api
//! ```
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::error::Error;
use std::fs;
use std::path::Path;

use cutover_assess::{Codemod, RuleSet, Scan};
use walkdir::WalkDir;

fn main() -> Result<(), Box<dyn Error>> {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/data/rename_api");
    let folder = tempfile::tempdir()?;
    let root = folder.path();
    copy(&data.join("app"), root)?;

    let rules: RuleSet = serde_json::from_str(&fs::read_to_string(data.join("rules.json"))?)?;
    let scan = Scan::new(rules);
    let assessment = scan.run(root)?;
    println!("{} places have to be migrated.", assessment.findings().len());

    println!("\nA dry run shows what a rename would change, and writes nothing:\n");
    let plan = Codemod::from_assessment(root, &assessment, &scan)?.plan()?;
    print!("{}", plan.diff());

    let journal = plan.apply_checked(|| still_parses(root))?;
    println!("\nApplied {} edits in {} files; the originals are in the journal.", plan.edits(), plan.files().len());
    let left = scan.run(root)?;
    println!("{} places are left, which no rename migrates:", left.findings().len());
    for finding in left.findings() {
        println!("  {}:{} - {} ({})", finding.path, finding.line, finding.name, finding.complexity);
    }

    journal.undo()?;
    println!("\nUndone: {} places again, and each byte is as it was.", scan.run(root)?.findings().len());
    unchanged(&data.join("app"), root)
}

/// What a host would ask its compiler or its tests. If this fails, all edits are taken back.
fn still_parses(root: &Path) -> Result<(), Box<dyn Error + Send + Sync>> {
    let text = fs::read_to_string(root.join("answer.py"))?;
    let imports = text.contains("from langchain_core.runnables import RunnableSequence");
    imports.then_some(()).ok_or_else(|| "answer.py lost an import".into())
}

fn copy(from: &Path, to: &Path) -> Result<(), Box<dyn Error>> {
    for entry in WalkDir::new(from) {
        let entry = entry?;
        let target = to.join(entry.path().strip_prefix(from)?);
        if entry.file_type().is_dir() {
            fs::create_dir_all(target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

fn unchanged(one: &Path, other: &Path) -> Result<(), Box<dyn Error>> {
    for entry in WalkDir::new(one) {
        let entry = entry?;
        if entry.file_type().is_file() {
            let twin = other.join(entry.path().strip_prefix(one)?);
            assert_eq!(fs::read(entry.path())?, fs::read(twin)?, "{}", entry.path().display());
        }
    }
    Ok(())
}
