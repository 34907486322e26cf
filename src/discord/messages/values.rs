//! Options with a few fixed values: for each value, the label that explains it to people. The word that is sent stays the same.

use super::cost::By;
use crate::{
    discord::press::Order,
    operation::{
        announce::Tell,
        kinds::{Downtime, IfHung, Safety},
    },
    schedule,
};

/// A type with a few values that a person can choose from.
pub trait Values: Copy + Send + Sync + 'static {
    /// For each value, its label, the word that is sent, and the value.
    const ALL: &'static [(&'static str, &'static str, Self)];
}

impl Values for Downtime {
    const ALL: &'static [(&'static str, &'static str, Self)] = &[
        ("Shut down first (safe, default)", "off", Self::PowerOff),
        ("Keep running (no downtime)", "live", Self::None),
    ];
}

impl Values for IfHung {
    const ALL: &'static [(&'static str, &'static str, Self)] = &[
        ("Ask me (default)", "ask", Self::Ask),
        ("Force power off", "force", Self::Force),
        ("Snapshot while running", "live", Self::Live),
    ];
}

impl Values for Safety {
    const ALL: &'static [(&'static str, &'static str, Self)] = &[
        ("Yes, save the current disk first (default)", "yes", Self::Snapshot),
        ("No, overwrite (can't be undone)", "no", Self::None),
    ];
}

impl Values for Tell {
    const ALL: &'static [(&'static str, &'static str, Self)] = &[
        ("Mention me (default)", "ping", Self::Ping),
        ("Mention nobody", "silent", Self::Silent),
        ("Send me a direct message with a link", "dm", Self::Direct),
    ];
}

impl Values for Order {
    const ALL: &'static [(&'static str, &'static str, Self)] = &[
        ("By Droplet (default)", "droplet", Self::Grouped),
        ("Newest first", "newest", Self::Newest),
        ("Oldest first", "oldest", Self::Oldest),
        ("Biggest first", "biggest", Self::Biggest),
    ];
}

impl Values for By {
    const ALL: &'static [(&'static str, &'static str, Self)] = &[
        ("By Droplet (default)", "droplet", Self::Droplet),
        ("By the schedule that keeps them", "schedule", Self::Schedule),
        ("By the Droplet's tags", "tag", Self::Tag),
    ];
}

// An edit that leaves these out changes nothing, so none is called the default.
impl Values for schedule::Power {
    const ALL: &'static [(&'static str, &'static str, Self)] =
        &[("Shut down first (safe)", "off", Self::Off), ("Keep running (no downtime)", "live", Self::Live)];
}

impl Values for schedule::IfHung {
    const ALL: &'static [(&'static str, &'static str, Self)] = &[
        ("Snapshot while running", "live", Self::Live),
        ("Skip this time", "skip", Self::Skip),
        ("Force power off (unsaved data is lost)", "force", Self::Force),
    ];
}
