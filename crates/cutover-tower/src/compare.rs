//! [`HttpComparator`]: decides whether two responses say the same.

use cutover::compare::{ComparatorError, Difference, RuleError};
use cutover::{Comparator, Comparison, Structural};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;

use crate::HttpAnswer;
use crate::copy::{BodyCopy, Whole};

/// Compares two responses: status, chosen headers, trailers of the same names, and the body.
///
/// - Where the statuses differ, that is the one difference: the rest follows from it.
/// - Headers: those chosen by [`headers`](Self::headers), `content-type` unless told otherwise.
/// - Bodies that both say that they are JSON, and are, are compared by [`Structural`]; all others byte for byte.
/// - A body that is whole on one side, and too large, broken off or late on the other, differs. Where neither is whole, or
///   the client did not read its answer to the end, nobody knows: the call counts as ignored, unless a status or header
///   differs.
/// - Where the request was conditional, the client had its validator from one side, and the other need not know it. Ignored
///   are `304` beside `200` (`If-None-Match`, `If-Modified-Since`), `206` beside `200` (`If-Range`), and `412` beside a
///   success (`If-Match` with a validator, `If-Unmodified-Since`).
///
/// Paths of differences: `/status`, `/headers/content-type`, `/trailers/grpc-status`, `/body` and below it those of the
/// JSON document, such as `/body/items/0/price`. Rules of `Structural` are written without `/body`.
///
/// Compressed bodies are bytes: put compression outside the layer.
///
/// ```
/// use cutover::Structural;
/// use cutover_tower::HttpComparator;
/// use http::header::{CONTENT_TYPE, LOCATION};
///
/// let comparator = HttpComparator::new()
///     .headers([CONTENT_TYPE, LOCATION])
///     .json(Structural::new().ignore("/took_ms"));
/// assert!(comparator.check().is_ok());
/// ```
#[derive(Debug, Clone)]
pub struct HttpComparator {
    headers: Vec<HeaderName>,
    json: Structural,
    bodies: bool,
}

impl HttpComparator {
    /// Compares status, `content-type` and body; every difference counts.
    #[must_use]
    pub fn new() -> Self {
        Self { headers: vec![CONTENT_TYPE], json: Structural::new(), bodies: true }
    }

    /// The headers that are compared, and trailers of the same names. Default: `content-type`.
    #[must_use]
    pub fn headers(mut self, names: impl IntoIterator<Item = HeaderName>) -> Self {
        self.headers = names.into_iter().collect();
        self
    }

    /// How JSON bodies are compared. Default: every difference counts.
    #[must_use]
    pub fn json(mut self, structural: Structural) -> Self {
        self.json = structural;
        self
    }

    /// Takes no notice of bodies and trailers.
    #[must_use]
    pub const fn without_bodies(mut self) -> Self {
        self.bodies = false;
        self
    }

    /// Whether every rule of the JSON comparison can be used, for a test or at start-up.
    ///
    /// # Errors
    /// The first [`RuleError`].
    pub fn check(&self) -> Result<(), RuleError> {
        self.json.check()
    }

    fn compare_fields(&self, place: &str, legacy: &HeaderMap, new: &HeaderMap) -> Vec<Difference> {
        let differing = self.headers.iter().filter(|name| !legacy.get_all(*name).iter().eq(new.get_all(*name)));
        let difference =
            |name: &HeaderName| Difference::new(format!("/{place}/{name}"), values(legacy, name), values(new, name));
        differing.map(difference).collect()
    }

