//! The JSON API: the same content as the pages. API.md documents it.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, PathRejection, QueryRejection};
use axum::extract::{Extension, Path, Query, State as Shared};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use http::StatusCode;

use crate::Principal;
use crate::act::{self, act, emergency_of_all};
use crate::command::{Command, Format, decode};
use crate::respond::{json, refuse};
use crate::search::{AuditQuery, ClaimQuery, DiscrepancyQuery, SeriesQuery, fingerprint};
use crate::state::{State, Watched};
use crate::view::Problem;
use crate::{look, records};

type Id = Result<Path<String>, PathRejection>;
type Ids = Result<Path<(String, String)>, PathRejection>;
type Asked<Q> = Result<Query<Q>, QueryRejection>;

pub(crate) fn routes() -> Router<Arc<State>> {
    Router::new()
        .route("/api/v1/migrations", get(migrations))
        .route("/api/v1/migrations/{id}", get(migration))
        .route("/api/v1/migrations/{id}/series", get(series))
        .route("/api/v1/migrations/{id}/discrepancies", get(discrepancies))
        .route("/api/v1/migrations/{id}/discrepancies/{fingerprint}", get(discrepancy))
        .route("/api/v1/migrations/{id}/audit", get(audit))
        .route("/api/v1/migrations/{id}/claims", get(claims))
        .route("/api/v1/migrations/{id}/{command}", post(command).get(not_read))
        .route("/api/v1/groups/{group}/emergency", post(emergency_of_group))
        .route("/api/v1/emergency", post(emergency))
}

fn answer<T: serde::Serialize>(answer: Result<T, Problem>) -> Response {
    match answer {
        Ok(value) => json(&value),
        Err(problem) => refuse(&problem, true),
    }
}

fn find(state: &State, id: Id) -> Result<&Watched, Problem> {
    let Path(id) = id.map_err(|_| Problem::not_found())?;
    state.find(&id).ok_or_else(Problem::not_found)
}

fn query<Q>(query: Asked<Q>) -> Result<Q, Problem> {
    query.map(|Query(query)| query).map_err(|_| Problem::new("query", 422, "The query is not readable."))
}

async fn migrations(Shared(state): Shared<Arc<State>>, Extension(principal): Extension<Principal>) -> Response {
    json(&look::overview(&state, &principal))
}

async fn migration(
    Shared(state): Shared<Arc<State>>,
    Extension(principal): Extension<Principal>,
    id: Id,
    asked: Asked<SeriesQuery>,
) -> Response {
    let found = find(&state, id).and_then(|watched| Ok((watched, query(asked)?.read()?)));
    answer(found.map(|(watched, points)| look::migration(&state, &principal, watched, points)))
}

async fn series(Shared(state): Shared<Arc<State>>, id: Id, asked: Asked<SeriesQuery>) -> Response {
    let none = || Problem::new("not_shown", 404, "The dashboard has no monitor of this migration.");
    let found = find(&state, id).and_then(|watched| Ok((watched, query(asked)?.read()?)));
    answer(found.and_then(|(watched, points)| watched.series(state.sample_every, points).ok_or_else(none)))
}

/// A command is not read; the gate says so.
async fn not_read(Shared(state): Shared<Arc<State>>, ids: Ids) -> Response {
    let is_there = ids.is_ok_and(|Path((id, name))| state.find(&id).is_some() && Command::NAMES.contains(&&*name));
    if is_there { StatusCode::METHOD_NOT_ALLOWED.into_response() } else { refuse(&Problem::not_found(), true) }
}

async fn discrepancies(Shared(state): Shared<Arc<State>>, id: Id, asked: Asked<DiscrepancyQuery>) -> Response {
    answer(
        async {
            let (watched, search) = (find(&state, id)?, query(asked)?.read()?);
            records::discrepancies(&state, watched, &search).await
        }
        .await,
    )
}

async fn discrepancy(Shared(state): Shared<Arc<State>>, ids: Ids) -> Response {
    answer(
        async {
            let Path((id, of)) = ids.map_err(|_| Problem::not_found())?;
            let watched = state.find(&id).ok_or_else(Problem::not_found)?;
            records::discrepancy(&state, watched, fingerprint(&of)?).await
        }
        .await,
    )
}

async fn audit(Shared(state): Shared<Arc<State>>, id: Id, asked: Asked<AuditQuery>) -> Response {
    answer(
        async {
            let (watched, search) = (find(&state, id)?, query(asked)?.read()?);
            Ok(records::audit(&state, watched, search).await)
        }
        .await,
    )
}

async fn claims(Shared(state): Shared<Arc<State>>, id: Id, asked: Asked<ClaimQuery>) -> Response {
    answer(
        async {
            let (watched, item) = (find(&state, id)?, query(asked)?.read()?);
            records::claims(&state, watched, item.as_ref()).await
        }
        .await,
    )
}

async fn command(
    Shared(state): Shared<Arc<State>>,
    Extension(principal): Extension<Principal>,
    ids: Ids,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    answer(
        async {
            let Path((id, name)) = ids.map_err(|_| Problem::not_found())?;
            let watched = state.find(&id).ok_or_else(Problem::not_found)?;
            let order = decode(&name, Format::Json, &body.unwrap_or_default())?;
            act(&state, &principal, watched, order).await
        }
        .await,
    )
}

async fn emergency(
    Shared(state): Shared<Arc<State>>,
    Extension(principal): Extension<Principal>,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    answer(
        async {
            let order = decode("emergency", Format::Json, &body.unwrap_or_default())?;
            emergency_of_all(&state, &principal, &order.reason).await
        }
        .await,
    )
}

async fn emergency_of_group(
    Shared(state): Shared<Arc<State>>,
    Extension(principal): Extension<Principal>,
    group: Id,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    answer(
        async {
            let Path(group) = group.map_err(|_| Problem::not_found())?;
            let order = decode("emergency", Format::Json, &body.unwrap_or_default())?;
            act::emergency_of_group(&state, &principal, &group, &order.reason).await
        }
        .await,
    )
}
