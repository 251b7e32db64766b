use std::collections::HashMap;
use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::ServerError;
use crate::error::Tried as _;
use crate::wait::Deadline;

/// A proxy on a port of its own that treats the traffic as it is told, connections that are open included. It passes
/// at first.
///
/// A connection that has lost bytes, in [`Proxy::blackhole`] or [`Proxy::swallow_replies`], is never passed again: going on
/// after a hole would be an error that no network makes. It is closed when the traffic flows again.
#[derive(Debug)]
pub struct Proxy {
    shared: Arc<Shared>,
    addr: SocketAddr,
    acceptor: Option<JoinHandle<()>>,
}

/// What a [`Proxy`] has done so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Traffic {
    /// Accepted connections, those that were closed at once included.
    pub connections: u64,
    /// Pieces of data that were read from clients and forwarded. A small request arrives as one piece.
    pub requests: u64,
    /// Bytes that were forwarded to the server.
    pub to_server: u64,
    /// Bytes that were forwarded to clients.
    pub to_client: u64,
    /// Bytes of either direction that were read and thrown away.
    pub discarded: u64,
}

impl Traffic {
    fn add(&mut self, direction: Direction, bytes: u64) {
        match direction {
            Direction::ToServer => {
                self.requests += 1;
                self.to_server += bytes;
            }
            Direction::ToClient => self.to_client += bytes,
        }
    }
}

