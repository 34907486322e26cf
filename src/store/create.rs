//! Creating operations. They are durable when these functions return.
//!
//! An interaction that Discord delivers twice creates one operation, and a Droplet has at most one running operation. In the same
//! transaction the new operation takes over what an ended one still owes the same Droplet.

use sqlx::{Any, AnyConnection, Transaction};

use super::{
    ConfirmationRefused, Consent, Engine, Error, Loaded, Store, calls, commit, confirmation, due_report, durations,
    event::{self, Audience, Event, What},
    group_run,
    operation_row::{self, select_stored},
    power_owed,
    requests::{claim_interaction, progress_of},
    row::{Row, bits, due_millis, without_nul},
    schedule_snapshot,
};
use crate::operation::{
    FirstAnswer, NewOperation, Operation,
    announce::Answering,
    ids::{ChannelId, DropletId, MessageId, OperationId},
    report::ReportKind,
    trigger::Trigger,
};

/// Why no operation was created.
#[derive(Debug, thiserror::Error)]
pub enum CreateError {
    /// The Droplet already has a running operation.
    #[error("begin: operation {operation} still runs on this Droplet")]
    AlreadyRunning {
        /// The running operation.
        operation: OperationId,
        /// The message that shows its progress, once posted.
        progress: Option<(ChannelId, MessageId)>,
    },
    /// A running operation uses the Snapshot in a way that forbids this one.
    #[error("begin: operation {operation} uses the Snapshot")]
    SnapshotInUse {
        /// The running operation.
        operation: OperationId,
        /// The message that shows its progress, once posted.
        progress: Option<(ChannelId, MessageId)>,
    },
    /// This interaction has already created this operation.
    #[error("begin: this interaction has begun operation {0} already")]
    Repeated(OperationId),
    /// Another operation already retries the failed one.
    #[error("begin: operation {operation} does it already")]
    TriedAgain {
        /// The operation that retries it.
        operation: OperationId,
        /// The message that shows its progress, once posted.
        progress: Option<(ChannelId, MessageId)>,
    },
    /// The operation needed a confirmation, and the answer does not count.
    #[error("begin: the confirmation does not count")]
    Unconfirmed(ConfirmationRefused),
    /// The planned time no longer waits for its turn, or its schedule is taking another Snapshot.
    #[error("begin: the planned time does not wait any more")]
    NotWaiting,
    /// The store failed.
    #[error(transparent)]
    Unavailable(#[from] Error),
}

impl From<sqlx::Error> for CreateError {
    fn from(error: sqlx::Error) -> Self {
        Self::Unavailable(error.into())
    }
}

/// How often a creation is tried again because an operation changed concurrently.
const ATTEMPTS: usize = 4;

/// One attempt to create an operation.
enum Attempt {
    Created(Box<Operation>),
    /// Meanwhile an older operation of the Droplet was committed, or another one was created.
    Overtaken,
}

impl Store {
    /// Creates an operation with estimates from earlier operations and with what an ended operation still owes the same Droplet. It is
    /// durable when this returns.
    pub async fn create(&self, request: NewOperation, trigger: impl Into<Trigger>) -> Result<Operation, CreateError> {
        self.create_answered(request, trigger, None, FirstAnswer::Taken).await
    }

    /// Creates an operation as [`create`](Self::create) does, with a person's confirmation. The answer is used up in the same transaction:
    /// it creates one operation, or can be given again.
    pub async fn create_confirmed(&self, request: NewOperation, consent: &Consent) -> Result<Operation, CreateError> {
        self.create_answered(request, consent.interaction, Some(consent), FirstAnswer::Taken).await
    }

    /// Creates an operation as [`create`](Self::create) does, with what is known about the first answer to the requester, and how they hear
    /// about the end. As long as the first answer is outstanding, nothing is sent to DigitalOcean.
    pub async fn create_answered(
        &self,
        request: NewOperation,
        trigger: impl Into<Trigger>,
        consent: Option<&Consent>,
        answering: impl Into<Answering>,
    ) -> Result<Operation, CreateError> {
        let (trigger, answering) = (trigger.into(), answering.into());
        // The remaining disk space is reserved for operations that already run.
        if self.writes.disk_is_full() {
            return Err(Error::Full.into());
        }
        for _ in 0..ATTEMPTS {
            let attempt = Box::pin(self.try_create(request.clone(), trigger, consent, answering)).await;
            if let Err(CreateError::Unavailable(error)) = &attempt {
                self.writes.note(Err(error));
            }
            match attempt? {
                Attempt::Created(operation) => {
                    self.writes.note(Ok(()));
                    self.changes.worker.notify_one();
                    self.changes.pings.notify_one();
                    self.changes.reporter.notify_one();
                    return Ok(*operation);
                }
                Attempt::Overtaken => {}
            }
        }
        Err(Error::Locked.into())
    }

