//! What to measure, from the command line.

use std::time::Duration;

pub(crate) struct Options {
    pub(crate) rate: u32,
    pub(crate) connections: u32,
    pub(crate) block: Duration,
    pub(crate) own_runtime: bool,
    /// The median added p99 that is still good, in microseconds.
    pub(crate) max_added_us: Option<u32>,
    seconds: u32,
}

impl Options {
    pub(crate) fn from_arguments(mut arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut options = Self {
            rate: 2_000,
            connections: 8,
            block: Duration::from_millis(500),
            own_runtime: false,
            max_added_us: None,
            seconds: 2,
        };
        while let Some(argument) = arguments.next() {
            let mut number = || {
                let value = arguments.next().ok_or_else(|| format!("{argument} wants a number"))?;
                value
                    .parse::<u32>()
                    .ok()
                    .filter(|value| *value > 0)
                    .ok_or_else(|| format!("`{value}` is not a number over 0"))
            };
            match argument.as_str() {
                "--seconds" => options.seconds = number()?,
                "--rate" => options.rate = number()?,
                "--connections" => options.connections = number()?,
                "--block-ms" => options.block = Duration::from_millis(number()?.into()),
                "--max-added-us" => options.max_added_us = Some(number()?),
                "--own-runtime" => options.own_runtime = true,
                _ => return Err(format!("`{argument}` is not an option; see the head of this example")),
            }
        }
        Ok(options)
    }

    /// How many pairs of blocks there are.
    pub(crate) fn blocks(&self) -> u32 {
        let pair = 2 * self.block.as_millis();
        u32::try_from(u128::from(self.seconds) * 1_000 / pair).unwrap_or(u32::MAX).max(1)
    }
}
