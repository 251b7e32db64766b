//! The two sides of every call that is measured.

use std::hint::black_box;

pub(crate) type Answer = Result<u64, String>;

pub(crate) const KEY: &[u8; 16] = b"0123456789abcdef";

/// Answers at once.
pub(crate) async fn side(value: u64) -> Answer {
    Ok(black_box(value))
}

/// The same, without async.
#[expect(clippy::unnecessary_wraps, reason = "stands for a call that may fail")]
pub(crate) fn closure(value: u64) -> Answer {
    Ok(black_box(value))
}