    async fn try_create(
        &self,
        mut request: NewOperation,
        trigger: Trigger,
        consent: Option<&Consent>,
        answering: Answering,
    ) -> Result<Attempt, CreateError> {
        let mut transaction = self.begin_as_owner().await?;
        claim(&mut transaction, trigger, &request).await?;
        request.target.name = without_nul(&request.target.name);
        request.typical = durations::typical(&mut transaction, request.target.droplet).await?;
        let mut operation = Operation::new(request);
        operation.answer_by(answering);
        operation.trigger = Some(trigger);
        let by = Some(operation.requester.user).filter(|_| !operation.is_automatic());
        let mut events = vec![Event { at: operation.asked_at, by, what: What::Asked }];
        if let Some(consent) = consent {
            confirmation::use_up(&mut transaction, consent).await?.map_err(CreateError::Unconfirmed)?;
            events.push(Event { what: What::Confirmed, ..events[0].clone() });
            if let Some(failed) = consent.retries {
                self.claim_retry(&mut transaction, failed, &operation).await?;
            }
        }
        if let Some(user) = self.user_of_snapshot(&mut transaction, &operation).await? {
            let progress = progress_of(&mut transaction, user).await?;
            return Err(CreateError::SnapshotInUse { operation: user, progress });
        }
        let older = match operation.target.droplet {
            Some(droplet) => open_operations(&mut transaction, droplet).await?,
            None => Vec::new(),
        };
        for loaded in older {
            let mut older = loaded.operation.clone();
            if !older.may_hand_over() {
                let progress = progress_of(&mut transaction, older.id).await?;
                return Err(CreateError::AlreadyRunning { operation: older.id, progress });
            }
            operation.inherit(&mut older);
            match hand_over(&mut transaction, &loaded, &older, operation.id, operation.asked_at).await {
                Ok(()) => {}
                Err(Error::LeaseLost) => return Ok(Attempt::Overtaken),
                Err(error) => return Err(error.into()),
            }
            events.push(Event { at: operation.asked_at, by: None, what: What::Inherited(older.id) });
        }
        if !insert(&mut transaction, &operation, events.len()).await? {
            // The id is taken, or another request for the Droplet came first.
            return if id_is_taken(&mut transaction, operation.id).await? {
                Err(Error::IdTaken.into())
            } else {
                Ok(Attempt::Overtaken)
            };
        }
        if let Some(schedule) = trigger.schedule() {
            schedule_snapshot::begin(&mut transaction, schedule, &operation).await?;
        }
        if operation.power.owed().is_some() {
            power_owed::write(&mut transaction, &operation).await?;
        }
        for kind in due_report::called_for(None, &operation, self.notify_channel) {
            due_report::call(&mut transaction, &operation, kind, self.notify_channel, operation.asked_at).await?;
        }
        for (number, event) in (1..).zip(&events) {
            event::append(&mut transaction, operation.id, number, event, Audience::History).await?;
        }
        transaction.commit().await?;
        Ok(Attempt::Created(Box::new(operation)))
    }

    /// Records with the failed operation that `by` retries it. Fails if another operation already does.
    async fn claim_retry(
        &self,
        transaction: &mut Transaction<'_, Any>,
        failed: OperationId,
        by: &Operation,
    ) -> Result<(), CreateError> {
        // Numbers the event, and makes a second retry wait for the first.
        let row = sqlx::query("UPDATE operations SET events = events + 1 WHERE id = $1 RETURNING events")
            .bind(failed.to_string())
            .fetch_optional(&mut **transaction)
            .await?;
        let Some(number) = row.and_then(|row| Row(&row).number("events")) else { return Ok(()) };
        if let Some(operation) = event::retry_of(transaction, failed).await? {
            let progress = progress_of(transaction, operation).await?;
            return Err(CreateError::TriedAgain { operation, progress });
        }
        let event = Event { at: by.asked_at, by: Some(by.requester.user), what: What::TriedAgain(by.id) };
        event::append(transaction, failed, number, &event, Audience::History).await?;
        Ok(())
    }

