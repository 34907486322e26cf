//! Refusals: expected, kind, seen by one person only. Each says what, why, and what to do next.

use jiff::Timestamp;

use super::{
    backups::BackupsRefusal,
    failure,
    kinds::words,
    message::{Button, Style},
    schedule::ScheduleRefusal,
    text::{name, quote},
    units::{ago, link},
    warning::WarningRefusal,
};
use crate::{
    access::{Denial, Right},
    discord::press::{Act, Press},
    operation::{
        ids::{ChannelId, GuildId, MessageId, OperationId, SnapshotId, UserId},
        kinds::Kind,
    },
};

/// Why a person does not get what they asked for. Closed: there is no variant that holds any text.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(test, derive(strum::EnumDiscriminants), strum_discriminants(name(RefusalKind), derive(strum::VariantArray)))]
pub enum Refusal {
    /// They may not.
    Denied(Denial),
    /// There is no such schedule, or it cannot be.
    Schedule(ScheduleRefusal),
    /// DigitalOcean's own Backups are not changed as somebody wants.
    Backups(BackupsRefusal),
    /// Nobody can be warned as it was asked for.
    Warning(WarningRefusal),
    /// What they typed is no Droplet of ours.
    UnknownDroplet {
        /// What was typed.
        text: String,
        /// The nearest names, best first.
        nearest: Vec<String>,
    },
    /// Several Droplets have this name.
    AmbiguousDroplet {
        /// The name.
        text: String,
        /// How they differ.
        labels: Vec<String>,
    },
    /// The Droplet lacks the tag that lets us touch it.
    UntaggedDroplet {
        /// Its name.
        name: String,
        /// The tag.
        tag: String,
    },
    /// DigitalOcean could not be asked about the Droplet.
    DigitalOceanDown,
    /// DigitalOcean refuses the token.
    DigitalOceanTokenRefused,
    /// DigitalOcean does not allow this.
    DigitalOceanForbids {
        /// The scopes that the token may lack.
        scopes: String,
        /// DigitalOcean's words.
        message: String,
    },
    /// This process runs on the Droplet that it would have to shut down.
    OwnDroplet {
        /// Its name.
        droplet: String,
        /// Whether the same could be done with the Droplet running.
        may_take_live: bool,
    },
    /// Another operation runs on the Droplet.
    Busy {
        /// The Droplet's name.
        droplet: String,
        /// By what.
        by: Occupant,
    },
    /// What was offered once is not there any more.
    DropletGone,
    /// The same for a Snapshot.
    SnapshotGone,
    /// What they typed is no Snapshot that there is.
    UnknownSnapshot {
        /// What was typed.
        text: String,
        /// The Droplet whose Snapshots were looked through, if it was to be one of those.
        droplet: Option<String>,
        /// The nearest names, best first.
        nearest: Vec<String>,
    },
    /// Several Snapshots have this name.
    AmbiguousSnapshot {
        /// The name.
        text: String,
        /// How they differ.
        labels: Vec<String>,
    },
    /// The Snapshot is another Droplet's.
    ForeignSnapshot {
        /// The Snapshot's name.
        snapshot: String,
        /// The Droplet that was to get it.
        droplet: String,
    },
    /// The Droplet's disk is smaller than the one that the Snapshot was taken of.
    DiskTooSmall {
        /// The Droplet's name.
        droplet: String,
        /// Its disk in GB.
        disk: u64,
        /// The Snapshot's name.
        snapshot: String,
        /// The disk in GB that it needs.
        needed: u64,
    },
    /// The Snapshot is not where the new Droplet shall be.
    NotInRegion {
        /// The Snapshot's name.
        snapshot: String,
        /// Where it would have to be.
        region: String,
        /// Where it is.
        regions: Vec<String>,
    },
    /// The Snapshot is not where the Droplet is that was to get it back.
    NotWithDroplet {
        /// The Snapshot's name.
        snapshot: String,
        /// The Droplet's.
        droplet: String,
        /// Where the Droplet is.
        region: String,
        /// Where the Snapshot is.
        regions: Vec<String>,
    },
    /// DigitalOcean has locked the Droplet.
    Locked {
        /// The Droplet's name.
        droplet: String,
    },
    /// The Droplet is on already.
    AlreadyOn {
        /// The Droplet's name.
        droplet: String,
    },
    /// The Droplet is off, so it cannot be restarted.
    NotOn {
        /// The Droplet's name.
        droplet: String,
    },
    /// The Droplet is still being made.
    StillNew {
        /// The Droplet's name.
        droplet: String,
    },
    /// The Droplet is neither on nor off.
    Unusable {
        /// The Droplet's name.
        droplet: String,
        /// DigitalOcean's word for its state.
        status: String,
    },
    /// Another operation uses the Snapshot.
    SnapshotInUse {
        /// By what.
        by: Occupant,
    },
    /// The name cannot be a Droplet's.
    BadDropletName,
    /// It is not known where the Snapshot is.
    NoRegion {
        /// The Snapshot's name.
        snapshot: String,
    },
    /// There is no size with enough disk where the Snapshot is.
    NoSize {
        /// The disk in GB that is needed.
        needed: u64,
    },
    /// The size's disk is too small for the Snapshot.
    SizeTooSmall {
        /// The size.
        size: String,
        /// Its disk in GB.
        disk: u64,
        /// The disk in GB that is needed.
        needed: u64,
        /// The cheapest that would do.
        suggestions: Vec<String>,
    },
    /// The size has a GPU.
    GpuSize {
        /// The size.
        size: String,
        /// The cheapest that would do.
        suggestions: Vec<String>,
    },
    /// There is no such size, or not there.
    UnknownSize {
        /// What was typed.
        text: String,
        /// The cheapest that would do.
        suggestions: Vec<String>,
    },
    /// The account has no such SSH key.
    UnknownSshKey {
        /// What was typed.
        text: String,
    },
    /// The question was open for too long.
    QuestionExpired,
    /// The question has been answered.
    QuestionAnswered,
    /// Somebody else was asked.
    NotYourQuestion,
    /// There is no safety Snapshot to go back to.
    NothingToUndo,
    /// The Droplet that was restored does not exist any more.
    NothingToUndoOn {
        /// The safety Snapshot.
        snapshot: String,
    },
    /// It can be undone by a press no more.
    UndoOver {
        /// The safety Snapshot.
        snapshot: String,
    },
    /// The bot may not post where it was asked.
    CannotPost {
        /// The rights that it lacks there, in Discord's words.
        missing: Vec<&'static str>,
    },
    /// The thread takes no messages from the bot.
    ThreadLocked,
    /// The bot is about to stop.
    Draining,
    /// Another copy of the bot is at work.
    Standby,
    /// The name cannot be a Snapshot's.
    BadSnapshotName(BadName),
    /// No such operation.
    UnknownOperation {
        /// What was typed.
        text: String,
    },
    /// Nothing that runs is called so.
    NothingRunsOn {
        /// What was typed.
        text: String,
        /// What runs, by the Droplets' names.
        running: Vec<String>,
    },
    /// Several operations run on what is called so.
    AmbiguousOperation {
        /// The name.
        text: String,
        /// How they differ.
        labels: Vec<String>,
    },
    /// The operation has ended.
    AlreadyEnded(OperationId),
    /// The question is not open any more, or the moment has passed.
    TooLate {
        /// Of which operation.
        operation: OperationId,
        /// Where its progress is.
        progress: Option<(GuildId, ChannelId, MessageId)>,
    },
    /// The operation is somebody else's, and their right is not enough for that.
    NotYours(Denial),
    /// The person said more in a few seconds than is heard.
    TooFast,
    /// As many operations of theirs run as may run at the same time.
    TooManyRunning {
        /// How many that is.
        most: usize,
    },
    /// The Droplet's last take was a moment ago.
    TakenLately {
        /// Its name.
        droplet: String,
        /// When the next one may begin.
        until: Timestamp,
    },
    /// The Snapshot was deleted, by us.
    SnapshotDeleted {
        /// Who asked for that.
        by: UserId,
        /// When it was done.
        at: Timestamp,
    },
    /// The Droplet that the Snapshot was taken of does not exist any more.
    SourceGone {
        /// The Snapshot's name.
        snapshot: String,
        /// The Snapshot.
        id: SnapshotId,
    },
    /// Somebody has tried again already.
    TriedAgain {
        /// What they began.
        by: Occupant,
    },
    /// The failure is too long ago to be tried again by a press.
    RetryOver,
    /// Nothing was chosen that there is.
    NothingChosen,
    /// The button is none of ours, or an old one.
    UnknownButton,
    /// The command is not one of ours, or an old one.
    UnknownCommand,
}

