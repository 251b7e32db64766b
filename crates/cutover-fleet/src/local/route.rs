//! Who serves: one small file, written by who migrates and read by the front.

use std::io;

use async_trait::async_trait;
use cutover::Percentage;
use serde::{Deserialize, Serialize};

use super::LocalHost;
use super::files::{read, replace};
use super::home::Home;
use crate::system::System;
use crate::{HostError, Traffic};

#[derive(Serialize, Deserialize)]
struct Route {
    to_new: Percentage,
}

/// The share of connections that new gets; none before the first switch.
///
/// # Errors
/// When the file is there and cannot be read: nobody knows then who serves.
pub(super) fn share_of_new(home: &Home) -> io::Result<Percentage> {
    match read(&home.route())? {
        None => Ok(Percentage::ZERO),
        Some(text) => Ok(serde_json::from_str::<Route>(&text)?.to_new),
    }
}

#[async_trait]
impl Traffic for LocalHost {
    async fn switch(&self, system: &System, to_new: Percentage) -> Result<(), HostError> {
        // On the caller's thread: a write that went on after its deadline could overtake the next switch.
        let write = || replace(&self.home(&system.name).route(), &serde_json::to_string(&Route { to_new })?);
        write().map_err(|error| HostError::with_source("the file that says who serves could not be written", error))
    }
}
