//! What is looked for among discrepancies, the audit and claims: queries, read and checked. Pure.

use cutover::Discrepancy;
use cutover::record::{Captured, DiscrepancyKind, Fingerprint};
use cutover::store::ItemId;
use serde::Deserialize;

use crate::records::MAX_PAGE;
use crate::series::POINTS;
use crate::view::Problem;

/// The query of a page of discrepancies, as it came. What is empty was not asked for.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct DiscrepancyQuery {
    pub(crate) q: Option<String>,
    pub(crate) kind: Option<String>,
    pub(crate) after: Option<String>,
    pub(crate) limit: Option<String>,
}

/// The query of a page of the audit.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct AuditQuery {
    pub(crate) before: Option<String>,
    pub(crate) limit: Option<String>,
    pub(crate) verify: Option<String>,
}

/// The query of what has a series.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct SeriesQuery {
    pub(crate) points: Option<String>,
}

/// The query of claims.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct ClaimQuery {
    pub(crate) item: Option<String>,
}

/// Which discrepancies are wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Search {
    text: Option<String>,
    kind: Option<DiscrepancyKind>,
    pub(crate) after: Option<Fingerprint>,
    pub(crate) limit: usize,
}

/// Which audit entries are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AuditSearch {
    pub(crate) before: Option<u64>,
    pub(crate) limit: usize,
    pub(crate) verify: bool,
}

/// How many a page has that says nothing else.
const PAGE: usize = 50;
/// The longest text to look for.
const LONGEST: usize = 200;

impl DiscrepancyQuery {
    pub(crate) fn read(&self) -> Result<Search, Problem> {
        let text = given(self.q.as_ref());
        if text.is_some_and(|text| text.len() > LONGEST || text.chars().any(char::is_control)) {
            return Err(refused("q", "up to 200 bytes without control characters"));
        }
        Ok(Search {
            text: text.map(str::to_lowercase),
            kind: given(self.kind.as_ref()).map(kind).transpose()?,
            after: given(self.after.as_ref()).map(fingerprint).transpose()?,
            limit: limit(self.limit.as_ref())?,
        })
    }
}

impl AuditQuery {
    pub(crate) fn read(&self) -> Result<AuditSearch, Problem> {
        let before = given(self.before.as_ref()).map(str::parse::<u64>);
        let verify = match given(self.verify.as_ref()) {
            None | Some("0" | "false") => false,
            Some("1" | "true") => true,
            Some(_) => return Err(refused("verify", "1 or 0")),
        };
        Ok(AuditSearch {
            before: before.transpose().map_err(|_| refused("before", "an epoch"))?,
            limit: limit(self.limit.as_ref())?,
            verify,
        })
    }
}

impl SeriesQuery {
    /// How many points are wanted.
    pub(crate) fn read(&self) -> Result<usize, Problem> {
        let Some(points) = given(self.points.as_ref()) else { return Ok(POINTS) };
        let points = points.parse().ok().filter(|points| *points <= POINTS);
        points.ok_or_else(|| refused("points", "0 to 720"))
    }
}

impl ClaimQuery {
    pub(crate) fn read(&self) -> Result<Option<ItemId>, Problem> {
        let item = given(self.item.as_ref()).map(str::parse).transpose();
        item.map_err(|_| refused("item", "1 to 512 bytes, not blank, without control characters"))
    }
}

fn given(text: Option<&String>) -> Option<&str> {
    text.map(String::as_str).filter(|text| !text.is_empty())
}

fn limit(text: Option<&String>) -> Result<usize, Problem> {
    let Some(text) = given(text) else { return Ok(PAGE) };
    let limit = text.parse().ok().filter(|limit| (1..=MAX_PAGE).contains(limit));
    limit.ok_or_else(|| refused("limit", "1 to 200"))
}

fn kind(name: &str) -> Result<DiscrepancyKind, Problem> {
    KINDS
        .into_iter()
        .find(|kind| kind.name() == name)
        .ok_or_else(|| refused("kind", "values_differ, errors_differ, legacy_failed, new_failed, panicked, timed_out"))
}

/// The kinds that can be asked for.
pub(crate) const KINDS: [DiscrepancyKind; 6] = [
    DiscrepancyKind::ValuesDiffer,
    DiscrepancyKind::ErrorsDiffer,
    DiscrepancyKind::LegacyFailed,
    DiscrepancyKind::NewFailed,
    DiscrepancyKind::Panicked,
    DiscrepancyKind::TimedOut,
];

/// The fingerprint of these 32 digits.
pub(crate) fn fingerprint(text: &str) -> Result<Fingerprint, Problem> {
    let digits = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let read = digits.then(|| Fingerprint::try_from(text.to_owned()).ok()).flatten();
    read.ok_or_else(|| refused("fingerprint", "32 hexadecimal digits"))
}

fn refused(field: &str, allowed: &str) -> Problem {
    Problem::new("query", 422, format!("`{field}` is not what it should be; allowed: {allowed}."))
}

impl Search {
    /// Whether this is one of those that are wanted.
    pub(crate) fn wants(&self, discrepancy: &Discrepancy) -> bool {
        self.kind.is_none_or(|kind| kind == discrepancy.kind)
            && self.text.as_deref().is_none_or(|text| says(discrepancy, text))
    }
}

/// Whether the text, in small letters, stands anywhere in it.
fn says(discrepancy: &Discrepancy, text: &str) -> bool {
    let has = |part: &str| part.to_lowercase().contains(text);
    let captured = |value: &Option<Captured>| value.as_ref().is_some_and(|value| has(&value.text));
    let values = |value: &Option<serde_json::Value>| value.as_ref().is_some_and(|value| has(&value.to_string()));
    has(&discrepancy.runner)
        || has(discrepancy.kind.name())
        || discrepancy.fingerprint.to_string().starts_with(text)
        || discrepancy.key.as_deref().is_some_and(has)
        || discrepancy.differences.iter().any(|found| has(&found.path) || values(&found.legacy) || values(&found.new))
        || [&discrepancy.legacy.value, &discrepancy.new.value, &discrepancy.context].into_iter().any(captured)
}
