//! [`Link`]: the connection of one thread, opened anew when it may be at fault.

use cutover::StoreError;
use rusqlite::{Connection, Transaction, TransactionBehavior};

use crate::builder::Tuning;
use crate::error::SqliteError;
use crate::failure::Failure;
use crate::place::{Identity, Place};
use crate::schema;

/// What a step says when the database did its part: an answer, or a refusal that changes nothing.
pub(crate) type Step<R, E> = Result<Result<R, E>, Failure>;

#[derive(Debug)]
pub(crate) struct Link {
    place: Place,
    tuning: Tuning,
    open: Option<(Identity, Connection)>,
}

/// Another value says that somebody else has committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Version {
    identity: Identity,
    data: i32,
}

impl Link {
    /// Connects at once, so that the caller learns what is wrong with the file.
    pub(crate) fn open(place: Place, tuning: Tuning) -> Result<Self, SqliteError> {
        let mut link = Self::later(place, tuning);
        link.connection()?;
        Ok(link)
    }

    /// Connects when it is first used.
    pub(crate) const fn later(place: Place, tuning: Tuning) -> Self {
        Self { place, tuning, open: None }
    }

    /// Forgets the connection.
    pub(crate) fn discard(&mut self) {
        self.open = None;
    }

    /// One consistent look at the store.
    pub(crate) fn read<R>(&mut self, step: impl FnOnce(&Connection) -> Result<R, Failure>) -> Result<R, StoreError> {
        let look = |connection: &mut Connection| {
            let transaction = connection.transaction()?;
            check_version(&transaction)?;
            step(&transaction)
        };
        let looked = look(self.connection()?);
        looked.map_err(|failure| self.after(failure))
    }

    /// One atomic change, alone in the file while it lasts. A refusal changes nothing.
    pub(crate) fn write<R, E: From<StoreError>>(
        &mut self,
        step: impl FnOnce(&Transaction<'_>) -> Step<R, E>,
    ) -> Result<R, E> {
        let connection = self.connection().map_err(StoreError::from)?;
        let changed = change(connection, step);
        changed.unwrap_or_else(|failure| Err(self.after(failure).into()))
    }

    /// Says whether somebody else has committed since it was asked last.
    pub(crate) fn version(&mut self) -> Result<Version, StoreError> {
        let asked = schema::data_version(self.connection()?);
        let data = asked.map_err(|error| self.after(error.into()))?;
        let identity = self.open.as_ref().map(|&(identity, _)| identity);
        identity.map(|identity| Version { identity, data }).ok_or_else(|| StoreError::from(missing(&self.place)))
    }

    fn after(&mut self, failure: Failure) -> StoreError {
        if !failure.spares_the_connection() {
            self.discard();
        }
        failure.into()
    }

    /// The connection to the file that is there now, even if another one was put into its place.
    fn connection(&mut self) -> Result<&mut Connection, SqliteError> {
        let Self { place, tuning, open } = self;
        let present = place.identity()?.ok_or_else(|| missing(place))?;
        let kept = open.take().filter(|(identity, _)| *identity == present);
        let kept = match kept {
            Some(kept) => kept,
            None => connect(place, tuning)?,
        };
        Ok(&mut open.insert(kept).1)
    }
}

fn connect(place: &Place, tuning: &Tuning) -> Result<(Identity, Connection), SqliteError> {
    let identity = place.check()?.ok_or_else(|| missing(place))?;
    let connection = schema::connect(place, tuning)?;
    Ok((identity, connection))
}

fn missing(place: &Place) -> SqliteError {
    let source = "the file is gone; it is not made anew, because that would forget what it knew";
    SqliteError::Unavailable { path: place.file().to_owned(), source: source.into() }
}

fn change<R, E>(connection: &mut Connection, step: impl FnOnce(&Transaction<'_>) -> Step<R, E>) -> Step<R, E> {
    // A transaction that reads first and takes the lock later fails when others write in between.
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    check_version(&transaction)?;
    match step(&transaction)? {
        Ok(answer) => transaction.commit().map(|()| Ok(answer)).map_err(Failure::Commit),
        refusal @ Err(_) => Ok(refusal),
    }
}

fn check_version(connection: &Connection) -> Result<(), Failure> {
    let version = schema::version(connection)?;
    Ok(schema::check_version(version).map_err(StoreError::from)?)
}
