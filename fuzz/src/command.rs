//! `cutover_dashboard::command::decode`. Not a module of this library, which the main crate's test of seeds includes.

use cutover::SystemMode;
use cutover_dashboard::command::{Command, CommandError, Format, MAX_BODY, Order, PlanCommand, decode};
use serde_json::{Value, json};

/// Reads `input` as every command in both formats, and checks what holds for whatever it is.
pub fn check(input: &[u8]) {
    for name in Command::NAMES.into_iter().chain(["", "Pause", "pause ", "emergency/"]) {
        for format in [Format::Form, Format::Json] {
            match decode(name, format, input) {
                Ok(order) => check_order(&order, name, input),
                Err(error) => check_refusal(error, name, input),
            }
        }
    }
}

fn check_order(order: &Order, name: &str, input: &[u8]) {
    assert!(Command::NAMES.contains(&name));
    if order.command == Command::Emergency {
        assert!(matches!(name, "emergency" | "mode"));
    } else {
        assert_eq!(order.command.name(), name);
        assert!(input.len() <= MAX_BODY || !order.command.demand().expects);
    }
    assert!(order.command != Command::Mode(SystemMode::EmergencyRollback));
    let reason = order.reason.as_str();
    assert!((1..=1024).contains(&reason.len()) && !reason.chars().any(char::is_control));
    assert_eq!(order.seen.is_some(), order.command.demand().expects);
    assert!(order.seen.is_none_or(|seen| seen.epoch == 0 || seen.etag.is_some()));
    let again = decode(order.command.name(), Format::Json, written(order).to_string().as_bytes());
    assert_eq!(again.as_ref(), Ok(order));
}

/// The order as JSON.
fn written(order: &Order) -> Value {
    let mut fields = json!({ "reason": order.reason.as_str() });
    let mut put = |name: &str, value: Value| fields[name] = value;
    if let Some(seen) = order.seen {
        put("epoch", json!(seen.epoch));
        put("etag", json!(seen.etag.map(|etag| format!("{etag:032x}")).unwrap_or_default()));
    }
    if let Some(confirm) = &order.confirm {
        put("confirm", json!(confirm));
    }
    match &order.command {
        Command::Mode(mode) => put("mode", json!(mode.name())),
        Command::Rollout(percent) => put("percent", json!(percent.percent())),
        Command::ShadowShare(percent) => put("percent", json!(percent.map(cutover::Percentage::percent))),
        Command::Plan(PlanCommand::Approve(step) | PlanCommand::Acknowledge(step)) => put("step", json!(step)),
        _ => {}
    }
    fields
}

fn check_refusal(error: CommandError, name: &str, input: &[u8]) {
    assert!(!matches!(name, "emergency" | "abort"), "nothing stands in the way of an emergency: {error}");
    let known = Command::NAMES.contains(&name);
    assert_eq!(error == CommandError::UnknownCommand, !known);
    assert_eq!(error == CommandError::TooLong, known && input.len() > MAX_BODY);
    // It is `Copy`, so that it holds nothing of the input but numbers.
    let text = error.to_string();
    assert!(text.len() <= 300 && !text.chars().any(char::is_control), "{text}");
}
