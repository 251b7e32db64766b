//! Under way.

mod pin_file;
mod pins;

pub use pins::{Move, PinError, PinKey, RolloutPins, UPDATE_PINS};
