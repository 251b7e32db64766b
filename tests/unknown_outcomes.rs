//! A change whose answer is lost is sent again as the same operation, and so never stored twice.
#![cfg(feature = "testing")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod control_common;

use control_common::TestRuntime;
use cutover::control::ChangeError;
use cutover::testing::{FailingStore, Fault, SeededRandom};
use cutover::{MemoryStore, MigrationController, StoreError, SystemMode};

use Fault::{Conflict, Corrupt, Hang, Panic, Unavailable, UnknownAfterApplying, UnknownWithoutApplying};

async fn opened() -> (FailingStore<MemoryStore>, MigrationController) {
    let store = FailingStore::new(MemoryStore::new(), TestRuntime);
    let controller = MigrationController::builder("search", store.clone()).manual_refresh().open().await.unwrap();
    (store, controller)
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_is_found_by_asking_again() {
    let scripts: [&[Fault]; 6] = [
        &[UnknownAfterApplying],
        &[UnknownAfterApplying, Unavailable, Hang],
        &[Hang, UnknownWithoutApplying, UnknownAfterApplying],
        &[UnknownWithoutApplying, Corrupt, Unavailable],
        &[Panic, UnknownAfterApplying],
        &[Conflict, UnknownAfterApplying, Conflict],
    ];
    for script in scripts {
        let (store, controller) = opened().await;
        store.script_writes(script.iter().copied().map(Some));
        let changed = controller.transition(SystemMode::Parallel, "ana", "compare").await;
        assert_eq!(changed.unwrap().after.mode, SystemMode::Parallel, "{script:?}");
        assert_eq!(controller.mode(), SystemMode::Parallel);
        assert_eq!(controller.history(0, 10).await.unwrap().len(), 1, "{script:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_stays_lost_is_said_to_be_unknown_and_a_refresh_tells() {
    for (fault, applied) in [(UnknownAfterApplying, true), (UnknownWithoutApplying, false), (Hang, false)] {
        let (store, controller) = opened().await;
        store.script_writes([Some(fault); 4]);
        let result = controller.transition(SystemMode::Parallel, "ana", "compare").await;
        assert!(matches!(result, Err(ChangeError::Store(StoreError::OutcomeUnknown(_)))), "{result:?}");
        assert_eq!((controller.mode(), controller.status().stale), (SystemMode::LegacyOnly, true));
        controller.refresh().await.unwrap();
        assert_eq!(controller.mode() == SystemMode::Parallel, applied, "{fault:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_refusal_that_is_certain_is_not_sent_again() {
    for fault in [Unavailable, Corrupt] {
        let (store, controller) = opened().await;
        store.script_writes([Some(fault)]);
        let calls = store.calls();
        assert!(controller.transition(SystemMode::Parallel, "ana", "compare").await.is_err());
        assert_eq!(store.calls() - calls, 2, "one read and one write");
        assert_eq!(controller.history(0, 10).await.unwrap(), []);
    }
}

#[tokio::test(start_paused = true)]
async fn a_change_that_others_always_outrun_gives_up() {
    let (store, controller) = opened().await;
    store.set_standing(Some(Conflict));
    let result = controller.transition(SystemMode::Parallel, "ana", "compare").await;
    assert!(matches!(result, Err(ChangeError::Contended { attempts: 10 })), "{result:?}");
}

#[tokio::test(start_paused = true)]
async fn between_two_tries_there_is_a_pause() {
    let store = FailingStore::new(MemoryStore::new(), TestRuntime);
    let builder = MigrationController::builder("search", store.clone()).random(SeededRandom::new(7));
    let controller = builder.manual_refresh().open().await.unwrap();
    for (script, least) in [(vec![UnknownWithoutApplying; 3], 5), (vec![Conflict; 9], 50)] {
        let start = tokio::time::Instant::now();
        store.script_writes(script.into_iter().map(Some));
        let to = if controller.mode() == SystemMode::Parallel { SystemMode::LegacyOnly } else { SystemMode::Parallel };
        controller.transition(to, "ana", "compare").await.unwrap();
        let paused = start.elapsed().as_millis();
        assert!((least..=2_500).contains(&paused), "{paused} ms with the seed 7");
    }
}

/// The first try is stored and its answer lost; somebody changes the mode again before it is repeated.
#[tokio::test(start_paused = true)]
async fn a_change_that_was_overtaken_while_its_answer_was_lost_is_no_longer_what_is_known() {
    let memory = MemoryStore::new();
    let store = FailingStore::new(memory.clone(), TestRuntime);
    let controller = MigrationController::builder("search", store.clone()).manual_refresh().open().await.unwrap();
    store.script_writes([Some(UnknownAfterApplying), Some(Hang)]);
    let changing = controller.transition(SystemMode::Parallel, "ana", "compare");
    let overtaking = async {
        let other = MigrationController::builder("search", memory).manual_refresh().open().await.unwrap();
        while other.mode() != SystemMode::Parallel {
            other.refresh().await.unwrap();
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
        other.transition(SystemMode::GradualRollout, "ben", "go on").await.unwrap();
    };
    let (changed, ()) = tokio::join!(changing, overtaking);
    assert_eq!((changed.unwrap().epoch, controller.status().epoch), (1, 2));
    assert_eq!(controller.mode(), SystemMode::GradualRollout);
}
