//! How the sides do: [`Diagnostics`] over HTTP.

use std::collections::BTreeMap;
use std::io::{self, Read, Seek, SeekFrom};
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Map, Value};

use super::LocalHost;
use super::files::blocking;
use super::http::get;
use crate::system::System;
use crate::{Diagnostics, HostError, Side, Vitals};

#[async_trait]
impl Diagnostics for LocalHost {
    async fn vitals(&self, system: &System, side: Side) -> Result<Vitals, HostError> {
        let Some(address) = self.running_at(system, side)? else { return Ok(Vitals::unhealthy()) };
        Ok(match get(address, "/health").await {
            Ok(answer) if answer.is_good() => read_vitals(&figures_in(&answer.body)),
            Ok(_) | Err(_) => Vitals::unhealthy(),
        })
    }

    async fn verify(&self, system: &System, side: Side) -> Result<(), HostError> {
        let address = self.running_at(system, side)?.ok_or_else(|| HostError::new("it does not run"))?;
        match get(address, "/verify").await {
            Ok(answer) if answer.is_good() => Ok(()),
            Ok(answer) => Err(HostError::new(format!("it answered its test by the status {}", answer.status))),
            Err(error) => Err(HostError::with_source("it did not answer its test", error)),
        }
    }

    async fn logs(&self, system: &System, side: Side) -> Result<Vec<String>, HostError> {
        let (turn, log) = (self.turn(system).await, self.home(&system.name).log(side));
        blocking(turn, move || last_lines(&log), "its log cannot be read").await
    }

    async fn metrics(&self, system: &System, side: Side) -> Result<BTreeMap<String, f64>, HostError> {
        let address = self.running_at(system, side)?.ok_or_else(|| HostError::new("it does not run"))?;
        let answer = get(address, "/health").await;
        let answer = answer.map_err(|error| HostError::with_source("it does not answer", error))?;
        let figures = figures_in(&answer.body).into_iter();
        Ok(figures.filter_map(|(name, value)| Some((name, value.as_f64()?))).collect())
    }
}

impl LocalHost {
    /// Where a side listens, if it runs.
    fn running_at(&self, system: &System, side: Side) -> Result<Option<SocketAddr>, HostError> {
        let process = self.process(system, side);
        if !process.is_running() {
            return Ok(None);
        }
        process.address().map_err(|error| HostError::with_source("it is not known where it listens", error))
    }
}

fn figures_in(body: &[u8]) -> Map<String, Value> {
    serde_json::from_slice(body).unwrap_or_default()
}

fn read_vitals(figures: &Map<String, Value>) -> Vitals {
    let count = |name| figures.get(name).and_then(Value::as_u64).unwrap_or(0);
    let measured = |name| figures.get(name).and_then(Value::as_f64);
    let p95 = measured("p95_ms").and_then(|millis| Duration::try_from_secs_f64(millis / 1e3).ok());
    let vitals = Vitals::healthy().calls(count("calls"), count("failures"));
    let vitals = p95.map_or(vitals, |p95| vitals.p95(p95));
    measured("throughput").map_or(vitals, |per_second| vitals.throughput(per_second))
}

const MOST_LINES: usize = 20;
const TAIL_BYTES: i64 = 16 * 1024;

/// The last lines of a file, oldest first.
fn last_lines(log: &Path) -> io::Result<Vec<String>> {
    let mut file = std::fs::File::open(log)?;
    if file.metadata()?.len() > TAIL_BYTES.unsigned_abs() {
        file.seek(SeekFrom::End(-TAIL_BYTES))?;
    }
    let mut tail = Vec::new();
    file.take(TAIL_BYTES.unsigned_abs()).read_to_end(&mut tail)?;
    let tail = String::from_utf8_lossy(&tail);
    let lines: Vec<&str> = tail.lines().collect();
    Ok(lines.iter().rev().take(MOST_LINES).rev().map(|&line| line.to_owned()).collect())
}
