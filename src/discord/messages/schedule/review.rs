//! What a person reads before a schedule is added, edited, run or removed: what will happen, when, and at what cost.

use jiff::{SignedDuration, Timestamp};

use super::{
    super::{
        confirm::Buttons,
        group::{self, Members},
        message::{Button, Choice, Colour, Embed, Menu, Message, Style},
        text::name,
        units::{ago, cost, dollars_a_month, moment},
    },
    hours, keeps, label, local, snapshots_at_most, when, window,
};
use crate::{
    discord::press::{Press, ReviewForm},
    inventory::BackupWindow,
    schedule::{Forecast, IfHung, Power, Schedule, group::Excluded},
};

/// How many runs are shown.
const RUNS: usize = 5;
/// Runs that shut a Droplet down more often than this are warned about.
const OFTEN: SignedDuration = SignedDuration::from_hours(4);

/// Runs within this of DigitalOcean's own Backup are pointed out.
const NEAR: SignedDuration = SignedDuration::from_hours(4);

/// The expected cost of one Snapshot.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Cost {
    /// That of the Droplet's newest Snapshot, with its size in gigabytes.
    AsNewest(f64),
    /// At most that of the whole disk, with its size in gigabytes.
    AtMost(f64),
    /// The cost is unknown.
    Unknown,
}

impl Cost {
    /// The size in gigabytes that the estimate uses.
    pub fn size(self) -> Option<f64> {
        match self {
            Self::AsNewest(size) | Self::AtMost(size) => Some(size),
            Self::Unknown => None,
        }
    }
}

/// A requested schedule.
#[derive(Clone, Copy, Debug)]
pub struct Review<'a> {
    /// The schedule as it would be.
    pub schedule: &'a Schedule,
    /// The cost of a Snapshot; for a group, of one of each Droplet.
    pub cost: Cost,
    /// The usual downtime for one Snapshot.
    pub downtime: Option<SignedDuration>,
    /// The members of its group, if it has one.
    pub members: Option<&'a Members>,
    /// What an edit changes, if there is such a schedule already.
    pub edit: Option<Edit>,
    /// The window of DigitalOcean's next own Backup, if there is one.
    pub backup_window: Option<BackupWindow>,
    /// Why a group would leave this Droplet out.
    pub replaced: Option<Excluded>,
    /// The present moment.
    pub now: Timestamp,
}

/// What an edit of a schedule changes.
#[derive(Clone, Copy, Debug)]
pub struct Edit {
    /// How many more Snapshots the edited schedule does not keep.
    pub drops: usize,
    /// Whether it takes Snapshots of something else from now on.
    pub is_rebound: bool,
}

/// Asks whether to add this schedule.
pub fn review(review: &Review<'_>, price_per_gb: f64, buttons: Buttons) -> Message {
    let Review { schedule, cost: size, now, .. } = *review;
    let droplet = name(&schedule.droplet_name);
    let mut lines = edited(review);
    lines.extend(plans(review, price_per_gb));
    lines.push(String::new());
    lines.push(format!("This review closes {}.", ago(buttons.expires_at)));
    // Buttons render no markdown and hold little text.
    let verb = if review.edit.is_some() { "Change" } else { "Create" };
    let label = match size.size() {
        Some(size) => {
            let steady = f64::from(schedule.forecast(now).steady) * cost(size, price_per_gb);
            format!("{verb} – ≈ ${:.0}/mo", steady.ceil())
        }
        None => verb.to_owned(),
    };
    let title = match review.edit {
        Some(_) => format!("Change schedule {} of {droplet}?", schedule.id),
        None => format!("Take Snapshots of {droplet} on a schedule?"),
    };
    let asked = question(title, &lines, (label, Style::Primary), buttons);
    let form = |label, form| Button::new(label, Style::Secondary, Press::Fill { form, id: buttons.id });
    let forms = [form("Failures…", ReviewForm::Failures)];
    let forms = forms.into_iter().chain(schedule.group.is_some().then(|| form("Group…", ReviewForm::Group)));
    let (yes, no) = asked.buttons.split_at(1);
    Message { buttons: yes.iter().cloned().chain(forms).chain(no.iter().cloned()).collect(), ..asked }
}

