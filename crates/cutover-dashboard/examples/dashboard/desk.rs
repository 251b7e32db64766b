//! The desk of the demonstration: signing in, and faults to inject. It is no part of the dashboard.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::{Form, State};
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use serde::Deserialize;

use crate::faults::{Fault, Faults};
use crate::team::{COOKIE_NAME, TEAM, member};

pub(crate) fn routes(faults: Arc<Faults>) -> Router {
    Router::new()
        .route("/desk", get(desk))
        .route("/desk/sign-in", post(sign_in))
        .route("/desk/fault", post(inject))
        .with_state(faults)
}

#[derive(Template)]
#[template(
    ext = "html",
    source = r#"<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>The desk</title><style>
:root { color-scheme: light dark; } body { font: 16px/1.5 system-ui, sans-serif; max-width: 44rem; margin: 2rem auto; padding: 0 1rem; }
form { display: flex; flex-wrap: wrap; gap: .5rem; } button { font: inherit; padding: .4rem .8rem; }
</style></head><body>
<h1>The desk</h1>
<p>A small shop moves four of its parts from legacy to new. <a href="/cutover">Its dashboard</a> shows how.</p>
<h2>Who are you?</h2>
<p>{% match me %}{% when Some(me) %}You are <b>{{ me }}</b>.{% when None %}Nobody yet: the dashboard is closed.{% endmatch %}</p>
<form method="post" action="/desk/sign-in">{% for (name, role) in team %}<button name="name" value="{{ name }}">{{ name }} ({{ role }})</button>{% endfor %}</form>
<h2>What is wrong with new?</h2>
<p>Now: <b>{{ faults }}</b>.</p>
<form method="post" action="/desk/fault">
<button name="fault" value="slow">new gets slow</button><button name="fault" value="fails">new fails 10 %</button>
<button name="fault" value="differs">new answers differently</button><button name="fault" value="heal">heal</button></form>
<p>Then watch <a href="/cutover/m/search">search</a>, where a guard rolls back, and <a href="/cutover/m/price">price</a>, where a plan does.</p>
</body></html>"#
)]
struct Desk {
    me: Option<&'static str>,
    team: [(&'static str, cutover_dashboard::Role); 3],
    faults: String,
}

async fn desk(State(faults): State<Arc<Faults>>, headers: HeaderMap) -> Response {
    let me = member(&headers).map(|(name, _)| name);
    let page = Desk { me, team: TEAM, faults: faults.words() }.render();
    page.map_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response(), |page| Html(page).into_response())
}

#[derive(Deserialize)]
struct SignIn {
    name: String,
}

async fn sign_in(Form(SignIn { name }): Form<SignIn>) -> Response {
    let Some((name, _)) = TEAM.into_iter().find(|(known, _)| *known == name) else {
        return StatusCode::FORBIDDEN.into_response();
    };
    let cookie = format!("{COOKIE_NAME}={name}; Path=/; HttpOnly; SameSite=Strict");
    let Ok(cookie) = HeaderValue::from_str(&cookie) else { return StatusCode::FORBIDDEN.into_response() };
    ([(SET_COOKIE, cookie)], Redirect::to("/desk")).into_response()
}

#[derive(Deserialize)]
struct Injection {
    fault: Fault,
}

async fn inject(State(faults): State<Arc<Faults>>, Form(Injection { fault }): Form<Injection>) -> Redirect {
    faults.inject(fault);
    Redirect::to("/desk")
}
