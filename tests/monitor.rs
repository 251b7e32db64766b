//! What the performance monitor promises, one module for each promise.
#![cfg(feature = "testing")]
#![expect(clippy::unwrap_used, clippy::cast_precision_loss, clippy::indexing_slicing, reason = "a test")]

#[path = "monitor/comparison.rs"]
mod comparison;
#[path = "monitor/controller.rs"]
mod controller;
#[path = "monitor/given_up.rs"]
mod given_up;
#[path = "monitor/keys.rs"]
mod keys;
#[path = "monitor/limits.rs"]
mod limits;
#[path = "monitor/model.rs"]
mod model;
#[path = "monitor/phases.rs"]
mod phases;
#[path = "monitor/ticks.rs"]
mod ticks;
#[path = "monitor/told_late.rs"]
mod told_late;
#[path = "monitor/world.rs"]
mod world;
