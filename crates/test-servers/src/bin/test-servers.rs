//! Runs a Redis and a PostgreSQL server and a `chromedriver` until the input ends, and says where they are.
#![expect(clippy::print_stdout, reason = "it is what this program is for")]

use std::error::Error;
use std::io::{self, Write as _};

use cutover_test_servers::{ChromeDriver, PostgresServer, RedisServer};

fn main() -> Result<(), Box<dyn Error>> {
    let redis = RedisServer::start(&[])?;
    let postgres = PostgresServer::shared()?;
    let chrome = ChromeDriver::start()?;
    println!("redis {} {}", redis.pid()?, redis.url());
    println!("postgres {} {}", postgres.pid()?, postgres.url());
    println!("chromedriver {} {}/", chrome.pid()?, chrome.url());
    io::stdout().flush()?;
    io::copy(&mut io::stdin(), &mut io::sink())?;
    Ok(())
}
