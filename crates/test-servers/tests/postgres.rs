//! A PostgreSQL server answers, keeps its data over restarts, stands still, and ends with its value.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test")]

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use cutover_test_servers::{PostgresRestart, PostgresServer, ServerError};

fn value(server: &PostgresServer, database: &str, sql: &str) -> String {
    match server.query(database, sql).unwrap().as_slice() {
        [row] => row.first().unwrap().clone().unwrap_or_else(|| "NULL".to_owned()),
        rows => panic!("not one row: {rows:?}"),
    }
}

#[test]
fn each_test_has_a_database_of_its_own_in_the_shared_server() {
    let server = PostgresServer::shared().unwrap();
    let url = server.create_database("first").unwrap();
    assert_eq!(url, format!("postgres://postgres@127.0.0.1:{}/first", server.port()));
    server.create_database("second").unwrap();
    server.query("first", "CREATE TABLE t (x int)").unwrap();
    assert_eq!(value(server, "first", "SELECT count(*) FROM t"), "0");
    let missing = server.query("second", "SELECT * FROM t");
    assert!(matches!(&missing, Err(ServerError::Refused { answer, .. }) if answer.starts_with("42P01")), "{missing:?}");
    assert_eq!(PostgresServer::shared().unwrap().pid().unwrap(), server.pid().unwrap());
}

#[test]
fn a_name_that_would_have_to_be_quoted_is_refused() {
    let server = PostgresServer::shared().unwrap();
    for name in ["", "Upper", "9lives", "a-b", "a\"b", &"a".repeat(64)] {
        let refused = server.create_database(name);
        assert!(matches!(&refused, Err(ServerError::BadDatabaseName { name: named }) if named == name), "{refused:?}");
    }
    server.create_database("taken").unwrap();
    assert!(matches!(server.create_database("taken"), Err(ServerError::Refused { .. })));
}

#[test]
fn locale_encoding_and_null_are_as_promised() {
    let server = PostgresServer::shared().unwrap();
    assert_eq!(value(server, "postgres", "SHOW server_encoding"), "UTF8");
    assert_eq!(value(server, "postgres", "SHOW lc_collate"), "C");
    assert_eq!(value(server, "postgres", "SHOW fsync"), "off");
    assert_eq!(server.query("postgres", "SELECT NULL, 'ä'").unwrap(), [[None, Some("ä".to_owned())]]);
}

#[test]
fn committed_data_survives_every_restart_on_the_same_port() {
    let server = PostgresServer::start(&[("fsync", "on"), ("max_connections", "20")]).unwrap();
    assert_eq!(value(&server, "postgres", "SHOW fsync"), "on");
    assert_eq!(value(&server, "postgres", "SHOW max_connections"), "20");
    server.query("postgres", "CREATE TABLE t (x int)").unwrap();
    let restarts = [PostgresRestart::Fast, PostgresRestart::Immediate, PostgresRestart::AsCrashed];
    for (restart, rows) in restarts.into_iter().zip(1_u32..) {
        let before = (server.port(), server.pid().unwrap());
        server.query("postgres", "INSERT INTO t VALUES (1)").unwrap();
        server.restart(restart).unwrap();
        assert_eq!(value(&server, "postgres", "SELECT count(*) FROM t"), rows.to_string(), "{restart:?}");
        assert_eq!(server.port(), before.0);
        assert_ne!(server.pid().unwrap(), before.1);
    }
    server.kill().unwrap();
    assert!(matches!(server.pid(), Err(ServerError::NotRunning { .. })));
    assert!(server.query("postgres", "SELECT 1").is_err());
    let addr = server.addr();
    server.restart(PostgresRestart::Fast).unwrap();
    assert_eq!(value(&server, "postgres", "SELECT count(*) FROM t"), "3");
    pauses_its_open_connections(&server);
    let folder = value(&server, "postgres", "SHOW data_directory");
    server.pause().unwrap();
    drop(server);
    TcpStream::connect(addr).unwrap_err();
    assert!(!std::fs::exists(&folder).unwrap(), "{folder} is still there");
}

/// A connection has a process of its own, which must stand still too.
fn pauses_its_open_connections(server: &PostgresServer) {
    let mut client = TcpStream::connect(server.addr()).unwrap();
    client.write_all(b"\0\0\0\x29\0\x03\0\0user\0postgres\0database\0postgres\0\0").unwrap();
    client.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
    let mut greeting = Vec::new();
    client.read_to_end(&mut greeting).unwrap_err();
    assert!(greeting.ends_with(b"Z\0\0\0\x05I"), "the connection is not ready: {greeting:?}");
    server.pause().unwrap();
    client.write_all(b"Q\0\0\0\x0dSELECT 1\0").unwrap();
    client.read_exact(&mut [0]).unwrap_err();
    server.resume().unwrap();
    client.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    client.read_exact(&mut [0]).unwrap();
}

#[test]
fn a_setting_that_postgres_does_not_know_is_an_error_with_its_words() {
    let Err(error) = PostgresServer::start(&[("no_such_setting", "1")]) else { panic!("it started") };
    assert!(matches!(&error, ServerError::Ended { log, .. } if log.contains("no_such_setting")), "{error}");
}
