//! [`JsonLinesRecorder`]: one line of JSON for each discrepancy.

use std::io::{self, ErrorKind, Write};
use std::time::Duration;

use super::queue::RecorderQueue;
use super::{Discrepancy, RecordError, Recorder};
use crate::handover::{FlushTimeout, HandoverCounts};

/// Writes each discrepancy as one JSON object on a line of its own, from a thread of its own: a file, a pipe, or any
/// other writer.
///
/// The bounds, counts and the end of the thread are those of [`RecorderQueue`]. Equal discrepancies that wait for the
/// writer become one line; a reader merges lines by fingerprint. The writer is flushed after every line. A line that
/// could not be written whole is counted as failed, and the next one starts on a new line.
///
/// ```
/// use cutover::Recorder;
/// use cutover::record::JsonLinesRecorder;
/// use std::time::Duration;
/// # #[cfg(feature = "testing")] {
/// # let discrepancy = cutover::testing::discrepancy("search", 1);
///
/// let recorder = JsonLinesRecorder::new(std::io::sink());
/// recorder.record(discrepancy)?;
/// recorder.flush(Duration::from_secs(5))?;
/// assert_eq!(recorder.counts().handed_over, 1);
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct JsonLinesRecorder {
    queue: RecorderQueue,
}

impl JsonLinesRecorder {
    /// A recorder that writes to `writer`.
    #[must_use]
    pub fn new(writer: impl Write + Send + 'static) -> Self {
        let mut lines = Lines { writer, line: Vec::new(), torn: false };
        Self {
            queue: RecorderQueue::with_receiver("cutover-json-lines", move |discrepancy| {
                lines.write(&discrepancy).is_ok()
            }),
        }
    }

    /// What became of everything recorded so far; `failed` counts the lines that were not written whole.
    #[must_use]
    pub fn counts(&self) -> HandoverCounts {
        self.queue.counts()
    }

    /// Blocks until everything recorded before is written, for at most `deadline` of real time.
    ///
    /// # Errors
    /// [`FlushTimeout`] says how many discrepancies still wait.
    pub fn flush(&self, deadline: Duration) -> Result<(), FlushTimeout> {
        self.queue.flush(deadline)
    }
}

impl Recorder for JsonLinesRecorder {
    /// Takes the discrepancy to be written.
    ///
    /// # Errors
    /// [`RecordError`] when too many wait for the writer. The discrepancy is dropped and counted.
    fn record(&self, discrepancy: Discrepancy) -> Result<(), RecordError> {
        self.queue.record(discrepancy)
    }

    fn never_blocks(&self) -> bool {
        true
    }

    fn has_room(&self) -> bool {
        self.queue.has_room()
    }

    fn flush(&self, deadline: Duration) -> Result<(), FlushTimeout> {
        self.queue.flush(deadline)
    }
}

struct Lines<W> {
    writer: W,
    line: Vec<u8>,
    /// Whether the last line may have been left half written.
    torn: bool,
}

impl<W: Write> Lines<W> {
    fn write(&mut self, discrepancy: &Discrepancy) -> io::Result<()> {
        self.line.clear();
        if self.torn {
            self.line.push(b'\n');
        }
        serde_json::to_writer(&mut self.line, discrepancy)?;
        self.line.push(b'\n');
        self.write_line()?;
        self.writer.flush()
    }

    /// Writes the line. It counts as torn while it is under way, for a writer that panics.
    fn write_line(&mut self) -> io::Result<()> {
        let was_torn = std::mem::replace(&mut self.torn, true);
        let mut rest = self.line.as_slice();
        while !rest.is_empty() {
            match self.writer.write(rest) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(written) => rest = rest.get(written..).unwrap_or_default(),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => {
                    self.torn = was_torn || rest.len() < self.line.len();
                    return Err(error);
                }
            }
        }
        self.torn = false;
        Ok(())
    }
}
