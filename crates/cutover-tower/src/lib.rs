//! A `tower` layer that runs two HTTP services and answers with one: [`MigrationLayer`].
//!
//! The wrapped service is legacy, a second one is new. The core decides which of them serves each request and whether the
//! other one runs as its shadow; this crate fits that to requests and responses whose bodies stream. README.md says what is
//! guaranteed and what is not.
//!
//! # What is where
//! | for | see |
//! |---|---|
//! | putting a new service beside an old one | [`MigrationLayer`], [`MigrationLayerBuilder`] |
//! | the service that comes of it, its readiness and its counts | [`MigrationService`], [`RequestCounts`] |
//! | who is always served by the same side | [`RequestKey`], [`by_header`], [`by_cookie`], [`by_path_segment`] |
//! | which requests have a shadow | [`MigrationLayerBuilder::shadow_when`], [`SHADOW_HEADER`] |
//! | saying when two responses are the same | [`HttpComparator`], [`HttpAnswer`] |
//! | which responses are failures | [`MigrationLayerBuilder::failure`], [`HttpFailure`] |
//! | what bodies are on their way through | [`MigrationBody`] |
//! | shadows' cost, recorders, observers, captures | [`MigrationLayerBuilder::runner`], [`cutover::dual`] |
//!
//! # How a request runs
//! 1. Its head gives the key and says whether it may have a shadow at all.
//! 2. The runner plans the call: which side serves, and whether the shadow is let in. Without one, the request goes to the
//!    side that serves, and nothing else happens.
//! 3. With one, the request's body is copied while the side that serves reads it, and the response's body while the client
//!    does. The response's head is the answer, and goes out at once.
//! 4. Then the shadow's task starts. It has the copy of the request and asks the other side. When both heads and both bodies
//!    are there, or the shadow's timeout is over, they are compared.
//!
//! # What each part may cost a client
//! | part | time |
//! |---|---|
//! | the router, the key, the rule for shadows, the rule for failures | their own |
//! | cloning the side that serves, and the other one where a shadow runs | its own |
//! | a shadow that is slow, hangs, blocks or is not ready | none, on a runtime of its own |
//! | comparing, recording, describing, editing the shadow's request | none, on a runtime of its own |
//!
//! Without a [runtime of its own](cutover::dual::DualRunnerBuilder::runtime), a shadow shares threads with the server: a new
//! side that blocks its thread then blocks one of the server's.

#![cfg_attr(cutover_docsrs, feature(doc_cfg))]

mod answer;
mod body;
mod client;
mod compare;
mod copy;
mod counts;
mod head;
mod key;
mod layer;
mod picked;
mod service;
mod shadow;
mod shared;

pub use answer::{HttpAnswer, HttpFailure};
pub use body::MigrationBody;
pub use compare::HttpComparator;
pub use counts::RequestCounts;
pub use head::SHADOW_HEADER;
pub use key::{RequestKey, by_cookie, by_header, by_path_segment};
pub use layer::{MigrationLayer, MigrationLayerBuilder};
pub use service::MigrationService;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
