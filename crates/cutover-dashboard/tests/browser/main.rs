//! What people see and do, in a real browser.

mod actions;
mod hostile;
mod keyboard;
mod live;
mod narrow;
mod pages;
mod plain;
mod played;
mod shots;
mod stage;
mod stale;
mod window;
