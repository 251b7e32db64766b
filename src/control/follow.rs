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
use crate::clock::Instant;
use crate::contain::{contain_quietly, discard};
use crate::store::WakeUps;

/// Lives as long as the controller. Whoever follows the store for it ends when this is dropped.
pub(super) type Alive = oneshot::Sender<Infallible>;

/// How often the store is read without a wake-up.
#[derive(Debug, Clone, Copy)]
pub(super) struct Polling {
    pub(super) interval: Duration,
}

impl Polling {
    /// No shorter than a hundredth of a second: nobody can wish to read all the time.
    pub(super) fn every(interval: Duration) -> Self {
        Self { interval: interval.max(Duration::from_millis(10)) }
    }
}

impl Default for Polling {
    fn default() -> Self {
        Self { interval: Duration::from_secs(10) }
    }
}

/// The longest time between a wake-up and the reading that it leads to. It is drawn at random, so that many processes that
/// are woken at once do not read at once.
const SPREAD: Duration = Duration::from_millis(100);
/// The longest time that a reading waits for the store to say whether it wakes.
const PATIENCE: Duration = Duration::from_millis(500);

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
    let follower = Follower { inner: Arc::downgrade(inner), polling, watch: Watch::Off };
    inner.port.spawn(select(follower.run().boxed(), gone).map(drop).boxed());
}

struct Follower {
    inner: Weak<Inner>,
    polling: Polling,
    watch: Watch,
}

enum Watch {
    Off,
    /// The store has been asked, and has not answered yet.
    Asked(BoxFuture<'static, Option<Shielded>>),
    On(Shielded),
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
                Woken::ByStore => self.read_soon().await,
                Woken::Disconnected => self.first_poll(),
            };
        }
    }

    /// Something may have changed between the reading that opened the controller and the first watching.
    async fn begin(&mut self) -> Option<Duration> {
        self.ask().await;
        if matches!(self.watch, Watch::On(_)) {
            self.read_soon().await;
        }
        self.first_poll()
    }

    /// What happened to all processes at once, such as a start or a lost connection, must not make them read together.
    fn first_poll(&self) -> Option<Duration> {
        self.inner.upgrade().map(|inner| self.polling.first(inner.random.next_u64()))
    }

    async fn next(&mut self, mut poll: BoxFuture<'static, ()>) -> Woken {
        loop {
            poll = match &mut self.watch {
                Watch::Off => {
                    poll.await;
                    return Woken::ByTime;
                }
                Watch::On(stream) => match select(stream.next(), poll).await {
                    Either::Left((Some(()), _)) => return Woken::ByStore,
                    Either::Right(_) => return Woken::ByTime,
                    Either::Left((None, _)) => {
                        self.watch = Watch::Off;
                        return Woken::Disconnected;
                    }
                },
                Watch::Asked(answer) => match select(answer, poll).await {
                    Either::Right(_) => return Woken::ByTime,
                    Either::Left((None, poll)) => {
                        self.watch = Watch::Off;
                        poll
                    }
                    Either::Left((Some(stream), _)) => {
                        self.watch = Watch::On(stream);
                        return Woken::ByStore;
                    }
                },
            };
        }
    }

    async fn read_soon(&mut self) -> Option<Duration> {
        let pause = part(SPREAD, ppm_of(self.inner.upgrade()?.random.next_u64()));
        self.sleep(pause)?.await;
        self.read().await
    }

    /// Asks for wake-ups first, so that no change falls between the reading and the watching. What that takes is taken off
    /// the time until the next reading.
    async fn read(&mut self) -> Option<Duration> {
        let start = self.now()?;
        self.ask().await;
        let refreshed = self.inner.upgrade()?.refresh();
        // A failure is known by now, and shows in the status.
        drop(refreshed.await);
        let next = self.polling.next(self.inner.upgrade()?.random.next_u64());
        Some(next.saturating_sub(self.now()?.since(start)))
    }

    fn now(&self) -> Option<Instant> {
        self.inner.upgrade().map(|inner| inner.clock.now())
    }

    /// Asks the store for wake-ups, and waits for its answer, but not for long: no reading waits for a store that wakes badly.
    async fn ask(&mut self) {
        if let (Watch::Off, Some(inner)) = (&self.watch, self.inner.upgrade()) {
            let answer = async move { inner.port.watch().await.ok().flatten().map(|stream| Shielded(Some(stream))) };
            self.watch = Watch::Asked(answer.boxed());
        }
        let Some(patience) = self.sleep(PATIENCE) else { return };
        if let Watch::Asked(answer) = &mut self.watch {
            if let Either::Left((answer, _)) = select(answer, patience).await {
                self.watch = answer.map_or(Watch::Off, Watch::On);
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
