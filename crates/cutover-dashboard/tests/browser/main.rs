//! What people see and do, in a real browser.

#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod actions;
mod hostile;
mod keyboard;
mod live;
mod narrow;
mod pages;
mod plain;
mod played;
mod rare_actions;
mod shots;
mod stage;
mod stale;
mod window;
