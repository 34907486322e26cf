//! How an operation ends, and what it leaves behind.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    ids::{DropletId, UserId},
    reading::Failure,
};

/// A cancellation, by a person or because nobody answered within the time-out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cancelled {
    /// Who cancelled it; absent if a question timed out.
    pub by: Option<UserId>,
    /// When it was cancelled.
    pub at: Timestamp,
}

/// How the forward part of an operation ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// Everything was done.
    Completed,
    /// A step failed.
    Failed(Failure),
    /// It was stopped.
    Cancelled,
}

impl Outcome {
    /// One word for logs, metrics and the database.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Failed(_) => "failed",
            Self::Cancelled => "cancelled",
        }
    }
}

/// A Droplet that an operation created.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Launched {
    /// Its id.
    pub droplet: DropletId,
    /// Its public IPv4 address, once it has one.
    pub address: Option<String>,
    /// Its monthly price in cents, if DigitalOcean states it.
    #[serde(default)]
    pub monthly_cents: Option<u64>,
}
