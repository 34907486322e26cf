//! How many downtimes may begin: everything that each needs until its Droplet is on again must fit next to what others use of the token.

use std::collections::VecDeque;

use jiff::{SignedDuration, Timestamp};

use super::{Budget, MINUTE, Priority, window::later};

/// What a downtime needs from its shutdown on: its Snapshot, its `power_on`, and its share of the looks, with a margin.
const REQUESTS_PER_DOWNTIME: usize = 8;
/// The minimum time between two records of what others use.
const NOTED_EVERY: SignedDuration = SignedDuration::from_secs(1);

/// How many downtimes may begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DowntimeRoom {
    /// How many within a minute: a tenth of its requests, so that they do not all end simultaneously.
    pub a_minute: usize,
    /// How many now, in addition to the existing ones.
    pub more: usize,
    /// How many now for a requester who has none yet: slightly more.
    pub for_newcomers: usize,
}

/// How much of the hourly limit others had used, judging by what DigitalOcean said remained, during the last minute.
#[derive(Debug, Default)]
pub(super) struct Foreign(VecDeque<(Timestamp, usize)>);

impl Foreign {
    /// Records how much others had used when an answer was sent.
    pub(super) fn note(&mut self, used: usize, at: Timestamp) {
        while self.0.front().is_some_and(|(noted, _)| later(*noted, MINUTE) <= at || *noted > at) {
            self.0.pop_front();
        }
        let has_first = self.0.len() > 1;
        match self.0.back_mut() {
            // The first entry of a series stays, since growth is counted from it.
            Some((noted, latest)) if later(*noted, NOTED_EVERY) > at && has_first => *latest = used,
            _ => self.0.push_back((at, used)),
        }
    }

    /// How much others used within the last minute. Requests that expired from the hour meanwhile
    /// are not visible, so it may be slightly more.
    fn within_a_minute(&self, now: Timestamp) -> usize {
        let recent = || self.0.iter().filter(|(noted, _)| now < later(*noted, MINUTE)).map(|(_, used)| *used);
        recent().next_back().unwrap_or_default().saturating_sub(recent().next().unwrap_or_default())
    }
}

impl Budget {
    /// How many more downtimes may begin in addition to `downtimes` existing ones. What all of them still need must fit into the hour, and
    /// one minute must suffice to turn all of them on, with room for looks. What others use of the token per minute is deducted.
    pub fn room_for_downtimes(&mut self, downtimes: usize, now: Timestamp) -> DowntimeRoom {
        self.advance(now);
        let minute = self.minute_limit().saturating_sub(self.foreign.within_a_minute(now));
        let kept_back = self.hour_limit - Priority::Shutdown.share_of_hour(self.hour_limit);
        let fit = self.left_this_hour().checked_sub(kept_back).map_or(0, |left| left / REQUESTS_PER_DOWNTIME + 1);
        // One downtime gets a place to look at its Droplet. The answer shows whether there is room again.
        let may_look = self.free_at(Priority::BeforeShutdown, now).is_none_or(|at| at <= now);
        let fit = fit.max(usize::from(may_look));
        let fit = if self.silence.is_none() { fit.saturating_sub(downtimes) } else { 0 };
        let up_to = |percent: usize| (minute * percent / 100).max(1).saturating_sub(downtimes).min(fit);
        DowntimeRoom { a_minute: (minute / 10).max(2), more: up_to(80), for_newcomers: up_to(84) }
    }
}
