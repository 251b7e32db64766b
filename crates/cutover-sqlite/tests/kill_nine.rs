//! What was acknowledged survives `kill -9`: nothing is lost, the file opens, and no state is without its audit entry.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a test fails by panicking, and says what it measured")]

use std::collections::BTreeSet;
use std::env::current_exe;
use std::io::{BufRead, BufReader, Write, stdout};
use std::path::Path;
use std::process::{Child, ChildStdout};
use std::thread;
use std::time::Duration;

use cutover::random::RandomSource;
use cutover::store::{
    AuditHead, AuditVerifier, ClaimRequest, ClaimState, ClaimStore, DiscrepancyStore, Expect, ItemId,
};
use cutover::testing::{SeededRandom, discrepancy};
use cutover::{Clock, Side, StateStore, SystemClock};
use cutover_sqlite::SqliteStore;
use futures::executor::block_on;

#[path = "common/child.rs"]
mod child;
#[path = "common/closed.rs"]
mod closed;
mod common;

use closed::wait_until_closed;
use common::{advance, id};

const KILLS: u64 = 100;
const SEED: u64 = 20_261_120;

#[test]
fn what_was_acknowledged_survives_a_hundred_kills() {
    if let Some(path) = child::task() {
        return block_on(write_until_killed(Path::new(&path)));
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.sqlite");
    let random = SeededRandom::new(SEED);
    let mut books = Books::default();
    for kill in 0..KILLS {
        let acknowledged = killed_after_a_while(&path, &random);
        block_on(books.check(&path, acknowledged, kill));
        wait_until_closed(&path);
    }
    let Books { states, items, unknown, .. } = books;
    println!(
        "{KILLS} kills (seed {SEED}): {states} acknowledged changes, {} acknowledged completions, {unknown} stored without \
         their acknowledgement; 0 lost, 0 files that do not open, 0 states without their audit entry",
        items.len()
    );
    assert!(states > KILLS && items.len() as u64 > KILLS / 2, "too little happened: {states}, {}", items.len());
}

/// Changes the record, and claims and completes items, as fast as it can; says what was acknowledged.
async fn write_until_killed(path: &Path) {
    let store = SqliteStore::open(path).unwrap();
    let start = u128::from(std::process::id()) << 64;
    for number in 1_u128.. {
        let stored = advance(&store, start + number).await.unwrap();
        say(&format!("changed {}", stored.epoch));
        let item: ItemId = format!("item {}", start + number).parse().unwrap();
        let request = ClaimRequest {
            item: item.clone(),
            side: Side::New,
            expect: Expect::of(Some(&stored)),
            holder: "test".parse().unwrap(),
            op_id: number,
            ttl: Duration::from_secs(60),
        };
        let grant = store.claim(&id(), &request).await.unwrap();
        store.complete(&id(), &item, grant.token).await.unwrap();
        say(&format!("completed {item}"));
        store.add(&id(), &[discrepancy("search", 1)]).await.unwrap();
    }
}

fn say(line: &str) {
    let mut out = stdout().lock();
    writeln!(out, "{line}").and_then(|()| out.flush()).unwrap();
}

/// What a process that was killed at a moment of chance had acknowledged.
fn killed_after_a_while(path: &Path, random: &SeededRandom) -> Vec<String> {
    let name = "what_was_acknowledged_survives_a_hundred_kills";
    let mut writer = child::process(current_exe().unwrap(), name, path.to_str().unwrap()).spawn().unwrap();
    let mut lines = BufReader::new(writer.stdout.take().unwrap());
    let enough = 2 + usize::try_from(random.next_u64() % 16).unwrap();
    let mut acknowledged = vec![next_line(&mut lines).unwrap()];
    let clock = SystemClock::new();
    let first = clock.now();
    while acknowledged.len() < enough {
        acknowledged.push(next_line(&mut lines).unwrap());
    }
    // At any point of a round of changes, however fast the device is.
    let round = clock.now().since(first) * 2 / u32::try_from(enough - 1).unwrap();
    thread::park_timeout(round * u32::try_from(random.next_u64() % 1_000).unwrap() / 1_000);
    kill(&mut writer);
    acknowledged.extend(std::iter::from_fn(|| next_line(&mut lines)));
    acknowledged
}

/// A whole line; `None` at the end.
fn next_line(lines: &mut BufReader<ChildStdout>) -> Option<String> {
    let mut line = String::new();
    lines.read_line(&mut line).unwrap();
    line.strip_suffix('\n').map(ToOwned::to_owned)
}

fn said<'l>(line: &'l str, word: &str) -> Option<&'l str> {
    line.strip_prefix(word)?.strip_prefix(' ')
}

fn kill(process: &mut Child) {
    process.kill().unwrap();
    let status = process.wait().unwrap();
    assert!(!status.success(), "it ended by itself: {status}");
}

/// What must be found from now on.
#[derive(Default)]
struct Books {
    verifier: AuditVerifier,
    states: u64,
    items: BTreeSet<ItemId>,
    unknown: u64,
}

impl Books {
    async fn check(&mut self, path: &Path, acknowledged: Vec<String>, kill: u64) {
        let store = SqliteStore::open(path).unwrap();
        let epochs = acknowledged.iter().filter_map(|line| said(line, "changed")?.parse::<u64>().ok());
        let last = epochs.clone().max().unwrap_or(0);
        self.states += epochs.count() as u64;

        let known = self.verifier.head().epoch;
        let entries = store.history(&id(), known, usize::MAX).await.unwrap();
        entries.iter().try_for_each(|entry| self.verifier.follow(entry)).unwrap();
        let record = store.load(&id()).await.unwrap();
        assert_eq!(record.as_ref().map(AuditHead::of).unwrap_or_default(), self.verifier.head(), "kill {kill}");
        let found = self.verifier.head().epoch;
        assert!(found >= last.max(known), "kill {kill}: {last} was acknowledged, {found} is there");
        self.unknown += found - last.max(known);

        for item in acknowledged.iter().filter_map(|line| said(line, "completed")) {
            let item: ItemId = item.parse().unwrap();
            let claim = store.claimed(&id(), &item).await.unwrap().unwrap();
            assert_eq!(claim.state, ClaimState::Completed, "kill {kill}: {item}");
            self.items.insert(item);
        }
    }
}
