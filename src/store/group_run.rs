//! Runs of groups and their members. The members are fixed when a run begins, and each has at most one operation.
//!
//! `app` reads the open runs and records the phase of each member. A member's operation is created like any other, and claims its member in
//! the same transaction.

use jiff::Timestamp;
use sqlx::{Any, AnyConnection, Transaction, any::AnyRow};

use super::{
    Act, ConfirmationRefused, Consent, CreateError, Deed, Error, Store, act, confirmation,
    group_message::{self, DIRECT, ENDED, STATUS},
    row::{Row, bits, without_nul},
    schedule_ping, schedule_quality, schedule_row,
};
use crate::{
    operation::{
        NewOperation,
        announce::Tell,
        ids::{DropletId, GuildId, RunId, ScheduleId, UserId},
    },
    ping::Signal,
    schedule::{
        group::Excluded,
        notice::Notice,
        run::{Lost, Member, Phase, Plan, Run},
    },
};

/// Why a run did not begin.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// It needed a confirmation, and the answer does not count.
    #[error("begin a run: the answer does not count")]
    Unconfirmed(ConfirmationRefused),
    /// The planned time no longer waits, or another run of the schedule has not ended.
    #[error("begin a run: its time does not wait, or another one runs")]
    NotFree,
    /// The store failed.
    #[error(transparent)]
    Unavailable(#[from] Error),
}

impl From<sqlx::Error> for RunError {
    fn from(error: sqlx::Error) -> Self {
        Self::Unavailable(error.into())
    }
}

impl Store {
    /// Begins a run with these members, in this order: for the planned time that waits, or because a person confirmed it. The members are
    /// fixed from here on. A run that a person began is held until [`Store::release_run`] and begins no member before that.
    pub async fn begin_run(&self, plan: &Plan, members: &[Member], consent: Option<&Consent>) -> Result<(), RunError> {
        if consent.is_some() {
            self.held_runs.hold(plan.id);
        }
        let begun = self.try_to_begin_run(plan, members, consent).await;
        if begun.is_err() {
            self.held_runs.release(plan.id);
        }
        begun
    }

    async fn try_to_begin_run(
        &self,
        plan: &Plan,
        members: &[Member],
        consent: Option<&Consent>,
    ) -> Result<(), RunError> {
        let mut transaction = self.begin_as_owner().await?;
        if let Some(consent) = consent {
            confirmation::use_up(&mut transaction, consent).await?.map_err(RunError::Unconfirmed)?;
        }
        if let (Some(schedule), Some(slot)) = (plan.schedule, plan.slot) {
            let claimed = sqlx::query(
                "UPDATE slots SET fate = 'running' WHERE schedule = $1 AND planned_at = $2 AND fate = 'waiting' \
                 AND NOT EXISTS (SELECT 1 FROM slots r WHERE r.schedule = $1 AND r.fate = 'running')",
            )
            .bind(schedule.to_string())
            .bind(slot.as_millisecond())
            .execute(&mut *transaction)
            .await?;
            if claimed.rows_affected() == 0 {
                return Err(RunError::NotFree);
            }
        }
        let inserted = sqlx::query(
            "INSERT INTO group_runs (id, schedule, planned_at, version, plan) VALUES ($1, $2, $3, 1, $4) ON CONFLICT DO NOTHING",
        )
        .bind(plan.id.to_string())
        .bind(plan.schedule.map(|schedule| schedule.to_string()))
        .bind(plan.planned.as_millisecond())
        .bind(serde_json::to_string(plan).map_err(Error::Unwritable)?)
        .execute(&mut *transaction)
        .await?;
        if inserted.rows_affected() == 0 {
            return Err(RunError::NotFree);
        }
        if let Some(consent) = consent {
            act::note(&mut transaction, &consent.act(Deed::Began), plan, self.clock.now()).await?;
        }
        for (position, member) in (0_i64..).zip(members) {
            insert(&mut transaction, plan.id, position, member).await?;
        }
        match plan.schedule {
            Some(schedule) => {
                let start = (&*plan.id.to_string(), Signal::Start);
                schedule_ping::tell(&mut transaction, schedule, start, self.clock.now()).await?;
                schedule_row::touch(&mut transaction, schedule).await?;
            }
            None => group_message::open(&mut transaction, plan.id, STATUS, self.clock.now()).await?,
        }
        transaction.commit().await?;
        self.changes.pings.notify_one();
        self.ring_groups();
        Ok(())
    }

