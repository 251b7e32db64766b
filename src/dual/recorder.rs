//! The place of a runner's recorder: called directly if it never blocks, behind a queue otherwise.

use std::time::Duration;

use crate::Recorder;
use crate::contain::{Panicked, contain_quietly};
use crate::handover::FlushTimeout;
use crate::record::{Discrepancy, RecorderQueue};

pub(super) enum RecorderSlot {
    Direct(Box<dyn Recorder>),
    Queued(RecorderQueue),
}

impl RecorderSlot {
    pub(super) fn new(recorder: impl Recorder + 'static) -> Self {
        if contain_quietly(|| recorder.never_blocks()) == Ok(true) {
            Self::Direct(Box::new(recorder))
        } else {
            Self::Queued(RecorderQueue::new(recorder))
        }
    }

    /// Whether capturing values is worth while; an error when the recorder panics.
    pub(super) fn has_room(&self) -> Result<bool, Panicked> {
        match self {
            Self::Direct(recorder) => contain_quietly(|| recorder.has_room()),
            Self::Queued(queue) => Ok(queue.has_room()),
        }
    }

    /// Hands the discrepancy over; says whether that went well.
    pub(super) fn record(&self, found: Discrepancy) -> bool {
        match self {
            Self::Direct(recorder) => contain_quietly(|| recorder.record(found).is_ok()) == Ok(true),
            Self::Queued(queue) => queue.push(found),
        }
    }

    /// Faults that came to light only behind the queue.
    pub(super) fn late_faults(&self) -> u64 {
        match self {
            Self::Direct(_) => 0,
            Self::Queued(queue) => queue.counts().failed + queue.counts().panicked,
        }
    }

    pub(super) fn flush(&self, deadline: Duration) -> Result<(), FlushTimeout> {
        match self {
            Self::Direct(recorder) => contain_quietly(|| recorder.flush(deadline)).unwrap_or(Ok(())),
            Self::Queued(queue) => queue.flush(deadline),
        }
    }
}
