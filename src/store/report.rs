//! What people were told, and what they are to be told: the reporter's side.
//!
//! A report is a projection: the row says which version a message shows, the operation says which version there is. Everything
//! that the reporter is about to do, or did, is written here first, so that a crash repeats nothing.

use jiff::Timestamp;
use sqlx::{Any, AnyConnection, any::AnyArguments, query::Query};

use super::{
    Error, Store, Version,
    operation_row::select_operation,
    report_row::{Report, read},
    row::{Row, bits, due_millis, without_nul},
};
use crate::operation::{
    ids::{ChannelId, MessageId},
    report::ReportKind,
};

/// A report with its operation.
macro_rules! select_report {
    ($rest:literal) => {
        select_operation!(
            "o.state, r.kind AS report_kind, COALESCE(r.moved_to, r.channel_id) AS report_channel_id, r.generation, r.message_id, \
             r.shown_version, r.shown_digest, r.shown_at, r.attempts, r.posting_since, r.due_at AS report_due_at, r.leader, r.changes",
            $rest
        )
    };
}

/// What a message shows that is known to be there, but perhaps shows something else than what is true now.
pub const OUTDATED: Version = Version(0);
/// Stands for the direct channel of anyone who asked, which Discord opens when it is needed.
pub const DIRECTLY: ChannelId = ChannelId(0);
/// Edits of one message are at least this far apart.
const EDIT_PAUSE: jiff::SignedDuration = jiff::SignedDuration::from_secs(2);

impl Store {
    /// Reports that are due: unsaid ones, progress that shows an older version, and what changed since it was posted of questions, warnings,
    /// calls and announcements; the longest waiting first.
    pub async fn due_reports(&self, now: Timestamp, limit: usize) -> Result<Vec<Report>, Error> {
        let rows = i64::try_from(limit).unwrap_or(i64::MAX);
        let mut connection = self.pool.acquire().await?;
        let unsaid = sqlx::query(select_report!(
            "JOIN reports r ON r.operation = o.id WHERE r.message_id IS NULL AND r.given_up IS NULL AND r.due_at <= $1 ORDER BY r.due_at LIMIT $2"
        ));
        let unsaid = unsaid.bind(now.as_millisecond()).bind(rows).fetch_all(&mut *connection).await?;
        let unshown = sqlx::query(select_report!(
            "JOIN reports r ON r.operation = o.id WHERE o.version > o.shown_version AND r.kind = 'progress' AND r.message_id IS NOT NULL \
             AND r.given_up IS NULL AND r.due_at <= $1 ORDER BY r.due_at LIMIT $2"
        ));
        let unshown = unshown.bind(now.as_millisecond()).bind(rows).fetch_all(&mut *connection).await?;
        let outdated = sqlx::query(select_report!(
            "JOIN reports r ON r.operation = o.id WHERE r.kind IN ('question', 'warning', 'answer') AND r.shown_version = 0 AND r.message_id IS NOT NULL \
             AND r.given_up IS NULL AND r.due_at <= $1 ORDER BY r.due_at LIMIT $2"
        ));
        let outdated = outdated.bind(now.as_millisecond()).bind(rows).fetch_all(&mut *connection).await?;
        let outgrown = sqlx::query(select_report!(
            "JOIN reports r ON r.operation = o.id WHERE r.kind = 'stuck' AND r.changes > r.shown_version AND r.message_id IS NOT NULL \
             AND r.given_up IS NULL AND r.due_at <= $1 ORDER BY r.due_at LIMIT $2"
        ));
        let outgrown = outgrown.bind(now.as_millisecond()).bind(rows).fetch_all(&mut *connection).await?;
        let found = unsaid.iter().chain(&unshown).chain(&outdated).chain(&outgrown);
        let mut due: Vec<(i64, Report)> = found.map(Row).filter_map(read).collect();
        due.sort_by_key(|(due_at, report)| (*due_at, report.operation.operation.id, report.kind));
        Ok(due.into_iter().map(|(_, report)| report).take(limit).collect())
    }

