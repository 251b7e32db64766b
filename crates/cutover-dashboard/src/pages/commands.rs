//! What is answered to commands from forms.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, PathRejection};
use axum::extract::{Path, State as Shared};
use axum::response::{IntoResponse, Redirect, Response};

use super::frame::Notice;
use super::handlers::{self, Asker};
use crate::act::{self, act};
use crate::command::{Format, decode};
use crate::search::DiscrepancyQuery;
use crate::state::{State, Watched};
use crate::view::{Answer, Answers, Problem};

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
        Err(problem) => return asker.missing(&problem),
    };
    let body = body.unwrap_or_default();
    let done = async {
        let order = decode(&name, Format::Form, &body)?;
        act(&state, asker.principal()?, watched, order).await
    };
    let notice = match done.await {
        // The audit says what was done.
        Ok(Answer { epoch, stored: true, .. }) => {
            let place = format!("{}/m/{}?done={epoch}", asker.base.0, watched.migration.id());
            return Redirect::to(&place).into_response();
        }
        Ok(answer) => Notice::Done(vec![answer.text]),
        Err(problem) => Notice::Refused { problem, reason: reason(&body) },
    };
    let page = page(&state, &asker, watched, &name, notice.clone());
    asker.answer_with(Some(notice), page).await
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
    let done = done.await;
    answered(&state, &asker, done, &body).await
}

/// An emergency for a group of the host's registry.
pub(super) async fn emergency_of_group(
    Shared(state): Shared<Arc<State>>,
    asker: Asker,
    group: Result<Path<String>, PathRejection>,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let body = body.unwrap_or_default();
    let done = async {
        let Path(group) = group.map_err(|_| Problem::not_found())?;
        let order = decode("emergency", Format::Form, &body)?;
        act::emergency_of_group(&state, asker.principal()?, &group, &order.reason).await
    };
    let done = done.await;
    answered(&state, &asker, done, &body).await
}

/// The overview, with what came of each migration.
async fn answered(state: &State, asker: &Asker, done: Result<Answers, Problem>, body: &[u8]) -> Response {
    let notice = match done {
        Ok(done) => Notice::Done(done.answers.iter().map(|of| format!("{}: {}", of.id, of.answer.text)).collect()),
        Err(problem) => Notice::Refused { problem, reason: reason(body) },
    };
    let page = async { handlers::overview_page(state, asker, Some(notice.clone())) };
    asker.answer_with(Some(notice.clone()), page).await
}

/// What was typed as the reason, so that nobody has to type it again. It is kept as it was, however wrong.
fn reason(body: &[u8]) -> String {
    let given = form_urlencoded::parse(body).find(|(name, _)| name == "reason");
    given
        .map(|(_, reason)| reason.chars().filter(|c| !c.is_control()).take(LONGEST_REASON).collect())
        .unwrap_or_default()
}

const LONGEST_REASON: usize = 1_024;
