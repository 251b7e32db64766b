//! The runtime of a host that names none: the Tokio runtime it is on, and threads where there is none.

use std::thread;
use std::time::Duration;

use futures::FutureExt;
use futures::channel::oneshot;
use futures::executor::block_on;
use futures::future::BoxFuture;

use crate::runtime::Runtime;

#[derive(Debug)]
pub(super) struct DefaultRuntime {
    #[cfg(feature = "tokio")]
    tokio: Option<tokio::runtime::Handle>,
}

impl DefaultRuntime {
    pub(super) fn here() -> Self {
        Self {
            #[cfg(feature = "tokio")]
            tokio: tokio::runtime::Handle::try_current().ok(),
        }
    }
}

impl Runtime for DefaultRuntime {
    fn spawn(&self, task: BoxFuture<'static, ()>) {
        #[cfg(feature = "tokio")]
        if let Some(tokio) = &self.tokio {
            tokio.spawn(task);
            return;
        }
        thread::spawn(|| block_on(task));
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        #[cfg(feature = "tokio")]
        if let Some(tokio) = &self.tokio {
            let _entered = tokio.enter();
            return tokio::time::sleep(duration).boxed();
        }
        let (wake, woken) = oneshot::channel::<()>();
        thread::spawn(move || {
            #[expect(clippy::disallowed_methods, reason = "this is the runtime that everybody else asks")]
            thread::sleep(duration);
            drop(wake);
        });
        woken.map(drop).boxed()
    }
}
