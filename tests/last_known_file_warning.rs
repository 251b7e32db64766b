//! A file of the last known state that cannot be read is told of. In a process of its own, since `tracing` may take it for
//! nobody's business if the first listener comes while another thread warns.
#![cfg(feature = "testing")]
#![expect(clippy::unwrap_used, clippy::type_complexity, reason = "a test, and what it hears")]

mod start_common;
mod tracing_common;

use std::fs;
use std::time::Duration;

use start_common::World;
use tracing::Level;

#[test]
fn a_file_that_cannot_be_read_is_told_of_though_the_store_answers() {
    let world = World::new();
    let warnings = || {
        let (opened, heard) = tracing_common::heard(|| world.open([world.last_known_good()]));
        opened.unwrap().flush(Duration::from_secs(10)).unwrap();
        heard.into_iter().filter(|heard| heard.level == Level::WARN).collect::<Vec<_>>()
    };
    assert_eq!(warnings(), [], "there was no process before");
    world.process_before();
    assert_eq!(warnings(), []);
    fs::write(world.file(), "neither sum nor state").unwrap();
    let [warning] = &warnings()[..] else { panic!("one warning") };
    assert_eq!(warning.name, "what the last process knew could not be read");
    assert!(warning.fields["error"].contains("it is not what was written"), "{warning:?}");
}
