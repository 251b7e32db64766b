//! A driver of a browser answers, and no browser stays when it goes.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test, of real programs in real time")]

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use cutover_test_servers::ChromeDriver;

/// Asks for a browser, and waits until there is one.
fn open_browser(driver: &ChromeDriver) {
    let url = driver.url();
    let mut stream = TcpStream::connect(url.strip_prefix("http://").unwrap()).unwrap();
    let body = r#"{"capabilities":{"alwaysMatch":{"goog:chromeOptions":{"args":["--headless=new","--no-sandbox","--disable-dev-shm-usage"]}}}}"#;
    let length = body.len();
    let request = format!("POST /session HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n{body}");
    stream.write_all(request.as_bytes()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let (mut answer, mut buffer) = (String::new(), [0; 4096]);
    while !answer.contains("sessionId") {
        let read = stream.read(&mut buffer).unwrap();
        assert!(read > 0, "{answer}");
        answer.push_str(&String::from_utf8_lossy(buffer.get(..read).unwrap()));
    }
}

/// The processes of the group that `leader` began, those left out that have ended.
fn group_of(leader: u32) -> Vec<u32> {
    let pids = fs::read_dir("/proc").unwrap().filter_map(|entry| entry.unwrap().file_name().to_str()?.parse().ok());
    let is_of_it = |pid: &u32| {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let fields: Vec<&str> = stat.rsplit_once(") ").map(|(_, rest)| rest.split(' ').collect()).unwrap_or_default();
        fields.first() != Some(&"Z") && fields.get(2) == Some(&leader.to_string().as_str())
    };
    pids.filter(is_of_it).collect()
}

#[test]
fn a_browser_ends_with_the_driver_that_started_it() {
    let driver = ChromeDriver::start().unwrap();
    let pid = driver.pid().unwrap();
    open_browser(&driver);
    assert!(group_of(pid).len() > 1, "there is a browser beside its driver");
    drop(driver);
    let limit = Instant::now() + Duration::from_secs(10);
    while !group_of(pid).is_empty() {
        assert!(Instant::now() < limit, "still there: {:?}", group_of(pid));
        thread::sleep(Duration::from_millis(20));
    }
}
