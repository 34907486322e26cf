//! The questions before something is lost. Each names its subject, what will be lost, what is kept, and the cost.

use jiff::{SignedDuration, Timestamp};

use super::{
    Wording, lengths,
    message::{Button, Colour, Embed, Message, Style},
    pins,
    text::{name, shorten},
    units::{about, ago, gigabytes, guess, moment, monthly, roughly},
};
use crate::{
    discord::press::Press,
    inventory::Snapshot,
    operation::{Target, ids::UserId, kinds::Safety, warning::Warn},
    store::{ConfirmationId, Pin},
};

/// What the two buttons of a question carry, and until when they work.
#[derive(Clone, Copy, Debug)]
pub struct Buttons {
    /// The question.
    pub id: ConfirmationId,
    /// The moment from which it is too late.
    pub expires_at: Timestamp,
}

/// A requested restore.
#[derive(Clone, Debug)]
pub struct Restoring<'a> {
    /// The Droplet whose disk is overwritten.
    pub target: &'a Target,
    /// The Snapshot or backup to put back.
    pub snapshot: &'a Snapshot,
    /// Whether DigitalOcean took it on its own, while the Droplet ran.
    pub is_backup: bool,
    /// Who took it, if the bot did.
    pub taken_by: Option<UserId>,
    /// Whether the present disk is saved first.
    pub safety: Safety,
    /// Whether it undoes an earlier restore.
    pub is_undo: bool,
    /// Whether the Droplet is on now.
    pub is_on: bool,
    /// The expected downtime, if the history tells.
    pub downtime: Option<SignedDuration>,
    /// How many Volumes the Droplet has. They stay as they are.
    pub volumes: usize,
    /// When a backup may begin in the meantime.
    pub backups: Backups,
    /// Who is warned before the Droplet goes down.
    pub warned: Warned,
    /// Whether the disk is unchanged since an earlier question, if there was one.
    pub disk: Disk,
}

/// Whether a disk is unchanged since an earlier question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disk {
    /// It is unchanged, or this is the first question.
    AsShown,
    /// The Droplet was restored or rebuilt since.
    Rewritten,
}

/// Who is warned before a Droplet goes down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Warned {
    /// Nobody is warned.
    Nobody,
    /// Nobody is warned this time, although the first attempt warned people.
    NotAgain,
    /// People in this channel are warned.
    First(Warn),
}

/// When a Droplet's next backup may begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backups {
    /// Not within the duration of a restore, as far as is known.
    Later,
    /// From this moment on, which is near.
    Soon(Timestamp),
    /// At any moment.
    Open,
}

/// Asks whether to put this Snapshot back.
pub fn restore(asked: &Restoring<'_>, wording: &Wording, buttons: Buttons) -> Message {
    let droplet = name(&asked.target.name);
    let snapshot = asked.snapshot;
    let title = if asked.is_undo {
        format!("Undo the restore of {droplet}?")
    } else {
        format!("Restore {droplet} from {}?", name(&snapshot.name))
    };
    let taken = asked
        .is_backup
        .then(|| format!("It is a Backup, taken while {droplet} ran: files open at that moment may be incomplete."));
    let warned = match asked.warned {
        Warned::First(warn) if asked.is_on => {
            Some(format!("I'll warn <#{}> {} min before {droplet} goes down.", warn.channel, warn.minutes))
        }
        Warned::First(_) | Warned::Nobody => None,
        Warned::NotAgain => Some(NOBODY_IS_WARNED.to_owned()),
    };
    let window = match asked.backups {
        Backups::Later => None,
        Backups::Soon(at) => {
            Some(format!("Its backup window opens {}: if a backup begins first, I'll wait for it.", ago(at)))
        }
        Backups::Open => Some("Its backup window is open: if a backup begins first, I'll wait for it.".to_owned()),
    };
    let rewritten = match asked.disk {
        Disk::AsShown => None,
        Disk::Rewritten => Some(format!("⚠️ {droplet} was restored or rebuilt after I asked you, so I ask again.")),
    };
    let lost = format!("**You lose:** everything that changed on the disk of {droplet} since{}.", since(snapshot));
    let lines = vec![
        joined([Some(described(snapshot, asked.taken_by)), taken]),
        joined([rewritten, Some(lost), volumes(asked.volumes)]),
        kept(asked, wording),
        joined([Some(format!("**Power:** {}", power(asked))), warned, window]),
    ];
    question(&title, lines, yes(if asked.is_undo { "Undo" } else { "Restore" }, Style::Danger, buttons), buttons)
}

