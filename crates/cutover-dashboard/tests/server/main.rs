//! The promises of the dashboard's server, one file for each.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod audit;
mod claims;
mod commands;
mod common;
mod cross_site;
mod discrepancies;
mod documented;
mod doubt;
mod emergencies;
mod groups;
mod headers;
mod limits;
mod live;
mod methods;
mod mounting;
mod panics;
mod reading_changes_nothing;
mod roles;
mod same_content;
mod secrets;
mod series;
mod stale;
mod store_down;
mod unauthenticated;
