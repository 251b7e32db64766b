//! A small system: one process that answers by its rules over HTTP.

use std::collections::VecDeque;
use std::env;
use std::fs;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use cutover::clock::Instant;
use cutover::{Clock, SystemClock};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::Failure;
use crate::engine::{LegacyRules, Question, Rules};

/// The file that legacy reads, in the folder of its data, unless it is told another one.
pub(crate) const RULES: &str = "rules.txt";

/// The file that legacy reads instead.
pub(crate) const RULES_FILE: &str = "FLEET_RULES_FILE";

/// What is wrong with a new side, if something is.
pub(crate) const FAULT: &str = "FLEET_FAULT";

/// Serves until it is stopped, or its folder is gone, or for ten minutes.
pub(crate) async fn serve() -> Result<(), Failure> {
    let port: u16 = env::var("PORT")?.parse()?;
    let service = Arc::new(Service::from_environment()?);
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    let app = Router::new()
        .route("/health", get(health))
        .route("/verify", get(verify))
        .route("/answer", get(answer))
        .with_state(service);
    Ok(axum::serve(listener, app).with_graceful_shutdown(until_the_folder_is_gone()).await?)
}

struct Service {
    engine: Engine,
    fault: String,
    clock: SystemClock,
    served: Mutex<Served>,
}

enum Engine {
    Legacy(LegacyRules),
    New(Rules),
}

/// Answers take microseconds. What is below this is the noise of a busy machine.
const SMALLEST_MILLIS: f64 = 50.0;

#[derive(Default)]
struct Served {
    calls: u64,
    /// Milliseconds that the latest calls took.
    took: VecDeque<f64>,
}

impl Service {
    fn from_environment() -> Result<Self, Failure> {
        let rules_file = env::var(RULES_FILE).unwrap_or_else(|_| RULES.to_owned());
        let engine = match env::var("CUTOVER_ARTIFACT") {
            Ok(rules) => Engine::New(Rules::read(&fs::read_to_string(rules)?)?),
            Err(_) => Engine::Legacy(LegacyRules::read(&fs::read_to_string(data().join(rules_file))?)?),
        };
        let fault = env::var(FAULT).unwrap_or_default();
        Ok(Self { engine, fault, clock: SystemClock::new(), served: Mutex::default() })
    }

    async fn answer(&self, question: &Question) -> String {
        let started = self.clock.now();
        if self.fault == "slow" {
            tokio::time::sleep(Duration::from_millis(700)).await;
        }
        let answer = match &self.engine {
            Engine::Legacy(rules) => rules.answer(question),
            Engine::New(rules) => rules.answer(question),
        };
        if self.note(started) > 3 && self.fault == "dies" {
            std::process::exit(1);
        }
        answer.to_owned()
    }

    /// Counts a call, and says how many there were.
    fn note(&self, started: Instant) -> u64 {
        let took = self.clock.now().since(started).as_secs_f64() * 1e3;
        let mut served = self.served.lock().unwrap_or_else(PoisonError::into_inner);
        served.calls += 1;
        served.took.push_back(took);
        if served.took.len() > 100 {
            served.took.pop_front();
        }
        served.calls
    }

    fn figures(&self) -> Value {
        let served = self.served.lock().unwrap_or_else(PoisonError::into_inner);
        let mut took: Vec<f64> = served.took.iter().copied().collect();
        took.sort_by(f64::total_cmp);
        let p95 = took.get(took.len() * 95 / 100).or_else(|| took.last()).map(|millis| millis.max(SMALLEST_MILLIS));
        json!({ "calls": served.calls, "failures": 0, "p95_ms": p95 })
    }
}

async fn health(State(service): State<Arc<Service>>) -> Json<Value> {
    Json(service.figures())
}

async fn verify(State(service): State<Arc<Service>>) -> StatusCode {
    if service.fault == "unverified" { StatusCode::INTERNAL_SERVER_ERROR } else { StatusCode::OK }
}

async fn answer(State(service): State<Arc<Service>>, Query(question): Query<Question>) -> String {
    service.answer(&question).await
}

fn data() -> PathBuf {
    env::var_os("CUTOVER_DATA").map(PathBuf::from).unwrap_or_default()
}

async fn until_the_folder_is_gone() {
    let looks_in_ten_minutes = 3_000;
    for _ in 0..looks_in_ten_minutes {
        tokio::time::sleep(Duration::from_millis(200)).await;
        if !data().exists() {
            break;
        }
    }
}
