//! The two implementations. Prices: legacy adds decimals and walks through its discounts, new counts whole cents and looks
//! them up. Search: legacy reads every product, new asks an index of words. What they wait for stands for a database.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::LazyLock;
use std::time::Duration;

use cutover::random::{RandomSource, SystemRandom};
use serde::Serialize;

use crate::faults::Faults;

/// What an order costs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Quote {
    order: u64,
    lines: Vec<Line>,
    discount_cents: i64,
    total_cents: i64,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
struct Line {
    sku: String,
    pieces: i64,
    cents: i64,
}

/// What a search finds, by name.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Hits {
    words: String,
    names: Vec<&'static str>,
}

/// There is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NoAnswer(&'static str);

impl fmt::Display for NoAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

fn lines(order: u64) -> Vec<Line> {
    let count = 1 + order % 4;
    let line = |number: u64| {
        let draw = (order * 31 + number * 17) % 97;
        let (sku, pieces) = (format!("A-{draw:02}"), i64::try_from(1 + draw % 5).unwrap_or(1));
        Line { sku, pieces, cents: 199 + i64::try_from(draw).unwrap_or(0) * 85 }
    };
    (0..count).map(line).collect()
}

/// Takes 4 to 12 ms.
pub(crate) async fn legacy_quote(order: u64) -> Result<Quote, NoAnswer> {
    wait(4, 9).await;
    let lines = lines(order);
    #[expect(clippy::cast_precision_loss, reason = "that is what legacy does")]
    let euros: f64 = lines.iter().map(|line| line.pieces as f64 * line.cents as f64 / 100.0).sum();
    let discounts = [(50.0, 0.03), (150.0, 0.05), (300.0, 0.08)];
    let share = discounts.iter().filter(|(from, _)| euros >= *from).map(|(_, share)| *share).next_back().unwrap_or(0.0);
    let discount_cents = cents(euros * share);
    Ok(Quote { order, lines, discount_cents, total_cents: cents(euros) - discount_cents })
}

#[expect(clippy::cast_possible_truncation, reason = "prices of a shop")]
fn cents(euros: f64) -> i64 {
    (euros * 100.0).round() as i64
}

/// Takes 3 to 7 ms. Half a cent is rounded down, which legacy does not do: they disagree now and then.
pub(crate) async fn new_quote(order: u64, faults: &Faults) -> Result<Quote, NoAnswer> {
    work(faults, 3, 5).await?;
    let lines = lines(order);
    let sum: i64 = lines.iter().map(|line| line.pieces * line.cents).sum();
    let percent = match sum {
        ..5_000 => 0,
        5_000..15_000 => 3,
        15_000..30_000 => 5,
        _ => 8,
    };
    let percent = if faults.differs() { percent / 2 } else { percent };
    let discount_cents = (sum * percent + 49) / 100;
    Ok(Quote { order, lines, discount_cents, total_cents: sum - discount_cents })
}

const PRODUCTS: [&str; 12] = [
    "blue enamel mug",
    "blue wool blanket",
    "brass desk lamp",
    "canvas tool bag",
    "cast iron pan",
    "copper kettle",
    "green desk lamp",
    "iron door hook",
    "linen tea towel",
    "oak cutting board",
    "wool socks",
    "yellow enamel mug",
];

const QUERIES: [&str; 8] = ["mug", "blue", "lamp", "iron", "wool", "oak", "desk", "enamel"];

fn query(number: u64) -> &'static str {
    let at = usize::try_from(number % 8).unwrap_or(0);
    QUERIES.get(at).copied().unwrap_or("mug")
}

/// Takes 6 to 14 ms.
pub(crate) async fn legacy_search(number: u64) -> Result<Hits, NoAnswer> {
    wait(6, 9).await;
    let words = query(number);
    let found = PRODUCTS.into_iter().filter(|name| name.split(' ').any(|word| word == words));
    Ok(Hits { words: words.to_owned(), names: found.collect() })
}

/// Takes 2 to 6 ms.
pub(crate) async fn new_search(number: u64, faults: &Faults) -> Result<Hits, NoAnswer> {
    static INDEX: LazyLock<BTreeMap<&str, BTreeSet<&str>>> = LazyLock::new(|| {
        let words = PRODUCTS.into_iter().flat_map(|name| name.split(' ').map(move |word| (word, name)));
        words.fold(BTreeMap::new(), |mut index: BTreeMap<_, BTreeSet<_>>, (word, name)| {
            index.entry(word).or_default().insert(name);
            index
        })
    });
    work(faults, 2, 5).await?;
    let words = query(number);
    let names = INDEX.get(words).into_iter().flatten().copied();
    let skipped = usize::from(faults.differs());
    Ok(Hits { words: words.to_owned(), names: names.skip(skipped).collect() })
}

async fn work(faults: &Faults, least: u64, spread: u64) -> Result<(), NoAnswer> {
    let usual = Duration::from_millis(least + SystemRandom.next_u64() % spread);
    tokio::time::sleep(faults.time(usual)).await;
    if faults.strikes() { Err(NoAnswer("the new database has closed the connection")) } else { Ok(()) }
}

async fn wait(least: u64, spread: u64) {
    tokio::time::sleep(Duration::from_millis(least + SystemRandom.next_u64() % spread)).await;
}
