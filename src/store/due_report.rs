//! Which messages a commit makes due, and which it makes outdated.

use jiff::Timestamp;
use sqlx::AnyConnection;

use super::{
    Error,
    report::{DIRECTLY, OUTDATED},
    row::bits,
};
use crate::operation::{
    Operation,
    ids::{ChannelId, OperationId},
    report::ReportKind,
};

/// The kinds of report that an operation needs more of than before.
pub(super) fn called_for(
    before: Option<&Operation>,
    after: &Operation,
    notify_channel: Option<ChannelId>,
) -> impl Iterator<Item = ReportKind> {
    ReportKind::all().filter(move |kind| {
        // In the channel of the request, the answer already announces it.
        let is_heard_elsewhere = notify_channel.is_some_and(|channel| channel != after.requester.channel);
        let wanted = *kind != ReportKind::Notify || is_heard_elsewhere;
        wanted && after.newly_calls_for(*kind, before)
    })
}

/// Makes a report due. A call for help may be part of another operation's message: see [`super::calls`].
pub(super) async fn call(
    connection: &mut AnyConnection,
    operation: &Operation,
    kind: ReportKind,
    notify_channel: Option<ChannelId>,
    now: Timestamp,
) -> Result<(), Error> {
    let channel = match kind {
        ReportKind::Notify => notify_channel.unwrap_or(operation.requester.channel),
        ReportKind::Progress | ReportKind::Answer | ReportKind::Repaired | ReportKind::Question | ReportKind::Stuck => {
            operation.requester.channel
        }
        ReportKind::Direct => DIRECTLY,
        ReportKind::Warning => operation.warning.map_or(operation.requester.channel, |warning| warning.warn.channel),
    };
    let again = match kind {
        // An earlier question stays unchanged: a later one gets a new message, since edits notify nobody.
        ReportKind::Question => {
            "INSERT INTO reports (operation, kind, channel_id, generation, attempts, due_at) VALUES ($1, $2, $3, 1, 0, $4) \
             ON CONFLICT (operation, kind) DO UPDATE SET generation = reports.generation + 1, message_id = NULL, \
             shown_version = NULL, shown_digest = NULL, shown_at = NULL, posting_since = NULL, attempts = 0, given_up = NULL, \
             moved_to = NULL, due_at = excluded.due_at"
        }
        ReportKind::Progress
        | ReportKind::Answer
        | ReportKind::Notify
        | ReportKind::Stuck
        | ReportKind::Repaired
        | ReportKind::Direct
        | ReportKind::Warning => {
            "INSERT INTO reports (operation, kind, channel_id, generation, attempts, due_at) VALUES ($1, $2, $3, 1, 0, $4) \
             ON CONFLICT DO NOTHING"
        }
    };
    sqlx::query(again)
        .bind(operation.id.to_string())
        .bind(kind.word())
        .bind(bits(channel.0))
        .bind(now.as_millisecond())
        .execute(connection)
        .await?;
    Ok(())
}

/// Whether a commit makes the message of a question outdated.
pub(super) fn question_changed(before: &Operation, after: &Operation) -> bool {
    before.questions == after.questions
        && after.questions > 0
        && (before.question != after.question || before.decision != after.decision)
}

/// Whether a commit makes the message of a warning outdated.
pub(super) fn warning_changed(before: &Operation, after: &Operation) -> bool {
    let (before, after) = (before.warned(), after.warned());
    before.is_some() && before != after
}

/// Marks a message about an operation as due for an edit, unless Discord asked the bot to wait.
pub(super) async fn outdate(
    connection: &mut AnyConnection,
    (operation, kind): (OperationId, ReportKind),
    now: Timestamp,
) -> Result<(), Error> {
    sqlx::query(
        "UPDATE reports SET shown_version = $2, due_at = CASE WHEN attempts = 0 AND due_at > $3 THEN $3 ELSE due_at END \
         WHERE operation = $1 AND kind = $4 AND message_id IS NOT NULL",
    )
    .bind(operation.to_string())
    .bind(OUTDATED.0)
    .bind(now.as_millisecond())
    .bind(kind.word())
    .execute(connection)
    .await?;
    Ok(())
}
