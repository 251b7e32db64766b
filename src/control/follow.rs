//! Following the store: a wake-up is a hint, polling is the guarantee.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};
use std::time::Duration;

use futures_channel::oneshot;
use futures_util::future::{BoxFuture, Either, select};
use futures_util::{FutureExt, Stream, StreamExt};

use super::inner::Inner;
use crate::bucket::ppm_of;
use crate::contain::{contain_quietly, discard};
use crate::store::WakeUps;

/// Lives as long as the controller. Whoever follows the store for it ends when this is dropped.
pub(super) type Alive = oneshot::Sender<Infallible>;

/// How often the store is read without a wake-up.
#[derive(Debug, Clone, Copy)]
pub(super) struct Polling {
    pub(super) interval: Duration,
}

impl Default for Polling {
    fn default() -> Self {
        Self { interval: Duration::from_secs(10) }
    }
}

/// The longest time between a wake-up and the reading that it leads to. It is drawn at random, so that many processes that
/// are woken at once do not read at once.
const SPREAD: Duration = Duration::from_millis(100);
/// The longest time before a lost stream of wake-ups is asked for again, drawn at random too.
const RECONNECT: Duration = Duration::from_secs(1);

impl Polling {
    /// The interval, longer or shorter by up to a fifth.
    fn next(self, random: u64) -> Duration {
        part(self.interval, 800_000 + ppm_of(random) * 2 / 5)
    }

    /// Anything up to the interval.
    fn first(self, random: u64) -> Duration {
        part(self.interval, ppm_of(random))
    }
}

/// So many millionths of `duration`, which may be as long as any.
fn part(duration: Duration, ppm: u32) -> Duration {
    match duration.checked_mul(ppm) {
        Some(product) => product / 1_000_000,
        None => (duration / 1_000_000).saturating_mul(ppm),
    }
}

/// Follows the store in the background until `gone`.
pub(super) fn follow(inner: &Arc<Inner>, polling: Polling, gone: oneshot::Receiver<Infallible>) {
    let follower = Follower { inner: Arc::downgrade(inner), polling, wake_ups: None };
    inner.port.spawn(select(follower.run().boxed(), gone).map(drop).boxed());
}

struct Follower {
    inner: Weak<Inner>,
    polling: Polling,
    wake_ups: Option<Shielded>,
}

enum Woken {
    ByTime,
    ByStore,
    /// There will be no more wake-ups on this stream.
    Disconnected,
}

impl Follower {
    async fn run(mut self) {
        let mut wait = self.begin().await;
        while let Some(duration) = wait {
            let Some(poll) = self.sleep(duration) else { return };
            wait = match self.next(poll).await {
                Woken::ByTime => self.read().await,
                Woken::ByStore => self.read_soon(SPREAD).await,
                Woken::Disconnected => {
                    self.wake_ups = None;
                    self.read_soon(RECONNECT).await;
                    self.first_poll()
                }
            };
        }
    }

    /// Something may have changed between the reading that opened the controller and the first watching.
    async fn begin(&mut self) -> Option<Duration> {
        self.subscribe().await;
        if self.wake_ups.is_some() {
            self.read_soon(SPREAD).await;
        }
        self.first_poll()
    }

    /// What happened to all processes at once, such as a start or a lost connection, must not make them poll together.
    fn first_poll(&self) -> Option<Duration> {
        self.inner.upgrade().map(|inner| self.polling.first(inner.random.next_u64()))
    }

    async fn next(&mut self, poll: BoxFuture<'static, ()>) -> Woken {
        let Some(wake_ups) = &mut self.wake_ups else {
            poll.await;
            return Woken::ByTime;
        };
        match select(wake_ups.next(), poll).await {
            Either::Left((Some(()), _)) => Woken::ByStore,
            Either::Left((None, _)) => Woken::Disconnected,
            Either::Right(_) => Woken::ByTime,
        }
    }

    async fn read_soon(&mut self, spread: Duration) -> Option<Duration> {
        let pause = part(spread, ppm_of(self.inner.upgrade()?.random.next_u64()));
        self.sleep(pause)?.await;
        self.read().await
    }

    /// Asks for wake-ups first, so that no change falls between the reading and the watching.
    async fn read(&mut self) -> Option<Duration> {
        self.subscribe().await;
        let refreshed = self.inner.upgrade()?.refresh();
        // A failure is known by now, and shows in the status.
        drop(refreshed.await);
        Some(self.polling.next(self.inner.upgrade()?.random.next_u64()))
    }

    async fn subscribe(&mut self) {
        if self.wake_ups.is_none() {
            if let Some(inner) = self.inner.upgrade() {
                self.wake_ups = inner.port.watch().await.ok().flatten().map(|stream| Shielded(Some(stream)));
            }
        }
    }

    fn sleep(&self, duration: Duration) -> Option<BoxFuture<'static, ()>> {
        self.inner.upgrade().map(|inner| inner.port.sleep_apart(duration))
    }
}

/// The store's stream. A panic of it ends it.
struct Shielded(Option<WakeUps>);

impl Stream for Shielded {
    type Item = ();

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<()>> {
        let Some(stream) = &mut self.0 else { return Poll::Ready(None) };
        let polled = contain_quietly(|| stream.poll_next_unpin(context));
        if !matches!(polled, Ok(Poll::Pending | Poll::Ready(Some(())))) {
            discard(self.0.take());
        }
        polled.unwrap_or(Poll::Ready(None))
    }
}

impl Drop for Shielded {
    fn drop(&mut self) {
        discard(self.0.take());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn polls_are_spread_by_a_fifth_and_the_first_one_over_the_whole_interval() {
        let polling = Polling { interval: Duration::from_secs(10) };
        assert_eq!([polling.next(0), polling.next(u64::MAX)].map(|wait| wait.as_millis()), [8_000, 11_999]);
        assert_eq!([polling.first(0), polling.first(u64::MAX)].map(|wait| wait.as_millis()), [0, 9_999]);
    }

    #[test]
    fn an_interval_may_be_so_long_that_it_never_ends() {
        let polling = Polling { interval: Duration::MAX };
        assert_eq!(polling.next(u64::MAX), Duration::MAX);
        assert!(polling.next(0) > Duration::MAX / 2);
        assert!(polling.first(u64::MAX) > Duration::MAX / 2);
    }
}