/// What keeps something busy, as far as who asks may know.
#[derive(Clone, Debug, PartialEq)]
pub enum Occupant {
    /// An operation of the same server.
    Here {
        /// Which.
        operation: OperationId,
        /// Where its progress is.
        progress: Option<(GuildId, ChannelId, MessageId)>,
        /// Whether who asks may cancel it, and it can still be cancelled.
        may_cancel: bool,
    },
    /// An operation of another server, where neither its channel nor who asked for it is anybody's business here.
    Elsewhere {
        /// What it does.
        kind: Box<Kind>,
        /// Which it is, for who may cancel it from here.
        may_cancel: Option<OperationId>,
    },
}

/// What is wrong with a Snapshot's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadName {
    /// Nothing but space.
    Empty,
    /// Longer than we take.
    TooLong,
    /// Holds characters that cannot be seen.
    Invisible,
    /// Looks like a safety Snapshot's.
    Safety,
}

/// The longest name that a person may give a Snapshot.
pub const LONGEST_SNAPSHOT_NAME: usize = 100;

// What says the same every time.
const QUESTION_EXPIRED: &str =
    "This question was open for two minutes and has closed. Nothing was done; use the command again.";
const QUESTION_ANSWERED: &str = "This question is answered already. `/snapshot status` shows what came of it.";
const NOTHING_TO_UNDO: &str =
    "There is no safety Snapshot to go back to. `/snapshot restore` lists what can be put back.";
