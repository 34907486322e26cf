//! The outstanding calls to the ping addresses of schedules. They are stored in the transaction of their event, so that no crash loses or
//! repeats one.

use jiff::Timestamp;
use sqlx::AnyConnection;

use super::{Error, Store, StoredSchedule, row::Row, schedule_row};
use crate::{operation::ids::ScheduleId, ping::Signal};

/// An outstanding call.
#[derive(Clone, Debug, PartialEq)]
pub struct DuePing {
    /// The schedule with the address.
    pub stored: StoredSchedule,
    /// The run that it is about, by the id of its operation, or of a group's run.
    pub run: String,
    /// The signal to send.
    pub signal: Signal,
    /// When it happened.
    pub since: Timestamp,
    /// The number of attempts.
    pub attempts: i64,
}

/// Every signal, with its word in the database.
const WORDS: [(Signal, &str); 3] = [(Signal::Start, "start"), (Signal::Success, "success"), (Signal::Fail, "fail")];

fn word(signal: Signal) -> &'static str {
    WORDS.iter().find(|(known, _)| *known == signal).map_or("success", |(_, word)| word)
}

/// Makes a call to the schedule's address due at this moment, if the schedule has an address.
pub(super) async fn tell(
    connection: &mut AnyConnection,
    schedule: ScheduleId,
    (run, signal): (&str, Signal),
    at: Timestamp,
) -> Result<(), Error> {
    let stored = schedule_row::read_one(connection, schedule).await?;
    if stored.is_none_or(|stored| stored.schedule.watched.ping_url.is_none()) {
        return Ok(());
    }
    sqlx::query(
        "INSERT INTO schedule_pings (schedule, operation, signal, since, due_at, attempts) VALUES ($1, $2, $3, $4, $4, 0) \
         ON CONFLICT DO NOTHING",
    )
    .bind(schedule.to_string())
    .bind(run)
    .bind(word(signal))
    .bind(at.as_millisecond())
    .execute(connection)
    .await?;
    Ok(())
}

/// Removes the schedule's calls that are due only later. Returns their runs, and when each was planned.
pub(super) async fn take_waiting(
    connection: &mut AnyConnection,
    schedule: ScheduleId,
    now: Timestamp,
) -> Result<Vec<(String, Timestamp)>, Error> {
    let rows = sqlx::query(
        "SELECT p.operation, COALESCE(s.planned_at, r.planned_at) AS planned_at FROM schedule_pings p \
         LEFT JOIN schedule_snapshots s ON s.schedule = p.schedule AND s.operation = p.operation \
         LEFT JOIN group_runs r ON r.id = p.operation WHERE p.schedule = $1 AND p.since > $2",
    )
    .bind(schedule.to_string())
    .bind(now.as_millisecond())
    .fetch_all(&mut *connection)
    .await?;
    let read = |row| Some((Row(row).text("operation")?.to_owned(), Row(row).at("planned_at")?));
    let waiting: Vec<(String, Timestamp)> = rows.iter().filter_map(read).collect();
    for (run, _) in &waiting {
        sqlx::query("DELETE FROM schedule_pings WHERE schedule = $1 AND operation = $2 AND since > $3")
            .bind(schedule.to_string())
            .bind(run)
            .bind(now.as_millisecond())
            .execute(&mut *connection)
            .await?;
    }
    Ok(waiting)
}

impl Store {
    /// The calls that are due, in the order of their events.
    pub async fn due_pings(&self, now: Timestamp, limit: usize) -> Result<Vec<DuePing>, Error> {
        let rows = sqlx::query(
            "SELECT s.id, s.version, s.state, p.operation, p.signal, p.since, p.attempts \
             FROM schedule_pings p JOIN schedules s ON s.id = p.schedule WHERE p.due_at <= $1 \
             ORDER BY p.since, p.operation, p.signal DESC LIMIT $2",
        )
        .bind(now.as_millisecond())
        .bind(i64::try_from(limit).unwrap_or(i64::MAX))
        .fetch_all(&self.pool)
        .await?;
        let read = |row| {
            let stored = schedule_row::read(row)?;
            let row = Row(row);
            let signal = row.text("signal")?;
            Some(DuePing {
                stored,
                run: row.text("operation")?.to_owned(),
                signal: WORDS.iter().find(|(_, word)| *word == signal)?.0,
                since: row.at("since")?,
                attempts: row.number("attempts").unwrap_or_default(),
            })
        };
        Ok(rows.iter().filter_map(read).collect())
    }

    /// When the next call is due.
    pub async fn next_ping_due(&self) -> Result<Option<Timestamp>, Error> {
        let row = sqlx::query("SELECT MIN(due_at) AS due_at FROM schedule_pings").fetch_one(&self.pool).await?;
        Ok(Row(&row).at("due_at"))
    }

    /// Removes a call that was made, or is too old to matter. With the end of a run, its start is removed too: a monitor that hears it
    /// afterwards waits for another end.
    pub async fn ping_is_over(&self, ping: &DuePing) -> Result<(), Error> {
        let mut transaction = self.begin_as_owner().await?;
        sqlx::query("DELETE FROM schedule_pings WHERE schedule = $1 AND operation = $2 AND signal IN ($3, $4)")
            .bind(ping.stored.schedule.id.to_string())
            .bind(&ping.run)
            .bind(word(ping.signal))
            .bind(word(Signal::Start))
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Records that a call failed, and that the next attempt comes no earlier than `retry_at`.
    pub async fn ping_failed(&self, ping: &DuePing, retry_at: Timestamp) -> Result<(), Error> {
        let mut transaction = self.begin_as_owner().await?;
        sqlx::query(
            "UPDATE schedule_pings SET attempts = attempts + 1, due_at = $1 WHERE schedule = $2 AND operation = $3 AND signal = $4",
        )
        .bind(retry_at.as_millisecond())
        .bind(ping.stored.schedule.id.to_string())
        .bind(&ping.run)
        .bind(word(ping.signal))
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(())
    }
}
