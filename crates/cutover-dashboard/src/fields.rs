//! The fields of a body, before anybody asks which command they are of.

use std::borrow::Cow;

use cutover::store::{Author, Reason};
use cutover::{Percentage, SystemMode};
use serde::Deserialize;
use serde_json::Value;

use crate::command::{CommandError, Format, MAX_BODY, Seen};

/// What a body said. Numbers of a form are read as they are of JSON.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Fields {
    epoch: Option<u64>,
    etag: Option<String>,
    reason: Option<String>,
    confirm: Option<String>,
    mode: Option<String>,
    percent: Option<f64>,
    step: Option<String>,
}

impl Fields {
    pub(crate) fn read(format: Format, body: &[u8]) -> Result<Self, CommandError> {
        if body.len() > MAX_BODY {
            return Err(CommandError::TooLong);
        }
        match format {
            Format::Form => Self::of_form(body),
            Format::Json => serde_json::from_slice(body)
                .map_err(|error| CommandError::Json { line: error.line(), column: error.column() }),
        }
    }

    fn of_form(body: &[u8]) -> Result<Self, CommandError> {
        let mut fields = Self::default();
        for (name, text) in form_urlencoded::parse(body) {
            let text = text.into_owned();
            match &*name {
                "epoch" => put(&mut fields.epoch, number(&text, "epoch", EPOCH)?)?,
                "etag" => put(&mut fields.etag, text)?,
                "reason" => put(&mut fields.reason, text)?,
                "confirm" => put(&mut fields.confirm, text)?,
                "mode" => put(&mut fields.mode, text)?,
                "percent" if text.trim().is_empty() => {}
                "percent" => put(&mut fields.percent, number(&text, "percent", PERCENT)?)?,
                "step" => put(&mut fields.step, text)?,
                _ => return Err(CommandError::Form),
            }
        }
        Ok(fields)
    }

    /// Whether all that was said belongs to the command.
    pub(crate) fn check_allowed(&self, command: &'static str) -> Result<(), CommandError> {
        let said = [
            ("mode", self.mode.is_some(), ["mode"].as_slice()),
            ("percent", self.percent.is_some(), &["rollout", "shadow-share"]),
            ("step", self.step.is_some(), &["approve", "acknowledge"]),
        ];
        let foreign = said.into_iter().find(|(_, said, of)| *said && !of.contains(&command));
        foreign.map_or(Ok(()), |(field, ..)| Err(CommandError::NotTaken { command, field }))
    }

    pub(crate) fn seen(&self) -> Result<Seen, CommandError> {
        let epoch = self.epoch.ok_or(CommandError::Missing { field: "epoch" })?;
        let etag = self.etag.as_deref().ok_or(CommandError::Missing { field: "etag" })?;
        let etag = if etag.is_empty() && epoch == 0 { None } else { Some(hex(etag)?) };
        Ok(Seen { epoch, etag })
    }

    pub(crate) fn reason(&self) -> Result<Reason, CommandError> {
        self.reason.as_deref().unwrap_or_default().trim().parse().map_err(|_| CommandError::Reason)
    }

    /// What was typed, as far as it may be the name of a migration.
    pub(crate) fn confirm(&self) -> Result<Option<String>, CommandError> {
        let named = self.confirm.as_ref().is_none_or(|typed| is_short(typed));
        let refused = CommandError::Value { field: "confirm", allowed: "the name of the migration" };
        named.then(|| self.confirm.clone()).ok_or(refused)
    }

    pub(crate) fn mode(&self) -> Result<SystemMode, CommandError> {
        let mode = self.mode.as_deref().ok_or(CommandError::Missing { field: "mode" })?;
        mode.parse().map_err(|_| CommandError::Value { field: "mode", allowed: MODES })
    }

    pub(crate) fn percent(&self) -> Result<Option<Percentage>, CommandError> {
        let refused = |_| CommandError::Value { field: "percent", allowed: PERCENT };
        self.percent.map(|percent| Percentage::new(percent).map_err(refused)).transpose()
    }

    /// The name of a step, as far as it may be one: the plan says whether it has it.
    pub(crate) fn step(&self) -> Result<String, CommandError> {
        let step = self.step.clone().ok_or(CommandError::Missing { field: "step" })?;
        let named = !step.is_empty() && is_short(&step);
        named.then_some(step).ok_or(CommandError::Value { field: "step", allowed: "the name of a step of the plan" })
    }
}

/// The text of a field in a body that may be cut, broken or no body of a command at all.
fn loosely(format: Format, body: &[u8], name: &str) -> Option<String> {
    match format {
        Format::Form => form_urlencoded::parse(body).find(|(of, _)| of == name).map(|(_, text)| text.into_owned()),
        Format::Json => match serde_json::from_slice::<Value>(body) {
            Ok(whole) => whole.get(name)?.as_str().map(ToOwned::to_owned),
            Err(_) => loosely_of_json(&String::from_utf8_lossy(body), name),
        },
    }
}

/// Within a text of JSON a quotation mark never stands without a backslash, so that what is found is a field.
fn loosely_of_json(body: &str, name: &str) -> Option<String> {
    let value = |rest: &str| {
        let value = rest.trim_start().strip_prefix(':')?;
        let closed = [Cow::Borrowed(value), Cow::Owned(format!("{value}\""))];
        closed.iter().find_map(|value| String::deserialize(&mut serde_json::Deserializer::from_str(value)).ok())
    };
    body.split(&format!("\"{name}\"")).skip(1).find_map(value)
}

/// Whether the body of the command `mode` asks for an emergency, whatever else is wrong with it.
pub(crate) fn asks_for_emergency(format: Format, body: &[u8]) -> bool {
    let mode = loosely(format, body, "mode").and_then(|mode| mode.parse().ok());
    mode == Some(SystemMode::EmergencyRollback)
}

/// The reason of an emergency, as far as the body gives one: nothing stands in its way.
pub(crate) fn emergency_reason(format: Format, body: &[u8]) -> Reason {
    let given = loosely(format, body, "reason").filter(|reason| !reason.trim().is_empty());
    Author::for_emergency("", given.as_deref().unwrap_or(NO_REASON)).reason
}

/// What the audit says when an emergency came without a reason.
const NO_REASON: &str = "from the dashboard";

/// Whether it is no longer than names are, and has no control characters.
fn is_short(text: &str) -> bool {
    text.len() <= 64 && !text.chars().any(char::is_control)
}

/// Once only.
fn put<T>(place: &mut Option<T>, value: T) -> Result<(), CommandError> {
    place.replace(value).map_or(Ok(()), |_| Err(CommandError::Form))
}

fn number<T: std::str::FromStr>(text: &str, field: &'static str, allowed: &'static str) -> Result<T, CommandError> {
    text.trim().parse().map_err(|_| CommandError::Value { field, allowed })
}

fn hex(text: &str) -> Result<u128, CommandError> {
    let digits = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let bits = digits.then(|| u128::from_str_radix(text, 16).ok()).flatten();
    bits.ok_or(CommandError::Value {
        field: "etag",
        allowed: "32 hexadecimal digits, or nothing where nothing is stored",
    })
}

const EPOCH: &str = "a whole number from 0";
const PERCENT: &str = "a number from 0 to 100";
const MODES: &str = "legacy_only, parallel, gradual_rollout, new_only, emergency_rollback";
