//! Finds legacy call sites in source code, by rules that are data.
//!
//! # What is where
//! | for | see |
//! |---|---|
//! | saying what to look for | [`Rule`], [`RuleSet`], [`Complexity`] |
//! | looking in a way of your own | [`Matcher`], [`Source`], [`Match`] |
//! | telling code, comments and strings apart | [`Language`], [`Segment`], [`Context`] |
//! | what was found | [`Assessment`], [`Finding`], [`Fingerprint`] |
//! | what was not looked at, and why | [`Skipped`], [`SkipReason`], [`Warning`] |

#![cfg_attr(cutover_docsrs, feature(doc_cfg))]

mod assessment;
mod context;
mod effort;
mod excerpt;
mod finding;
mod fingerprint;
mod lexer;
mod matcher;
mod rule;
mod skipped;
mod warning;

pub use assessment::{Assessment, Scanned};
pub use context::Context;
pub use effort::EffortWeights;
pub use finding::Finding;
pub use fingerprint::{Fingerprint, InvalidFingerprint};
pub use lexer::{Language, Segment};
pub use matcher::{Match, Matcher, Source};
pub use rule::{Complexity, Rule, RuleError, RuleSet, UnknownComplexity};
pub use skipped::{SkipReason, Skipped};
pub use warning::Warning;
