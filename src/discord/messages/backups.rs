//! Messages about DigitalOcean's own Backups of a Droplet: the overview with costs, the questions before a change, the choices, and the
//! refusals.

use jiff::{SignedDuration, Timestamp};

use super::{
    Wording,
    choice::keyed,
    confirm::{Buttons, known, question, yes},
    lengths,
    message::{Button, Colour, Embed, Message, Style},
    text::{name, plain, quote, shorten},
    units::{ago, clock, cost, dollars_a_month, gigabytes, moment, monthly},
};
use crate::{
    discord::press::Press,
    inventory::{BackedUp, Droplet, Snapshot, SupportedPolicy},
    operation::effect::BackupPolicy,
};

/// How many Backups are listed. DigitalOcean keeps seven daily ones.
const LISTED: usize = 15;
/// The seconds of a day.
const DAY: i64 = 24 * 3_600;
/// How long a Backup window is open at DigitalOcean.
const WINDOW: SignedDuration = SignedDuration::from_hours(4);

/// Why Backups are not changed as requested.
#[derive(Clone, Debug, PartialEq)]
pub enum BackupsRefusal {
    /// Backups are already on.
    On {
        /// The Droplet's name.
        droplet: String,
    },
    /// Backups are off.
    Off {
        /// The Droplet's name.
        droplet: String,
    },
    /// The policy is already as requested.
    Same {
        /// The Droplet's name.
        droplet: String,
    },
    /// DigitalOcean has no such plan.
    NoPlan {
        /// What was typed.
        text: String,
        /// The available plans.
        plans: Vec<String>,
    },
    /// The plan does not run on that day.
    NoDay {
        /// What was typed.
        text: String,
        /// The days to choose from; empty if the plan runs every day.
        days: Vec<String>,
    },
    /// No window begins at that hour.
    NoHour {
        /// What was typed.
        text: String,
        /// The hours at which a window begins.
        hours: Vec<u64>,
    },
    /// Some of the Backups that would be deleted cannot be read.
    NotAll {
        /// The Droplet's name.
        droplet: String,
    },
    /// The Droplet has no such Backup.
    NoBackup {
        /// What was typed.
        text: String,
        /// The Droplet's name.
        droplet: String,
        /// How many it has.
        count: usize,
    },
}

impl BackupsRefusal {
    /// The text of the refusal.
    pub fn words(&self) -> String {
        match self {
            Self::On { droplet } => format!(
                "DigitalOcean already backs up {}. `/backups show` shows when, and `/backups change` changes that.",
                name(droplet)
            ),
            Self::Off { droplet } => {
                format!("DigitalOcean doesn't back {} up. `/backups enable` turns that on.", name(droplet))
            }
            Self::Same { droplet } => {
                format!("Backups of {} are already set that way, so there is nothing to change.", name(droplet))
            }
            Self::NoPlan { text, plans } => {
                format!("DigitalOcean has no backup plan {}. Choose one of: {}.", quote(text), listed(plans))
            }
            Self::NoDay { text, days } if days.is_empty() => {
                format!("This plan runs every day, so leave the day ({}) out.", quote(text))
            }
            Self::NoDay { text, days } => {
                let days: Vec<_> = days.iter().map(|day| weekday(day)).collect();
                format!("This plan can't run on {}. Choose one of: {}.", quote(text), listed(&days))
            }
            Self::NoHour { text, hours } => {
                let hours: Vec<_> = hours.iter().map(u64::to_string).collect();
                format!("No backup window opens at {}. Windows (UTC) open at: {}.", quote(text), listed(&hours))
            }
            Self::NotAll { droplet } => format!(
                "I can't read all Backups of {}, so I can't list what you would lose, and changed nothing. Try again in a few minutes, \
                 or turn Backups off in DigitalOcean's control panel.",
                name(droplet)
            ),
            Self::NoBackup { droplet, count: 0, .. } => {
                format!("{} has no Backups. `/backups show` shows whether one is due.", name(droplet))
            }
            Self::NoBackup { text, droplet, .. } => format!(
                "{} has no Backup {}. Choose one from the list that appears while you type.",
                name(droplet),
                quote(text)
            ),
        }
    }
}

