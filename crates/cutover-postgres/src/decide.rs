//! What a stored claim says to a call: pure.

use std::time::Duration;

use cutover::store::{ClaimError, ClaimRecord, ClaimRequest, ClaimState, Grant, Record};

/// What was found about an item, at one moment.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) current: Option<Record>,
    /// Whether the migration has a row to lock.
    pub(crate) has_row: bool,
    pub(crate) claim: Option<Stored>,
}

/// A stored claim, and the request that it was granted to.
#[derive(Debug)]
pub(crate) struct Stored {
    pub(crate) record: ClaimRecord,
    pub(crate) op_id: u128,
}

/// What to do about a claim that was not granted.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// This request holds the item since an earlier try.
    Granted(Grant),
    /// Make a row to lock, and try again.
    StandIn,
    /// It was refused because of something that has passed: try again.
    Again,
}

impl Found {
    pub(crate) fn next(self, request: &ClaimRequest) -> Result<Next, ClaimError> {
        if !request.expect.matches(self.current.as_ref()) {
            return Err(ClaimError::other_record(self.current));
        }
        if let Some(Stored { record, op_id }) = self.claim {
            match record.state {
                ClaimState::Completed => return Err(ClaimError::Completed),
                ClaimState::Held { remaining } if op_id == request.op_id => {
                    return Ok(Next::Granted(Grant { token: record.token, remaining }));
                }
                ClaimState::Held { remaining } => return Err(ClaimError::Held { remaining }),
                ClaimState::Expired { .. } | ClaimState::Released => {}
            }
        }
        Ok(if self.has_row { Next::Again } else { Next::StandIn })
    }
}

/// Whether a claim that could not be ended as `end` by `token` has been ended by it before.
pub(crate) fn ended_before(claim: Option<&Stored>, token: u64, end: ClaimState) -> Result<(), ClaimError> {
    match claim.map(|claim| &claim.record) {
        Some(record) if record.token == token && record.state == end => Ok(()),
        claim => Err(lost(claim, token)),
    }
}

/// Why `token` does not hold an item.
pub(crate) fn lost(claim: Option<&ClaimRecord>, token: u64) -> ClaimError {
    match claim.map(|claim| claim.state) {
        Some(ClaimState::Completed) => ClaimError::Completed,
        _ => ClaimError::Lost { token },
    }
}

/// Where a claim stands whose lease lasts for so many microseconds more.
pub(crate) fn state(name: &str, micros: i64) -> Option<ClaimState> {
    let time = Duration::from_micros(micros.unsigned_abs());
    match name {
        "held" if micros > 0 => Some(ClaimState::Held { remaining: time }),
        "held" => Some(ClaimState::Expired { ago: time }),
        "released" => Some(ClaimState::Released),
        "completed" => Some(ClaimState::Completed),
        _ => None,
    }
}

/// The whole milliseconds of a lease, which no clock of PostgreSQL can overflow: at most a thousand years.
pub(crate) fn millis(ttl: Duration) -> i64 {
    const LONGEST: i64 = 1000 * 365 * 24 * 3600 * 1000;
    i64::try_from(ttl.as_millis()).unwrap_or(LONGEST).min(LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_ends_at_its_last_microsecond() {
        let micro = Duration::from_micros(1);
        assert_eq!(state("held", 1), Some(ClaimState::Held { remaining: micro }));
        assert_eq!(state("held", 0), Some(ClaimState::Expired { ago: Duration::ZERO }));
        assert_eq!(state("held", -1), Some(ClaimState::Expired { ago: micro }));
        assert_eq!(state("completed", -1), Some(ClaimState::Completed));
        assert_eq!(state("lost", 1), None);
    }

    #[test]
    fn no_lease_is_too_long_for_the_server() {
        assert_eq!(millis(Duration::from_micros(1999)), 1);
        assert_eq!(millis(Duration::MAX), 31_536_000_000_000);
    }
}
