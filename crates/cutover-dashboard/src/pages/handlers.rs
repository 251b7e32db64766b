//! What is answered to requests for pages.

use std::convert::Infallible;
use std::sync::Arc;

use axum::Router;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{FromRequestParts, Path, Query, State as Shared};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use http::request::Parts as Head;
use http::{HeaderValue, StatusCode, header};
use serde::Deserialize;

use super::assets::{self, Asset};
use super::discrepancies::Searched;
use super::frame::{Base, Frame, Notice, Parts};
use super::{commands, done};
use crate::gate::Mount;
use crate::search::{AuditQuery, ClaimQuery, DiscrepancyQuery, fingerprint};
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
        .route("/m/{id}/{command}", post(commands::command))
        .route("/assets/style.css", get(|| async { asset(assets::style()) }))
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
    pub(super) fn answer(&self, page: Result<String, Problem>) -> Response {
        match page {
            Ok(page) => Html(page).into_response(),
            Err(problem) => self.missing(&problem),
        }
    }

    fn missing(&self, problem: &Problem) -> Response {
        let frame = self.frame("Not shown", Some(Notice::Missing(problem.detail.clone())));
        let mut response = with_status(problem.status, problem.detail.clone());
        response.extensions_mut().insert(frame);
        response
    }
}

pub(super) fn with_status(status: u16, page: String) -> Response {
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
    let series = |id: &cutover::store::MigrationId| state.find(id.as_str())?.series(state.sample_every);
    super::overview(&asker.base, &view, series, notice).map_err(|error| unwritten(&error))
}

/// The page of a migration with a notice.
pub(super) fn migration_page(
    state: &State,
    asker: &Asker,
    watched: &Watched,
    notice: Option<Notice>,
) -> Result<String, Problem> {
    let view = look::migration(state, asker.principal()?, watched);
    let page = super::migration(&asker.base, &view, parts(watched), state.now(), notice);
    page.map_err(|error| unwritten(&error))
}

async fn overview(Shared(state): Shared<Arc<State>>, asker: Asker) -> Response {
    asker.answer(overview_page(&state, &asker, None))
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
    let page = async {
        let watched = find(&state, &id)?;
        let done = query.ok().and_then(|Query(query)| query.done?.parse().ok());
        let notice = match done {
            Some(epoch) => done::stored(&state, watched, epoch).await,
            None => None,
        };
        migration_page(&state, &asker, watched, notice)
    };
    let page = page.await;
    asker.answer(page)
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
    let page = page.await;
    asker.answer(page)
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
    let page = page.await;
    asker.answer(page)
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
    let page = page.await;
    asker.answer(page)
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
    let page = page.await;
    asker.answer(page)
}

async fn nothing(asker: Asker) -> Response {
    asker.missing(&Problem::not_found())
}
