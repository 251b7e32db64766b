//! A Redis server answers, keeps or loses its data as told, stands still, and ends with its value.
#![expect(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test, of real programs in real time")]

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use cutover_test_servers::{RedisRestart, RedisServer, ServerError};

fn with_key(config: &[(&str, &str)]) -> RedisServer {
    let server = RedisServer::start(config).unwrap();
    assert_eq!(server.command(&["SET", "key", "value"]).unwrap(), "OK");
    server
}

fn key_of(server: &RedisServer) -> String {
    server.command(&["GET", "key"]).unwrap()
}

#[test]
fn each_server_has_a_port_and_data_of_its_own() {
    let first = with_key(&[]);
    let second = RedisServer::start(&[]).unwrap();
    assert_ne!(first.port(), second.port());
    assert_eq!(key_of(&first), "value");
    assert_eq!(key_of(&second), "(nil)");
    assert_eq!(first.url(), format!("redis://127.0.0.1:{}/", first.port()));
}

#[test]
fn answers_are_text_and_refusals_are_errors() {
    let server = with_key(&[]);
    assert_eq!(server.command(&["STRLEN", "key"]).unwrap(), "5");
    assert_eq!(server.command(&["MGET", "key", "none"]).unwrap(), "value\n(nil)");
    let refused = server.command(&["INCR", "key"]);
    assert!(matches!(&refused, Err(ServerError::Refused { answer, .. }) if answer.starts_with("ERR")), "{refused:?}");
}

#[test]
fn a_restart_keeps_or_loses_the_data_as_told() {
    let server = with_key(&[]);
    let port = server.port();
    server.restart(RedisRestart::KeepData).unwrap();
    assert_eq!((server.port(), key_of(&server).as_str()), (port, "value"));
    server.restart(RedisRestart::LoseData).unwrap();
    assert_eq!((server.port(), key_of(&server).as_str()), (port, "(nil)"));
}

#[test]
fn a_crash_leaves_what_the_configuration_has_put_on_the_disk() {
    let careful = with_key(&[("appendonly", "yes"), ("appendfsync", "always")]);
    let careless = with_key(&[]);
    for (server, left) in [(careful, "value"), (careless, "(nil)")] {
        server.kill().unwrap();
        assert!(matches!(server.pid(), Err(ServerError::NotRunning { .. })));
        assert!(server.command(&["PING"]).is_err());
        server.restart(RedisRestart::AsCrashed).unwrap();
        assert_eq!(key_of(&server), left);
    }
}

#[test]
fn a_paused_server_answers_only_after_it_is_resumed() {
    let server = RedisServer::start(&[]).unwrap();
    let mut client = BufReader::new(TcpStream::connect(server.addr()).unwrap());
    server.pause().unwrap();
    client.get_mut().write_all(b"PING\r\n").unwrap();
    client.get_ref().set_read_timeout(Some(Duration::from_millis(200))).unwrap();
    let mut answer = String::new();
    client.read_line(&mut answer).unwrap_err();
    server.resume().unwrap();
    client.get_ref().set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    client.read_line(&mut answer).unwrap();
    assert_eq!(answer, "+PONG\r\n");
}

#[test]
fn a_restart_waits_for_its_port_while_another_has_it() {
    let server = RedisServer::start(&[]).unwrap();
    server.kill().unwrap();
    let other = TcpListener::bind(server.addr()).unwrap();
    thread::scope(|scope| {
        let restart = scope.spawn(|| server.restart(RedisRestart::AsCrashed));
        thread::sleep(Duration::from_millis(200));
        assert!(!restart.is_finished());
        drop(other);
        restart.join().unwrap().unwrap();
    });
    assert_eq!(server.command(&["PING"]).unwrap(), "PONG");
}

#[test]
fn a_replica_follows_its_primary() {
    let primary = with_key(&[("requirepass", "secret")]);
    let replica = RedisServer::start_replica_of(&primary).unwrap();
    assert_eq!(key_of(&replica), "value");
    primary.command(&["SET", "key", "newer"]).unwrap();
    let limit = Instant::now() + Duration::from_secs(10);
    while key_of(&replica) != "newer" {
        assert!(Instant::now() < limit);
    }
    assert!(replica.command(&["INFO", "replication"]).unwrap().contains("role:slave"));
    assert_eq!(primary.url(), format!("redis://:secret@127.0.0.1:{}/", primary.port()));
}

#[test]
fn a_dropped_server_is_gone_even_when_it_stands_still() {
    for stands_still in [false, true] {
        let server = RedisServer::start(&[]).unwrap();
        let (addr, folder) = (server.addr(), server.command(&["CONFIG", "GET", "dir"]).unwrap());
        let folder = folder.lines().last().unwrap().to_owned();
        assert!(std::fs::exists(&folder).unwrap());
        if stands_still {
            server.pause().unwrap();
        }
        drop(server);
        TcpStream::connect(addr).unwrap_err();
        assert!(!std::fs::exists(&folder).unwrap(), "{folder} is still there");
    }
}

#[test]
fn a_directive_that_redis_does_not_know_is_an_error_with_its_words() {
    let Err(error) = RedisServer::start(&[("no-such-directive", "1")]) else { panic!("it started") };
    assert!(matches!(&error, ServerError::Ended { log, .. } if log.contains("no-such-directive")), "{error}");
}
