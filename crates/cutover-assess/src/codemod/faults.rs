//! Whatever fails and whenever the power goes, all files are old or all are new.

use std::path::PathBuf;

use super::edit::Splice;
use super::error::CodemodError;
use super::failing_disk::{FailingDisk, Fault, Image};
use super::files::{Content, Mode};
use super::format::Entry;
use super::journal::{JournalState, Scroll};
use super::run::{self, Moves};

/// Three files in two folders, and the journal of the run that makes `old` of each `new`.
struct World {
    _folder: tempfile::TempDir,
    scroll: Scroll,
    entries: Vec<Entry>,
    moves: Moves,
    disk: FailingDisk,
    targets: Vec<PathBuf>,
}

const MODE: Mode = Mode(0o755);

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        std::fs::create_dir(root.join("src")).unwrap();
        let names = ["a.py", "src/b.py", "src/c.py"];
        let entries = names.map(|name| {
            let edit = Splice { start: 0, end: 3, text: "new".to_owned() };
            Entry::new(name.to_owned(), MODE, b"old text", b"new text", vec![edit])
        });
        let scroll = Scroll::at(&root.join(".cutover/0001.journal"));
        let moves = Moves::of(&root, &scroll, &entries).unwrap();
        let targets = names.map(|name| root.join(name)).to_vec();
        let disk = FailingDisk::new(targets.iter().map(|target| (target.clone(), content("old text"))));
        Self { _folder: folder, scroll, entries: entries.into(), moves, disk, targets }
    }

    /// After the run.
    fn applied() -> Self {
        let world = Self::new();
        world.apply(&world.disk).unwrap();
        Self { disk: world.disk.after_crash(Image::Synced), ..world }
    }

    fn apply(&self, disk: &FailingDisk) -> Result<(), CodemodError> {
        run::apply(disk, &self.scroll, &self.entries, &self.moves, || Ok(()))
    }

    fn undo(&self, disk: &FailingDisk) -> Result<(), CodemodError> {
        run::undo(disk, &self.scroll, &self.moves)
    }

    fn recover(&self, disk: &FailingDisk) -> Result<JournalState, CodemodError> {
        let (_, state) = self.scroll.read(disk)?;
        run::recover(disk, &self.scroll, &self.moves, state)
    }

    /// What the journal says; `None` if there is none.
    fn state(&self, disk: &FailingDisk) -> Option<JournalState> {
        disk.files().contains_key(&self.scroll.path).then(|| self.scroll.read(disk).unwrap().1)
    }

    /// Whether all files are new; if not, all are old. Nothing else may be beside them.
    fn is_new(&self, disk: &FailingDisk) -> bool {
        let mut files = disk.files();
        files.retain(|name, _| !name.parent().unwrap().ends_with(".cutover"));
        let all = |text: &str| self.targets.iter().all(|target| files.get(target) == Some(&content(text)));
        assert_eq!(files.len(), self.targets.len(), "drafts are left: {files:?}");
        assert!(all("old text") || all("new text"), "half old, half new: {files:?}");
        all("new text")
    }

    /// After whatever happened, one recovery without faults brings all files to one content, and the journal says which.
    fn recovers(&self, disk: &FailingDisk) -> bool {
        let disk = disk.with(Fault::None);
        if self.state(&disk).is_some() {
            let state = self.recover(&disk).unwrap();
            assert_eq!(self.state(&disk), Some(state));
            assert_eq!(self.is_new(&disk), state == JournalState::Applied);
        }
        self.is_new(&disk)
    }
}

fn content(text: &str) -> Content {
    Content { bytes: text.into(), mode: MODE }
}

type Begin = fn() -> World;
type Step = fn(&World, &FailingDisk) -> Result<(), CodemodError>;
/// What to do from where, and whether all files are new then.
const STEPS: [(Begin, Step, bool); 2] = [(World::new, World::apply, true), (World::applied, World::undo, false)];

