//! Clients who never stop asking, and who know what the answer has to be.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use cutover_fleet::System;
use http_body_util::{BodyExt, Empty};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use tokio::task::JoinSet;

use crate::Failure;
use crate::engine::{LegacyRules, Question, questions};
use crate::rules::rules_of;
use crate::world::World;

/// What the clients were answered.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    right: AtomicU64,
    wrong: AtomicU64,
    failed: AtomicU64,
}

impl Tally {
    pub(crate) fn counts(&self) -> [u64; 3] {
        [&self.right, &self.wrong, &self.failed].map(|count| count.load(Ordering::Relaxed))
    }
}

/// Clients of all systems. Dropping them ends them.
pub(crate) struct Clients {
    pub(crate) tally: Arc<Tally>,
    _tasks: JoinSet<()>,
}

impl Clients {
    pub(crate) fn of(world: &World) -> Result<Self, Failure> {
        let (tally, mut tasks) = (Arc::<Tally>::default(), JoinSet::new());
        for system in world.inventory.systems() {
            let address = *world.addresses.get(&system.name).ok_or("a system has no front")?;
            tasks.spawn(Customer::of(system, address, &tally)?.ask_on());
        }
        Ok(Self { tally, _tasks: tasks })
    }
}

struct Customer {
    rules: LegacyRules,
    questions: Vec<Question>,
    address: SocketAddr,
    tally: Arc<Tally>,
}

/// Between two questions of one client.
const PAUSE: Duration = Duration::from_millis(150);

impl Customer {
    fn of(system: &System, address: SocketAddr, tally: &Arc<Tally>) -> Result<Self, Failure> {
        let rules = LegacyRules::read(&rules_of(system))?;
        Ok(Self { questions: questions(&rules), rules, address, tally: Arc::clone(tally) })
    }

    async fn ask_on(self) {
        for question in self.questions.iter().cycle() {
            let count = match self.ask(question).await {
                Ok(answer) if answer == self.rules.answer(question) => &self.tally.right,
                Ok(_) => &self.tally.wrong,
                Err(_) => &self.tally.failed,
            };
            count.fetch_add(1, Ordering::Relaxed);
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// On a connection of its own, so that each question goes to whom the front sends it.
    async fn ask(&self, question: &Question) -> Result<String, Failure> {
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(question).finish();
        let client = Client::builder(TokioExecutor::new()).build_http::<Empty<&'static [u8]>>();
        let asking = client.get(format!("http://{}/answer?{query}", self.address).parse()?);
        let answer = tokio::time::timeout(Duration::from_secs(2), asking).await??;
        if !answer.status().is_success() {
            return Err("not an answer".into());
        }
        Ok(String::from_utf8(answer.into_body().collect().await?.to_bytes().to_vec())?)
    }
}
