//! [`ClientTime`]: the time that a side waits for its client to send the rest of a request.

use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use cutover::dual::Waits;

/// Takes the time off a side that it waits for its client.
///
/// A wait begins when the body has nothing for the side, and is over as soon as it has something, also if the side comes for
/// that later. It is over as well when the side gives the body up.
pub(crate) struct ClientTime {
    waits: Waits,
    /// The waker of whoever reads, and the one that the body gets in its place.
    waker: Option<(Waker, Waker)>,
}

impl ClientTime {
    pub(crate) const fn new(waits: Waits) -> Self {
        Self { waits, waker: None }
    }

    pub(crate) fn poll<R>(&mut self, cx: &Context<'_>, poll: impl FnOnce(&mut Context<'_>) -> Poll<R>) -> Poll<R> {
        // Begun before the body is asked, so that one that has something right after that ends it.
        self.waits.begin();
        let polled = poll(&mut Context::from_waker(self.waker(cx.waker())));
        if polled.is_ready() {
            self.waits.end();
        }
        polled
    }

    fn waker(&mut self, reader: &Waker) -> &Waker {
        let known = self.waker.take().filter(|(theirs, _)| theirs.will_wake(reader));
        let new = || (reader.clone(), Arrival::waker(self.waits.clone(), reader.clone()));
        &self.waker.insert(known.unwrap_or_else(new)).1
    }
}

impl Drop for ClientTime {
    fn drop(&mut self) {
        self.waits.end();
    }
}

/// Something has arrived.
struct Arrival {
    waits: Waits,
    reader: Waker,
}

impl Arrival {
    fn waker(waits: Waits, reader: Waker) -> Waker {
        Waker::from(Arc::new(Self { waits, reader }))
    }
}

impl Wake for Arrival {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.waits.end();
        self.reader.wake_by_ref();
    }
}
