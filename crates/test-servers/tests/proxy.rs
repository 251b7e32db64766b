//! Each way of a proxy to treat the traffic does what it says, to open connections and to new ones.
#![expect(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test, of real connections in real time")]

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use cutover_test_servers::Proxy;

/// Only a broken proxy takes that long.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long a silence has to be to count as one.
const SILENCE: Duration = Duration::from_millis(150);

/// A server that sends back what it gets, counts it, and reports when a connection is closed.
struct Echo {
    addr: SocketAddr,
    bytes: Arc<AtomicU64>,
    closed: mpsc::Receiver<()>,
}

impl Echo {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = listener.local_addr().unwrap();
        let bytes = Arc::new(AtomicU64::new(0));
        let (sender, closed) = mpsc::channel();
        let counted = Arc::clone(&bytes);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (counted, sender) = (Arc::clone(&counted), sender.clone());
                thread::spawn(move || {
                    echo(stream.unwrap(), &counted);
                    sender.send(()).ok();
                });
            }
        });
        Self { addr, bytes, closed }
    }

    fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::SeqCst)
    }
}

fn echo(mut stream: TcpStream, counted: &AtomicU64) {
    let mut piece = [0; 1024];
    while let Ok(length @ 1..) = stream.read(&mut piece) {
        counted.fetch_add(u64::try_from(length).unwrap(), Ordering::SeqCst);
        if stream.write_all(piece.get(..length).unwrap()).is_err() {
            return;
        }
    }
}

fn start() -> (Echo, Proxy) {
    let echo = Echo::start();
    let proxy = Proxy::start(echo.addr).unwrap();
    (echo, proxy)
}

fn connect(proxy: &Proxy) -> TcpStream {
    TcpStream::connect(proxy.addr()).unwrap()
}

/// A connection that has been used, so that it is open all the way.
fn used(proxy: &Proxy) -> TcpStream {
    let mut client = connect(proxy);
    assert_answers(&mut client, b"hello");
    client
}

#[track_caller]
fn assert_answers(client: &mut TcpStream, request: &[u8]) {
    client.write_all(request).unwrap();
    assert_receives(client, request);
}

#[track_caller]
fn assert_receives(client: &mut TcpStream, expected: &[u8]) {
    let mut answer = vec![0; expected.len()];
    client.set_read_timeout(Some(PATIENCE)).unwrap();
    client.read_exact(&mut answer).unwrap();
    assert_eq!(answer, expected);
}

#[track_caller]
fn assert_silent(client: &mut TcpStream) {
    client.set_read_timeout(Some(SILENCE)).unwrap();
    let read = client.read(&mut [0]);
    assert_eq!(read.unwrap_err().kind(), ErrorKind::WouldBlock);
}

#[track_caller]
fn assert_closed(client: &mut TcpStream) {
    client.set_read_timeout(Some(PATIENCE)).unwrap();
    let read = client.read(&mut [0]);
    let is_closed =
        read.as_ref().map_or_else(|error| error.kind() == ErrorKind::ConnectionReset, |length| *length == 0);
    assert!(is_closed, "{read:?}");
}

#[test]
fn it_passes_both_ways_and_counts() {
    let (_echo, proxy) = start();
    let mut first = used(&proxy);
    assert_answers(&mut first, b"again");
    used(&proxy);
    // Each direction counts by itself what it has forwarded.
    proxy.wait_until(PATIENCE, |traffic| (traffic.to_server, traffic.to_client) == (15, 15));
    let traffic = proxy.traffic();
    assert_eq!(traffic.to_client, 15);
    assert_eq!((traffic.connections, traffic.requests, traffic.to_server, traffic.discarded), (2, 3, 15, 0));
}

#[test]
fn the_end_of_one_side_is_the_end_of_the_other() {
    let (echo, proxy) = start();
    drop(used(&proxy));
    echo.closed.recv_timeout(PATIENCE).unwrap();
}

