//! How a [`Problem`] is made from what was refused.

use std::fmt;

use cutover::ChangeError;
use cutover::control::Doubt;
use cutover::plan::OperateError;
use cutover::store::StoreError;

use crate::command::CommandError;
use crate::view::Problem;

impl Problem {
    pub(crate) fn new(r#type: &'static str, status: u16, detail: impl Into<String>) -> Self {
        Self { r#type, status, detail: detail.into(), doubt: None }
    }

    pub(crate) fn not_found() -> Self {
        Self::new("not_found", 404, "There is nothing here.")
    }

    pub(crate) fn outdated(seen: u64, present: u64) -> Self {
        let which =
            if seen == present { "another record of that epoch".to_owned() } else { format!("epoch {present}") };
        let detail = format!(
            "The migration has changed: this was decided on epoch {seen}, and {which} holds. \
             Nothing was changed. Look at it again, and decide anew."
        );
        Self::new("outdated", 409, detail)
    }

    pub(crate) fn timeout() -> Self {
        let detail = "It took too long, and was given up. Look at what holds before it is tried again.";
        Self::new("timeout", 503, detail)
    }

    /// A part that the host gave panicked, perhaps while something was being done.
    pub(crate) fn panicked(changes: bool) -> Self {
        let advice = if changes { " Look at what holds before it is tried again." } else { "" };
        Self::new("panic", 500, format!("A part that the dashboard asks panicked.{advice}"))
    }

    fn doubt(doubt: Doubt) -> Self {
        let detail =
            format!("{}. Reconcile before more is exposed to the new side. Nothing was changed.", sentence(&doubt));
        Self { doubt: Some(doubt), ..Self::new("doubt", 409, detail) }
    }
}

/// The text with a capital letter in front.
pub(crate) fn sentence(text: &impl fmt::Display) -> String {
    let text = text.to_string();
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

impl From<CommandError> for Problem {
    fn from(error: CommandError) -> Self {
        let by_kind = [(CommandError::UnknownCommand, 404), (CommandError::TooLong, 413)];
        let status = by_kind.into_iter().find(|(kind, _)| *kind == error).map_or(422, |(_, status)| status);
        Self::new("command", status, format!("{}. Nothing was changed.", sentence(&error)))
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        let detail = match error {
            StoreError::OutcomeUnknown(_) => {
                "It is not known whether the store took the change. Look at what holds before it is tried again."
            }
            StoreError::Conflict { .. } => "Others changed the migration. Nothing was changed; try again.",
            StoreError::Corrupt(_) => "What is stored cannot be read. Nothing was changed.",
            StoreError::UnknownFormat(_) => "A newer version wrote what is stored. Nothing was changed.",
            StoreError::TooLarge { .. } => "The change is larger than the store takes. Nothing was changed.",
            StoreError::Denied(_) => "The store denies access. Nothing was changed.",
            StoreError::Unavailable(_) | _ => "The store is not available. Nothing was changed.",
        };
        Self::new("store", 503, detail)
    }
}

impl From<ChangeError> for Problem {
    fn from(error: ChangeError) -> Self {
        let refused = |r#type, error: &dyn fmt::Display| {
            Self::new(r#type, 409, format!("{}. Nothing was changed.", sentence(&error)))
        };
        match error {
            ChangeError::Text(_) => Self::from(CommandError::Reason),
            ChangeError::Transition(error) => refused("transition", &error),
            ChangeError::RolloutFixed { .. } => refused("rollout_fixed", &error),
            ChangeError::InDoubt(doubt) => Self::doubt(doubt),
            ChangeError::Outdated { expected, found } => Self::outdated(expected, found),
            ChangeError::Evidence { .. } => refused("evidence", &error),
            ChangeError::Contended { .. } => Self::new(
                "contended",
                503,
                "Others changed the migration all the time. Nothing was changed; try again.",
            ),
            ChangeError::Store(error) => error.into(),
            ChangeError::Unpersisted | _ => Self::new("refused", 409, "The change was refused. Look at what holds."),
        }
    }
}

impl From<OperateError> for Problem {
    fn from(error: OperateError) -> Self {
        match error {
            OperateError::NoSuchStep { known, .. } => {
                let detail = format!("The plan has no such step; it has {}. Nothing was changed.", known.join(", "));
                Self::new("step", 409, detail)
            }
            OperateError::NotNext { .. } | OperateError::NotNeeded { .. } => {
                Self::new("step", 409, format!("{}. Nothing was changed.", sentence(&error)))
            }
            OperateError::Store(error) => error.into(),
            OperateError::InDoubt(doubt) => Self::doubt(doubt),
            OperateError::Change(error) => error.into(),
            OperateError::Unsettled | _ => {
                Self::new("contended", 503, "The store changed with every reading. Nothing was changed; try again.")
            }
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.detail)
    }
}

impl std::error::Error for Problem {}
