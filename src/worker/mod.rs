//! THE WRITE SIDE: advances operations, one turn at a time.
//!
//! A turn consists of three verbs: [`claim`](Worker::claim) what is due, [`begin`](Worker::begin) it (which commits the intent of a command
//! before it may be sent), [`finish`](Worker::finish) it with DigitalOcean's answer. The verbs touch only the store, so that a simulation
//! can call them; [`schedule`] decides whose turn it is, and [`run_loop`] sends the requests. This room knows nothing of Discord.

mod admission;
mod alongside;
mod commit_log;
mod commit_metrics;
pub mod continuity;
pub mod downtime_queue;
mod looks;
pub mod priority;
pub mod run_loop;
pub mod schedule;
pub mod translate;
mod unwritten;

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::{
    operation::{
        Blocker, Observation, Operation, Rules,
        effect::{Answer, Command, Effect},
        ids::OperationId,
        step::{State, Step, Task},
    },
    store::{Error, InstructionId, Loaded, Store, Version},
};
use unwritten::Unwritten;

/// The three verbs, over one store.
#[derive(Clone)]
pub struct Worker {
    store: Arc<Store>,
    unwritten: Unwritten,
}

/// An operation that has a request for DigitalOcean now. Only one holder can use it: the version in it fences every commit.
#[derive(Debug)]
pub struct Claimed {
    loaded: Loaded,
    operation: Operation,
    effect: Effect,
}

impl Claimed {
    /// The operation, with all instructions so far folded in.
    pub fn operation(&self) -> &Operation {
        &self.operation
    }

    /// The request to DigitalOcean: a look or a command, never a pause.
    pub fn effect(&self) -> &Effect {
        &self.effect
    }

    /// Whether going on means turning off a Droplet that is on now, which is the moment to ask whether the rest of the downtime fits the
    /// budget.
    pub fn opens_downtime(&self) -> bool {
        // A duty taken over from an older operation counts as a downtime already, and is attended to at once.
        self.operation.power.owed().is_none()
            && self.operation.current().is_some_and(|step| {
                step.task() == Task::ShutDown && step.began.is_none() && matches!(step.state, State::Waiting(_))
            })
    }
}

impl Worker {
    /// A worker over this store.
    pub fn new(store: Arc<Store>) -> Self {
        Self { store, unwritten: Unwritten::default() }
    }

    /// Folds in people's instructions and the passing of time. `None` if the operation has no request for DigitalOcean now, which is then stored.
    pub async fn claim(&self, id: OperationId, rules: &Rules, now: Timestamp) -> Result<Option<Claimed>, Error> {
        self.claim_by(Observation::Woke, id, rules, now).await
    }

    /// Like [`claim`](Self::claim), for an operation in the [`downtime_queue`]: if its row says that it waits to be called, that no longer
    /// holds.
    pub async fn claim_called(&self, id: OperationId, rules: &Rules, now: Timestamp) -> Result<Option<Claimed>, Error> {
        self.claim_by(Observation::Called, id, rules, now).await
    }

    async fn claim_by(
        &self,
        waking: Observation,
        id: OperationId,
        rules: &Rules,
        now: Timestamp,
    ) -> Result<Option<Claimed>, Error> {
        let Some(loaded) = self.store.bounded(self.store.load(id)).await? else { return Ok(None) };
        let (mut operation, heard_up_to) = self.unwritten.latest(&loaded);
        if let Some(Step { state: State::Intended { doubt: None, .. }, .. }) = operation.active_step() {
            operation = fold(&operation, Observation::AnswerLost, rules, now);
        }
        operation = hear(operation, &loaded, heard_up_to, rules, now);
        operation = fold(&operation, waking, rules, now);
        let effect = operation.next(rules, now);
        match effect {
            Effect::Look(_) | Effect::Send(_) => Ok(Some(Claimed { loaded, operation, effect })),
            Effect::Sleep(_) | Effect::Rest => {
                self.commit_or_keep(&loaded, &operation, rules, now).await?;
                Ok(None)
            }
        }
    }

