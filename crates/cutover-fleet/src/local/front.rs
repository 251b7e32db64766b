//! [`Front`]: the proxy that clients connect to.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use cutover::Percentage;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream, ToSocketAddrs};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::home::Home;
use super::process::Process;
use super::route::share_of_new;
use crate::Side;
use crate::system::SystemName;

/// A TCP proxy in front of the systems of a [`LocalHost`](super::LocalHost), in the same process or in another one.
///
/// Each connection goes to the side that has its turn when it comes: of 100 connections at 25 %, every fourth goes to new.
/// What is under way when the traffic is switched stays where it is until it ends. A connection whose side does not take it is
/// closed; it is not given to the other side, whose state nobody knows. At most 256 connections of a
/// system are open at once; the next ones wait.
///
/// Dropping the front closes it, and all that goes through it.
#[derive(Debug)]
pub struct Front {
    root: PathBuf,
    open: std::sync::Mutex<JoinSet<()>>,
}

/// An address that cannot be listened on.
#[derive(Debug, thiserror::Error)]
#[error("the front of {system} cannot listen")]
pub struct FrontError {
    system: SystemName,
    source: io::Error,
}

impl Front {
    /// A front for the systems below the folder `root`.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into(), open: std::sync::Mutex::default() }
    }

    /// Listens for connections to `system`; it says where. Port 0 is any port that is free.
    ///
    /// # Errors
    /// [`FrontError`] when nothing can listen there.
    pub async fn open(&self, system: &SystemName, address: impl ToSocketAddrs) -> Result<SocketAddr, FrontError> {
        let refused = |source| FrontError { system: system.clone(), source };
        let listener = TcpListener::bind(address).await.map_err(refused)?;
        let listens_on = listener.local_addr().map_err(refused)?;
        let door = Door { home: Home::new(&self.root, system), before: AtomicU64::new(0) };
        self.open.lock().unwrap_or_else(std::sync::PoisonError::into_inner).spawn(door.serve(listener));
        Ok(listens_on)
    }
}

/// Of each system, so that one whose connections hang holds up no other.
const MOST_CONNECTIONS: usize = 256;

/// The front of one system.
struct Door {
    home: Home,
    /// How many connections came before.
    before: AtomicU64,
}

impl Door {
    async fn serve(self, listener: TcpListener) {
        let (mut connections, room) = (JoinSet::new(), Arc::new(Semaphore::new(MOST_CONNECTIONS)));
        loop {
            let Ok(room) = Arc::clone(&room).acquire_owned().await else { return };
            match listener.accept().await {
                Ok((client, _)) => drop(connections.spawn(pass_on(client, self.side_to_take(), room))),
                Err(_) => sleep(AFTER_AN_ERROR).await,
            }
            while connections.try_join_next().is_some() {}
        }
    }

    fn side_to_take(&self) -> io::Result<SocketAddr> {
        let before = self.before.fetch_add(1, Ordering::Relaxed);
        let side = if is_for_new(before, share_of_new(&self.home)?) { Side::New } else { Side::Legacy };
        let process = Process::new(self.home.clone(), side);
        // The port of one that has ended may be somebody else's by now.
        let address = if process.is_running() { process.address()? } else { None };
        address.ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "this side does not run"))
    }
}

/// When the system has no descriptors left, trying again at once helps nobody.
const AFTER_AN_ERROR: Duration = Duration::from_millis(50);

/// Whether the connection after so many others is one for new, so that its share is spread evenly.
fn is_for_new(before: u64, share: Percentage) -> bool {
    let up_to = |connections: u64| u128::from(connections) * u128::from(share.ppm()) / 1_000_000;
    up_to(before.wrapping_add(1)) > up_to(before)
}

async fn pass_on(mut client: TcpStream, side: io::Result<SocketAddr>, _room: OwnedSemaphorePermit) -> io::Result<()> {
    let mut side = TcpStream::connect(side?).await?;
    copy_bidirectional(&mut client, &mut side).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_any_hundred_connections_new_gets_its_share() {
        for percent in [0_u32, 1, 10, 25, 50, 99, 100] {
            let share = Percentage::from_ppm(percent * 10_000).unwrap();
            for first in [0, 7, 1_000_003] {
                let new = (first..first + 100).filter(|&before| is_for_new(before, share)).count();
                assert_eq!(new, percent as usize, "{percent} %, from {first}");
            }
        }
    }
}
