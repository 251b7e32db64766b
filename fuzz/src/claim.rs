//! `ClaimRecord::from_json`.

use cutover::StoreError;
use cutover::store::ClaimRecord;

use super::refusal::{check_store, padded};

/// Reads `input`, and checks what holds for whatever it is.
pub fn check(input: &[u8]) {
    match ClaimRecord::from_json(input) {
        Ok(claim) => check_read(&claim, input),
        Err(error) => check_store(&error, input),
    }
}

fn check_read(claim: &ClaimRecord, input: &[u8]) {
    assert!(input.len() <= ClaimRecord::MAX_BYTES);
    let written = serde_json::to_vec(claim).expect("a claim can be written");
    let read = ClaimRecord::from_json(&written).expect("what was written can be read");
    assert_eq!(read, *claim);
    assert_eq!(serde_json::to_vec(&read).ok(), Some(written));

    assert_eq!(ClaimRecord::from_json(&padded(input, ClaimRecord::MAX_BYTES)).ok().as_ref(), Some(claim));
    let too_long = ClaimRecord::from_json(&padded(input, ClaimRecord::MAX_BYTES + 1));
    assert!(matches!(too_long, Err(StoreError::TooLarge { .. })));
}