fn listed(items: &[String]) -> String {
    let shown: Vec<_> = items.iter().take(LISTED).map(|item| name(item)).collect();
    shown.join(", ")
}

/// When a policy runs, to follow a verb: `every Sunday between 20:00 and 00:00 UTC`.
pub fn when(policy: &BackupPolicy) -> String {
    let day = match (&policy.weekday, policy.plan.as_str()) {
        (Some(day), _) => format!("every {}", weekday(day)),
        (None, "daily") => "every day".to_owned(),
        (None, plan) => format!("by the plan {}", name(plan)),
    };
    format!("{day}, {}", window(u64::from(policy.hour)))
}

/// `between 20:00 and 00:00 UTC`.
fn window(hour: u64) -> String {
    format!("between {:02}:00 and {:02}:00 UTC", hour % 24, (hour + 4) % 24)
}

/// The same window in the reader's own time zone, near this moment.
fn local(hour: u64, near: Timestamp) -> String {
    let midnight = near.as_second().div_euclid(DAY) * DAY;
    let opens = i64::try_from(hour % 24).ok().and_then(|hour| Timestamp::from_second(midnight + hour * 3_600).ok());
    opens.map_or_else(String::new, |opens| {
        format!(" ({} to {} for you)", clock(opens), clock(opens.saturating_add(WINDOW).unwrap_or(opens)))
    })
}

fn weekday(day: &str) -> String {
    match day {
        "SUN" => "Sunday",
        "MON" => "Monday",
        "TUE" => "Tuesday",
        "WED" => "Wednesday",
        "THU" => "Thursday",
        "FRI" => "Friday",
        "SAT" => "Saturday",
        other => return plain(other, 20),
    }
    .to_owned()
}

/// The price of a plan in dollars a month. DigitalOcean charges a share of the Droplet's price. `None` if either is unknown.
pub fn price(plan: &str, droplet: &Droplet) -> Option<f64> {
    let share = match plan {
        "weekly" => 0.2,
        "daily" => 0.3,
        _ => return None,
    };
    droplet.price_monthly.map(|price| price * share)
}

/// The price of a plan as text.
fn priced(plan: &str, droplet: &Droplet) -> String {
    price(plan, droplet).map_or_else(|| "at a price that DigitalOcean doesn't say here".to_owned(), dollars_a_month)
}

/// How a Droplet is backed up, its Backups, and what they cost besides Snapshots.
pub fn show(found: &BackedUp, plans: &[SupportedPolicy], wording: &Wording) -> Message {
    let mut lines = vec![state(found)];
    if let Some(window) = found.record.next_window.or(found.droplet.next_backup_window).filter(|_| found.record.enabled)
    {
        lines.push(format!(
            "**Next:** between {} and {} ({} UTC), {}.",
            moment(window.start),
            clock(window.end),
            window.start.strftime("%a %H:%M"),
            ago(window.start)
        ));
    }
    lines.push(String::new());
    lines.extend(images(&found.backups));
    if !found.are_all {
        lines.push("⚠️ There are more, which I can't read.".to_owned());
    }
    lines.push(String::new());
    lines.push(compared(found, plans, wording));
    Message {
        embeds: vec![Embed {
            title: shorten(&format!("DigitalOcean's Backups of {}", name(&found.droplet.name)), lengths::TITLE),
            description: lines.join("\n"),
            footer: "Backups are taken while the Droplet runs, and DigitalOcean deletes them when they are turned off or the \
                     Droplet is destroyed"
                .to_owned(),
            colour: Colour::Working,
        }],
        ..Message::default()
    }
}

