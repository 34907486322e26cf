//! The status message of a schedule.

use jiff::Timestamp;

use super::{
    super::{
        Wording, group, lengths,
        message::{Button, Choice, Colour, Embed, Menu, Message, Style},
        text::{name, plain, shorten},
        units::{ago, cost, dollars_a_month, gigabytes, moment},
    },
    REBIND, keeps, marker, when, window,
};
use crate::{
    discord::press::Press,
    operation::Operation,
    schedule::{
        Paused, Power, Schedule, State,
        hung_shutdowns::Asked,
        pruning::{Candidate, Hold, NOTICE},
        retention::Quality,
        run::Run,
        slot::{Failed, Missed, Skipped, Slot, SlotState},
    },
    store::ScheduleSnapshot,
};

/// The number of latest planned times that are shown.
const SHOWN: usize = 7;
/// The maximum number of Snapshots named that will be deleted.
const NAMED: usize = 5;

/// Everything that the status message shows.
#[derive(Clone, Debug)]
pub struct ScheduleFacts {
    /// The schedule.
    pub schedule: Schedule,
    /// Its latest planned times, newest first.
    pub slots: Vec<Slot>,
    /// Its Snapshots, newest first.
    pub snapshots: Vec<ScheduleSnapshot>,
    /// Since when it has had no recent Snapshot.
    pub stale_since: Option<Timestamp>,
    /// Why nothing is deleted although something would be.
    pub hold: Option<Hold>,
    /// The next run, if there is one.
    pub next: Option<Timestamp>,
    /// The latest run of its group, if it has one.
    pub run: Option<Run>,
    /// The operations that explain why members failed.
    pub failed: Vec<Operation>,
}

/// The status message of a schedule, which is edited as it goes.
pub fn status(standing: &ScheduleFacts, wording: &Wording) -> Message {
    let schedule = &standing.schedule;
    let droplet = name(&schedule.droplet_name);
    let (mut lines, colour) = state(standing);
    lines.push(format!("**When:** {}", when(&schedule.rule)));
    if let Some(next) = standing.next.filter(|_| schedule.is_active()) {
        lines.push(format!("**Next:** {} ({}), {}", moment(next), ago(next), window(schedule, next)));
    }
    lines.push(kept(standing, wording));
    lines.push(format!("**Owner:** <@{}>", schedule.owner.user));
    lines.extend(schedule.group.as_ref().map(|of| format!("**Order:** {}.", group::pace(of))));
    lines.extend(group::warned(schedule.power, schedule.warn));
    lines.extend(schedule.watched.ping_url.as_ref().map(|address| format!("**Tells:** {}", name(address.host()))));
    lines.extend(deletions(standing));
    lines.extend(members(standing));
    if !standing.slots.is_empty() {
        lines.push(String::new());
        lines.extend(standing.slots.iter().take(SHOWN).map(|slot| line(slot, standing)));
    }
    let footer = marker(schedule.id, 0);
    let description = shorten(&lines.join("\n"), lengths::DESCRIPTION);
    Message {
        embeds: vec![Embed { title: format!("Schedule of {droplet}"), description, footer, colour }],
        menus: menu(standing).into_iter().collect(),
        buttons: buttons(standing),
        ..Message::default()
    }
}

/// The progress of the group, or the outcome of its latest run.
fn members(standing: &ScheduleFacts) -> Vec<String> {
    let Some(run) = standing.run.as_ref().filter(|_| standing.schedule.group.is_some()) else { return Vec::new() };
    let heading = match run.ended_at {
        Some(_) => format!("**Run of {}:**", moment(run.plan.planned)),
        None => "**This run:**".to_owned(),
    };
    [String::new(), heading].into_iter().chain(group::progress(run, &standing.failed)).collect()
}

fn state(standing: &ScheduleFacts) -> (Vec<String>, Colour) {
    let schedule = &standing.schedule;
    let mut lines = Vec::new();
    let open = standing.slots.iter().find(|slot| slot.state.is_open());
    let colour = match (schedule.state, open.map(|slot| (slot.state, slot.at))) {
        (State::Removed, _) => {
            lines.push("🗑️ **Removed.** Its Snapshots stay; nobody deletes them by schedule.".to_owned());
            Colour::Stopped
        }
        (State::Paused { until, why }, _) => {
            lines.push(paused(until, why));
            Colour::Stopped
        }
        (State::Active, Some((SlotState::Running, at))) if schedule.group.is_some() => {
            lines.push(format!("🔄 **Taking the Snapshots** planned for {}.", moment(at)));
            Colour::Working
        }
        (State::Active, Some((SlotState::Running, at))) => {
            lines.push(format!("🔄 **Taking the Snapshot** planned for {}.", moment(at)));
            Colour::Working
        }
        (State::Active, Some((_, at))) => {
            lines.push(format!("⏳ **Waiting** to take the Snapshot planned for {}: the Droplet is busy.", moment(at)));
            Colour::Working
        }
        (State::Active, None) => match standing.slots.first().map(|slot| slot.state) {
            Some(state) if !state.has_snapshot() && !matches!(state, SlotState::Skipped(_)) => Colour::Failed,
            Some(_) if standing.slots.first().is_some_and(|slot| is_doubtful(slot, standing)) => Colour::Failed,
            _ => Colour::Done,
        },
    };
    if schedule.watched.hangs.asked == Asked::Open && schedule.power == Power::Off {
        lines.push("⚠️ **Shutdowns get stuck:** I take its Snapshots while it runs until somebody answers.".to_owned());
    }
    if standing.stale_since.is_some() && schedule.state != State::Removed {
        lines.push("⚠️ **There is no recent Snapshot.**".to_owned());
    }
    lines.push(newest(standing));
    (lines, colour)
}

