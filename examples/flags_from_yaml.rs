//! Flags from a YAML file, overridden by the environment, reloaded while they are in use.
//!
//! `cargo run --example flags_from_yaml`, or with a file and a variable of your own:
//! `FLAG_NEW_SEARCH=75% cargo run --example flags_from_yaml -- flags.yaml`
#![expect(clippy::print_stdout, reason = "example")]

use std::error::Error;

use cutover::{FlagConfig, FlagSet};

const FILE: &str = "
new-search: 25%
new-cart:
  rollout: 50
  deny: [anna, 4711]
  requires: [new-search]
new-mail: true
";

fn main() -> Result<(), Box<dyn Error>> {
    let text = std::env::args().nth(1).map_or_else(|| Ok(FILE.to_owned()), std::fs::read_to_string)?;
    let flags = FlagSet::builder()
        .layer("file", serde_saphyr::from_str(&text)?)
        .layer("environment", FlagConfig::from_env("FLAG_", std::env::vars())?)
        .layer("store", FlagConfig::new())
        .build()?;
    show("As the file has them:", &flags)?;

    flags.replace("store", toml::from_str("new-search = '75%'")?)?; // any format that serde reads
    show("The store raises new-search:", &flags)?;
    println!("{}\n", flags.explain("new-search")?);

    for bad in ["new-search: 250%", "new-cart: { requires: [new-serach] }", "new-search: { rolout: 5 }"] {
        match reload(&flags, bad) {
            Ok(()) => println!("`{bad}` is taken"),
            Err(error) => println!("`{bad}` is refused:\n  {}", error.to_string().lines().next().unwrap_or_default()),
        }
    }
    show("\nNothing has changed:", &flags)?;

    flags.switch_off("new-search")?;
    show("new-search is switched off, and takes new-cart with it:", &flags)?;
    flags.restore("new-search")?;
    show("And back:", &flags)
}

/// What a host calls when its file has changed.
fn reload(flags: &FlagSet, text: &str) -> Result<(), Box<dyn Error>> {
    Ok(flags.replace("store", serde_saphyr::from_str(text)?)?)
}

fn show(title: &str, flags: &FlagSet) -> Result<(), Box<dyn Error>> {
    println!("{title}");
    for name in flags.names() {
        print!("  {name:<11}");
        for user in ["anna", "berta", "carla", "emma", "paula"] {
            let decision = flags.decide(&name, user)?;
            print!("  {user} {:<3} ({})", if decision.enabled { "on" } else { "off" }, decision.rule);
        }
        println!();
    }
    println!();
    Ok(())
}
