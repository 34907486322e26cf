//! What DigitalOcean says, in the domain's words: readings of Droplets, Actions and Snapshots, and the ways a question can fail.
//!
//! The worker translates the client's answers into these. Readings are what was said, not what is true: the rules in
//! `apply` check that an answer speaks of what was asked.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::ids::{ActionId, DropletId, SnapshotId};

/// Whether a Droplet runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PowerState {
    /// `active`.
    On,
    /// `off`.
    Off,
}

/// A Droplet's `status`, as far as it matters to an operation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Status {
    /// `active` or `off`.
    Settled(PowerState),
    /// `new`: still being created.
    New,
    /// `archive`, or a word that we do not know.
    Other(String),
}

/// One look at a Droplet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DropletReading {
    /// The Droplet that the answer speaks of.
    pub id: DropletId,
    /// Its present name, where said; people rename Droplets.
    pub name: Option<String>,
    /// Whether it runs.
    pub status: Status,
    /// DigitalOcean refuses Actions while a Droplet is locked.
    pub locked: bool,
    /// Its present tags; absent where DigitalOcean does not say them, which is not the same as none.
    pub tags: Option<Vec<String>>,
    /// Its public IPv4 address, once it has one.
    pub address: Option<String>,
    /// What it costs a month, in cents, where said.
    #[serde(default)]
    pub monthly_cents: Option<u64>,
    /// When it was asked for, where that was not just now: others may have asked for it.
    #[serde(default)]
    pub asked_at: Option<Timestamp>,
}

impl DropletReading {
    /// When it was asked for; `now` is when it is read.
    pub(super) fn asked_by(&self, now: Timestamp) -> Timestamp {
        self.asked_at.map_or(now, |asked_at| asked_at.min(now))
    }

    /// Whether the Droplet was seen on, seen off, or neither.
    pub fn power(&self) -> Option<PowerState> {
        match self.status {
            Status::Settled(power) => Some(power),
            Status::New | Status::Other(_) => None,
        }
    }
}

/// How far an Action is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ActionStatus {
    /// `in-progress`, or a word that we do not know: not known to have ended.
    InProgress,
    /// `completed`.
    Completed,
    /// `errored`. DigitalOcean never says why.
    Errored,
}

/// One look at an Action.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActionReading {
    /// The Action that the answer speaks of.
    pub id: ActionId,
    /// DigitalOcean's word for what it does, such as `snapshot`.
    pub kind: String,
    /// The Droplet it belongs to, where said.
    pub droplet: Option<DropletId>,
    /// How far it is.
    pub status: ActionStatus,
    /// When DigitalOcean says it began; equals the `created_at` of the Snapshot it makes, to the second.
    pub started_at: Option<Timestamp>,
}

/// One look at a Snapshot in a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SnapshotReading {
    /// Its id.
    pub id: SnapshotId,
    /// Its name; not unique at DigitalOcean, but ours end in an operation's id.
    pub name: String,
    /// When it was made.
    pub created_at: Option<Timestamp>,
    /// Its compressed size in gigabytes; absent or zero until DigitalOcean knows it.
    pub size_gigabytes: Option<f64>,
}

impl SnapshotReading {
    /// The size, unless DigitalOcean has yet to say it.
    pub fn known_size(&self) -> Option<f64> {
        self.size_gigabytes.filter(|size| size.is_finite() && *size > 0.0)
    }
}

/// One look at an image: a Snapshot, or a Backup.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ImageReading {
    /// What it is like.
    pub snapshot: SnapshotReading,
    /// Whether it is in DigitalOcean's rotation, which deletes it by and by.
    pub is_backup: bool,
}

/// Why a request brought no answer, sorted by what an operation does next.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Trouble {
    /// It certainly never left. Nothing happened; try again at `retry_at`.
    NotSent {
        /// When trying again makes sense.
        retry_at: Timestamp,
    },
    /// DigitalOcean is overloaded, down or unreadable. A command may have been carried out.
    Unclear {
        /// When trying again makes sense.
        retry_at: Timestamp,
    },
    /// Too many requests; certainly not carried out. Nothing may be sent before `until`.
    Throttled {
        /// When the limit is over.
        until: Timestamp,
    },
    /// The Droplet has another event pending; certainly not carried out.
    Busy,
    /// What was asked for does not exist.
    NotFound,
    /// The token is refused altogether.
    Unauthorized,
    /// It is not allowed: the token lacks a right, or the account is locked.
    Forbidden {
        /// The scopes that the request needs.
        scopes: String,
        /// DigitalOcean's words, made harmless; none in rows that are older than this field.
        #[serde(default)]
        message: String,
    },
    /// Refused for a reason of DigitalOcean's own.
    Refused {
        /// DigitalOcean's words, made harmless.
        message: String,
    },
}

/// Why a step, and with it the forward part of an operation, ended badly.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, strum::EnumDiscriminants)]
#[strum_discriminants(
    name(FailureKind),
    derive(strum::VariantArray),
    doc = "Every way of ending badly, without its details."
)]
pub enum Failure {
    /// DigitalOcean says that the Action errored; it never says why.
    ActionErrored,
    /// DigitalOcean no longer knows the Action.
    ActionVanished,
    /// The Droplet does not exist any more.
    DropletGone,
    /// The Snapshot does not exist any more.
    SnapshotGone,
    /// The Droplet is in a state in which nothing can be done with it.
    DropletUnusable {
        /// DigitalOcean's word for the state.
        status: String,
    },
    /// The Droplet lost the tag that lets us touch it.
    TagRemoved {
        /// The tag.
        tag: String,
    },
    /// The token is refused.
    Unauthorized,
    /// The token is not known to be of the account that the Droplet belongs to.
    OtherAccount,
    /// It is not allowed: the token lacks a scope, or the account is locked.
    Forbidden {
        /// The scopes that the request needs.
        scopes: String,
        /// DigitalOcean's words, made harmless; none in rows that are older than this field.
        #[serde(default)]
        message: String,
    },
    /// DigitalOcean refused, in its own words.
    Refused {
        /// Those words, made harmless.
        message: String,
    },
    /// The shutdown did not turn the Droplet off in time and another way was chosen.
    Hung,
    /// The Droplet had to be turned on before everything was done that needs it off.
    PowerFirst,
    /// It waited for so long that it is not begun any more unless somebody asks again.
    TooOld,
    /// Somebody else changed the Droplet's disk, or used it, since the operation began.
    ChangedMeanwhile,
    /// Whether the restore was carried out cannot be known, and repeating it could destroy newer work.
    RestoreUnclear,
    /// DigitalOcean does not know what was asked for, although the Droplet is there.
    NotKnown,
    /// The Action completed, but the Snapshot never showed up in DigitalOcean's lists.
    NotListed,
    /// Nobody could be warned, as was wanted before the Droplet goes down.
    NotWarned,
    /// A bug of ours; the log holds the details under this operation's id.
    Internal,
}

impl Trouble {
    /// The failure that this trouble is, where trying again cannot help.
    pub(super) fn fatal(&self) -> Option<Failure> {
        match self {
            Self::NotSent { .. } | Self::Unclear { .. } | Self::Throttled { .. } | Self::Busy => None,
            Self::NotFound => Some(Failure::DropletGone),
            Self::Unauthorized => Some(Failure::Unauthorized),
            Self::Forbidden { scopes, message } => {
                Some(Failure::Forbidden { scopes: scopes.clone(), message: message.clone() })
            }
            Self::Refused { message } => Some(Failure::Refused { message: message.clone() }),
        }
    }
}
