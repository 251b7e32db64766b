//! A web page and a JSON API for the migrations of an application, as an [`axum::Router`] that the host mounts.
//!
//! | for | see |
//! |---|---|
//! | saying what it shows of a migration | [`Migration`] |
//! | saying who may see and do what | [`Authorizer`], [`Principal`], [`Role`] |
//! | the content of the JSON API | [`view`] |

mod authorize;
mod chart;
mod migration;
mod pages;
pub mod view;

pub use authorize::{Authorizer, Deny, Principal, Role};
pub use migration::Migration;
