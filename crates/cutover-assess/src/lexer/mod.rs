//! [`Language`] by file name, and its [`Segment`]s: code, comments and strings.
//!
//! The lexers know literals and comments, and of the rest only what is needed to find them.

mod c_like;
mod cursor;
mod hash;
mod javascript;
mod jsx;
mod language;
mod python;
mod rust;
mod segment;

pub(crate) use cursor::{BYTE_ORDER_MARK, char_at};
pub use language::Language;
pub use segment::Segment;
pub(crate) use segment::context_at;
