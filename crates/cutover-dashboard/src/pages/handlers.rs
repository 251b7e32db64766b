//! What is answered to requests for pages.

use std::convert::Infallible;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use axum::Router;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{FromRequestParts, Path, Query, State as Shared};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use cutover::store::MigrationId;
use futures_util::FutureExt;
use http::request::Parts as Head;
use http::{HeaderValue, StatusCode, header};
use serde::Deserialize;

use super::assets::{self, Asset};
use super::discrepancies::Searched;
use super::frame::{Base, Frame, Notice, Parts};
use super::{commands, done};
use crate::command::Command;
use crate::gate::Mount;
use crate::search::{AuditQuery, ClaimQuery, DiscrepancyQuery, fingerprint};
use crate::series::POINTS;
use crate::state::{State, Watched};
use crate::view::Problem;
use crate::{Principal, look, records};

pub(crate) fn routes() -> Router<Arc<State>> {
    Router::new()
        .route("/", get(overview))
        .route("/emergency", post(commands::emergency_of_all))
        .route("/m/{id}", get(migration))
        .route("/m/{id}/discrepancies", get(discrepancies))
        .route("/m/{id}/discrepancies/{fingerprint}", get(discrepancy))
        .route("/m/{id}/audit", get(audit))
        .route("/m/{id}/claims", get(claims))
        .route("/m/{id}/{command}", post(commands::command).get(not_opened))
        .route("/g/{group}/emergency", post(commands::emergency_of_group))
        .route("/assets/style.css", get(|| async { asset(assets::style()) }))
        .route("/assets/morph.js", get(|| async { asset(assets::morph()) }))
        .route("/assets/script.js", get(|| async { asset(assets::script()) }))
        .fallback(nothing)
}

fn asset(asset: &'static Asset) -> Response {
    ([(header::CONTENT_TYPE, HeaderValue::from_static(asset.mime))], asset.content).into_response()
}

/// Whose request it is, and where the dashboard is mounted: the gate says so.
#[derive(Debug, Clone)]
pub(super) struct Asker {
    principal: Option<Principal>,
    pub(super) base: Base,
}

impl<S: Sync> FromRequestParts<S> for Asker {
    type Rejection = Infallible;

    async fn from_request_parts(head: &mut Head, _state: &S) -> Result<Self, Infallible> {
        let principal = head.extensions.get::<Principal>().cloned();
        let base = head.extensions.get::<Mount>().map(|mount| Base(mount.0.clone())).unwrap_or_default();
        Ok(Self { principal, base })
    }
}

impl Asker {
    pub(super) fn principal(&self) -> Result<&Principal, Problem> {
        self.principal.as_ref().ok_or_else(|| Problem::new("unauthenticated", 401, "Sign in first."))
    }

    fn frame(&self, title: &str, notice: Option<Notice>) -> Frame {
        let actor = self.principal.as_ref().map(|principal| principal.actor().as_str()).unwrap_or_default();
        let role = self.principal.as_ref().map(Principal::role);
        Frame::new(&self.base, title, actor, role, notice)
    }

    /// The page, or what stands in its place.
    async fn answer(&self, page: impl Future<Output = Result<String, Problem>>) -> Response {
        self.answer_with(None, page).await
    }

    /// The page with what is to be said first, which is said also if there is no page.
    pub(super) async fn answer_with(
        &self,
        notice: Option<Notice>,
        page: impl Future<Output = Result<String, Problem>>,
    ) -> Response {
        let status = notice.as_ref().and_then(Notice::status);
        // What a page shows comes in part from the host, which may panic.
        match AssertUnwindSafe(page).catch_unwind().await.unwrap_or_else(|_| Err(panicked())) {
            Ok(page) => with_status(status.unwrap_or(200), page),
            Err(problem) => self.without_page(notice, status.unwrap_or(problem.status), &problem),
        }
    }

    fn without_page(&self, notice: Option<Notice>, status: u16, problem: &Problem) -> Response {
        let is_said = notice.is_some();
        let notice = notice.unwrap_or_else(|| Notice::Missing(problem.detail.clone()));
        let mut frame = self.frame("Not shown", Some(notice));
        if let Some(banner) = frame.notice.as_mut().filter(|_| is_said) {
            banner.lines.push(format!("The page could not be shown: {}", problem.detail));
        }
        let mut response = with_status(status, problem.detail.clone());
        response.extensions_mut().insert(frame);
        response
    }

    pub(super) fn missing(&self, problem: &Problem) -> Response {
        self.without_page(None, problem.status, problem)
    }
}

fn panicked() -> Problem {
    tracing::error!("a part that the dashboard shows panicked");
    Problem::panicked(false)
}

fn with_status(status: u16, page: String) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, Html(page)).into_response()
}

pub(super) fn unwritten(error: &askama::Error) -> Problem {
    tracing::error!(%error, "a page could not be written");
    Problem::new("page", 500, "The page could not be written.")
}

pub(super) fn parts(watched: &Watched) -> Parts {
    Parts { discrepancies: watched.migration.discrepancies.is_some(), claims: watched.migration.claims.is_some() }
}

/// The overview with a notice.
pub(super) fn overview_page(state: &State, asker: &Asker, notice: Option<Notice>) -> Result<String, Problem> {
    let view = look::overview(state, asker.principal()?);
    let series = |id: &MigrationId| state.find(id.as_str())?.series(state.sample_every, POINTS);
    super::overview(&asker.base, &view, series, notice).map_err(|error| unwritten(&error))
}

