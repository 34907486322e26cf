//! The text of each refusal.

use jiff::Timestamp;

use super::{
    super::{
        answer::deleter,
        failure,
        text::{name, quote},
        units::ago,
    },
    BadName, LONGEST_SNAPSHOT_NAME, Refusal,
    denied::{alternatives, denied, denied_to},
    occupied::{busy, in_use, too_late, tried_again},
};
use crate::store::Deleter;

const QUESTION_EXPIRED: &str = "Nothing started: this question closed after two minutes. Use the command again.";
const QUESTION_ANSWERED: &str = "This question was answered already. `/snapshot status` shows what came of it.";
const NOTHING_TO_UNDO: &str =
    "There is no safety Snapshot to go back to. `/snapshot restore` lists what can be put back.";
const STANDBY: &str = "Another copy of me is in charge right now, so I started nothing. Try again in a minute.";
const RETRY_OVER: &str =
    "That was more than a day ago, so the button is closed. Use the command again if you still want it.";
const UNKNOWN_BUTTON: &str =
    "This button is from an older version and no longer works. `/snapshot status` shows what runs.";
const UNKNOWN_COMMAND: &str =
    "This command has changed. Reload Discord, then try again; `/snapshot help` lists what there is.";
const SNAPSHOT_GONE: &str = "This Snapshot is gone. `/snapshot list` shows what there is.";
const DIGITALOCEAN_DOWN: &str = "DigitalOcean isn't responding, so nothing was started. Try again in a minute.";

