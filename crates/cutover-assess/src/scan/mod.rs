//! [`Scan`]: looks for rules in a tree of files.

mod allow;
mod error;
mod gather;
mod lines;
mod plan;
mod read;
mod search;
mod walk;

pub use error::ScanError;

use std::fmt;
use std::path::{Path, PathBuf};

use crate::assessment::Assessment;
use crate::effort::EffortWeights;
use crate::literals::Literals;
use crate::matcher::Matcher;
use crate::rule::RuleSet;
use plan::Plan;

/// Looks for rules in a tree of files, on several threads.
///
/// It looks in all files below the root, tests included, but for
/// - what `.gitignore` and `.ignore` files below the root name; where the root is inside a Git repository, also those
///   above it, of `.gitignore` up to the repository's top. The files of a user's or a machine's Git configuration do not
///   count, so that all machines see the same;
/// - files and folders whose name starts with a dot, unless [`hidden`](Self::hidden) asks for them; `.git` never;
/// - links, binary files and whatever else has a [`SkipReason`](crate::SkipReason), which the assessment lists.
///
/// A file that cannot be read never ends the scan.
///
/// ```
/// use cutover_assess::{Complexity, Rule, RuleSet, Scan};
///
/// # let folder = tempfile::tempdir()?;
/// # let root = folder.path();
/// std::fs::write(root.join("app.py"), "chain = LLMChain(llm)  # MyLLMChainX is another one\n")?;
/// let rules = RuleSet::new([Rule::new("llm-chain", "LLMChain", "Legacy LLMChain", Complexity::Low)])?;
/// let assessment = Scan::new(rules).run(root)?;
///
/// let found = &assessment.findings()[0];
/// assert_eq!((found.path.as_str(), found.line, found.column), ("app.py", 1, 9));
/// assert_eq!(assessment.totals().all.places, 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Scan {
    rules: Option<RuleSet>,
    matchers: Vec<Box<dyn Matcher>>,
    threads: usize,
    hidden: bool,
    max_file_bytes: u64,
    left_out: Vec<PathBuf>,
    effort: EffortWeights,
    on_file: Box<dyn Fn(u64) + Send + Sync>,
}

impl Scan {
    /// For the patterns of `rules`, as they are written.
    #[must_use]
    pub fn new(rules: RuleSet) -> Self {
        Self { rules: Some(rules), ..Self::of(Vec::new()) }
    }

    /// With a way of looking of the host's own.
    #[must_use]
    pub fn with(matcher: impl Matcher + 'static) -> Self {
        Self::of(vec![Box::new(matcher)])
    }

    fn of(matchers: Vec<Box<dyn Matcher>>) -> Self {
        let (effort, on_file) = (EffortWeights::default(), Box::new(|_| ()));
        Self {
            rules: None,
            matchers,
            threads: 0,
            hidden: false,
            max_file_bytes: 16 << 20,
            left_out: Vec::new(),
            effort,
            on_file,
        }
    }

    /// Adds a way of looking. The ids of all rules together are used once.
    #[must_use]
    pub fn and(mut self, matcher: impl Matcher + 'static) -> Self {
        self.matchers.push(Box::new(matcher));
        self
    }

    /// On how many threads; with 0, the default, on as many as there are processors, up to 12.
    #[must_use]
    pub const fn threads(mut self, threads: usize) -> Self {
        self.threads = threads;
        self
    }

    /// Whether it looks in files and folders whose name starts with a dot; it does not by default.
    #[must_use]
    pub const fn hidden(mut self, hidden: bool) -> Self {
        self.hidden = hidden;
        self
    }

    /// The size in bytes above which a file is skipped; 16 MiB by default.
    #[must_use]
    pub const fn max_file_bytes(mut self, bytes: u64) -> Self {
        self.max_file_bytes = bytes;
        self
    }

    /// Leaves a file out, such as the rules themselves or an earlier report; the assessment lists it as skipped. It need not
    /// exist.
    #[must_use]
    pub fn leave_out(mut self, file: impl AsRef<Path>) -> Self {
        self.left_out.extend(file.as_ref().canonicalize());
        self
    }

    /// What places cost, for the totals.
    #[must_use]
    pub fn effort(mut self, weights: EffortWeights) -> Self {
        self.effort = weights;
        self
    }

    /// Calls `on_file` for each file that was looked at or skipped, with the number of them so far. It is called from all
    /// threads; where it panics, the scan does.
    #[must_use]
    pub fn on_file(mut self, on_file: impl Fn(u64) + Send + Sync + 'static) -> Self {
        self.on_file = Box::new(on_file);
        self
    }

    /// Looks in the tree below `root`, or in the one file that it is.
    ///
    /// # Errors
    /// [`ScanError`] if there is no such root, or the rules do not fit together. A tree in which nothing was looked at is
    /// no error but [`NothingScanned`](crate::Status::NothingScanned).
    pub fn run(&self, root: impl AsRef<Path>) -> Result<Assessment, ScanError> {
        let root = root.as_ref();
        std::fs::metadata(root).map_err(|source| ScanError::of_root(root, source))?;
        let literals = self.rules.clone().map(Literals::new).transpose()?;
        let literals = literals.as_ref().map(|literals| literals as &dyn Matcher);
        let plan = Plan::new(literals.into_iter().chain(self.matchers.iter().map(AsRef::as_ref)).collect())?;
        let outcomes = walk::walk(self, &plan, root);
        Ok(gather::gather(&plan, outcomes, self.effort.clone()))
    }
}

impl fmt::Debug for Scan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rules, matchers, threads, hidden, max_file_bytes, left_out, effort, on_file: _ } = self;
        f.debug_struct("Scan")
            .field("rules", rules)
            .field("matchers", &matchers.len())
            .field("threads", threads)
            .field("hidden", hidden)
            .field("max_file_bytes", max_file_bytes)
            .field("left_out", left_out)
            .field("effort", effort)
            .finish_non_exhaustive()
    }
}
