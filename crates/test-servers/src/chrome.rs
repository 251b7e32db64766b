use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::Duration;

use crate::ServerError;
use crate::home::{Ending, Home};
use crate::programs;
use crate::service::{Kind, Service};

/// A `chromedriver` of its own: own port on 127.0.0.1. It ends when dropped and with this process, and with it all
/// browsers that it has started.
#[derive(Debug)]
pub struct ChromeDriver(Service<Driver>);

impl ChromeDriver {
    /// Runs the `chromedriver` of PATH, and returns when it answers.
    ///
    /// # Errors
    ///
    /// [`ServerError`], among them that there is no such program, or no browser.
    pub fn start() -> Result<Self, ServerError> {
        let kind = Driver { program: programs::chromedriver()? };
        Service::start(kind, Home::new(None)?).map(Self)
    }

    /// The one that the tests of this process share, started by the first who asks. It ends with this process.
    ///
    /// # Errors
    ///
    /// As [`start`](Self::start), each time anew.
    pub fn shared() -> Result<&'static Self, ServerError> {
        static SHARED: OnceLock<ChromeDriver> = OnceLock::new();
        static STARTING: std::sync::Mutex<()> = std::sync::Mutex::new(());
        let _one_at_a_time = STARTING.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(shared) = SHARED.get() {
            return Ok(shared);
        }
        let started = Self::start()?;
        Ok(SHARED.get_or_init(|| started))
    }

    /// `http://127.0.0.1:PORT`, where it takes commands of the `WebDriver` protocol.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.0.addr())
    }

    /// The number of its process.
    ///
    /// # Errors
    ///
    /// [`ServerError::NotRunning`].
    pub fn pid(&self) -> Result<u32, ServerError> {
        self.0.pid()
    }
}

#[derive(Debug, Clone)]
struct Driver {
    program: PathBuf,
}

impl Kind for Driver {
    const PROGRAM: &'static str = "chromedriver";
    const ENDING: Ending = Ending::KillGroup;

    fn program(&self) -> PathBuf {
        self.program.clone()
    }

    fn arguments(&self, _home: &Home, port: u16) -> Vec<String> {
        vec![format!("--port={port}")]
    }

    /// One that did not get the port has ended, so whoever answers is the one that was started.
    fn answers(&self, _home: &Home, port: u16, _pid: u32) -> bool {
        is_ready(SocketAddr::from(([127, 0, 0, 1], port))).unwrap_or(false)
    }
}

/// It leaves the connection open, whatever it is asked.
fn is_ready(addr: SocketAddr) -> io::Result<bool> {
    let mut stream = TcpStream::connect_timeout(&addr, LIMIT)?;
    stream.set_read_timeout(Some(LIMIT))?;
    stream.set_write_timeout(Some(LIMIT))?;
    stream.write_all(format!("GET /status HTTP/1.1\r\nHost: {addr}\r\n\r\n").as_bytes())?;
    let (mut answer, mut buffer) = (Vec::new(), [0; 4096]);
    while answer.len() < LONGEST && !is_in(READY, &answer) {
        match stream.read(&mut buffer)? {
            0 => break,
            read => answer.extend_from_slice(buffer.get(..read).unwrap_or_default()),
        }
    }
    Ok(is_in(READY, &answer))
}

fn is_in(part: &[u8], whole: &[u8]) -> bool {
    whole.windows(part.len()).any(|window| window == part)
}

const READY: &[u8] = b"\"ready\":true";
const LIMIT: Duration = Duration::from_secs(2);
const LONGEST: usize = 16 * 1024;
