//! A store that says nothing any more: routing goes on as fast as before, and no call waits beyond its deadline.

use std::time::Duration;

use cutover::{Clock, MigrationController, SystemClock, SystemMode};

use crate::stores::Host;
use crate::{Failure, quantile};

/// How long a call of the store may take.
const DEADLINE: Duration = Duration::from_millis(500);

/// What an outage did.
#[derive(Debug, Clone, Copy, Default)]
#[non_exhaustive]
pub struct Outage {
    /// How many calls were routed.
    pub routed: u64,
    /// How many of them were routed otherwise than before.
    pub wrong: u64,
    /// The 99th percentile of routing one call, in nanoseconds, the reading of the clock included.
    pub route_p99: u64,
    /// How much longer than its deadline the slowest call of the store took.
    pub beyond_deadline: Duration,
    /// From the store's return to a fresh status.
    pub recovery: Duration,
}

/// Blackholes the store for `duration`; `None` where there is no network to blackhole.
///
/// # Errors
/// When the store fails before or after the outage.
pub async fn black_out(host: &Host, duration: Duration) -> Result<Option<Outage>, Failure> {
    let Some((proxy, address)) = host.proxied()? else { return Ok(None) };
    let builder = MigrationController::builder("silenced", address.connect().await?);
    let controller = builder.store_deadline(DEADLINE).poll_interval(Duration::from_secs(1)).open().await?;
    controller.transition(SystemMode::GradualRollout, "ana", "begin").await?;
    proxy.blackhole();
    let (silenced, clock) = (controller.clone(), SystemClock::new());
    let calling = tokio::spawn(async move { slowest_call(&silenced, duration).await });
    let routing = tokio::task::spawn_blocking({
        let controller = controller.clone();
        move || route(&controller, duration)
    });
    let (beyond_deadline, (routed, wrong, route_p99)) = (calling.await?, routing.await?);
    proxy.pass();
    let back = clock.now();
    while controller.status().stale {
        if clock.now().since(back) > Duration::from_secs(60) {
            return Err("the controller does not come back".into());
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    Ok(Some(Outage { routed, wrong, route_p99, beyond_deadline, recovery: clock.now().since(back) }))
}

async fn slowest_call(controller: &MigrationController, duration: Duration) -> Duration {
    let clock = SystemClock::new();
    let start = clock.now();
    let mut slowest = Duration::ZERO;
    while clock.now().since(start) < duration {
        let asked = clock.now();
        if controller.history(0, 1).await.is_ok() {
            return Duration::MAX;
        }
        slowest = slowest.max(clock.now().since(asked));
    }
    slowest.saturating_sub(DEADLINE)
}

/// Routes in bursts, so that the other threads of a small machine have their turn too.
fn route(controller: &MigrationController, duration: Duration) -> (u64, u64, u64) {
    let clock = SystemClock::new();
    let (start, before) = (clock.now(), controller.route("user-17"));
    let (mut times, mut wrong) = (Vec::new(), 0);
    while clock.now().since(start) < duration {
        for _ in 0..1_000 {
            let asked = clock.now();
            let route = controller.route("user-17");
            times.push(clock.now().as_nanos() - asked.as_nanos());
            wrong += u64::from(route != before);
        }
        #[expect(clippy::disallowed_methods, reason = "this thread is for measuring only")]
        std::thread::sleep(Duration::from_millis(5));
    }
    times.sort_unstable();
    (times.len() as u64, wrong, quantile(&times, 0.99))
}
