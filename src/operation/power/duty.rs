//! The duty to turn a Droplet back on, and who ended it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::operation::{ids::UserId, reading::PowerState};

/// The duty towards the Droplet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Duty {
    /// Nothing.
    #[default]
    Nothing,
    /// The Droplet is off because of us, or may be.
    Owed(Owed),
    /// It was seen on, but a command of ours may still turn it off. The operation may end meanwhile.
    Watched(Owed),
    /// Somebody else turned it off after we did, so it is up to them to turn it on.
    Theirs(Theirs),
    /// A person took over the duty.
    Released(Release),
    /// The Droplet no longer exists.
    Gone,
}

/// Since when power is owed, and until when an off of ours may still land.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owed {
    /// When the first intent that may have turned the Droplet off was committed.
    pub since: Timestamp,
    /// Until when the latest command may still turn the Droplet off; absent once that command is known to be over.
    pub late_until: Option<Timestamp>,
    /// Like `late_until`, for the commands before the latest one: it applies if the latest turns out not to have been carried out.
    #[serde(default)]
    pub earlier_until: Option<Timestamp>,
}

/// Somebody else turned the Droplet off after we did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Theirs {
    /// DigitalOcean's word for their Action, such as `power_off`.
    pub kind: String,
    /// When the bot learned of it.
    pub at: Timestamp,
}

/// A person took over the duty from the bot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Release {
    /// The person.
    pub by: UserId,
    /// When they took it over.
    pub at: Timestamp,
    /// Which button they pressed.
    pub how: Released,
}

/// How a person took over the duty: the button that they pressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Released {
    /// *Leave it off*.
    LeftOff,
    /// *I'll handle it*.
    Handled,
}

/// What happened, for messages to people.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct History {
    /// The earliest time at which the Droplet may have gone off: the first intent to turn it off, or the last look that saw it on before it
    /// was seen off.
    pub(super) went_off: Option<Timestamp>,
    /// When the Droplet was seen active again after it was off.
    pub(super) came_back: Option<Timestamp>,
    /// The Droplet's power state right after a restore.
    pub(super) after: Option<PowerState>,
    /// When a late off was repaired after the operation had ended.
    pub(super) repaired: Option<Timestamp>,
}
