//! A disk in memory of which any operation can fail, and which forgets what was not synced.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use super::files::{Content, Files, Mode};

/// What goes wrong. Operations are counted from 0, reads as well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// Nothing.
    None,
    /// One operation does nothing and fails.
    Fails(usize),
    /// One operation does what it shall, and fails all the same.
    Lies(usize),
    /// One operation is done by half, and it and all later ones fail: the process is dead, or the disk is full for good.
    Dies(usize),
    /// One operation lies, and a later one dies.
    LiesAndDies(usize, usize),
}

impl Fault {
    /// Which operation fails, which one lies, and which one is the last.
    const fn moments(self) -> (Option<usize>, Option<usize>, Option<usize>) {
        match self {
            Self::None => (None, None, None),
            Self::Fails(at) => (Some(at), None, None),
            Self::Lies(at) => (None, Some(at), None),
            Self::Dies(at) => (None, None, Some(at)),
            Self::LiesAndDies(lie, death) => (None, Some(lie), Some(death)),
        }
    }
}

/// What a loss of power leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Image {
    /// All that was done: only the process died.
    All,
    /// What was synced.
    Synced,
    /// All names, but no content that was not synced.
    Names,
    /// All contents, but no names that were not synced.
    Contents,
}

impl Image {
    pub(super) const ALL: [Self; 4] = [Self::All, Self::Synced, Self::Names, Self::Contents];
}

#[derive(Debug, Clone)]
struct Inode {
    content: Content,
    /// Nothing is in a file whose content was never synced.
    synced: Content,
}

#[derive(Debug, Clone)]
struct State {
    inodes: Vec<Inode>,
    names: BTreeMap<PathBuf, usize>,
    synced_names: BTreeMap<PathBuf, usize>,
    fault: Fault,
    operations: usize,
}

#[derive(Debug, Clone)]
pub(super) struct FailingDisk {
    state: RefCell<State>,
}

impl FailingDisk {
    /// A disk with these files, synced.
    pub(super) fn new(files: impl IntoIterator<Item = (PathBuf, Content)>) -> Self {
        let (names, contents): (Vec<_>, Vec<_>) = files.into_iter().unzip();
        let inodes = contents.into_iter().map(|content| Inode { synced: content.clone(), content }).collect();
        let names: BTreeMap<_, _> = names.into_iter().zip(0..).collect();
        let state = State { inodes, synced_names: names.clone(), names, fault: Fault::None, operations: 0 };
        Self { state: RefCell::new(state) }
    }

    /// The same disk, from now on with this fault.
    pub(super) fn with(&self, fault: Fault) -> Self {
        let mut state = self.state.borrow().clone();
        (state.fault, state.operations) = (fault, 0);
        Self { state: RefCell::new(state) }
    }

    /// The disk after a loss of power.
    pub(super) fn after_crash(&self, image: Image) -> Self {
        let state = self.state.borrow();
        let names = if matches!(image, Image::All | Image::Names) { &state.names } else { &state.synced_names };
        let content = |inode: &Inode| {
            if matches!(image, Image::All | Image::Contents) { inode.content.clone() } else { inode.synced.clone() }
        };
        Self::new(names.iter().map(|(name, inode)| (name.clone(), content(&state.inodes[*inode]))))
    }

    pub(super) fn operations(&self) -> usize {
        self.state.borrow().operations
    }

    pub(super) fn files(&self) -> BTreeMap<PathBuf, Content> {
        let state = self.state.borrow();
        state.names.iter().map(|(name, inode)| (name.clone(), state.inodes[*inode].content.clone())).collect()
    }

    /// Does `whole`, or `half` where the fault says so.
    fn operate<T>(
        &self,
        half: impl FnOnce(&mut State),
        whole: impl FnOnce(&mut State) -> io::Result<T>,
    ) -> io::Result<T> {
        let state = &mut *self.state.borrow_mut();
        let number = state.operations;
        state.operations += 1;
        let broken = || Err(io::Error::other("broken"));
        let (fails, lies, dies) = state.fault.moments();
        if dies == Some(number) {
            half(state);
        }
        if fails == Some(number) || dies.is_some_and(|at| at <= number) {
            return broken();
        }
        let done = whole(state);
        if lies == Some(number) { done.and_then(|_| broken()) } else { done }
    }
}

impl State {
    fn inode(&mut self, path: &Path) -> io::Result<&mut Inode> {
        let inode = self.names.get(path).copied().ok_or(io::ErrorKind::NotFound)?;
        Ok(&mut self.inodes[inode])
    }

    fn create(&mut self, path: &Path, content: &Content) -> io::Result<()> {
        if self.names.contains_key(path) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        self.names.insert(path.to_owned(), self.inodes.len());
        let synced = Content { bytes: Vec::new(), mode: Mode::PRIVATE };
        self.inodes.push(Inode { content: content.clone(), synced });
        Ok(())
    }
}

fn half(bytes: &[u8]) -> Vec<u8> {
    bytes[..bytes.len() / 2].to_vec()
}

impl Files for FailingDisk {
    fn read(&self, path: &Path) -> io::Result<Content> {
        self.operate(|_| (), |state| Ok(state.inode(path)?.content.clone()))
    }

    fn create(&self, path: &Path, content: &Content, _like: Option<&Path>) -> io::Result<()> {
        let torn = Content { bytes: half(&content.bytes), mode: Mode::PRIVATE };
        self.operate(|state| drop(state.create(path, &torn)), |state| state.create(path, content))
    }

    fn append(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let append = |state: &mut State, bytes: &[u8]| {
            state.inode(path)?.content.bytes.extend_from_slice(bytes);
            Ok(())
        };
        self.operate(|state| drop(append(state, &half(bytes))), |state| append(state, bytes))
    }

    fn sync(&self, path: &Path) -> io::Result<()> {
        self.operate(
            |_| (),
            |state| {
                let inode = state.inode(path)?;
                inode.synced = inode.content.clone();
                Ok(())
            },
        )
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.operate(
            |_| (),
            |state| {
                let inode = state.names.remove(from).ok_or(io::ErrorKind::NotFound)?;
                state.names.insert(to.to_owned(), inode);
                Ok(())
            },
        )
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.operate(
            |_| (),
            |state| {
                state.names.remove(path);
                Ok(())
            },
        )
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        self.operate(
            |_| (),
            |state| {
                let inside = |name: &PathBuf| name.parent() == Some(folder);
                state.synced_names.retain(|name, _| !inside(name));
                let names = state.names.iter().filter(|(name, _)| inside(name));
                state.synced_names.extend(names.map(|(name, inode)| (name.clone(), *inode)));
                Ok(())
            },
        )
    }
}