impl Refusal {
    /// The text of the refusal.
    pub fn words(&self) -> String {
        match self {
            Self::Denied(denial) => denied(denial),
            Self::DeniedTo { denial, to } => denied_to(denial, to),
            Self::PinnedByOther { by, denial } => format!("<@{by}> pinned this. {}", denied_to(denial, "unpin it")),
            Self::Backups(refusal) => refusal.words(),
            Self::Warning(refusal) => refusal.words(),
            Self::UnknownDroplet { text, nearest } => unknown_droplet(text, nearest),
            Self::AmbiguousDroplet { text, labels } => ambiguous("Droplets are called", text, labels),
            Self::UntaggedDroplet { name, tag } => untagged(name, tag),
            Self::DigitalOceanDown => DIGITALOCEAN_DOWN.to_owned(),
            Self::DigitalOceanTokenRefused => {
                "Nothing started: DigitalOcean refuses my token. My operator has to set a new `DIGITALOCEAN_TOKEN`."
                    .to_owned()
            }
            Self::DigitalOceanForbids { scopes, message } => {
                format!("Nothing started. {} {}", failure::forbidden(scopes, message), failure::ASK_FOR_ACCESS)
            }
            Self::OwnDroplet { droplet, may_take_live } => own_droplet(droplet, *may_take_live),
            Self::Busy { droplet, by, .. } => busy(droplet, by),
            Self::DropletGone { droplet } => droplet_gone(droplet.as_deref()),
            Self::SnapshotGone { .. } => SNAPSHOT_GONE.to_owned(),
            Self::UnknownSnapshot { text, droplet, nearest } => unknown_snapshot(text, droplet.as_deref(), nearest),
            Self::AmbiguousSnapshot { text, labels } => ambiguous("Snapshots are called", text, labels),
            Self::ForeignSnapshot { snapshot, droplet } => foreign(snapshot, droplet),
            Self::DiskTooSmall { droplet, disk, snapshot, needed } => disk_too_small(droplet, *disk, snapshot, *needed),
            Self::NotInRegion { snapshot, region, regions } => not_in_region(snapshot, region, regions),
            Self::NotWithDroplet { snapshot, droplet, region, regions } => {
                not_with_droplet(snapshot, droplet, region, regions)
            }
            Self::Locked { droplet } => locked(droplet),
            Self::AlreadyOn { droplet } => format!("{} is on already. Nothing to do.", name(droplet)),
            Self::NotOn { droplet } => format!("{} is off, so there is nothing to restart.", name(droplet)),
            Self::StillNew { droplet } => still_new(droplet),
            Self::Unusable { droplet, status } => unusable(droplet, status),
            Self::SnapshotInUse { by } => in_use(by),
            Self::BadDropletName => bad_droplet_name(),
            Self::NoRegion { snapshot } => no_region(snapshot),
            Self::NoSize { needed } => format!(
                "Nothing started: DigitalOcean offers no size with a disk of {needed} GB there. Try another region."
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
            Self::AmbiguousSshKey { text, labels } => ambiguous("SSH keys are called", text, labels),
            Self::QuestionExpired => QUESTION_EXPIRED.to_owned(),
            Self::QuestionAnswered => QUESTION_ANSWERED.to_owned(),
            Self::NotYourQuestion => "Only the person I asked can answer. Run the command to get your own.".to_owned(),
            Self::NothingToUndo => NOTHING_TO_UNDO.to_owned(),
            Self::NothingToUndoOn { snapshot, .. } => nothing_to_undo_on(snapshot),
            Self::UndoOver { snapshot, .. } => undo_over(snapshot),
            Self::CannotPost { missing } => cannot_post(missing),
            Self::ThreadLocked => thread_locked(),
            Self::Draining => "I'm being restarted, so nothing was started. Try again in a minute.".to_owned(),
            Self::Standby => STANDBY.to_owned(),
            Self::BadSnapshotName(bad) => bad_name(*bad),
            Self::UnknownOperation { text } => {
                format!(
                    "There is no operation {}. `/snapshot status` lists what's running and what finished recently.",
                    name(text)
                )
            }
            Self::NothingRunsOn { text, running } => nothing_runs(text, running),
            Self::AmbiguousOperation { text, labels } => ambiguous("operations run on", text, labels),
            Self::AlreadyEnded(operation) => {
                format!("Operation `{operation}` has ended already, so there is nothing left to do.")
            }
            Self::TooLate { operation, progress } => too_late(*operation, *progress),
            Self::NotYours { denial, to } => format!("Somebody else asked for this. {}", denied_to(denial, to)),
            Self::TooFast => too_fast(),
            Self::TooManyRunning { most } => too_many_running(*most),
            Self::TooManyAtOnce { most } => {
                format!("You can run {most} at once. Use `at-once:` {most} or less.")
            }
            Self::TakenLately { droplet, until } => taken_lately(droplet, *until),
            Self::Schedule(refusal) => refusal.words(),
            Self::SnapshotDeleted { by, at } => snapshot_deleted(*by, *at),
            Self::SourceGone { snapshot, .. } => source_gone(snapshot),
            Self::TriedAgain { by } => tried_again(by),
            Self::RunTriedAgain { channel } => {
                format!("Somebody has tried again already. The message in <#{channel}> shows how it goes.")
            }
            Self::NoneLeft { tag } => none_left(tag),
            Self::RetryOver => RETRY_OVER.to_owned(),
            Self::NothingChosen => "That is no longer there to choose. Open the menu again.".to_owned(),
            Self::UnknownButton => UNKNOWN_BUTTON.to_owned(),
            Self::UnknownCommand => UNKNOWN_COMMAND.to_owned(),
        }
    }
}

fn snapshot_deleted(by: Deleter, at: Timestamp) -> String {
    format!("This Snapshot was deleted by {} {}. `/snapshot list` shows what there is.", deleter(by), ago(at))
}

fn none_left(tag: &str) -> String {
    format!(
        "None of the Droplets that lack a Snapshot has the tag {} now. `/snapshot take-group` takes all that have it.",
        name(tag)
    )
}

fn source_gone(snapshot: &str) -> String {
    format!(
        "The Droplet that {} came from is gone, so there is nothing to restore. **Launch…** creates a new Droplet from it.",
        name(snapshot)
    )
}

fn droplet_gone(droplet: Option<&str>) -> String {
    let droplet = droplet.map_or_else(|| "This Droplet".to_owned(), name);
    format!("{droplet} is gone. `/snapshot launch` creates a new one from a Snapshot.")
}

fn bad_droplet_name() -> String {
    "A Droplet's name consists of letters from a to z, digits, dots and dashes, begins and ends with a letter or a \
                 digit, and has at most 255 characters. Choose another."
        .to_owned()
}

fn no_region(snapshot: &str) -> String {
    format!("DigitalOcean doesn't say where Snapshot {} is. Name a region with `region`.", name(snapshot))
}

fn cannot_post(missing: &[&str]) -> String {
    format!(
        "Nothing started: I can't post here, because I lack {} in this channel. Ask a server admin to grant that, or use \
         another channel.",
        missing.iter().map(|right| format!("**{right}**")).collect::<Vec<_>>().join(" and ")
    )
}

fn untagged(droplet: &str, tag: &str) -> String {
    format!(
        "{} doesn't have the tag {}, and I touch no Droplet without it. Add the tag at DigitalOcean, then try again.",
        name(droplet),
        name(tag)
    )
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

fn listed(labels: &[String]) -> String {
    labels.iter().take(10).map(|label| name(label)).collect::<Vec<_>>().join(", ")
}

fn thread_locked() -> String {
    "Nothing started: this thread is locked, so I can't show my progress here. Use another channel, or ask a moderator to unlock \
     it."
        .to_owned()
}

fn foreign(snapshot: &str, droplet: &str) -> String {
    format!(
        "Nothing started: Snapshot {} isn't one of {}, and DigitalOcean restores a Droplet only from its own Snapshots and \
         backups. `/snapshot launch` makes a new Droplet from any Snapshot.",
        name(snapshot),
        name(droplet)
    )
}

fn disk_too_small(droplet: &str, disk: u64, snapshot: &str, needed: u64) -> String {
    format!(
        "Nothing started: Snapshot {} needs a disk of {needed} GB, and {} has {disk} GB. Give the Droplet a larger disk, or use \
         `/snapshot launch` with a larger size.",
        name(snapshot),
        name(droplet)
    )
}

fn not_in_region(snapshot: &str, region: &str, regions: &[String]) -> String {
    format!(
        "Nothing started: Snapshot {} is in {}, not in {}. Choose one of its regions, or copy it there in DigitalOcean's \
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
        "Nothing started: Snapshot {} is in {}, and {} is in {}. Copy the Snapshot there in DigitalOcean's control panel \
         first, or make a new Droplet where it is with `/snapshot launch`.",
        name(snapshot),
        listed(regions),
        name(droplet),
        name(region)
    )
}

fn still_new(droplet: &str) -> String {
    format!("Nothing started: DigitalOcean is still making {}. Try again in a minute.", name(droplet))
}

fn nothing_to_undo_on(snapshot: &str) -> String {
    format!(
        "This Droplet is gone, so nothing can be put back onto it. **Launch…** creates a new one from the safety Snapshot {}, if \
         nobody deleted it.",
        name(snapshot)
    )
}

/// The refusal of an ambiguous name. `what` follows the number of matches.
fn ambiguous(what: &str, text: &str, labels: &[String]) -> String {
    format!(
        "{} {what} {}: {}. Choose one from the list that appears while you type.",
        labels.len(),
        name(text),
        listed(labels)
    )
}

fn gpu_size(size: &str, suggestions: &[String]) -> String {
    format!("I don't create GPU Droplets, such as {}; use the control panel. {}", name(size), suggested(suggestions))
}

fn undo_over(snapshot: &str) -> String {
    format!(
        "The 24-hour undo window has closed. **Restore…** still puts Snapshot {} back, if nobody deleted it.",
        name(snapshot)
    )
}

fn unusable(droplet: &str, status: &str) -> String {
    format!(
        "DigitalOcean says that {} is {}, and I can't do anything with it in that state. Look at it in the control panel.",
        name(droplet),
        name(status)
    )
}

fn locked(droplet: &str) -> String {
    format!(
        "Nothing started: DigitalOcean is busy with {} (often a backup). Try again in a few minutes.",
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
            "A Snapshot's name can have at most {LONGEST_SNAPSHOT_NAME} characters here, because I add the operation's id. Choose a shorter one."
        ),
        BadName::Safety => {
            "Names ending like this are reserved for the safety Snapshots that a restore takes. Choose another."
                .to_owned()
        }
        BadName::Invisible => {
            "A Snapshot's name can't contain line breaks or invisible characters. Type it again.".to_owned()
        }
    }
}

fn nothing_runs(text: &str, running: &[String]) -> String {
    if running.is_empty() {
        return "Nothing is running, so there is nothing to cancel.".to_owned();
    }
    format!("Nothing runs on {}. Running now: {}.", name(text), listed(running))
}
