//! What is asked of a migration: [`Command`], and how it is read from a form or from JSON. Pure.

use cutover::store::Reason;
use cutover::{Percentage, SystemMode};

use crate::Role;
use crate::fields::{Fields, asks_for_emergency, emergency_reason};

/// What can be asked of a migration.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Command {
    /// Another mode. One to `EmergencyRollback` is read as an [`Emergency`](Self::Emergency).
    Mode(SystemMode),
    /// Another rollout.
    Rollout(Percentage),
    /// Another shadow share; `None` for the default of the mode.
    ShadowShare(Option<Percentage>),
    /// Everything to legacy, now.
    Emergency,
    /// Something that is said to the plan.
    Plan(PlanCommand),
    /// What this process knows is stored over what the store has lost.
    Reconcile,
    /// All discrepancies are forgotten.
    ClearDiscrepancies,
    /// What the guard found is answered, and it begins anew.
    BeginAnew,
}

/// What can be said to a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum PlanCommand {
    /// Its next step is allowed.
    Approve(String),
    /// Its next step is known to be forward only.
    Acknowledge(String),
    /// It waits.
    Pause,
    /// It goes on.
    Resume,
    /// It begins anew.
    Restart,
    /// It ends, with an emergency.
    Abort,
}

/// What a [`Command`] takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Demand {
    /// The least role.
    pub role: Role,
    /// Whether the migration's name has to be typed.
    pub confirm: bool,
    /// Whether it is refused on another record than the one that was seen. Of what is not, nothing but the role stands in the
    /// way: no limit and no body either.
    pub expects: bool,
}

impl Command {
    /// The names, as in paths.
    pub const NAMES: [&'static str; 13] = [
        "mode",
        "rollout",
        "shadow-share",
        "emergency",
        "approve",
        "acknowledge",
        "pause",
        "resume",
        "restart",
        "abort",
        "reconcile",
        "clear-discrepancies",
        "begin-anew",
    ];

    /// The name, as in paths.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Mode(_) => "mode",
            Self::Rollout(_) => "rollout",
            Self::ShadowShare(_) => "shadow-share",
            Self::Emergency => "emergency",
            Self::Plan(said) => said.name(),
            Self::Reconcile => "reconcile",
            Self::ClearDiscrepancies => "clear-discrepancies",
            Self::BeginAnew => "begin-anew",
        }
    }

    /// The table: who may, whether the name has to be typed, and whether it holds on the record that was seen alone.
    #[must_use]
    pub const fn demand(&self) -> Demand {
        let operate = Demand { role: Role::Operate, confirm: false, expects: true };
        let guarded = Demand { role: Role::Override, confirm: true, expects: true };
        let always = Demand { role: Role::Operate, confirm: false, expects: false };
        match self {
            Self::Emergency | Self::Mode(SystemMode::EmergencyRollback) | Self::Plan(PlanCommand::Abort) => always,
            Self::Mode(SystemMode::NewOnly)
            | Self::Plan(PlanCommand::Acknowledge(_))
            | Self::Reconcile
            | Self::ClearDiscrepancies => guarded,
            Self::Mode(_) | Self::Rollout(_) | Self::ShadowShare(_) | Self::Plan(_) | Self::BeginAnew => operate,
        }
    }
}

impl PlanCommand {
    const fn name(&self) -> &'static str {
        match self {
            Self::Approve(_) => "approve",
            Self::Acknowledge(_) => "acknowledge",
            Self::Pause => "pause",
            Self::Resume => "resume",
            Self::Restart => "restart",
            Self::Abort => "abort",
        }
    }
}

/// A [`Command`], with what was said about it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Order {
    /// The command.
    pub command: Command,
    /// The record that was seen; `None` where that does not matter.
    pub seen: Option<Seen>,
    /// Why. That of an emergency is as the audit has it: with its beginning, and cut and marked where it is too long.
    pub reason: Reason,
    /// What was typed as the migration's name.
    pub confirm: Option<String>,
}

/// A record that somebody saw.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Seen {
    /// Its epoch; 0 if nothing was stored.
    pub epoch: u64,
    /// Its etag; `None` if nothing was stored.
    pub etag: Option<u128>,
}

/// How a body is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "these are the two that are taken")]
pub enum Format {
    /// `application/x-www-form-urlencoded`.
    Form,
    /// `application/json`.
    Json,
}

