//! Old configuration files, read by a program that knows the new keys only.
//!
//! `cargo run --example config_adapter`, or with a file of your own, in TOML, YAML or JSON:
//! `cargo run --example config_adapter -- shop.toml`
#![expect(clippy::print_stdout, reason = "example")]

use std::error::Error;
use std::fmt;

use cutover::compat::Renamed;
use cutover::{AliasMap, Deprecations};
use serde::Deserialize;
use serde_json::Value;

/// What the program knows. There is not one `#[serde(alias = ..)]` in it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    database: Database,
    log: Log,
    #[serde(default)]
    features: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Database {
    address: String,
    port: u16,
    pool: Pool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Pool {
    size: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Log {
    level: String,
}

impl fmt::Display for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { database: Database { address, port, pool: Pool { size } }, log: Log { level }, features } = self;
        write!(f, "{size} connections to {address}:{port}, logs at {level}, features: {features:?}")
    }
}

/// What the keys were called before, also as a file: the names are data.
const ALIASES: &str = r#"
separator = "."

[aliases]
db = "database"
"db.host" = "database.address"
"db.connections" = "database.pool.size"
dbhost = "db.host" # two generations ago; it is followed to the end
loglevel = "log.level"
"#;

const FILES: [(&str, &str); 4] = [
    ("old.toml", "loglevel = 'warn'\n[db]\nhost = '10.0.0.7'\nport = 5432\nconnections = 16\n"),
    ("older.yaml", "dbhost: 10.0.0.7\nloglevel: warn\ndb: { port: 5432, connections: 16 }\nfeatures: [search]\n"),
    (
        "new.json",
        r#"{ "database": { "address": "10.0.0.7", "port": 5432, "pool": { "size": 16 } }, "log": { "level": "warn" } }"#,
    ),
    (
        "both.toml",
        "dbhost = '10.0.0.7'\nloglevel = 'warn'\n[database]\naddress = '10.0.0.8'\nport = 5432\npool.size = 16\n",
    ),
];

static DEPRECATIONS: Deprecations = Deprecations::new();

fn main() -> Result<(), Box<dyn Error>> {
    let aliases: AliasMap = toml::from_str(ALIASES)?;
    for deprecation in aliases.deprecations() {
        DEPRECATIONS.declare(&deprecation)?; // so that the report also shows the keys that nobody uses
    }
    match std::env::args().nth(1) {
        Some(file) => show(&file, &std::fs::read_to_string(&file)?, &aliases),
        None => FILES.iter().for_each(|(file, text)| show(file, text, &aliases)),
    }
    println!("Which old keys are left, and where:\n\n{}", DEPRECATIONS.report());
    Ok(())
}

fn show(file: &str, text: &str, aliases: &AliasMap) {
    println!("{file}");
    match load(file, text, aliases) {
        Ok((settings, renamed)) => {
            let width = renamed.iter().map(|key| key.old.len()).max().unwrap_or_default();
            for key in renamed {
                println!("  {:<width$} -> {}", key.old, key.new);
            }
            println!("  read: {settings}\n");
        }
        Err(error) => println!("  refused: {error}\n"),
    }
}

/// All that a program does to read old files: one call between parsing and reading.
fn load(file: &str, text: &str, aliases: &AliasMap) -> Result<(Settings, Vec<Renamed>), Box<dyn Error>> {
    let adapted = aliases.adapt(&parse(file, text)?)?;
    adapted.count_in(&DEPRECATIONS, file);
    Ok((serde_json::from_value(adapted.tree)?, adapted.renamed))
}

fn parse(file: &str, text: &str) -> Result<Value, Box<dyn Error>> {
    match file.rsplit_once('.') {
        Some((_, "toml")) => Ok(toml::from_str(text)?),
        Some((_, "yaml" | "yml")) => Ok(serde_saphyr::from_str(text)?),
        Some((_, "json")) => Ok(serde_json::from_str(text)?),
        _ => Err(format!("`{file}` ends in none of .toml, .yaml, .yml and .json").into()),
    }
}
