//! Every runtime spawns beside its caller, keeps panics apart, and sleeps on any executor.
#![expect(clippy::unwrap_used, reason = "a test")]

use std::future::poll_fn;
use std::sync::Mutex;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::task::Poll;
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

use cutover::runtime::{HostRuntime, Runtime, ThreadRuntime};
use futures::executor::block_on;
use futures::future::BoxFuture;

const SHORT: Duration = Duration::from_millis(20);
const NEVER: Duration = Duration::from_secs(3600);
/// Only a broken runtime takes that long.
const PATIENCE: Duration = Duration::from_secs(60);

#[expect(clippy::disallowed_methods, reason = "real runtimes sleep in real time")]
fn now() -> Instant {
    Instant::now()
}

/// Where a task of `runtime` runs.
fn place_of_a_task(runtime: &dyn Runtime) -> (ThreadId, Option<String>) {
    let (sender, receiver) = mpsc::channel();
    runtime.spawn(Box::pin(async move {
        let here = thread::current();
        sender.send((here.id(), here.name().map(str::to_owned))).unwrap();
    }));
    receiver.recv_timeout(PATIENCE).unwrap()
}

/// Hears when it is dropped: the sender is.
struct DropSignal(#[expect(dead_code, reason = "only its drop matters")] mpsc::Sender<()>);

fn drop_signal() -> (DropSignal, Receiver<()>) {
    let (sender, receiver) = mpsc::channel();
    (DropSignal(sender), receiver)
}

fn was_dropped(receiver: &Receiver<()>) -> bool {
    receiver.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Disconnected)
}

