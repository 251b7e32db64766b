//! Flags and migrations of [`cutover`] behind the interface of `OpenFeature`: [`CutoverProvider`].
//!
//! A flag of a [`FlagSet`](cutover::FlagSet) and a migration of a [`MigrationController`](cutover::MigrationController) are each
//! a boolean, whether new serves the targeting key, and a string, `new` or `legacy`, which is also the variant. The targeting
//! key is the [`BucketKey`](cutover::BucketKey): an evaluation and a dual run for the same key go the same way. Custom fields
//! of a context change nothing, since no rule of a flag reads any.
//!
//! | for | see |
//! |---|---|
//! | putting flags and migrations behind `OpenFeature` | [`CutoverProvider`], [`CutoverProviderBuilder`] |
//! | asking them without `OpenFeature` | [`CutoverProvider::boolean`], [`CutoverProvider::resolve`], [`Resolution`] |
//! | applications that route by integers or UUIDs | [`KeyForm`] |
//! | what can go wrong | [`ResolveError`], [`AmbiguousName`] |
//! | the defects of `open-feature` 0.3.0 | [`retire`], [`EvaluationFailure`], README.md |
//!
//! # Reasons
//!
//! | reason | a flag | a migration |
//! |---|---|---|
//! | `STATIC` | at 0 % with no allow list, or requiring a flag that is on for nobody | its mode serves everybody from one side, or its rollout is 0 % |
//! | `DEFAULT` | at 0 % with an allow list that does not name the targeting key | never |
//! | `TARGETING_MATCH` | a list names the targeting key, or a required flag is off for it | never |
//! | `SPLIT` | its bucket decided | the mode is `GradualRollout`, and the bucket decided |
//! | `DISABLED` | the kill switch is on | an emergency rollback holds |
//! | `STALE` | never | its store failed, or has not answered for too long |
//!
//! `STATIC` and `DISABLED` mean that no context changes the answer, so that it may be cached by the name alone until the flag
//! or migration changes. What is at 100 % is `SPLIT` for that reason: a call without a key is served by legacy there.
//! `DISABLED` is an answer, legacy, and not the caller's default: that may be new, which an emergency is there to prevent. It
//! outranks `STALE`, because it is on the safe side and because the emergency of this process is certain.
//!
//! # A missing targeting key
//!
//! It is `TARGETING_KEY_MISSING` where the answer may depend on it, and no error where it cannot: with the kill switch on, at
//! 0 %, in every mode but `GradualRollout`, and where [`MissingKey::Random`](cutover::MissingKey::Random) draws a bucket for each
//! call. At 100 % it is an error too: a dual run without a key is served by legacy there, and one with a key by new. A key that
//! is not of the [`KeyForm`] that is set is `INVALID_CONTEXT` in the same cases, and also where a bucket would be drawn.
//!
//! # Flag metadata
//!
//! | name | type | there for | is |
//! |---|---|---|---|
//! | `threshold` | integer | all | the rollout in parts per million |
//! | `bucket` | string | answers for which a targeting key was hashed | its bucket, a decimal number below 2^64 |
//! | `bucket_ppm` | integer | as `bucket` | the bucket in parts per million: it is in the rollout if this is below `threshold` |
//! | `algorithm` | string | as `bucket` | how the bucket was made: `sip13-v1` |
//! | `rule` | string | flags | the [rule](cutover::flag::Rule) that decided, such as `allow_list` |
//! | `mode` | string | migrations | the [mode](cutover::SystemMode), such as `gradual_rollout` |
//! | `epoch` | string | migrations | the epoch of the record that holds, a decimal number below 2^64 |
//! | `stale` | boolean | migrations | whether others may have changed it, as in [`MigrationStatus::stale`](cutover::MigrationStatus::stale) |
//!
//! Names and types never change. Numbers that may be above 2^53 are strings, because readers of JSON round them. The targeting
//! key is in no metadata and no error.

#![cfg_attr(cutover_docsrs, feature(doc_cfg))]

mod answerer;
mod builder;
mod error;
mod key;
mod provider;
mod resolution;
mod retire;

pub use builder::CutoverProviderBuilder;
pub use error::{AmbiguousName, EvaluationFailure, ResolveError};
pub use key::KeyForm;
pub use provider::CutoverProvider;
pub use resolution::{Origin, Reason, Resolution};
pub use retire::retire;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
