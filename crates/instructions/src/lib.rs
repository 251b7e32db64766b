//! Counts the instructions of the calls that hosts make most often, and compares them with recorded counts.
//!
//! Times differ from run to run and from machine to machine; instructions, counted by valgrind, do not. See the README of this
//! package for what is counted and what to do when a count grows.

pub mod calls;
pub mod comparison;
pub mod counting;
pub mod record;