/// For a retry of an operation that warned people the first time.
const NOBODY_IS_WARNED: &str = "Nobody is warned this time.";

/// Joins the parts that exist to one line.
fn joined<const N: usize>(parts: [Option<String>; N]) -> String {
    parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

/// A take that a person began with a button.
#[derive(Clone, Debug)]
pub struct Taking<'a> {
    /// The Droplet.
    pub target: &'a Target,
    /// Whether it is on now.
    pub is_on: bool,
    /// The expected downtime, if the history tells.
    pub downtime: Option<SignedDuration>,
    /// Whether it retries an operation that warned people, who are not warned this time.
    pub is_unwarned: bool,
}

/// Asks whether to take a Snapshot now, and how.
pub fn take(asked: &Taking<'_>, buttons: Buttons) -> Message {
    let title = format!("Take a Snapshot of {} now?", name(&asked.target.name));
    let take = Press::Take { id: buttons.id, is_live: false };
    let take_live = Press::Take { id: buttons.id, is_live: true };
    if !asked.is_on {
        let lines = vec!["It is off and stays off.".to_owned()];
        return question(&title, lines, Button::new("Take it", Style::Primary, take), buttons);
    }
    let offline = asked.downtime.map_or_else(
        || format!("offline until it is done, {}", guess(asked.target.disk_gb)),
        |expected| format!("offline ≈ {}", roughly(expected)),
    );
    let unwarned = asked.is_unwarned.then(|| NOBODY_IS_WARNED.to_owned());
    let lines = vec![
        joined([Some(format!("**Shut down and take:** {offline}, then I power it back on.")), unwarned]),
        "**Keep running:** no downtime, but files open at that moment may be incomplete.".to_owned(),
    ];
    let mut message = question(&title, lines, Button::new("Shut down and take", Style::Primary, take), buttons);
    message.buttons.insert(1, Button::new("Keep running", Style::Secondary, take_live));
    message
}

/// Asks whether to restart this Droplet.
pub fn restart(target: &Target, buttons: Buttons) -> Message {
    let droplet = name(&target.name);
    let lines = vec![
        "It got the shutdown but never turned off, so some of its services may be stopped. A restart brings them back.".to_owned(),
        "**You lose:** what they have not written to disk. Restarting is like pulling the plug and plugging it in again.".to_owned(),
    ];
    question(&format!("Restart {droplet}?"), lines, yes("Restart", Style::Danger, buttons), buttons)
}

/// A requested deletion.
#[derive(Clone, Debug)]
pub struct Deleting<'a> {
    /// The Snapshot to delete.
    pub snapshot: &'a Snapshot,
    /// Who took it, if the bot did.
    pub taken_by: Option<UserId>,
    /// The Droplet that it was taken of, if that still exists.
    pub droplet: Option<&'a str>,
    /// How many Snapshots that Droplet has, this one included; `None` if the Droplet is unknown.
    pub siblings: Option<usize>,
    /// Until when an Undo needs it.
    pub undo_until: Option<Timestamp>,
    /// Its pin, with who wants it kept.
    pub pin: Option<&'a Pin>,
}

