//! What can be wrong with rules.

/// Rules that make no [`RuleSet`](crate::RuleSet).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RuleError {
    /// There is no rule.
    #[error("there is no rule; give at least one")]
    NoRules,
    /// An id that cannot name a rule.
    #[error("`{id}` is no id of a rule; ids are a-z, 0-9, `.`, `_` and `-`, up to 64")]
    InvalidId {
        /// The id, cut after 40 characters.
        id: String,
    },
    /// Two rules have one id.
    #[error("two rules have the id `{id}`; ids are used once")]
    DuplicateId {
        /// The id.
        id: String,
    },
    /// A rule whose pattern has nothing but white space.
    #[error("the pattern of the rule `{rule}` is empty; give the text to look for")]
    EmptyPattern {
        /// The rule's id.
        rule: String,
    },
    /// A pattern that no single line has.
    #[error("the pattern of the rule `{rule}` has a control character; a pattern is looked for within one line")]
    ControlCharacter {
        /// The rule's id.
        rule: String,
    },
    /// A rule without a name.
    #[error("the name of the rule `{rule}` is empty; say what a place that has the pattern is called")]
    EmptyName {
        /// The rule's id.
        rule: String,
    },
    /// A rule that looks nowhere.
    #[error("the rule `{rule}` has no contexts; name code, comment or string, or leave `contexts` out for code")]
    NoContexts {
        /// The rule's id.
        rule: String,
    },
    /// A glob that cannot be read.
    #[error("the rule `{rule}` has the glob `{glob}`, which cannot be read: {problem}")]
    InvalidGlob {
        /// The rule's id.
        rule: String,
        /// The glob, cut after 40 characters.
        glob: String,
        /// What is wrong with it.
        problem: String,
    },
    /// More patterns or globs than can be looked for at once.
    #[error("the rules are too many or too large to be looked for at once: {problem}")]
    TooManyRules {
        /// What is too much.
        problem: String,
    },
}