#[test]
fn a_cut_closes_open_and_new_connections_until_it_passes_again() {
    let (echo, proxy) = start();
    let mut open = used(&proxy);
    proxy.cut();
    assert_closed(&mut open);
    echo.closed.recv_timeout(PATIENCE).unwrap();
    assert_closed(&mut connect(&proxy));
    assert_eq!(echo.bytes(), 5);
    proxy.pass();
    used(&proxy);
}

#[test]
fn a_blackhole_takes_everything_and_answers_nothing() {
    let (echo, proxy) = start();
    let mut open = used(&proxy);
    proxy.blackhole();
    let mut new = connect(&proxy);
    for client in [&mut open, &mut new] {
        client.write_all(&vec![0; 100_000]).unwrap();
        assert_silent(client);
    }
    assert!(proxy.wait_until(PATIENCE, |traffic| traffic.discarded == 200_000));
    assert_eq!(echo.bytes(), 5);
    proxy.pass();
    assert_closed(&mut open);
    assert_closed(&mut new);
    used(&proxy);
}

#[test]
fn a_delay_holds_each_direction_back() {
    let (_echo, proxy) = start();
    let mut client = used(&proxy);
    let each_way = Duration::from_millis(60);
    proxy.delay(each_way);
    let began = Instant::now();
    assert_answers(&mut client, b"later");
    assert!(began.elapsed() >= 2 * each_way, "{:?}", began.elapsed());
    proxy.delay(PATIENCE * 6);
    client.write_all(b"stuck").unwrap();
    assert_silent(&mut client);
    proxy.pass();
    assert_receives(&mut client, b"stuck");
}

#[test]
fn swallowed_replies_leave_the_request_done_and_the_client_without_an_answer() {
    let (echo, proxy) = start();
    let mut client = used(&proxy);
    proxy.swallow_replies();
    client.write_all(b"do it").unwrap();
    assert!(proxy.wait_until(PATIENCE, |traffic| traffic.discarded == 5));
    assert_silent(&mut client);
    assert_eq!(echo.bytes(), 10);
    proxy.pass();
    assert_closed(&mut client);
    used(&proxy);
}

#[test]
fn half_open_forwards_nothing_and_closes_nothing_until_it_passes_again() {
    let (echo, proxy) = start();
    let mut open = used(&proxy);
    let leaver = used(&proxy);
    proxy.half_open();
    let mut new = connect(&proxy);
    for client in [&mut open, &mut new] {
        client.write_all(b"waits").unwrap();
        assert_silent(client);
    }
    drop(leaver);
    echo.closed.recv_timeout(SILENCE).unwrap_err();
    assert_eq!((echo.bytes(), proxy.traffic().discarded), (10, 0));
    proxy.pass();
    for client in [&mut open, &mut new] {
        assert_receives(client, b"waits");
    }
    echo.closed.recv_timeout(PATIENCE).unwrap();
}

#[test]
fn a_dropped_proxy_closes_everything_whatever_it_was_doing() {
    let ways: [fn(&Proxy); 5] =
        [Proxy::pass, Proxy::blackhole, Proxy::swallow_replies, Proxy::half_open, |proxy| proxy.delay(PATIENCE)];
    for way in ways {
        let (echo, proxy) = start();
        let mut client = used(&proxy);
        way(&proxy);
        client.write_all(b"sent").unwrap();
        let addr = proxy.addr();
        drop(proxy);
        let closed = echo.closed.recv_timeout(PATIENCE);
        closed.unwrap();
        TcpStream::connect(addr).unwrap_err();
    }
}

#[test]
fn a_wait_for_traffic_that_does_not_come_ends_in_time() {
    let (_echo, proxy) = start();
    assert!(!proxy.wait_until(Duration::from_millis(20), |traffic| traffic.requests > 0));
}

#[test]
fn a_server_that_is_not_there_closes_the_connection() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let proxy = Proxy::start(free).unwrap();
    assert_closed(&mut connect(&proxy));
}
