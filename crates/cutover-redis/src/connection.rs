//! [`Connection`]: the host's connection, whatever its type, and how commands and scripts go over it.

use std::time::Duration;

use cutover::store::StoreError;
use futures_util::future::BoxFuture;
use redis::aio::ConnectionLike;
use redis::{Cmd, ErrorKind, FromRedisValue, Pipeline, RedisError, RedisResult, ServerErrorKind, Value};

use crate::fault::{self, Fault};
use crate::script::Call;

/// Sends one command, or several on one connection in this order.
pub(crate) trait Connection: Send + Sync {
    fn send(&self, command: Cmd) -> BoxFuture<'_, RedisResult<Value>>;
    fn send_all(&self, commands: Pipeline) -> BoxFuture<'_, RedisResult<Vec<Value>>>;
}

impl<C: ConnectionLike + Clone + Send + Sync> Connection for C {
    fn send(&self, command: Cmd) -> BoxFuture<'_, RedisResult<Value>> {
        let mut connection = self.clone();
        Box::pin(async move { command.query_async(&mut connection).await })
    }

    fn send_all(&self, commands: Pipeline) -> BoxFuture<'_, RedisResult<Vec<Value>>> {
        let mut connection = self.clone();
        Box::pin(async move { commands.query_async(&mut connection).await })
    }
}

/// How many replicas a write waits for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Replicas {
    pub(crate) least: usize,
    pub(crate) timeout: Duration,
}

impl dyn Connection {
    pub(crate) async fn read<T: FromRedisValue>(&self, command: Cmd) -> Result<T, StoreError> {
        self.send(command).await.and_then(parsed).map_err(|error| fault::of_read(&error))
    }

    pub(crate) async fn read_by<T: FromRedisValue>(&self, call: &Call) -> Result<T, StoreError> {
        self.run(call).await.and_then(parsed).map_err(|error| fault::of_read(&error))
    }

    pub(crate) async fn write<T: FromRedisValue>(&self, command: Cmd) -> Result<T, StoreError> {
        self.send(command).await.and_then(parsed).map_err(|error| fault::of_write(&error))
    }

    /// The answer of a script that writes, and whether `replicas` have all that was written before and by it.
    pub(crate) async fn write_by<T: FromRedisValue>(
        &self,
        call: &Call,
        replicas: Option<Replicas>,
    ) -> Result<(T, Durability), StoreError> {
        let answer = match replicas {
            None => self.run(call).await.map(|value| (value, Durability::Accepted)),
            Some(replicas) => self.run_and_wait(call, replicas).await,
        };
        let parsed = |(value, durability)| Ok((parsed(value)?, durability));
        answer.and_then(parsed).map_err(|error| fault::of_write(&error))
    }

    async fn run(&self, call: &Call) -> RedisResult<Value> {
        match self.send(call.by_hash()).await {
            Err(error) if is_unknown_script(&error) => self.send(call.by_code()).await,
            answer => answer,
        }
    }

    async fn run_and_wait(&self, call: &Call, replicas: Replicas) -> RedisResult<(Value, Durability)> {
        match self.send_and_wait(call.by_hash(), replicas).await {
            Err(error) if is_unknown_script(&error) => self.send_and_wait(call.by_code(), replicas).await,
            answer => answer,
        }
    }

    /// `WAIT` asks about the writes of its own connection, so both commands go over one connection.
    async fn send_and_wait(&self, command: Cmd, replicas: Replicas) -> RedisResult<(Value, Durability)> {
        let timeout = u64::try_from(replicas.timeout.as_millis()).unwrap_or(MAX_WAIT).clamp(1, MAX_WAIT);
        let mut commands = redis::pipe();
        commands.add_command(command).cmd("WAIT").arg(replicas.least).arg(timeout).ignore_errors();
        let mut answers = self.send_all(commands).await?.into_iter();
        let answer = answers.next().unwrap_or(Value::Nil).extract_error()?;
        let reached = match answers.next() {
            Some(Value::Int(reached)) => usize::try_from(reached).unwrap_or(0),
            _ => 0,
        };
        let durability = match reached {
            reached if reached < replicas.least => Durability::TooFew { reached, least: replicas.least },
            _ => Durability::Accepted,
        };
        Ok((answer, durability))
    }
}

/// The longest wait, in milliseconds. 0 would wait for ever.
const MAX_WAIT: u64 = 3_600_000;

/// Whether a write is as safe as was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub(crate) enum Durability {
    Accepted,
    TooFew { reached: usize, least: usize },
}

impl Durability {
    /// # Errors
    /// [`StoreError::OutcomeUnknown`]: the primary has the write, and may lose it.
    pub(crate) fn check(self) -> Result<(), StoreError> {
        match self {
            Self::Accepted => Ok(()),
            Self::TooFew { reached, least } => {
                Err(StoreError::outcome_unknown(Fault::TooFewReplicas { reached, least }))
            }
        }
    }
}

fn parsed<T: FromRedisValue>(value: Value) -> RedisResult<T> {
    Ok(redis::from_redis_value(value)?)
}

fn is_unknown_script(error: &RedisError) -> bool {
    error.kind() == ErrorKind::Server(ServerErrorKind::NoScript)
}
