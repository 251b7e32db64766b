//! [`ManualClock`]: time that moves only when told.

use std::collections::BTreeMap;
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures_util::future::BoxFuture;

use crate::clock::{Clock, Instant};
use crate::lock::lock;

/// A clock that stands still until it is [advanced](Self::advance). Clones show the same time.
///
/// It starts at its origin, and its wall at 2020-01-01T00:00:00Z. The wall moves along with the clock.
///
/// ```
/// use cutover::Clock;
/// use cutover::testing::ManualClock;
/// use std::time::Duration;
///
/// let clock = ManualClock::new();
/// let start = clock.now();
/// clock.advance(Duration::from_millis(250));
/// assert_eq!(clock.now().since(start), Duration::from_millis(250));
/// ```
#[derive(Clone)]
pub struct ManualClock {
    state: Arc<Mutex<State>>,
}

impl ManualClock {
    /// A clock at its origin.
    #[must_use]
    pub fn new() -> Self {
        let state =
            State { now: ORIGIN, wall: (ORIGIN, UNIX_EPOCH + WALL_ORIGIN), timers: BTreeMap::new(), next_id: 0 };
        Self { state: Arc::new(Mutex::new(state)) }
    }

    /// Moves the clock on by `duration` and wakes the timers that come due, in the order of their deadlines; those of
    /// the same moment in the order in which they were first awaited. While a timer is woken the clock shows its deadline.
    ///
    /// Inside a task, it stands for work that takes this long and blocks its thread.
    pub fn advance(&self, duration: Duration) {
        let target = self.now().plus(duration);
        self.advance_to(target);
    }

    /// Moves the clock on to the next timer and wakes it, with all others of the same moment. `false` when there is none.
    #[expect(clippy::must_use_candidate, reason = "called for its effect")]
    pub fn advance_to_next_timer(&self) -> bool {
        self.next_deadline().map(|deadline| self.advance_to(deadline)).is_some()
    }

    /// When the next timer comes due.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Instant> {
        lock(&self.state).timers.first_key_value().map(|((deadline, _), _)| *deadline)
    }

    /// Sets the time of day, forwards or back. Measured time and timers do not notice.
    ///
    /// ```
    /// use cutover::Clock;
    /// use cutover::testing::ManualClock;
    /// use std::time::{Duration, SystemTime};
    ///
    /// let clock = ManualClock::new();
    /// clock.set_wall(SystemTime::UNIX_EPOCH);
    /// clock.advance(Duration::from_secs(5));
    /// assert_eq!(clock.wall(), SystemTime::UNIX_EPOCH + Duration::from_secs(5));
    /// ```
    pub fn set_wall(&self, wall: SystemTime) {
        let mut state = lock(&self.state);
        state.wall = (state.now, wall);
    }

    /// Completes when the clock has been advanced by `duration` from now. It waits for ever where that lies past the
    /// clock's last moment.
    #[must_use]
    pub fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        let deadline = self.now().plus(duration);
        Box::pin(Sleep { clock: self.clone(), deadline, key: None })
    }

    fn next_id(&self) -> u64 {
        let mut state = lock(&self.state);
        state.next_id += 1;
        state.next_id
    }

    /// Wakes `waker` at the time in `key`, instead of the one that was to be woken then.
    fn wake_at(&self, key: Key, waker: Waker) {
        let replaced = lock(&self.state).timers.insert(key, waker);
        drop(replaced);
    }

    fn advance_to(&self, target: Instant) {
        while let Some(waker) = self.next_due(target) {
            waker.wake();
        }
        let mut state = lock(&self.state);
        state.now = state.now.max(target);
    }

    /// Moves on to the first timer that is due until `target`, and takes it.
    fn next_due(&self, target: Instant) -> Option<Waker> {
        let mut state = lock(&self.state);
        let (deadline, _) = *state.timers.first_key_value()?.0;
        if deadline > target {
            return None;
        }
        state.now = state.now.max(deadline);
        state.timers.pop_first().map(|(_, waker)| waker)
    }
}

impl Default for ManualClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Instant {
        lock(&self.state).now
    }

    fn wall(&self) -> SystemTime {
        let state = lock(&self.state);
        let (set_at, wall) = state.wall;
        wall.checked_add(state.now.since(set_at)).unwrap_or(wall)
    }
}

impl fmt::Debug for ManualClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = lock(&self.state);
        let now = state.now.since(ORIGIN);
        f.debug_struct("ManualClock").field("now", &now).field("timers", &state.timers.len()).finish()
    }
}

struct State {
    now: Instant,
    /// What the wall showed at which moment.
    wall: (Instant, SystemTime),
    timers: BTreeMap<Key, Waker>,
    next_id: u64,
}

/// When, and which of those that are due then.
type Key = (Instant, u64);

struct Sleep {
    clock: ManualClock,
    deadline: Instant,
    key: Option<Key>,
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.deadline >= LAST_MOMENT {
            return Poll::Pending;
        }
        if self.clock.now() >= self.deadline {
            return Poll::Ready(());
        }
        let key = self.key.unwrap_or_else(|| (self.deadline, self.clock.next_id()));
        self.key = Some(key);
        self.clock.wake_at(key, context.waker().clone());
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            let forgotten = lock(&self.clock.state).timers.remove(&key);
            drop(forgotten);
        }
    }
}

const ORIGIN: Instant = Instant::from_nanos(0);
const LAST_MOMENT: Instant = Instant::from_nanos(u64::MAX);
/// 2020-01-01T00:00:00Z, since the Unix epoch.
const WALL_ORIGIN: Duration = Duration::from_secs(1_577_836_800);
