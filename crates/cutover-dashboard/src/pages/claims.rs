//! Claimed items.

use askama::Template;
use cutover::MigrationStatus;
use cutover::store::{ClaimRecord, ClaimState};

use super::frame::{Frame, Here, Parts, Tab};
use super::words;
use crate::view::ClaimsPage;

#[derive(Template)]
#[template(path = "claims.html")]
struct Page {
    frame: Frame,
    here: Here,
    trouble: String,
    item: String,
    found: Option<ClaimWords>,
    stuck: Vec<ClaimWords>,
}

struct ClaimWords {
    item: String,
    state: String,
    side: &'static str,
    holder: String,
    token: u64,
    epoch: u64,
}

/// The page; `item` was looked up, if it is not empty. `frame` is that of no migration yet.
pub(crate) fn claims(
    frame: Frame,
    status: &MigrationStatus,
    parts: Parts,
    page: &ClaimsPage,
    item: &str,
    now: u64,
) -> Result<String, askama::Error> {
    let (frame, here) = (frame.at(status, parts, Tab::Claims, now), Here::of(status, parts, Tab::Claims));
    let stuck = page.stuck.iter().map(ClaimWords::of).collect();
    let trouble = page.trouble.clone().unwrap_or_default();
    Page { frame, here, trouble, item: words::shown(item), found: page.found.as_ref().map(ClaimWords::of), stuck }
        .render()
}

impl ClaimWords {
    fn of(claim: &ClaimRecord) -> Self {
        let state = match claim.state {
            ClaimState::Held { remaining } => format!("held for {} more", words::span(remaining)),
            ClaimState::Expired { ago } => format!("its lease ran out {} ago", words::span(ago)),
            ClaimState::Released => "given back".to_owned(),
            ClaimState::Completed => "completed".to_owned(),
        };
        Self {
            item: words::shown(claim.item.as_str()),
            state,
            side: claim.side.name(),
            holder: words::shown(claim.holder.as_str()),
            token: claim.token,
            epoch: claim.epoch,
        }
    }
}