impl Proxy {
    /// Listens on a free port of 127.0.0.1 and forwards to `upstream`, which need not be there yet.
    ///
    /// # Errors
    ///
    /// [`ServerError::Io`].
    pub fn start(upstream: SocketAddr) -> Result<Self, ServerError> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).tried("listen on a free port")?;
        let addr = listener.local_addr().tried("read the port of the proxy")?;
        let shared = Arc::new(Shared { upstream, state: Mutex::new(State::default()), changed: Condvar::new() });
        let accepting = Arc::clone(&shared);
        let acceptor = thread::Builder::new().name("proxy".to_owned()).spawn(move || accept(&accepting, &listener));
        Ok(Self { shared, addr, acceptor: Some(acceptor.tried("start a thread")?) })
    }

    /// The address that clients connect to.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Forwards everything.
    pub fn pass(&self) {
        self.shared.set(Mode::Pass);
    }

    /// Closes all connections, and new ones as soon as they are accepted.
    pub fn cut(&self) {
        self.shared.set(Mode::Cut);
    }

    /// Accepts, reads and throws away what clients send, and what the server sends. Nothing is answered.
    pub fn blackhole(&self) {
        self.shared.set(Mode::Blackhole);
    }

    /// Forwards each piece of data this much later, in each direction: an answer comes twice as much later.
    pub fn delay(&self, each_way: Duration) {
        self.shared.set(Mode::Delay(each_way));
    }

    /// Forwards requests and throws away the answers: what was asked happens, and the client cannot know.
    pub fn swallow_replies(&self) {
        self.shared.set(Mode::SwallowReplies);
    }

    /// Forwards nothing, reads no further and closes nothing, not even when one end has closed. What waits is forwarded
    /// when the traffic flows again.
    pub fn half_open(&self) {
        self.shared.set(Mode::HalfOpen);
    }

    /// What went through so far.
    #[must_use]
    pub fn traffic(&self) -> Traffic {
        self.shared.lock().traffic
    }

    /// Waits until the traffic is as wanted, and says whether it became so within `limit`.
    pub fn wait_until(&self, limit: Duration, mut wanted: impl FnMut(&Traffic) -> bool) -> bool {
        let deadline = Deadline::after(limit);
        let mut state = self.shared.lock();
        while !wanted(&state.traffic) {
            if deadline.is_over() {
                return false;
            }
            state = self.shared.wait(state, Some(deadline));
        }
        true
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.set(Mode::Ended);
        // Wakes the thread that accepts.
        TcpStream::connect(self.addr).ok();
        if let Some(acceptor) = self.acceptor.take() {
            acceptor.join().ok();
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Mode {
    #[default]
    Pass,
    Cut,
    Blackhole,
    Delay(Duration),
    SwallowReplies,
    HalfOpen,
    /// The proxy was dropped.
    Ended,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Direction {
    ToServer,
    ToClient,
}

/// What happens to a piece of data.
enum Fate {
    Forward,
    Discard,
    Close,
}

impl Mode {
    fn fate(self, direction: Direction) -> Fate {
        match (self, direction) {
            (Self::Cut | Self::Ended, _) => Fate::Close,
            (Self::Blackhole, _) | (Self::SwallowReplies, Direction::ToClient) => Fate::Discard,
            (Self::Pass | Self::Delay(_) | Self::HalfOpen | Self::SwallowReplies, _) => Fate::Forward,
        }
    }
}

#[derive(Debug)]
struct Shared {
    upstream: SocketAddr,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    mode: Mode,
    traffic: Traffic,
    open: HashMap<u64, Open>,
}

/// The ends of an open connection.
#[derive(Debug)]
struct Open {
    ends: Vec<TcpStream>,
    has_hole: bool,
}

impl Open {
    fn close(&self) {
        for end in &self.ends {
            end.shutdown(Shutdown::Both).ok();
        }
    }
}

impl Shared {
    fn set(&self, mode: Mode) {
        let mut state = self.lock();
        let is_new = state.mode != mode;
        state.mode = mode;
        let is_closed = |open: &Open| match mode {
            Mode::Cut | Mode::Ended => true,
            Mode::Pass | Mode::Delay(_) | Mode::SwallowReplies => is_new && open.has_hole,
            Mode::Blackhole | Mode::HalfOpen => false,
        };
        state.open.extract_if(|_, open| is_closed(open)).for_each(|(_, open)| open.close());
        self.changed.notify_all();
    }

    /// Notes an accepted connection, unless it is to be closed at once.
    fn enter(&self, client: &TcpStream) -> Option<u64> {
        let mut state = self.lock();
        state.traffic.connections += 1;
        let id = state.traffic.connections;
        let end = client.try_clone().ok().filter(|_| !matches!(state.mode, Mode::Cut | Mode::Ended));
        if let Some(end) = end {
            state.open.insert(id, Open { ends: vec![end], has_hole: false });
        }
        self.changed.notify_all();
        state.open.contains_key(&id).then_some(id)
    }

    /// Notes the other end of a connection. `None` when the connection was closed meanwhile.
    fn join(&self, id: u64, server: &TcpStream) -> Option<()> {
        let end = server.try_clone().ok()?;
        self.lock().open.get_mut(&id)?.ends.push(end);
        Some(())
    }

    fn leave(&self, id: u64) {
        if let Some(open) = self.lock().open.remove(&id) {
            open.close();
        }
    }

    /// Whether a new connection, once it is not half open, gets no server at all. `None` when it was closed.
    fn is_for_nobody(&self, id: u64) -> Option<bool> {
        let mut state = self.sit_out_half_open(id);
        let State { mode, open, .. } = &mut *state;
        let open = open.get_mut(&id)?;
        open.has_hole = *mode == Mode::Blackhole;
        Some(open.has_hole)
    }

    /// Decides about a piece of data, once it is neither half open nor delayed.
    fn judge(&self, id: u64, direction: Direction) -> Fate {
        self.sit_out_delay(id);
        let mut state = self.sit_out_half_open(id);
        let State { mode, open, .. } = &mut *state;
        let Some(open) = open.get_mut(&id) else { return Fate::Close };
        let fate = mode.fate(direction);
        open.has_hole |= matches!(fate, Fate::Discard);
        fate
    }

    fn sit_out_half_open(&self, id: u64) -> MutexGuard<'_, State> {
        let mut state = self.lock();
        while state.mode == Mode::HalfOpen && state.open.contains_key(&id) {
            state = self.wait(state, None);
        }
        state
    }

    fn sit_out_delay(&self, id: u64) {
        let mut state = self.lock();
        let Mode::Delay(delay) = state.mode else { return };
        let deadline = Deadline::after(delay);
        while state.mode == Mode::Delay(delay) && state.open.contains_key(&id) && !deadline.is_over() {
            state = self.wait(state, Some(deadline));
        }
    }

    fn count(&self, count: impl FnOnce(&mut Traffic)) {
        count(&mut self.lock().traffic);
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, state: MutexGuard<'a, State>, deadline: Option<Deadline>) -> MutexGuard<'a, State> {
        match deadline {
            None => self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
            Some(deadline) => {
                self.changed.wait_timeout(state, deadline.left()).unwrap_or_else(PoisonError::into_inner).0
            }
        }
    }
}

fn accept(shared: &Arc<Shared>, listener: &TcpListener) {
    while shared.lock().mode != Mode::Ended {
        let Ok((client, _)) = listener.accept() else { continue };
        let Some(id) = shared.enter(&client) else { continue };
        let serving = Arc::clone(shared);
        let started = thread::Builder::new().name("proxy".to_owned()).spawn(move || {
            serve(&serving, id, &client).ok();
            serving.leave(id);
        });
        if started.is_err() {
            shared.leave(id);
        }
    }
}

/// Carries one connection until it is closed.
fn serve(shared: &Arc<Shared>, id: u64, client: &TcpStream) -> io::Result<()> {
    match shared.is_for_nobody(id) {
        Some(false) => {}
        Some(true) => return pump(shared, id, Direction::ToServer, client, None),
        None => return Ok(()),
    }
    let server = TcpStream::connect_timeout(&shared.upstream, CONNECT_LIMIT)?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    if shared.join(id, &server).is_none() {
        return Ok(());
    }
    thread::scope(|scope| {
        scope.spawn(|| {
            pump(shared, id, Direction::ToClient, &server, Some(client)).ok();
            // Whoever ends first ends both.
            shared.leave(id);
        });
        pump(shared, id, Direction::ToServer, client, Some(&server)).ok();
        shared.leave(id);
    });
    Ok(())
}

/// Carries one direction. Without `to`, everything is thrown away.
fn pump(
    shared: &Shared,
    id: u64,
    direction: Direction,
    mut from: &TcpStream,
    to: Option<&TcpStream>,
) -> io::Result<()> {
    let mut piece = vec![0; PIECE];
    loop {
        let length = from.read(&mut piece)?;
        let fate = shared.judge(id, direction);
        let Some(piece) = piece.get(..length).filter(|piece| !piece.is_empty()) else { return Ok(()) };
        let bytes = u64::try_from(length).unwrap_or(u64::MAX);
        match (fate, to) {
            (Fate::Close, _) | (Fate::Forward, None) => return Ok(()),
            (Fate::Discard, _) => shared.count(|traffic| traffic.discarded += bytes),
            (Fate::Forward, Some(mut to)) => {
                to.write_all(piece)?;
                shared.count(|traffic| traffic.add(direction, bytes));
            }
        }
    }
}

const PIECE: usize = 16 * 1024;
const CONNECT_LIMIT: Duration = Duration::from_secs(5);
