//! [`Fault`]: what Redis said, without anything that it may have repeated of a command, such as a password.

use std::error::Error;
use std::io;
use std::sync::Arc;

use cutover::store::StoreError;
use redis::{ErrorKind, RedisError};

/// Why Redis did not do what was asked: codes and kinds only, since its texts may quote commands.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Fault {
    #[error("Redis refused with {code}")]
    Refused { code: String },
    #[error("Redis does not know the command or the script; Redis 7.0 or newer is needed")]
    NoScripts,
    #[error("a key holds another type than belongs there")]
    WrongType,
    #[error("the connection to Redis failed: {0}")]
    Connection(io::ErrorKind),
    #[error("Redis did not answer in time")]
    TimedOut,
    #[error("Redis did not accept the credentials")]
    Credentials,
    #[error("Redis gave an answer that is not understood")]
    NotUnderstood,
    #[error("the Redis client failed: {0:?}")]
    Client(ErrorKind),
    #[error("{reached} replicas have the write, {least} were asked for; the primary has it")]
    TooFewReplicas { reached: usize, least: usize },
    #[error("the audit entry of the operation is gone")]
    EntryGone,
    #[error("the record says another epoch or etag than its key does")]
    RecordsDiffer,
    #[error("`{0}` is missing or not readable")]
    Field(&'static str),
}

/// The error of a call that stores nothing.
pub(crate) fn of_read(error: &RedisError) -> StoreError {
    let fault = fault(error);
    match means(error, &fault) {
        Meaning::Refused | Meaning::Unanswered => StoreError::unavailable(fault),
        Meaning::Corrupt | Meaning::NotUnderstood => StoreError::corrupt(fault),
        Meaning::Denied => StoreError::Denied(fault.into()),
    }
}

/// The error of a call that may have stored something.
pub(crate) fn of_write(error: &RedisError) -> StoreError {
    let fault = fault(error);
    match means(error, &fault) {
        Meaning::Refused => StoreError::unavailable(fault),
        Meaning::Unanswered | Meaning::NotUnderstood => StoreError::outcome_unknown(fault),
        Meaning::Corrupt => StoreError::corrupt(fault),
        Meaning::Denied => StoreError::Denied(fault.into()),
    }
}

/// What an error says about the call. Only the last two leave open whether something was stored.
enum Meaning {
    Refused,
    Denied,
    Corrupt,
    NotUnderstood,
    Unanswered,
}

fn means(error: &RedisError, fault: &Fault) -> Meaning {
    let code = error.code().unwrap_or_default();
    if *fault == Fault::Credentials || DENIALS.contains(&code) {
        return Meaning::Denied;
    }
    if *fault == Fault::NoScripts || REFUSALS.contains(&code) || error.is_connection_refusal() {
        return Meaning::Refused;
    }
    if *fault == Fault::WrongType {
        return Meaning::Corrupt;
    }
    if *fault == Fault::NotUnderstood { Meaning::NotUnderstood } else { Meaning::Unanswered }
}

/// Codes with which Redis refuses a caller.
const DENIALS: [&str; 4] = ["NOPERM", "NOAUTH", "WRONGPASS", "DENIED"];

/// Codes with which Redis refuses a command before it does anything.
const REFUSALS: [&str; 14] = [
    "OOM",
    "READONLY",
    "LOADING",
    "MISCONF",
    "NOREPLICAS",
    "MASTERDOWN",
    "CLUSTERDOWN",
    "TRYAGAIN",
    "MOVED",
    "ASK",
    "CROSSSLOT",
    "BUSY",
    "NOSCRIPT",
    "EXECABORT",
];

fn fault(error: &RedisError) -> Fault {
    let kind = error.kind();
    if kind == ErrorKind::AuthenticationFailed {
        return Fault::Credentials;
    }
    if kind == ErrorKind::Io {
        return io_fault(error);
    }
    if matches!(kind, ErrorKind::Parse | ErrorKind::UnexpectedReturnType) {
        return Fault::NotUnderstood;
    }
    error.code().map_or(Fault::Client(kind), |code| server_fault(error, code))
}