const STANDBY: &str =
    "I'm only standing by, and another copy of me is at work. Nothing was started; try again in a minute.";
const RETRY_OVER: &str =
    "This failed more than a day ago, so the button is closed. Use the command again if you still want it.";
const UNKNOWN_BUTTON: &str =
    "This button is from an older version and does nothing any more. `/snapshot status` shows what runs.";
const UNKNOWN_COMMAND: &str =
    "This command has changed. Reload Discord, then try again; `/snapshot help` lists what there is.";
const DROPLET_GONE: &str =
    "This Droplet does not exist any more. Choose one from the list that appears while you type.";
const SNAPSHOT_GONE: &str = "This Snapshot does not exist any more. `/snapshot list` shows what there is.";
const DIGITALOCEAN_DOWN: &str = "DigitalOcean isn't responding, so nothing was started. Try again in a minute.";

impl Refusal {
    /// The words.
    pub fn words(&self) -> String {
        match self {
            Self::Denied(denial) => denied(denial),
            Self::Backups(refusal) => refusal.words(),
            Self::Warning(refusal) => refusal.words(),
            Self::UnknownDroplet { text, nearest } => unknown_droplet(text, nearest),
            Self::AmbiguousDroplet { text, labels } => ambiguous("Droplets are called", text, labels),
            Self::UntaggedDroplet { name, tag } => untagged(name, tag),
            Self::DigitalOceanDown => DIGITALOCEAN_DOWN.to_owned(),
            Self::DigitalOceanTokenRefused => {
                "DigitalOcean refuses my token. Nothing was done. Whoever runs me has to set a new \
                 `DIGITALOCEAN_TOKEN`."
                    .to_owned()
            }
            Self::DigitalOceanForbids { scopes, message } => {
                format!("{} Nothing was done. {}", failure::forbidden(scopes, message), failure::ASK_FOR_ACCESS)
            }
            Self::OwnDroplet { droplet, may_take_live } => own_droplet(droplet, *may_take_live),
            Self::Busy { droplet, by } => busy(droplet, by),
            Self::DropletGone => DROPLET_GONE.to_owned(),
            Self::SnapshotGone => SNAPSHOT_GONE.to_owned(),
            Self::UnknownSnapshot { text, droplet, nearest } => unknown_snapshot(text, droplet.as_deref(), nearest),
            Self::AmbiguousSnapshot { text, labels } => ambiguous("Snapshots are called", text, labels),
            Self::ForeignSnapshot { snapshot, droplet } => foreign(snapshot, droplet),
            Self::DiskTooSmall { droplet, disk, snapshot, needed } => disk_too_small(droplet, *disk, snapshot, *needed),
            Self::NotInRegion { snapshot, region, regions } => not_in_region(snapshot, region, regions),
            Self::NotWithDroplet { snapshot, droplet, region, regions } => {
                not_with_droplet(snapshot, droplet, region, regions)
            }
            Self::Locked { droplet } => locked(droplet),
            Self::AlreadyOn { droplet } => format!("{} is on already.", name(droplet)),
            Self::NotOn { droplet } => format!("{} is off, so there is nothing to restart.", name(droplet)),
            Self::StillNew { droplet } => still_new(droplet),
            Self::Unusable { droplet, status } => unusable(droplet, status),
            Self::SnapshotInUse { by } => in_use(by),
            Self::BadDropletName => bad_droplet_name(),
            Self::NoRegion { snapshot } => no_region(snapshot),
            Self::NoSize { needed } => format!(
                "DigitalOcean offers no size with a disk of {needed} GB there. Nothing was done; try another region."
            ),
            Self::SizeTooSmall { size, disk, needed, suggestions } => size_too_small(size, *disk, *needed, suggestions),
            Self::GpuSize { size, suggestions } => gpu_size(size, suggestions),
            Self::UnknownSize { text, suggestions } => {
                format!("Size {} isn't available in that region. {}", quote(text), suggested(suggestions))
            }
            Self::UnknownSshKey { text } => format!(
                "The account has no SSH key {}. Choose one from the list that appears while you type, or leave `ssh-key` out.",
                quote(text)
            ),
            Self::QuestionExpired => QUESTION_EXPIRED.to_owned(),
            Self::QuestionAnswered => QUESTION_ANSWERED.to_owned(),
            Self::NotYourQuestion => "Somebody else was asked this. Use the command yourself.".to_owned(),
            Self::NothingToUndo => NOTHING_TO_UNDO.to_owned(),
            Self::NothingToUndoOn { snapshot } => nothing_to_undo_on(snapshot),
            Self::UndoOver { snapshot } => undo_over(snapshot),
            Self::CannotPost { missing } => cannot_post(missing),
            Self::ThreadLocked => thread_locked(),
            Self::Draining => "I'm being restarted, so nothing was started. Try again in a minute.".to_owned(),
            Self::Standby => STANDBY.to_owned(),
            Self::BadSnapshotName(bad) => bad_name(*bad),
            Self::UnknownOperation { text } => {
                format!(
                    "There is no operation {}. `/snapshot status` lists what is running and what ended last.",
                    name(text)
                )
            }
            Self::NothingRunsOn { text, running } => nothing_runs(text, running),
            Self::AmbiguousOperation { text, labels } => ambiguous("operations run on", text, labels),
            Self::AlreadyEnded(operation) => {
                format!("Operation `{operation}` has ended already, so there is nothing left to do.")
            }
            Self::TooLate { operation, progress } => too_late(*operation, *progress),
            Self::NotYours(denial) => format!("Somebody else asked for this. {}", denied(denial)),
            Self::TooFast => too_fast(),
            Self::TooManyRunning { most } => too_many_running(*most),
            Self::TakenLately { droplet, until } => taken_lately(droplet, *until),
            Self::Schedule(refusal) => refusal.words(),
            Self::SnapshotDeleted { by, at } => {
                format!("This Snapshot was deleted by <@{by}> {}. `/snapshot list` shows what there is.", ago(*at))
            }
            Self::SourceGone { snapshot, .. } => source_gone(snapshot),
            Self::TriedAgain { by } => tried_again(by),
            Self::RetryOver => RETRY_OVER.to_owned(),
            Self::NothingChosen => "That is no longer there to choose. Open the menu again.".to_owned(),
            Self::UnknownButton => UNKNOWN_BUTTON.to_owned(),
            Self::UnknownCommand => UNKNOWN_COMMAND.to_owned(),
        }
    }
}