fn paused(until: Option<Timestamp>, why: Paused) -> String {
    let until = until.map(|until| format!(" until {}", moment(until))).unwrap_or_default();
    match why {
        Paused::By(user) => format!("⏸️ **Paused**{until} by <@{user}>. I take and delete nothing while it is paused."),
        Paused::OwnerLost => {
            "⏸️ **Paused:** its owner has left or lost the right to it. Somebody who may restore should take it over."
                .to_owned()
        }
        Paused::DropletGone => format!("⏸️ **Paused:** its Droplet is gone. Its Snapshots stay. {REBIND}"),
    }
}

fn newest(standing: &ScheduleFacts) -> String {
    let Some(newest) = standing.snapshots.first() else { return "No Snapshot yet.".to_owned() };
    let size = newest.size.map(|size| format!(", {}", gigabytes(size))).unwrap_or_default();
    let how = if newest.is_consistent { "taken with the Droplet off" } else { "taken while it was running" };
    let at = newest.created_at.or(newest.planned).map(|at| format!(" {}", ago(at))).unwrap_or_default();
    format!("**Newest Snapshot:**{at}{size}, {how}")
}

fn kept(standing: &ScheduleFacts, wording: &Wording) -> String {
    let (count, keep) = (standing.snapshots.len(), standing.schedule.keep);
    let sizes = standing.snapshots.iter().filter_map(|snapshot| snapshot.size);
    let total: f64 = sizes.map(|size| cost(size, wording.price_per_gb)).sum();
    let now = if count == 1 { "1 now".to_owned() } else { format!("{count} now") };
    format!("**Keeps:** {} ({now}, {})", keeps(keep), dollars_a_month(total))
}

fn deletions(standing: &ScheduleFacts) -> Vec<String> {
    let announced: Vec<&ScheduleSnapshot> =
        standing.snapshots.iter().filter(|snapshot| snapshot.announced_at.is_some()).collect();
    let mut lines = Vec::new();
    lines.extend(standing.hold.map(|hold| held(hold, standing.snapshots.len())));
    let question = &standing.schedule.watched.deletions;
    let asked: Vec<&ScheduleSnapshot> =
        standing.snapshots.iter().filter(|snapshot| question.asked.contains(&snapshot.operation)).collect();
    lines.extend(asked.iter().take(NAMED).map(|snapshot| format!("❓ {}", name(&snapshot.name))));
    if asked.len() > NAMED {
        lines.push(format!("❓ … and {} more", asked.len() - NAMED));
    }
    for snapshot in announced.iter().take(NAMED) {
        let at = snapshot.announced_at.and_then(|at| at.checked_add(NOTICE).ok()).filter(|_| standing.hold.is_none());
        let when = at.map(|at| format!(" {}", ago(at))).unwrap_or_default();
        let failed = standing.schedule.watched.undeleted.contains(&snapshot.operation);
        let what = if failed { "⚠️ I couldn't delete it and will try again" } else { "🧹 Will be deleted" };
        lines.push(format!("{what}{when}: {}", name(&snapshot.name)));
    }
    if announced.len() > NAMED {
        lines.push(format!("🧹 … and {} more", announced.len() - NAMED));
    }
    lines
}

pub(super) fn held(hold: Hold, count: usize) -> String {
    match hold {
        Hold::Paused => "Nothing is deleted while it is paused.".to_owned(),
        Hold::Unowned => "Nothing is deleted until somebody takes it over.".to_owned(),
        Hold::Stale => "Nothing is deleted while there is no recent Snapshot.".to_owned(),
        Hold::RestoredLately => "Nothing is deleted for a week after a restore of this Droplet.".to_owned(),
        Hold::Doubtful(_) => {
            "⚠️ The newest Snapshot is less than half as large as the one before it, so I delete nothing until somebody says that it's fine.".to_owned()
        }
        Hold::Narrowed(many) => format!(
            "⚠️ **The rules were edited and no longer keep {many} of {count} Snapshots.** I delete nothing until somebody says so; until then all of them cost money."
        ),
        Hold::TooMany(many) => format!(
            "⚠️ **The rules no longer keep {many} of {count} Snapshots.** That is a lot at once, so I delete nothing until somebody says so; until then all of them cost money."
        ),
    }
}

