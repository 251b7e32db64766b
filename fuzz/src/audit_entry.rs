//! `AuditEntry::from_json`, and the chain that `AuditVerifier` follows.

use cutover::StoreError;
use cutover::store::{
    AuditEntry, AuditFault, AuditHash, AuditHead, AuditKey, AuditProblem, AuditVerifier, Author, Change, ChangeKind,
    MigrationId, Reason, Stamp,
};

use super::record;
use super::refusal::{check_store, check_texts, padded};

/// Reads `input`, and checks what holds for whatever it is.
pub fn check(input: &[u8]) {
    match AuditEntry::from_json(input) {
        Ok(entry) => check_read(&entry, input),
        Err(error) => check_store(&error, input),
    }
}

fn check_read(entry: &AuditEntry, input: &[u8]) {
    assert!(input.len() <= AuditEntry::MAX_BYTES);
    check_written_again(entry);
    record::check_written_again(&entry.record());
    check_chain(entry, input);
    check_own_chain(entry);

    assert_eq!(AuditEntry::from_json(&padded(input, AuditEntry::MAX_BYTES)).ok().as_ref(), Some(entry));
    let too_long = AuditEntry::from_json(&padded(input, AuditEntry::MAX_BYTES + 1));
    assert!(matches!(too_long, Err(StoreError::TooLarge { .. })));
}

/// What is written is read as the same entry. Numbers may be written longer than they were read.
fn check_written_again(entry: &AuditEntry) {
    match entry.to_json() {
        Ok(written) => {
            assert!(written.len() <= AuditEntry::MAX_BYTES);
            let read = AuditEntry::from_json(written.as_bytes()).expect("what was written can be read");
            assert_eq!(read, *entry);
            assert_eq!(read.to_json().ok(), Some(written));
        }
        Err(StoreError::TooLarge { size, max }) => assert!(size > max && max == AuditEntry::MAX_BYTES),
        Err(error) => panic!("an entry that was read cannot be written: {error:?}"),
    }
}

/// A verifier takes an entry or stays where it was, and never takes an entry of another content too.
fn check_chain(entry: &AuditEntry, input: &[u8]) {
    for mut verifier in [AuditVerifier::new(), AuditVerifier::with_key(key())] {
        match verifier.follow(entry) {
            Ok(()) => {
                assert_eq!((entry.epoch, entry.previous), (1, AuditHash::START));
                assert_eq!(verifier.head(), AuditHead { epoch: 1, hash: entry.hash });
            }
            Err(fault) => {
                assert_eq!((verifier.head(), fault.epoch), (AuditHead::default(), 1));
                check_texts(&fault, input);
            }
        }
    }
}

/// What the core itself writes of such an entry is followed, also after it was read again, and nothing else is. It
/// writes no kind that it does not know.
fn check_own_chain(entry: &AuditEntry) {
    let author = Author::new(entry.actor.as_str(), entry.reason.as_str()).expect("both were read");
    let stamp = Stamp { at: entry.at, etag: entry.etag, op_id: entry.op_id };
    let change = Change::new(None, entry.after, entry.kind, author, stamp).settling(entry.settles);
    let change = match &entry.evidence {
        Some(evidence) => change.with_evidence(evidence.clone()),
        None => change,
    };
    if entry.kind == ChangeKind::Other {
        let unknown = AuditFault::new(1, AuditProblem::UnknownFormat);
        let mut first = change.entry().clone();
        assert_eq!(AuditVerifier::new().follow(&first), Err(unknown));
        first.kind = ChangeKind::Transition;
        assert!(AuditVerifier::new().follow(&first).is_err());
        return;
    }
    for (change, verifier) in
        [(change.clone(), AuditVerifier::new()), (change.with_key(key()), AuditVerifier::with_key(key()))]
    {
        assert_eq!(verifier.clone().follow(change.entry()), Ok(()));
        let Ok(written) = change.entry().to_json() else { continue };
        let mut read = AuditEntry::from_json(written.as_bytes()).expect("what was written can be read");
        assert_eq!(verifier.clone().follow(&read), Ok(()));
        let other = Reason::try_from("another reason than before".to_owned()).expect("it is allowed");
        let changed = std::mem::replace(&mut read.reason, other) != read.reason;
        assert_eq!(verifier.clone().follow(&read).is_err(), changed);
    }
}

fn key() -> AuditKey {
    let id: MigrationId = "search".parse().expect("it is allowed");
    AuditKey::new(b"sixteen bytes or more").expect("it is long enough").of(&id)
}
