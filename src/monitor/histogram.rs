//! [`Histogram`]: how long calls took, in buckets whose edges never move, so that histograms can be added.

use std::ops::{Add, Sub};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::stripe::Stripe;

/// Buckets: one below 512 ns, eight in each doubling from there to 2^40 ns, one above.
pub(super) const BUCKETS: usize = 1 + 8 * (TOP - BOTTOM) as usize + 1;

const BOTTOM: u32 = 9;
const TOP: u32 = 40;

/// The bucket of a duration. A floating-point number begins with its octave and its eighth.
#[inline]
#[expect(clippy::cast_precision_loss, reason = "what is below 2^53 is exact")]
fn bucket(nanos: u64) -> usize {
    const LAST_BELOW: u64 = (1 << BOTTOM) - 1;
    const PLACES: u32 = f64::MANTISSA_DIGITS - 1 - 3;
    let octave_and_eighth = |nanos: u64| (nanos as f64).to_bits() >> PLACES;
    let place = octave_and_eighth(nanos.clamp(LAST_BELOW, 1 << TOP)) - octave_and_eighth(LAST_BELOW);
    usize::try_from(place).unwrap_or(BUCKETS - 1)
}

/// The shortest duration of a bucket, in nanoseconds. That of the bucket after it is where it ends.
fn edge(bucket: usize) -> u64 {
    let Some(place) = bucket.checked_sub(1) else { return 0 };
    let (octave, eighth) = (BOTTOM as usize + place / 8, place % 8);
    (8 + eighth as u64) << (octave - 3)
}

fn sum(counts: &[u64]) -> u64 {
    counts.iter().fold(0, |sum, count| sum.saturating_add(*count))
}

/// The bucket that a share `p` of all do not exceed.
#[expect(clippy::cast_precision_loss, reason = "a rank among more than 2^53 durations may be one off")]
fn bucket_at(counts: &[u64], p: f64) -> Option<usize> {
    let rank = p.clamp(0.0, 1.0) * sum(counts) as f64;
    let mut below = 0_u64;
    counts.iter().position(|count| {
        below = below.saturating_add(*count);
        below > 0 && below as f64 >= rank
    })
}

/// How long calls took. A duration between 0.5 µs and 18 min is known to within 6.25 %; one above counts as 18 min.
///
/// Histograms of processes and of ticks add up to the histogram of all of them. As JSON it is `counts`, one for each bucket
/// up to the last that is not empty, and `nanos`, the sum of all durations.
///
/// ```
/// use cutover::monitor::Histogram;
/// use std::time::Duration;
///
/// let slow = Histogram::of([Duration::from_millis(100); 3]);
/// let all = slow + Histogram::of([Duration::from_millis(1); 97]);
/// let p95 = all.quantile(0.95).unwrap();
/// assert!(p95 > Duration::from_micros(930) && p95 < Duration::from_micros(1070));
/// assert_eq!((all.len(), all.mean()), (100, Some(Duration::from_micros(3970))));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(try_from = "Written")]
pub struct Histogram {
    counts: Vec<u64>,
    nanos: u64,
}

/// A histogram as it is read.
#[derive(Deserialize)]
struct Written {
    counts: Vec<u64>,
    nanos: u64,
}

impl TryFrom<Written> for Histogram {
    type Error = TooManyBuckets;

    fn try_from(Written { counts, nanos }: Written) -> Result<Self, TooManyBuckets> {
        let buckets = counts.len();
        if buckets > BUCKETS { Err(TooManyBuckets { buckets }) } else { Ok(Self { counts, nanos }.trimmed()) }
    }
}

/// A histogram was read that has more buckets than there are.
#[derive(Debug, thiserror::Error)]
#[error("a histogram with {buckets} buckets; allowed: at most {BUCKETS}")]
struct TooManyBuckets {
    buckets: usize,
}

impl Histogram {
    /// The histogram of these durations.
    #[must_use]
    pub fn of(durations: impl IntoIterator<Item = Duration>) -> Self {
        let mut totals = Totals::new();
        durations.into_iter().for_each(|duration| totals.add(duration, 1));
        totals.histogram()
    }

    /// How many durations are in it.
    #[must_use]
    pub fn len(&self) -> u64 {
        sum(&self.counts)
    }

