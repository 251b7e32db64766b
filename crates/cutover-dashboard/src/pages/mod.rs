//! Pages: values of [`view`](crate::view) in, HTML out. Rendering is pure; [`handlers`] asks for the values.

mod assets;
mod audit;
mod claims;
mod commands;
mod discrepancies;
mod done;
mod frame;
pub(crate) mod handlers;
mod migration;
mod overview;
#[cfg(test)]
mod tests;
pub(crate) mod words;

use askama::Template;
use axum::body::Body;
use axum::response::Response;
use http::{HeaderValue, header};

use crate::Principal;
use crate::gate::Mount;
use crate::respond::refuse;
use crate::state::State;
use crate::view::Problem;
use audit::audit;
use claims::claims;
use discrepancies::{discrepancies, discrepancy};
use frame::{Base, Frame, Notice};
use migration::migration;
use overview::overview;

/// A word with its icon and its class, so that nothing is said by colour alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Flag {
    /// `alarm`, `warning`, `notice`, `ok` or `unknown`.
    pub(crate) class: &'static str,
    /// The name of its symbol.
    pub(crate) icon: &'static str,
    pub(crate) word: String,
}

impl Flag {
    /// The class is also the name of its symbol.
    pub(crate) fn new(class: &'static str, word: impl Into<String>) -> Self {
        Self { class, icon: class, word: word.into() }
    }
}

#[derive(Template)]
#[template(path = "problem.html")]
struct ProblemPage {
    frame: Frame,
    heading: &'static str,
}

/// What is answered to a request for a page that the gate refuses to somebody whom it knows.
pub(crate) fn refused(mount: &Mount, principal: &Principal, problem: &Problem) -> Response {
    let notice = Notice::Refused { problem: problem.clone(), reason: String::new() };
    let (actor, base) = (principal.actor().as_str(), Base(mount.0.clone()));
    let frame = Frame::new(&base, "Refused", actor, Some(principal.role()), Some(notice));
    let mut response = refuse(problem, false);
    response.extensions_mut().insert(frame);
    response
}

/// Writes the page of a response that [`refused`] gave to a request for `path`: it rolls back what the path names, or all.
pub(crate) fn written(state: &State, path: &str, mut response: Response) -> Response {
    let Some(frame) = response.extensions_mut().remove::<Frame>() else { return response };
    let heading = if frame.title.starts_with("Refused") { "This was refused" } else { "This is not shown" };
    if let Ok(page) = problem(frame.beside(state, path), heading) {
        let kind = HeaderValue::from_static("text/html; charset=utf-8");
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
        response.headers_mut().remove(header::CONTENT_LENGTH);
        *response.body_mut() = Body::from(page);
    }
    response
}

/// A page that says why there is none; the notice of the frame says it.
fn problem(frame: Frame, heading: &'static str) -> Result<String, askama::Error> {
    ProblemPage { frame, heading }.render()
}