/// The longest body: 16 KiB.
pub const MAX_BODY: usize = 16 * 1024;

/// Reads the body of the command `name`.
///
/// An emergency is read from any body: nothing stands in its way. So are `abort`, which is one, and `mode` with
/// `emergency_rollback`, which is an [`Emergency`](Command::Emergency) by another name.
///
/// ```
/// use cutover_dashboard::command::{Command, Format, PlanCommand, decode};
///
/// let order = decode("pause", Format::Form, b"epoch=0&etag=&reason=a+look+first")?;
/// assert_eq!((order.command, order.reason.as_str()), (Command::Plan(PlanCommand::Pause), "a look first"));
/// for (name, body) in [("emergency", "{"), ("mode", "{\"mode\": \"emergency_rollback\", \"reason\": 7")] {
///     assert_eq!(decode(name, Format::Json, body.as_bytes())?.command, Command::Emergency);
/// }
/// # Ok::<(), cutover_dashboard::command::CommandError>(())
/// ```
///
/// # Errors
/// [`CommandError`], which never repeats anything of the body.
pub fn decode(name: &str, format: Format, body: &[u8]) -> Result<Order, CommandError> {
    if let Some(command) = always(name, format, body) {
        return Ok(Order { command, seen: None, reason: emergency_reason(format, body), confirm: None });
    }
    let name = Command::NAMES.into_iter().find(|known| *known == name).ok_or(CommandError::UnknownCommand)?;
    let fields = Fields::read(format, body)?;
    fields.check_allowed(name)?;
    Ok(Order {
        command: command(name, &fields)?,
        seen: Some(fields.seen()?),
        reason: fields.reason()?,
        confirm: fields.confirm()?,
    })
}

/// What is carried out whatever its body says.
fn always(name: &str, format: Format, body: &[u8]) -> Option<Command> {
    match name {
        "emergency" => Some(Command::Emergency),
        "mode" if asks_for_emergency(format, body) => Some(Command::Emergency),
        "abort" => Some(Command::Plan(PlanCommand::Abort)),
        _ => None,
    }
}

fn command(name: &str, fields: &Fields) -> Result<Command, CommandError> {
    Ok(match name {
        "mode" => Command::Mode(fields.mode()?),
        "rollout" => Command::Rollout(fields.percent()?.ok_or(CommandError::Missing { field: "percent" })?),
        "shadow-share" => Command::ShadowShare(fields.percent()?),
        "approve" => Command::Plan(PlanCommand::Approve(fields.step()?)),
        "acknowledge" => Command::Plan(PlanCommand::Acknowledge(fields.step()?)),
        "pause" => Command::Plan(PlanCommand::Pause),
        "resume" => Command::Plan(PlanCommand::Resume),
        "restart" => Command::Plan(PlanCommand::Restart),
        "reconcile" => Command::Reconcile,
        "clear-discrepancies" => Command::ClearDiscrepancies,
        "begin-anew" => Command::BeginAnew,
        _ => return Err(CommandError::UnknownCommand),
    })
}

/// A body says no command. It holds nothing of the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CommandError {
    /// There is no command of that name.
    #[error("there is no such command; there are {}", Command::NAMES.join(", "))]
    UnknownCommand,
    /// The body is longer than [`MAX_BODY`].
    #[error("the body has more than {MAX_BODY} bytes")]
    TooLong,
    /// The body is no JSON object of known fields.
    #[error(
        "the body is no JSON object with the fields of a command, each at most once (line {line}, column {column})"
    )]
    Json {
        /// The line in which that shows, from 1.
        line: usize,
        /// The column.
        column: usize,
    },
    /// The body is no form of known fields.
    #[error("the form has other fields than those of a command, or one of them twice")]
    Form,
    /// A field is missing.
    #[error("the field `{field}` is missing")]
    Missing {
        /// Which one.
        field: &'static str,
    },
    /// The command has no such field.
    #[error("the command {command} takes no field `{field}`")]
    NotTaken {
        /// Which command.
        command: &'static str,
        /// Which field.
        field: &'static str,
    },
    /// A field is not what it should be.
    #[error("the field `{field}` is not what it should be; allowed: {allowed}")]
    Value {
        /// Which one.
        field: &'static str,
        /// What is allowed.
        allowed: &'static str,
    },
    /// The reason is missing or not allowed.
    #[error("a reason is needed; allowed: 1 to 1024 bytes, not blank, without control characters")]
    Reason,
}
