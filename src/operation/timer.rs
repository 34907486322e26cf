//! When to send the next request to DigitalOcean for an operation.
//!
//! There is one timer, and every answer restarts it: unless a rule postpones the next request, it is sent at once. A rule that forgets to
//! do so costs one extra request, but never leaves an operation waiting.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The moment before which the operation sends no request to DigitalOcean.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timer(Option<Timestamp>);

impl Timer {
    /// Sends the next request as soon as there is one.
    pub fn ask_at_once(&mut self) {
        self.0 = None;
    }

    /// Sends no request before this moment.
    pub fn ask_at(&mut self, moment: Timestamp) {
        self.0 = Some(moment);
    }

    /// The moment that the timer waits for, if one was set; it may have passed.
    pub fn moment(self) -> Option<Timestamp> {
        self.0
    }

    /// The moment that the timer waits for, while that lies in the future.
    pub fn ahead(self, now: Timestamp) -> Option<Timestamp> {
        self.0.filter(|moment| now < *moment)
    }
}

impl From<Option<Timestamp>> for Timer {
    fn from(moment: Option<Timestamp>) -> Self {
        Self(moment)
    }
}