    /// All runs that have not ended, oldest first.
    pub async fn open_runs(&self) -> Result<Vec<Run>, Error> {
        let rows = sqlx::query(
            "SELECT id, version, stopped_by, ended_at, plan FROM group_runs WHERE ended_at IS NULL ORDER BY planned_at, id",
        )
        .fetch_all(&self.pool)
        .await?;
        self.with_members(&rows).await
    }

    /// The run with this id.
    pub async fn run(&self, id: RunId) -> Result<Option<Run>, Error> {
        let rows = sqlx::query("SELECT id, version, stopped_by, ended_at, plan FROM group_runs WHERE id = $1")
            .bind(id.to_string())
            .fetch_all(&self.pool)
            .await?;
        Ok(self.with_members(&rows).await?.pop())
    }

    /// The latest run of a schedule.
    pub async fn latest_run(&self, schedule: ScheduleId) -> Result<Option<Run>, Error> {
        let rows = sqlx::query(
            "SELECT id, version, stopped_by, ended_at, plan FROM group_runs WHERE schedule = $1 \
             ORDER BY planned_at DESC, id DESC LIMIT 1",
        )
        .bind(schedule.to_string())
        .fetch_all(&self.pool)
        .await?;
        Ok(self.with_members(&rows).await?.pop())
    }

    async fn with_members(&self, rows: &[AnyRow]) -> Result<Vec<Run>, Error> {
        let mut runs = Vec::new();
        for row in rows {
            let Some(run) = read_run(row) else { continue };
            let members = sqlx::query(
                "SELECT droplet_id, name, phase, why, is_good, since, operation FROM group_members WHERE run = $1 \
                 ORDER BY position",
            )
            .bind(run.plan.id.to_string())
            .fetch_all(&self.pool)
            .await?;
            runs.push(Run { members: members.iter().filter_map(read_member).collect(), ..run });
        }
        Ok(runs)
    }

    /// Records the phase of a member, unless another process was faster ([`Error::LeaseLost`]).
    pub async fn note_member(&self, run: &Run, member: &Member, phase: Phase) -> Result<(), Error> {
        let mut transaction = self.begin_as_owner().await?;
        let written = Written::of(phase);
        let noted = sqlx::query(
            "UPDATE group_members SET phase = $1, why = $2, is_good = $3, since = $4 \
             WHERE run = $5 AND droplet_id = $6 AND phase = $7",
        )
        .bind(written.phase)
        .bind(written.why)
        .bind(i64::from(written.is_good))
        .bind(written.since.map(Timestamp::as_millisecond))
        .bind(run.plan.id.to_string())
        .bind(bits(member.droplet.0))
        .bind(Written::of(member.phase).phase)
        .execute(&mut *transaction)
        .await?;
        if noted.rows_affected() == 0 {
            return Err(Error::LeaseLost);
        }
        touch(&mut transaction, run.plan.id, run.plan.schedule).await?;
        transaction.commit().await?;
        self.ring_messages();
        Ok(())
    }