    /// Prepares a request for sending. For a command this commits the intent, and with it the duty to turn the Droplet back on. Only turning
    /// a Droplet on goes ahead without that: its row says that power is owed, and a second time does no harm.
    pub async fn begin(&self, claimed: Claimed, rules: &Rules, now: Timestamp) -> Result<Claimed, Error> {
        let Effect::Send(command) = &claimed.effect else { return Ok(claimed) };
        let is_harmless = matches!(command, Command::PowerOn(_));
        let Claimed { mut loaded, operation, effect } = claimed;
        let operation = fold(&operation, Observation::Intended, rules, now);
        loaded.version = match self.commit(&loaded, &operation, rules, now).await {
            Err(error) if is_harmless && self.is_left_to_us(&error) => {
                tracing::warn!(%error, "the database takes no writes; turning the Droplet on all the same");
                return Ok(Claimed { loaded, operation, effect });
            }
            committed => committed?,
        };
        loaded.instructions.clear();
        loaded.operation = operation.clone();
        Ok(Claimed { loaded, operation, effect })
    }

    /// Folds in the answer and stores the consequences.
    pub async fn finish(&self, claimed: Claimed, answer: Answer, rules: &Rules, now: Timestamp) -> Result<(), Error> {
        let Claimed { loaded, operation, effect } = claimed;
        let observation = match effect {
            Effect::Look(look) => Observation::Seen(look, answer),
            Effect::Send(command) => Observation::Answered(command, answer),
            Effect::Sleep(_) | Effect::Rest => Observation::Woke,
        };
        let operation = fold(&operation, observation, rules, now);
        self.commit_or_keep(&loaded, &operation, rules, now).await
    }

    /// Postpones an operation whose next request may not be sent yet, and stores what it waits for.
    pub async fn defer(
        &self,
        claimed: Claimed,
        (why, until): (Blocker, Timestamp),
        rules: &Rules,
        now: Timestamp,
    ) -> Result<(), Error> {
        let operation = fold(&claimed.operation, Observation::Deferred(why, until), rules, now);
        self.commit_or_keep(&claimed.loaded, &operation, rules, now).await
    }

    /// Ends an operation's forward part because DigitalOcean refuses the token, and calls people if power is owed. For a process that is
    /// about to end, since nobody else would tell them.
    pub async fn on_token_revoked(&self, id: OperationId, rules: &Rules, now: Timestamp) -> Result<(), Error> {
        self.note(id, Observation::TokenRefused, rules, now).await
    }

    /// Takes up an operation in a process that has not handled it before. Nobody attended to it for `unattended_for`.
    pub async fn on_restart(
        &self,
        id: OperationId,
        unattended_for: SignedDuration,
        rules: &Rules,
        now: Timestamp,
    ) -> Result<(), Error> {
        self.note(id, Observation::Restarted(unattended_for), rules, now).await
    }

    /// Calls people if power is owed and the token is not known to belong to the Droplet's account. Ends nothing.
    pub async fn call_for_account(&self, id: OperationId, rules: &Rules, now: Timestamp) -> Result<(), Error> {
        self.note(id, Observation::OtherAccount, rules, now).await
    }

    /// Calls people if power has been owed for too long. For a process that may not send requests to DigitalOcean.
    pub async fn judge(&self, id: OperationId, rules: &Rules, now: Timestamp) -> Result<(), Error> {
        self.note(id, Observation::Woke, rules, now).await
    }

    /// Ends the forward part of an operation in whose turn this process panicked. Turning the Droplet back on continues from a new look.
    pub async fn halt(&self, id: OperationId, rules: &Rules, now: Timestamp) -> Result<(), Error> {
        let Some(loaded) = self.store.bounded(self.store.load(id)).await? else { return Ok(()) };
        let operation = loaded.operation.halt(now);
        self.commit(&loaded, &operation, rules, now).await.map(drop)
    }

