//! The call site: what an application writes to read TOML with two versions of a library.

use std::fmt::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use cutover::dual::{Fallback, ShadowPolicy};
use cutover::{DualRunner, MemoryRecorder, MigrationController, Observer, Structural};
use serde_json::Value;

use crate::documents::Document;

pub(crate) type Parser = DualRunner<Value, ParseError>;

/// Once per call site: who decides the route, what counts as the same answer, and where disagreements go.
pub(crate) fn parser(
    name: &str,
    migration: &MigrationController,
    recorder: &Arc<MemoryRecorder>,
    observer: impl Observer + 'static,
) -> Parser {
    DualRunner::builder(name, migration.clone())
        .comparator(Structural::new())
        .fallback(Fallback::ToLegacy)
        // A report wants every document compared, also after many panics in a row.
        .shadow_policy(ShadowPolicy::new().without_breaker())
        .observe(observer)
        .record_to(Arc::clone(recorder))
        .capture_json()
        .capture_errors(|error, out| write!(out, "{error}"))
        .capture_differences()
        .capture_panics()
        .capture_keys()
        .build()
}

/// Per call: the closures borrow, one side gives the answer, and the other runs beside it when it is selected.
pub(crate) fn parse(parser: &Parser, document: &Document) -> Result<Value, ParseError> {
    parser.run_sync(&*document.name, || legacy(&document.text), || new(&document.text))
}

/// As [`parse`]; the panic of a side that serves, which is the caller's, becomes an error too.
pub(crate) fn parse_contained(parser: &Parser, document: &Document) -> Result<Value, ParseError> {
    let parsed = catch_unwind(AssertUnwindSafe(|| parse(parser, document)));
    parsed.unwrap_or_else(|_| Err(ParseError("a panic".into())))
}

/// The side that is there today: `toml` 0.5.11.
pub(crate) fn legacy(text: &str) -> Result<Value, ParseError> {
    let table: toml_legacy::value::Table = toml_legacy::from_str(text).map_err(|error| ParseError::new(&error))?;
    Ok(plain_legacy(table.into()))
}

/// The side that shall replace it: `toml` 1.
pub(crate) fn new(text: &str) -> Result<Value, ParseError> {
    let table: toml::Table = toml::from_str(text).map_err(|error| ParseError::new(&error.message()))?;
    Ok(plain_new(table.into()))
}

/// Why a document is not TOML, without the position: equal reasons count together.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct ParseError(String);

impl ParseError {
    fn new(error: &impl ToString) -> Self {
        let text = error.to_string();
        Self(text.split(" at line ").next().unwrap_or_default().to_owned())
    }
}

/// One mapping for both versions: their `Value`s are of different types, but have the same variants.
///
/// A date or time becomes its own text, and so do NaN and the infinities, for which JSON has no numbers. An integer
/// beyond 64 bits does not get here: each version refuses it or not in its own way.
macro_rules! mapping {
    ($name:ident, $toml:ident) => {
        fn $name(value: $toml::Value) -> Value {
            match value {
                $toml::Value::String(text) => text.into(),
                $toml::Value::Integer(number) => number.into(),
                $toml::Value::Float(number) => float(number),
                $toml::Value::Boolean(truth) => truth.into(),
                $toml::Value::Datetime(moment) => moment.to_string().into(),
                $toml::Value::Array(elements) => elements.into_iter().map($name).collect(),
                $toml::Value::Table(members) => members.into_iter().map(|(key, value)| (key, $name(value))).collect(),
            }
        }
    };
}

mapping!(plain_legacy, toml_legacy);
mapping!(plain_new, toml);

/// A JSON number, or `nan`, `inf` or `-inf` as text.
pub(crate) fn float(number: f64) -> Value {
    if number.is_nan() {
        return "nan".into();
    }
    serde_json::Number::from_f64(number).map_or_else(|| number.to_string().into(), Value::Number)
}