    /// Whether there is none in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.counts.is_empty()
    }

    /// The sum of all durations, divided by their number; `None` without one.
    #[must_use]
    pub fn mean(&self) -> Option<Duration> {
        self.nanos.checked_div(self.len()).map(Duration::from_nanos)
    }

    /// The duration that a share `p` of all do not exceed, from 0 to 1, to within 6.25 %; `None` without a duration.
    #[must_use]
    pub fn quantile(&self, p: f64) -> Option<Duration> {
        let bucket = bucket_at(&self.counts, p)?;
        let (low, high) = (edge(bucket), edge(bucket + 1));
        let middle = if bucket + 1 < BUCKETS { low.midpoint(high) } else { low };
        Some(Duration::from_nanos(middle))
    }

    fn trimmed(mut self) -> Self {
        let used = self.counts.iter().rposition(|&count| count > 0).map_or(0, |last| last + 1);
        self.counts.truncate(used);
        self
    }
}

impl Add for Histogram {
    type Output = Self;

    fn add(mut self, other: Self) -> Self {
        self.counts.resize(self.counts.len().max(other.counts.len()), 0);
        for (count, more) in self.counts.iter_mut().zip(other.counts) {
            *count = count.saturating_add(more);
        }
        self.nanos = self.nanos.saturating_add(other.nanos);
        self
    }
}

/// What came since an earlier histogram of the same calls.
impl Sub<&Self> for Histogram {
    type Output = Self;

    fn sub(mut self, earlier: &Self) -> Self {
        for (count, before) in self.counts.iter_mut().zip(&earlier.counts) {
            *count = count.saturating_sub(*before);
        }
        self.nanos = self.nanos.saturating_sub(earlier.nanos);
        self.trimmed()
    }
}

/// A histogram in a fixed place.
#[derive(Debug, Clone)]
pub(super) struct Totals {
    counts: [u64; BUCKETS],
    nanos: u64,
}

impl Totals {
    pub(super) const fn new() -> Self {
        Self { counts: [0; BUCKETS], nanos: 0 }
    }

    pub(super) fn add(&mut self, duration: Duration, times: u64) {
        let nanos = crate::clock::nanos(duration);
        if let Some(count) = self.counts.get_mut(bucket(nanos)) {
            *count = count.saturating_add(times);
        }
        self.nanos = self.nanos.saturating_add(nanos.saturating_mul(times));
    }

    pub(super) fn len(&self) -> u64 {
        sum(&self.counts)
    }

    /// A duration that a share `p` of all do not exceed: the upper edge of the bucket. Besides those that ended, there are some
    /// that were `given_up` after so long, and `open` ones of which nothing is known but that they have not ended: `None` if
    /// the duration may be one of those.
    ///
    /// This is the estimate of Kaplan and Meier (1958): who was given up might have gone on like all others that had taken so
    /// long. Beyond the last one that ended, it counts as if it had ended then (Efron, 1967).
    #[expect(clippy::cast_precision_loss, reason = "shares need no 53 bits")]
    pub(super) fn upper_quantile(&self, p: f64, given_up: &Self, open: u64) -> Option<Duration> {
        let all = self.len().saturating_add(given_up.len()).saturating_add(open);
        let (mut going_on, mut longer, mut last) = (all, 1.0, None);
        for (bucket, (ended, dropped)) in self.counts.iter().zip(&given_up.counts).enumerate() {
            if *ended > 0 {
                longer *= going_on.saturating_sub(*ended) as f64 / going_on as f64;
            }
            if ended + dropped > 0 {
                last = Some(Duration::from_nanos(edge(bucket + 1)));
            }
            if longer <= 1.0 - p + ROUNDING {
                return last;
            }
            going_on = going_on.saturating_sub(ended + dropped);
        }
        last.filter(|_| open as f64 <= (1.0 - p) * all as f64)
    }

    pub(super) const fn nanos(&self) -> u64 {
        self.nanos
    }

    /// What came since `earlier`.
    pub(super) fn since(&mut self, earlier: &Self) {
        for (count, before) in self.counts.iter_mut().zip(&earlier.counts) {
            *count = count.saturating_sub(*before);
        }
        self.nanos = self.nanos.saturating_sub(earlier.nanos);
    }

    pub(super) fn histogram(&self) -> Histogram {
        Histogram { counts: self.counts.to_vec(), nanos: self.nanos }.trimmed()
    }
}

/// What multiplying shares is off.
const ROUNDING: f64 = 1e-9;

/// What one side took in one stripe, since the monitor was made.
#[derive(Debug)]
pub(super) struct Durations {
    counts: [AtomicU64; BUCKETS],
    nanos: AtomicU64,
}

impl Durations {
    pub(super) const fn new() -> Self {
        Self { counts: [const { AtomicU64::new(0) }; BUCKETS], nanos: AtomicU64::new(0) }
    }

