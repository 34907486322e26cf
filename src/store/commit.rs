//! The worker's side: which operations are due, an operation with its unprocessed instructions, and the commit that is fenced by its version.
//!
//! The commit is the hot path. It is a single statement as long as only the state changed.

use std::collections::HashSet;

use jiff::Timestamp;
use sqlx::{Any, AnyConnection, Transaction, any::AnyArguments, query::Query};

use super::{
    Engine, Error, Store, Version, announcement, calls,
    consequences::Consequences,
    due_report, durations,
    event::{self, Audience, Event, What},
    load::Loaded,
    operation_row::Legible,
    power_owed,
    row::{Row, due_millis},
    schedule_snapshot,
};
use crate::operation::{Operation, ids::OperationId, report::ReportKind};

/// Which operations to select.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    /// All of them.
    All,
    /// Those that may have turned a Droplet off.
    PowerOwed,
}

impl Store {
    /// The operations that the worker must handle now, because their time has come or they have unprocessed instructions. Those that owe power
    /// come first, then those that have waited longest.
    pub async fn due(
        &self,
        now: Timestamp,
        whose: Whose,
        skip: &HashSet<OperationId>,
        limit: usize,
    ) -> Result<Vec<OperationId>, Error> {
        // Enough operations that are not in `skip`, since each source names an operation once.
        let rows = skip.len().saturating_add(limit);
        // By the index on due times, no further than needed: ten thousand may be due, and this is asked after every turn. In this join
        // order, since few operations owe power: SQLite follows the order of a `CROSS JOIN`.
        let rows = sqlx::query(
            "SELECT operation, at FROM ( \
             SELECT o.id AS operation, o.due_at AS at, 0 AS in_line FROM power_owed p CROSS JOIN operations o \
             WHERE o.id = p.operation AND o.due_at IS NOT NULL AND o.due_at <= $1 \
             UNION ALL \
             SELECT operation, at, 1 AS in_line FROM ( \
             SELECT id AS operation, due_at AS at FROM operations WHERE due_at IS NOT NULL AND due_at <= $1 AND $2 = 1 \
             ORDER BY due_at, id LIMIT $3) AS by_time \
             UNION ALL \
             SELECT e.operation, MIN(e.at) AS at, CASE WHEN p.operation IS NULL THEN 1 ELSE 0 END AS in_line FROM events e \
             JOIN operations o ON o.id = e.operation LEFT JOIN power_owed p ON p.operation = e.operation \
             WHERE e.unheard = 1 AND o.is_open = 1 GROUP BY e.operation, p.operation \
             ) AS ranked WHERE in_line <= $2 ORDER BY in_line, at, operation",
        )
        .bind(now.as_millisecond())
        .bind(match whose {
            Whose::All => 1_i64,
            Whose::PowerOwed => 0,
        })
        .bind(i64::try_from(rows).unwrap_or(i64::MAX))
        .fetch_all(&self.pool)
        .await?;
        let mut due: Vec<OperationId> = Vec::new();
        for row in rows.iter().map(Row) {
            let Some(Ok(id)) = row.text("operation").map(str::parse::<OperationId>) else {
                tracing::error!("an operation in the database has no readable id and is left alone");
                continue;
            };
            if !due.contains(&id) && !skip.contains(&id) && due.len() < limit {
                due.push(id);
            }
        }
        Ok(due)
    }

    /// When the next operation is due. The number of rows read depends on `skip`, not on how many operations wait.
    pub async fn next_due(&self, whose: Whose, skip: &HashSet<OperationId>) -> Result<Option<Timestamp>, Error> {
        let rows = i64::try_from(skip.len().saturating_add(1)).unwrap_or(i64::MAX);
        let by_time = match whose {
            Whose::All => {
                "SELECT id AS operation, due_at AS at FROM operations WHERE due_at IS NOT NULL ORDER BY due_at, id LIMIT $1"
            }
            // In this join order, since few operations owe power: SQLite follows the order of a `CROSS JOIN`.
            Whose::PowerOwed => {
                "SELECT o.id AS operation, o.due_at AS at FROM power_owed p CROSS JOIN operations o \
                 WHERE o.id = p.operation AND o.due_at IS NOT NULL ORDER BY o.due_at, o.id LIMIT $1"
            }
        };
        let by_time = sqlx::query(by_time).bind(rows).fetch_all(&self.pool).await?;
        let spoken_to = sqlx::query(
            "SELECT e.operation, MIN(e.at) AS at FROM events e JOIN operations o ON o.id = e.operation \
             LEFT JOIN power_owed p ON p.operation = e.operation \
             WHERE e.unheard = 1 AND o.is_open = 1 AND (p.operation IS NOT NULL OR $1 = 1) GROUP BY e.operation",
        );
        let spoken_to = spoken_to.bind(i64::from(whose == Whose::All)).fetch_all(&self.pool).await?;
        let waiting = by_time.iter().chain(&spoken_to).map(Row).filter(|row| {
            // Ignore rows without a readable id.
            row.text("operation").and_then(|id| id.parse().ok()).is_some_and(|id| !skip.contains(&id))
        });
        Ok(waiting.map(|row| row.at("at").unwrap_or(Timestamp::MIN)).min())
    }

