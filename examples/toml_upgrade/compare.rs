//! Step 1: runs the documents of one input through the call site, and says what came of it.

use std::sync::Arc;
use std::time::Duration;

use cutover::dual::Counts;
use cutover::{Clock, MemoryRecorder, MigrationController, SystemClock};
use indicatif::{ProgressBar, ProgressStyle};

use crate::documents::{Document, Unreadable};
use crate::figures::{Figures, Scoreboard};
use crate::parse::{parse_contained, parser};

/// One input that has been through the dual run.
#[derive(Debug)]
pub(crate) struct Input {
    pub(crate) name: &'static str,
    pub(crate) figures: Figures,
    pub(crate) counts: Counts,
    /// Of the documents that new or both refused, those that the suite calls invalid.
    pub(crate) rightly_refused: u64,
    pub(crate) unreadable: Vec<Unreadable>,
    pub(crate) elapsed: Duration,
}

pub(crate) fn compare(
    name: &'static str,
    migration: &MigrationController,
    recorder: &Arc<MemoryRecorder>,
    documents: impl ExactSizeIterator<Item = Result<Document, Unreadable>>,
) -> Input {
    let (clock, scoreboard) = (SystemClock::new(), Arc::new(Scoreboard::default()));
    let parser = parser(name, migration, recorder, Arc::clone(&scoreboard));
    let started = clock.now();
    let (mut unreadable, mut rightly_refused) = (Vec::new(), 0);
    for document in progress(name, documents.len()).wrap_iter(documents) {
        match document {
            Ok(document) => {
                let before = scoreboard.refused();
                // What comes of it is counted; the answer itself has no other use here.
                drop(parse_contained(&parser, &document));
                rightly_refused += if document.is_called_invalid() { scoreboard.refused() - before } else { 0 };
            }
            Err(reason) => unreadable.push(reason),
        }
    }
    let counts = parser.counts();
    let figures = scoreboard.figures(counts.ended());
    Input { name, figures, counts, rightly_refused, unreadable, elapsed: clock.now().since(started) }
}

impl Input {
    pub(crate) fn with_unreadable(mut self, more: &[Unreadable]) -> Self {
        self.unreadable.extend_from_slice(more);
        self
    }
}

/// A bar on standard error if that is a terminal, and nothing otherwise.
fn progress(name: &'static str, total: usize) -> ProgressBar {
    let style = ProgressStyle::with_template("{prefix:>8} {wide_bar:.cyan/dim} {pos}/{len}");
    let style = style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("━━─");
    ProgressBar::new(total as u64).with_style(style).with_prefix(name).with_finish(indicatif::ProgressFinish::AndClear)
}
