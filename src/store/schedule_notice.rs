//! Notices of schedules: which message contains which notice, so that one cause leads to one message and one ping.
//!
//! What goes wrong within ten minutes in one channel is one message, which the first notice leads: the others are rows without a message of
//! their own. If the same failure happens again, the row of the first notice changes.

use jiff::{SignedDuration, Timestamp};
use sqlx::{AnyConnection, any::AnyRow};

use super::{
    Error, Store, StoredSchedule,
    row::{Row, bits, due_millis, without_nul},
    schedule_row,
};
use crate::{
    operation::ids::ScheduleId,
    schedule::{Schedule, notice::Notice},
};

/// How long a message takes in other notices of its channel.
const TOGETHER: SignedDuration = SignedDuration::from_mins(10);
/// How many of a schedule's latest notices are searched for an earlier failure with the same reason.
const LOOKED_AT: i64 = 20;
/// How many messages of a channel may still grow.
const GROWING: i64 = 50;

/// A message: its schedule, and its number.
type Place = (ScheduleId, i64);

/// A notice as stored in its row.
struct Spoken {
    place: Place,
    notice: Notice,
    leader: Option<Place>,
}

/// Sends a one-off notice: in a message of its own, or in an existing one.
pub(super) async fn say(
    connection: &mut AnyConnection,
    schedule: &Schedule,
    notice: &Notice,
    now: Timestamp,
) -> Result<(), Error> {
    let latest = latest(connection, schedule.id).await?;
    // A notice that it is stale meanwhile is a different matter.
    let last = latest.iter().find(|spoken| spoken.notice.is_like(notice));
    if let Some((last, again)) = last.and_then(|last| Some((last, last.notice.repeated(notice)?))) {
        sqlx::query("UPDATE schedule_messages SET what = $1 WHERE schedule = $2 AND number = $3")
            .bind(without_nul(&serde_json::to_string(&again).map_err(Error::Unwritable)?))
            .bind(last.place.0.to_string())
            .bind(last.place.1)
            .execute(&mut *connection)
            .await?;
        return change(connection, last.leader.unwrap_or(last.place)).await;
    }
    let leader = leader(connection, schedule, notice, now).await?;
    if let Some(leader) = leader {
        change(connection, leader).await?;
    }
    insert(connection, schedule, (notice, leader), now).await
}

/// Reports that the schedule is good again, if the last notice about its runs was a failure.
pub(super) async fn say_good_again(
    connection: &mut AnyConnection,
    schedule: &Schedule,
    now: Timestamp,
) -> Result<(), Error> {
    let latest = latest(connection, schedule.id).await?;
    match latest.iter().find(|spoken| is_an_outcome(&spoken.notice)).map(|spoken| &spoken.notice) {
        None | Some(Notice::GoodAgain) => Ok(()),
        Some(_) => say(connection, schedule, &Notice::GoodAgain, now).await,
    }
}

/// Whether a notice reports how the latest runs went.
fn is_an_outcome(notice: &Notice) -> bool {
    notice.is_of_a_run() || matches!(notice, Notice::Stale { .. })
}

/// The latest notices of a schedule, newest first.
async fn latest(connection: &mut AnyConnection, schedule: ScheduleId) -> Result<Vec<Spoken>, Error> {
    let rows = sqlx::query(
        "SELECT schedule, number, what, leader_schedule, leader_number FROM schedule_messages \
         WHERE schedule = $1 AND number > 0 AND given_up IS NULL ORDER BY number DESC LIMIT $2",
    )
    .bind(schedule.to_string())
    .bind(LOOKED_AT)
    .fetch_all(connection)
    .await?;
    Ok(rows.iter().filter_map(read).collect())
}

/// The message that can take in this notice too: young enough, in the same channel, of the same family, and pinging everyone whom this
/// notice would ping.
async fn leader(
    connection: &mut AnyConnection,
    schedule: &Schedule,
    notice: &Notice,
    now: Timestamp,
) -> Result<Option<Place>, Error> {
    let Some(family) = notice.family() else { return Ok(None) };
    let since = now.checked_sub(TOGETHER).unwrap_or(Timestamp::UNIX_EPOCH);
    let rows = sqlx::query(
        "SELECT m.schedule, m.number, m.what, m.leader_schedule, m.leader_number, s.id, s.version, s.state \
         FROM schedule_messages m JOIN schedules s ON s.id = m.schedule WHERE m.channel_id = $1 AND m.number > 0 \
         AND m.leader_schedule IS NULL AND m.given_up IS NULL AND m.said_at >= $2 ORDER BY m.said_at, m.number LIMIT $3",
    )
    .bind(bits(schedule.channel.0))
    .bind(since.as_millisecond())
    .bind(GROWING)
    .fetch_all(connection)
    .await?;
    let fits = |row: &AnyRow| {
        let (spoken, of) = (read(row)?, schedule_row::read(row)?.schedule);
        let calls = |it: &Notice, of: &Schedule| (it.calls_role(&of.owner), it.calls_owner());
        let (theirs, ours) = (calls(&spoken.notice, &of), calls(notice, schedule));
        let pings_all = theirs.0 >= ours.0 && (!ours.1 || (theirs.1 && of.owner.user == schedule.owner.user));
        (spoken.notice.family() == Some(family) && pings_all).then_some(spoken.place)
    };
    Ok(rows.iter().find_map(fits))
}