fn yield_once() -> impl Future<Output = ()> {
    let mut yielded = false;
    poll_fn(move |context| {
        if std::mem::replace(&mut yielded, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
}

#[test]
fn a_thread_runtime_runs_its_tasks_on_one_named_thread() {
    let runtime = ThreadRuntime::new("sha\0dows");
    let (first, name) = place_of_a_task(&runtime);
    assert_eq!(name.as_deref(), Some("shadows"));
    let clone = runtime.clone();
    assert_eq!(place_of_a_task(&clone).0, first);
    assert_eq!(place_of_a_task(&runtime).0, first);
    assert_ne!(first, thread::current().id());
}

#[test]
fn the_tasks_of_a_thread_runtime_take_turns() {
    let runtime = ThreadRuntime::new("turns");
    let (sender, receiver) = mpsc::channel();
    let (start, started) = futures::channel::oneshot::channel::<()>();
    let started = futures::FutureExt::shared(started);
    for name in ["a", "b"] {
        let (sender, started) = (sender.clone(), started.clone());
        runtime.spawn(Box::pin(async move {
            started.await.unwrap();
            for _ in 0..3 {
                sender.send(name).unwrap();
                yield_once().await;
            }
        }));
    }
    start.send(()).unwrap();
    let heard: Vec<_> = (0..6).map(|_| receiver.recv_timeout(PATIENCE).unwrap()).collect();
    assert_ne!(heard, ["a", "a", "a", "b", "b", "b"]);
    assert_ne!(heard, ["b", "b", "b", "a", "a", "a"]);
}

#[test]
fn a_task_that_panics_ends_alone() {
    struct PanicsInDrop;
    impl Drop for PanicsInDrop {
        fn drop(&mut self) {
            panic!("in a destructor");
        }
    }
    let runtime = ThreadRuntime::new("panics");
    let before = place_of_a_task(&runtime).0;
    runtime.spawn(Box::pin(async { panic!("a task panics") }));
    let held = PanicsInDrop;
    runtime.spawn(Box::pin(async move {
        yield_once().await;
        drop(held);
    }));
    assert_eq!(place_of_a_task(&runtime).0, before);
}

#[test]
fn a_task_may_block_on_futures_of_its_own() {
    let runtime = ThreadRuntime::new("nested");
    let (sender, receiver) = mpsc::channel();
    let inner = runtime.clone();
    runtime.spawn(Box::pin(async move {
        block_on(inner.sleep(SHORT));
        yield_once().await;
        sender.send(()).unwrap();
    }));
    assert_eq!(receiver.recv_timeout(PATIENCE), Ok(()));
}

#[test]
fn a_task_that_blocks_delays_no_sleep_and_no_other_runtime() {
    let (blocked, free) = (ThreadRuntime::new("blocked"), ThreadRuntime::new("free"));
    let (release, released) = mpsc::channel::<()>();
    let (sender, receiver) = mpsc::channel();
    blocked.spawn(Box::pin(async move {
        released.recv().unwrap();
        sender.send(()).unwrap();
    }));
    block_on(blocked.sleep(SHORT));
    place_of_a_task(&free);
    assert!(receiver.try_recv().is_err(), "still blocked");
    release.send(()).unwrap();
    assert_eq!(receiver.recv_timeout(PATIENCE), Ok(()));
}

#[test]
fn dropping_the_last_handle_drops_the_tasks_and_ends_the_thread() {
    let runtime = ThreadRuntime::new("ends");
    let (signal, dropped) = drop_signal();
    let asleep = runtime.sleep(NEVER);
    runtime.spawn(Box::pin(async move {
        asleep.await;
        drop(signal);
    }));
    let (watch, ended) = drop_signal();
    runtime.spawn(Box::pin(async move {
        thread_local!(static WATCH: Mutex<Option<DropSignal>> = const { Mutex::new(None) });
        WATCH.with(|slot| *slot.lock().unwrap() = Some(watch));
    }));
    let second = runtime.clone();
    drop(runtime);
    place_of_a_task(&second);
    assert_eq!(dropped.try_recv(), Err(mpsc::TryRecvError::Empty));
    drop(second);
    assert!(was_dropped(&dropped));
    assert!(was_dropped(&ended));
}

#[test]
fn a_sleep_outlives_its_runtime() {
    let sleep = ThreadRuntime::new("short-lived").sleep(SHORT);
    block_on(sleep);
}

fn sleeps(runtime: &dyn Runtime) -> impl Future<Output = ()> + use<> {
    let start = now();
    let sleep = runtime.sleep(SHORT);
    async move {
        sleep.await;
        assert!(start.elapsed() >= SHORT);
    }
}

#[test]
fn a_thread_runtime_sleeps_on_any_executor() {
    let runtime = ThreadRuntime::new("sleeps");
    block_on(sleeps(&runtime));
    smol::block_on(sleeps(&runtime));
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(sleeps(&runtime));
}

#[test]
fn a_sleep_that_is_woken_for_another_reason_goes_on() {
    let runtime = ThreadRuntime::new("spurious");
    let start = now();
    let mut sleep = runtime.sleep(SHORT);
    block_on(poll_fn(|context| {
        context.waker().wake_by_ref();
        sleep.as_mut().poll(context)
    }));
    assert!(start.elapsed() >= SHORT);
}

/// Polls once, from a task that ends then.
fn poll_now(sleep: &mut BoxFuture<'static, ()>) {
    block_on(poll_fn(|context| {
        _ = sleep.as_mut().poll(context);
        Poll::Ready(())
    }));
}

#[test]
fn a_sleep_that_moves_to_another_task_wakes_the_new_one() {
    let mut sleep = ThreadRuntime::new("moves").sleep(SHORT);
    poll_now(&mut sleep);
    smol::block_on(sleep);
}

#[test]
fn without_tokio_the_default_runs_on_its_own_thread() {
    let (place, name) = place_of_a_task(&HostRuntime);
    assert_eq!(name.as_deref(), Some("cutover"));
    assert_eq!(smol::block_on(async { place_of_a_task(&HostRuntime).0 }), place);
    block_on(sleeps(&HostRuntime));
    smol::block_on(async { sleeps(&HostRuntime).await });
}

#[test]
fn runtimes_are_shared_between_threads() {
    fn is_shared<T: Send + Sync + 'static>() {}
    is_shared::<HostRuntime>();
    is_shared::<ThreadRuntime>();
    #[cfg(feature = "tokio")]
    is_shared::<cutover::runtime::TokioRuntime>();
}

#[cfg(feature = "tokio")]
mod on_tokio {
    use super::*;
    use cutover::runtime::TokioRuntime;
    use tokio::runtime::Builder;

    fn host(name: &str) -> tokio::runtime::Runtime {
        Builder::new_multi_thread().worker_threads(1).thread_name(name).enable_time().build().unwrap()
    }

    #[test]
    fn the_default_is_the_runtime_of_the_caller() {
        let (one, two) = (host("one"), host("two"));
        for (host, name) in [(&one, "one"), (&two, "two")] {
            let _entered = host.enter();
            assert_eq!(place_of_a_task(&HostRuntime).1.as_deref(), Some(name));
            block_on(sleeps(&HostRuntime));
        }
        assert_eq!(place_of_a_task(&HostRuntime).1.as_deref(), Some("cutover"));
    }

    #[test]
    fn a_given_runtime_is_used_from_anywhere() {
        let isolated = host("isolated");
        let runtime = TokioRuntime::new(isolated.handle().clone());
        assert_eq!(place_of_a_task(&runtime).1.as_deref(), Some("isolated"));
        block_on(sleeps(&runtime));
        let other = host("other");
        other.block_on(async { assert_eq!(place_of_a_task(&runtime).1.as_deref(), Some("isolated")) });
        other.block_on(sleeps(&runtime));
    }

    #[test]
    fn a_runtime_without_time_sleeps_all_the_same() {
        let timeless = Builder::new_current_thread().build().unwrap();
        timeless.block_on(sleeps(&TokioRuntime::new(timeless.handle().clone())));
        timeless.block_on(async { sleeps(&HostRuntime).await });
    }

    #[test]
    fn a_runtime_that_was_shut_down_drops_tasks_and_sleeps_all_the_same() {
        let gone = host("gone");
        let runtime = TokioRuntime::new(gone.handle().clone());
        let before = sleeps(&runtime);
        drop(gone);
        block_on(before);
        block_on(sleeps(&runtime));
        let (signal, dropped) = drop_signal();
        runtime.spawn(Box::pin(async move { drop(signal) }));
        assert!(was_dropped(&dropped));
    }

    #[test]
    fn a_sleep_that_waits_while_its_runtime_is_shut_down_completes() {
        let gone = host("gone");
        let start = now();
        let mut sleep = TokioRuntime::new(gone.handle().clone()).sleep(SHORT);
        poll_now(&mut sleep);
        drop(gone);
        block_on(sleep);
        assert!(start.elapsed() >= SHORT);
    }

    #[tokio::test(start_paused = true)]
    async fn time_that_is_paused_stays_paused() {
        let start = now();
        HostRuntime.sleep(NEVER).await;
        assert!(start.elapsed() < NEVER);
    }
}
