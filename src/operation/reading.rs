//! DigitalOcean's answers in the domain's terms: readings of Droplets, Actions and Snapshots, and the ways in which a request can fail.
//!
//! The worker translates the client's answers into these. Readings are what DigitalOcean said, not what is true: the rules in `apply` check
//! that an answer is about what was asked.

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

/// A Droplet's `status`, reduced to what matters to an operation.
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
    /// The Droplet that the answer is about.
    pub id: DropletId,
    /// Its present name, if given; people rename Droplets.
    pub name: Option<String>,
    /// Whether it runs.
    pub status: Status,
    /// DigitalOcean refuses Actions while a Droplet is locked.
    pub locked: bool,
    /// Its present tags; absent if DigitalOcean does not list them, which is not the same as none.
    pub tags: Option<Vec<String>>,
    /// Its public IPv4 address, once it has one.
    pub address: Option<String>,
    /// Its monthly price in cents, if given.
    #[serde(default)]
    pub monthly_cents: Option<u64>,
    /// When it was asked for, if not just now: the answer may come from another operation's request.
    #[serde(default)]
    pub asked_at: Option<Timestamp>,
}

impl DropletReading {
    /// When this reading was asked for, given that it is processed at `now`.
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

/// The progress of an Action.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ActionStatus {
    /// `in-progress`, or an unknown word: not known to have ended.
    InProgress,
    /// `completed`.
    Completed,
    /// `errored`. DigitalOcean never says why.
    Errored,
}

/// One look at an Action.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActionReading {
    /// The Action that the answer is about.
    pub id: ActionId,
    /// DigitalOcean's word for its type, such as `snapshot`.
    pub kind: String,
    /// The Droplet that it belongs to, if given.
    pub droplet: Option<DropletId>,
    /// Its progress.
    pub status: ActionStatus,
    /// When DigitalOcean says it began. It equals, to the second, the `created_at` of the Snapshot that it makes.
    pub started_at: Option<Timestamp>,
}

/// One look at a Snapshot in a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SnapshotReading {
    /// Its id.
    pub id: SnapshotId,
    /// Its name; not unique at DigitalOcean, but ours end in an operation's id.
    pub name: String,
    /// When it was created.
    pub created_at: Option<Timestamp>,
    /// Its compressed size in gigabytes; absent or zero until DigitalOcean has computed it.
    pub size_gigabytes: Option<f64>,
}

impl SnapshotReading {
    /// The size, once DigitalOcean has computed it.
    pub fn known_size(&self) -> Option<f64> {
        self.size_gigabytes.filter(|size| size.is_finite() && *size > 0.0)
    }
}

/// One look at an image: a Snapshot, or a Backup.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ImageReading {
    /// Its id, name, time and size.
    pub snapshot: SnapshotReading,
    /// Whether it is still in DigitalOcean's Backup rotation, which deletes it eventually.
    pub is_backup: bool,
}

/// Why a request brought no answer, grouped by what an operation does next.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Trouble {
    /// It certainly never left, so nothing happened; try again at `retry_at`.
    NotSent {
        /// When trying again makes sense.
        retry_at: Timestamp,
    },
    /// DigitalOcean is overloaded or down, or its answer cannot be read. A command may have been carried out.
    Unclear {
        /// When trying again makes sense.
        retry_at: Timestamp,
    },
    /// Too many requests; certainly not carried out. No request may be sent before `until`.
    Throttled {
        /// When requests are allowed again.
        until: Timestamp,
    },
    /// The Droplet has another event pending; certainly not carried out.
    Busy,
    /// What was asked for does not exist.
    NotFound,
    /// The token is not accepted at all.
    Unauthorized,
    /// The request is not allowed: the token lacks a right, or the account is locked.
    Forbidden {
        /// The scopes that the request needs.
        scopes: String,
        /// DigitalOcean's words, sanitized; empty in rows that are older than this field.
        #[serde(default)]
        message: String,
    },
    /// DigitalOcean refused for a reason of its own.
    Refused {
        /// DigitalOcean's words, sanitized.
        message: String,
    },
}

/// Why a step, and with it the forward part of an operation, failed.
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
    /// The Droplet no longer exists.
    DropletGone,
    /// The Snapshot no longer exists.
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
    /// The token is not accepted.
    Unauthorized,
    /// The token is not known to belong to the Droplet's account.
    OtherAccount,
    /// The request is not allowed: the token lacks a scope, or the account is locked.
    Forbidden {
        /// The scopes that the request needs.
        scopes: String,
        /// DigitalOcean's words, sanitized; empty in rows that are older than this field.
        #[serde(default)]
        message: String,
    },
    /// DigitalOcean refused, in its own words.
    Refused {
        /// DigitalOcean's words, sanitized.
        message: String,
    },
    /// The shutdown did not turn the Droplet off in time and somebody chose another way.
    Hung,
    /// The Droplet had to be turned on before everything that needs it off was done.
    PowerFirst,
    /// It waited for so long that it is not started; somebody has to ask again.
    TooOld,
    /// Somebody else changed the Droplet's disk, or used it, since the operation began.
    ChangedMeanwhile,
    /// It is unknown whether the restore was carried out, and repeating it could destroy newer work.
    RestoreUnclear,
    /// DigitalOcean does not know what was asked for, although the Droplet exists.
    NotKnown,
    /// The Action completed, but the Snapshot never appeared in DigitalOcean's lists.
    NotListed,
    /// Nobody could be warned, although a warning was to precede the shutdown.
    NotWarned,
    /// A bug in the bot; the log holds the details under this operation's id.
    Internal,
}

impl Trouble {
    /// The failure that this trouble amounts to if trying again cannot help.
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