/// What a schedule would do: when, how, what it keeps and costs, and what to watch out for.
pub(super) fn plans(review: &Review<'_>, price_per_gb: f64) -> Vec<String> {
    let Review { schedule, cost: size, now, .. } = *review;
    let droplet = name(&schedule.droplet_name);
    let runs: Vec<Timestamp> = schedule.rule.runs_after(now).take(RUNS).collect();
    let mut lines = vec![format!("**When:** {}", when(&schedule.rule))];
    // One a line: on a phone, two dates side by side break in the middle.
    lines.push("**Next runs:**".to_owned());
    lines.extend(runs.iter().map(|run| format!("• {}", moment(*run))));
    if let Some(first) = runs.first() {
        lines.push(format!(
            "**Begins:** {}, as soon as {} free. If {} can't start by {}, I skip it and tell you.",
            window(schedule, *first),
            if schedule.group.is_some() { "Droplets are".to_owned() } else { format!("{droplet} is") },
            if schedule.group.is_some() { "one" } else { "it" },
            local(&schedule.rule, schedule.window_end(*first)),
        ));
    }
    if schedule.rule.spread > 0 {
        let late = SignedDuration::from_secs(i64::from(schedule.rule.spread));
        lines.push(format!("You gave no time, so it starts {} past the hour, to spread the load.", hours(late)));
    }
    if let (Some(of), Some(members)) = (&schedule.group, review.members) {
        lines.extend(group::members(of, members));
    }
    lines.push(format!("**Power:** {}", power(schedule, review.downtime)));
    lines.extend(group::warned(schedule.power, schedule.warn));
    let most = snapshots_at_most(schedule.keep, &schedule.rule);
    let of = members_of(review.members);
    lines.push(format!("**Keeps:** {}: {most}{of}", keeps(schedule.keep)));
    lines.push("I delete older ones, a day after announcing each here. The newest good one always stays.".to_owned());
    lines.extend(costs(schedule, size, price_per_gb, now));
    lines.extend(review.replaced.map(|why| {
        let next = match schedule.power {
            Power::Off => "Choose `power: live`, or another Droplet.",
            Power::Live => "It may be gone at any time; its Snapshots stay.",
        };
        format!("⚠️ **{droplet} is {}.** {next}", group::reason(why))
    }));
    lines.extend(warnings(schedule));
    lines.extend(review.backup_window.and_then(|window| near_backups(schedule, window)));
    lines
}

/// The cost in a month, in a year and in the long run, including Snapshots that wait for the end of their notice.
fn costs(schedule: &Schedule, size: Cost, price_per_gb: f64, now: Timestamp) -> Option<String> {
    // The steady number is the highest, so its cost is also "at most" where the size is known.
    let (about, at_most) = match size {
        Cost::AsNewest(_) => ("about ", "at most "),
        Cost::AtMost(_) => ("at most ", "at most "),
        Cost::Unknown => return None,
    };
    let each = cost(size.size()?, price_per_gb);
    let Forecast { month, year, steady, waiting } = schedule.forecast(now);
    let dollars = |count: u32| dollars_a_month(f64::from(count) * each);
    let mut parts = Vec::new();
    if month < steady {
        parts.push(format!("{about}{} after a month", dollars(month)));
    }
    if year < steady {
        parts.push(format!("{about}{} after a year", dollars(year)));
    }
    let from = match () {
        () if year < steady => " in the long run",
        () if month < steady => " after a year and from then on",
        () => "",
    };
    let waiting = if waiting == 1 { "the one waiting".to_owned() } else { format!("the {waiting} waiting") };
    parts.push(format!("{at_most}{}{from}, including {waiting} a day to be deleted", dollars(steady)));
    Some(format!("**Costs:** {}", parts.join(", ")))
}

/// ` of each of the 12 Droplets`, for a group.
fn members_of(members: Option<&Members>) -> String {
    members.map(|members| format!(" of each of the {} Droplets", members.names.len())).unwrap_or_default()
}

/// What an edit means for existing Snapshots.
fn edited(review: &Review<'_>) -> Vec<String> {
    let Some(edit) = review.edit else { return Vec::new() };
    let mut lines = Vec::new();
    if edit.is_rebound {
        lines.push(format!(
            "From now on it takes Snapshots of {}. Those of the previous Droplet stay; no schedule deletes them.",
            name(&review.schedule.droplet_name)
        ));
    }
    if edit.drops > 0 {
        lines.push(format!(
            "⚠️ **The new rules no longer keep {}.** I'll ask about that in the schedule's message, and delete nothing until somebody who may restore says so.",
            if edit.drops == 1 { "1 more Snapshot".to_owned() } else { format!("{} more Snapshots", edit.drops) }
        ));
    }
    if !review.schedule.is_active() {
        lines.push("It stays paused; `/schedule resume` starts it again.".to_owned());
    }
    lines
}

