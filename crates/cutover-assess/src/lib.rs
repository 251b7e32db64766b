//! Finds legacy call sites in source code, by rules that are data.
//!
//! # What is where
//! | for | see |
//! |---|---|
//! | scanning a tree | [`Scan`], [`ScanError`] |
//! | saying what to look for | [`Rule`], [`RuleSet`], [`Complexity`] |
//! | looking in a way of your own | [`Matcher`], [`Source`], [`Match`]; [`Literals`] is how rules are looked for otherwise |
//! | telling code, comments and strings apart | [`Language`], [`Segment`], [`Context`] |
//! | what was found | [`Assessment`], [`Finding`], [`Fingerprint`] |
//! | what it adds up to | [`Status`], [`Totals`], [`EffortWeights`] |
//! | reports as text, Markdown, JSON and SARIF | [`Report`], [`Format`] |
//! | what was not looked at, and why | [`Skipped`], [`SkipReason`], [`Warning`] |
//! | renaming what was found, and taking it back | [`Codemod`], [`codemod`] |
//! | keeping what is left from growing | [`Ratchet`], [`ratchet`] |
//! | flags that code asks for | [`FlagReferences`], [`flags`] |
//! | deleting the old code | [`Readiness`], [`readiness`] |

#![cfg_attr(cutover_docsrs, feature(doc_cfg))]

pub mod codemod;
pub mod flags;
pub mod ratchet;
pub mod readiness;

mod assessment;
mod atomic;
mod context;
mod effort;
mod excerpt;
mod finding;
mod fingerprint;
mod lexer;
mod literals;
mod matcher;
mod report;
mod rule;
mod scan;
mod skipped;
mod warning;

pub use assessment::{Assessment, Elsewhere, FileTotal, InvalidAssessment, RuleTotal, Scanned, Status, Tally, Totals};
pub use codemod::Codemod;
pub use context::Context;
pub use effort::EffortWeights;
pub use finding::Finding;
pub use fingerprint::{Fingerprint, InvalidFingerprint};
pub use flags::FlagReferences;
pub use lexer::{Language, Segment};
pub use literals::Literals;
pub use matcher::{Match, Matcher, Source};
pub use ratchet::Ratchet;
pub use readiness::Readiness;
pub use report::{Format, Report, UnknownFormat};
pub use rule::{Complexity, Rule, RuleError, RuleSet, UnknownComplexity};
pub use scan::{Scan, ScanError};
pub use skipped::{SkipReason, Skipped};
pub use warning::Warning;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