    /// Ends a run: members that have not begun never will, its planned time gets its state, and people are notified. `notice` says what is
    /// wrong if not every member has a Snapshot.
    pub async fn end_run(&self, run: &Run, notice: Option<&Notice>) -> Result<(), Error> {
        let (id, now) = (run.plan.id, self.clock.now());
        let mut transaction = self.begin_as_owner().await?;
        let ended =
            sqlx::query("UPDATE group_runs SET ended_at = $1 WHERE id = $2 AND ended_at IS NULL AND version = $3")
                .bind(now.as_millisecond())
                .bind(id.to_string())
                .bind(run.version)
                .execute(&mut *transaction)
                .await?;
        if ended.rows_affected() == 0 {
            return Err(Error::LeaseLost);
        }
        sqlx::query("UPDATE group_members SET phase = 'left' WHERE run = $1 AND phase = 'waiting'")
            .bind(id.to_string())
            .execute(&mut *transaction)
            .await?;
        if let (Some(schedule), Some(slot)) = (run.plan.schedule, run.plan.slot) {
            let (what, why) = run.state().words();
            sqlx::query(
                "UPDATE slots SET fate = $1, why = $2 WHERE schedule = $3 AND planned_at = $4 AND fate = 'running'",
            )
            .bind(what)
            .bind(why)
            .bind(schedule.to_string())
            .bind(slot.as_millisecond())
            .execute(&mut *transaction)
            .await?;
        }
        if let Some(schedule) = run.plan.schedule {
            schedule_quality::tell_end(&mut transaction, schedule, (run, notice), now).await?;
        } else {
            group_message::open(&mut transaction, id, ENDED, now).await?;
            if run.announced() == Tell::Direct {
                group_message::open(&mut transaction, id, DIRECT, now).await?;
            }
        }
        touch(&mut transaction, id, run.plan.schedule).await?;
        transaction.commit().await?;
        self.changes.pings.notify_one();
        self.ring_schedules();
        self.ring_messages();
        Ok(())
    }

    /// Records that this person, in this guild, stops the run, so that no further member begins. Returns whether the run was still open.
    pub async fn stop_run(&self, plan: &Plan, (by, guild): (UserId, GuildId)) -> Result<bool, Error> {
        let mut transaction = self.begin_as_owner().await?;
        let stopped = sqlx::query(
            "UPDATE group_runs SET stopped_by = $1, version = version + 1 WHERE id = $2 AND ended_at IS NULL AND stopped_by IS NULL",
        )
        .bind(bits(by.0))
        .bind(plan.id.to_string())
        .execute(&mut *transaction)
        .await?;
        let is_heard = stopped.rows_affected() > 0;
        if is_heard {
            act::note(&mut transaction, &Act { by, guild, what: Deed::Stopped }, plan, self.clock.now()).await?;
        }
        transaction.commit().await?;
        self.ring_groups();
        Ok(is_heard)
    }

    pub(super) fn ring_groups(&self) {
        self.changes.groups.notify_one();
        self.ring_messages();
    }

    fn ring_messages(&self) {
        self.changes.group_messages.notify_one();
        self.changes.schedule_messages.notify_one();
    }
}

/// Claims a member for the operation that takes its Snapshot. Also enforces the run's limit of members at once.
pub(super) async fn claim_member(
    transaction: &mut Transaction<'_, Any>,
    run: RunId,
    request: &NewOperation,
) -> Result<(), CreateError> {
    let Some(droplet) = request.target.droplet else { return Err(CreateError::NotWaiting) };
    let row = sqlx::query(
        "SELECT id, version, stopped_by, ended_at, plan FROM group_runs WHERE id = $1 AND ended_at IS NULL AND stopped_by IS NULL",
    )
    .bind(run.to_string())
    .fetch_optional(&mut **transaction)
    .await?;
    let Some(run) = row.as_ref().and_then(read_run) else { return Err(CreateError::NotWaiting) };
    let claimed = sqlx::query(
        "UPDATE group_members SET phase = 'taking', operation = $1 WHERE run = $2 AND droplet_id = $3 AND phase = 'waiting' \
         AND (SELECT COUNT(*) FROM group_members m WHERE m.run = $2 AND m.phase IN ('taking', 'returning')) < $4 \
         AND NOT EXISTS (SELECT 1 FROM group_members m WHERE m.run = $2 AND m.phase = 'lost')",
    )
    .bind(request.id.to_string())
    .bind(run.plan.id.to_string())
    .bind(bits(droplet.0))
    .bind(i64::from(run.plan.group.at_once.max(1)))
    .execute(&mut **transaction)
    .await?;
    if claimed.rows_affected() == 0 {
        return Err(CreateError::NotWaiting);
    }
    touch(transaction, run.plan.id, run.plan.schedule).await?;
    Ok(())
}

