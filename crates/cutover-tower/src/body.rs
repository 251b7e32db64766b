//! [`MigrationBody`]: a body as it is, with a copy taken of what passes through, or a copy played back.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use cutover::dual::Waits;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use crate::client::ClientTime;
use crate::copy::{Recording, Replay, Tap};

pin_project! {
    /// A body on its way through a [`MigrationService`](crate::MigrationService), in either direction.
    ///
    /// A body of the side that serves passes through frame by frame: the same bytes, trailers, errors, size hint and end.
    /// Only where a shadow runs beside it, what passes is copied, up to the limit. A shadow's request is such a copy.
    pub struct MigrationBody<B> {
        #[pin]
        kind: Kind<B>,
        // Where the side that reads it is timed.
        client: Option<ClientTime>,
    }
}

pin_project! {
    #[project = KindProjection]
    enum Kind<B> {
        Plain { #[pin] inner: B },
        Tapped { #[pin] inner: B, tap: Tap },
        Replayed { replay: Replay },
    }
}

impl<B: Body> MigrationBody<B> {
    pub(crate) const fn plain(inner: B) -> Self {
        Self { kind: Kind::Plain { inner }, client: None }
    }

    /// The body, and where its copy will be.
    pub(crate) fn tapped(inner: B, limit: usize) -> (Self, Recording) {
        let hint = inner.size_hint();
        let (tap, recording) = Tap::new(&hint, inner.is_end_stream(), limit);
        let kind = match tap {
            Some(tap) => Kind::Tapped { inner, tap },
            None => Kind::Plain { inner },
        };
        (Self { kind, client: None }, recording)
    }

    pub(crate) const fn replayed(replay: Replay) -> Self {
        Self { kind: Kind::Replayed { replay }, client: None }
    }

    /// What is waited for it is taken off the time of its reader.
    pub(crate) fn timed(self, waits: Option<Waits>) -> Self {
        Self { client: waits.map(ClientTime::new), ..self }
    }
}

impl<B: Body<Data = Bytes>> Kind<B> {
    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        match self.project() {
            KindProjection::Plain { inner } => inner.poll_frame(cx),
            KindProjection::Replayed { replay } => Poll::Ready(replay.next().map(Ok)),
            KindProjection::Tapped { mut inner, tap } => {
                let polled = ready!(inner.as_mut().poll_frame(cx));
                match &polled {
                    Some(Ok(frame)) => tap.pass(frame, inner.is_end_stream()),
                    Some(Err(_)) => tap.fail(),
                    None => tap.end(),
                }
                Poll::Ready(polled)
            }
        }
    }
}

impl<B: Body<Data = Bytes>> Body for MigrationBody<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let this = self.project();
        match this.client {
            None => this.kind.poll_frame(cx),
            Some(client) => client.poll(cx, |cx| this.kind.poll_frame(cx)),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.kind {
            Kind::Plain { inner } | Kind::Tapped { inner, .. } => inner.is_end_stream(),
            Kind::Replayed { replay } => replay.is_over(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.kind {
            Kind::Plain { inner } | Kind::Tapped { inner, .. } => inner.size_hint(),
            Kind::Replayed { replay } => SizeHint::with_exact(replay.left()),
        }
    }
}

/// What is in a body stays out of logs.
impl<B> fmt::Debug for MigrationBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            Kind::Plain { .. } => "plain",
            Kind::Tapped { .. } => "tapped",
            Kind::Replayed { .. } => "replayed",
        };
        f.debug_struct("MigrationBody").field("kind", &kind).finish_non_exhaustive()
    }
}
