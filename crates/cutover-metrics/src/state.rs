//! [`State`]: what the handles of one observer share, and how it reaches the meter.

use std::sync::Arc;

use opentelemetry::metrics::{AsyncInstrument, Histogram, Meter};

use crate::cells::Out;
use crate::gauges;
use crate::metric::{self, DURATION_BOUNDARIES, Metric};
use crate::migration::MigrationSeries;
use crate::names::Names;
use crate::series::RunnerSeries;
use crate::watch::Watched;

pub(crate) struct State {
    pub(crate) runners: Names<RunnerSeries>,
    pub(crate) migrations: Names<MigrationSeries>,
    pub(crate) durations: Histogram<f64>,
    pub(crate) watched: Watched,
}

impl State {
    /// Counts for at most `names` names and tells `meter` whenever it asks.
    pub(crate) fn start(meter: &Meter, names: usize) -> Arc<Self> {
        let state = Arc::new(Self {
            runners: Names::new(names),
            migrations: Names::new(names),
            durations: durations(meter),
            watched: Watched::default(),
        });
        let meter = Telling { meter, state: &state };
        meter.runners();
        meter.migrations();
        meter.gauges();
        state
    }
}

fn durations(meter: &Meter) -> Histogram<f64> {
    let Metric { name, unit, description, .. } = metric::CALL_DURATION;
    let builder = meter.f64_histogram(name).with_unit(unit).with_description(description);
    builder.with_boundaries(DURATION_BOUNDARIES.to_vec()).build()
}

/// Makes instruments that ask the state. The meter provider keeps their callbacks, and so the state.
struct Telling<'a> {
    meter: &'a Meter,
    state: &'a Arc<State>,
}

impl Telling<'_> {
    fn runners(&self) {
        self.of_runners(&metric::CALLS, RunnerSeries::tell_calls);
        self.of_runners(&metric::COMPARISONS, RunnerSeries::tell_comparisons);
        self.of_runners(&metric::FALLBACKS, RunnerSeries::tell_fallbacks);
        self.of_runners(&metric::SHADOWS_SKIPPED, RunnerSeries::tell_skipped);
        self.of_runners(&metric::BREAKER_OPENINGS, RunnerSeries::tell_breaker_openings);
        self.gauge(&metric::BREAKER_OPEN, |state, out| {
            state.runners.all().for_each(|series| series.tell_breaker_open(out));
        });
        self.of_runners(&metric::FAULTS, RunnerSeries::tell_faults);
    }

    fn migrations(&self) {
        self.of_migrations(&metric::TRANSITIONS, MigrationSeries::tell_transitions);
        self.of_migrations(&metric::EMERGENCIES, MigrationSeries::tell_emergencies);
        self.of_migrations(&metric::STORE_OUTAGES, MigrationSeries::tell_store_outages);
        self.of_migrations(&metric::DOUBTS, MigrationSeries::tell_doubts);
        self.of_migrations(&metric::HEALTH_CHECKS, MigrationSeries::tell_checks);
        self.of_migrations(&metric::CHANGES_REFUSED, MigrationSeries::tell_refusals);
        self.of_migrations(&metric::PLAN_EVENTS, MigrationSeries::tell_plan_events);
        self.of_migrations(&metric::CLAIMS, MigrationSeries::tell_claims);
        self.of_migrations(&metric::CLAIMS_REFUSED, MigrationSeries::tell_claim_refusals);
        self.of_migrations(&metric::CLAIMS_ENDED, MigrationSeries::tell_claim_ends);
        self.counter(&metric::UNNAMED, |state, out| {
            out.observe(state.runners.unnamed() + state.migrations.unnamed(), &[]);
        });
        self.counter(&metric::UNREAD, |state, out| out.observe(state.watched.unread(), &[]));
    }

    fn gauges(&self) {
        self.gauge(&metric::CURRENT_MODE, gauges::tell_mode);
        self.number(&metric::ROLLOUT, gauges::tell_rollout);
        self.number(&metric::SHADOW_SHARE, gauges::tell_shadow_share);
        self.gauge(&metric::EPOCH, gauges::tell_epoch);
        self.number(&metric::STATE_AGE, gauges::tell_age);
        self.gauge(&metric::CURRENT_CONDITION, gauges::tell_condition);
        self.gauge(&metric::CURRENT_HEALTH, gauges::tell_health);
        self.number(&metric::STRENGTH, gauges::tell_strength);
        self.number(&metric::THRESHOLD, gauges::tell_threshold);
        self.gauge(&metric::GUARD_VERDICT, gauges::tell_guard);
    }

    fn of_runners(&self, metric: &Metric, tell: fn(&RunnerSeries, Out<'_>)) {
        self.counter(metric, move |state, out| state.runners.all().for_each(|series| tell(series, out)));
    }

    fn of_migrations(&self, metric: &Metric, tell: fn(&MigrationSeries, Out<'_>)) {
        self.counter(metric, move |state, out| state.migrations.all().for_each(|series| tell(series, out)));
    }

    fn counter(&self, metric: &Metric, tell: impl Fn(&State, Out<'_>) + Send + Sync + 'static) {
        let state = Arc::clone(self.state);
        let builder = self.meter.u64_observable_counter(metric.name).with_unit(metric.unit);
        let _the_meter_keeps_it =
            builder.with_description(metric.description).with_callback(move |out| tell(&state, out)).build();
    }

    fn gauge(&self, metric: &Metric, tell: impl Fn(&State, Out<'_>) + Send + Sync + 'static) {
        let state = Arc::clone(self.state);
        let builder = self.meter.u64_observable_gauge(metric.name).with_unit(metric.unit);
        let _the_meter_keeps_it =
            builder.with_description(metric.description).with_callback(move |out| tell(&state, out)).build();
    }

    fn number(&self, metric: &Metric, tell: fn(&State, &dyn AsyncInstrument<f64>)) {
        let state = Arc::clone(self.state);
        let builder = self.meter.f64_observable_gauge(metric.name).with_unit(metric.unit);
        let _the_meter_keeps_it =
            builder.with_description(metric.description).with_callback(move |out| tell(&state, out)).build();
    }
}