/// Marks a message as changed.
async fn change(connection: &mut AnyConnection, (schedule, number): Place) -> Result<(), Error> {
    sqlx::query(
        "UPDATE schedule_messages SET changes = CASE WHEN changes > shown_version THEN changes ELSE shown_version END + 1 \
         WHERE schedule = $1 AND number = $2",
    )
    .bind(schedule.to_string())
    .bind(number)
    .execute(connection)
    .await?;
    Ok(())
}

async fn insert(
    connection: &mut AnyConnection,
    schedule: &Schedule,
    (notice, leader): (&Notice, Option<Place>),
    now: Timestamp,
) -> Result<(), Error> {
    let row = sqlx::query("SELECT COALESCE(MAX(number), 0) AS number FROM schedule_messages WHERE schedule = $1")
        .bind(schedule.id.to_string())
        .fetch_one(&mut *connection)
        .await?;
    let number = Row(&row).number("number").unwrap_or_default().saturating_add(1);
    sqlx::query(
        "INSERT INTO schedule_messages (schedule, number, channel_id, what, generation, shown_version, attempts, due_at, \
         leader_schedule, leader_number, said_at, changes) VALUES ($1, $2, $3, $4, 1, 0, 0, $5, $6, $7, $8, 1)",
    )
    .bind(schedule.id.to_string())
    .bind(number)
    .bind(bits(schedule.channel.0))
    .bind(without_nul(&serde_json::to_string(notice).map_err(Error::Unwritable)?))
    .bind(due_millis(now))
    .bind(leader.map(|(schedule, _)| schedule.to_string()))
    .bind(leader.map(|(_, number)| number))
    .bind(now.as_millisecond())
    .execute(connection)
    .await?;
    Ok(())
}

fn read(row: &AnyRow) -> Option<Spoken> {
    let row = Row(row);
    let schedule = |column: &str| row.text(column).and_then(|id| id.parse().ok());
    Some(Spoken {
        place: (schedule("schedule")?, row.number("number")?),
        notice: serde_json::from_str(row.text("what").unwrap_or_default()).ok()?,
        leader: schedule("leader_schedule").zip(row.number("leader_number")),
    })
}

impl Store {
    /// The other notices of a message, in the order in which they occurred.
    pub async fn told_with(
        &self,
        (schedule, number): (ScheduleId, i64),
    ) -> Result<Vec<(StoredSchedule, Notice)>, Error> {
        let rows = sqlx::query(
            "SELECT m.schedule, m.number, m.what, m.leader_schedule, m.leader_number, s.id, s.version, s.state \
             FROM schedule_messages m JOIN schedules s ON s.id = m.schedule \
             WHERE m.leader_schedule = $1 AND m.leader_number = $2 ORDER BY m.said_at, m.schedule, m.number",
        )
        .bind(schedule.to_string())
        .bind(number)
        .fetch_all(&self.pool)
        .await?;
        Ok(rows.iter().filter_map(|row| Some((schedule_row::read(row)?, read(row)?.notice))).collect())
    }

    /// Changes a schedule and sends a notice about it, both or neither ([`Error::LeaseLost`] if it was changed meanwhile).
    pub async fn tell(
        &self,
        schedule: ScheduleId,
        notice: &Notice,
        change: impl FnOnce(&mut Schedule) + Send,
    ) -> Result<(), Error> {
        let mut transaction = self.begin_as_owner().await?;
        let Some(mut stored) = schedule_row::read_one(&mut transaction, schedule).await? else { return Ok(()) };
        change(&mut stored.schedule);
        schedule_row::write(&mut transaction, &stored).await?;
        say(&mut transaction, &stored.schedule, notice, self.clock.now()).await?;
        transaction.commit().await?;
        self.changes.schedule_messages.notify_one();
        Ok(())
    }

    /// Marks the messages that ask about a schedule as outdated, because the question was answered.
    pub async fn question_was_answered(&self, schedule: ScheduleId) -> Result<(), Error> {
        let mut transaction = self.begin_as_owner().await?;
        for spoken in latest(&mut transaction, schedule).await? {
            if matches!(spoken.notice, Notice::Hung { .. } | Notice::Doubtful { .. } | Notice::Deletions { .. }) {
                change(&mut transaction, spoken.place).await?;
            }
        }
        transaction.commit().await?;
        self.changes.schedule_messages.notify_one();
        Ok(())
    }
}
