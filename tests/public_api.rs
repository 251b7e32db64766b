//! Handles can be shared between threads, and the traits that hosts implement can be used as objects. That futures can
//! be sent stands in `send_futures.rs`.

use std::cell::Cell;
use std::error::Error;
use std::fmt::Debug;
use std::rc::Rc;
use std::sync::Arc;

use cutover::bucket::{BucketHasher, Domain};
use cutover::clock::Instant;
use cutover::compare::{AlphaError, ComparatorError, Difference, Noise, NoiseReport, RuleError};
use cutover::compat::{
    Adapted, AliasError, Caller, DeclareError, Deprecated, Deprecation, DeprecationBaseline, DeprecationError,
    DeprecationReport, Growth, InvalidRelease, KeyConflict, OldNameError, Release, Renamed, UnknownName,
};
use cutover::control::{
    AutoFallbackBuilder, AutoFallbackError, Claim, ControllerBuilder, Group, Health, HealthCheck, HealthSchedule,
    HealthState, NotClaimed, OpenError, Persisted, Reconciled, RegisterError, Resolution, RouteDecision, SideHealth,
    Stuck, UnknownGroup, WeakController, WeakRegistry,
};
use cutover::dual::{
    Call, Counts, DualRunnerBuilder, Fallback, Faults, NeedsComparator, Order, PanicAborts, PlannedCall, ShadowPolicy,
    Skipped, Waits,
};
use cutover::flag::{FlagConfigError, FlagRouter, FlagSetError, UnknownFlag};
use cutover::handover::{FlushTimeout, HandoverCounts};
use cutover::mode::Routing;
use cutover::monitor::{
    Baseline, Evidence, Histogram, LatencyFactors, MonitorError, MonitorSnapshot, PerformanceComparison,
    PerformanceMonitorBuilder, PhaseCounts, QualityError,
};
use cutover::observe::{
    CheckOutcome, ClaimEnd, ClaimRefusal, Event, ObserverQueue, Observers, PlanEvent, Refusal, Sample,
};
use cutover::random::{RandomSource, SystemRandom};
use cutover::record::{
    Capture, Captured, Fingerprint, JsonLinesRecorder, MemoryRecorder, RecordError, RecorderQueue, SideRecord,
};
use cutover::runtime::ThreadRuntime;
use cutover::stats::{Bernoulli, Cusum, Labels, PairCounts, Paired, RateError, Relative};
use cutover::store::{ClaimStore, DiscrepancyStore, GroupName, StoreRecorder, StoreRecorderBuilder, TextError};
use cutover::validate::{CasesError, ValidationReport};
use cutover::{
    AliasMap, AutoFallback, BucketKey, ChangeError, Claims, Clock, Comparator, Comparison, Deprecations, Discrepancy,
    DualRunner, Equality, FeatureFlag, FlagSet, HostRuntime, MemoryStore, MigrationController, MigrationRegistry,
    MigrationStatus, MigrationValidator, MissingKey, Observer, Outcome, Percentage, PercentageError,
    PerformanceMonitor, Recorder, Route, Router, Runtime, Shadow, Side, StateStore, StoreError, Structural,
    SystemClock, SystemMode, TransitionError, UnknownMode, Verdict,
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
    Route, Shadow, Event, Sample, Instant, Equality, SystemRandom, Counts, Skipped, Faults, Order, Fallback,
    HandoverCounts, HostRuntime, Reconciled, Resolution, AutoFallbackError, CheckOutcome, ClaimEnd,
    ClaimRefusal, PlanEvent, Refusal, Health, HealthSchedule, HealthState, SideHealth,
    Labels, PairCounts, RateError, RouteDecision,
    PhaseCounts, Baseline, LatencyFactors, Release, Deprecation<'static>,
);

// Handles and records that threads share.
assert_all!([Clone + Debug + Send + Sync + Unpin + 'static]:
    SystemClock, Comparison, Difference, Discrepancy, SideRecord, Fingerprint, Capture, Captured, ShadowPolicy,
    NoiseReport, FeatureFlag, FlagSet, FlagRouter, MigrationController, MigrationRegistry, Group, GroupName, MigrationStatus, Persisted, ThreadRuntime,
    ValidationReport, DualRunner<u32, String>, Claims, Stuck, Bernoulli, Relative, Paired, Cusum,
    PerformanceMonitorBuilder, MonitorSnapshot, PerformanceComparison, Histogram,
    AliasMap, Adapted, Renamed, DeprecationReport, Deprecated, Caller, DeprecationBaseline, Growth,
);
assert_all!([Debug + Send + Sync + 'static]:
    Noise, Structural, MemoryRecorder, RecorderQueue, StoreRecorder, StoreRecorderBuilder, JsonLinesRecorder, Observers, ObserverQueue, MemoryStore,
    ControllerBuilder, MigrationValidator<u32>, DualRunnerBuilder<u32, String>, NeedsComparator<u32, String>,
    Call<'static, 'static, u32, String>, PlannedCall<u32, String>, Waits, Claim, AutoFallback, AutoFallbackBuilder<'static>, PerformanceMonitor,
    Deprecations,
);

assert_all!([Clone + Debug + Send + Sync + 'static]: WeakController, WeakRegistry);

// A runner is shared between threads although the answers of its calls may not be.
assert_all!([Clone + Debug + Send + Sync + 'static]: DualRunner<Rc<u32>, Rc<str>>, DualRunner<Cell<u32>, *const u8>);

// Errors that travel through `Box<dyn Error + Send + Sync>`.
assert_all!([Error + Send + Sync + 'static]:
    PercentageError, TransitionError, UnknownMode, ComparatorError, RecordError, AlphaError, RuleError, OpenError,
    ChangeError, StoreError, TextError, PanicAborts, FlushTimeout, FlagConfigError, FlagSetError, UnknownFlag,
    CasesError, NotClaimed, AutoFallbackError, RegisterError, UnknownGroup, RateError,
    MonitorError, QualityError, AliasError, UnknownName, OldNameError, KeyConflict, DeclareError, DeprecationError,
    InvalidRelease,
);

#[cfg(feature = "simulate")]
assert_all!([Clone + Debug + Send + Sync + Unpin + 'static]:
    cutover::simulate::Simulation, cutover::simulate::Model, cutover::simulate::Played, cutover::simulate::Summary,
);
#[cfg(feature = "simulate")]
assert_all!([Error + Send + Sync + 'static]: cutover::simulate::ModelError);

// What a host gives can be shared as an object.
assert_all!([Send + Sync]:
    dyn Router, dyn Clock, dyn RandomSource, dyn Runtime, dyn Observer, dyn Recorder, dyn Comparator<str>,
    dyn StateStore, dyn ClaimStore, dyn HealthCheck, dyn DiscrepancyStore, dyn Evidence,
);

#[cfg(feature = "testing")]
mod testing {
    use super::{Debug, Error};
    use cutover::testing::{
        ManualClock, Move, PanickingRecorder, PinError, PinKey, RolloutPins, ScriptedRouter, SeededRandom,
        StuckRecorder, VirtualRuntime,
    };

    assert_all!([Clone + Debug + Send + Sync + Unpin + 'static]:
        RolloutPins, PinKey, Move, ManualClock, VirtualRuntime, ScriptedRouter, StuckRecorder, PanickingRecorder,
    );
    assert_all!([Debug + Send + Sync + Unpin + 'static]: SeededRandom);
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