    /// Makes nothing wait beyond `latest`: for a process that has just begun, whose clock may have been set back.
    pub async fn clamp_reports(&self, latest: Timestamp) -> Result<(), Error> {
        let mut transaction = self.begin_as_owner().await?;
        sqlx::query("UPDATE reports SET due_at = $1 WHERE due_at > $1")
            .bind(latest.as_millisecond())
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// When the next report is due.
    pub async fn next_report_due(&self) -> Result<Option<Timestamp>, Error> {
        let row = sqlx::query(
            "SELECT MIN(due_at) AS due_at FROM (\
             SELECT due_at FROM reports WHERE message_id IS NULL AND given_up IS NULL \
             UNION ALL \
             SELECT r.due_at FROM operations o JOIN reports r ON r.operation = o.id \
             WHERE o.version > o.shown_version AND r.kind = 'progress' AND r.message_id IS NOT NULL \
             AND r.given_up IS NULL \
             UNION ALL \
             SELECT due_at FROM reports WHERE kind IN ('question', 'warning', 'answer') AND shown_version = 0 AND message_id IS NOT NULL \
             AND given_up IS NULL \
             UNION ALL \
             SELECT due_at FROM reports WHERE kind = 'stuck' AND changes > shown_version AND message_id IS NOT NULL \
             AND given_up IS NULL) waiting",
        )
        .fetch_one(&self.pool)
        .await?;
        Ok(Row(&row).at("due_at"))
    }

    /// A post is about to leave: from here on it may have arrived. Commit this first.
    pub async fn report_posting(&self, report: &Report, now: Timestamp) -> Result<(), Error> {
        self.change(
            report,
            sqlx::query(
                "UPDATE reports SET posting_since = COALESCE(posting_since, $4) \
                 WHERE operation = $1 AND kind = $2 AND generation = $3",
            ),
            |query| query.bind(now.as_millisecond()),
        )
        .await
    }

    /// An edit is about to leave: refused if the message shows something else by now, or another process looks after the account.
    pub async fn report_editing(&self, report: &Report) -> Result<(), Error> {
        let mut transaction = self.begin_as_owner().await?;
        let query = sqlx::query(
            "SELECT message_id, shown_version FROM reports WHERE operation = $1 AND kind = $2 AND generation = $3",
        );
        let rows = named(query, report).fetch_all(&mut *transaction).await?;
        transaction.commit().await?;
        let is_as_it_was = |row| {
            let row = Row(row);
            row.id("message_id").map(MessageId) == report.message
                && row.number("shown_version").map(Version) == report.shown_version
        };
        if rows.iter().any(is_as_it_was) { Ok(()) } else { Err(Error::LeaseLost) }
    }

    /// The message is there, and shows this version.
    pub async fn report_posted(
        &self,
        report: &Report,
        message: MessageId,
        version: Version,
        digest: &str,
        now: Timestamp,
    ) -> Result<(), Error> {
        self.shown(report, message, version, digest, now).await?;
        self.changes.posted.notify_waiters();
        Ok(())
    }

    /// The message now shows this version.
    pub async fn report_edited(
        &self,
        report: &Report,
        version: Version,
        digest: &str,
        now: Timestamp,
    ) -> Result<(), Error> {
        let Some(message) = report.message else { return Err(Error::LeaseLost) };
        self.shown(report, message, version, digest, now).await
    }

    async fn shown(
        &self,
        report: &Report,
        message: MessageId,
        version: Version,
        digest: &str,
        now: Timestamp,
    ) -> Result<(), Error> {
        let mut transaction = self.begin_as_owner().await?;
        // The operation's row before the report's, as in a commit: on PostgreSQL the other way round could deadlock.
        let version = match report.kind {
            ReportKind::Progress => {
                show_up_to(&mut transaction, report, version).await?;
                version
            }
            ReportKind::Question | ReportKind::Warning if is_outdated(&mut transaction, report, version).await? => {
                OUTDATED
            }
            ReportKind::Question
            | ReportKind::Answer
            | ReportKind::Notify
            | ReportKind::Stuck
            | ReportKind::Repaired
            | ReportKind::Direct
            | ReportKind::Warning => version,
        };
        let query = sqlx::query(
            "UPDATE reports SET message_id = $4, shown_version = $5, shown_digest = $6, shown_at = $7, due_at = $8, \
             attempts = 0 WHERE operation = $1 AND kind = $2 AND generation = $3",
        );
        let next_edit = now.checked_add(EDIT_PAUSE).unwrap_or(now);
        let changed = named(query, report)
            .bind(bits(message.0))
            .bind(version.0)
            .bind(without_nul(digest))
            .bind(now.as_millisecond())
            .bind(due_millis(next_edit))
            .execute(&mut *transaction)
            .await?;
        if changed.rows_affected() == 0 {
            return Err(Error::LeaseLost);
        }
        transaction.commit().await?;
        Ok(())
    }

    /// Posting or editing failed: not again before `retry_at`. It is counted up to `most`.
    pub async fn report_failed(&self, report: &Report, retry_at: Timestamp, most: u32) -> Result<(), Error> {
        self.change(
            report,
            sqlx::query(
                "UPDATE reports SET attempts = CASE WHEN attempts < $5 THEN attempts + 1 ELSE attempts END, due_at = $4 \
                 WHERE operation = $1 AND kind = $2 AND generation = $3",
            ),
            |query| query.bind(due_millis(retry_at)).bind(i64::from(most)),
        )
        .await
    }

    /// Not before `until`, although nothing failed.
    pub async fn report_postponed(&self, report: &Report, until: Timestamp) -> Result<(), Error> {
        self.change(
            report,
            sqlx::query("UPDATE reports SET due_at = $4 WHERE operation = $1 AND kind = $2 AND generation = $3"),
            |query| query.bind(due_millis(until)),
        )
        .await
    }

    /// Somebody deleted the message: the next generation is to be posted.
    pub async fn report_deleted(&self, report: &Report) -> Result<(), Error> {
        let now = self.clock.now();
        self.change(
            report,
            sqlx::query(
                "UPDATE reports SET generation = generation + 1, message_id = NULL, shown_version = NULL, \
                 shown_digest = NULL, shown_at = NULL, posting_since = NULL, due_at = $4 \
                 WHERE operation = $1 AND kind = $2 AND generation = $3",
            ),
            |query| query.bind(now.as_millisecond()),
        )
        .await
    }

    /// The channel that it belongs to cannot hear us: it is posted in this one from now on, and edited there.
    pub async fn report_moved(&self, report: &Report, channel: ChannelId) -> Result<(), Error> {
        let now = self.clock.now();
        self.change(
            report,
            sqlx::query(
                "UPDATE reports SET moved_to = $5, generation = generation + 1, message_id = NULL, shown_version = NULL, \
                 shown_digest = NULL, shown_at = NULL, posting_since = NULL, attempts = 0, due_at = $4 \
                 WHERE operation = $1 AND kind = $2 AND generation = $3",
            ),
            |query| query.bind(now.as_millisecond()).bind(bits(channel.0)),
        )
        .await
    }

    /// It cannot be said, or need not be any more; why. A call takes [`Store::call_given_up`].
    pub async fn report_given_up(&self, report: &Report, why: &str) -> Result<(), Error> {
        let mut transaction = self.begin_as_owner().await?;
        if report.kind == ReportKind::Progress {
            // Whatever is still to come is not shown either.
            show_up_to(&mut transaction, report, Version(i64::MAX)).await?;
        }
        give_up(&mut transaction, report, why).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Changes a report's row, unless it has moved on to another generation or another process.
    async fn change<'q>(
        &self,
        report: &Report,
        query: Query<'q, Any, AnyArguments>,
        bind: impl FnOnce(Query<'q, Any, AnyArguments>) -> Query<'q, Any, AnyArguments>,
    ) -> Result<(), Error> {
        let mut transaction = self.begin_as_owner().await?;
        let changed = bind(named(query, report)).execute(&mut *transaction).await?;
        if changed.rows_affected() == 0 {
            return Err(Error::LeaseLost);
        }
        transaction.commit().await?;
        Ok(())
    }
}

/// Writes down why a report is not said.
pub(super) async fn give_up(connection: &mut AnyConnection, report: &Report, why: &str) -> Result<(), Error> {
    let query = sqlx::query("UPDATE reports SET given_up = $4 WHERE operation = $1 AND kind = $2 AND generation = $3");
    let changed = named(query, report).bind(without_nul(why)).execute(connection).await?;
    if changed.rows_affected() == 0 { Err(Error::LeaseLost) } else { Ok(()) }
}

/// Binds what names a report: `$1` to `$3`.
fn named<'q>(query: Query<'q, Any, AnyArguments>, report: &Report) -> Query<'q, Any, AnyArguments> {
    query.bind(report.operation.operation.id.to_string()).bind(report.kind.word()).bind(i64::from(report.generation))
}

async fn show_up_to(connection: &mut AnyConnection, report: &Report, version: Version) -> Result<(), Error> {
    sqlx::query("UPDATE operations SET shown_version = $2 WHERE id = $1")
        .bind(report.operation.operation.id.to_string())
        .bind(version.0)
        .execute(connection)
        .await?;
    Ok(())
}

/// Whether the operation has moved on since a version of it was shown. Waits for a commit that is under way, which would mark the
/// question as outdated before this transaction writes that it is not.
async fn is_outdated(connection: &mut AnyConnection, report: &Report, version: Version) -> Result<bool, Error> {
    let rows = sqlx::query("UPDATE operations SET shown_version = shown_version WHERE id = $1 RETURNING version")
        .bind(report.operation.operation.id.to_string())
        .fetch_all(connection)
        .await?;
    Ok(rows.iter().any(|row| Row(row).number("version").is_some_and(|now| now > version.0)))
}
