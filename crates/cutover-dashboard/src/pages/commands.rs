//! What is answered to commands from forms.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, PathRejection};
use axum::extract::{Path, State as Shared};
use axum::response::{IntoResponse, Redirect, Response};

use super::frame::Notice;
use super::handlers::{self, Asker, with_status};
use crate::act::{self, act};
use crate::command::{Format, decode};
use crate::search::DiscrepancyQuery;
use crate::state::{State, Watched};
use crate::view::{Answer, Problem};

/// A command for one migration. What was stored is shown on the page of the migration; a refusal on the page anew.
pub(super) async fn command(
    Shared(state): Shared<Arc<State>>,
    asker: Asker,
    ids: Result<Path<(String, String)>, PathRejection>,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let found = ids.map_err(|_| Problem::not_found()).and_then(|Path((id, name))| {
        let watched = state.find(&id).ok_or_else(Problem::not_found)?;
        Ok((watched, name))
    });
    let (watched, name) = match found {
        Ok(found) => found,
        Err(problem) => return asker.answer(Err(problem)),
    };
    let body = body.unwrap_or_default();
    let done = async {
        let order = decode(&name, Format::Form, &body)?;
        act(&state, asker.principal()?, watched, order).await
    };
    match done.await {
        Ok(answer) if is_in_audit(&answer, &name) => {
            let place = format!("{}/m/{}?done={}", asker.base.0, watched.migration.id(), answer.epoch);
            Redirect::to(&place).into_response()
        }
        Ok(answer) => {
            let notice = Notice::Done(vec![answer.text]);
            asker.answer(page(&state, &asker, watched, &name, notice).await)
        }
        Err(problem) => {
            let status = problem.status;
            let notice = Notice::Refused { problem, reason: reason(&body) };
            match page(&state, &asker, watched, &name, notice).await {
                Ok(page) => with_status(status, page),
                Err(problem) => asker.answer(Err(problem)),
            }
        }
    }
}

/// Whether the audit has an entry that says what was done.
fn is_in_audit(answer: &Answer, name: &str) -> bool {
    answer.stored && name != "clear-discrepancies"
}

/// The page from which the command came.
async fn page(state: &State, asker: &Asker, watched: &Watched, name: &str, notice: Notice) -> Result<String, Problem> {
    if name == "clear-discrepancies" && watched.migration.discrepancies.is_some() {
        let all = DiscrepancyQuery::default();
        return handlers::discrepancies_page(state, asker, watched, &all, Some(notice)).await;
    }
    handlers::migration_page(state, asker, watched, Some(notice))
}

/// An emergency for all migrations.
pub(super) async fn emergency_of_all(
    Shared(state): Shared<Arc<State>>,
    asker: Asker,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let body = body.unwrap_or_default();
    let done = async {
        let order = decode("emergency", Format::Form, &body)?;
        act::emergency_of_all(&state, asker.principal()?, &order.reason).await
    };
    let (status, notice) = match done.await {
        Ok(done) => {
            let said = done.answers.iter().map(|of| format!("{}: {}", of.id, of.answer.text));
            (200, Notice::Done(said.collect()))
        }
        Err(problem) => (problem.status, Notice::Refused { problem, reason: reason(&body) }),
    };
    match handlers::overview_page(&state, &asker, Some(notice)) {
        Ok(page) => with_status(status, page),
        Err(problem) => asker.answer(Err(problem)),
    }
}

/// What was typed as the reason, so that nobody has to type it again. It is kept as it was, however wrong.
fn reason(body: &[u8]) -> String {
    let given = form_urlencoded::parse(body).find(|(name, _)| name == "reason");
    given
        .map(|(_, reason)| reason.chars().filter(|c| !c.is_control()).take(LONGEST_REASON).collect())
        .unwrap_or_default()
}

const LONGEST_REASON: usize = 1_024;
