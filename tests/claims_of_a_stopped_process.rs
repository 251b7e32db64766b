//! A process that was stopped for longer than its claim lasts knows it before its next effect.
#![cfg(unix)]
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a test fails by panicking, and its child answers")]

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use cutover::{Claims, HostRuntime, MemoryStore, MigrationController, Runtime, Side};
use futures::executor::block_on;

const CHILD: &str = "CUTOVER_TEST_STOPPED_CHILD";

/// Claims an item, waits to be asked, and says each time whether the claim is still valid.
fn child() {
    let store = MemoryStore::new();
    let controller = block_on(MigrationController::open("triage", store.clone())).unwrap();
    let claims = Claims::new(&controller, store, "child").unwrap();
    let claim = block_on(claims.claim("ticket 17", Side::Legacy, 0, Duration::from_secs(2))).unwrap();
    println!("claimed");
    for _ in std::io::stdin().lines() {
        println!("valid: {}", claim.still_valid());
    }
}

fn ask(child: &mut Child, answers: &mut impl Iterator<Item = String>) -> String {
    child.stdin.as_mut().unwrap().write_all(b"\n").unwrap();
    answers.find(|line| line.starts_with("valid: ")).unwrap()
}

fn signal(child: &Child, name: &str) {
    assert!(Command::new("kill").args([name, &child.id().to_string()]).status().unwrap().success());
}

/// Real time and a real signal: the claim lasts for 2 s, and the process is stopped for 2.5 s.
#[test]
fn a_stopped_process_does_not_believe_in_its_claim_any_more() {
    if std::env::var_os(CHILD).is_some() {
        return child();
    }
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "a_stopped_process_does_not_believe_in_its_claim_any_more", "--nocapture"]);
    let mut process = command.env(CHILD, "1").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut answers = BufReader::new(process.stdout.take().unwrap()).lines().map(Result::unwrap);
    assert!(answers.any(|line| line.ends_with("claimed")));
    assert_eq!(ask(&mut process, &mut answers), "valid: true");

    signal(&process, "-STOP");
    block_on(HostRuntime.sleep(Duration::from_millis(2_500)));
    process.stdin.as_mut().unwrap().write_all(b"\n").unwrap();
    signal(&process, "-CONT");
    let answer = answers.find(|line| line.starts_with("valid: ")).unwrap();
    drop(process.stdin.take());
    process.wait().unwrap();
    assert_eq!(answer, "valid: false");
}
