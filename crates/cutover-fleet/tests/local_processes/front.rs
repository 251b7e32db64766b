//! Who is connected to whom.

use std::fs;
use std::net::SocketAddr;
use std::time::Duration;

use cutover::Percentage;
use cutover_fleet::{Lifecycle, Side, Traffic};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::fixture::{World, artifact};

#[tokio::test]
async fn connections_go_to_the_side_that_has_their_turn() {
    let world = World::of("well");
    let (_front, address) = both_run(&world).await;
    assert_eq!(who_answers(address).await, "legacy", "before the first switch");
    for (share, new) in [(100.0, 8), (0.0, 0), (25.0, 2), (50.0, 4), (100.0, 8)] {
        world.host.switch(&world.system, Percentage::new(share).unwrap()).await.unwrap();
        let mut answers = Vec::new();
        for _ in 0..8 {
            answers.push(who_answers(address).await);
        }
        assert_eq!(answers.iter().filter(|who| *who == "new").count(), new, "{share} %: {answers:?}");
    }
    stop_both(&world).await;
}

#[tokio::test]
async fn what_is_under_way_ends_where_it_began() {
    let world = World::of("well");
    let (_front, address) = both_run(&world).await;
    let mut early = TcpStream::connect(address).await.unwrap();
    assert_eq!(ask(&mut early).await.unwrap(), "legacy");
    world.host.switch(&world.system, Percentage::HUNDRED).await.unwrap();
    assert_eq!(ask(&mut early).await.unwrap(), "legacy");
    assert_eq!(who_answers(address).await, "new");
    stop_both(&world).await;
}

#[tokio::test]
async fn a_side_that_does_not_run_takes_no_connection_and_the_other_gets_none_of_its_own() {
    let world = World::of("well");
    let (_front, address) = both_run(&world).await;
    world.host.switch(&world.system, Percentage::HUNDRED).await.unwrap();
    world.host.stop(&world.system, Side::New).await.unwrap();
    assert_eq!(ask(&mut TcpStream::connect(address).await.unwrap()).await, None);
    world.host.switch(&world.system, Percentage::ZERO).await.unwrap();
    assert_eq!(who_answers(address).await, "legacy");
    stop_both(&world).await;
}

#[tokio::test]
async fn whoever_got_the_port_of_a_side_that_ended_gets_none_of_its_connections() {
    let world = World::of("well");
    let (_front, address) = both_run(&world).await;
    let port = fs::read_to_string(world.folder.path().join("billing/legacy/port")).unwrap();
    world.host.stop(&world.system, Side::Legacy).await.unwrap();
    let stranger = TcpListener::bind(format!("127.0.0.1:{port}")).await.unwrap();
    let asked = tokio::time::timeout(Duration::from_secs(5), async {
        ask(&mut TcpStream::connect(address).await.unwrap()).await
    });
    tokio::select! {
        answer = asked => assert_eq!(answer.unwrap(), None),
        _ = stranger.accept() => panic!("a stranger was connected to"),
    }
    stop_both(&world).await;
}

#[tokio::test]
async fn the_way_back_needs_nothing_but_a_folder_to_write_in() {
    let world = World::of("well");
    let home = world.folder.path().join("billing");
    world.host.switch(&world.system, Percentage::HUNDRED).await.unwrap();
    fs::write(home.join("route.json"), "torn").unwrap();
    fs::write(home.join("new"), "a file where a folder should be").unwrap();
    world.host.switch(&world.system, Percentage::ZERO).await.unwrap();
    let (_front, address) = world.front().await;
    world.host.start(&world.system, Side::Legacy).await.unwrap();
    assert_eq!(who_answers(address).await, "legacy");
    world.host.stop(&world.system, Side::Legacy).await.unwrap();
}

#[tokio::test]
async fn nobody_is_served_by_guess() {
    let world = World::of("well");
    let (_front, address) = both_run(&world).await;
    fs::write(world.folder.path().join("billing/route.json"), "torn").unwrap();
    assert_eq!(ask(&mut TcpStream::connect(address).await.unwrap()).await, None);
    stop_both(&world).await;
}

async fn both_run(world: &World) -> (cutover_fleet::local::Front, SocketAddr) {
    world.host.start(&world.system, Side::Legacy).await.unwrap();
    world.host.deploy(&world.system, &artifact()).await.unwrap();
    world.front().await
}

async fn stop_both(world: &World) {
    for side in [Side::Legacy, Side::New] {
        world.host.stop(&world.system, side).await.unwrap();
    }
}

async fn who_answers(address: SocketAddr) -> String {
    ask(&mut TcpStream::connect(address).await.unwrap()).await.unwrap()
}

/// The side that answers; `None` when the connection is closed.
async fn ask(connection: &mut TcpStream) -> Option<String> {
    connection.write_all(b"GET /who HTTP/1.1\r\nHost: billing\r\n\r\n").await.ok()?;
    let mut answer = vec![0; 1024];
    let length = connection.read(&mut answer).await.ok().filter(|&length| length > 0)?;
    let text = String::from_utf8(answer[..length].to_vec()).unwrap();
    text.split("\r\n\r\n").nth(1)?.split(' ').next().map(str::to_owned)
}