/// What can be pressed next under a refusal. Who reads it may press all of it.
pub fn buttons(refusal: &Refusal) -> Vec<Button> {
    match refusal {
        Refusal::Busy { by, .. } | Refusal::SnapshotInUse { by } | Refusal::TriedAgain { by } => ways_on(by),
        Refusal::SourceGone { id, .. } => vec![Button::new("Launch…", Style::Secondary, Press::Launch(*id))],
        _ => Vec::new(),
    }
}

/// *Go there* and *Cancel it*.
fn ways_on(by: &Occupant) -> Vec<Button> {
    let Occupant::Here { operation, progress, may_cancel } = by else { return Vec::new() };
    let there = progress.map(|(guild, channel, message)| Button::link("Go there", link(guild, channel, message)));
    let press = Press::Wish { act: Act::Cancel, operation: *operation };
    let cancel = may_cancel.then(|| Button::new("Cancel it", Style::Danger, press));
    there.into_iter().chain(cancel).collect()
}

fn source_gone(snapshot: &str) -> String {
    format!(
        "The Droplet that {} was taken of is gone, so there is nothing to restore. **Launch** makes a new Droplet from it.",
        name(snapshot)
    )
}

fn tried_again(by: &Occupant) -> String {
    match by {
        Occupant::Here { operation, progress, .. } => {
            format!("Somebody has tried again already: {}.", way(*operation, *progress))
        }
        Occupant::Elsewhere { .. } => "Somebody has tried again already.".to_owned(),
    }
}

