//! Where the end of an operation is announced, for links to it, and when the announcement no longer offers anything.

use super::{Error, Store, row::Row};
use crate::operation::{
    Operation, Outcome,
    ids::{ChannelId, MessageId, OperationId},
    kinds::SnapshotRef,
};

/// Where the end of an operation is announced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Announcement {
    /// Nowhere yet.
    Unsaid,
    /// In this message.
    Said(ChannelId, MessageId),
    /// The bot cannot post in the channel, so people were reached another way if possible.
    GivenUp,
}

impl Store {
    /// Where the end of an operation is announced.
    pub async fn announcement(&self, id: OperationId) -> Result<Announcement, Error> {
        let row = sqlx::query(
            "SELECT COALESCE(moved_to, channel_id) AS channel_id, message_id, given_up FROM reports \
             WHERE operation = $1 AND kind = 'answer'",
        )
        .bind(id.to_string())
        .fetch_optional(&self.pool)
        .await?;
        let Some(row) = &row else { return Ok(Announcement::Unsaid) };
        let row = Row(row);
        Ok(match (row.id("channel_id"), row.id("message_id")) {
            (Some(channel), Some(message)) => Announcement::Said(ChannelId(channel), MessageId(message)),
            _ if row.text("given_up").is_some() => Announcement::GivenUp,
            _ => Announcement::Unsaid,
        })
    }
}

/// The Snapshot that an operation has deleted by this commit.
pub(super) fn deleted(before: &Operation, after: &Operation) -> Option<SnapshotRef> {
    let is_deleted = after.kind.deletes() && before.ended.is_none() && after.ended.is_some();
    after.kind.snapshot().filter(|_| is_deleted && after.outcome == Some(Outcome::Completed)).cloned()
}

/// The operation that took a Snapshot of the bot; its id is the end of the Snapshot's name.
pub(super) fn taker_of(snapshot: &SnapshotRef) -> Option<OperationId> {
    snapshot.name.rsplit('-').next()?.parse().ok()
}
