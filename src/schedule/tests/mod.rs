//! Tests of `schedule`: golden tables, laws, and weeks with clock changes.

mod calendar;
mod decisions;
mod forecast;
mod laws;
mod pruning;
mod retention;
mod runs;
mod texts;
mod watched;

use jiff::{Timestamp, Zoned};

use super::{
    IfHung, Owner, Power, Schedule, State, Watched,
    policy::Policy,
    rule::{Rule, Typed},
};
use crate::operation::ids::{ChannelId, DropletId, GuildId, ScheduleId, UserId};

fn rule(every: &str, at: Option<&str>, on: Option<&str>, zone: &str) -> Rule {
    Rule::read(Typed { every, at, on, timezone: Some(zone) }).unwrap()
}

fn at(text: &str) -> Timestamp {
    text.parse::<Zoned>().map_or_else(|_| text.parse().unwrap(), |zoned| zoned.timestamp())
}

fn schedule(rule: Rule, created_at: Timestamp) -> Schedule {
    Schedule {
        id: ScheduleId::from_random(7),
        droplet: DropletId(1),
        droplet_name: "web-1".to_owned(),
        rule,
        power: Power::Off,
        if_hung: IfHung::Live,
        keep: Policy::PRESETS[0],
        owner: Owner::new(UserId(5), created_at),
        guild: GuildId(3),
        channel: ChannelId(4),
        created_at,
        floor: created_at,
        state: State::Active,
        reminded_at: None,
        approved: Vec::new(),
        narrowed: false,
        warn: None,
        group: None,
        watched: Watched::default(),
    }
}
