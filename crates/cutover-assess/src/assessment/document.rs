//! An assessment as it is written.

use serde::{Deserialize, Serialize};

use super::{Assessment, Elsewhere, Scanned, Totals};
use crate::effort::EffortWeights;
use crate::excerpt::excerpt;
use crate::finding::Finding;
use crate::rule::Rule;
use crate::skipped::Skipped;
use crate::warning::Warning;

/// What README.md describes.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Document {
    format: String,
    totals: Totals,
    effort: EffortWeights,
    scanned: Scanned,
    findings: Vec<Finding>,
    allowed: Vec<Finding>,
    elsewhere: Vec<Elsewhere>,
    skipped: Vec<Skipped>,
    warnings: Vec<Warning>,
    rules: Vec<Rule>,
}

const FORMAT: &str = "cutover-assess/1";

impl From<Assessment> for Document {
    fn from(assessment: Assessment) -> Self {
        let totals = assessment.totals();
        let Assessment { rules, scanned, findings, allowed, elsewhere, skipped, warnings, effort } = assessment;
        let format = FORMAT.into();
        Self { format, totals, effort, scanned, findings, allowed, elsewhere, skipped, warnings, rules }
    }
}

impl TryFrom<Document> for Assessment {
    type Error = InvalidAssessment;

    fn try_from(document: Document) -> Result<Self, InvalidAssessment> {
        let Document { format, totals, effort, scanned, findings, allowed, elsewhere, skipped, warnings, rules } =
            document;
        if format != FORMAT {
            return Err(InvalidAssessment::UnknownFormat { format: excerpt(&format) });
        }
        let assessment = Self { rules, scanned, findings, allowed, elsewhere, skipped, warnings, effort };
        let adds_up = assessment.totals() == totals;
        adds_up.then_some(assessment).ok_or(InvalidAssessment::WrongTotals)
    }
}

/// A written assessment that cannot be believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidAssessment {
    /// It is written in another format.
    #[error("the format `{format}` is unknown; the one that is read is `cutover-assess/1`")]
    UnknownFormat {
        /// The format's name, cut after 40 characters.
        format: String,
    },
    /// Its totals are not those of its findings: somebody has edited it.
    #[error("the totals are not those of the findings; let the report be written anew")]
    WrongTotals,
}
