//! [`Report`]: an assessment as text, Markdown, JSON or SARIF.

mod escape;
mod markdown;
mod sarif;
mod text;

use std::fmt;
use std::io::{self, Write};
use std::str::FromStr;

use crate::assessment::Assessment;
use crate::excerpt::excerpt;

/// Writes an assessment for somebody to read, or some tool.
///
/// What comes from files, names and rules is escaped: it makes no column of a table, no markup and no control sequence of a
/// terminal.
///
/// ```
/// use cutover_assess::{Format, Report};
/// # use cutover_assess::{Complexity, Rule, RuleSet, Scan};
/// # let folder = tempfile::tempdir()?;
/// # std::fs::write(folder.path().join("app.py"), "chain = LLMChain(llm)\n")?;
/// # let rules = RuleSet::new([Rule::new("llm-chain", "LLMChain", "Legacy LLMChain", Complexity::Low)])?;
/// # let assessment = Scan::new(rules).run(folder.path())?;
/// let mut text = Vec::new();
/// Report::new(Format::Text).write(&assessment, &mut text)?;
/// assert!(text.starts_with(b"Found 1 migration items:\napp.py:1 - Legacy LLMChain (low)\n"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Report {
    format: Format,
    colours: bool,
}

impl Report {
    /// In this format, without colours.
    #[must_use]
    pub const fn new(format: Format) -> Self {
        Self { format, colours: false }
    }

    /// Whether text has colours, as ANSI sequences for a terminal. The other formats never have.
    #[must_use]
    pub const fn colours(mut self, colours: bool) -> Self {
        self.colours = colours;
        self
    }

    /// Writes `assessment` to `out`.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write(&self, assessment: &Assessment, out: &mut impl Write) -> io::Result<()> {
        match self.format {
            Format::Text => text::write(assessment, self.colours, out),
            Format::Markdown => markdown::write(assessment, out),
            Format::Json => write_json(assessment, out),
            Format::Sarif => write_json(&sarif::log(assessment), out),
        }
    }
}

fn write_json(value: &impl serde::Serialize, out: &mut impl Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, value)?;
    writeln!(out)
}

/// How a report is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Format {
    /// Lines for a terminal: `Found N migration items:`, and `file:line - name (complexity)` for each.
    Text,
    /// Tables in GitHub's dialect, for a pull request.
    Markdown,
    /// All of the assessment; it can be read back.
    Json,
    /// SARIF 2.1.0, for editors and code-scanning services.
    Sarif,
}

impl Format {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Text, Self::Markdown, Self::Json, Self::Sarif];

    /// Its name: `text`, `markdown`, `json` or `sarif`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Markdown => "markdown",
            Self::Json => "json",
            Self::Sarif => "sarif",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(name: &str) -> Result<Self, UnknownFormat> {
        let known = Self::ALL.into_iter().find(|format| format.name() == name);
        known.ok_or_else(|| UnknownFormat { name: excerpt(name) })
    }
}

/// A name that is no [`Format`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no format `{name}`; it is text, markdown, json or sarif")]
#[non_exhaustive]
pub struct UnknownFormat {
    /// The name, cut after 40 characters.
    pub name: String,
}
