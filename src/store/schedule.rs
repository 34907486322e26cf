//! Schedules, and the states of their planned times.
//!
//! The scheduler reads what is due and stores its decisions, in one transaction each; the Discord front end adds and changes schedules.
//! Both write under a version, so that neither overwrites a concurrent change of the other.

use jiff::Timestamp;
use sqlx::{Any, Transaction};

use super::{
    Act, ConfirmationRefused, Consent, Deed, Engine, Error, Store, Version, act, confirmation,
    row::{Row, bits, due_millis},
    schedule_message, schedule_notice,
    schedule_row::{StoredSchedule, read, read_one},
    slots,
};
use crate::{
    operation::ids::{GuildId, ScheduleId, UserId},
    schedule::{Due, MOST_OWNED, Schedule, State, notice::Notice},
};

/// Why a schedule was not added.
#[derive(Debug, thiserror::Error)]
pub enum AddError {
    /// Its owner already has the maximum number.
    #[error("add the schedule: its owner has as many as anybody may have")]
    TooMany,
    /// The review was already answered, or the answer does not count.
    #[error("add the schedule: the review does not count")]
    Unconfirmed(ConfirmationRefused),
    /// The store failed.
    #[error(transparent)]
    Unavailable(#[from] Error),
}

/// How often a change is retried after a concurrent change.
const ATTEMPTS: usize = 8;

impl Store {
    /// Adds a schedule whose review a person confirmed. The answer is used up in the same transaction, so the schedule is added once.
    pub async fn add_schedule(&self, schedule: &Schedule, consent: &Consent) -> Result<(), AddError> {
        let mut transaction = self.begin_as_owner().await?;
        confirmation::use_up(&mut transaction, consent).await?.map_err(AddError::Unconfirmed)?;
        if self.owned(&mut transaction, schedule.owner.user).await? >= MOST_OWNED {
            return Err(AddError::TooMany);
        }
        let inserted = sqlx::query(
            "INSERT INTO schedules (id, version, guild_id, droplet_id, is_removed, due_at, state) \
             VALUES ($1, 1, $2, $3, 0, 0, $4) ON CONFLICT DO NOTHING",
        )
        .bind(schedule.id.to_string())
        .bind(bits(schedule.guild.0))
        .bind(bits(schedule.droplet.0))
        .bind(serde_json::to_string(schedule).map_err(Error::Unwritable)?)
        .execute(&mut *transaction)
        .await
        .map_err(Error::from)?;
        if inserted.rows_affected() == 0 {
            return Err(Error::IdTaken.into());
        }
        schedule_message::open_status(&mut transaction, schedule, self.clock.now()).await?;
        act::note(&mut transaction, &consent.act(Deed::Added), schedule, self.clock.now()).await?;
        transaction.commit().await.map_err(Error::from)?;
        self.ring_schedules();
        Ok(())
    }

    /// How many schedules a person owns. The number cannot grow before the transaction ends.
    async fn owned(&self, transaction: &mut Transaction<'_, Any>, owner: UserId) -> Result<usize, Error> {
        if self.engine == Engine::Postgres {
            // Two reviews that are confirmed simultaneously would not see each other, so this one waits until the other's transaction ends.
            sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(bits(owner.0)).execute(&mut **transaction).await?;
        }
        let rows = sqlx::query("SELECT id, version, state FROM schedules WHERE is_removed = 0")
            .fetch_all(&mut **transaction)
            .await?;
        Ok(rows.iter().filter_map(read).filter(|stored| stored.schedule.owner.user == owner).count())
    }

    /// The schedule with this id, even if it was removed.
    pub async fn schedule(&self, id: ScheduleId) -> Result<Option<StoredSchedule>, Error> {
        let mut connection = self.pool.acquire().await?;
        read_one(&mut connection, id).await
    }

    /// All schedules that were not removed, by id.
    pub async fn schedules(&self) -> Result<Vec<StoredSchedule>, Error> {
        let rows = sqlx::query("SELECT id, version, state FROM schedules WHERE is_removed = 0 ORDER BY id")
            .fetch_all(&self.pool)
            .await?;
        Ok(rows.iter().filter_map(read).collect())
    }

    /// All schedules of one guild that were not removed.
    pub async fn schedules_of(&self, guild: GuildId) -> Result<Vec<StoredSchedule>, Error> {
        let all = self.schedules().await?;
        Ok(all.into_iter().filter(|stored| stored.schedule.guild == guild).collect())
    }

    /// Changes a schedule by the bot's own decision, whatever else changes meanwhile, and has the scheduler look at it. `None` if it does
    /// not exist or was removed.
    pub async fn change_schedule(
        &self,
        id: ScheduleId,
        change: impl Fn(&mut Schedule) + Send + Sync,
    ) -> Result<Option<Schedule>, Error> {
        self.change_noting(id, None, change).await
    }

    /// Changes a schedule because a person requested it, and records that. Otherwise as [`change_schedule`](Self::change_schedule).
    pub async fn change_schedule_by(
        &self,
        id: ScheduleId,
        act: Act,
        change: impl Fn(&mut Schedule) + Send + Sync,
    ) -> Result<Option<Schedule>, Error> {
        self.change_noting(id, Some(act), change).await
    }

