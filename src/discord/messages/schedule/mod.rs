//! Messages about schedules: when they run, what they keep, and their state.

mod form;
mod next_step;
mod notice;
mod notice_facts;
mod overview;
mod refusal;
mod reply;
mod review;
mod status;

use jiff::{SignedDuration, Timestamp, civil::Time};

pub use form::{form, if_hung_word};
pub use notice::notice;
pub use notice_facts::{InQuestion, NoticeFacts};
pub use overview::{elsewhere, list, preview};
pub use refusal::ScheduleRefusal;
pub use reply::{
    added, deletions_approved, edited, handed_over, hangs_answered, kept_announced, paused_until, prunes_again,
    relied_on, removed, resumed, run_begun, taken_over,
};
pub use review::{Cost, Edit, Review, review, review_removal, review_run};
pub use status::{ScheduleFacts, status};

use super::{
    choice::keyed,
    text::plain,
    units::{cost, dollars_a_month},
};
use crate::{
    operation::ids::ScheduleId,
    schedule::{
        Power, Schedule, most_kept,
        policy::Policy,
        rule::{Every, Rule},
        waiting,
    },
};

/// Stands before the policy in a choice.
const BEFORE_POLICY: &str = ": ";
/// The longest name of a Droplet in a choice.
const LONGEST_NAME: usize = 30;

/// What to do about a schedule whose Droplet is gone.
const REBIND: &str = "`/schedule edit what:` moves it to another Droplet.";

/// The end of a schedule's message, by which the bot finds it again.
pub fn marker(schedule: ScheduleId, number: i64) -> String {
    match number {
        0 => format!("schedule {schedule}"),
        number => format!("schedule {schedule} · {number}"),
    }
}

/// When a schedule runs: `every day at 03:00 (Europe/Berlin)`.
pub fn when(rule: &Rule) -> String {
    let (at, zone) = (clock(rule.at), &rule.zone);
    match &rule.every {
        Every::Hours(1) => format!("every hour at minute {:02} ({zone})", rule.at.minute()),
        Every::Hours(hours) => format!("every {hours} hours, counted from {at} ({zone})"),
        Every::Day => format!("every day at {at} ({zone})"),
        Every::Week(day) => format!("every {} at {at} ({zone})", day.name()),
        Every::Month(31) => format!("on the last day of every month at {at} ({zone})"),
        Every::Month(day) => format!("on day {day} of every month at {at} ({zone})"),
        Every::Cron(expression) => format!("by cron `{expression}` ({zone})"),
    }
}

/// When a schedule runs, in a few words: `daily 03:00`.
fn when_short(rule: &Rule) -> String {
    let at = clock(rule.at);
    match &rule.every {
        Every::Hours(hours) => format!("every {hours} h"),
        Every::Day => format!("daily {at}"),
        Every::Week(day) => format!("{} {at}", day.name()),
        Every::Month(_) => format!("monthly {at}"),
        Every::Cron(expression) => format!("cron {expression}"),
    }
}

/// The choice for a schedule: `web-1 · daily 03:00 · off · k3m9ab`.
pub fn label(schedule: &Schedule) -> String {
    let name = plain(&schedule.droplet_name, LONGEST_NAME);
    let power = match schedule.power {
        Power::Off => "off",
        Power::Live => "live",
    };
    let paused = if schedule.is_active() { "" } else { " · paused" };
    keyed(&format!("{name} · {} · {power}{paused}", when_short(&schedule.rule)), &schedule.id.to_string())
}

/// What a policy keeps: `7 daily · 4 weekly · 6 monthly`.
pub fn keeps(policy: Policy) -> String {
    let parts = [
        (policy.last, "latest"),
        (policy.daily, "daily"),
        (policy.weekly, "weekly"),
        (policy.monthly, "monthly"),
        (policy.yearly, "yearly"),
    ];
    let parts: Vec<String> =
        parts.iter().filter(|(count, _)| *count > 0).map(|(count, word)| format!("{count} {word}")).collect();
    parts.join(" · ")
}

/// The choice for a policy, with its highest cost: `at most 17 Snapshots, ≈ $8.64 a month: 7 daily · 4 weekly · 6 monthly`. The cost includes
/// what waits to be deleted, which is at least one; `rule` tells how many, if it is known.
pub fn keeps_for(policy: Policy, rule: Option<&Rule>, size: Option<f64>, price_per_gb: f64) -> String {
    let most = rule.map_or(policy.most(), |rule| most_kept(policy, rule));
    let paid = f64::from(most.saturating_add(rule.map_or(1, waiting)));
    let price = size.map(|size| format!(", ≈ {}", dollars_a_month(paid * cost(size, price_per_gb))));
    format!("{}{}{BEFORE_POLICY}{}", at_most(most), price.unwrap_or_default(), keeps(policy))
}

/// `at most 17 Snapshots`.
fn snapshots_at_most(policy: Policy, rule: &Rule) -> String {
    at_most(most_kept(policy, rule))
}

fn at_most(count: u32) -> String {
    format!("at most {count} {}", if count == 1 { "Snapshot" } else { "Snapshots" })
}

/// The policy in such a choice, or in what somebody typed: its own parts stand between dots, so no dot comes before it.
pub fn policy_in(text: &str) -> &str {
    text.rsplit_once(BEFORE_POLICY).map_or(text, |(_, policy)| policy)
}

/// `03:00`.
fn clock(time: Time) -> String {
    format!("{:02}:{:02}", time.hour(), time.minute())
}

/// The time in the schedule's zone.
fn local(rule: &Rule, at: Timestamp) -> String {
    clock(at.to_zoned(rule.time_zone()).time())
}

/// The window in which a run begins: `between 03:00 and 07:00`.
fn window(schedule: &Schedule, run: Timestamp) -> String {
    format!("between {} and {}", local(&schedule.rule, run), local(&schedule.rule, schedule.window_end(run)))
}

/// `4 h`, `30 min`.
fn hours(gap: SignedDuration) -> String {
    super::units::duration(gap)
}

#[cfg(test)]
mod tests;
