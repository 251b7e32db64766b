//! Promise: the hash agrees, bucket for bucket, with an independent implementation of `sip13-v1`.
//!
//! `scripts/bucketing_vectors.py` wrote the vectors.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test")]

use cutover::bucket::{ALGORITHM, BucketHasher, Domain, ppm_of};
use cutover::{BucketKey, Percentage};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    algorithm: String,
    salt: String,
    domain: String,
    kind: String,
    key: String,
    bucket: String,
    ppm: u32,
}

#[test]
fn every_vector_gets_its_bucket() {
    let rows = rows();
    assert!(rows.len() >= 200, "{} rows", rows.len());
    for row in rows {
        let key = unhex(&row.key);
        let bucket = BucketHasher::new(&row.salt, domain(&row.domain)).bucket(typed(&row.kind, &key));
        let name = format!("{} {:.20} {} {:.80}", row.domain, row.salt, row.kind, row.key);
        assert_eq!(row.algorithm, ALGORITHM);
        assert_eq!(bucket.map(|bucket| bucket.to_string()), Some(row.bucket), "{name}");
        assert_eq!(bucket.map(ppm_of), Some(row.ppm), "{name}");
    }
}

#[test]
fn a_share_contains_a_vector_from_just_above_its_ppm() {
    for row in rows() {
        let bucket = row.bucket.parse().unwrap();
        assert!(!Percentage::from_ppm(row.ppm).unwrap().contains(bucket), "{row:?}", row = row.bucket);
        assert!(Percentage::from_ppm(row.ppm + 1).unwrap().contains(bucket), "{row:?}", row = row.bucket);
    }
}

#[test]
fn the_vectors_cover_the_boundaries() {
    let rows = rows();
    let has = |kind: &str, length: usize| rows.iter().any(|row| row.kind == kind && row.key.len() == 2 * length);
    assert!(
        [0, 7, 8, 9, 62, 63, 64, 65, 10_000]
            .into_iter()
            .all(|length| has("str", length) && (length == 0 || has("bytes", length)))
    );
    for (kind, key) in [("u64", "00"), ("u64", "ff"), ("u128", "ff"), ("uuid", "00"), ("uuid", "ff")] {
        let bytes = if kind == "u64" { 8 } else { 16 };
        assert!(rows.iter().any(|row| row.kind == kind && row.key == key.repeat(bytes)), "{kind} {key}");
    }
    assert!(rows.iter().any(|row| row.salt.is_empty()) && rows.iter().any(|row| !row.salt.is_ascii()));
}

fn rows() -> Vec<Row> {
    serde_json::from_str(include_str!("vectors/bucketing.json")).unwrap()
}

fn domain(name: &str) -> Domain {
    match name {
        "rollout" => Domain::Rollout,
        "shadow" => Domain::Shadow,
        "variants" => Domain::Variants,
        _ => panic!("{name}"),
    }
}

fn typed<'a>(kind: &str, key: &'a [u8]) -> BucketKey<'a> {
    match kind {
        "str" => std::str::from_utf8(key).unwrap().into(),
        "bytes" => key.into(),
        "u64" => u64::from_le_bytes(key.try_into().unwrap()).into(),
        "u128" => u128::from_le_bytes(key.try_into().unwrap()).into(),
        "uuid" => BucketKey::Uuid(key.try_into().unwrap()),
        _ => panic!("{kind}"),
    }
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}
