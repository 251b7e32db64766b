//! Copies of bodies: taken from what passes by, bounded, and played back.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use futures_channel::oneshot;
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};

/// What became of the copy of a body.
#[derive(Clone)]
pub(crate) enum BodyCopy {
    Whole(Whole),
    /// There is more than the limit.
    TooLarge,
    /// It ended with an error.
    Failed,
    /// Whoever it was for did not read it to its end.
    Unread,
    /// It was not there in time.
    Late,
}

/// All of a body.
#[derive(Clone, Default)]
pub(crate) struct Whole {
    pub(crate) data: Bytes,
    pub(crate) trailers: Option<HeaderMap>,
}

/// A copy that grows up to its limit.
struct Growing {
    data: Vec<u8>,
    trailers: Option<HeaderMap>,
    limit: usize,
    /// How much of it there will be as far as is known; never more than the limit.
    expected: usize,
}

impl Growing {
    /// Holds nothing yet: what is announced need not come.
    fn new(hint: &SizeHint, limit: usize) -> Self {
        let expected = hint.exact().map_or(limit, |size| usize::try_from(size).map_or(limit, |size| size.min(limit)));
        Self { data: Vec::new(), trailers: None, limit, expected }
    }

    /// Takes in a frame.
    fn add(&mut self, frame: &Frame<Bytes>) -> Added {
        if let Some(trailers) = frame.trailers_ref() {
            self.trailers = Some(trailers.clone());
            return Added::Last;
        }
        let data = frame.data_ref().map_or(&[][..], |data| data.as_ref());
        if data.len() > self.limit - self.data.len() {
            return Added::DoesNotFit;
        }
        self.make_room(data.len());
        self.data.extend_from_slice(data);
        Added::More
    }

    /// Twice as much each time, so that a body in small pieces is not copied again and again, but not beyond what is expected.
    fn make_room(&mut self, more: usize) {
        let (length, needed) = (self.data.len(), self.data.len() + more);
        if needed > self.data.capacity() {
            let room = needed.max(self.expected.min(2 * self.data.capacity()));
            self.data.reserve_exact(room - length);
        }
    }

    fn whole(self) -> BodyCopy {
        BodyCopy::Whole(Whole { data: self.data.into(), trailers: self.trailers })
    }
}

/// A copy on its way. Whoever takes it out first, ends it: who records has it, or who waited for it has gone.
type Shared = Arc<Mutex<Option<Growing>>>;

fn lock(copy: &Shared) -> MutexGuard<'_, Option<Growing>> {
    copy.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What came of a frame.
enum Added {
    More,
    /// Nothing follows trailers, and not everybody asks whether something does.
    Last,
    DoesNotFit,
}

/// Takes the copy of what passes through a body, and hands it over as soon as it is known what becomes of it.
pub(crate) struct Tap {
    tapping: Option<(Shared, oneshot::Sender<BodyCopy>)>,
    /// How many bytes there will be, where that is known.
    size: Option<u64>,
}

/// Where the copy of a body will be.
pub(crate) enum Recording {
    /// It is known from the start.
    Known(BodyCopy),
    Coming(Coming),
}

/// Waits for a copy. Without it, nothing is kept of what has passed, and nothing is copied of what follows.
pub(crate) struct Coming {
    copy: Shared,
    receiver: oneshot::Receiver<BodyCopy>,
}

impl Tap {
    /// No tap is needed for a body that is over, or known to be too large.
    pub(crate) fn new(hint: &SizeHint, is_over: bool, limit: usize) -> (Option<Self>, Recording) {
        if is_over {
            return (None, Recording::Known(BodyCopy::Whole(Whole::default())));
        }
        if is_too_large(hint, limit) {
            return (None, Recording::Known(BodyCopy::TooLarge));
        }
        let (sender, receiver) = oneshot::channel();
        let copy = Arc::new(Mutex::new(Some(Growing::new(hint, limit))));
        let coming = Coming { copy: Arc::clone(&copy), receiver };
        (Some(Self { tapping: Some((copy, sender)), size: hint.exact() }), Recording::Coming(coming))
    }

