//! Refusals: expected, kind, seen by one person only. Each says what, why, and what to do next.

mod denied;
mod next_step;
mod occupied;
mod sentences;

use jiff::Timestamp;

use super::{backups::BackupsRefusal, schedule::ScheduleRefusal, warning::WarningRefusal};
use crate::{
    access::Denial,
    discord::press::Press,
    operation::ids::{ChannelId, GuildId, MessageId, OperationId, SnapshotId, UserId},
    store::Deleter,
};

pub use denied::denied;
pub use next_step::{again, message, not_now, send_again};
pub use occupied::{MayCancel, Occupant};
pub(super) use occupied::{by_what, ways_on};

/// Why a person does not get what they asked for. Closed: there is no variant that holds any text.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(test, derive(strum::EnumDiscriminants), strum_discriminants(name(RefusalKind), derive(strum::VariantArray)))]
pub enum Refusal {
    /// They may not.
    Denied(Denial),
    /// They may not use a command, or press a button.
    DeniedTo {
        /// Why.
        denial: Denial,
        /// What they wanted, after "to".
        to: &'static str,
    },
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
        /// What asks about the same once more, where there is such a button.
        again: Option<Box<Press>>,
    },
    /// What was offered once is not there any more.
    DropletGone {
        /// What it was called, where that is known.
        droplet: Option<String>,
    },
    /// The same for a Snapshot.
    SnapshotGone {
        /// Which.
        id: SnapshotId,
    },
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
    /// The Snapshot is not where the new Droplet is to be.
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
    /// Several SSH keys of the account have this name.
    AmbiguousSshKey {
        /// The name.
        text: String,
        /// How they differ.
        labels: Vec<String>,
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
        /// Its id.
        id: SnapshotId,
    },
    /// It can be undone by a press no more.
    UndoOver {
        /// The safety Snapshot.
        snapshot: String,
        /// Its id.
        id: SnapshotId,
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
    NotYours {
        /// Why.
        denial: Denial,
        /// What they wanted, after "to".
        to: &'static str,
    },
    /// The pin is somebody else's, and their right is not enough to take it off.
    PinnedByOther {
        /// Whose.
        by: UserId,
        /// Why they may not.
        denial: Denial,
    },
    /// The person said more in a few seconds than is heard.
    TooFast,
    /// As many operations of theirs run as may run at the same time.
    TooManyRunning {
        /// How many that is.
        most: usize,
    },
    /// A group would have more operations of theirs at work at once than may be.
    TooManyAtOnce {
        /// How many may be.
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
        /// Who wanted that.
        by: Deleter,
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
    /// Somebody has tried the run of a group again already.
    RunTriedAgain {
        /// The channel whose message shows how that goes.
        channel: ChannelId,
    },
    /// None of the Droplets that are to be tried again has the tag now.
    NoneLeft {
        /// The tag.
        tag: String,
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
