//! What can be put back: [`Backups`] as copies of the folder that legacy keeps its data in.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;

use super::LocalHost;
use super::files::{blocking, copy_folder, read, remove_folder, replace};
use crate::system::System;
use crate::{Artifact, Backup, Backups, HostError, Lifecycle, Side};

#[async_trait]
impl Backups for LocalHost {
    async fn latest(&self, system: &System) -> Result<Option<Backup>, HostError> {
        let (turn, folder) = (self.turn(system).await, self.home(&system.name).backups());
        blocking(turn, move || latest_in(&folder), "the backups cannot be looked through").await
    }

    async fn create(&self, system: &System) -> Result<Backup, HostError> {
        let (turn, home, now) = (self.turn(system).await, self.home(&system.name), self.clock.wall());
        let copy = move || copy_into(&home.backups(), &home.data(Side::Legacy), now);
        blocking(turn, copy, "there is no new backup").await
    }

    async fn restore(&self, system: &System, backup: &Backup) -> Result<(), HostError> {
        let home = self.home(&system.name);
        let from = PathBuf::from(backup.at.as_str()).join(DATA);
        if !from.starts_with(home.backups()) {
            return Err(HostError::new("the backup is not one of this system"));
        }
        // What legacy has in memory, and the files that it has open, are not those of the backup.
        let ran = self.process(system, Side::Legacy).is_running();
        if ran {
            self.stop(system, Side::Legacy).await?;
        }
        let turn = self.turn(system).await;
        let put =
            blocking(turn, move || put_back(&from, &home.data(Side::Legacy)), "the backup was not put back").await;
        if ran {
            self.start(system, Side::Legacy).await?;
        }
        put
    }
}

const DATA: &str = "data";
const MADE: &str = "made";
/// A copy that has not ended has no name that counts.
const PARTIAL: &str = ".partial";

/// Copies under a name that does not count, and gives it the next number when it is complete.
fn copy_into(folder: &Path, data: &Path, now: SystemTime) -> io::Result<Backup> {
    let partial = folder.join(PARTIAL);
    remove_folder(&partial)?;
    copy_folder(data, &partial.join(DATA))?;
    let millis = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
    replace(&partial.join(MADE), &millis.to_string())?;
    let number = numbers_in(folder)?.into_iter().max().unwrap_or(0) + 1;
    let complete = folder.join(number.to_string());
    fs::rename(&partial, &complete)?;
    fs::File::open(folder)?.sync_all()?;
    backup_at(&complete)
}

fn latest_in(folder: &Path) -> io::Result<Option<Backup>> {
    if !folder.try_exists()? {
        return Ok(None);
    }
    let latest = numbers_in(folder)?.into_iter().max();
    latest.map(|number| backup_at(&folder.join(number.to_string()))).transpose()
}

fn numbers_in(folder: &Path) -> io::Result<Vec<u64>> {
    let names = fs::read_dir(folder)?.map(|entry| Ok(entry?.file_name())).collect::<io::Result<Vec<_>>>()?;
    Ok(names.iter().filter_map(|name| name.to_str()?.parse().ok()).collect())
}

fn backup_at(folder: &Path) -> io::Result<Backup> {
    let broken = |what: &'static str| io::Error::new(io::ErrorKind::InvalidData, what);
    let millis = read(&folder.join(MADE))?.and_then(|text| text.parse().ok());
    let millis = millis.ok_or_else(|| broken("a backup does not say when it was made"))?;
    let made = UNIX_EPOCH.checked_add(Duration::from_millis(millis));
    Ok(Backup {
        at: Artifact::new(folder.to_string_lossy()).map_err(|_| broken("the path of the backup is too long"))?,
        made: made.ok_or_else(|| broken("a backup says that it was made at no possible time"))?,
    })
}

/// Replaces `data` by a copy of `from`. Ended half way, it can be repeated: the backup stays as it is.
fn put_back(from: &Path, data: &Path) -> io::Result<()> {
    let (coming, going) = (data.with_extension("coming"), data.with_extension("going"));
    remove_folder(&coming)?;
    copy_folder(from, &coming)?;
    remove_folder(&going)?;
    match fs::rename(data, &going) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => fs::rename(&coming, data)?,
    }
    remove_folder(&going)
}
