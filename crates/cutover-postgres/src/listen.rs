//! Wake-ups: one connection with `LISTEN`, driven by those who watch.

use std::fmt;
use std::future::Future as _;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::Poll;

use cutover::store::{MigrationId, WakeUps};
use futures_channel::mpsc::{Sender, channel};
use futures_util::future::{BoxFuture, Either, Shared, select};
use futures_util::stream::{BoxStream, poll_fn};
use futures_util::{FutureExt as _, StreamExt as _};
use tokio_postgres::tls::TlsStream;
use tokio_postgres::{AsyncMessage, Client, Connection, Error};

use crate::PostgresError;

/// A connection that is used for notifications alone, whatever its stream and its TLS are.
pub struct Notifications {
    client: Client,
    messages: BoxStream<'static, Result<AsyncMessage, Error>>,
}

impl Notifications {
    /// From what [`tokio_postgres::Config::connect`] gives. The connection is driven by those who watch; no task is needed.
    pub fn new<S, T>(client: Client, mut connection: Connection<S, T>) -> Self
    where
        S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
        T: TlsStream + Unpin + Send + 'static,
    {
        Self { client, messages: poll_fn(move |context| connection.poll_message(context)).boxed() }
    }
}

impl fmt::Debug for Notifications {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Notifications").finish_non_exhaustive()
    }
}

type Connect = dyn Fn() -> BoxFuture<'static, Result<Notifications, Error>> + Send + Sync;

/// Opens a connection for the first watcher. The watchers keep it open.
pub(crate) struct Listener {
    connect: Box<Connect>,
    channel: String,
    open: tokio::sync::Mutex<Weak<Open>>,
}

impl Listener {
    pub(crate) fn new(channel: String, connect: Box<Connect>) -> Self {
        Self { connect, channel, open: tokio::sync::Mutex::default() }
    }

    pub(crate) async fn watch(&self, id: &MigrationId) -> Result<WakeUps, PostgresError> {
        let mut place = self.open.lock().await;
        if let Some(open) = place.upgrade().filter(|open| open.driver.peek().is_none()) {
            return Ok(open.watch(id));
        }
        let open = Arc::new(Open::listening(&self.channel, (self.connect)().await?).await?);
        *place = Arc::downgrade(&open);
        Ok(open.watch(id))
    }
}

/// An open connection, and who is woken by it.
struct Open {
    /// Keeps the connection open.
    _client: Client,
    /// Reads notifications until the connection is lost. Whichever watcher is polled drives it for all.
    driver: Shared<BoxFuture<'static, ()>>,
    watchers: Arc<Watchers>,
}

impl Open {
    async fn listening(channel: &str, notifications: Notifications) -> Result<Self, PostgresError> {
        let Notifications { client, messages } = notifications;
        let watchers = Arc::new(Watchers::default());
        let driver = drive(messages, Arc::clone(&watchers)).boxed().shared();
        // The name was checked when it was made.
        let listen = format!("LISTEN \"{channel}\"");
        match select(client.batch_execute(&listen).boxed(), driver.clone()).await {
            Either::Left((listens, _)) => listens?,
            Either::Right(_) => return Err(PostgresError::Lost { kind: None }),
        }
        Ok(Self { _client: client, driver, watchers })
    }

    fn watch(self: Arc<Self>, id: &MigrationId) -> WakeUps {
        let (sender, mut receiver) = channel(0);
        self.watchers.add(id, sender);
        let mut driver = Some(self.driver.clone());
        poll_fn(move |context| {
            // Holds on to the connection for as long as there is this stream.
            let _open = &self;
            if driver.as_mut().is_some_and(|driver| Pin::new(driver).poll(context) == Poll::Ready(())) {
                driver = None;
            }
            receiver.poll_next_unpin(context)
        })
        .boxed()
    }
}

/// Wakes watchers until the connection is lost, and ends their streams then.
async fn drive(mut messages: BoxStream<'static, Result<AsyncMessage, Error>>, watchers: Arc<Watchers>) {
    while let Some(Ok(message)) = messages.next().await {
        if let AsyncMessage::Notification(notification) = message {
            watchers.wake(notification.payload());
        }
    }
    watchers.end();
}

/// Those who are woken; `None` once the connection is lost.
struct Watchers(Mutex<Option<Vec<Watcher>>>);

type Watcher = (MigrationId, Sender<()>);

impl Default for Watchers {
    fn default() -> Self {
        Self(Mutex::new(Some(Vec::new())))
    }
}

impl Watchers {
    fn present(&self) -> MutexGuard<'_, Option<Vec<Watcher>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whoever comes after the end is not kept, which ends its stream too.
    fn add(&self, id: &MigrationId, sender: Sender<()>) {
        if let Some(watchers) = self.present().as_mut() {
            watchers.retain(|(_, sender)| !sender.is_closed());
            watchers.push((id.clone(), sender));
        }
    }

    /// A watcher that has not taken its last wake-up needs no other one.
    fn wake(&self, migration: &str) {
        for (id, sender) in self.present().iter_mut().flatten() {
            if id.as_str() == migration {
                let _ = sender.try_send(());
            }
        }
    }

    fn end(&self) {
        *self.present() = None;
    }
}

#[cfg(test)]
mod tests {
    use futures_util::stream;

    use super::*;

    /// Another thread may drive the connection to its end between the look at it and the new watcher.
    #[test]
    fn a_watcher_that_comes_after_the_connection_was_lost_has_a_stream_that_ends() {
        let (watchers, id) = (Arc::new(Watchers::default()), "a".parse().unwrap());
        let ((early, mut woken_early), (late, mut woken_late)) = (channel(0), channel(0));
        watchers.add(&id, early);
        assert_eq!(drive(stream::empty().boxed(), Arc::clone(&watchers)).now_or_never(), Some(()));
        watchers.add(&id, late);
        assert_eq!(woken_early.next().now_or_never(), Some(None));
        assert_eq!(woken_late.next().now_or_never(), Some(None), "it would wait for ever");
    }
}
