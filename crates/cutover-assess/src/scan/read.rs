//! Reads a file, or says why not.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use crate::skipped::SkipReason;

/// Reads the file at `path` into `buffer`, up to `limit` bytes.
pub(super) fn read(path: &Path, limit: u64, buffer: &mut Vec<u8>) -> Result<(), SkipReason> {
    let size = fill(path, limit, buffer).map_err(|error| SkipReason::Unreadable { problem: error.to_string() })?;
    if size > limit {
        return Err(SkipReason::TooLarge { bytes: size, limit });
    }
    match encoding(buffer) {
        Some(encoding) => Err(SkipReason::Encoding { encoding: encoding.into() }),
        None if is_binary(buffer) => Err(SkipReason::Binary),
        None => Ok(()),
    }
}

/// The size of the file, of which at most one byte more than `limit` is read.
fn fill(path: &Path, limit: u64, buffer: &mut Vec<u8>) -> io::Result<u64> {
    let file = File::open(path)?;
    let size = file.metadata()?.len();
    buffer.clear();
    if size > limit {
        return Ok(size);
    }
    buffer.reserve(usize::try_from(size).unwrap_or_default() + 1);
    file.take(limit.saturating_add(1)).read_to_end(buffer)?;
    Ok(size.max(buffer.len() as u64))
}

fn encoding(bytes: &[u8]) -> Option<&'static str> {
    MARKS.iter().find(|(mark, _)| bytes.starts_with(mark)).map(|&(_, encoding)| encoding)
}

fn is_binary(bytes: &[u8]) -> bool {
    memchr::memchr(0, bytes.get(..8_192).unwrap_or(bytes)).is_some()
}

/// Byte order marks, the longer ones first.
const MARKS: [(&[u8], &str); 4] = [
    (b"\xff\xfe\0\0", "UTF-32LE"),
    (b"\0\0\xfe\xff", "UTF-32BE"),
    (b"\xff\xfe", "UTF-16LE"),
    (b"\xfe\xff", "UTF-16BE"),
];
