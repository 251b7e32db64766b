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

/// How many requests of one actor, by what they are.
pub(crate) struct Limits {
    commands: Limit,
    emergencies: Limit,
}

impl Limits {
    pub(crate) fn new(clock: &Arc<dyn Clock>) -> Self {
        Self { commands: Limit::new(COMMANDS, clock), emergencies: Limit::new(EMERGENCIES, clock) }
    }

    /// Whether the actor may ask for one more.
    pub(crate) fn allows(&self, actor: &Actor, emergency: bool) -> bool {
        // So many actors at once there are not. Whatever it is, it holds up no emergency.
        if emergency {
            self.emergencies.allows(actor).unwrap_or(true)
        } else {
            self.commands.allows(actor).unwrap_or(false)
        }
    }

    /// Of how many actors something is remembered.
    #[cfg(test)]
    fn remembered(&self) -> usize {
        self.commands.limiter.len()
    }
}

impl fmt::Debug for Limits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Limits").finish_non_exhaustive()
    }
}

/// A minute's worth of commands.
const COMMANDS: NonZeroU32 = NonZeroU32::new(10).unwrap();
/// A minute's worth of emergencies.
const EMERGENCIES: NonZeroU32 = NonZeroU32::new(60).unwrap();
/// Of so many actors something is remembered at most. Those who have been quiet are forgotten first.
const ACTORS: usize = 1_024;

struct Limit {
    limiter: RateLimiter<Actor, HashMapStateStore<Actor>, Told, NoOpMiddleware<Nanos>>,
}

impl Limit {
    fn new(per_minute: NonZeroU32, clock: &Arc<dyn Clock>) -> Self {
        let quota = Quota::per_minute(per_minute);
        Self { limiter: RateLimiter::new(quota, HashMapStateStore::default(), Told(Arc::clone(clock))) }
    }

    /// `None` where there is no room for one more actor.
    fn allows(&self, actor: &Actor) -> Option<bool> {
        if self.limiter.len() >= ACTORS {
            self.limiter.retain_recent();
        }
        (self.limiter.len() < ACTORS).then(|| self.limiter.check_key(actor).is_ok())
    }
}

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
    fn however_many_actors_there_are_the_memory_is_bounded_and_emergencies_pass() {
        let clock = ManualClock::new();
        let limits = Limits::new(&(Arc::new(clock.clone()) as Arc<dyn Clock>));
        for number in 0..3 * ACTORS {
            let actor: Actor = format!("actor {number}").parse().unwrap();
            limits.allows(&actor, false);
            assert!(limits.allows(&actor, true), "{number}");
        }
        assert!(limits.remembered() <= ACTORS, "{}", limits.remembered());
        let late: Actor = "late".parse().unwrap();
        assert!(!limits.allows(&late, false), "there is no room");
        clock.advance(Duration::from_secs(60));
        assert!(limits.allows(&late, false), "those who were quiet are forgotten");
        assert!(limits.remembered() < ACTORS, "{}", limits.remembered());
    }
}
