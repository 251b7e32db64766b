//! What `RedisStore` promises, on real servers: one file per promise.
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]
#![expect(clippy::print_stdout, reason = "figures are printed")]

mod common;

mod claims;
mod cluster;
mod conformance;
mod credentials;
mod discrepancies;
mod failover;
mod long_numbers;
mod lost_records;
mod many_writers;
mod one_step;
mod outages;
mod permissions;
mod propagation;
mod replicas;
mod scripts;
mod watch;
