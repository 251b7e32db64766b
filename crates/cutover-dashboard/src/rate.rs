//! [`Limits`]: how many changes one actor may ask for in a minute.

use std::fmt;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use cutover::Clock;
use cutover::store::Actor;
use governor::clock::Clock as Ticks;
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};

/// How many commands one actor may give. Emergencies are none of them.
pub(crate) struct Limits {
    limiter: RateLimiter<Actor, HashMapStateStore<Actor>, Told, NoOpMiddleware<Nanos>>,
}

impl Limits {
    pub(crate) fn new(clock: &Arc<dyn Clock>) -> Self {
        let quota = Quota::per_minute(COMMANDS);
        Self { limiter: RateLimiter::new(quota, HashMapStateStore::default(), Told(Arc::clone(clock))) }
    }

    /// Whether the actor may give one more. So many actors at once that there is no room for another there are not.
    pub(crate) fn allows(&self, actor: &Actor) -> bool {
        if self.limiter.len() >= ACTORS {
            self.limiter.retain_recent();
        }
        self.limiter.len() < ACTORS && self.limiter.check_key(actor).is_ok()
    }

    /// Of how many actors something is remembered.
    #[cfg(test)]
    fn remembered(&self) -> usize {
        self.limiter.len()
    }
}

impl fmt::Debug for Limits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Limits").finish_non_exhaustive()
    }
}

/// A minute's worth of commands.
const COMMANDS: NonZeroU32 = NonZeroU32::new(10).unwrap();
/// Of so many actors something is remembered at most. Those who have been quiet are forgotten first.
const ACTORS: usize = 1_024;

/// The injected clock, as the limiter asks it.
#[derive(Clone)]
struct Told(Arc<dyn Clock>);

impl Ticks for Told {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        Duration::from_nanos(self.0.now().as_nanos()).into()
    }
}

#[cfg(test)]
mod tests {
    use cutover::testing::ManualClock;

    use super::*;

    #[test]
    fn however_many_actors_there_are_the_memory_is_bounded() {
        let clock = ManualClock::new();
        let limits = Limits::new(&(Arc::new(clock.clone()) as Arc<dyn Clock>));
        for number in 0..3 * ACTORS {
            limits.allows(&format!("actor {number}").parse().unwrap());
        }
        assert!(limits.remembered() <= ACTORS, "{}", limits.remembered());
        let late: Actor = "late".parse().unwrap();
        assert!(!limits.allows(&late), "there is no room");
        clock.advance(Duration::from_secs(60));
        assert!(limits.allows(&late), "those who were quiet are forgotten");
        assert!(limits.remembered() < ACTORS, "{}", limits.remembered());
    }
}