    pub(crate) fn pass(&mut self, frame: &Frame<Bytes>, is_last: bool) {
        let Some((copy, _)) = &self.tapping else { return };
        let added = lock(copy).as_mut().map(|copy| copy.add(frame));
        match added {
            None => self.tapping = None,
            Some(Added::DoesNotFit) => self.hand_over(|_| BodyCopy::TooLarge),
            Some(Added::Last) => self.end(),
            Some(Added::More) if is_last => self.end(),
            Some(Added::More) => {}
        }
    }

    pub(crate) fn end(&mut self) {
        self.hand_over(Growing::whole);
    }

    pub(crate) fn fail(&mut self) {
        self.hand_over(|_| BodyCopy::Failed);
    }

    fn hand_over(&mut self, end: impl FnOnce(Growing) -> BodyCopy) {
        let Some((copy, sender)) = self.tapping.take() else { return };
        let taken = lock(&copy).take();
        if let Some(copy) = taken {
            sender.send(end(copy)).ok();
        }
    }
}

/// Who has read as many bytes as there are need not ask for the end.
impl Drop for Tap {
    fn drop(&mut self) {
        let size = self.size;
        self.hand_over(|copy| match size {
            Some(size) if size == copy.data.len() as u64 => copy.whole(),
            _ => BodyCopy::Unread,
        });
    }
}

impl Drop for Coming {
    fn drop(&mut self) {
        lock(&self.copy).take();
    }
}

impl Recording {
    /// What is known now.
    pub(crate) fn now(self) -> BodyCopy {
        match self {
            Self::Known(copy) => copy,
            Self::Coming(mut coming) => coming.receiver.try_recv().ok().flatten().unwrap_or(BodyCopy::Unread),
        }
    }

    /// What becomes of it.
    pub(crate) async fn end(self) -> BodyCopy {
        match self {
            Self::Known(copy) => copy,
            Self::Coming(mut coming) => (&mut coming.receiver).await.unwrap_or(BodyCopy::Unread),
        }
    }
}

/// Whether a body is known to have more than `limit` bytes.
pub(crate) fn is_too_large(hint: &SizeHint, limit: usize) -> bool {
    hint.lower() > limit as u64
}

/// Reads a body to its end, or until it is too large.
pub(crate) async fn collect<B: Body<Data = Bytes>>(body: B, limit: usize) -> BodyCopy {
    let hint = body.size_hint();
    if is_too_large(&hint, limit) {
        return BodyCopy::TooLarge;
    }
    let mut body = pin!(body);
    let mut copy = Growing::new(&hint, limit);
    loop {
        match poll_fn(|cx| body.as_mut().poll_frame(cx)).await {
            Some(Err(_)) => return BodyCopy::Failed,
            None => return copy.whole(),
            Some(Ok(frame)) => match copy.add(&frame) {
                Added::More => {}
                Added::Last => return copy.whole(),
                Added::DoesNotFit => return BodyCopy::TooLarge,
            },
        }
    }
}

/// Plays a copy back: its bytes in one frame, then its trailers.
pub(crate) struct Replay {
    data: Option<Bytes>,
    trailers: Option<HeaderMap>,
}

impl Replay {
    pub(crate) fn new(Whole { data, trailers }: Whole) -> Self {
        Self { data: Some(data).filter(|data| !data.is_empty()), trailers }
    }

    pub(crate) fn next(&mut self) -> Option<Frame<Bytes>> {
        self.data.take().map(Frame::data).or_else(|| self.trailers.take().map(Frame::trailers))
    }

    pub(crate) const fn is_over(&self) -> bool {
        self.data.is_none() && self.trailers.is_none()
    }

    pub(crate) fn left(&self) -> u64 {
        self.data.as_ref().map_or(0, |data| data.len() as u64)
    }
}
