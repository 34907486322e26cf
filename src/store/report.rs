//! The reporter's side: what was posted, and what is yet to be posted.
//!
//! A report is a projection: the row says which version a message shows, the operation says which version is current. The reporter records
//! here what it is about to do, and what it did, so that a crash repeats nothing.

use std::collections::HashSet;

use jiff::Timestamp;
use sqlx::{Any, AnyConnection, AssertSqlSafe, any::AnyArguments, query::Query};

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

/// Selects a report with its operation.
macro_rules! select_report {
    ($rest:literal) => {
        select_operation!(
            "o.state, r.kind AS report_kind, COALESCE(r.moved_to, r.channel_id) AS report_channel_id, r.generation, r.message_id, \
             r.shown_version, r.shown_digest, r.shown_at, r.attempts, r.posting_since, r.due_at AS report_due_at, r.leader, r.changes",
            $rest
        )
    };
}

/// The shown version of a message that exists but may no longer be accurate.
pub const OUTDATED: Version = Version(0);
/// Represents the requester's direct message channel, which Discord opens when needed.
pub const DIRECTLY: ChannelId = ChannelId(0);
/// The minimum pause between two edits of one message.
const EDIT_PAUSE: jiff::SignedDuration = jiff::SignedDuration::from_secs(2);

/// Reports that have not been posted.
const UNSAID: &str =
    select_report!("JOIN reports r ON r.operation = o.id WHERE r.message_id IS NULL AND r.given_up IS NULL");
/// Progress messages that show an older version. In this join order, since few operations have changed since they were shown: SQLite
/// follows the order of a `CROSS JOIN`.
const UNSHOWN: &str = select_report!(
    "CROSS JOIN reports r WHERE r.operation = o.id AND o.version > o.shown_version AND r.kind = 'progress' AND r.message_id IS NOT NULL \
     AND r.given_up IS NULL"
);
/// Other messages that are no longer accurate.
const OUTDATED_BY_CHANGES: &str = select_report!(
    "JOIN reports r ON r.operation = o.id WHERE r.kind IN ('question', 'warning', 'answer') AND r.shown_version = 0 \
     AND r.message_id IS NOT NULL AND r.given_up IS NULL"
);
/// Calls to which operations were added since they were posted.
const OUTGROWN: &str = select_report!(
    "JOIN reports r ON r.operation = o.id WHERE r.kind = 'stuck' AND r.changes > r.shown_version AND r.message_id IS NOT NULL \
     AND r.given_up IS NULL"
);
/// When the next report is due.
const NEXT_DUE: &str = "SELECT MIN(due_at) AS due_at FROM (\
     SELECT due_at FROM reports WHERE message_id IS NULL AND given_up IS NULL \
     UNION ALL \
     SELECT r.due_at FROM operations o CROSS JOIN reports r \
     WHERE r.operation = o.id AND o.version > o.shown_version AND r.kind = 'progress' AND r.message_id IS NOT NULL \
     AND r.given_up IS NULL \
     UNION ALL \
     SELECT due_at FROM reports WHERE kind IN ('question', 'warning', 'answer') AND shown_version = 0 AND message_id IS NOT NULL \
     AND given_up IS NULL \
     UNION ALL \
     SELECT due_at FROM reports WHERE kind = 'stuck' AND changes > shown_version AND message_id IS NOT NULL \
     AND given_up IS NULL) waiting";

impl Store {
    /// The reports that are due: those not yet posted, outdated progress messages, and questions, warnings, calls and announcements that
    /// changed since they were posted. The longest waiting comes first.
    pub async fn due_reports(&self, now: Timestamp, limit: usize) -> Result<Vec<Report>, Error> {
        self.due_reports_elsewhere(&HashSet::new(), now, limit).await
    }