    /// The running operation that uses the same Snapshot, if one of the two operations deletes it.
    async fn user_of_snapshot(
        &self,
        transaction: &mut Transaction<'_, Any>,
        wanted: &Operation,
    ) -> Result<Option<OperationId>, Error> {
        let Some(snapshot) = wanted.kind.snapshot() else { return Ok(None) };
        if self.engine == Engine::Postgres {
            // Two simultaneous creations would not see each other, so this one waits until the other's transaction ends.
            sqlx::query("SELECT pg_advisory_xact_lock($1)")
                .bind(bits(snapshot.id.0))
                .execute(&mut **transaction)
                .await?;
        }
        let rows =
            sqlx::query(select_stored!("WHERE o.is_open = 1 AND o.is_running = 1 AND o.kind <> 'take' ORDER BY o.id"))
                .fetch_all(&mut **transaction)
                .await?;
        let running = operation_row::read_all(&rows).into_iter().map(|stored| stored.operation);
        let forbids = |running: &Operation| {
            running.kind.snapshot().is_some_and(|used| used.id == snapshot.id)
                && (running.kind.deletes() || wanted.kind.deletes())
        };
        Ok(running.into_iter().find(forbids).map(|running| running.id))
    }
}

/// Claims the trigger for an operation, so that it creates no other one.
async fn claim(
    transaction: &mut Transaction<'_, Any>,
    trigger: Trigger,
    request: &NewOperation,
) -> Result<(), CreateError> {
    if let Some(interaction) = trigger.interaction()
        && let Some(earlier) = claim_interaction(transaction, interaction, request.id).await?
    {
        return Err(CreateError::Repeated(earlier));
    }
    match trigger {
        Trigger::Interaction(_) | Trigger::Run { .. } => Ok(()),
        Trigger::Slot { schedule, at, .. } => {
            schedule_snapshot::claim_slot(transaction, (schedule, at), request.id).await
        }
        Trigger::Member { run, .. } => group_run::claim_member(transaction, run, request).await,
        Trigger::Prune { schedule, taken_by } => {
            schedule_snapshot::claim_deletion(transaction, (schedule, taken_by), (request.id, request.asked_at)).await
        }
    }
}

async fn open_operations(connection: &mut AnyConnection, droplet: DropletId) -> Result<Vec<Loaded>, Error> {
    let rows =
        sqlx::query(select_stored!("WHERE o.droplet_id = $1 AND o.is_open = 1 ORDER BY o.is_running DESC, o.id"))
            .bind(bits(droplet.0))
            .fetch_all(connection)
            .await?;
    Ok(rows.iter().filter_map(|row| Loaded::read(Row(row))).collect())
}

/// Commits an ended operation that has just handed over what it owed, and is now completely finished.
async fn hand_over(
    transaction: &mut Transaction<'_, Any>,
    loaded: &Loaded,
    older: &Operation,
    to: OperationId,
    at: jiff::Timestamp,
) -> Result<(), Error> {
    let number = commit::update_numbering(transaction, loaded, older, None, 1).await?;
    power_owed::write(transaction, older).await?;
    if calls::changed(&loaded.operation, older) {
        calls::outdate(transaction, older.id).await?;
    }
    let event = Event { at, by: None, what: What::HandedOver(to) };
    event::append(transaction, older.id, number, &event, Audience::History).await
}

/// Inserts the row. Returns false if its id is taken or its Droplet has a running operation.
pub(super) async fn insert(
    connection: &mut AnyConnection,
    operation: &Operation,
    events: usize,
) -> Result<bool, Error> {
    let state = serde_json::to_string(operation).map_err(Error::Unwritable)?;
    let inserted = sqlx::query(
        "INSERT INTO operations (id, version, kind, droplet_id, droplet_name, asker_id, guild_id, channel_id, asked_at, \
         due_at, is_running, is_open, events, shown_version, state, deletes) \
         VALUES ($1, 1, $2, $3, $4, $5, $6, $7, $8, $9, 1, 1, $10, $11, $12, $13) ON CONFLICT DO NOTHING",
    )
    .bind(operation.id.to_string())
    .bind(operation.kind.word())
    .bind(operation.target.droplet.map(|droplet| bits(droplet.0)))
    .bind(operation.target.name.clone())
    .bind(bits(operation.requester.user.0))
    .bind(bits(operation.requester.guild.0))
    .bind(bits(operation.requester.channel.0))
    .bind(operation.asked_at.as_millisecond())
    .bind(due_millis(operation.first_due()))
    .bind(i64::try_from(events).unwrap_or(i64::MAX))
    // An operation without a progress message is never shown, and must not be selected for that.
    .bind(if operation.calls_for(ReportKind::Progress) { 0 } else { i64::MAX })
    .bind(state)
    .bind(operation.kind.snapshot().filter(|_| operation.kind.deletes()).map(|deleted| bits(deleted.id.0)))
    .execute(connection)
    .await?;
    Ok(inserted.rows_affected() > 0)
}

async fn id_is_taken(connection: &mut AnyConnection, id: OperationId) -> Result<bool, Error> {
    let rows =
        sqlx::query("SELECT id FROM operations WHERE id = $1").bind(id.to_string()).fetch_all(connection).await?;
    Ok(!rows.is_empty())
}