fn state(found: &BackedUp) -> String {
    let droplet = name(&found.droplet.name);
    match &found.record.policy {
        _ if !found.record.enabled => {
            format!("⏭️ **Off:** DigitalOcean doesn't back {droplet} up. `/backups enable` turns that on.")
        }
        None => format!("✅ **On:** DigitalOcean backs {droplet} up and doesn't say when."),
        Some(policy) => {
            let day = match (&policy.weekday, policy.plan.as_str()) {
                (Some(day), _) => format!("every {}", weekday(day)),
                (None, "daily") => "every day".to_owned(),
                (None, plan) => format!("by the plan {}", name(plan)),
            };
            let hours = policy.hour.map(|hour| format!(", {}", window(hour))).unwrap_or_default();
            let kept = policy.retention_days.map(|days| format!(", keeps each for {days} days")).unwrap_or_default();
            format!("✅ **On:** {day}{hours}{kept}, {}.", priced(&policy.plan, &found.droplet))
        }
    }
}

/// The Backups, one line each.
fn images(backups: &[Snapshot]) -> Vec<String> {
    if backups.is_empty() {
        return vec!["There are no Backups yet.".to_owned()];
    }
    let mut lines: Vec<_> = backups.iter().take(LISTED).map(line).collect();
    if let Some(more) = backups.len().checked_sub(LISTED).filter(|more| *more > 0) {
        lines.push(format!("…and {more} more"));
    }
    lines
}

fn line(backup: &Snapshot) -> String {
    let when = backup.created_at.map(|at| format!(" · {} ({})", moment(at), ago(at))).unwrap_or_default();
    let size = known(backup).map(|size| format!(" · {}", gigabytes(size))).unwrap_or_default();
    format!("• {}{when}{size}", name(&backup.name))
}

/// The cost of each plan, compared with Snapshots of the same size.
fn compared(found: &BackedUp, plans: &[SupportedPolicy], wording: &Wording) -> String {
    let prices = plans.iter().filter_map(|plan| {
        let price = price(&plan.plan, &found.droplet)?;
        let kept = plan.retention_days.map(|days| format!(" (kept {days} days)")).unwrap_or_default();
        Some(format!("{}{kept}: {}", plain(&plan.plan, 40), dollars_a_month(price)))
    });
    let mut parts: Vec<String> = prices.collect();
    let newest = found.backups.iter().find_map(known);
    match (newest, found.droplet.disk_gb) {
        (Some(size), _) => {
            parts.push(format!("one Snapshot of that size: {}", monthly(size, wording.price_per_gb)));
            parts.push(format!("seven: {}", dollars_a_month(7.0 * cost(size, wording.price_per_gb))));
        }
        (None, Some(disk)) => parts.push(format!(
            "one Snapshot: at most {}",
            // A disk's size in gigabytes is small enough for an exact float.
            monthly(f64::from(u32::try_from(disk).unwrap_or(u32::MAX)), wording.price_per_gb)
        )),
        (None, None) => {}
    }
    format!("**Prices (estimate):** {}", parts.join(" · "))
}

/// Asks whether to turn on Backups of this Droplet, or to change when they run.
pub fn set(droplet: &Droplet, before: Option<&str>, wanted: &BackupPolicy, buttons: Buttons) -> Message {
    let of = name(&droplet.name);
    let price = priced(&wanted.plan, droplet);
    let (title, label, cost) = match before {
        None => (format!("Turn on DigitalOcean's Backups of {of}?"), "Enable", format!("**It costs:** {price}.")),
        Some(before) => (
            format!("Change DigitalOcean's Backups of {of}?"),
            "Change",
            format!("**It costs:** {price}; until now {}.", priced(before, droplet)),
        ),
    };
    let lines = vec![
        format!(
            "DigitalOcean will back {of} up {}{}, while it runs.",
            when(wanted),
            local(u64::from(wanted.hour), buttons.expires_at)
        ),
        cost,
        "Backups stay in one region; turning them off or destroying the Droplet deletes them all.".to_owned(),
    ];
    question(&title, lines, yes(label, Style::Primary, buttons), buttons)
}

