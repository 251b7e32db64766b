//! What the logs of all workers and the store say together.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use cutover::store::{ClaimState, ClaimStore, ItemId, MigrationId};
use futures::StreamExt;
use futures::stream;

use super::log::Event;
use super::{MIGRATION, item};
use crate::Failure;

/// What happened. The promises are kept if the last three are 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Tally {
    /// Workers that were killed.
    pub kills: u32,
    /// Workers that were stopped for longer than their leases.
    pub stops: u32,
    /// How long it took.
    pub took: Duration,
    /// Grants that were acknowledged.
    pub grants: usize,
    /// Completions that were acknowledged.
    pub completions: usize,
    /// Items with two accepted completions, or with one that the store does not know.
    pub double_completions: usize,
    /// Grants whose token is not larger than that of a grant which was known before it was asked for.
    pub tokens_repeated: usize,
    /// Items that are not completed.
    pub items_lost: usize,
}

#[derive(Default)]
struct Story {
    /// (asked, known, token) of each grant.
    grants: Vec<(u64, u64, u64)>,
    completed: HashSet<u64>,
}

/// Compares what was acknowledged with what is stored.
///
/// # Errors
/// When the store cannot be read.
pub async fn check(events: &[Event], store: &Arc<dyn ClaimStore>, items: u32) -> Result<Tally, Failure> {
    let stories = stories(events);
    let completed = completed(store, items).await?;
    let mut tally = Tally::default();
    for number in 0..items {
        let nothing = Story::default();
        let told = stories.get(&number).unwrap_or(&nothing);
        tally.grants += told.grants.len();
        tally.completions += told.completed.len();
        tally.tokens_repeated += told.tokens_repeated();
        let token = completed.get(&number).copied();
        tally.items_lost += usize::from(token.is_none());
        let others = told.completed.iter().filter(|completed| Some(**completed) != token).count();
        tally.double_completions += others;
    }
    Ok(tally)
}

fn stories(events: &[Event]) -> HashMap<u32, Story> {
    let mut stories: HashMap<u32, Story> = HashMap::new();
    for event in events {
        match *event {
            Event::Granted { item, token, asked, known } => {
                stories.entry(item).or_default().grants.push((asked, known, token));
            }
            Event::Completed { item, token } => {
                stories.entry(item).or_default().completed.insert(token);
            }
        }
    }
    stories
}

impl Story {
    fn tokens_repeated(&self) -> usize {
        let later = |&(asked, _, token): &(u64, u64, u64)| {
            let before = self.grants.iter().filter(|(_, known, _)| *known < asked);
            before.map(|(_, _, earlier)| *earlier).max().is_some_and(|earlier| earlier >= token)
        };
        let tokens: HashSet<_> = self.grants.iter().map(|(_, _, token)| token).collect();
        self.grants.iter().filter(|grant| later(grant)).count() + (self.grants.len() - tokens.len())
    }
}

/// The token with which each item was completed.
async fn completed(store: &Arc<dyn ClaimStore>, items: u32) -> Result<HashMap<u32, u64>, Failure> {
    let id: MigrationId = MIGRATION.parse()?;
    let id = &id;
    let reads = stream::iter(0..items).map(|number| async move {
        let name: ItemId = item(number).parse()?;
        let record = store.claimed(id, &name).await?;
        let completed = record.filter(|record| record.state == ClaimState::Completed);
        Ok::<_, Failure>(completed.map(|record| (number, record.token)))
    });
    let found: Vec<_> = reads.buffered(16).collect().await;
    found.into_iter().filter_map(Result::transpose).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_that_does_not_grow_is_counted() {
        let story = |grants: &[(u64, u64, u64)]| Story { grants: grants.to_vec(), completed: HashSet::new() };
        assert_eq!(story(&[(1, 2, 1), (3, 4, 2)]).tokens_repeated(), 0);
        assert_eq!(story(&[(1, 9, 2), (3, 4, 1)]).tokens_repeated(), 0, "they overlap");
        assert_eq!(story(&[(1, 2, 2), (3, 4, 1)]).tokens_repeated(), 1);
        assert_eq!(story(&[(1, 9, 1), (3, 4, 1)]).tokens_repeated(), 1);
    }
}
