//! [`Segment`]: a piece of a file that is all code, all comment or all string.

use std::ops::Range;

use crate::context::Context;

/// A piece of a file that is all code, all comment or all string.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Segment {
    /// Where it stands, in bytes from the start of the file. It is never empty.
    pub range: Range<usize>,
    /// What it is.
    pub context: Context,
}

/// The literals and comments of a file in their order, with code in all gaps.
pub(super) struct Segments {
    found: Vec<Segment>,
    end: usize,
}

impl Segments {
    pub(super) const fn new() -> Self {
        Self { found: Vec::new(), end: 0 }
    }

    /// Adds what stands at `range`, as far as it is behind all that was added before. Neighbours of one context are one.
    pub(super) fn add(&mut self, range: Range<usize>, context: Context) {
        let start = range.start.max(self.end);
        if start >= range.end {
            return;
        }
        if start > self.end {
            self.push(self.end..start, Context::Code);
        }
        self.push(start..range.end, context);
    }

    /// All segments of a file of `length` bytes.
    pub(super) fn finish(mut self, length: usize) -> Vec<Segment> {
        if self.end < length {
            self.push(self.end..length, Context::Code);
        }
        self.found
    }

    fn push(&mut self, range: Range<usize>, context: Context) {
        self.end = range.end;
        match self.found.last_mut() {
            Some(last) if last.context == context => last.range.end = range.end,
            _ => self.found.push(Segment { range, context }),
        }
    }
}

/// The context of the byte at `at`.
pub(crate) fn context_at(segments: &[Segment], at: usize) -> Context {
    let index = segments.partition_point(|segment| segment.range.end <= at);
    segments.get(index).map_or(Context::Code, |segment| segment.context)
}
