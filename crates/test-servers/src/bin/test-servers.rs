//! Runs a Redis and a PostgreSQL server until the input ends, and says where they are.
#![expect(clippy::print_stdout, reason = "it is what this program is for")]

use std::error::Error;
use std::io::{self, Write as _};

use cutover_test_servers::{PostgresServer, RedisServer};

fn main() -> Result<(), Box<dyn Error>> {
    let redis = RedisServer::start(&[])?;
    let postgres = PostgresServer::shared()?;
    println!("redis {} {}", redis.pid()?, redis.url());
    println!("postgres {} {}", postgres.pid()?, postgres.url());
    io::stdout().flush()?;
    io::copy(&mut io::stdin(), &mut io::sink())?;
    Ok(())
}
