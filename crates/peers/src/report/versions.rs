//! The versions that were built.

use cargo_lock::Lockfile;

/// The version of `package` in the lock file that this program was built with.
pub(super) fn version_of(package: &str) -> Option<String> {
    let lock: Lockfile = include_str!("../../Cargo.lock").parse().unwrap();
    let versions = lock.packages.iter().filter(|found| found.name.as_str() == package);
    versions.map(|found| &found.version).max().map(ToString::to_string)
}
