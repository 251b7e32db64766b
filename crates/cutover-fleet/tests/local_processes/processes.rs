//! What runs.

use std::fs;
use std::net::TcpStream;
use std::process::Stdio;
use std::time::Duration;

use cutover_fleet::{Diagnostics, Lifecycle, Side};

use crate::fixture::{World, artifact, ends, kill, process};

#[tokio::test]
async fn a_deployed_side_runs_and_says_how_it_does() {
    let World { host, system, folder: _folder } = World::of("well");
    host.deploy(&system, &artifact()).await.unwrap();

    let vitals = host.vitals(&system, Side::New).await.unwrap();
    assert!(vitals.healthy);
    assert_eq!((vitals.calls, vitals.failures), (40, 1));
    assert_eq!(vitals.p95, Some(Duration::from_micros(12_500)));
    assert_eq!(host.metrics(&system, Side::New).await.unwrap()["queue"].to_bits(), 7.0_f64.to_bits());
    host.verify(&system, Side::New).await.unwrap();
    assert!(host.logs(&system, Side::New).await.unwrap().iter().any(|line| line == "listening"));
    host.stop(&system, Side::New).await.unwrap();
}

#[tokio::test]
async fn what_does_not_come_up_is_not_deployed_and_leaves_no_process() {
    let world = World::of("ends");
    let error = world.host.deploy(&world.system, &artifact()).await.unwrap_err();
    assert_eq!(error.to_string(), "the new side does not run");
    assert_eq!(std::error::Error::source(&error).unwrap().to_string(), "it ended before it listened");
    assert!(ends(&world.pid_of("new")));
    assert!(!world.host.vitals(&world.system, Side::New).await.unwrap().healthy);
    let log = world.host.logs(&world.system, Side::New).await.unwrap();
    assert!(log.iter().any(|line| line == "it cannot start"), "{log:?}");
}

#[tokio::test]
async fn what_never_listens_is_stopped_when_its_time_is_over() {
    let world = World::of("silent");
    let hurried = world.host.clone().starts_within(Duration::from_millis(500));
    let error = hurried.deploy(&world.system, &artifact()).await.unwrap_err();
    let why = std::error::Error::source(&error).unwrap().to_string();
    assert_eq!(why, "it does not listen on the port that it was given");
    assert!(ends(&world.pid_of("new")));
}

#[tokio::test]
async fn what_leaves_its_folder_is_not_deployed_and_leaves_no_process() {
    let world = World::of("wanders");
    let hurried = world.host.clone().starts_within(Duration::from_millis(500));
    assert!(hurried.deploy(&world.system, &artifact()).await.is_err());
    assert!(ends(&world.pid_of("new")));
}

#[tokio::test]
async fn a_deployment_that_is_dropped_is_found_by_the_next_one() {
    let world = World::of("silent");
    let deploy = || async { world.host.deploy(&world.system, &artifact()).await };
    tokio::time::timeout(Duration::from_millis(300), deploy()).await.unwrap_err();
    let dropped = world.pid_of("new");
    tokio::time::timeout(Duration::from_millis(600), deploy()).await.unwrap_err();
    assert!(ends(&dropped), "the process of the first deployment runs on");
    world.host.stop(&world.system, Side::New).await.unwrap();
    assert!(ends(&world.pid_of("new")));
}

#[tokio::test]
async fn what_is_done_already_succeeds() {
    let World { host, system, folder } = World::of("well");
    host.stop(&system, Side::New).await.unwrap();
    host.start(&system, Side::Legacy).await.unwrap();
    let pid = fs::read(folder.path().join("billing/legacy/pid")).unwrap();
    host.start(&system, Side::Legacy).await.unwrap();
    assert_eq!(fs::read(folder.path().join("billing/legacy/pid")).unwrap(), pid, "it was started again");
    host.stop(&system, Side::Legacy).await.unwrap();
    host.stop(&system, Side::Legacy).await.unwrap();
    host.decommission(&system).await.unwrap();
    host.decommission(&system).await.unwrap();
}

