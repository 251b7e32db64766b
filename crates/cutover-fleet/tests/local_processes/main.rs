//! A `LocalHost` runs real processes behind a real proxy, and whoever comes later finds them.
#![cfg(target_os = "linux")]
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test, and what its processes log"
)]

mod backups;
mod fixture;
mod front;
mod processes;
