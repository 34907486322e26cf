//! What people do outside operations: to schedules, pins and the runs of groups. Append-only, for `snapshot-bot audit`.
//!
//! Each store function by which a person changes something records that in the same transaction, so the list contains exactly what was
//! done.

use std::fmt;

use jiff::Timestamp;
use sqlx::AnyConnection;

use super::{
    Error,
    row::{Row, bits, without_nul},
};
use crate::{
    operation::{
        ids::{GuildId, ScheduleId, UserId},
        kinds::SnapshotRef,
    },
    schedule::{Schedule, hung_shutdowns::HangAnswer, run::Plan},
};

/// An action by a person: who, where, and what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Act {
    /// The person.
    pub by: UserId,
    /// The guild in which they do it.
    pub guild: GuildId,
    /// What they do.
    pub what: Deed,
}

/// What a person does, to a schedule unless the variant says otherwise. Displayed as `snapshot-bot audit` prints it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// Added it.
    Added,
    /// Changed what it does.
    Edited,
    /// Paused it.
    Paused,
    /// Resumed it.
    Resumed,
    /// Became its owner.
    TookOver,
    /// Removed it.
    Removed,
    /// Removed it, and handed its Snapshots to this one.
    HandedOver(ScheduleId),
    /// Approved the announced deletions, although they are many.
    ApprovedDeletions,
    /// Accepted a Snapshot that is smaller than expected.
    ReliedOnSmall,
    /// Allowed it to delete again although its Droplet was restored recently.
    AllowedPruning,
    /// Kept this many of the Snapshots that it was about to delete.
    Kept(u64),
    /// Answered how it should deal with shutdowns that hang.
    AnsweredHangs(HangAnswer),
    /// Started a run of a group.
    Began,
    /// Stopped a run of a group, so that it starts no further Droplet.
    Stopped,
    /// Pinned a Snapshot.
    Pinned,
    /// Unpinned a Snapshot.
    Unpinned,
}

impl fmt::Display for Deed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Added => "added",
            Self::Edited => "edited",
            Self::Paused => "paused",
            Self::Resumed => "resumed",
            Self::TookOver => "took over",
            Self::Removed => "removed",
            Self::HandedOver(heir) => return write!(f, "removed, Snapshots to {heir}"),
            Self::ApprovedDeletions => "approved deletions",
            Self::ReliedOnSmall => "relied on a small Snapshot",
            Self::AllowedPruning => "allowed deletions again",
            Self::Kept(count) => return write!(f, "kept {count} Snapshots"),
            Self::AnsweredHangs(HangAnswer::ShutDown) => "hangs: keep shutting down",
            Self::AnsweredHangs(HangAnswer::StayLive) => "hangs: stay live",
            Self::AnsweredHangs(HangAnswer::Pause) => "hangs: pause",
            Self::Began => "began",
            Self::Stopped => "stopped",
            Self::Pinned => "pinned",
            Self::Unpinned => "unpinned",
        })
    }
}

/// A past action by a person and its subject, as read back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PastAct {
    /// When it was done.
    pub at: Timestamp,
    /// Who did it.
    pub by: UserId,
    /// The guild in which they did it.
    pub guild: GuildId,
    /// What was done, in words: see [`Deed`].
    pub what: String,
    /// What it was done to: `schedule`, `Snapshot` or `run`.
    pub kind: String,
    /// The bot's id of the subject, or DigitalOcean's.
    pub subject: String,
    /// The subject's name at that time; for a schedule, the name of its Droplet or tag.
    pub name: String,
}

/// What an action is done to.
pub(super) struct Subject {
    kind: &'static str,
    id: String,
    name: String,
}

impl From<&Schedule> for Subject {
    fn from(schedule: &Schedule) -> Self {
        Self { kind: "schedule", id: schedule.id.to_string(), name: schedule.droplet_name.clone() }
    }
}

impl From<&SnapshotRef> for Subject {
    fn from(snapshot: &SnapshotRef) -> Self {
        Self { kind: "Snapshot", id: snapshot.id.to_string(), name: snapshot.name.clone() }
    }
}

impl From<&Plan> for Subject {
    fn from(plan: &Plan) -> Self {
        Self { kind: "run", id: plan.id.to_string(), name: plan.group.label() }
    }
}

/// Records a person's action, in the transaction of the change.
pub(super) async fn note(
    connection: &mut AnyConnection,
    act: &Act,
    subject: impl Into<Subject>,
    at: Timestamp,
) -> Result<(), Error> {
    let Subject { kind, id, name } = subject.into();
    sqlx::query(
        "INSERT INTO acts (at, by_user, guild_id, what, kind, subject, name) VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(at.as_millisecond())
    .bind(bits(act.by.0))
    .bind(bits(act.guild.0))
    .bind(act.what.to_string())
    .bind(kind)
    .bind(id)
    .bind(without_nul(&name))
    .execute(connection)
    .await?;
    Ok(())
}

/// What people did since the given time, oldest first.
pub(super) async fn since(connection: &mut AnyConnection, since: Timestamp) -> Result<Vec<PastAct>, Error> {
    let rows = sqlx::query(
        "SELECT at, by_user, guild_id, what, kind, subject, name FROM acts WHERE at >= $1 ORDER BY at, subject, what",
    )
    .bind(since.as_millisecond())
    .fetch_all(connection)
    .await?;
    let read = |row| {
        let row = Row(row);
        let text = |column| row.text(column).unwrap_or_default().to_owned();
        Some(PastAct {
            at: row.at("at")?,
            by: UserId(row.id("by_user")?),
            guild: GuildId(row.id("guild_id").unwrap_or_default()),
            what: text("what"),
            kind: text("kind"),
            subject: text("subject"),
            name: text("name"),
        })
    };
    Ok(rows.iter().filter_map(read).collect())
}

/// Prunes actions before the given time.
pub(super) async fn prune(connection: &mut AnyConnection, before: Timestamp) -> Result<(), Error> {
    sqlx::query("DELETE FROM acts WHERE at < $1").bind(before.as_millisecond()).execute(connection).await?;
    Ok(())
}
