//! A future with a destructor of its own.

use std::pin::Pin;
use std::task::{Context, Poll};

use futures::future::BoxFuture;

pub(crate) struct WithBomb<R, B> {
    run: BoxFuture<'static, R>,
    _bomb: B,
}

impl<R, B> WithBomb<R, B> {
    pub(crate) fn new(run: BoxFuture<'static, R>, bomb: B) -> Self {
        Self { run, _bomb: bomb }
    }
}

impl<R, B: Unpin> Future for WithBomb<R, B> {
    type Output = R;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<R> {
        self.run.as_mut().poll(cx)
    }
}
