//! Refusals about schedules. Each says what, why, and what to do instead.

use jiff::SignedDuration;

use super::super::{
    group,
    text::{name, quote},
};
use crate::{
    operation::ids::UserId,
    ping::BadAddress,
    schedule::{
        group::{BadGroup, MOST_MEMBERS},
        policy::BadPolicy,
        rule::{CronField, Invalid},
    },
};

/// Why a person does not get the schedule that they requested.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ScheduleRefusal {
    /// The typed times cannot be parsed.
    Rule(Invalid),
    /// The typed policy cannot be parsed.
    Keep(BadPolicy),
    /// The typed group options cannot be parsed.
    Group(BadGroup),
    /// The typed behavior for stuck shutdowns is unknown.
    IfHung {
        /// What was typed.
        typed: String,
    },
    /// Group options were given without a group.
    NoGroup,
    /// No Droplet with the tag is a member.
    Nobody {
        /// The tag.
        tag: String,
        /// How many Droplets have it and are left out.
        excluded: usize,
    },
    /// The tag has too many Droplets.
    TooManyMembers {
        /// The tag.
        tag: String,
        /// How many.
        count: usize,
    },
    /// A run would not fit into its window.
    TooLong {
        /// The tag.
        tag: String,
        /// How many Droplets have it.
        count: usize,
        /// How long they take.
        length: SignedDuration,
        /// The number of members at once with which it would fit.
        at_once: Option<u32>,
    },
    /// A run of the group has not ended.
    Running,
    /// The schedule has begun another Snapshot since the failed one.
    TakenSince,
    /// The edit changes nothing.
    NothingToChange,
    /// It was changed since the review was shown.
    ChangedMeanwhile,
    /// The end of the pause is not a moment in the future.
    Until {
        /// What was typed.
        typed: String,
    },
    /// The typed text is no schedule.
    Unknown {
        /// What was typed.
        typed: String,
    },
    /// The person has the maximum number of schedules.
    TooMany {
        /// The maximum.
        most: usize,
    },
    /// The question about hung shutdowns is not open, or was answered.
    HangsAnswered,
    /// The question about deletions is closed, or now shows other Snapshots.
    AskedOtherwise,
    /// The Snapshot in question is no longer the newest one, is gone, or was accepted.
    NotDoubtful,
    /// The chosen schedule does not take over Snapshots of this Droplet.
    NoHeir,
    /// The address to notify is not valid.
    Address(BadAddress),
    /// The address is in a private network.
    PrivateAddress {
        /// Its host.
        host: String,
    },
    /// The address's host could not be resolved.
    NoAddress {
        /// Its host.
        host: String,
    },
    /// The review has expired.
    Expired,
    /// The schedule was added in another guild.
    Elsewhere,
    /// The person already owns it.
    OwnAlready {
        /// The owner.
        owner: UserId,
    },
}

impl ScheduleRefusal {
    /// The text of the refusal.
    pub fn words(&self) -> String {
        match self {
            Self::Rule(invalid) => rule(invalid),
            Self::Keep(bad) => keep(bad),
            Self::Group(bad) => group::bad(bad),
            Self::IfHung { typed } => format!(
                "{} doesn't say what to do about a stuck shutdown. Use `live` (take it while it runs), `skip` or `force` (cut the power).",
                quote(typed)
            ),
            Self::NoGroup => "`at-once`, `gap` and `check` are for several Droplets. Choose a tag, such as `what: tag:prod`, or leave them out.".to_owned(),
            Self::Nobody { tag, excluded } => group::nobody(tag, *excluded),
            Self::TooManyMembers { tag, count } => group::too_many(tag, *count, MOST_MEMBERS),
            Self::TooLong { tag, count, length, at_once } => group::too_long(tag, *count, *length, *at_once),
            Self::Running => "A run of this schedule isn't over. Its message shows how far it is.".to_owned(),
            Self::TakenSince => "This schedule has begun a newer Snapshot since then; its message shows how that goes. `/schedule run` takes one more.".to_owned(),
            Self::NothingToChange => "That changes nothing. Say what to change, for example `at: 04:00` or `keep: 7 daily`.".to_owned(),
            Self::ChangedMeanwhile => "Nothing changed: somebody else edited this schedule since you saw the review. Use the command again.".to_owned(),
            Self::Until { typed } => format!(
                "I can't pause until {}. Use a number of days such as `7d`, hours such as `12h`, or a date such as `2026-12-24`.",
                quote(typed)
            ),
            Self::Unknown { typed } => format!(
                "There is no schedule {}. `/schedule list` shows all of them; choose one from the suggestions.",
                quote(typed)
            ),
            Self::TooMany { most } => format!(
                "You own {most} schedules, and nobody may own more. `/schedule remove` one that you no longer need, or ask a colleague to take one over."
            ),
            Self::HangsAnswered => "Somebody has answered this already.".to_owned(),
            Self::AskedOtherwise => "Nothing was decided: this question has changed since you opened it, or was answered. Look at the message again; it shows what is asked now.".to_owned(),
            Self::NotDoubtful => "Nothing changed: nobody has to decide about that Snapshot now. A newer one followed, it is gone, or somebody has answered.".to_owned(),
            Self::NoHeir => "Nothing changed: that schedule is gone, or is of another Droplet. Use `/schedule remove` again.".to_owned(),
            Self::Address(bad) => match bad {
                BadAddress::NoUrl => "That `ping-url` isn't an address. Copy it as a whole, such as `https://hc-ping.com/your-key`.",
                BadAddress::NotEncrypted => "That `ping-url` has no TLS. It must begin with `https://`.",
                BadAddress::Credentials => "That `ping-url` contains a user name or a password, which I don't send. Use one with its key in the path.",
                BadAddress::TooLong => "That `ping-url` is longer than 500 characters.",
            }
            .to_owned(),
            Self::PrivateAddress { host } => format!(
                "{} is on a private network, which I may not call. Use an address that the internet can reach, or ask my operator to set `ALLOW_PRIVATE_URLS=yes`.",
                name(host)
            ),
            Self::NoAddress { host } => format!("I can't find {}. Check the `ping-url` for a typo.", name(host)),
            Self::Expired => "Nothing changed: this review closed after 14 minutes. Use the command again.".to_owned(),
            Self::Elsewhere => "This schedule was added in another server. From here you can see it and pause it; everything else is done there.".to_owned(),
            Self::OwnAlready { owner } => format!("<@{owner}> owns this schedule already."),
        }
    }
}