fn buttons(standing: &ScheduleFacts) -> Vec<Button> {
    let id = standing.schedule.id;
    let take_over = || Button::new("Take over", Style::Primary, Press::TakeOver(id));
    if matches!(standing.schedule.state, State::Paused { why: Paused::OwnerLost, .. }) {
        return vec![take_over()];
    }
    let mut buttons = Vec::new();
    match standing.hold {
        Some(Hold::Doubtful(operation)) => {
            buttons.push(Button::new("It's fine", Style::Primary, Press::RelyOn { schedule: id, operation }));
        }
        Some(Hold::Unowned) => buttons.push(take_over()),
        Some(Hold::RestoredLately) => buttons.push(Button::new("Prune again", Style::Secondary, Press::PruneAgain(id))),
        // The message that asks has this button too, but it may have been deleted.
        Some(Hold::TooMany(_) | Hold::Narrowed(_)) => buttons.extend(delete_many(&standing.schedule)),
        Some(Hold::Paused | Hold::Stale) | None => {}
    }
    buttons
}

/// Approves what the schedule's question shows now; `None` if it is not open.
pub(super) fn delete_many(schedule: &Schedule) -> Option<Button> {
    let question = &schedule.watched.deletions;
    let press = Press::DeleteMany { schedule: schedule.id, edition: question.edition };
    question.is_open().then(|| Button::new("Delete them", Style::Danger, press))
}

/// A menu of the Snapshots that will be deleted, to choose the ones to keep.
fn menu(standing: &ScheduleFacts) -> Option<Menu> {
    let announced =
        standing.snapshots.iter().filter(|snapshot| snapshot.announced_at.is_some() && snapshot.deletion.is_none());
    let choice =
        |snapshot: &ScheduleSnapshot| Choice::new(&plain(&snapshot.name, lengths::OPTION), "", snapshot.operation);
    Menu::new(Press::KeepAnnounced(standing.schedule.id), "Keep…", announced.map(choice)).map(Menu::multiple)
}

/// One planned time, or several with the same state.
fn line(slot: &Slot, standing: &ScheduleFacts) -> String {
    let at = moment(slot.at);
    let times = if slot.count > 1 { format!("{at} to {} ({} times)", moment(slot.last), slot.count) } else { at };
    let state = match slot.state {
        SlotState::Waiting => "⏳ waits for the Droplet",
        SlotState::Running => "🔄 running",
        SlotState::Ran | SlotState::Shared if is_doubtful(slot, standing) => {
            "⚠️ taken, but much smaller than the one before it"
        }
        SlotState::Ran | SlotState::Shared if worth(slot, standing) == Some(Quality::Unsized) => {
            "⚠️ taken, but its size isn't known yet"
        }
        SlotState::Ran if was_taken_live(slot, standing) => "⚠️ taken while it was running: it didn't shut down",
        SlotState::Ran => "✅ taken",
        SlotState::Shared => "✅ covered by another schedule's Snapshot",
        SlotState::Failed(Failed::Hung) => "❌ failed: the Droplet didn't shut down",
        SlotState::Failed(Failed::Cancelled) => "🛑 stopped by somebody",
        SlotState::Failed(Failed::Operation) => "❌ failed",
        SlotState::Failed(Failed::NotAll) => "❌ not all Droplets have a good Snapshot",
        SlotState::Failed(Failed::Nobody) => "❌ failed: no Droplet has the tag",
        SlotState::Skipped(Skipped::Edited) => "✏️ left out: the schedule was edited",
        SlotState::Skipped(Skipped::Paused) => "⏸️ left out while paused",
        SlotState::Missed(Missed::Away) => "⚠️ missed: I wasn't running",
        SlotState::Missed(Missed::Busy) => "⚠️ missed: the Droplet was busy for the whole window",
        SlotState::Missed(Missed::Outage) => "⚠️ missed: DigitalOcean didn't answer in time",
        SlotState::Missed(Missed::Overtaken) => "⚠️ missed: the next one came first",
    };
    format!("{times}: {state}")
}

/// The quality of its Snapshots; `None` if they no longer exist.
fn worth(slot: &Slot, standing: &ScheduleFacts) -> Option<Quality> {
    let candidates: Vec<Candidate> = standing.snapshots.iter().map(ScheduleSnapshot::candidate).collect();
    standing.schedule.worth(&candidates, slot.at)
}

/// Whether one of its Snapshots is much smaller than the one before it.
fn is_doubtful(slot: &Slot, standing: &ScheduleFacts) -> bool {
    worth(slot, standing) == Some(Quality::Doubtful)
}

/// Whether its Snapshot was taken while the Droplet ran although the schedule shuts it down.
fn was_taken_live(slot: &Slot, standing: &ScheduleFacts) -> bool {
    let mut taken = standing.snapshots.iter().filter(|snapshot| Some(snapshot.operation) == slot.operation);
    standing.schedule.power == Power::Off && taken.any(|snapshot| !snapshot.is_consistent)
}
