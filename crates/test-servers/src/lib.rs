//! Real Redis and PostgreSQL servers, a proxy that misbehaves and a driver of a browser, for the tests of the crates beside.
//!
//! ```no_run
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use cutover_test_servers::{PostgresServer, Proxy, RedisRestart, RedisServer};
//!
//! let redis = RedisServer::start(&[("appendonly", "yes")])?;
//! let proxy = Proxy::start(redis.addr())?;
//! redis.command(&["SET", "mode", "parallel"])?;
//! proxy.swallow_replies();
//! redis.restart(RedisRestart::KeepData)?;
//!
//! let url = PostgresServer::shared()?.create_database("claims")?;
//! # Ok(()) }
//! ```
//!
//! Everything here blocks the calling thread for a bounded time and needs no runtime, so it can be called in any test.
//! Servers listen on 127.0.0.1 only, let everybody in, and are for tests alone. Unix only.

mod chrome;
mod error;
mod home;
mod pg_wire;
mod postgres;
mod programs;
mod proxy;
mod redis;
mod resp;
mod service;
mod signals;
mod wait;

pub use chrome::ChromeDriver;
pub use error::ServerError;
pub use postgres::{PostgresRestart, PostgresServer};
pub use proxy::{Proxy, Traffic};
pub use redis::{RedisRestart, RedisServer};
