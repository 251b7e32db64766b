//! Who wants to be woken by the changes of one migration.

use futures_channel::mpsc::{Receiver, Sender, channel};
use futures_util::StreamExt;

use crate::store::WakeUps;

#[derive(Debug, Default)]
pub(super) struct Watchers(Vec<Sender<()>>);

impl Watchers {
    /// Those that are gone are forgotten, also where nothing ever changes.
    pub(super) fn add(&mut self) -> WakeUps {
        let (sender, receiver): (Sender<()>, Receiver<()>) = channel(0);
        self.0.retain(|sender| !sender.is_closed());
        self.0.push(sender);
        receiver.boxed()
    }

    /// A watcher that has not taken its last wake-up needs no other one. Those that are gone are forgotten.
    pub(super) fn wake(&mut self) {
        self.0.retain_mut(|sender| !sender.try_send(()).is_err_and(|error| error.is_disconnected()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn watchers_that_come_and_go_without_a_change_do_not_pile_up() {
        let mut watchers = Watchers::default();
        let kept = watchers.add();
        for _ in 0..1000 {
            drop(watchers.add());
        }
        assert!(watchers.0.len() <= 2, "{}", watchers.0.len());
        drop(kept);
    }
}
