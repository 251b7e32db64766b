//! A world of one system, whose program is this test binary.

use std::env;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::mpsc;
use std::time::Duration;

use cutover_fleet::local::{Front, LocalHost, Program};
use cutover_fleet::{Artifact, Side, System};
use tempfile::TempDir;

const BEHAVIOUR: &str = "FLEET_TEST_BEHAVIOUR";

/// A folder, the host that runs its one system, and the system. Its processes end when the folder is gone.
pub(crate) struct World {
    pub(crate) folder: TempDir,
    pub(crate) host: LocalHost,
    pub(crate) system: System,
}

impl World {
    /// A world whose new side behaves so; legacy behaves well.
    pub(crate) fn of(new: &'static str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let host = host_at(folder.path(), new);
        Self { folder, host, system: System::new("billing".parse().unwrap()) }
    }

    pub(crate) async fn front(&self) -> (Front, SocketAddr) {
        let front = Front::new(self.folder.path());
        let address = front.open(&self.system.name, "127.0.0.1:0").await.unwrap();
        (front, address)
    }

    pub(crate) fn pid_of(&self, side: &str) -> String {
        let file = self.folder.path().join("billing").join(side).join("pid");
        std::fs::read_to_string(file).unwrap().trim().to_owned()
    }
}

pub(crate) fn host_at(root: &Path, new: &'static str) -> LocalHost {
    LocalHost::new(root, move |_, side| program(if side == Side::New { new } else { "well" }))
}

pub(crate) fn artifact() -> Artifact {
    Artifact::new("billing.json").unwrap()
}

pub(crate) fn ends(pid: &str) -> bool {
    let there = || Path::new("/proc").join(pid).join("cwd").read_link().is_ok();
    (0..500).any(|_| {
        pause(Duration::from_millis(10));
        !there()
    })
}

pub(crate) fn kill(pid: &str) {
    assert!(Command::new("kill").args(["-KILL", pid]).status().unwrap().success());
}

/// This test binary, as a process that does one thing.
pub(crate) fn process(behaviour: &str) -> Command {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["--exact", "fixture::behaves_as_told", "--nocapture"]).env(BEHAVIOUR, behaviour);
    command
}

fn program(behaviour: &'static str) -> Program {
    let program = match behaviour {
        "forks" => Program::new("sh").arg("-c").arg(r#""$@" & wait"#).arg("sh").arg(env::current_exe().unwrap()),
        "deaf" => {
            Program::new("sh").arg("-c").arg(r#"trap "" TERM; exec "$@""#).arg("sh").arg(env::current_exe().unwrap())
        }
        "wanders" => return Program::new("sh").arg("-c").arg("cd / && exec sleep 30"),
        _ => Program::new(env::current_exe().unwrap()),
    };
    program.arg("--exact").arg("fixture::behaves_as_told").arg("--nocapture").env(BEHAVIOUR, behaviour)
}

/// Not a test of its own: what the processes of the other tests run.
#[test]
fn behaves_as_told() {
    match env::var(BEHAVIOUR).as_deref() {
        Err(_) => {}
        Ok("ends") => println!("it cannot start"),
        Ok("silent") => until_the_folder_is_gone(),
        Ok("deploys and dies") => deploy_and_die(),
        Ok(behaviour) => serve(behaviour),
    }
}

fn deploy_and_die() {
    let host = host_at(Path::new(&env::var("FLEET_TEST_ROOT").unwrap()), "well");
    let system = System::new("billing".parse().unwrap());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async { cutover_fleet::Lifecycle::deploy(&host, &system, &artifact()).await.unwrap() });
    std::process::abort();
}

fn serve(behaviour: &str) {
    std::thread::spawn(until_the_folder_is_gone);
    let port: u16 = env::var("PORT").unwrap().parse().unwrap();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap();
    println!("listening");
    for client in listener.incoming() {
        let (mut client, behaviour) = (client.unwrap(), behaviour.to_owned());
        std::thread::spawn(move || answer(&mut client, &behaviour));
    }
}

/// Answers each request of a connection; only their first line matters.
fn answer(client: &mut TcpStream, behaviour: &str) {
    let mut bytes = [0; 4096];
    while let Ok(length @ 1..) = client.read(&mut bytes) {
        let request = String::from_utf8_lossy(&bytes[..length]).into_owned();
        let (status, body) = match request.split(' ').nth(1).unwrap_or_default() {
            "/health" if behaviour == "ill" => ("503 Service Unavailable", String::new()),
            "/health" => ("200 OK", r#"{"calls":40,"failures":1,"p95_ms":12.5,"throughput":3.0,"queue":7}"#.to_owned()),
            "/verify" if behaviour == "wrong" => ("500 Internal Server Error", String::new()),
            _ => ("200 OK", format!("{} {}", var("CUTOVER_SIDE"), var("CUTOVER_ARTIFACT"))),
        };
        let answered =
            client.write_all(format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n{body}", body.len()).as_bytes());
        if answered.is_err() {
            return;
        }
    }
}

fn var(name: &str) -> String {
    env::var(name).unwrap_or_default()
}

/// At most for a minute.
fn until_the_folder_is_gone() {
    let folder = var("CUTOVER_DATA");
    for _ in 0..600 {
        pause(Duration::from_millis(100));
        if !Path::new(&folder).exists() {
            break;
        }
    }
    std::process::exit(0);
}

/// Real time: these are real processes.
fn pause(time: Duration) {
    let (_held, never) = mpsc::channel::<()>();
    never.recv_timeout(time).unwrap_err();
}
