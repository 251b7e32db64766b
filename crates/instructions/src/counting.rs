//! Counts with valgrind.

use std::io;
use std::path::Path;
use std::process::{Command, ExitStatus, Output};

use thiserror::Error;

use crate::calls::Call;

/// How many calls the shorter of two runs makes.
const CALLS: u64 = 5_000;

/// Why a call could not be counted.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CountError {
    /// There is no valgrind, or it could not be started.
    #[error("valgrind could not be started; `bash scripts/install-test-servers.sh` installs it on Debian and Ubuntu")]
    NoValgrind(#[source] io::Error),
    /// valgrind, or the program below it, failed.
    #[error("counting `{call}` failed ({status}):\n{told}")]
    Failed {
        /// What was counted.
        call: &'static str,
        /// How valgrind ended.
        status: ExitStatus,
        /// What it said.
        told: String,
    },
    /// valgrind counted nothing, or said nothing of it.
    #[error("valgrind says nothing of the instructions of `{call}`:\n{told}")]
    NoCount {
        /// What was counted.
        call: &'static str,
        /// What it said.
        told: String,
    },
}

/// Which copying of memory the C library takes depends on the processor; this leaves the one that all x86-64 processors have.
const ANY_PROCESSOR: (&str, &str) =
    ("GLIBC_TUNABLES", "glibc.cpu.hwcaps=-AVX_Fast_Unaligned_Load,-AVX2,-AVX512F,-AVX512VL,-ERMS,-FSRM");

/// The instructions of one call: those of `2 N` calls less those of `N`, by `N`. What happens once does not count.
///
/// `program` makes the calls when it is told to by the arguments `counted NAME TIMES`.
///
/// # Errors
/// When valgrind is missing, fails, or counts nothing.
pub fn per_call(program: &Path, call: &Call) -> Result<f64, CountError> {
    let (once, twice) = (collected(program, call, CALLS)?, collected(program, call, 2 * CALLS)?);
    #[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
    Ok(twice.saturating_sub(once) as f64 / CALLS as f64)
}

fn collected(program: &Path, call: &Call, times: u64) -> Result<u64, CountError> {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--toggle-collect=*counted_calls*", "--callgrind-out-file=/dev/null"])
        .arg(program)
        .args(["counted", call.name, &times.to_string()])
        .env(ANY_PROCESSOR.0, ANY_PROCESSOR.1)
        .output()
        .map_err(CountError::NoValgrind)?;
    let told = told_by(call, &output)?;
    count_in(&told).filter(|&count| count > 0).ok_or(CountError::NoCount { call: call.name, told })
}

fn told_by(call: &Call, output: &Output) -> Result<String, CountError> {
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    if output.status.success() {
        Ok(told)
    } else {
        Err(CountError::Failed { call: call.name, status: output.status, told })
    }
}

/// Reads `==17== Collected : 1234`.
fn count_in(told: &str) -> Option<u64> {
    told.lines().find_map(|line| line.split_once("Collected :")?.1.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use super::count_in;

    #[test]
    fn the_count_is_the_number_behind_collected() {
        assert_eq!(count_in("==17== Events    : Ir\n==17== Collected : 1234\n==17==\n"), Some(1_234));
        assert_eq!(count_in("==17== Events    : Ir\n"), None);
    }
}
