//! [`Rule`]: what to look for, and what a place that has it is called.

use serde::{Deserialize, Serialize};

use super::complexity::Complexity;
use crate::context::Context;

/// What to look for, and what a place that has it is called.
///
/// In a file it is an object of `id`, `pattern`, `name` and `complexity`, and optionally `files`, `contexts`,
/// `replacement` and `note`. Other members are refused. Rules are checked when they come together in a
/// [`RuleSet`](crate::RuleSet).
///
/// ```
/// use cutover_assess::{Complexity, Rule};
///
/// let rule: Rule = serde_json::from_str(
///     r#"{"id": "llm-chain", "pattern": "LLMChain", "name": "Legacy LLMChain", "complexity": "low"}"#,
/// )?;
/// assert_eq!(rule, Rule::new("llm-chain", "LLMChain", "Legacy LLMChain", Complexity::Low));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Rule {
    /// Names the rule in findings and in `migrate:allow(..)`: `a-z`, `0-9`, `.`, `_` and `-`, up to 64, unique in a set.
    pub id: String,
    /// The text to look for, within one line. At an end that could belong to an identifier it ends at the
    /// identifier's end: `LLMChain` is not in `MyLLMChainX`, and `langchain.chains` is in `langchain.chains.base`
    /// but not in `mylangchain.chains`. A host's own [`Matcher`](crate::Matcher) gives it a meaning of its own.
    pub pattern: String,
    /// What a report calls a place that has the pattern.
    pub name: String,
    /// How hard it is to migrate one such place.
    pub complexity: Complexity,
    /// Globs of the files to look in, all by default. One without `/` is for file names at any depth, one with `/` for
    /// whole paths below the root; `**` stands for any folders.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<String>,
    /// Where the pattern counts, only in code by default. What is found elsewhere is counted apart.
    #[serde(default = "code", skip_serializing_if = "is_code")]
    pub contexts: Vec<Context>,
    /// What stands in place of the pattern once the place is migrated, if that is all there is to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replacement: Option<String>,
    /// What whoever migrates the place should know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

impl Rule {
    /// A rule for code in all files, without replacement or note.
    pub fn new(
        id: impl Into<String>,
        pattern: impl Into<String>,
        name: impl Into<String>,
        complexity: Complexity,
    ) -> Self {
        let (id, pattern, name) = (id.into(), pattern.into(), name.into());
        Self { id, pattern, name, complexity, files: Vec::new(), contexts: code(), replacement: None, note: None }
    }

    /// Looks in files that one of `globs` matches.
    #[must_use]
    pub fn files<S: Into<String>>(mut self, globs: impl IntoIterator<Item = S>) -> Self {
        self.files = globs.into_iter().map(Into::into).collect();
        self
    }

    /// Looks in `contexts`.
    #[must_use]
    pub fn contexts(mut self, contexts: impl IntoIterator<Item = Context>) -> Self {
        self.contexts = contexts.into_iter().collect();
        self
    }

    /// Says what takes the pattern's place.
    #[must_use]
    pub fn replacement(mut self, replacement: impl Into<String>) -> Self {
        self.replacement = Some(replacement.into());
        self
    }

    /// Says what whoever migrates a place should know.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.note = Some(note.into());
        self
    }
}

fn code() -> Vec<Context> {
    vec![Context::Code]
}

fn is_code(contexts: &[Context]) -> bool {
    contexts == [Context::Code]
}
