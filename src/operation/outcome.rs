//! How an operation ends, and what it leaves.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    ids::{DropletId, UserId},
    reading::Failure,
};

/// Somebody, or nobody within the time-out, stopped an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cancelled {
    /// Who; absent when a question ran out of time.
    pub by: Option<UserId>,
    /// When.
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

/// A Droplet that an operation made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Launched {
    /// Its id.
    pub droplet: DropletId,
    /// Its public IPv4 address, once it has one.
    pub address: Option<String>,
    /// What it costs a month, in cents, where DigitalOcean says it.
    #[serde(default)]
    pub monthly_cents: Option<u64>,
}
