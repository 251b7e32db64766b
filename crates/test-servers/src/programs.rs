//! Where the server programs are.

use std::env;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::ServerError;

/// The path of `redis-server`.
pub(crate) fn redis_server() -> Result<PathBuf, ServerError> {
    let folder = folder_with(&["redis-server"], &folders_of_path())?;
    Ok(folder.join("redis-server"))
}

/// The path of `chromedriver`, beside which there has to be a browser.
pub(crate) fn chromedriver() -> Result<PathBuf, ServerError> {
    let folders = folders_of_path();
    if BROWSERS.iter().all(|browser| folder_with(&[browser], &folders).is_err()) {
        folder_with(&["chromium"], &folders)?;
    }
    Ok(folder_with(&["chromedriver"], &folders)?.join("chromedriver"))
}

const BROWSERS: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/// The folder that has both `initdb` and `postgres`, of one version.
pub(crate) fn postgres_folder() -> Result<PathBuf, ServerError> {
    let mut folders = folders_of_path();
    for parent in ["/usr/lib/postgresql", "/opt/homebrew/opt", "/usr/local/opt", "/usr"] {
        folders.extend(versions_in(Path::new(parent)));
    }
    folders.extend(folder_of_pg_config());
    folder_with(&["postgres", "initdb"], &folders)
}

/// The first folder that has all `programs`.
fn folder_with(programs: &[&'static str], folders: &[PathBuf]) -> Result<PathBuf, ServerError> {
    let lacks = |folder: &&PathBuf| programs.iter().any(|program| !is_program(&folder.join(program)));
    if let Some(folder) = folders.iter().find(|folder| !lacks(folder)) {
        return Ok(folder.clone());
    }
    let missing = |program: &&&str| !folders.iter().any(|folder| is_program(&folder.join(program)));
    let program = programs.iter().find(missing).or_else(|| programs.first()).copied().unwrap_or_default();
    let shown: Vec<String> = folders.iter().map(|folder| folder.display().to_string()).collect();
    let looked_in = if shown.is_empty() { "no folder: PATH is empty".to_owned() } else { shown.join(", ") };
    Err(ServerError::Missing { program, looked_in })
}

fn is_program(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}

fn folders_of_path() -> Vec<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).filter(|folder| folder.is_absolute()).collect()
}

/// The `bin` folders of the PostgreSQL versions that packages put side by side below `parent`, newest first.
fn versions_in(parent: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(parent).into_iter().flatten().flatten();
    let mut versions: Vec<(u32, PathBuf)> = entries
        .filter_map(|entry| Some((version_of(entry.file_name().to_str()?)?, entry.path().join("bin"))))
        .collect();
    versions.sort_unstable_by(|left, right| right.cmp(left));
    versions.into_iter().map(|(_, folder)| folder).collect()
}

/// Reads `15`, `9.6`, `postgresql@15` and `pgsql-15`.
fn version_of(name: &str) -> Option<u32> {
    let version = name.strip_prefix("postgresql@").or_else(|| name.strip_prefix("pgsql-")).unwrap_or(name);
    version.split('.').next()?.parse().ok()
}

fn folder_of_pg_config() -> Option<PathBuf> {
    let answer = Command::new("pg_config").arg("--bindir").output().ok()?;
    let folder = String::from_utf8(answer.stdout).ok()?;
    Some(PathBuf::from(folder.trim())).filter(|folder| folder.is_absolute())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(folder: &Path, name: &str, mode: u32) {
        fs::create_dir_all(folder).unwrap();
        fs::write(folder.join(name), "").unwrap();
        fs::set_permissions(folder.join(name), fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn the_first_folder_with_all_programs_is_taken() {
        let home = tempfile::tempdir().unwrap();
        let [half, plain, whole] = ["half", "plain", "whole"].map(|name| home.path().join(name));
        put(&half, "postgres", 0o755);
        put(&plain, "postgres", 0o755);
        put(&plain, "initdb", 0o644);
        put(&whole, "postgres", 0o755);
        put(&whole, "initdb", 0o755);
        let folders = [half, plain, whole.clone()];
        assert_eq!(folder_with(&["postgres", "initdb"], &folders).unwrap(), whole);
    }

    #[test]
    fn a_missing_program_is_named_with_the_folders_and_what_to_install() {
        let home = tempfile::tempdir().unwrap();
        put(home.path(), "postgres", 0o755);
        let error = folder_with(&["postgres", "initdb"], &[home.path().to_owned()]).unwrap_err().to_string();
        let folder = home.path().to_str().unwrap();
        for part in
            ["`initdb`", folder, "apt-get install redis-server postgresql chromium", "brew install", "dnf install"]
        {
            assert!(error.contains(part), "{part} is not in: {error}");
        }
    }

    #[test]
    fn newer_versions_come_first() {
        let home = tempfile::tempdir().unwrap();
        for name in ["9.6", "15", "postgresql@16", "pgsql-14", "share", "redis@7"] {
            fs::create_dir(home.path().join(name)).unwrap();
        }
        let expected = ["postgresql@16", "15", "pgsql-14", "9.6"].map(|name| home.path().join(name).join("bin"));
        assert_eq!(versions_in(home.path()), expected);
    }
}
