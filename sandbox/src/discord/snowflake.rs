//! Snowflake ids of all users, Guilds, Channels, Messages and Interactions of the simulated Discord.
//!
//! They count up from a fixed start, so that a run is reproducible. Those of Messages and Interactions contain their time of creation, by
//! which bots search for Messages and see how old Interactions are. Every file of this folder uses them.

use std::{fmt, str::FromStr};

use jiff::Timestamp;
use serde_json::Value;

/// The first id that a world assigns: Discord would read it as a date in 2024, so that clients derive a plausible time from it.
const FIRST: u64 = 1_200_000_000_000_000_000;
/// The time from which ids count milliseconds.
const DISCORD_EPOCH: i64 = 1_420_070_400_000;

/// An id as Discord writes it: 64 bits, a decimal string in JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Snowflake(u64);

impl Snowflake {
    /// The id with this number, for ids that a test or a client invented.
    pub fn new(number: u64) -> Self {
        Self(number)
    }

    /// The plain number, for clients whose types need one.
    pub fn get(self) -> u64 {
        self.0
    }
}

impl fmt::Display for Snowflake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl FromStr for Snowflake {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

impl From<Snowflake> for Value {
    fn from(id: Snowflake) -> Self {
        Self::String(id.to_string())
    }
}

impl serde::Serialize for Snowflake {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Parses an id in JSON, where Discord also accepts a number.
pub(super) fn from_json(value: &Value) -> Option<Snowflake> {
    match value {
        Value::String(text) => text.parse().ok(),
        Value::Number(number) => number.as_u64().map(Snowflake),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// Assigns ids in order.
#[derive(Debug)]
pub(super) struct Counter(u64);

impl Counter {
    pub(super) fn new() -> Self {
        Self(FIRST)
    }

    pub(super) fn next(&mut self) -> Snowflake {
        self.0 += 1;
        Snowflake(self.0)
    }

    /// An id that contains its time of creation, above all earlier ones.
    /// <https://discord.com/developers/docs/reference#snowflakes>
    pub(super) fn next_at(&mut self, moment: Timestamp) -> Snowflake {
        let millis = u64::try_from(moment.as_millisecond() - DISCORD_EPOCH).unwrap_or_default();
        self.0 = self.0.saturating_add(1).max(millis << 22);
        Snowflake(self.0)
    }
}