/// Asks whether to turn off Backups of this Droplet, or to keep one of them first. The second pair of buttons keeps the newest.
pub fn disable(
    found: &BackedUp,
    keep: Option<&Snapshot>,
    wording: &Wording,
    asked: (Buttons, Option<Buttons>),
) -> Message {
    let (buttons, keeping) = asked;
    let of = name(&found.droplet.name);
    let mut lines = Vec::new();
    let lost: Vec<Snapshot> =
        found.backups.iter().filter(|backup| keep.is_none_or(|keep| keep.id != backup.id)).cloned().collect();
    if lost.is_empty() {
        lines.push("**You lose:** no Backup.".to_owned());
    } else {
        lines.push("**You lose,** for good:".to_owned());
        lines.extend(images(&lost));
    }
    if let Some(keep) = keep {
        lines.push(format!("**Kept first:** {}, as a Snapshot{}.", name(&keep.name), price_of(keep, wording)));
    }
    let plan = found.record.policy.as_ref().map(|policy| policy.plan.as_str()).unwrap_or_default();
    if let Some(price) = price(plan, &found.droplet) {
        lines.push(format!("**You save:** {}.", dollars_a_month(price)));
    }
    if let (None, Some(newest), Some(_)) = (keep, found.backups.first(), keeping) {
        lines.push(format!(
            "To keep one, press **Keep the newest** ({}{}) or name another with `keep`.",
            name(&newest.name),
            price_of(newest, wording)
        ));
    }
    lines.push("If there is another Backup by the time it is done, I stop and you are asked again.".to_owned());
    let mut message = question(
        &format!("Turn off DigitalOcean's Backups of {of}?"),
        lines,
        yes("Turn off", Style::Danger, buttons),
        buttons,
    );
    if let Some(keeping) = keeping {
        let keep = Button::new("Keep the newest", Style::Primary, Press::Confirm(keeping.id));
        message.buttons.insert(1, keep);
    }
    message
}

fn price_of(backup: &Snapshot, wording: &Wording) -> String {
    known(backup).map(|size| format!(", {}", monthly(size, wording.price_per_gb))).unwrap_or_default()
}

/// Asks whether to convert this Backup to a Snapshot.
pub fn keep(droplet: &Droplet, backup: &Snapshot, wording: &Wording, buttons: Buttons) -> Message {
    let price = known(backup).map_or_else(
        || "by its size, which DigitalOcean doesn't say yet".to_owned(),
        |size| monthly(size, wording.price_per_gb),
    );
    let lines = vec![
        line(backup),
        "It leaves DigitalOcean's rotation and becomes a Snapshot, which stays until somebody deletes it.".to_owned(),
        format!("**It costs:** {price}."),
    ];
    question(
        &format!("Keep a Backup of {}?", name(&droplet.name)),
        lines,
        yes("Keep", Style::Primary, buttons),
        buttons,
    )
}

/// A plan as a choice: `weekly · kept 28 days · $1.20 a month`.
pub fn plan(plan: &SupportedPolicy, droplet: Option<&Droplet>) -> String {
    let kept = plan.retention_days.map(|days| format!("kept {days} days"));
    let price = droplet.and_then(|droplet| price(&plan.plan, droplet)).map(dollars_a_month);
    let said: Vec<String> = kept.into_iter().chain(price).collect();
    keyed(&said.join(" · "), &plan.plan)
}

/// A day as a choice: `Sunday · SUN`.
pub fn day(day: &str) -> String {
    keyed(&weekday(day), day)
}

/// An hour as a choice: `between 20:00 and 00:00 UTC · 20`.
pub fn hour(hour: u64) -> String {
    keyed(&window(hour), &hour.to_string())
}

#[cfg(test)]
mod tests;