/// Marks the messages of a changed run as outdated.
async fn touch(connection: &mut AnyConnection, run: RunId, schedule: Option<ScheduleId>) -> Result<(), Error> {
    sqlx::query("UPDATE group_runs SET version = version + 1 WHERE id = $1")
        .bind(run.to_string())
        .execute(&mut *connection)
        .await?;
    match schedule {
        Some(schedule) => schedule_row::touch(connection, schedule).await,
        None => Ok(()),
    }
}

async fn insert(connection: &mut AnyConnection, run: RunId, position: i64, member: &Member) -> Result<(), Error> {
    let written = Written::of(member.phase);
    sqlx::query(
        "INSERT INTO group_members (run, droplet_id, position, name, phase, why, is_good) \
         VALUES ($1, $2, $3, $4, $5, $6, 0) ON CONFLICT DO NOTHING",
    )
    .bind(run.to_string())
    .bind(bits(member.droplet.0))
    .bind(position)
    .bind(without_nul(&member.name))
    .bind(written.phase)
    .bind(written.why)
    .execute(connection)
    .await?;
    Ok(())
}

/// A phase as columns.
struct Written {
    phase: &'static str,
    why: &'static str,
    is_good: bool,
    since: Option<Timestamp>,
}

impl Written {
    fn of(phase: Phase) -> Self {
        let is_good = phase.is_good();
        let (phase, why, since) = match phase {
            Phase::Waiting => ("waiting", "", None),
            Phase::Taking => ("taking", "", None),
            Phase::Returning { since, .. } => ("returning", "", Some(since)),
            Phase::Done { at, .. } => ("done", "", Some(at)),
            Phase::Lost { why: Lost::NotActive, .. } => ("lost", "not active", None),
            Phase::Lost { why: Lost::Check, .. } => ("lost", "check", None),
            Phase::Left => ("left", "", None),
            Phase::Excluded(why) => ("excluded", why.word(), None),
        };
        Self { phase, why, is_good, since }
    }
}

pub(super) fn read_run(row: &AnyRow) -> Option<Run> {
    let row = Row(row);
    match serde_json::from_str(row.text("plan").unwrap_or_default()) {
        Ok(plan) => Some(Run {
            plan,
            members: Vec::new(),
            stopped_by: row.id("stopped_by").map(UserId),
            ended_at: row.at("ended_at"),
            version: row.number("version").unwrap_or_default(),
        }),
        Err(error) => {
            tracing::error!(run.id = row.text("id"), %error, "the run of a group cannot be read, and does not go on");
            None
        }
    }
}

fn read_member(row: &AnyRow) -> Option<Member> {
    use strum::IntoEnumIterator as _;
    let row = Row(row);
    let is_good = row.number("is_good") == Some(1);
    let since = row.at("since").unwrap_or_default();
    let why = row.text("why").unwrap_or_default();
    let phase = match row.text("phase").unwrap_or_default() {
        "waiting" => Phase::Waiting,
        "taking" => Phase::Taking,
        "returning" => Phase::Returning { is_good, since },
        "done" => Phase::Done { is_good, at: since },
        "left" => Phase::Left,
        "excluded" => Phase::Excluded(Excluded::iter().find(|known| known.word() == why).unwrap_or(Excluded::Own)),
        // An unknown word stops the run, which does no harm.
        _ if why == "check" => Phase::Lost { is_good, why: Lost::Check },
        _ => Phase::Lost { is_good, why: Lost::NotActive },
    };
    Some(Member {
        droplet: DropletId(row.id("droplet_id")?),
        name: row.text("name").unwrap_or_default().to_owned(),
        phase,
        operation: row.text("operation").and_then(|id| id.parse().ok()),
    })
}