fn server_fault(error: &RedisError, code: &str) -> Fault {
    match code {
        "WRONGTYPE" => Fault::WrongType,
        "ERR" if refuses_scripts(error) => Fault::NoScripts,
        code => Fault::Refused { code: printable(code).to_owned() },
    }
}

fn io_fault(error: &RedisError) -> Fault {
    if error.is_timeout() { Fault::TimedOut } else { Fault::Connection(io_kind(error).unwrap_or(io::ErrorKind::Other)) }
}

fn io_kind(error: &RedisError) -> Option<io::ErrorKind> {
    let shared = error.source()?.downcast_ref::<Arc<dyn Error + Send + Sync>>()?;
    shared.downcast_ref::<io::Error>().map(io::Error::kind)
}

fn refuses_scripts(error: &RedisError) -> bool {
    error.detail().is_some_and(|detail| detail.contains("compiling script") || detail.contains("unknown command"))
}

/// Codes are capital letters; anything else is somebody's text.
fn printable(code: &str) -> &str {
    let is_code = (1..=20).contains(&code.len()) && code.bytes().all(|byte| byte.is_ascii_uppercase());
    if is_code { code } else { "an unknown code" }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the driver makes of an error line of the server.
    fn answered(line: &str) -> RedisError {
        let value = redis::parse_redis_value(format!("-{line}\r\n").as_bytes());
        value.and_then(redis::Value::extract_error).unwrap_err()
    }

    #[test]
    fn what_redis_refuses_has_stored_nothing() {
        for code in REFUSALS {
            let error = answered(&format!("{code} some text"));
            assert!(matches!(of_write(&error), StoreError::Unavailable(_)), "{code}");
            assert!(matches!(of_read(&error), StoreError::Unavailable(_)), "{code}");
        }
        for code in DENIALS {
            let error = answered(&format!("{code} some text"));
            assert!(matches!(of_write(&error), StoreError::Denied(_)), "{code}");
            assert!(matches!(of_read(&error), StoreError::Denied(_)), "{code}");
        }
        let wrong_type = answered("WRONGTYPE Operation against a key holding the wrong kind of value");
        assert!(matches!(of_write(&wrong_type), StoreError::Corrupt(_)));
        let old = answered("ERR Error compiling script (new function): user_script:1: unexpected symbol near '#'");
        assert!(matches!(of_write(&old), StoreError::Unavailable(_)));
    }

    #[test]
    fn what_may_have_been_stored_is_unknown_and_a_failed_read_is_not() {
        let broken = |kind: io::ErrorKind| RedisError::from(io::Error::from(kind));
        for error in [
            broken(io::ErrorKind::BrokenPipe),
            broken(io::ErrorKind::ConnectionReset),
            broken(io::ErrorKind::TimedOut),
            answered("ERR something that nobody foresaw"),
            answered("UNKILLABLE whatever"),
        ] {
            assert!(matches!(of_write(&error), StoreError::OutcomeUnknown(_)), "{error:?}");
            assert!(matches!(of_read(&error), StoreError::Unavailable(_)), "{error:?}");
        }
        assert!(matches!(of_write(&broken(io::ErrorKind::ConnectionRefused)), StoreError::Unavailable(_)));
    }

    #[test]
    fn a_fault_names_kinds_and_codes_and_quotes_nothing() {
        let reset = RedisError::from(io::Error::new(io::ErrorKind::ConnectionReset, "redis://app:secret@host"));
        assert_eq!(fault(&reset).to_string(), "the connection to Redis failed: connection reset");
        assert_eq!(fault(&answered("OOM secret")).to_string(), "Redis refused with OOM");
        assert_eq!(fault(&answered("se-cret secret")).to_string(), "Redis refused with an unknown code");
    }
}
