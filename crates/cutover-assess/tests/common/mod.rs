//! Trees of files in temporary folders, and scans of them.
#![expect(dead_code, reason = "each test uses a part of it")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::Path;

use cutover_assess::{Assessment, Complexity, Finding, Format, Report, Rule, RuleSet, Scan};
use tempfile::TempDir;

/// A tree of files, removed when dropped.
pub(crate) struct Tree(TempDir);

impl Tree {
    pub(crate) fn of<T: AsRef<[u8]>>(files: &[(&str, T)]) -> Self {
        let tree = Self(tempfile::tempdir().unwrap());
        for (path, text) in files {
            tree.write(path, text);
        }
        tree
    }

    pub(crate) fn root(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn write(&self, path: &str, text: impl AsRef<[u8]>) {
        let path = self.root().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// What a scan for `LLMChain` in code finds.
    pub(crate) fn scan(&self) -> Assessment {
        self.scan_for([llm_chain()])
    }

    pub(crate) fn scan_for(&self, rules: impl IntoIterator<Item = Rule>) -> Assessment {
        Scan::new(RuleSet::new(rules).unwrap()).run(self.root()).unwrap()
    }
}

pub(crate) fn llm_chain() -> Rule {
    Rule::new("llm-chain", "LLMChain", "Legacy LLMChain", Complexity::Low)
}

/// Path, line and column of each finding.
pub(crate) fn places(assessment: &Assessment) -> Vec<(&str, usize, usize)> {
    assessment.findings().iter().map(place).collect()
}

fn place(finding: &Finding) -> (&str, usize, usize) {
    (&finding.path, finding.line, finding.column)
}

pub(crate) fn report(assessment: &Assessment, format: Format) -> String {
    let mut out = Vec::new();
    Report::new(format).write(assessment, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}
