//! The short ephemeral replies about schedules.

use jiff::Timestamp;

use super::{
    super::{
        text::name,
        units::{ago, moment},
    },
    when,
};
use crate::schedule::{Schedule, hung_shutdowns::HangAnswer};

/// The schedule was added.
pub fn added(schedule: &Schedule, now: Timestamp) -> String {
    let droplet = name(&schedule.droplet_name);
    let next =
        schedule.rule.next_after(now).map(|next| format!(" The first one is {}.", ago(next))).unwrap_or_default();
    format!(
        "Done: I'll take Snapshots of {droplet} {}.{next} This is schedule `{}`; its message in <#{}> shows how it goes.",
        when(&schedule.rule),
        schedule.id,
        schedule.channel
    )
}

/// The schedule was changed.
pub fn edited(schedule: &Schedule, now: Timestamp) -> String {
    let next = schedule.rule.next_after(now).filter(|_| schedule.is_active());
    let next = next.map(|next| format!(" The next one is {}.", ago(next))).unwrap_or_default();
    format!(
        "Changed schedule `{}`: I'll take Snapshots of {} {}.{next}",
        schedule.id,
        name(&schedule.droplet_name),
        when(&schedule.rule)
    )
}

/// A run of its group begins.
pub fn run_begun(schedule: &Schedule) -> String {
    format!(
        "I'm taking Snapshots of the Droplets with {} now. The message of schedule `{}` in <#{}> shows how it goes.",
        name(&schedule.droplet_name),
        schedule.id,
        schedule.channel
    )
}

/// The schedule was removed.
pub fn removed(schedule: &Schedule) -> String {
    format!("Removed schedule `{}` of {}. Its Snapshots stay as they are.", schedule.id, name(&schedule.droplet_name))
}

/// The schedule is paused.
pub fn paused_until(schedule: &Schedule, until: Timestamp) -> String {
    let droplet = name(&schedule.droplet_name);
    format!(
        "Paused: the schedule of {droplet} takes and deletes nothing until {}. `/schedule resume` ends that.",
        moment(until)
    )
}

/// The schedule was resumed.
pub fn resumed(schedule: &Schedule, now: Timestamp) -> String {
    let next = schedule.rule.next_after(now).map(|next| format!(" The next one is {}.", ago(next))).unwrap_or_default();
    format!("The schedule of {} goes on.{next}", name(&schedule.droplet_name))
}

/// The person owns the schedule now.
pub fn taken_over(schedule: &Schedule) -> String {
    format!("You own the schedule of {} now: I'll call you when it fails.", name(&schedule.droplet_name))
}

/// This many Snapshots are kept.
pub fn kept_announced(count: u64) -> String {
    match count {
        0 => "None of these was about to be deleted any more.".to_owned(),
        1 => "It is pinned now: it stays, whatever the rules say, until somebody unpins or deletes it.".to_owned(),
        count => format!(
            "These {count} are pinned now: they stay, whatever the rules say, until somebody unpins or deletes them."
        ),
    }
}

/// The schedule may delete the Snapshots that it asked about.
pub fn deletions_approved(schedule: &Schedule, count: usize) -> String {
    let which = if count == 1 { "That Snapshot".to_owned() } else { format!("Those {count} Snapshots") };
    format!(
        "OK. {which} of {} will be deleted 24 hours from now. **Keep…** under the schedule's message in <#{}> still keeps what you choose.",
        name(&schedule.droplet_name),
        schedule.channel
    )
}

/// The schedule relies on its newest Snapshot although it is small.
pub fn relied_on(schedule: &Schedule) -> String {
    format!(
        "OK. The newest Snapshot of {} counts as good. Nothing is deleted because of this answer alone.",
        name(&schedule.droplet_name)
    )
}

/// What the schedule does from now on about shutdowns that hang.
pub fn hangs_answered(schedule: &Schedule, answer: HangAnswer) -> String {
    let droplet = name(&schedule.droplet_name);
    match answer {
        HangAnswer::ShutDown => {
            format!(
                "OK, I'll keep shutting {droplet} down for its Snapshots. I'll ask again if it shuts down once and then gets stuck again."
            )
        }
        HangAnswer::StayLive => format!("OK. From now on I take the Snapshots of {droplet} while it runs."),
        HangAnswer::Pause => {
            format!("Paused: the schedule of {droplet} takes nothing until `/schedule resume`.")
        }
    }
}

/// The schedule deletes again, although its Droplet was recently restored.
pub fn prunes_again(schedule: &Schedule) -> String {
    format!(
        "OK. The schedule of {} deletes again what its rules no longer keep, each a day after I announce it.",
        name(&schedule.droplet_name)
    )
}

/// The schedule was removed, and another one has its Snapshots now.
pub fn handed_over(schedule: &Schedule, heir: &Schedule, count: u64) -> String {
    let snapshots = if count == 1 { "1 Snapshot".to_owned() } else { format!("{count} Snapshots") };
    format!(
        "Removed schedule `{}` of {}. {snapshots} now belong to schedule `{}` and are kept by its rules.",
        schedule.id,
        name(&schedule.droplet_name),
        heir.id
    )
}