    /// The operations with unprocessed instructions.
    pub async fn unheard(&self) -> Result<Vec<OperationId>, Error> {
        let rows = sqlx::query("SELECT DISTINCT operation FROM events WHERE unheard = 1").fetch_all(&self.pool).await?;
        Ok(rows.iter().filter_map(|row| Row(row).text("operation")?.parse().ok()).collect())
    }

    /// Stores the new state of an operation with all its consequences, or nothing. Fenced by the version that was loaded and, on
    /// PostgreSQL, by the lease: [`Error::LeaseLost`] says that another process has taken over.
    pub async fn commit(
        &self,
        loaded: &Loaded,
        operation: &Operation,
        due_at: Option<Timestamp>,
    ) -> Result<Version, Error> {
        let committed = self.try_commit(loaded, operation, due_at).await;
        self.note_write(committed)?;
        self.changes.reporter.notify_one();
        if operation.ended.is_some() && (loaded.operation.is_running() || !operation.is_open()) {
            // A schedule or a group may have been waiting for this operation, or for its Droplet.
            self.changes.scheduler.notify_one();
            self.changes.groups.notify_one();
        }
        Ok(Version(loaded.version.0.saturating_add(1)))
    }

    async fn try_commit(&self, loaded: &Loaded, operation: &Operation, due_at: Option<Timestamp>) -> Result<(), Error> {
        let consequences = self.consequences(loaded, operation);
        if self.engine == Engine::Sqlite && consequences.are_none() {
            // A single statement is its own transaction.
            let mut connection = self.pool.acquire().await?;
            update(&mut connection, loaded, operation, due_at).await?;
        } else {
            let mut transaction = self.begin_as_owner().await?;
            let numbered = i64::try_from(consequences.events.len()).unwrap_or_default();
            if loaded.legible == Legible::Rescued {
                keep_unreadable(&mut transaction, loaded).await?;
            }
            let events = update_numbering(&mut transaction, loaded, operation, due_at, numbered).await?;
            self.follow(&mut transaction, operation, &consequences, events - numbered).await?;
            transaction.commit().await?;
        }
        Ok(())
    }

    fn consequences(&self, loaded: &Loaded, after: &Operation) -> Consequences {
        let before = &loaded.operation;
        let now = self.clock.now();
        let rescued = loaded.legible == Legible::Rescued;
        let mut events = event::between(before, after, now);
        if rescued {
            events.insert(0, Event { at: now, by: None, what: What::Unreadable });
        }
        let reports: Vec<_> = due_report::called_for(Some(before), after, self.notify_channel).collect();
        Consequences {
            rescued,
            heard_up_to: loaded.heard_up_to,
            power: power_owed::differs(before, after),
            outdated: [
                (ReportKind::Question, due_report::question_changed(before, after)),
                (ReportKind::Warning, due_report::warning_changed(before, after)),
                // A new call updates the one before it as well.
                (ReportKind::Stuck, calls::changed(before, after) && !reports.contains(&ReportKind::Stuck)),
            ]
            .into_iter()
            .filter_map(|(kind, is_outdated)| is_outdated.then_some(kind))
            .collect(),
            reports,
            deleted: announcement::deleted(before, after),
            durations: durations::between(before, after),
            events,
            at: now,
        }
    }