#[test]
fn an_operation_that_fails_leaves_all_as_it_was_or_says_that_it_did_not() {
    for (begin, step, goal) in STEPS {
        let world = begin();
        let whole = world.disk.with(Fault::None);
        step(&world, &whole).unwrap();
        assert_eq!(world.is_new(&whole), goal);
        let (mut failed, mut stuck) = (0, 0);
        for number in 0..whole.operations() {
            for fault in [Fault::Fails(number), Fault::Lies(number)] {
                let disk = world.disk.with(fault);
                match step(&world, &disk) {
                    Ok(()) => assert_eq!(world.is_new(&disk), goal, "{fault:?}"),
                    Err(CodemodError::Stuck { .. }) => {
                        stuck += 1;
                        world.recovers(&disk);
                    }
                    Err(_) => {
                        failed += 1;
                        assert_eq!(world.is_new(&disk), !goal, "{fault:?}");
                        assert_ne!(world.state(&disk), Some(JournalState::Interrupted), "{fault:?}");
                        for image in Image::ALL {
                            assert_eq!(world.recovers(&disk.after_crash(image)), !goal, "{fault:?} {image:?}");
                        }
                    }
                }
            }
        }
        assert!(failed > whole.operations(), "{failed} of {}", whole.operations());
        assert_eq!(stuck, 0, "a single fault is backed out");
    }
}

#[test]
fn after_a_crash_at_any_operation_recovery_makes_all_files_old_or_all_new() {
    for (begin, step, goal) in STEPS {
        let world = begin();
        let whole = world.disk.with(Fault::None);
        step(&world, &whole).unwrap();
        let mut ends = [0, 0];
        for number in 0..=whole.operations() {
            for image in Image::ALL {
                let disk = world.disk.with(Fault::Dies(number));
                let done = step(&world, &disk);
                let new = world.recovers(&disk.after_crash(image));
                assert!(done.is_err() || new == goal, "what was said to be done is done: {number} {image:?}");
                ends[usize::from(new)] += 1;
            }
        }
        assert!(ends.iter().all(|count| *count > 0), "{ends:?}");
    }
}

#[test]
fn a_crash_while_a_failure_is_backed_out_is_recovered_too() {
    for (begin, step, _) in STEPS {
        let world = begin();
        let whole = world.disk.with(Fault::None);
        step(&world, &whole).unwrap();
        for lie in 0..whole.operations() {
            for death in lie + 1..2 * whole.operations() {
                let disk = world.disk.with(Fault::LiesAndDies(lie, death));
                drop(step(&world, &disk));
                if disk.operations() <= death {
                    break;
                }
                world.recovers(&disk.after_crash(Image::All));
                world.recovers(&disk.after_crash(Image::Synced));
            }
        }
    }
}

#[test]
fn a_crash_in_the_middle_of_a_recovery_is_recovered_too() {
    for (begin, step, _) in STEPS {
        let world = begin();
        let whole = world.disk.with(Fault::None);
        step(&world, &whole).unwrap();
        for number in 0..whole.operations() {
            let disk = world.disk.with(Fault::Dies(number));
            drop(step(&world, &disk));
            let crashed = disk.after_crash(Image::All).with(Fault::None);
            if world.state(&crashed).is_none() {
                continue;
            }
            for second in 0..20 {
                let disk = crashed.with(Fault::Dies(second));
                drop(world.recover(&disk));
                for image in Image::ALL {
                    world.recovers(&disk.after_crash(image));
                }
            }
        }
    }
}

#[test]
fn a_disk_that_stays_broken_is_reported_with_the_journal_to_recover() {
    let world = World::new();
    let whole = world.disk.with(Fault::None);
    world.apply(&whole).unwrap();
    let disk = world.disk.with(Fault::Dies(whole.operations() / 2));
    let error = world.apply(&disk).unwrap_err();
    assert!(matches!(&error, CodemodError::Stuck { journal, .. } if *journal == world.scroll.path), "{error}");
    assert!(error.to_string().contains("recover"), "{error}");
}

#[test]
fn a_file_that_an_editor_changed_is_not_touched_by_recovery_and_is_named() {
    let world = World::new();
    let disk = world.disk.with(Fault::Dies(20));
    world.apply(&disk).unwrap_err();
    let mut files = disk.files();
    files.insert(world.targets[2].clone(), content("mine"));
    let disk = FailingDisk::new(files.clone());
    let error = world.recover(&disk).unwrap_err();
    let CodemodError::Changed { files: changed } = error else { panic!("{error}") };
    assert_eq!(changed, [PathBuf::from("src/c.py")]);
    for target in &world.targets {
        assert_eq!(disk.files()[target], files[target]);
    }
}