/// The page of a migration with a notice.
pub(super) fn migration_page(
    state: &State,
    asker: &Asker,
    watched: &Watched,
    notice: Option<Notice>,
) -> Result<String, Problem> {
    let view = look::migration(state, asker.principal()?, watched, POINTS);
    let page = super::migration(&asker.base, &view, parts(watched), state.now(), notice);
    page.map_err(|error| unwritten(&error))
}

async fn overview(Shared(state): Shared<Arc<State>>, asker: Asker) -> Response {
    asker.answer(async { overview_page(&state, &asker, None) }).await
}

/// What the page of a migration may be asked.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct Done {
    done: Option<String>,
}

async fn migration(
    Shared(state): Shared<Arc<State>>,
    asker: Asker,
    id: Id,
    query: Result<Query<Done>, QueryRejection>,
) -> Response {
    let watched = match find(&state, &id) {
        Ok(watched) => watched,
        Err(problem) => return asker.missing(&problem),
    };
    let notice = match query.ok().and_then(|Query(query)| query.done?.parse().ok()) {
        Some(epoch) => done::stored(&state, watched, epoch).await,
        None => None,
    };
    let page = async { migration_page(&state, &asker, watched, notice.clone()) };
    asker.answer_with(notice.clone(), page).await
}

type Id = Result<Path<String>, PathRejection>;

pub(super) fn find<'a>(state: &'a State, id: &Id) -> Result<&'a Watched, Problem> {
    let Path(id) = id.as_ref().map_err(|_| Problem::not_found())?;
    state.find(id).ok_or_else(Problem::not_found)
}

async fn discrepancies(
    Shared(state): Shared<Arc<State>>,
    asker: Asker,
    id: Id,
    query: Result<Query<DiscrepancyQuery>, QueryRejection>,
) -> Response {
    let page = async {
        let watched = find(&state, &id)?;
        let query = query.map(|Query(query)| query).unwrap_or_default();
        discrepancies_page(&state, &asker, watched, &query, None).await
    };
    asker.answer(page).await
}

/// The page of discrepancies with a notice.
pub(super) async fn discrepancies_page(
    state: &State,
    asker: &Asker,
    watched: &Watched,
    query: &DiscrepancyQuery,
    notice: Option<Notice>,
) -> Result<String, Problem> {
    let found = records::discrepancies(state, watched, &query.read()?).await?;
    let status = watched.migration.controller.status();
    let frame = asker.frame(&format!("Discrepancies of {}", status.id), notice);
    let searched = Searched::of(query);
    super::discrepancies(frame, &status, parts(watched), &found, &searched, state.now())
        .map_err(|error| unwritten(&error))
}

async fn discrepancy(
    Shared(state): Shared<Arc<State>>,
    asker: Asker,
    ids: Result<Path<(String, String)>, PathRejection>,
) -> Response {
    let page = async {
        let Path((id, of)) = ids.map_err(|_| Problem::not_found())?;
        let watched = state.find(&id).ok_or_else(Problem::not_found)?;
        let found = records::discrepancy(&state, watched, fingerprint(&of)?).await?;
        let status = watched.migration.controller.status();
        let frame = asker.frame(&format!("A discrepancy of {}", status.id), None);
        super::discrepancy(frame, &status, parts(watched), &found, state.now()).map_err(|error| unwritten(&error))
    };
    asker.answer(page).await
}

async fn audit(
    Shared(state): Shared<Arc<State>>,
    asker: Asker,
    id: Id,
    query: Result<Query<AuditQuery>, QueryRejection>,
) -> Response {
    let page = async {
        let watched = find(&state, &id)?;
        let search = query.map(|Query(query)| query).unwrap_or_default().read()?;
        let entries = records::audit(&state, watched, search).await;
        let status = watched.migration.controller.status();
        let frame = asker.frame(&format!("Audit of {}", status.id), None);
        super::audit(frame, &status, parts(watched), &entries, state.now()).map_err(|error| unwritten(&error))
    };
    asker.answer(page).await
}

async fn claims(
    Shared(state): Shared<Arc<State>>,
    asker: Asker,
    id: Id,
    query: Result<Query<ClaimQuery>, QueryRejection>,
) -> Response {
    let page = async {
        let watched = find(&state, &id)?;
        let item = query.map(|Query(query)| query).unwrap_or_default().read()?;
        let found = records::claims(&state, watched, item.as_ref()).await?;
        let status = watched.migration.controller.status();
        let frame = asker.frame(&format!("Claims of {}", status.id), None);
        let item = item.as_ref().map(AsRef::as_ref).unwrap_or_default();
        super::claims(frame, &status, parts(watched), &found, item, state.now()).map_err(|error| unwritten(&error))
    };
    asker.answer(page).await
}

/// A command is not opened; the gate says so.
async fn not_opened(
    Shared(state): Shared<Arc<State>>,
    asker: Asker,
    ids: Result<Path<(String, String)>, PathRejection>,
) -> Response {
    let is_there = ids.is_ok_and(|Path((id, name))| state.find(&id).is_some() && Command::NAMES.contains(&&*name));
    if is_there { StatusCode::METHOD_NOT_ALLOWED.into_response() } else { asker.missing(&Problem::not_found()) }
}

async fn nothing(asker: Asker) -> Response {
    asker.missing(&Problem::not_found())
}
