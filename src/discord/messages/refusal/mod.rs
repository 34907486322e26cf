//! Refusals: expected, friendly, and visible to one person only. Each says what, why, and what to do next.

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

/// Why a person does not get what they requested. No variant holds arbitrary text.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(test, derive(strum::EnumDiscriminants), strum_discriminants(name(RefusalKind), derive(strum::VariantArray)))]
pub enum Refusal {
    /// The person lacks the right.
    Denied(Denial),
    /// The person may not use a command or press a button.
    DeniedTo {
        /// The reason.
        denial: Denial,
        /// What they wanted to do, to follow "to".
        to: &'static str,
    },
    /// The schedule does not exist, or cannot be as requested.
    Schedule(ScheduleRefusal),
    /// DigitalOcean's own Backups are not changed as requested.
    Backups(BackupsRefusal),
    /// The requested warning is not possible.
    Warning(WarningRefusal),
    /// The typed text is no permitted Droplet.
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
        /// Labels that tell them apart.
        labels: Vec<String>,
    },
    /// The Droplet lacks the tag that permits access.
    UntaggedDroplet {
        /// Its name.
        name: String,
        /// The tag.
        tag: String,
    },
    /// DigitalOcean did not answer.
    DigitalOceanDown,
    /// DigitalOcean refuses the token.
    DigitalOceanTokenRefused,
    /// DigitalOcean does not permit this.
    DigitalOceanForbids {
        /// The scopes that the token may lack.
        scopes: String,
        /// DigitalOcean's message.
        message: String,
    },
    /// This process runs on the Droplet that it would have to shut down.
    OwnDroplet {
        /// Its name.
        droplet: String,
        /// Whether it is possible with the Droplet running.
        may_take_live: bool,
    },
    /// Another operation runs on the Droplet.
    Busy {
        /// The Droplet's name.
        droplet: String,
        /// The operation.
        by: Occupant,
        /// A press that makes the same request again, if there is one.
        again: Option<Box<Press>>,
    },
    /// A Droplet that was offered before no longer exists.
    DropletGone {
        /// Its name, if known.
        droplet: Option<String>,
    },
    /// A Snapshot that was offered before no longer exists.
    SnapshotGone {
        /// The Snapshot.
        id: SnapshotId,
    },
    /// The typed text is no existing Snapshot.
    UnknownSnapshot {
        /// What was typed.
        text: String,
        /// The Droplet that the search was limited to, if any.
        droplet: Option<String>,
        /// The nearest names, best first.
        nearest: Vec<String>,
    },
    /// Several Snapshots have this name.
    AmbiguousSnapshot {
        /// The name.
        text: String,
        /// Labels that tell them apart.
        labels: Vec<String>,
    },
    /// The Snapshot belongs to another Droplet.
    ForeignSnapshot {
        /// The Snapshot's name.
        snapshot: String,
        /// The Droplet that was to get it.
        droplet: String,
    },
    /// The Droplet's disk is smaller than the disk that the Snapshot was taken of.
    DiskTooSmall {
        /// The Droplet's name.
        droplet: String,
        /// Its disk in GB.
        disk: u64,
        /// The Snapshot's name.
        snapshot: String,
        /// The required disk in GB.
        needed: u64,
    },
    /// The Snapshot is not in the region of the new Droplet.
    NotInRegion {
        /// The Snapshot's name.
        snapshot: String,
        /// The required region.
        region: String,
        /// The Snapshot's regions.
        regions: Vec<String>,
    },
    /// The Snapshot is not in the region of the Droplet that it would be put back onto.
    NotWithDroplet {
        /// The Snapshot's name.
        snapshot: String,
        /// The Droplet's name.
        droplet: String,
        /// The Droplet's region.
        region: String,
        /// The Snapshot's regions.
        regions: Vec<String>,
    },
    /// DigitalOcean has locked the Droplet.
    Locked {
        /// The Droplet's name.
        droplet: String,
    },
    /// The Droplet is already on.
    AlreadyOn {
        /// The Droplet's name.
        droplet: String,
    },
    /// The Droplet is off, so it cannot be restarted.
    NotOn {
        /// The Droplet's name.
        droplet: String,
    },
    /// The Droplet is still being created.
    StillNew {
        /// The Droplet's name.
        droplet: String,
    },
    /// The Droplet is neither on nor off.
    Unusable {
        /// The Droplet's name.
        droplet: String,
        /// DigitalOcean's word for its status.
        status: String,
    },
    /// Another operation uses the Snapshot.
    SnapshotInUse {
        /// The operation.
        by: Occupant,
    },
    /// The name is not a valid Droplet name.
    BadDropletName,
    /// The Snapshot's region is unknown.
    NoRegion {
        /// The Snapshot's name.
        snapshot: String,
    },
    /// No size in the Snapshot's region has enough disk.
    NoSize {
        /// The required disk in GB.
        needed: u64,
    },
    /// The size's disk is too small for the Snapshot.
    SizeTooSmall {
        /// The size.
        size: String,
        /// Its disk in GB.
        disk: u64,
        /// The required disk in GB.
        needed: u64,
        /// The cheapest suitable sizes.
        suggestions: Vec<String>,
    },
    /// The size has a GPU.
    GpuSize {
        /// The size.
        size: String,
        /// The cheapest suitable sizes.
        suggestions: Vec<String>,
    },
    /// The size does not exist, or not in this region.
    UnknownSize {
        /// What was typed.
        text: String,
        /// The cheapest suitable sizes.
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
        /// Labels that tell them apart.
        labels: Vec<String>,
    },
    /// The question was open for too long.
    QuestionExpired,
    /// The question has been answered.
    QuestionAnswered,
    /// Another person was asked.
    NotYourQuestion,
    /// There is no safety Snapshot to go back to.
    NothingToUndo,
    /// The Droplet that was restored no longer exists.
    NothingToUndoOn {
        /// The safety Snapshot.
        snapshot: String,
        /// Its id.
        id: SnapshotId,
    },
    /// The button can no longer undo the restore.
    UndoOver {
        /// The safety Snapshot.
        snapshot: String,
        /// Its id.
        id: SnapshotId,
    },
    /// The bot cannot post in the channel of the interaction.
    CannotPost {
        /// The missing rights, by Discord's names.
        missing: Vec<&'static str>,
    },
    /// The thread accepts no messages from the bot.
    ThreadLocked,
    /// The bot is about to stop.
    Draining,
    /// Another process of the bot is active.
    Standby,
    /// The name is not a valid Snapshot name.
    BadSnapshotName(BadName),
    /// There is no such operation.
    UnknownOperation {
        /// What was typed.
        text: String,
    },
    /// No running operation has this name.
    NothingRunsOn {
        /// What was typed.
        text: String,
        /// The Droplets with running operations, by name.
        running: Vec<String>,
    },
    /// Several operations run on Droplets with this name.
    AmbiguousOperation {
        /// The name.
        text: String,
        /// Labels that tell them apart.
        labels: Vec<String>,
    },
    /// The operation has ended.
    AlreadyEnded(OperationId),
    /// The question is no longer open, or the moment has passed.
    TooLate {
        /// The operation.
        operation: OperationId,
        /// Its progress message.
        progress: Option<(GuildId, ChannelId, MessageId)>,
    },
    /// Another person requested the operation, and this person's right is not enough for it.
    NotYours {
        /// Why.
        denial: Denial,
        /// What they wanted to do; the word follows "to".
        to: &'static str,
    },
    /// Another person set the pin, and this person's right is not enough to remove it.
    PinnedByOther {
        /// The person who set it.
        by: UserId,
        /// The reason.
        denial: Denial,
    },
    /// The person sent more interactions in a few seconds than permitted.
    TooFast,
    /// The person has the maximum number of running operations.
    TooManyRunning {
        /// The maximum.
        most: usize,
    },
    /// With the group, the person would have too many operations at work at once.
    TooManyAtOnce {
        /// The maximum.
        most: usize,
    },
    /// The Droplet's last take was a moment ago.
    TakenLately {
        /// Its name.
        droplet: String,
        /// When the next one may begin.
        until: Timestamp,
    },
    /// The bot deleted the Snapshot.
    SnapshotDeleted {
        /// Who requested that.
        by: Deleter,
        /// When it was deleted.
        at: Timestamp,
    },
    /// The Droplet that the Snapshot was taken of no longer exists.
    SourceGone {
        /// The Snapshot's name.
        snapshot: String,
        /// The Snapshot.
        id: SnapshotId,
    },
    /// The failed operation was already retried.
    TriedAgain {
        /// The operation that retries it.
        by: Occupant,
    },
    /// The run of a group was already retried.
    RunTriedAgain {
        /// The channel with the new run's message.
        channel: ChannelId,
    },
    /// None of the Droplets to retry has the tag now.
    NoneLeft {
        /// The tag.
        tag: String,
    },
    /// The failure is too old to be retried with the button.
    RetryOver,
    /// Nothing that exists was chosen.
    NothingChosen,
    /// The button is not one of this bot, or an old one.
    UnknownButton,
    /// The command is not one of this bot, or an old one.
    UnknownCommand,
}

/// Why a Snapshot's name is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadName {
    /// It consists of whitespace only.
    Empty,
    /// It is too long.
    TooLong,
    /// It contains invisible characters.
    Invisible,
    /// It looks like the name of a safety Snapshot.
    Safety,
}

/// The longest name that a person may give a Snapshot.
pub const LONGEST_SNAPSHOT_NAME: usize = 100;