fn bad_droplet_name() -> String {
    "A Droplet's name consists of letters from a to z, digits, dots and dashes, begins and ends with a letter or a \
                 digit, and has at most 255 characters. Choose another."
        .to_owned()
}

fn no_region(snapshot: &str) -> String {
    format!("DigitalOcean does not say where Snapshot {} is. Name a region with `region`.", name(snapshot))
}

fn cannot_post(missing: &[&str]) -> String {
    format!(
        "I can't post here: I lack {} in this channel. Nothing was done. Ask a server admin to grant \
                 that, or use another channel.",
        missing.iter().map(|right| format!("**{right}**")).collect::<Vec<_>>().join(" and ")
    )
}

fn untagged(droplet: &str, tag: &str) -> String {
    format!(
        "{} lacks the tag {}, and I touch no Droplet without it. Add the tag at DigitalOcean, then try again.",
        name(droplet),
        name(tag)
    )
}

/// Why somebody may not, and who could change that.
pub fn denied(denial: &Denial) -> String {
    match denial {
        Denial::NotInGuild => {
            "I work in a server's channels, not in direct messages. Use the command there.".to_owned()
        }
        Denial::ForeignGuild => {
            "I don't serve this server. Whoever runs me can add it to `DISCORD_GUILD_ID`.".to_owned()
        }
        Denial::MissingRole { right, roles } => {
            let roles: Vec<String> = roles.iter().take(10).map(|role| format!("<@&{role}>")).collect();
            format!("You need {} {} to {}. Ask a server admin.", one_of(&roles), roles.join(", "), doing(*right))
        }
        Denial::NobodyConfigured { right } => format!(
            "Only members with **Administrator** or **Manage Server** may {}, because no role is configured for it. Whoever runs \
             me can set `{}`.",
            doing(*right),
            variable(*right)
        ),
    }
}

fn one_of(roles: &[String]) -> &'static str {
    if roles.len() == 1 { "the role" } else { "one of" }
}

fn doing(right: Right) -> &'static str {
    match right {
        Right::View => "see Snapshots and what is running",
        Right::Take => "take Snapshots",
        Right::Restore => "restore, launch and delete, leave a Droplet off, or decide about what others asked for",
    }
}

fn variable(right: Right) -> &'static str {
    match right {
        Right::View => "VIEW_ROLES",
        Right::Take => "TAKE_ROLES",
        Right::Restore => "RESTORE_ROLES",
    }
}

fn own_droplet(droplet: &str, may_take_live: bool) -> String {
    let instead = if may_take_live {
        "Take the Snapshot with `power: live`, or in DigitalOcean's control panel."
    } else {
        "Restore it in DigitalOcean's control panel."
    };
    let droplet = name(droplet);
    format!("I run on {droplet} myself: once it is off, nobody is left to turn it back on. {instead}")
}

