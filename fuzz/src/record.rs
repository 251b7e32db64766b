//! `Record::from_json`.

use cutover::StoreError;
use cutover::store::{Expect, Record};

use super::refusal::{check_store, padded};

/// Reads `input`, and checks what holds for whatever it is.
pub fn check(input: &[u8]) {
    match Record::from_json(input) {
        Ok(record) => check_read(&record, input),
        Err(error) => check_store(&error, input),
    }
}

fn check_read(record: &Record, input: &[u8]) {
    assert!(input.len() <= Record::MAX_BYTES);
    assert!(record.format <= Record::FORMAT && record.check_format().is_ok());
    check_written_again(record);
    assert!(Expect::of(Some(record)).matches(Some(record)));
    let settings = record.settings();
    assert_eq!(settings, settings.entering(settings.mode));

    assert_eq!(Record::from_json(&padded(input, Record::MAX_BYTES)).ok().as_ref(), Some(record));
    let too_long = Record::from_json(&padded(input, Record::MAX_BYTES + 1));
    assert!(matches!(too_long, Err(StoreError::TooLarge { .. })));
}

/// What is written is read as the same record.
pub(crate) fn check_written_again(record: &Record) {
    let written = record.to_json().expect("a record can be written");
    let read = Record::from_json(written.as_bytes()).expect("what was written can be read");
    assert_eq!(read, *record);
    assert_eq!(read.to_json().ok(), Some(written));
}
