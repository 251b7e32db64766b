//! A clone of one side, and its answer to one request.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;
use tower_service::Service;

/// A clone of one side.
pub(crate) enum Picked<L, N> {
    Legacy(L),
    New(N),
}

impl<L, N> Picked<L, N> {
    /// Waits until the side is ready, and calls it.
    pub(crate) fn ask<Q, A, E>(self, request: Q) -> Asking<L, N, Q>
    where
        L: Service<Q, Response = A, Error = E>,
        N: Service<Q, Response = A, Error = E>,
    {
        match self {
            Self::Legacy(side) => Asking::Legacy { asking: AskingOne::Waits { side, request: Some(request) } },
            Self::New(side) => Asking::New { asking: AskingOne::Waits { side, request: Some(request) } },
        }
    }
}

pin_project! {
    /// A request on its way to one side. By hand, because an `async fn` would hold the request twice.
    #[project = AskingProjection]
    pub(crate) enum Asking<L, N, Q>
    where
        L: Service<Q>,
        N: Service<Q>,
    {
        Legacy { #[pin] asking: AskingOne<L, Q> },
        New { #[pin] asking: AskingOne<N, Q> },
    }
}

pin_project! {
    #[project = AskingOneProjection]
    pub(crate) enum AskingOne<S, Q>
    where
        S: Service<Q>,
    {
        Waits { side: S, request: Option<Q> },
        Asked { #[pin] answer: S::Future },
    }
}

impl<L, N, Q, A, E> Future for Asking<L, N, Q>
where
    L: Service<Q, Response = A, Error = E>,
    N: Service<Q, Response = A, Error = E>,
{
    type Output = Result<A, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<A, E>> {
        match self.project() {
            AskingProjection::Legacy { asking } => asking.poll(cx),
            AskingProjection::New { asking } => asking.poll(cx),
        }
    }
}

impl<S: Service<Q>, Q> Future for AskingOne<S, Q> {
    type Output = Result<S::Response, S::Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        loop {
            let answer = match self.as_mut().project() {
                AskingOneProjection::Asked { answer } => return answer.poll(cx),
                AskingOneProjection::Waits { side, request } => {
                    ready!(side.poll_ready(cx))?;
                    let Some(request) = request.take() else { unreachable!("a side is asked once") };
                    side.call(request)
                }
            };
            self.set(Self::Asked { answer });
        }
    }
}
