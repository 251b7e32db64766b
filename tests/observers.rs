//! Observers hear everything in order, apart from each other, and let nobody wait.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test")]

use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cutover::Observer;
use cutover::observe::{Event, ObserverQueue, Observers};

/// Only a broken queue takes that long.
const PATIENCE: Duration = Duration::from_secs(60);

/// The `number`th event, which can be told from all others.
fn event(number: usize) -> Event {
    Event::BreakerOpened { cool_down: Duration::from_nanos(number as u64) }
}

/// Remembers what it hears, where it happens.
#[derive(Clone, Default)]
struct Ear(Arc<Mutex<Vec<(String, Event)>>>);

impl Ear {
    fn heard(&self) -> Vec<(String, Event)> {
        self.0.lock().unwrap().clone()
    }
}

impl Observer for Ear {
    fn observe(&self, source: &str, event: &Event) {
        self.0.lock().unwrap().push((source.to_owned(), *event));
    }

    fn never_blocks(&self) -> bool {
        true
    }
}

/// Panics where it happens.
struct Panics;

impl Observer for Panics {
    fn observe(&self, _source: &str, _event: &Event) {
        panic!("an observer panics");
    }

    fn never_blocks(&self) -> bool {
        true
    }
}

/// A queue whose observer is stuck with an event of its own until the sender is dropped.
fn stuck_queue() -> (ObserverQueue, Ear, mpsc::Sender<()>) {
    let (release, released) = mpsc::channel::<()>();
    let (enter, entered) = mpsc::channel();
    let (ear, gate) = (Ear::default(), Mutex::new((enter, released)));
    let inner = ear.clone();
    let queue = ObserverQueue::new(move |source: &str, event: &Event| {
        inner.observe(source, event);
        let gate = gate.lock().unwrap();
        _ = gate.0.send(());
        _ = gate.1.recv();
    });
    queue.observe("first", &Event::BreakerClosed);
    entered.recv_timeout(PATIENCE).unwrap();
    (queue, ear, release)
}

#[test]
fn a_queue_tells_everything_in_order() {
    let ear = Ear::default();
    let queue = ObserverQueue::new(ear.clone());
    let expected: Vec<_> = (0..100).map(|number| (format!("runner-{}", number / 10), event(number))).collect();
    for (source, event) in &expected {
        queue.observe(source, event);
    }
    assert!(queue.push(&Arc::from("shared"), Event::BreakerClosed));
    queue.flush(PATIENCE).unwrap();
    let heard = ear.heard();
    assert_eq!(heard[..100], expected);
    assert_eq!(heard[100], ("shared".to_owned(), Event::BreakerClosed));
    assert_eq!((queue.counts().handed_over, queue.never_blocks()), (101, true));
}

#[test]
fn equal_events_are_not_merged() {
    let (queue, ear, release) = stuck_queue();
    (0..10).for_each(|_| queue.observe("runner", &event(1)));
    drop(release);
    queue.flush(PATIENCE).unwrap();
    assert_eq!((ear.heard().len(), queue.counts().merged), (11, 0));
}

#[test]
fn a_full_queue_drops_and_counts_exactly() {
    let (queue, ear, release) = stuck_queue();
    (0..10_000).for_each(|number| queue.observe("runner", &event(number)));
    let counts = queue.counts();
    assert_eq!((counts.pending, counts.dropped), (1 + ObserverQueue::MAX_EVENTS as u64, 10_000 - 4_096));
    assert_eq!(queue.flush(Duration::ZERO).unwrap_err().pending, 4_097);
    drop(release);
    queue.flush(PATIENCE).unwrap();
    assert_eq!(ear.heard().last().unwrap().1, event(4_095));
    assert_eq!(queue.counts().handed_over, 4_097);
}

#[test]
fn an_observer_that_panics_hears_the_next_event_all_the_same() {
    let (sender, receiver) = mpsc::channel();
    let sender = Mutex::new(sender);
    let queue = ObserverQueue::new(move |_: &str, event: &Event| {
        sender.lock().unwrap().send(*event).unwrap();
        std::panic::panic_any("an observer panics");
    });
    (0..3).for_each(|number| queue.observe("runner", &event(number)));
    queue.flush(PATIENCE).unwrap();
    assert_eq!((queue.counts().panicked, receiver.try_iter().count()), (3, 3));
}

#[test]
fn dropping_a_queue_waits_for_nobody_and_ends_its_thread() {
    let (watch, ended) = mpsc::channel::<()>();
    let (release, released) = mpsc::channel::<()>();
    let held = Mutex::new((watch, released));
    let queue = ObserverQueue::new(move |_: &str, _: &Event| _ = held.lock().unwrap().1.recv());
    queue.observe("runner", &event(1));
    drop(queue);
    assert_eq!(ended.try_recv(), Err(mpsc::TryRecvError::Empty));
    drop(release);
    assert_eq!(ended.recv_timeout(PATIENCE), Err(RecvTimeoutError::Disconnected));
}

#[test]
fn many_observers_hear_apart_from_each_other() {
    let (before, after) = (Ear::default(), Ear::default());
    let (slow, heard) = mpsc::channel();
    let slow = Mutex::new(slow);
    let observers = Observers::new()
        .with(before.clone())
        .with(Panics)
        .with(move |_: &str, event: &Event| slow.lock().unwrap().send(*event).unwrap())
        .with(|_: &str, _: &Event| panic!("an observer panics"))
        .with(after.clone());
    (0..5).for_each(|number| observers.observe("runner", &event(number)));
    let expected: Vec<_> = (0..5).map(|number| ("runner".to_owned(), event(number))).collect();
    assert_eq!((before.heard(), after.heard()), (expected.clone(), expected));
    observers.flush(PATIENCE).unwrap();
    assert_eq!(heard.try_iter().collect::<Vec<_>>(), (0..5).map(event).collect::<Vec<_>>());
    assert_eq!((observers.faults(), observers.len(), observers.never_blocks()), (10, 5, true));
}

#[test]
fn a_flush_of_many_observers_counts_what_all_of_them_still_wait_for() {
    let (release, released) = mpsc::channel::<()>();
    let released = Mutex::new(released);
    let observers = Observers::new().with(move |_: &str, _: &Event| _ = released.lock().unwrap().recv());
    assert_eq!(observers.flush(Duration::ZERO), Ok(()));
    (0..3).for_each(|number| observers.observe("runner", &event(number)));
    assert_eq!(observers.flush(Duration::ZERO).unwrap_err().pending, 3);
    drop(release);
    observers.flush(PATIENCE).unwrap();
    assert_eq!(observers.faults(), 0);
}

#[test]
fn no_observers_are_fine() {
    let observers = Observers::default();
    observers.observe("runner", &event(1));
    assert!(observers.is_empty());
    assert_eq!((observers.faults(), observers.flush(Duration::ZERO)), (0, Ok(())));
}