fn power(schedule: &Schedule, downtime: Option<SignedDuration>) -> String {
    if schedule.group.is_some() {
        let hung = match (schedule.power, schedule.if_hung) {
            (Power::Live, _) => "",
            (Power::Off, IfHung::Live) => " If one doesn't shut down, I take its Snapshot while it runs.",
            (Power::Off, IfHung::Skip) => " If one doesn't shut down, I skip it that time.",
            (Power::Off, IfHung::Force) => " If one doesn't shut down, I cut its power.",
        };
        return format!("{}{hung}", group::power(schedule.power));
    }
    match schedule.power {
        Power::Live => {
            "no downtime. Taken while running: like pulling the plug, so files open at that moment may be incomplete."
                .to_owned()
        }
        Power::Off => {
            let down = downtime.map_or_else(|| "a few minutes".to_owned(), super::super::units::about);
            let hung = match schedule.if_hung {
                IfHung::Live => "I take the Snapshot while it runs",
                IfHung::Skip => "I skip that Snapshot",
                IfHung::Force => "I cut its power",
            };
            format!(
                "I shut it down for each Snapshot and turn it back on: offline for {down}. If it doesn't shut down, {hung}."
            )
        }
    }
}

fn warnings(schedule: &Schedule) -> Option<String> {
    let gap = schedule.rule.shortest_gap()?;
    (schedule.power == Power::Off && gap < OFTEN).then(|| {
        format!("⚠️ **This shuts it down every {}.** `power: live` takes Snapshots without downtime.", hours(gap))
    })
}

/// Points out that a run comes close to DigitalOcean's own Backup, which keeps the Droplet busy.
fn near_backups(schedule: &Schedule, window: BackupWindow) -> Option<String> {
    let (from, until) = (window.start.checked_sub(NEAR).ok()?, window.end.checked_add(NEAR).ok()?);
    let run = schedule.rule.next_after(from).filter(|run| *run < until)?;
    Some(format!(
        "ℹ️ DigitalOcean's own Backup runs between {} and {}, close to the run of {}. One waits for the other then; another `at` keeps \
         them apart.",
        moment(window.start),
        moment(window.end),
        moment(run)
    ))
}

/// Asks whether to take one more Snapshot now.
pub fn review_run(schedule: &Schedule, members: Option<&Members>, buttons: Buttons) -> Message {
    let droplet = name(&schedule.droplet_name);
    let mut lines = match (&schedule.group, members) {
        (Some(of), Some(members)) => group::members(of, members),
        _ => Vec::new(),
    };
    lines.extend([
        match schedule.power {
            _ if schedule.group.is_some() => format!("**Power:** {}", group::power(schedule.power)),
            Power::Off => format!("I shut {droplet} down for it now and turn it back on afterwards."),
            Power::Live => format!("{droplet} keeps running."),
        },
        format!(
            "The Snapshot joins those of schedule `{}` and is kept by its rules: {}.",
            schedule.id,
            keeps(schedule.keep)
        ),
    ]);
    question(format!("Take a Snapshot of {droplet} now?"), &lines, ("Take it now".to_owned(), Style::Primary), buttons)
}

/// Asks whether to remove this schedule.
pub fn review_removal(
    schedule: &Schedule,
    (count, sizes): (usize, f64),
    heirs: &[Schedule],
    price_per_gb: f64,
    buttons: Buttons,
) -> Message {
    let droplet = name(&schedule.droplet_name);
    let mut lines = vec![format!("I'll stop taking Snapshots of {droplet} {}.", when(&schedule.rule))];
    lines.push(match count {
        0 => "It has no Snapshots.".to_owned(),
        count => format!(
            "**{} stay** and cost {}. No schedule deletes them then; `/snapshot delete` does.",
            if count == 1 { "1 Snapshot".to_owned() } else { format!("{count} Snapshots") },
            dollars_a_month(sizes * price_per_gb)
        ),
    });
    let heirs = heirs.iter().filter(|_| count > 0).map(|heir| Choice::new(&label(heir), "", heir.id));
    let menu = Menu::new(Press::HandOver(buttons.id), "Or hand them over and remove it…", heirs);
    if menu.is_some() {
        lines.push("Another schedule of this Droplet can take them over and keep them by its rules.".to_owned());
    }
    let asked =
        question(format!("Remove the schedule of {droplet}?"), &lines, ("Remove".to_owned(), Style::Danger), buttons);
    Message { menus: menu.into_iter().collect(), ..asked }
}

fn question(title: String, lines: &[String], (label, style): (String, Style), buttons: Buttons) -> Message {
    Message {
        embeds: vec![Embed { title, description: lines.join("\n"), footer: String::new(), colour: Colour::Asking }],
        buttons: vec![
            Button::new(label, style, Press::Schedule(buttons.id)),
            Button::new("Never mind", Style::Secondary, Press::Decline(buttons.id)),
        ],
        ..Message::default()
    }
}
