//! Handles can be shared between threads, and the traits that hosts implement can be used as objects.

use std::error::Error;
use std::fmt::Debug;
use std::sync::Arc;

use cutover::bucket::{BucketHasher, Domain};
use cutover::clock::Instant;
use cutover::compare::{ComparatorError, Difference};
use cutover::mode::Routing;
use cutover::observe::{Event, Sample};
use cutover::random::{RandomSource, SystemRandom};
use cutover::record::{Capture, Captured, Fingerprint, RecordError, SideRecord};
use cutover::{
    BucketKey, Clock, Comparator, Comparison, Discrepancy, Equality, MissingKey, Observer, Outcome, Percentage,
    PercentageError, Recorder, Route, Router, Runtime, Shadow, Side, SystemClock, SystemMode, TransitionError,
    UnknownMode, Verdict,
};

/// Asserts at compile time that each type has the bounds.
macro_rules! assert_all {
    ([$($bound:tt)+]: $($type:ty),+ $(,)?) => {
        const _: () = {
            const fn holds<T: ?Sized + $($bound)+>() {}
            $(holds::<$type>();)+
        };
    };
}

// Values that are copied on the path of every call.
assert_all!([Copy + Debug + Send + Sync + Unpin + 'static]:
    Percentage, BucketHasher, BucketKey<'static>, Domain, MissingKey, SystemMode, Routing, Side, Outcome, Verdict,
    Route, Shadow, Event, Sample, Instant, Equality, SystemRandom,
);

// Handles and records that threads share.
assert_all!([Clone + Debug + Send + Sync + Unpin + 'static]:
    SystemClock, Comparison, Difference, Discrepancy, SideRecord, Fingerprint, Capture, Captured,
);

// Errors that travel through `Box<dyn Error + Send + Sync>`.
assert_all!([Error + Send + Sync + 'static]:
    PercentageError, TransitionError, UnknownMode, ComparatorError, RecordError,
);

// What a host gives can be shared as an object.
assert_all!([Send + Sync]:
    dyn Router, dyn Clock, dyn RandomSource, dyn Runtime, dyn Observer, dyn Recorder, dyn Comparator<str>,
);

#[cfg(feature = "testing")]
mod testing {
    use super::{Debug, Error};
    use cutover::testing::{Move, PinError, PinKey, RolloutPins};

    assert_all!([Clone + Debug + Send + Sync + Unpin + 'static]: RolloutPins, PinKey, Move);
    assert_all!([Error + Send + Sync + 'static]: PinError);
}

#[test]
fn shared_objects_are_what_they_share() {
    fn is_router(_: impl Router + 'static) {}
    fn is_clock(_: impl Clock + 'static) {}
    fn is_random(_: impl RandomSource + 'static) {}
    let route = Route::new(SystemMode::LegacyOnly, Side::Legacy);
    is_router(Arc::new(route) as Arc<dyn Router>);
    is_clock(Arc::new(SystemClock::new()) as Arc<dyn Clock>);
    is_random(Arc::new(SystemRandom) as Arc<dyn RandomSource>);
    assert_eq!((Arc::new(route) as Arc<dyn Router>).route(BucketKey::Missing), route);
}
