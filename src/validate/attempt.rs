//! Runs one side on one input; whatever it does ends here.

use std::fmt::{Display, Write};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::future::{Either, select};
use serde::Serialize;
use serde_json::Value;

use super::FailureKind;
use crate::compare::to_value;
use crate::contain::{Payload, contain, discard, panic_text};
use crate::record::Capture;
use crate::runtime::Runtime;

/// How an attempt ended: with an answer, or in which way without one.
pub(super) type Ending = Result<Value, Fault>;

/// Why there is no answer.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) kind: FailureKind,
    pub(super) text: String,
}

impl Fault {
    pub(super) fn error(text: impl Into<String>) -> Self {
        Self { kind: FailureKind::Error, text: text.into() }
    }

    pub(super) fn timed_out(limit: Duration) -> Self {
        Self { kind: FailureKind::TimedOut, text: format!("took longer than {limit:?}") }
    }

    pub(super) fn panicked(payload: Payload) -> Self {
        let text = captured(panic_text(&payload));
        discard(payload);
        Self { kind: FailureKind::Panicked, text }
    }
}

/// How long a case may take, and who measures it out.
#[derive(Debug, Clone)]
pub(super) struct TimeLimit {
    pub(super) duration: Duration,
    pub(super) runtime: Arc<dyn Runtime>,
}

/// Runs the future that `start` makes to its end, but not past the limit.
pub(super) async fn attempt<F, T, E>(start: impl FnOnce() -> F, limit: Option<&TimeLimit>) -> Ending
where
    F: Future<Output = Result<T, E>>,
    T: Serialize,
    E: Display,
{
    let case = Contained::start(start).map_err(Fault::panicked)?;
    let Some(limit) = limit else { return conclude(case.await) };
    let timer = Contained::start(|| limit.runtime.sleep(limit.duration)).map_err(cannot_sleep)?;
    match select(case, timer).await {
        Either::Left((ended, _)) => conclude(ended),
        Either::Right((Ok(()), _)) => Err(Fault::timed_out(limit.duration)),
        Either::Right((Err(payload), _)) => Err(cannot_sleep(payload)),
    }
}

/// As [`attempt`], for a function.
pub(super) fn attempt_sync<T: Serialize, E: Display>(run: impl FnOnce() -> Result<T, E>) -> Ending {
    conclude(contain(run))
}

fn cannot_sleep(payload: Payload) -> Fault {
    discard(payload);
    Fault::error("the runtime cannot sleep here, so the case cannot be timed")
}

fn conclude<T: Serialize, E: Display>(ended: Result<Result<T, E>, Payload>) -> Ending {
    match ended.map_err(Fault::panicked)? {
        Ok(answer) => {
            let value = read_and_drop(answer, |answer| to_value(answer))?;
            value.map_err(|error| Fault::error(format!("cannot be serialised: {error}")))
        }
        Err(error) => Err(read_and_drop(error, captured).map_or_else(|fault| fault, Fault::error)),
    }
}

/// Reads a foreign value for the last time. A panic of its destructor is its fault, too.
fn read_and_drop<V, R>(value: V, read: impl FnOnce(&V) -> R) -> Result<R, Fault> {
    let result = contain(|| read(&value));
    match contain(|| drop(value)) {
        Ok(()) => result.map_err(Fault::panicked),
        Err(payload) => {
            discard(result);
            Err(Fault::panicked(payload))
        }
    }
}

/// The text of a foreign value, cut where it is very long; `#` asks for the causes where the type knows them.
fn captured<D: Display + ?Sized>(value: &D) -> String {
    let mut capture = Capture::with_limit(Capture::DEFAULT_LIMIT);
    let written = write!(capture, "{value:#}");
    if written.is_err() && !capture.is_truncated() { "(no text)".to_owned() } else { capture.finish().to_string() }
}

/// A foreign future. Its panics come back as payloads, those of its destructor too; but they are swallowed where it is
/// dropped before its end.
struct Contained<F> {
    future: Option<Pin<Box<F>>>,
}

impl<F: Future> Contained<F> {
    fn start(make: impl FnOnce() -> F) -> Result<Self, Payload> {
        contain(|| Box::pin(make())).map(|future| Self { future: Some(future) })
    }
}

impl<F: Future> Future for Contained<F> {
    type Output = Result<F::Output, Payload>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(future) = &mut self.future else { return Poll::Pending };
        let result = match contain(|| future.as_mut().poll(context)) {
            Ok(Poll::Pending) => return Poll::Pending,
            Ok(Poll::Ready(output)) => Ok(output),
            Err(payload) => Err(payload),
        };
        Poll::Ready(match contain(|| drop(self.future.take())) {
            Ok(()) => result,
            Err(payload) => {
                discard(result);
                Err(payload)
            }
        })
    }
}

impl<F> Drop for Contained<F> {
    fn drop(&mut self) {
        discard(self.future.take());
    }
}
