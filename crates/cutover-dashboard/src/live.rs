//! Event streams that say that something has changed, and nothing else.

use std::convert::Infallible;
use std::sync::{Arc, Weak};
use std::time::Duration;

use axum::extract::{Path, State as Shared};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Router, extract::rejection::PathRejection};
use futures_util::Stream;
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::time::Instant;

use crate::look;
use crate::respond::refuse;
use crate::state::State;
use crate::view::Problem;

pub(crate) fn routes() -> Router<Arc<State>> {
    Router::new().route("/live", get(of_all)).route("/m/{id}/live", get(of_one))
}

async fn of_all(Shared(state): Shared<Arc<State>>) -> Response {
    stream(&state, None)
}

async fn of_one(Shared(state): Shared<Arc<State>>, id: Result<Path<String>, PathRejection>) -> Response {
    match id.ok().filter(|Path(id)| state.find(id).is_some()) {
        Some(Path(id)) => stream(&state, Some(id)),
        None => refuse(&Problem::not_found(), false),
    }
}

/// The time between two looks, and so the least between two events.
const LOOKS_EVERY: Duration = Duration::from_secs(1);
/// A comment comes after so long without an event.
const COMMENT_EVERY: Duration = Duration::from_secs(15);
/// A stream ends after so long. Browsers open it again, and are asked again who they are.
const LASTS: Duration = Duration::from_secs(60 * 60);

fn stream(state: &Arc<State>, id: Option<String>) -> Response {
    let Ok(permit) = Arc::clone(&state.streams).try_acquire_owned() else {
        let detail =
            "There are too many event streams at once. The page works without: load it again to see what is new.";
        return refuse(&Problem::new("streams", 503, detail), false);
    };
    let (ends, closing) = (Instant::now() + LASTS, state.closing.subscribe());
    let watch = Watch { state: Arc::downgrade(state), id, told: String::new(), ends, closing, _permit: permit };
    let events = Sse::new(events(watch)).keep_alive(KeepAlive::new().interval(COMMENT_EVERY));
    // Some proxies hold events back until there are many.
    ([("x-accel-buffering", "no")], events).into_response()
}

/// Who watches what, and what they have been told.
struct Watch {
    state: Weak<State>,
    id: Option<String>,
    told: String,
    ends: Instant,
    closing: watch::Receiver<bool>,
    _permit: OwnedSemaphorePermit,
}

impl Watch {
    /// The present stamp; `None` when the dashboard is gone.
    fn look(&self) -> Option<String> {
        let state = self.state.upgrade()?;
        let stamp = if self.told.is_empty() { look::stamp } else { look::recent_stamp };
        match &self.id {
            Some(id) => state.find(id).map(stamp),
            None => Some(look::stamp_of_all(&state, stamp)),
        }
    }

    /// Waits for the next stamp that was not told.
    async fn next(&mut self) -> Option<Event> {
        while Instant::now() < self.ends && !*self.closing.borrow() {
            let stamp = self.look()?;
            if stamp != self.told {
                let data = serde_json::json!({ "stamp": stamp }).to_string();
                self.told = stamp;
                return Some(Event::default().event("changed").data(data));
            }
            self.pause().await;
        }
        None
    }

    /// Waits until it is time for the next look, or to end.
    async fn pause(&mut self) {
        let closed = self.closing.wait_for(|closing| *closing);
        drop(tokio::time::timeout(LOOKS_EVERY, closed).await);
    }
}

fn events(watch: Watch) -> impl Stream<Item = Result<Event, Infallible>> {
    futures_util::stream::unfold(watch, |mut watch| async move {
        if !watch.told.is_empty() {
            watch.pause().await;
        }
        let event = watch.next().await?;
        Some((Ok(event), watch))
    })
}