fn rule(invalid: &Invalid) -> String {
    match invalid {
        Invalid::Every { typed } => format!(
            "I don't know how often {} is. Use `day`, `week`, `month`, a number of hours such as `6h`, or `cron` with five fields, such as `cron 0 3 * * 1-5`.",
            quote(typed)
        ),
        Invalid::Hours { typed } => format!(
            "{} doesn't divide a day evenly, so it would run at different times each day. Use 1, 2, 3, 4, 6, 8 or 12 hours.",
            quote(typed)
        ),
        Invalid::At { typed } => format!("{} isn't a time of day. Write it like `03:00` or `22:30`.", quote(typed)),
        Invalid::AtWithCron => "A cron expression has its own time, so leave `at` out.".to_owned(),
        Invalid::Weekday { typed } => format!("{} isn't a day of the week. Write it like `sunday`.", quote(typed)),
        Invalid::MonthDay { typed } => {
            format!("{} isn't a day of a month. Use a number from 1 to 31, or `last`.", quote(typed))
        }
        Invalid::OnWithoutUse => {
            "`on` chooses the day of a week or month. Leave it out here, or use `every: week` or `every: month`."
                .to_owned()
        }
        Invalid::Zone { typed, nearest } => {
            let near: Vec<String> = nearest.iter().map(|zone| name(zone)).collect();
            let hint = if near.is_empty() {
                "Use a name such as `Europe/Berlin`, or `UTC`.".to_owned()
            } else {
                format!("Did you mean {}?", near.join(", "))
            };
            format!("There is no time zone {}. {hint}", quote(typed))
        }
        Invalid::CronFields { found } => format!(
            "A cron expression has five fields (minute, hour, day, month, weekday); this one has {found}. An example: `cron 0 3 * * 1-5`."
        ),
        Invalid::Cron { field, typed } => cron(*field, typed),
        Invalid::Never => "This never happens, so I'd never take a Snapshot. Check the day and the month.".to_owned(),
        Invalid::TooOften { gap } => format!(
            "This would take Snapshots only {} apart. An hour is the shortest: a Snapshot takes minutes, and each one costs money.",
            super::hours(*gap)
        ),
    }
}

fn cron(field: Option<CronField>, typed: &str) -> String {
    let (field, values) = match field {
        Some(CronField::Minute) => ("minute of a cron expression, its first field", "numbers from 0 to 59"),
        Some(CronField::Hour) => ("hour of a cron expression, its second field", "numbers from 0 to 23"),
        Some(CronField::Day) => ("day of a cron expression, its third field", "numbers from 1 to 31, `L` for the last"),
        Some(CronField::Month) => {
            ("month of a cron expression, its fourth field", "numbers from 1 to 12, names such as `jan`")
        }
        Some(CronField::Weekday) => (
            "weekday of a cron expression, its fifth field",
            "numbers from 0 to 7 (0 and 7 are Sunday), names such as `mon`",
        ),
        None => return format!("I can't read the cron expression {}. An example: `cron 0 3 * * 1-5`.", quote(typed)),
    };
    format!("{} can't be the {field}. Use `*`, {values}, lists (`1,3`), ranges (`1-5`) or steps (`*/2`).", quote(typed))
}

fn keep(bad: &BadPolicy) -> String {
    match bad {
        BadPolicy::Empty => {
            "This would keep nothing. Say what to keep, for example `7 daily 4 weekly 6 monthly`.".to_owned()
        }
        BadPolicy::Part { typed } => format!(
            "I don't know what {} keeps. Write numbers with `last`, `daily`, `weekly`, `monthly` or `yearly`, for example `7 daily 4 weekly`.",
            quote(typed)
        ),
        BadPolicy::TooMany { typed } => format!("{} is too many: 1,000 is the most.", quote(typed)),
    }
}
