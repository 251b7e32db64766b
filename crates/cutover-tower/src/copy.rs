//! Copies of bodies: taken from what passes by, bounded, and played back.

use std::future::poll_fn;
use std::pin::pin;

use bytes::{Bytes, BytesMut};
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
    data: BytesMut,
    trailers: Option<HeaderMap>,
    limit: usize,
}

impl Growing {
    fn new(hint: &SizeHint, limit: usize) -> Self {
        let room = hint.exact().map_or(0, |size| usize::try_from(size).map_or(limit, |size| size.min(limit)));
        Self { data: BytesMut::with_capacity(room), trailers: None, limit }
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
        self.data.extend_from_slice(data);
        Added::More
    }

    fn whole(self) -> BodyCopy {
        BodyCopy::Whole(Whole { data: self.data.freeze(), trailers: self.trailers })
    }
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
    tapping: Option<(Growing, oneshot::Sender<BodyCopy>)>,
    /// How many bytes there will be, where that is known.
    size: Option<u64>,
}

/// Where the copy of a body will be.
pub(crate) enum Recording {
    /// It is known from the start.
    Known(BodyCopy),
    Coming(oneshot::Receiver<BodyCopy>),
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
        let tapping = Some((Growing::new(hint, limit), sender));
        (Some(Self { tapping, size: hint.exact() }), Recording::Coming(receiver))
    }

    pub(crate) fn pass(&mut self, frame: &Frame<Bytes>, is_last: bool) {
        let Some((copy, _)) = &mut self.tapping else { return };
        match copy.add(frame) {
            Added::DoesNotFit => self.hand_over(|_| BodyCopy::TooLarge),
            Added::Last => self.end(),
            Added::More if is_last => self.end(),
            Added::More => {}
        }
    }

    pub(crate) fn end(&mut self) {
        self.hand_over(Growing::whole);
    }

    pub(crate) fn fail(&mut self) {
        self.hand_over(|_| BodyCopy::Failed);
    }

    fn hand_over(&mut self, end: impl FnOnce(Growing) -> BodyCopy) {
        if let Some((copy, sender)) = self.tapping.take() {
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

impl Recording {
    /// What is known now.
    pub(crate) fn now(self) -> BodyCopy {
        match self {
            Self::Known(copy) => copy,
            Self::Coming(mut coming) => coming.try_recv().ok().flatten().unwrap_or(BodyCopy::Unread),
        }
    }

    /// What becomes of it.
    pub(crate) async fn end(self) -> BodyCopy {
        match self {
            Self::Known(copy) => copy,
            Self::Coming(coming) => coming.await.unwrap_or(BodyCopy::Unread),
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
