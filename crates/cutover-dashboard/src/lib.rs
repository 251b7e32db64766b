//! A web page and a JSON API for the migrations of an application, as an [`axum::Router`] that the host mounts.
//!
//! | for | see |
//! |---|---|
//! | building the router | [`Dashboard`] |
//! | saying what it shows of a migration | [`Migration`] |
//! | saying who may see and do what | [`Authorizer`], [`Principal`], [`Role`] |
//! | what can be asked of a migration, and what that takes | [`command`] |
//! | the content of the JSON API | [`view`], and API.md |
//!
//! README.md says what it guarantees and what it does not.

mod act;
mod api;
mod attention;
mod authorize;
mod body;
mod chart;
pub mod command;
mod dashboard;
mod error;
mod fields;
mod gate;
mod live;
mod look;
mod migration;
mod origin;
mod pages;
mod problem;
mod rate;
mod records;
mod respond;
mod search;
mod series;
mod state;
mod tasks;
pub mod view;

pub use authorize::{Authorizer, Deny, Principal, Role};
pub use dashboard::Dashboard;
pub use error::DashboardError;
pub use migration::Migration;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
