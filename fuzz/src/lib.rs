//! What the decoders of `cutover` promise about any input, one module per decoder.
//!
//! The fuzz targets call these with generated inputs, and `tests/fuzz_seeds.rs` of the main crate with the seeds in `corpus`.

pub mod audit_entry;
pub mod claim;
pub mod flag_set;
pub mod record;
mod refusal;
