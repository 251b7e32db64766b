//! [`Planted`]: what a newer version, or a failing disk, may leave in a store.

use super::tools::change;
use crate::store::Record;

/// What is written in place of a record, past the store's own methods.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Planted {
    /// What stands where the record's JSON text stood.
    pub json: String,
    /// Epoch and etag, for a store that also keeps them apart from the text; `None` leaves what it has.
    pub version: Option<(u64, u128)>,
}

impl Planted {
    /// No JSON at all.
    pub(super) fn garbage() -> Self {
        Self { json: "{\"format\":1,\"mode\":\"grad".to_owned(), version: None }
    }

    /// JSON, but no record.
    pub(super) fn no_record() -> Self {
        Self { json: r#"{"format":1,"mode":"gradual_rollout"}"#.to_owned(), version: None }
    }

    /// The record after `before`, as a version would write it that knows more layouts.
    pub(super) fn newer_format(before: &Record) -> Self {
        Self::record_with(before, "format", u64::from(Record::FORMAT + 1).into())
    }

    /// The record after `before`, in a mode that a newer version knows.
    pub(super) fn unknown_mode(before: &Record) -> Self {
        Self::record_with(before, "mode", "canary".into())
    }

    fn record_with(before: &Record, field: &str, value: serde_json::Value) -> Self {
        let next = change(Some(before), 0xff);
        let mut json = serde_json::to_value(next.record()).unwrap_or_default();
        if let Some(field) = json.get_mut(field) {
            *field = value;
        }
        Self { json: json.to_string(), version: Some((next.record().epoch, next.record().etag)) }
    }
}
