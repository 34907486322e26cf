//! When DigitalOcean is asked next about an operation.
//!
//! There is one timer, and every answer restarts it: what an answer does not put off is asked at once. A rule that forgets to say
//! when costs a request, and never leaves an operation waiting.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The moment before which DigitalOcean is asked nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timer(Option<Timestamp>);

impl Timer {
    /// Asks as soon as there is something to ask.
    pub fn ask_at_once(&mut self) {
        self.0 = None;
    }

    /// Asks nothing before this moment.
    pub fn ask_at(&mut self, moment: Timestamp) {
        self.0 = Some(moment);
    }

    /// The moment that it waits for, if one was set; it may have passed.
    pub fn moment(self) -> Option<Timestamp> {
        self.0
    }

    /// The moment that it waits for, while that lies ahead.
    pub fn ahead(self, now: Timestamp) -> Option<Timestamp> {
        self.0.filter(|moment| now < *moment)
    }
}

impl From<Option<Timestamp>> for Timer {
    fn from(moment: Option<Timestamp>) -> Self {
        Self(moment)
    }
}