/// Asks whether to delete this Snapshot.
pub fn delete(asked: &Deleting<'_>, wording: &Wording, buttons: Buttons) -> Message {
    let snapshot = asked.snapshot;
    let from = match asked.droplet {
        Some(droplet) => format!("From {}.", name(droplet)),
        None => "Its Droplet is gone, so this may be all that is left of it.".to_owned(),
    };
    let lost = "**You lose:** the Snapshot, for good and in every region. DigitalOcean can't bring it back.";
    let mut lines = vec![format!("{} {from}", described(snapshot, asked.taken_by)), lost.to_owned()];
    lines.extend(known(snapshot).map(|size| format!("**You save:** {}.", monthly(size, wording.price_per_gb))));
    if let Some(until) = asked.undo_until {
        lines.push(format!(
            "⚠️ **It is the safety Snapshot of a restore**, which can be undone until {} with it, and not without.",
            moment(until)
        ));
    }
    if let Some(pin) = asked.pin {
        lines.push(format!("⚠️ **It is pinned** {}", pins::because(pin)));
    }
    match (asked.siblings, asked.droplet) {
        (Some(0 | 1), Some(droplet)) => {
            lines.push(format!(
                "⚠️ **It is the last Snapshot of {}.** After this there is none to go back to.",
                name(droplet)
            ));
        }
        (Some(0 | 1), None) => lines.push("⚠️ **It is the last Snapshot of its Droplet.**".to_owned()),
        (Some(_) | None, _) => {}
    }
    question(
        &format!("Delete {} for good?", name(&snapshot.name)),
        lines,
        yes("Delete", Style::Danger, buttons),
        buttons,
    )
}

/// ``Snapshot `golden`, taken 3 days ago by @ada, 12.4 GB``
pub(super) fn described(snapshot: &Snapshot, taken_by: Option<UserId>) -> String {
    let when = snapshot.created_at.map(|at| format!(" {}", ago(at)));
    let by = taken_by.map(|by| format!(" by <@{by}>"));
    let taken = match (when, by) {
        (None, None) => String::new(),
        (when, by) => format!(", taken{}{}", when.unwrap_or_default(), by.unwrap_or_default()),
    };
    let size = known(snapshot).map(|size| format!(", {}", gigabytes(size))).unwrap_or_default();
    format!("Snapshot {}{taken}{size}.", name(&snapshot.name))
}

fn since(snapshot: &Snapshot) -> String {
    snapshot.created_at.map_or_else(|| " it was taken".to_owned(), |at| format!(" {}", moment(at)))
}

fn kept(asked: &Restoring<'_>, wording: &Wording) -> String {
    match asked.safety {
        Safety::Snapshot => {
            let cost = known(asked.snapshot).map(|size| format!(" (≈ {})", monthly(size, wording.price_per_gb)));
            format!(
                "**Backup first:** today's disk is saved as a safety Snapshot{}. If that fails, nothing is restored. You can undo \
                 for 24 h.",
                cost.unwrap_or_default()
            )
        }
        Safety::None => {
            "**No backup:** today's disk is gone for good, even if the restore fails. This can't be undone.".to_owned()
        }
    }
}

fn power(asked: &Restoring<'_>) -> String {
    let droplet = name(&asked.target.name);
    match (asked.is_on, asked.downtime) {
        (true, Some(expected)) => {
            format!("I shut {droplet} down and power it back on: offline for {}.", about(expected))
        }
        (true, None) => {
            format!(
                "I shut {droplet} down and power it back on: offline until it is done, {}.",
                guess(asked.target.disk_gb)
            )
        }
        (false, _) => format!("{droplet} is off and stays off."),
    }
}

fn volumes(count: usize) -> Option<String> {
    match count {
        0 => None,
        1 => Some("Its Volume isn't part of any Snapshot and stays as it is.".to_owned()),
        count => Some(format!("Its {count} Volumes aren't part of any Snapshot and stay as they are.")),
    }
}

pub(super) fn known(snapshot: &Snapshot) -> Option<f64> {
    snapshot.size_gigabytes.filter(|size| size.is_finite() && *size > 0.0)
}

/// Confirms. It is red where something is lost or interrupted.
pub(super) fn yes(label: &'static str, style: Style, buttons: Buttons) -> Button {
    Button::new(label, style, Press::Confirm(buttons.id))
}

/// A question with its confirming button, *Never mind*, and its deadline.
pub(super) fn question(title: &str, mut lines: Vec<String>, yes: Button, buttons: Buttons) -> Message {
    lines.push(format!("-# Only you can answer. Nothing has been done yet; this closes {}.", ago(buttons.expires_at)));
    Message {
        embeds: vec![Embed {
            title: shorten(title, lengths::TITLE),
            description: lines.join("\n"),
            footer: String::new(),
            colour: Colour::Asking,
        }],
        buttons: vec![yes, Button::new("Never mind", Style::Secondary, Press::Decline(buttons.id))],
        ..Message::default()
    }
}
