//! Checks of what is kept, to the last bit.

use std::time::{Duration, UNIX_EPOCH};

use serde_json::{Value, json};

use super::state::conflict;
use super::violation::{Found, Seen, ensure, judge, same, short};
use super::{StoreFactory, Violation, tools};
use crate::Percentage;
use crate::mode::SystemMode;
use crate::store::{
    AuditKey, AuditVerifier, Author, Change, ChangeKind, Expect, Record, Settings, Stamp, StateStore, StoreError,
};

/// C11: every mode and kind, shares to the millionth, texts that mean something to somebody else, and an entry that changes
/// no settings.
///
/// # Errors
/// [`Violation`] when the law does not hold.
pub async fn values_survive(factory: &dyn StoreFactory) -> Result<(), Violation> {
    judge("values_survive", factory, async {
        let stores = factory.fresh().await?;
        let id = tools::id("values")?;
        let long = ("\u{1f9ea}".repeat(64), "\u{202e}\u{fc}\"".repeat(170));
        let mut texts = TEXTS.to_vec();
        texts.push((&long.0, &long.1));
        let shares = [0, 1, 333_333, 999_999, 1_000_000].map(|ppm| Percentage::from_ppm(ppm).ok());
        let modes = SystemMode::ALL.into_iter().cycle();
        let mut last = None;
        for (number, ((actor, reason), mode)) in texts.into_iter().zip(modes).enumerate() {
            let rollout = shares.into_iter().cycle().nth(number).flatten().unwrap_or_default();
            let shadow_share = shares.into_iter().chain([None]).cycle().nth(number + 3).flatten();
            let at = UNIX_EPOCH + Duration::from_millis(253_402_300_799_999 * u64::from(number % 2 == 0));
            let stamp = Stamp { at, etag: u128::MAX >> number, op_id: u128::MAX << number };
            let kind = ChangeKind::ALL.into_iter().cycle().nth(number).unwrap_or(ChangeKind::Transition);
            let after = Settings { mode, rollout, shadow_share };
            let change = Change::new(last.as_ref(), after, kind, Author::new(actor, reason)?, stamp);
            last = Some(keeps(&*stores.state, &id, last.as_ref(), &change).await?);
        }
        let settings = last.as_ref().map(Record::settings).unwrap_or_default();
        let (op_id, author) = (tools::op(1), Author::new("ana", "the same settings once more")?);
        let stamp = Stamp { at: UNIX_EPOCH, etag: 1, op_id };
        let noted = Change::new(last.as_ref(), settings, ChangeKind::Approval, author, stamp);
        keeps(&*stores.state, &id, last.as_ref(), &noted.with_evidence(json!({ "step": "pilot" }))).await?;
        tools::is_whole(&*stores.state, &id).await.map(drop)
    })
    .await
}

/// Actors and reasons.
const TEXTS: &[(&str, &str)] = &[
    ("ana", "first look"),
    (" ana ", " spaces around "),
    ("'; DROP TABLE records; --", "it's \"quoted\" \\ and $1 ? :name %s {{x}} `y`"),
    ("../../etc/passwd", "{}:*%_[a-z]?#/\\"),
    ("\u{202e}gnp.exe", "<script>alert(1)</script>"),
    ("\u{1f469}\u{200d}\u{1f469}\u{200d}\u{1f467}", "\u{10ffff}\u{1d11e}\u{feff}\u{fffd}"),
    ("e\u{301}", "\u{e9} is not e\u{301}, nor \u{df} SS, nor \u{131} i"),
    ("null", "true"),
    ("0", "1e400"),
    ("NaN", "\u{2028}\u{2029}\u{a0}x"),
];

/// Stores a change and checks that record and entry are read as they were written.
async fn keeps(
    store: &dyn StateStore,
    id: &crate::store::MigrationId,
    before: Option<&Record>,
    change: &Change,
) -> Found<Record> {
    let stored = store.compare_and_swap(id, Expect::of(before), change).await?;
    same("the answer", &stored, change.record())?;
    same("the record", &store.load(id).await?.as_ref(), &Some(change.record()))?;
    let after = change.entry().epoch - 1;
    let entries = store.history(id, after, 2).await?;
    same("the audit entry", &entries.iter().collect(), &vec![change.entry()])?;
    let again = store.compare_and_swap(id, Expect::of(before), change).await?;
    same("the answer to the repeated change", &again, change.record())?;
    Ok(stored)
}

