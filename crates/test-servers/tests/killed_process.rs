//! Servers end with the process that started them, however it ends, and a missing program is an error.
#![expect(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test, of real programs in real time")]

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

const PROGRAM: &str = env!("CARGO_BIN_EXE_test-servers");

/// Runs the three servers in a process of its own, with their folders below `temp`.
struct Other {
    process: Child,
    servers: Vec<(u32, SocketAddr)>,
    temp: tempfile::TempDir,
}

impl Other {
    fn start() -> Self {
        let temp = tempfile::tempdir().unwrap();
        open_for_all(temp.path());
        let mut program = Command::new(PROGRAM);
        program.env("TMPDIR", temp.path()).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = program.spawn().unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines().take(3);
        let servers: Vec<(u32, SocketAddr)> = lines.map(|line| server_in(&line.unwrap())).collect();
        assert_eq!(servers.len(), 3);
        for (_, addr) in &servers {
            TcpStream::connect(addr).unwrap();
        }
        assert_eq!(fs::read_dir(temp.path()).unwrap().count(), 3);
        Self { process, servers, temp }
    }

    #[track_caller]
    fn assert_nothing_is_left(&self) {
        let is_gone = |(pid, addr): &(u32, SocketAddr)| has_ended(*pid) && TcpStream::connect(addr).is_err();
        let limit = Instant::now() + Duration::from_secs(10);
        let left =
            || fs::read_dir(self.temp.path()).unwrap().map(|entry| entry.unwrap().path()).collect::<Vec<PathBuf>>();
        while !(self.servers.iter().all(is_gone) && left().is_empty()) {
            assert!(Instant::now() < limit, "still there: {:?} or {:?}", self.servers, left());
            thread::sleep(Duration::from_millis(10));
        }
    }
}

/// `postgres` runs as another user, who must reach its folder.
fn open_for_all(folder: &std::path::Path) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(folder, fs::Permissions::from_mode(0o711)).unwrap();
}

/// Reads `redis 17 redis://127.0.0.1:4711/`.
fn server_in(line: &str) -> (u32, SocketAddr) {
    let mut words = line.split(' ').skip(1);
    let pid = words.next().unwrap().parse().unwrap();
    let authority = words.next().unwrap().split('/').nth(2).unwrap();
    (pid, authority.rsplit('@').next().unwrap().parse().unwrap())
}

/// One that has ended may stay on the list until its new parent looks.
fn has_ended(pid: u32) -> bool {
    if cfg!(target_os = "linux") {
        return fs::read_to_string(format!("/proc/{pid}/stat")).map_or(true, |stat| stat.contains(") Z "));
    }
    let state = Command::new("ps").args(["-o", "stat=", "-p", &pid.to_string()]).output().unwrap();
    state.stdout.is_empty() || state.stdout.starts_with(b"Z")
}

#[test]
fn a_killed_process_leaves_no_server_and_no_folder() {
    let mut other = Other::start();
    other.process.kill().unwrap();
    other.process.wait().unwrap();
    other.assert_nothing_is_left();
}

#[test]
fn a_process_that_ends_leaves_no_server_and_no_folder() {
    let mut other = Other::start();
    drop(other.process.stdin.take());
    assert!(other.process.wait().unwrap().success());
    other.assert_nothing_is_left();
}

#[test]
fn a_missing_program_is_an_error_that_says_what_to_install() {
    let empty = tempfile::tempdir().unwrap();
    let output = Command::new(PROGRAM).env("PATH", empty.path()).stdin(Stdio::null()).output().unwrap();
    assert!(!output.status.success());
    let message = String::from_utf8(output.stderr).unwrap();
    for part in ["redis-server", empty.path().to_str().unwrap()] {
        assert!(message.contains(part), "{part} is not in: {message}");
    }
}
