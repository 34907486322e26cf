//! New operations. Durable when these functions return.
//!
//! An interaction that Discord delivers twice begins one operation, and a Droplet has one that runs. What an ended one still owes the
//! same Droplet is taken over in the same transaction.

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
    /// The Droplet has one already.
    #[error("begin: operation {operation} still runs on this Droplet")]
    AlreadyRunning {
        /// Which.
        operation: OperationId,
        /// Where people see its progress, once it was posted.
        progress: Option<(ChannelId, MessageId)>,
    },
    /// An operation that runs uses the Snapshot in a way that forbids this one.
    #[error("begin: operation {operation} uses the Snapshot")]
    SnapshotInUse {
        /// Which.
        operation: OperationId,
        /// Where people see its progress, once it was posted.
        progress: Option<(ChannelId, MessageId)>,
    },
    /// This interaction has created an operation already: it is the same one.
    #[error("begin: this interaction has begun operation {0} already")]
    Repeated(OperationId),
    /// What failed was begun once more already.
    #[error("begin: operation {operation} does it already")]
    TriedAgain {
        /// By this operation.
        operation: OperationId,
        /// Where people see its progress, once it was posted.
        progress: Option<(ChannelId, MessageId)>,
    },
    /// It was to be confirmed, and the answer does not count.
    #[error("begin: the confirmation does not count")]
    Unconfirmed(ConfirmationRefused),
    /// The planned time does not wait for its turn any more, or its schedule takes another Snapshot just now.
    #[error("begin: the planned time does not wait any more")]
    NotWaiting,
    /// The store did not do it.
    #[error(transparent)]
    Unavailable(#[from] Error),
}

impl From<sqlx::Error> for CreateError {
    fn from(error: sqlx::Error) -> Self {
        Self::Unavailable(error.into())
    }
}

/// How often a creation is tried again when an operation changed under its hands.
const ATTEMPTS: usize = 4;

/// One try to create an operation.
enum Attempt {
    Created(Box<Operation>),
    /// An older operation of the Droplet was committed, or another created, meanwhile.
    Overtaken,
}

impl Store {
    /// Creates the operation that a request asks for, with its history's estimates and with what an ended operation still owes
    /// the same Droplet. Durable when it returns.
    pub async fn create(&self, request: NewOperation, trigger: impl Into<Trigger>) -> Result<Operation, CreateError> {
        self.create_answered(request, trigger, None, FirstAnswer::Taken).await
    }

    /// The same for what a person was asked about first. In one transaction with using up their answer: it begins one operation,
    /// or can be given again.
    pub async fn create_confirmed(&self, request: NewOperation, consent: &Consent) -> Result<Operation, CreateError> {
        self.create_answered(request, consent.interaction, Some(consent), FirstAnswer::Taken).await
    }

    /// The same, with what is known of the first answer to the person who asked, and how they hear of the end. While the first answer is
    /// awaited, nothing is done.
    pub async fn create_answered(
        &self,
        request: NewOperation,
        trigger: impl Into<Trigger>,
        consent: Option<&Consent>,
        answering: impl Into<Answering>,
    ) -> Result<Operation, CreateError> {
        let (trigger, answering) = (trigger.into(), answering.into());
        // What is left of the room on the disk is for what is under way.
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
        request.usual = durations::usual(&mut transaction, request.target.droplet).await?;
        let mut operation = Operation::new(request);
        operation.answer_by(answering);
        operation.trigger = Some(trigger);
        let by = Some(operation.asker.user).filter(|_| !operation.is_automatic());
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
            // The id is taken, or another request for the Droplet was quicker.
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

    /// Notes with what failed that this operation makes it good; refused where another does.
    async fn claim_retry(
        &self,
        transaction: &mut Transaction<'_, Any>,
        failed: OperationId,
        by: &Operation,
    ) -> Result<(), CreateError> {
        // Numbers the event, and makes a second person wait for the first.
        let row = sqlx::query("UPDATE operations SET events = events + 1 WHERE id = $1 RETURNING events")
            .bind(failed.to_string())
            .fetch_optional(&mut **transaction)
            .await?;
        let Some(number) = row.and_then(|row| Row(&row).number("events")) else { return Ok(()) };
        if let Some(operation) = event::retry_of(transaction, failed).await? {
            let progress = progress_of(transaction, operation).await?;
            return Err(CreateError::TriedAgain { operation, progress });
        }
        let event = Event { at: by.asked_at, by: Some(by.asker.user), what: What::TriedAgain(by.id) };
        event::append(transaction, failed, number, &event, Audience::History).await?;
        Ok(())
    }

    /// The running operation that uses the same Snapshot, where one of the two deletes it.
    async fn user_of_snapshot(
        &self,
        transaction: &mut Transaction<'_, Any>,
        wanted: &Operation,
    ) -> Result<Option<OperationId>, Error> {
        let Some(snapshot) = wanted.kind.snapshot() else { return Ok(None) };
        if self.engine == Engine::Postgres {
            // Two creations at once would not see each other; this one waits for the other's end.
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

/// Takes for an operation what triggers it, so that it triggers no other one.
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

/// Commits an ended operation that has just handed over what it owed: it is done for good.
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

/// Writes the row; false if its id is taken or its Droplet has a running operation.
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
    .bind(bits(operation.asker.user.0))
    .bind(bits(operation.asker.guild.0))
    .bind(bits(operation.asker.channel.0))
    .bind(operation.asked_at.as_millisecond())
    .bind(due_millis(operation.first_due()))
    .bind(i64::try_from(events).unwrap_or(i64::MAX))
    // What has no message of its own is never shown, and not looked at for that.
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