    /// The due reports of [`due_reports`](Self::due_reports), without the channels in which a message is being sent. A thousand reports
    /// that wait for one channel delay no other, and are not read again and again.
    pub async fn due_reports_elsewhere(
        &self,
        busy: &HashSet<ChannelId>,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<Report>, Error> {
        let mut connection = self.pool.acquire().await?;
        let mut due: Vec<(i64, Report)> = Vec::new();
        for query in [UNSAID, UNSHOWN, OUTDATED_BY_CHANGES, OUTGROWN] {
            let busy: Vec<String> = busy.iter().map(|channel| bits(channel.0).to_string()).collect();
            let elsewhere = format!("COALESCE(r.moved_to, r.channel_id) NOT IN ({})", busy.join(", "));
            let elsewhere = if busy.is_empty() { "1 = 1" } else { &elsewhere };
            // The numbers come from this program's own code.
            let query = AssertSqlSafe(format!("{query} AND {elsewhere} AND r.due_at <= $1 ORDER BY r.due_at LIMIT $2"));
            let rows = sqlx::query(query)
                .persistent(busy.is_empty())
                .bind(now.as_millisecond())
                .bind(i64::try_from(limit).unwrap_or(i64::MAX))
                .fetch_all(&mut *connection)
                .await?;
            due.extend(rows.iter().map(Row).filter_map(read));
        }
        due.sort_by_key(|(due_at, report)| (*due_at, report.operation.operation.id, report.kind));
        Ok(due.into_iter().map(|(_, report)| report).take(limit).collect())
    }

    /// Lets no report wait beyond `latest`. For a process that has just started, whose clock may have been set back.
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
        let row = sqlx::query(NEXT_DUE).fetch_one(&self.pool).await?;
        Ok(Row(&row).at("due_at"))
    }

    /// Records that a post is about to be sent, so from now on it may have arrived. Commit this first.
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

    /// Records that an edit is about to be sent. Fails if the message shows something else by now, or if another process has taken over.
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

    /// Records that the message was posted and shows this version.
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

    /// Records that the message now shows this version.
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
        // Lock the operation's row before the report's, as in a commit: the reverse order could deadlock on PostgreSQL.
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

    /// Records that posting or editing failed, and that the next attempt comes no earlier than `retry_at`. The count of attempts stops at
    /// `most`.
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

    /// Postpones the report to `until`, although nothing failed.
    pub async fn report_postponed(&self, report: &Report, until: Timestamp) -> Result<(), Error> {
        self.change(
            report,
            sqlx::query("UPDATE reports SET due_at = $4 WHERE operation = $1 AND kind = $2 AND generation = $3"),
            |query| query.bind(due_millis(until)),
        )
        .await
    }

    /// Records that the message was deleted, so that the next generation is posted.
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

    /// Moves the report to this channel, because the bot cannot post in the original one. Later edits happen there too.
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

    /// Gives up a report that cannot be posted, or no longer needs to be, for the reason `why`. Calls use [`Store::call_given_up`].
    pub async fn report_given_up(&self, report: &Report, why: &str) -> Result<(), Error> {
        let mut transaction = self.begin_as_owner().await?;
        if report.kind == ReportKind::Progress {
            // Later versions are not shown either.
            show_up_to(&mut transaction, report, Version(i64::MAX)).await?;
        }
        give_up(&mut transaction, report, why).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Updates a report's row, unless it has moved on to another generation or another process.
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

/// Records why a report is not posted.
pub(super) async fn give_up(connection: &mut AnyConnection, report: &Report, why: &str) -> Result<(), Error> {
    let query = sqlx::query("UPDATE reports SET given_up = $4 WHERE operation = $1 AND kind = $2 AND generation = $3");
    let changed = named(query, report).bind(without_nul(why)).execute(connection).await?;
    if changed.rows_affected() == 0 { Err(Error::LeaseLost) } else { Ok(()) }
}

/// Binds the key of a report: `$1` to `$3`.
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

/// Whether the operation has changed since a version of it was shown. Waits for a running commit, which would mark the question as outdated
/// before this transaction writes that it is not.
async fn is_outdated(connection: &mut AnyConnection, report: &Report, version: Version) -> Result<bool, Error> {
    let rows = sqlx::query("UPDATE operations SET shown_version = shown_version WHERE id = $1 RETURNING version")
        .bind(report.operation.operation.id.to_string())
        .fetch_all(connection)
        .await?;
    Ok(rows.iter().any(|row| Row(row).number("version").is_some_and(|now| now > version.0)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{clock::Clock, store::Settings};

    #[tokio::test]
    async fn what_was_said_long_ago_is_not_read_to_find_what_is_to_be_said() {
        let settings = Settings { url: "sqlite::memory:".to_owned().into(), notify_channel: None };
        let store = Store::open(&settings, Clock::wall()).await.unwrap();
        for query in [UNSAID, UNSHOWN, OUTDATED_BY_CHANGES, OUTGROWN, NEXT_DUE] {
            let explain = AssertSqlSafe(format!("EXPLAIN QUERY PLAN {query}"));
            let plan = sqlx::query(explain).fetch_all(&store.pool).await.unwrap();
            let steps: Vec<&str> = plan.iter().filter_map(|row| Row(row).text("detail")).collect();
            let scans = |step: &&&str| step.starts_with("SCAN") && !step.contains("INDEX") && !step.contains("waiting");
            assert_eq!(steps.iter().find(scans), None, "{steps:#?}");
        }
    }
}