    /// Gives up a state with which this process always panics, and continues with what the plain columns say: turning the Droplet back on.
    /// The state is kept for a person to read.
    pub async fn rescue(&self, id: OperationId, rules: &Rules, now: Timestamp) -> Result<(), Error> {
        let Some(loaded) = self.store.bounded(self.store.load_columns(id)).await? else { return Ok(()) };
        let mut operation = loaded.operation.clone();
        operation = fold(&operation, Observation::Woke, rules, now);
        self.commit(&loaded, &operation, rules, now).await.map(drop)
    }

    async fn note(
        &self,
        id: OperationId,
        observation: Observation,
        rules: &Rules,
        now: Timestamp,
    ) -> Result<(), Error> {
        let Some(loaded) = self.store.bounded(self.store.load(id)).await? else { return Ok(()) };
        // After the clock was set back, something due now would be due much later, so its time is stored again.
        let is_new_here = matches!(observation, Observation::Restarted(_));
        let (operation, heard_up_to) = self.unwritten.latest(&loaded);
        // The commit marks them as heard.
        let operation = hear(operation, &loaded, heard_up_to, rules, now);
        let operation = fold(&operation, observation, rules, now);
        if operation == loaded.operation && !is_new_here {
            return Ok(());
        }
        self.commit_or_keep(&loaded, &operation, rules, now).await
    }

    /// Like [`commit`](Self::commit). What cannot be stored is kept in memory if power is owed and no other process can go on.
    async fn commit_or_keep(
        &self,
        loaded: &Loaded,
        operation: &Operation,
        rules: &Rules,
        now: Timestamp,
    ) -> Result<(), Error> {
        let committed = self.commit(loaded, operation, rules, now).await.map(drop);
        if committed.as_ref().is_err_and(|error| self.is_left_to_us(error)) {
            self.unwritten.keep(loaded, operation);
        }
        committed
    }

    /// Whether no other process can go on with an operation although this one could not store its state.
    fn is_left_to_us(&self, error: &Error) -> bool {
        !self.store.is_shared() && !matches!(error, Error::LeaseLost)
    }

    async fn commit(
        &self,
        loaded: &Loaded,
        operation: &Operation,
        rules: &Rules,
        now: Timestamp,
    ) -> Result<Version, Error> {
        let due_at = match operation.next(rules, now) {
            // Before everything that is yet to be looked at: its own look is good only for seconds, and in a long queue it would look again
            // forever.
            Effect::Send(_) => Some(Timestamp::UNIX_EPOCH),
            Effect::Look(_) => Some(now),
            Effect::Sleep(until) => Some(until),
            Effect::Rest => None,
        };
        let version = self.store.bounded(self.store.commit(loaded, operation, due_at)).await?;
        self.unwritten.forget(operation.id);
        commit_metrics::changes(&loaded.operation, operation);
        commit_log::changes(&loaded.operation, operation);
        Ok(version)
    }
}

/// Folds in people's instructions after this one.
fn hear(
    operation: Operation,
    loaded: &Loaded,
    heard_up_to: Option<InstructionId>,
    rules: &Rules,
    now: Timestamp,
) -> Operation {
    let new = loaded.instructions.iter().filter(|(number, _)| Some(*number) > heard_up_to);
    new.fold(operation, |operation, (_, instructed)| fold(&operation, Observation::Instructed(*instructed), rules, now))
}

/// Folds in an observation. One that does not fit is a bug in the bot, and ends only the forward part of this operation.
fn fold(operation: &Operation, observation: Observation, rules: &Rules, now: Timestamp) -> Operation {
    operation.apply(observation, rules, now).unwrap_or_else(|illegal| {
        tracing::error!(operation.id = %operation.id, %illegal, "the operation is halted, power back goes on");
        operation.halt(now)
    })
}
