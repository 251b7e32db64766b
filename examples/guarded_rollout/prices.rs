//! The two services. Their work is to wait a few milliseconds; one call in two hundred fails on either side.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use cutover::random::{RandomSource, SystemRandom};

/// How new breaks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fault {
    /// From which percentage of customers on.
    pub(crate) at: u32,
    /// How many percent of the calls fail.
    pub(crate) fail: u32,
    /// How many times as long they take.
    pub(crate) slow: u32,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fails = (self.fail > 0).then(|| format!("{} % of its calls fail", self.fail));
        let slow = (self.slow > 1).then(|| format!("it takes {} times as long", self.slow));
        let both: Vec<String> = fails.into_iter().chain(slow).collect();
        f.write_str(if both.is_empty() { "it goes on as before" } else { "" })?;
        f.write_str(&both.join(" and "))
    }
}

/// No price could be found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NoPrice;

/// Both services.
#[derive(Debug)]
pub(crate) struct Prices {
    fault: Option<Fault>,
    broken: AtomicBool,
}

impl Prices {
    pub(crate) const fn new(fault: Option<Fault>) -> Self {
        Self { fault, broken: AtomicBool::new(false) }
    }

    pub(crate) async fn legacy(&self, order: u64) -> Result<u64, NoPrice> {
        work(order, 5, 1).await
    }

    pub(crate) async fn new_one(&self, order: u64) -> Result<u64, NoPrice> {
        let fault = self.fault.filter(|_| self.is_broken());
        let (fail, slow) = fault.map_or((0, 1), |fault| (fault.fail, fault.slow));
        work(order, 5 + 10 * u64::from(fail), slow).await
    }

    /// What the show calls when new has come so far. Whether it broke just now.
    pub(crate) fn comes_to(&self, percent: f64) -> bool {
        let breaks = self.fault.is_some_and(|fault| percent >= f64::from(fault.at));
        breaks && !self.broken.swap(true, Ordering::Relaxed)
    }

    pub(crate) fn is_broken(&self) -> bool {
        self.broken.load(Ordering::Relaxed)
    }
}

/// Takes 3 to 10 milliseconds, and fails in `fail` calls of a thousand.
async fn work(order: u64, fail: u64, slow: u32) -> Result<u64, NoPrice> {
    let draw = SystemRandom.next_u64();
    let longer = (draw % 8) * (draw >> 8 & 7) / 7;
    tokio::time::sleep(Duration::from_millis(3 + longer) * slow).await;
    if draw >> 16 & 0xffff_ffff < (fail << 32) / 1_000 { Err(NoPrice) } else { Ok(100 + order % 900) }
}