    /// The differences of bodies and trailers; `None` when nobody knows.
    fn compare_bodies(
        &self,
        legacy: &HttpAnswer,
        new: &HttpAnswer,
    ) -> Result<Option<Vec<Difference>>, ComparatorError> {
        match (legacy.copy(), new.copy()) {
            _ if !self.bodies => Ok(Some(Vec::new())),
            (BodyCopy::Whole(old), BodyCopy::Whole(fresh)) => {
                let mut differences = self.compare_data((legacy, old), (new, fresh))?;
                let none = HeaderMap::new();
                let trailers = [old, fresh].map(|whole| whole.trailers.as_ref().unwrap_or(&none));
                differences.extend(self.compare_fields("trailers", trailers[0], trailers[1]));
                Ok(Some(differences))
            }
            (BodyCopy::Unread, _) | (_, BodyCopy::Unread) => Ok(None),
            (BodyCopy::Whole(_), _) | (_, BodyCopy::Whole(_)) => Ok(Some(vec![Difference::new("/body", None, None)])),
            _ => Ok(None),
        }
    }

    fn compare_data(
        &self,
        (legacy, old): (&HttpAnswer, &Whole),
        (new, fresh): (&HttpAnswer, &Whole),
    ) -> Result<Vec<Difference>, ComparatorError> {
        if old.data == fresh.data {
            return Ok(Vec::new());
        }
        let (Some(old_json), Some(fresh_json)) = (json_of(legacy, old), json_of(new, fresh)) else {
            return Ok(vec![Difference::new("/body", text_of(old), text_of(fresh))]);
        };
        match self.json.compare(&old_json, &fresh_json)? {
            Comparison::Match | Comparison::Ignored => Ok(Vec::new()),
            Comparison::Mismatch(found) if found.is_empty() => Ok(vec![Difference::new("/body", None, None)]),
            Comparison::Mismatch(found) => Ok(found.into_iter().map(below_body).collect()),
        }
    }
}

impl Default for HttpComparator {
    fn default() -> Self {
        Self::new()
    }
}

impl Comparator<HttpAnswer> for HttpComparator {
    fn compare(&self, legacy: &HttpAnswer, new: &HttpAnswer) -> Result<Comparison, ComparatorError> {
        self.check().map_err(ComparatorError::new)?;
        if legacy.status() != new.status() {
            return Ok(compare_statuses(legacy, new));
        }
        let mut differences = self.compare_fields("headers", legacy.headers(), new.headers());
        let bodies = self.compare_bodies(legacy, new)?;
        let known = bodies.is_some();
        differences.extend(bodies.into_iter().flatten());
        Ok(match (differences.is_empty(), known) {
            (true, true) => Comparison::Match,
            (true, false) => Comparison::Ignored,
            (false, _) => Comparison::Mismatch(differences),
        })
    }
}

fn compare_statuses(legacy: &HttpAnswer, new: &HttpAnswer) -> Comparison {
    if legacy.differs_by_validators(new) {
        return Comparison::Ignored;
    }
    let status = |answer: &HttpAnswer| Some(answer.status().as_u16().into());
    Comparison::Mismatch(vec![Difference::new("/status", status(legacy), status(new))])
}

fn below_body(mut found: Difference) -> Difference {
    found.path.insert_str(0, "/body");
    found
}

/// The values of a field: one as text, several as a list.
fn values(fields: &HeaderMap, name: &HeaderName) -> Option<Value> {
    let text = |value: &HeaderValue| Value::String(String::from_utf8_lossy(value.as_bytes()).into_owned());
    let mut values: Vec<_> = fields.get_all(name).iter().map(text).collect();
    if values.len() > 1 { Some(Value::Array(values)) } else { values.pop() }
}

fn json_of(answer: &HttpAnswer, whole: &Whole) -> Option<Value> {
    let says_json = answer.headers().get(CONTENT_TYPE).is_some_and(is_json);
    says_json.then(|| serde_json::from_slice(&whole.data).ok()).flatten()
}

/// `application/json`, and every type with the suffix `+json`.
fn is_json(content_type: &HeaderValue) -> bool {
    let essence = content_type.to_str().unwrap_or_default().split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/json") || essence.to_ascii_lowercase().ends_with("+json")
}

fn text_of(whole: &Whole) -> Option<Value> {
    std::str::from_utf8(&whole.data).ok().map(Into::into)
}