#[tokio::test]
async fn what_was_never_deployed_cannot_be_started() {
    let World { host, system, folder: _folder } = World::of("well");
    let error = host.start(&system, Side::New).await.unwrap_err();
    assert_eq!(std::error::Error::source(&error).unwrap().to_string(), "it was never deployed");
}

#[tokio::test]
async fn processes_outlive_who_started_them_and_are_found_by_the_next_one() {
    let world = World::of("well");
    let mut migrating = process("deploys and dies");
    migrating.env("FLEET_TEST_ROOT", world.folder.path()).stdout(Stdio::null()).stderr(Stdio::null());
    let status = migrating.status().unwrap();
    assert!(!status.success(), "it was to die");

    assert!(world.host.vitals(&world.system, Side::New).await.unwrap().healthy);
    world.host.stop(&world.system, Side::New).await.unwrap();
    assert!(ends(&world.pid_of("new")));
}

#[tokio::test]
async fn a_killed_side_is_unhealthy_and_can_be_started_again() {
    let World { host, system, folder } = World::of("well");
    host.start(&system, Side::Legacy).await.unwrap();
    let pid = fs::read_to_string(folder.path().join("billing/legacy/pid")).unwrap();
    kill(pid.trim());
    assert!(ends(pid.trim()));
    assert!(!host.vitals(&system, Side::Legacy).await.unwrap().healthy);
    host.start(&system, Side::Legacy).await.unwrap();
    assert!(host.vitals(&system, Side::Legacy).await.unwrap().healthy);
    host.stop(&system, Side::Legacy).await.unwrap();
}

#[tokio::test]
async fn what_does_not_end_when_it_is_asked_is_killed() {
    let world = World::of("deaf");
    world.host.deploy(&world.system, &artifact()).await.unwrap();
    world.host.stop(&world.system, Side::New).await.unwrap();
    assert!(ends(&world.pid_of("new")));
}

#[tokio::test]
async fn what_a_program_has_started_ends_with_it() {
    let world = World::of("forks");
    world.host.deploy(&world.system, &artifact()).await.unwrap();
    let port = fs::read_to_string(world.folder.path().join("billing/new/port")).unwrap();
    let address = format!("127.0.0.1:{}", port.trim());
    assert!(TcpStream::connect(&address).is_ok());
    world.host.stop(&world.system, Side::New).await.unwrap();
    assert!((0..500).any(|_| TcpStream::connect(&address).is_err()), "the server behind the shell runs on");
}

#[tokio::test]
async fn ill_and_wrong_sides_are_told_apart() {
    for (behaviour, healthy, verified) in [("ill", false, true), ("wrong", true, false)] {
        let World { host, system, folder: _folder } = World::of(behaviour);
        host.deploy(&system, &artifact()).await.unwrap();
        assert_eq!(host.vitals(&system, Side::New).await.unwrap().healthy, healthy, "{behaviour}");
        assert_eq!(host.verify(&system, Side::New).await.is_ok(), verified, "{behaviour}");
        host.stop(&system, Side::New).await.unwrap();
    }
}

#[tokio::test]
async fn a_number_that_was_given_to_another_process_is_not_ours() {
    let World { host, system, folder } = World::of("well");
    let side = folder.path().join("billing/legacy");
    fs::create_dir_all(&side).unwrap();
    fs::write(side.join("pid"), std::process::id().to_string()).unwrap();
    host.stop(&system, Side::Legacy).await.unwrap(); // it would end this very process
    assert!(!host.vitals(&system, Side::Legacy).await.unwrap().healthy);
}

#[tokio::test]
async fn legacy_is_not_removed_while_it_runs() {
    let World { host, system, folder } = World::of("well");
    host.start(&system, Side::Legacy).await.unwrap();
    let error = host.decommission(&system).await.unwrap_err();
    assert_eq!(error.to_string(), "legacy still runs; stop it before it is removed");
    host.stop(&system, Side::Legacy).await.unwrap();
    host.decommission(&system).await.unwrap();
    assert!(!folder.path().join("billing/legacy").exists());
}
