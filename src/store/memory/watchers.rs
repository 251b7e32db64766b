//! Who wants to be woken by the changes of one migration.

use futures_channel::mpsc::{Receiver, Sender, channel};
use futures_util::StreamExt;

use crate::store::WakeUps;

#[derive(Debug, Default)]
pub(super) struct Watchers(Vec<Sender<()>>);

impl Watchers {
    pub(super) fn add(&mut self) -> WakeUps {
        let (sender, receiver): (Sender<()>, Receiver<()>) = channel(0);
        self.0.push(sender);
        receiver.boxed()
    }

    /// A watcher that has not taken its last wake-up needs no other one. Those that are gone are forgotten.
    pub(super) fn wake(&mut self) {
        self.0.retain_mut(|sender| !sender.try_send(()).is_err_and(|error| error.is_disconnected()));
    }
}
