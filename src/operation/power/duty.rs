//! What is owed to a Droplet, and who ended that.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::operation::{ids::UserId, reading::PowerState};

/// What is owed to the Droplet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Duty {
    /// Nothing.
    #[default]
    Nothing,
    /// The Droplet is off because of us, or may be.
    Owed(Owed),
    /// It was seen on, but what we sent may still turn it off. The operation may end meanwhile.
    Watched(Owed),
    /// Somebody else turned it off after us: it is theirs to turn on.
    Theirs(Theirs),
    /// A person took the duty from us.
    Released(Release),
    /// The Droplet does not exist any more.
    Gone,
}

/// Since when power is owed, and until when an off of ours may still land.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owed {
    /// Since which intent.
    pub since: Timestamp,
    /// Until when what we sent may still turn the Droplet off; absent once it is known to be over.
    pub late_until: Option<Timestamp>,
    /// Like `late_until`, for the commands before the latest one: it applies if the latest turns out not to have been carried out.
    #[serde(default)]
    pub earlier_until: Option<Timestamp>,
}

/// Somebody else turned the Droplet off after us.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Theirs {
    /// DigitalOcean's word for their Action, such as `power_off`.
    pub kind: String,
    /// When we learnt of it.
    pub at: Timestamp,
}

/// A person took the duty from us.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Release {
    /// Who.
    pub by: UserId,
    /// When.
    pub at: Timestamp,
    /// In which words.
    pub how: Released,
}

/// The words in which a person took the duty from us.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Released {
    /// *Leave it off*.
    LeftOff,
    /// *I'll handle it*.
    Handled,
}

/// What happened, for people to read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct History {
    /// When the first intent to turn off was written.
    pub(super) went_off: Option<Timestamp>,
    /// When the Droplet was seen active again after it was off.
    pub(super) came_back: Option<Timestamp>,
    /// How the Droplet was seen right after a restore.
    pub(super) after: Option<PowerState>,
    /// When a late off was made good after the operation had ended.
    pub(super) repaired: Option<Timestamp>,
}
