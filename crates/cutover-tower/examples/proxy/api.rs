//! The API, in two versions.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::extract::{Path, State};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

/// A version of the API; clones are the same one.
#[derive(Clone)]
pub(crate) struct Version {
    name: &'static str,
    rounds_down: Arc<AtomicBool>,
}

impl Version {
    pub(crate) fn new(name: &'static str) -> Self {
        Self { name, rounds_down: Arc::default() }
    }

    /// The fault of this story.
    pub(crate) fn rounds_down(&self, does: bool) {
        self.rounds_down.store(does, Ordering::Relaxed);
    }
}

pub(crate) fn router(version: Version) -> Router {
    Router::new().route("/prices/{id}", get(price).put(set_price)).with_state(version)
}

async fn price(State(version): State<Version>, Path(id): Path<u32>) -> Json<Value> {
    let cents = 990 + 7 * id;
    let shown = if version.rounds_down.load(Ordering::Relaxed) { cents / 10 * 10 } else { cents };
    Json(json!({ "id": id, "cents": shown, "currency": "EUR", "served_by": version.name }))
}

async fn set_price(State(version): State<Version>, Path(id): Path<u32>, price: String) -> String {
    format!("{} set price {id} to {price}", version.name)
}
