//! [`Lane`]: a thread that does one blocking call after the other, so that no caller's thread does.

use std::fmt;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::{self, JoinHandle};

use cutover::StoreError;
use futures_channel::oneshot;

use crate::link::Link;

/// Ends its thread when it is dropped, after the calls that are in it.
pub(crate) struct Lane {
    jobs: SyncSender<Job>,
    depth: usize,
}

type Job = Box<dyn FnOnce(&mut Link) + Send>;

impl Lane {
    /// Starts a thread; its connection is closed after the thread `before` has ended. Of two that are closed at the same
    /// time, neither would be the last one, which writes the log back into the file.
    pub(crate) fn start(
        name: &str,
        link: Link,
        depth: usize,
        before: Option<JoinHandle<()>>,
    ) -> io::Result<(Self, JoinHandle<()>)> {
        let (jobs, queue) = sync_channel(depth);
        let thread = thread::Builder::new().name(name.to_owned());
        let work = move || {
            let link = work(&queue, link);
            // A panic in there was told to whoever called.
            drop(before.map(JoinHandle::join));
            drop(link);
        };
        Ok((Self { jobs, depth }, thread.spawn(work)?))
    }

    /// Does `call` on the thread. A call whose caller has gone before it began is left out; one that has begun ends.
    ///
    /// # Errors
    /// Those of the call; [`StoreError::Unavailable`] when too many wait; `lost` when the call has begun and its answer is
    /// missing.
    pub(crate) async fn run<R, E>(
        &self,
        call: impl FnOnce(&mut Link) -> Result<R, E> + Send + 'static,
        lost: fn(&'static str) -> StoreError,
    ) -> Result<R, E>
    where
        R: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let job = move |link: &mut Link| {
            if !answer.is_canceled() {
                // The caller may have gone meanwhile.
                drop(answer.send(call(link)));
            }
        };
        self.jobs.try_send(Box::new(job)).map_err(|error| self.refused(&error))?;
        answered.await.unwrap_or_else(|_| Err(lost("the call was not answered").into()))
    }

    fn refused(&self, error: &TrySendError<Job>) -> StoreError {
        match error {
            TrySendError::Full(_) => StoreError::unavailable(format!("{} calls wait already", self.depth)),
            TrySendError::Disconnected(_) => StoreError::unavailable("the thread of the store has ended"),
        }
    }
}

impl fmt::Debug for Lane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lane").field("depth", &self.depth).finish_non_exhaustive()
    }
}

fn work(queue: &Receiver<Job>, mut link: Link) -> Link {
    for job in queue {
        // A panic must not take the later calls with it; its transaction was rolled back on the way.
        if catch_unwind(AssertUnwindSafe(|| job(&mut link))).is_err() {
            link.discard();
        }
    }
    link
}
