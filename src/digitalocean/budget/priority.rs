//! The order of precedence when requests are scarce.

use jiff::SignedDuration;

/// The order of precedence when requests are scarce. The order of the variants follows the harm of waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Priority {
    /// Turning a Droplet back on.
    PowerOn,
    /// Turning a Droplet back on that cannot be read: of many such Droplets, most may be on already.
    PowerOnBlind,
    /// What a Droplet that is off waits for: looks, and the Snapshot for which it is off.
    Off,
    /// Finding out what a request with an unknown outcome did.
    LookUp,
    /// A request that a person waits for.
    Person,
    /// Beginning a new downtime.
    Shutdown,
    /// Looking at a Droplet that is about to be shut down.
    BeforeShutdown,
    /// Looking at an Action while its Droplet runs.
    Poll,
    /// Watching running Droplets for a late off.
    Watch,
    /// Filling the caches.
    Inventory,
}

impl Priority {
    /// The shares of the minute and of the hour, in percent, that this priority leaves to higher ones. Between what `Person` leaves and
    /// what the priorities below it leave are 8 % that are always free for people.
    pub(super) const fn leaves(self) -> (usize, usize) {
        match self {
            Self::PowerOn => (0, 0),
            Self::PowerOnBlind => (1, 0),
            Self::Off => (2, 1),
            Self::LookUp => (10, 3),
            Self::Person => (16, 5),
            Self::Shutdown => (24, 13),
            Self::BeforeShutdown => (27, 15),
            Self::Poll => (30, 18),
            Self::Watch => (40, 28),
            Self::Inventory => (50, 40),
        }
    }

    /// How many requests it leaves at least, however low the limit is: one for turning a Droplet on, and
    /// one for looking at a Droplet that is off.
    pub(super) const fn leaves_at_least(self) -> usize {
        match self {
            Self::PowerOn => 0,
            Self::PowerOnBlind | Self::Off => 1,
            Self::LookUp
            | Self::Person
            | Self::Shutdown
            | Self::BeforeShutdown
            | Self::Poll
            | Self::Watch
            | Self::Inventory => 2,
        }
    }

    /// How many of a minute's `limit` requests this priority may use; at least one.
    pub(super) const fn share_of_minute(self, limit: usize) -> usize {
        self.all_but(self.leaves().0, limit)
    }

    /// How many of an hour's `limit` requests this priority may use; at least one.
    pub(super) const fn share_of_hour(self, limit: usize) -> usize {
        self.all_but(self.leaves().1, limit)
    }

    pub(super) const fn all_but(self, percent: usize, limit: usize) -> usize {
        let (share, least) = ((limit * percent).div_ceil(100), self.leaves_at_least());
        let left = limit.saturating_sub(if share < least { least } else { share });
        if left == 0 { 1 } else { left }
    }

    /// How often one request may be sent although DigitalOcean's latest answer leaves nothing to this priority, to see whether that has
    /// changed. What remains is kept for turning Droplets on, so looks are rare, and a new downtime is never a probe.
    pub(super) const fn probes_every(self) -> Option<SignedDuration> {
        match self {
            Self::PowerOn | Self::PowerOnBlind | Self::Person => Some(SignedDuration::from_secs(1)),
            Self::Off | Self::LookUp | Self::BeforeShutdown | Self::Poll | Self::Watch | Self::Inventory => {
                Some(SignedDuration::from_mins(1))
            }
            Self::Shutdown => None,
        }
    }

    /// Whether it may occasionally probe whether a long silence that DigitalOcean asked for is over: a
    /// Droplet that is off cannot wait for an hour.
    pub(super) const fn may_probe(self) -> bool {
        matches!(self, Self::PowerOn | Self::PowerOnBlind | Self::Off)
    }

    /// Whether a read of this priority waits during an outage while another one finds out whether it is over. People's own reads do not:
    /// somebody who asks is told the current state.
    pub(in crate::digitalocean) const fn waits_in_an_outage(self) -> bool {
        match self {
            Self::Off | Self::LookUp | Self::BeforeShutdown | Self::Poll | Self::Watch | Self::Inventory => true,
            Self::PowerOn | Self::PowerOnBlind | Self::Person | Self::Shutdown => false,
        }
    }
}