    async fn change_noting(
        &self,
        id: ScheduleId,
        act: Option<Act>,
        change: impl Fn(&mut Schedule) + Send + Sync,
    ) -> Result<Option<Schedule>, Error> {
        for _ in 0..ATTEMPTS {
            let Some(stored) = self.schedule(id).await? else { return Ok(None) };
            let mut schedule = stored.schedule.clone();
            if schedule.state == State::Removed {
                return Ok(None);
            }
            let left_out = self.left_out(&schedule).await?;
            change(&mut schedule);
            let kept =
                self.try_keep_schedule((&stored, &schedule), &left_out, &[], Some(Timestamp::UNIX_EPOCH), act).await;
            match self.note_write(kept) {
                Ok(_) => {
                    self.ring_schedules();
                    return Ok(Some(schedule));
                }
                Err(Error::LeaseLost) => {}
                Err(error) => return Err(error),
            }
        }
        Err(Error::Locked)
    }

    /// What a pause has skipped so far. It is counted before any other change of the schedule.
    pub(super) async fn left_out(&self, schedule: &Schedule) -> Result<Due, Error> {
        if schedule.state == State::Active {
            return Ok(Due::default());
        }
        let Due { given_up, closed, .. } = schedule.decide(self.accounts(schedule.id).await?, self.clock.now());
        Ok(Due { given_up, closed, ..Due::default() })
    }

    /// Makes the schedules due that wait for a Droplet, because an operation has ended, perhaps on theirs.
    pub async fn wake_waiting_schedules(&self) -> Result<(), Error> {
        let mut transaction = self.begin_as_owner().await?;
        sqlx::query("UPDATE schedules SET due_at = 0 WHERE id IN (SELECT schedule FROM slots WHERE fate = 'waiting')")
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Stores the decisions for a schedule, and its notices: all of it, or nothing if it changed meanwhile ([`Error::LeaseLost`]).
    pub async fn keep_schedule(
        &self,
        stored: &StoredSchedule,
        schedule: &Schedule,
        due: &Due,
        notices: &[Notice],
        due_at: Option<Timestamp>,
    ) -> Result<Version, Error> {
        let kept = self.try_keep_schedule((stored, schedule), due, notices, due_at, None).await;
        let version = self.note_write(kept)?;
        self.changes.schedule_messages.notify_one();
        Ok(version)
    }

    async fn try_keep_schedule(
        &self,
        (stored, schedule): (&StoredSchedule, &Schedule),
        due: &Due,
        notices: &[Notice],
        due_at: Option<Timestamp>,
        act: Option<Act>,
    ) -> Result<Version, Error> {
        let mut transaction = self.begin_as_owner().await?;
        let version = write_schedule(&mut transaction, stored, schedule, due, due_at).await?;
        for notice in notices {
            schedule_notice::say(&mut transaction, schedule, notice, self.clock.now()).await?;
        }
        if let Some(act) = act {
            act::note(&mut transaction, &act, schedule, self.clock.now()).await?;
        }
        transaction.commit().await?;
        Ok(version)
    }

    /// The schedules that are due, longest waiting first.
    pub async fn due_schedules(&self, now: Timestamp, limit: usize) -> Result<Vec<StoredSchedule>, Error> {
        let rows = sqlx::query(
            "SELECT id, version, state FROM schedules WHERE is_removed = 0 AND due_at IS NOT NULL AND due_at <= $1 \
             ORDER BY due_at, id LIMIT $2",
        )
        .bind(now.as_millisecond())
        .bind(i64::try_from(limit).unwrap_or(i64::MAX))
        .fetch_all(&self.pool)
        .await?;
        Ok(rows.iter().filter_map(read).collect())
    }

    /// When the next schedule is due.
    pub async fn next_schedule_due(&self) -> Result<Option<Timestamp>, Error> {
        let row = sqlx::query("SELECT MIN(due_at) AS due_at FROM schedules WHERE is_removed = 0")
            .fetch_one(&self.pool)
            .await?;
        Ok(Row(&row).at("due_at"))
    }

    /// Makes every schedule due. For a process that has just started, whose clock and time zones may differ.
    pub async fn wake_schedules(&self) -> Result<(), Error> {
        let mut transaction = self.begin_as_owner().await?;
        sqlx::query("UPDATE schedules SET due_at = 0 WHERE is_removed = 0").execute(&mut *transaction).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Has the scheduler look immediately.
    pub(super) fn ring_schedules(&self) {
        self.changes.scheduler.notify_one();
        self.changes.groups.notify_one();
        self.changes.schedule_messages.notify_one();
    }
}

/// Stores a schedule and the decisions for it, unless it changed meanwhile ([`Error::LeaseLost`]).
pub(super) async fn write_schedule(
    transaction: &mut Transaction<'_, Any>,
    stored: &StoredSchedule,
    schedule: &Schedule,
    due: &Due,
    due_at: Option<Timestamp>,
) -> Result<Version, Error> {
    let says_something =
        stored.schedule != *schedule || due.given_up.is_some() || due.opened.is_some() || !due.closed.is_empty();
    let kept = sqlx::query(
        "UPDATE schedules SET version = version + $1, state = $2, due_at = $3, is_removed = $4, droplet_id = $5 \
         WHERE id = $6 AND version = $7",
    )
    .bind(i64::from(says_something))
    .bind(serde_json::to_string(schedule).map_err(Error::Unwritable)?)
    .bind(due_at.map(due_millis))
    .bind(i64::from(schedule.state == State::Removed))
    .bind(bits(schedule.droplet.0))
    .bind(schedule.id.to_string())
    .bind(stored.version.0)
    .execute(&mut **transaction)
    .await?;
    if kept.rows_affected() == 0 {
        return Err(Error::LeaseLost);
    }
    slots::write(transaction, stored, due).await?;
    Ok(Version(stored.version.0 + i64::from(says_something)))
}
