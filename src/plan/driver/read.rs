//! Reads how far the plan has come.

use super::Shared;
use super::work::Work;
use crate::control::Doubt;
use crate::plan::{Progress, StoreView};
use crate::store::StoreError;

/// Why it is not known how far the plan has come.
#[derive(Debug)]
pub(super) enum Unread {
    Store(StoreError),
    InDoubt(Doubt),
    /// The audit is another one with each reading.
    Unsettled,
}

impl Unread {
    pub(super) const fn view(&self) -> StoreView {
        match self {
            Self::Store(_) | Self::Unsettled => StoreView::Unreachable,
            Self::InDoubt(_) => StoreView::InDoubt,
        }
    }
}

/// How often the store is read in a row while others change it.
const READINGS: u32 = 4;
/// Entries in one page of the audit.
const PAGE: usize = 200;

impl Work {
    /// Follows the audit to the record that holds.
    pub(super) async fn read(&mut self, shared: &Shared) -> Result<(), Unread> {
        for reading in 0..READINGS {
            shared.controller.refresh().await.map_err(Unread::Store)?;
            let status = shared.controller.status();
            if let Some(doubt) = status.doubt {
                return Err(Unread::InDoubt(doubt));
            }
            let whole = self.follow(shared).await.map_err(Unread::Store)?;
            let head = self.progress.head;
            if whole && (head.epoch, head.etag) == (status.epoch, status.etag) {
                self.take_over();
                return Ok(());
            }
            if reading > 0 || !whole {
                // The store lost what was read, and somebody has settled that.
                self.progress = Progress::new();
            }
        }
        Err(Unread::Unsettled)
    }

    /// Follows the audit to its end. `false` where it does not go on from what was read.
    async fn follow(&mut self, shared: &Shared) -> Result<bool, StoreError> {
        loop {
            let page = shared.controller.history(self.progress.head.epoch, PAGE).await?;
            for entry in &page {
                if !self.progress.is_followed_by(entry) {
                    return Ok(false);
                }
                self.progress.follow(&shared.plan, entry);
            }
            if page.len() < PAGE {
                return Ok(true);
            }
        }
    }

    /// Lets the judge go on where the last process stopped, and begin anew where a person said so.
    fn take_over(&mut self) {
        let begun_anew = self.progress.begun_anew;
        match self.begun_anew.replace(begun_anew) {
            None => self.judge.go_on_after(self.progress.phases),
            Some(before) if before < begun_anew => self.judge.begin_anew(),
            Some(_) => {}
        }
    }
}