/// C12: epochs above 2^53, which a double cannot tell apart, and numbers of 64 bits.
///
/// # Errors
/// [`Violation`] when the law does not hold.
pub async fn large_numbers_survive(factory: &dyn StoreFactory) -> Result<(), Violation> {
    judge("large_numbers_survive", factory, async {
        let stores = factory.fresh().await?;
        let id = tools::id("large")?;
        let mut before = tools::change(None, 1).record().clone();
        before.epoch = 1 << 53;
        // What the store is given first has the epoch 2^53 + 1.
        let first = tools::change(Some(&before), 2).settling(u64::MAX - 1);
        stores.state.compare_and_swap(&id, Expect::Absent, &first).await?;
        same("the record", &stores.state.load(&id).await?.as_ref(), &Some(first.record()))?;
        let Record { epoch, etag, .. } = *first.record();
        for near in [epoch - 1, epoch + 1] {
            let next = tools::change(Some(first.record()), u128::from(near));
            let refused = stores.state.compare_and_swap(&id, Expect::Exact { epoch: near, etag }, &next).await;
            conflict(refused, Some(first.record())).map_err(|seen| seen.when(&format!("expecting epoch {near}")))?;
        }
        let second = tools::change(Some(first.record()), 3);
        keeps(&*stores.state, &id, Some(first.record()), &second).await?;
        for (after, wanted) in [(epoch - 1, vec![epoch, epoch + 1]), (epoch, vec![epoch + 1]), (epoch + 1, vec![])] {
            let page = stores.state.history(&id, after, 10).await?;
            let epochs: Vec<u64> = page.iter().map(|entry| entry.epoch).collect();
            same(&format!("the epochs after {after}"), &epochs, &wanted)?;
        }
        Ok(())
    })
    .await
}

/// C11, sizes: an entry of exactly the store's limit is kept, one of a byte more is [`StoreError::TooLarge`], and then
/// neither the record nor the entry was stored.
///
/// # Errors
/// [`Violation`] when the law does not hold.
pub async fn what_is_too_large_is_refused_whole(factory: &dyn StoreFactory) -> Result<(), Violation> {
    judge("what_is_too_large_is_refused_whole", factory, async {
        let stores = factory.fresh().await?;
        let id = tools::id("sizes")?;
        let max = factory.limits().max_bytes;
        let mut records: Vec<Record> = Vec::new();
        for number in 0..2 {
            let next = tools::change(records.last(), number);
            let over = stores.state.compare_and_swap(&id, Expect::of(records.last()), &sized(&next, max + 1)).await;
            match over {
                Err(StoreError::TooLarge { .. }) => {}
                other => return Err(Seen::new(format!("the answer to {} bytes is {}", max + 1, short(&other)))),
            }
            tools::holds(&*stores.state, &id, &records).await?;
            records.push(keeps(&*stores.state, &id, records.last(), &sized(&next, max)).await?);
        }
        tools::is_whole(&*stores.state, &id).await.map(drop)
    })
    .await
}

/// The same change with evidence that makes its entry `bytes` long.
fn sized(change: &Change, bytes: usize) -> Change {
    let empty = change.clone().with_evidence(Value::from(""));
    let least = empty.entry().to_json().map_or(0, |json| json.len());
    change.clone().with_evidence(Value::from("x".repeat(bytes.saturating_sub(least))))
}

/// The chain of hashes, with and without a key, over evidence that a careless store writes differently.
///
/// # Errors
/// [`Violation`] when the law does not hold.
pub async fn the_chain_survives(factory: &dyn StoreFactory) -> Result<(), Violation> {
    judge("the_chain_survives", factory, async {
        let stores = factory.fresh().await?;
        let id = tools::id("chain")?;
        let secret = AuditKey::new(b"a secret of the kit").map_err(|error| Seen::new(error.to_string()))?;
        let key = secret.of(&id);
        let keyed = tools::id("keyed-chain")?;
        let mut last = None;
        let mut last_keyed = None;
        for (number, evidence) in evidence().into_iter().enumerate() {
            let change =
                |before: Option<&Record>| tools::change(before, number as u128).with_evidence(evidence.clone());
            last = Some(keeps(&*stores.state, &id, last.as_ref(), &change(last.as_ref())).await?);
            let change = change(last_keyed.as_ref()).with_key(key.clone());
            last_keyed = Some(keeps(&*stores.state, &keyed, last_keyed.as_ref(), &change).await?);
        }
        tools::is_whole(&*stores.state, &id).await?;
        let stores = factory.restart(stores).await?;
        tools::is_whole(&*stores.state, &id).await?;
        let mut verifier = AuditVerifier::with_key(key);
        tools::audit(&*stores.state, &keyed).await?.iter().try_for_each(|entry| verifier.follow(entry))?;
        ensure(verifier.head().epoch == evidence().len() as u64, || "the keyed audit is too short".to_owned())
    })
    .await
}

fn evidence() -> Vec<Value> {
    vec![
        json!({"z": 1, "a": {"z": [], "": {}, "aa": [null, [true, {"b": false, "a": ""}]]}, "B": "b", "b": "B"}),
        json!([0.1, 1.0, 100.0, -0.0, 1e-7, 5e-324, f64::MAX, 123_456_789.123_456_79, 0.300_000_000_000_000_04, 1e21]),
        json!([u64::MAX, i64::MIN, (1_u64 << 53) + 1, 0, -1]),
        json!("\u{0} \u{1f} \u{7f} \u{202e} \u{1f9ea} e\u{301} \u{e9} \u{ffff} \\ \" / \u{2028} </script>"),
        json!({"\u{0}": "\u{0}", "\u{1f9ea}": 1, "e\u{301}": 2, "\u{e9}": 3, "a\"b": 4, "a\\b": 5, "$x": 6, "a.b": 7}),
        json!("2026-01-01T00:00:00Z"),
        json!(""),
        json!({}),
        json!([]),
        json!(false),
        json!(0.0),
        Value::Null,
    ]
}
