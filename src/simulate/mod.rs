//! [`Simulation`]: plays a plan against a model of traffic and faults before real users do.
//!
//! A run uses what a live migration uses: the decision of plans, the audit it reads, the guard with its triggers, and the stable
//! buckets of keys. What it makes up is the traffic, what breaks, and the people. Time is virtual; calls are not played one by
//! one but drawn by the span of a minute at most, as Poisson and binomial numbers, so that a run costs by its length and not by
//! its calls, and its memory does not grow with either.
//!
//! A seed gives the same run again. The generator and the mathematics of the draws are the same on every platform; the
//! logarithms of the guard are those of the platform, which may differ in the last digit.
//!
//! # What a model leaves out
//! - The shadow share is drawn for each call, not for each key.
//! - Failures take as long as answers, and legacy is always well enough to take over.
//! - What has not ended is not seen: the guard sees a call a second after it started, and while calls hang after their
//!   timeout. As with a live monitor, it never sees the last calls of an epoch.

mod chance;
mod crowd;
mod display;
mod error;
mod latency;
mod ledger;
mod maybe;
mod model;
mod naive;
mod play;
mod played;
mod rates;
mod runs;
mod score;
mod seconds;
mod simulation;
mod summary;
mod traffic;
mod world;

pub use error::ModelError;
pub use model::{Begins, Drift, Fault, Keys, Model, Operator, SideModel};
pub use played::{Breach, Broken, Happening, Moment, NaiveAlarm, Outcome, Played};
pub use simulation::Simulation;
pub use summary::{NaiveSummary, Spread, Summary};