    #[inline]
    pub(super) fn add(&self, stripe: Stripe, nanos: u64) {
        if let Some(count) = self.counts.get(bucket(nanos)) {
            stripe.add(count, 1);
        }
        stripe.add(&self.nanos, nanos);
    }

    /// From any thread.
    #[cold]
    pub(super) fn add_shared(&self, nanos: u64) {
        if let Some(count) = self.counts.get(bucket(nanos)) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        self.nanos.fetch_add(nanos, Ordering::Relaxed);
    }

    pub(super) fn add_to(&self, totals: &mut Totals) {
        for (count, total) in self.counts.iter().zip(&mut totals.counts) {
            *total = total.saturating_add(count.load(Ordering::Relaxed));
        }
        totals.nanos = totals.nanos.saturating_add(self.nanos.load(Ordering::Relaxed));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_duration_lies_between_the_edges_of_its_bucket() {
        for bucket in 0..BUCKETS {
            let (low, high) = (edge(bucket), edge(bucket + 1));
            assert!(low < high, "{bucket}");
            assert_eq!((super::bucket(low), super::bucket(high - 1)), (bucket, bucket), "{bucket}");
        }
        assert_eq!((bucket(u64::MAX), edge(BUCKETS - 1)), (BUCKETS - 1, 1 << TOP));
    }

    #[test]
    fn the_middle_of_a_bucket_is_within_a_sixteenth() {
        for nanos in (0..3_000_u64).map(|step| 512 + step * 7).chain((10..40).map(|octave| (1 << octave) + 12_345)) {
            let nanos = nanos.min((1 << 40) - 1);
            let told = Histogram::of([Duration::from_nanos(nanos)]).quantile(0.5).unwrap();
            let ratio = told.as_secs_f64() / Duration::from_nanos(nanos).as_secs_f64();
            assert!((ratio - 1.0).abs() <= 0.0625, "{nanos}: {told:?}");
        }
    }

    #[test]
    fn the_upper_quantile_knows_of_what_was_given_up() {
        let totals = |durations: &[(u64, u64)]| {
            let mut totals = Totals::new();
            for (millis, times) in durations {
                totals.add(Duration::from_millis(*millis), *times);
            }
            totals
        };
        let within = |found: Option<Duration>, millis: u64| {
            let (found, millis) = (found.unwrap().as_secs_f64(), Duration::from_millis(millis).as_secs_f64());
            assert!(found > millis && found <= millis * 1.126, "{found} for {millis}");
        };
        let ended = totals(&[(10, 90), (100, 4), (1_000, 6)]);
        let none = Totals::new();
        within(ended.upper_quantile(0.9, &none, 0), 10);
        within(ended.upper_quantile(0.94, &none, 0), 100);
        within(ended.upper_quantile(0.95, &none, 0), 1_000);
        // Whoever is given up at once says nothing, however many there are.
        within(ended.upper_quantile(0.94, &totals(&[(1, 10_000)]), 0), 100);
        // A tenth is given up after 2 s, and nobody knows how long it would have taken.
        within(ended.upper_quantile(0.95, &totals(&[(2_000, 11)]), 0), 2_000);
        // One half is given up on the way to 100 ms: it would have gone on like the other.
        within(totals(&[(10, 80), (100, 10)]).upper_quantile(0.95, &totals(&[(50, 10)]), 0), 100);
        assert_eq!(ended.upper_quantile(0.95, &none, 6), None, "it may be one of those that go on");
        within(ended.upper_quantile(0.9, &none, 5), 1_000);
        assert_eq!(none.upper_quantile(0.95, &none, 0), None);
    }

    #[test]
    fn a_histogram_is_read_as_it_was_written_and_not_with_more_buckets() {
        let written = Histogram::of([Duration::from_millis(3), Duration::from_secs(9_999)]);
        let json = serde_json::to_string(&written).unwrap();
        assert_eq!(serde_json::from_str::<Histogram>(&json).unwrap(), written);
        let long = serde_json::json!({ "counts": vec![1; BUCKETS + 1], "nanos": 0 }).to_string();
        let refused = serde_json::from_str::<Histogram>(&long).unwrap_err().to_string();
        assert!(refused.contains("251 buckets; allowed: at most 250"), "{refused}");
    }

    #[test]
    fn what_is_added_can_be_taken_away() {
        let (few, more) = (Histogram::of([Duration::from_millis(3)]), Histogram::of([Duration::from_secs(3); 5]));
        assert_eq!((few.clone() + more.clone()) - &few, more);
        assert_eq!((few - &more).quantile(1.0), Histogram::of([Duration::from_millis(3)]).quantile(1.0));
        assert_eq!((Histogram::default().quantile(0.5), Histogram::default().mean()), (None, None));
    }
}
