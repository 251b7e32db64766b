//! What goes wrong in a call.

use std::future::pending;

use cutover::Runtime;
use cutover_fleet::{HostError, System};

use super::{State, World};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It fails and does nothing.
    Fails,
    /// It is done, and then fails.
    FailsAfter,
    /// It panics.
    Panics,
    /// It never ends.
    Hangs,
}

impl World {
    /// A call: it takes its time, goes wrong if it is to, and else has its effect.
    pub(crate) async fn call<T>(
        &self,
        what: &str,
        system: &System,
        effect: impl FnOnce(&mut State, &str) -> T + Send,
    ) -> Result<T, HostError> {
        let name = system.name.as_str();
        let (number, takes) = {
            let mut state = self.lock();
            state.calls.push((what.to_owned(), name.to_owned()));
            (state.calls.len() - 1, state.takes)
        };
        self.runtime.sleep(takes / 2).await;
        let fault = self.fault(number, what, name);
        match fault {
            Some(Fault::Fails) => return Err(HostError::new(format!("{what} fails"))),
            Some(Fault::Panics) => panic!("{what} panics"),
            Some(Fault::Hangs) => pending::<()>().await,
            Some(Fault::FailsAfter) | None => {}
        }
        let answer = effect(&mut self.lock(), name);
        self.runtime.sleep(takes / 2).await;
        if fault == Some(Fault::FailsAfter) { Err(HostError::new(format!("{what} fails late"))) } else { Ok(answer) }
    }

    fn fault(&self, number: usize, what: &str, name: &str) -> Option<Fault> {
        let state = self.lock();
        let broken = state.broken.contains(&(what.to_owned(), name.to_owned()));
        state.faults.get(&number).copied().or_else(|| broken.then_some(Fault::Fails))
    }
}