    async fn follow(
        &self,
        connection: &mut AnyConnection,
        operation: &Operation,
        consequences: &Consequences,
        events_before: i64,
    ) -> Result<(), Error> {
        if let Some(number) = consequences.heard_up_to {
            sqlx::query("UPDATE events SET unheard = 0 WHERE operation = $1 AND unheard = 1 AND number <= $2")
                .bind(operation.id.to_string())
                .bind(number)
                .execute(&mut *connection)
                .await?;
        }
        if consequences.power {
            power_owed::write(connection, operation).await?;
        }
        for kind in &consequences.outdated {
            match kind {
                ReportKind::Stuck => calls::outdate(connection, operation.id).await?,
                kind => due_report::outdate(connection, (operation.id, *kind), consequences.at).await?,
            }
        }
        for kind in &consequences.reports {
            match kind {
                ReportKind::Stuck => calls::call(connection, operation, consequences.at).await?,
                kind => due_report::call(connection, operation, *kind, self.notify_channel, consequences.at).await?,
            }
        }
        if let Some(deleted) = &consequences.deleted {
            if let Some(taken_by) = announcement::taker_of(deleted) {
                due_report::outdate(connection, (taken_by, ReportKind::Answer), consequences.at).await?;
            }
            Box::pin(schedule_snapshot::forget_everywhere(connection, deleted.id)).await?;
        }
        for duration in &consequences.durations {
            let ended_at = consequences.at.as_millisecond();
            durations::remember(connection, operation.id, operation.target.droplet, *duration, ended_at).await?;
        }
        for (number, event) in (events_before.saturating_add(1)..).zip(&consequences.events) {
            event::append(connection, operation.id, number, event, Audience::History).await?;
        }
        Ok(())
    }

    /// Every operation that still needs the worker; those that owe power come first.
    pub async fn open_operations(&self) -> Result<Vec<OperationId>, Error> {
        let rows = sqlx::query(
            "SELECT o.id FROM operations o LEFT JOIN power_owed p ON p.operation = o.id WHERE o.is_open = 1 \
             ORDER BY CASE WHEN p.operation IS NULL THEN 1 ELSE 0 END, o.id",
        )
        .fetch_all(&self.pool)
        .await?;
        Ok(rows.iter().filter_map(|row| Row(row).text("id")?.parse().ok()).collect())
    }

    /// How many operations still need the worker.
    pub async fn count_open(&self) -> Result<usize, Error> {
        let row =
            sqlx::query("SELECT COUNT(*) AS open FROM operations WHERE is_open = 1").fetch_one(&self.pool).await?;
        Ok(Row(&row).number("open").and_then(|open| usize::try_from(open).ok()).unwrap_or_default())
    }
}

/// The statement of a commit; the text in parentheses is appended to it.
macro_rules! update_operation {
    ($($rest:literal)?) => {
        concat!(
            "UPDATE operations SET version = version + 1, state = $1, due_at = $2, is_running = $3, is_open = $4, ",
            "outcome = $5, ended_at = $6, events = events + $7 WHERE id = $8 AND version = $9",
            $($rest)?
        )
    };
}

/// Updates the row. Either a statement of its own, or part of a transaction that adds no events.
async fn update(
    connection: &mut AnyConnection,
    loaded: &Loaded,
    operation: &Operation,
    due_at: Option<Timestamp>,
) -> Result<(), Error> {
    let query = sqlx::query(update_operation!());
    let updated = bind_update(query, loaded, operation, due_at, 0)?.execute(connection).await?;
    if updated.rows_affected() == 0 { Err(Error::LeaseLost) } else { Ok(()) }
}

/// Updates the row, reserves the numbers of the new events and returns the last one. Only inside a transaction: otherwise reading the first
/// row could hide that the commit failed.
pub(super) async fn update_numbering(
    transaction: &mut Transaction<'_, Any>,
    loaded: &Loaded,
    operation: &Operation,
    due_at: Option<Timestamp>,
    events: i64,
) -> Result<i64, Error> {
    let query = sqlx::query(update_operation!(" RETURNING events"));
    let row = bind_update(query, loaded, operation, due_at, events)?.fetch_optional(&mut **transaction).await?;
    row.map_or(Err(Error::LeaseLost), |row| Ok(Row(&row).number("events").unwrap_or_default()))
}

fn bind_update<'q>(
    query: Query<'q, Any, AnyArguments>,
    loaded: &Loaded,
    operation: &Operation,
    due_at: Option<Timestamp>,
    events: i64,
) -> Result<Query<'q, Any, AnyArguments>, Error> {
    Ok(query
        .bind(loaded.unknown.with(operation)?)
        .bind(due_at.map(due_millis))
        .bind(i64::from(operation.is_running()))
        .bind(i64::from(operation.is_open()))
        .bind(operation.outcome())
        .bind(operation.ended.map(Timestamp::as_millisecond))
        .bind(events)
        .bind(operation.id.to_string())
        .bind(loaded.version.0))
}

/// Keeps the text that could not be read, so that nothing is lost; if that happens repeatedly, the first text.
async fn keep_unreadable(connection: &mut AnyConnection, loaded: &Loaded) -> Result<(), Error> {
    sqlx::query(
        "UPDATE operations SET unreadable_state = state WHERE id = $1 AND version = $2 AND unreadable_state IS NULL",
    )
    .bind(loaded.operation.id.to_string())
    .bind(loaded.version.0)
    .execute(connection)
    .await?;
    Ok(())
}
