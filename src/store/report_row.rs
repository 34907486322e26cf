//! One message as stored in its row.

use jiff::Timestamp;

use super::{Stored, Version, operation_row, row::Row};
use crate::operation::{
    ids::{ChannelId, MessageId, OperationId},
    report::ReportKind,
};

/// A message that must be posted or edited.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// The operation that it is about.
    pub operation: Stored,
    /// The kind of message.
    pub kind: ReportKind,
    /// Counts the messages posted again after a deletion, from 1.
    pub generation: u32,
    /// The channel that it belongs to.
    pub channel: ChannelId,
    /// The message, once posted.
    pub message: Option<MessageId>,
    /// The version of the operation that it shows.
    pub shown_version: Option<Version>,
    /// A digest of the text that it shows.
    pub shown_digest: Option<String>,
    /// When it was last posted or edited.
    pub shown_at: Option<Timestamp>,
    /// The number of attempts to post or edit since the last success.
    pub attempts: u32,
    /// When a post of this generation was first attempted, after which it may have arrived.
    pub posting_since: Option<Timestamp>,
    /// The operation whose call lists this one too, if this is a call.
    pub leader: Option<OperationId>,
    /// Counts the changes to what a call lists.
    pub changes: Version,
}

impl Report {
    /// The version that the message should show.
    pub fn version(&self) -> Version {
        match self.kind {
            ReportKind::Stuck => self.changes,
            ReportKind::Progress
            | ReportKind::Answer
            | ReportKind::Notify
            | ReportKind::Repaired
            | ReportKind::Question
            | ReportKind::Direct
            | ReportKind::Warning => self.operation.version,
        }
    }
}

pub(super) fn read(row: Row<'_>) -> Option<(i64, Report)> {
    let (operation, _) = operation_row::read(row)?;
    let word = row.text("report_kind").unwrap_or_default();
    let Some(kind) = ReportKind::all().find(|kind| kind.word() == word) else {
        tracing::error!(operation.id = %operation.operation.id, word, "a report in the database is of no known kind");
        return None;
    };
    let count = |column| u32::try_from(row.number(column).unwrap_or_default()).unwrap_or_default();
    let report = Report {
        kind,
        generation: count("generation"),
        channel: ChannelId(row.id("report_channel_id").unwrap_or_default()),
        message: row.id("message_id").map(MessageId),
        shown_version: row.number("shown_version").map(Version),
        shown_digest: row.text("shown_digest").map(str::to_owned),
        shown_at: row.at("shown_at"),
        attempts: count("attempts"),
        posting_since: row.at("posting_since"),
        leader: row.text("leader").and_then(|id| id.parse().ok()),
        changes: Version(row.number("changes").unwrap_or_default()),
        operation,
    };
    Some((row.number("report_due_at").unwrap_or_default(), report))
}