fn unknown_droplet(text: &str, nearest: &[String]) -> String {
    if nearest.is_empty() {
        return format!("There is no Droplet {}. Choose one from the list that appears while you type.", quote(text));
    }
    let nearest: Vec<String> = nearest.iter().map(|near| name(near)).collect();
    format!("There is no Droplet {}. Did you mean {}?", quote(text), alternatives(&nearest))
}

fn alternatives(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}

fn listed(labels: &[String]) -> String {
    labels.iter().take(10).map(|label| name(label)).collect::<Vec<_>>().join(", ")
}

fn thread_locked() -> String {
    "This thread is locked, so I can't show my progress here. Nothing was done; use another channel, or ask a moderator to unlock it."
        .to_owned()
}

fn busy(droplet: &str, by: &Occupant) -> String {
    let droplet = name(droplet);
    match by {
        Occupant::Here { operation, progress, .. } => format!(
            "{droplet} is busy: {} is still running on it. Wait until it has ended, or cancel it.",
            way(*operation, *progress)
        ),
        Occupant::Elsewhere { kind, may_cancel } => {
            format!("{droplet} is busy: another server is {}. {}", words(kind).with_droplet(), cancel_it(*may_cancel))
        }
    }
}

fn in_use(by: &Occupant) -> String {
    match by {
        Occupant::Here { operation, progress, .. } => format!(
            "This Snapshot is in use: {} works with it. Nothing was done; try again when that has ended.",
            way(*operation, *progress)
        ),
        Occupant::Elsewhere { kind, may_cancel } => {
            format!(
                "This Snapshot is in use: another server is {}. {}",
                words(kind).with_snapshot(),
                cancel_it(*may_cancel)
            )
        }
    }
}

fn cancel_it(may_cancel: Option<OperationId>) -> String {
    match may_cancel {
        Some(operation) => {
            format!(
                "Nothing was done; wait until that has ended, or stop it with `/snapshot cancel operation:{operation}`."
            )
        }
        None => "Nothing was done; try again when that has ended.".to_owned(),
    }
}

fn nothing_runs(text: &str, running: &[String]) -> String {
    if running.is_empty() {
        return "Nothing is running, so there is nothing to cancel.".to_owned();
    }
    format!("Nothing runs on {}. Running now: {}.", name(text), listed(running))
}

fn way(operation: OperationId, progress: Option<(GuildId, ChannelId, MessageId)>) -> String {
    match progress {
        Some((guild, channel, message)) => link(guild, channel, message),
        None => format!("operation `{operation}`"),
    }
}

fn foreign(snapshot: &str, droplet: &str) -> String {
    format!(
        "Snapshot {} is not one of {}, and DigitalOcean restores a Droplet only from its own Snapshots and backups. \
                 Nothing was done. `/snapshot launch` makes a new Droplet from any Snapshot.",
        name(snapshot),
        name(droplet)
    )
}

fn disk_too_small(droplet: &str, disk: u64, snapshot: &str, needed: u64) -> String {
    format!(
        "Snapshot {} needs a disk of {needed} GB, and {} has {disk} GB. Nothing was done. Give the Droplet a larger disk, or \
                 use `/snapshot launch` with a larger size.",
        name(snapshot),
        name(droplet)
    )
}

fn not_in_region(snapshot: &str, region: &str, regions: &[String]) -> String {
    format!(
        "Snapshot {} is in {}, not in {}. Nothing was done. Choose one of its regions, or copy it there in DigitalOcean's \
                 control panel first.",
        name(snapshot),
        listed(regions),
        name(region)
    )
}

fn size_too_small(size: &str, disk: u64, needed: u64, suggestions: &[String]) -> String {
    format!(
        "Size {} has a disk of {disk} GB, and the Snapshot needs {needed} GB. {}",
        name(size),
        suggested(suggestions)
    )
}

fn not_with_droplet(snapshot: &str, droplet: &str, region: &str, regions: &[String]) -> String {
    format!(
        "Snapshot {} is in {}, and {} is in {}. Nothing was done. Copy the Snapshot there in DigitalOcean's control panel \
         first, or make a new Droplet where it is with `/snapshot launch`.",
        name(snapshot),
        listed(regions),
        name(droplet),
        name(region)
    )
}

fn still_new(droplet: &str) -> String {
    format!("DigitalOcean is still making {}. Nothing was done; try again in a minute.", name(droplet))
}

fn nothing_to_undo_on(snapshot: &str) -> String {
    format!(
        "This Droplet does not exist any more, so nothing can be put back onto it. `/snapshot launch` makes a new one from the \
         safety Snapshot {}, if nobody deleted it.",
        name(snapshot)
    )
}

/// `what` follows the number of them.
fn ambiguous(what: &str, text: &str, labels: &[String]) -> String {
    format!(
        "{} {what} {}: {}. Choose one from the list that appears while you type.",
        labels.len(),
        name(text),
        listed(labels)
    )
}

fn too_late(operation: OperationId, progress: Option<(GuildId, ChannelId, MessageId)>) -> String {
    let place = progress.map_or_else(
        || format!("`/snapshot status operation:{operation}`"),
        |(guild, channel, message)| link(guild, channel, message),
    );
    format!("That is decided already; {place} shows how it goes on.")
}

fn gpu_size(size: &str, suggestions: &[String]) -> String {
    format!(
        "I make no Droplets with a GPU, such as {}: DigitalOcean's lists leave them out, so after a lost answer I might make a \
         second. The control panel can make one. {}",
        name(size),
        suggested(suggestions)
    )
}

fn undo_over(snapshot: &str) -> String {
    format!(
        "The 24-hour undo window has closed. Snapshot {} can still be put back with \
                 `/snapshot restore`, if nobody deleted it.",
        name(snapshot)
    )
}

fn unusable(droplet: &str, status: &str) -> String {
    format!(
        "DigitalOcean says that {} is {}, and nothing can be done with it in that state. Look at it in the control panel.",
        name(droplet),
        name(status)
    )
}

fn locked(droplet: &str) -> String {
    format!(
        "DigitalOcean has locked {}: another Action works on it, often a backup. Nothing was done; try again when that is over.",
        name(droplet)
    )
}

fn suggested(sizes: &[String]) -> String {
    if sizes.is_empty() {
        return "No other size would do there; try another region.".to_owned();
    }
    let sizes: Vec<String> = sizes.iter().map(|size| name(size)).collect();
    format!("The cheapest that would do: {}.", sizes.join(", "))
}

fn unknown_snapshot(text: &str, droplet: Option<&str>, nearest: &[String]) -> String {
    let of = droplet.map(|droplet| format!(" of {}", name(droplet))).unwrap_or_default();
    if nearest.is_empty() {
        let text = quote(text);
        return format!("There is no Snapshot {text}{of}. Choose one from the list that appears while you type.");
    }
    let nearest: Vec<String> = nearest.iter().map(|near| name(near)).collect();
    format!("There is no Snapshot {}{of}. Did you mean {}?", quote(text), alternatives(&nearest))
}

fn too_fast() -> String {
    "That was too much in a few seconds, so I ignored it. Try again in 10 seconds.".to_owned()
}

fn too_many_running(most: usize) -> String {
    let operations = if most == 1 { "operation" } else { "operations" };
    format!("You already have {most} {operations} running, the most allowed. Try again when one has ended.")
}

fn taken_lately(droplet: &str, until: Timestamp) -> String {
    format!("A Snapshot of {} was taken a short while ago. The next one can be taken {}.", name(droplet), ago(until))
}

fn bad_name(bad: BadName) -> String {
    match bad {
        BadName::Empty => "That name is empty. Leave `name` out and I'll make one up.".to_owned(),
        BadName::TooLong => format!(
            "A Snapshot's name may have at most {LONGEST_SNAPSHOT_NAME} characters here, since the operation's id is added to it. Choose a shorter one."
        ),
        BadName::Safety => {
            "A name that ends like this is kept for the safety Snapshots that a restore takes. Choose another."
                .to_owned()
        }
        BadName::Invisible => {
            "A Snapshot's name may hold no line breaks and no characters that cannot be seen. Type it again.".to_owned()
        }
    }
}
