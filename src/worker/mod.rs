//! THE WRITE SIDE: carries operations on, one turn at a time.
//!
//! A turn is three verbs: [`claim`](Worker::claim) what is due, [`begin`](Worker::begin) it (which commits the intent of a command
//! before it may leave), [`finish`](Worker::finish) it with DigitalOcean's answer. The verbs touch the store and nothing else, so that a
//! simulation can call them; [`schedule`] decides whose turn it is, and [`run_loop`] carries the requests out. Knows nothing of Discord.

mod admission;
mod alongside;
pub mod attendance;
mod commit_log;
mod commit_metrics;
pub mod downtime_queue;
mod looks;
pub mod priority;
pub mod run_loop;
pub mod schedule;
pub mod translate;

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::{
    operation::{
        Blocker, Observation, Operation, Rules,
        effect::{Answer, Effect},
        ids::OperationId,
        step::{State, Step, Task},
    },
    store::{Error, Loaded, Store, Version},
};

/// The three verbs, over one store.
#[derive(Clone)]
pub struct Worker {
    store: Arc<Store>,
}

/// An operation that has something to ask of DigitalOcean now. Anyone who holds it is the only one to do so: the version in
/// it fences every commit.
#[derive(Debug)]
pub struct Claimed {
    loaded: Loaded,
    operation: Operation,
    effect: Effect,
}

impl Claimed {
    /// The operation, with everything folded in that was said of it so far.
    pub fn operation(&self) -> &Operation {
        &self.operation
    }

    /// What to ask of DigitalOcean: a look or a command, never a pause.
    pub fn effect(&self) -> &Effect {
        &self.effect
    }

    /// Whether going on means to turn off a Droplet that is on now: the moment to ask whether all the rest fits the budget.
    pub fn opens_downtime(&self) -> bool {
        // What it took over from an older one counts as down already, and is looked after at once.
        self.operation.power.owed().is_none()
            && self.operation.current().is_some_and(|step| {
                step.task() == Task::ShutDown && step.began.is_none() && matches!(step.state, State::Waiting(_))
            })
    }
}

impl Worker {
    /// A worker over this store.
    pub fn new(store: Arc<Store>) -> Self {
        Self { store }
    }

    /// Folds in what people said and what time did. None if nothing is to be asked of DigitalOcean now, which is then stored.
    pub async fn claim(&self, id: OperationId, rules: &Rules, now: Timestamp) -> Result<Option<Claimed>, Error> {
        self.claim_by(Observation::Woke, id, rules, now).await
    }

    /// The same for one that stands in the [`downtime_queue`]: its row may say that it waits to be called, which counts no more.
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
        let mut operation = loaded.operation.clone();
        if let Some(Step { state: State::Intended { doubt: None, .. }, .. }) = operation.active_step() {
            operation = fold(&operation, Observation::AnswerLost, rules, now);
        }
        for (_, wished) in &loaded.wishes {
            operation = fold(&operation, Observation::Wished(*wished), rules, now);
        }
        operation = fold(&operation, waking, rules, now);
        let effect = operation.next(rules, now);
        match effect {
            Effect::Look(_) | Effect::Send(_) => Ok(Some(Claimed { loaded, operation, effect })),
            Effect::Sleep(_) | Effect::Rest => {
                self.commit(&loaded, &operation, rules, now).await?;
                Ok(None)
            }
        }
    }

    /// Makes a request ready to leave. For a command this commits the intent, and with it that power is owed.
    pub async fn begin(&self, claimed: Claimed, rules: &Rules, now: Timestamp) -> Result<Claimed, Error> {
        let Effect::Send(_) = claimed.effect else { return Ok(claimed) };
        let Claimed { mut loaded, operation, effect } = claimed;
        let operation = fold(&operation, Observation::Intended, rules, now);
        loaded.version = self.commit(&loaded, &operation, rules, now).await?;
        loaded.wishes.clear();
        loaded.operation = operation.clone();
        Ok(Claimed { loaded, operation, effect })
    }

    /// Folds the answer in and stores what follows from it.
    pub async fn finish(&self, claimed: Claimed, answer: Answer, rules: &Rules, now: Timestamp) -> Result<(), Error> {
        let Claimed { loaded, operation, effect } = claimed;
        let observation = match effect {
            Effect::Look(look) => Observation::Seen(look, answer),
            Effect::Send(command) => Observation::Answered(command, answer),
            Effect::Sleep(_) | Effect::Rest => Observation::Woke,
        };
        let operation = fold(&operation, observation, rules, now);
        self.commit(&loaded, &operation, rules, now).await.map(drop)
    }

    /// Puts an operation off whose next request may not leave yet, and says what it waits for.
    pub async fn defer(
        &self,
        claimed: Claimed,
        (why, until): (Blocker, Timestamp),
        rules: &Rules,
        now: Timestamp,
    ) -> Result<(), Error> {
        let operation = fold(&claimed.operation, Observation::Deferred(why, until), rules, now);
        self.commit(&claimed.loaded, &operation, rules, now).await.map(drop)
    }

    /// Ends what an operation wants of a DigitalOcean that refuses the token, and lets people be called where power is owed. For a
    /// process that is about to end: nobody else would tell them.
    pub async fn on_token_revoked(&self, id: OperationId, rules: &Rules, now: Timestamp) -> Result<(), Error> {
        self.note(id, Observation::TokenRefused, rules, now).await
    }

    /// Takes an operation up in a process that has not had it before. Nobody looked after it for `unattended_for`.
    pub async fn on_restart(
        &self,
        id: OperationId,
        unattended_for: SignedDuration,
        rules: &Rules,
        now: Timestamp,
    ) -> Result<(), Error> {
        self.note(id, Observation::Restarted(unattended_for), rules, now).await
    }

    /// Lets people be called where power is owed and the token is not known to be of the Droplet's account. Nothing ends.
    pub async fn call_for_account(&self, id: OperationId, rules: &Rules, now: Timestamp) -> Result<(), Error> {
        self.note(id, Observation::OtherAccount, rules, now).await
    }

    /// Lets people be called where power has been owed for too long. For a process that may ask DigitalOcean for nothing.
    pub async fn judge(&self, id: OperationId, rules: &Rules, now: Timestamp) -> Result<(), Error> {
        self.note(id, Observation::Woke, rules, now).await
    }

    /// Ends the forward part of an operation in whose turn this process panicked. Power back goes on, from a new look.
    pub async fn halt(&self, id: OperationId, rules: &Rules, now: Timestamp) -> Result<(), Error> {
        let Some(loaded) = self.store.bounded(self.store.load(id)).await? else { return Ok(()) };
        let operation = loaded.operation.halt(now);
        self.commit(&loaded, &operation, rules, now).await.map(drop)
    }

    /// Gives up a state with which this process panics whatever it does, and carries on what the plain columns say of it: power back.
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
        // By a clock that was set back, what was due at once is due much later: its time is written down once more.
        let is_new_here = matches!(observation, Observation::Restarted(_));
        let mut operation = loaded.operation.clone();
        // The commit marks them as heard.
        for (_, wished) in &loaded.wishes {
            operation = fold(&operation, Observation::Wished(*wished), rules, now);
        }
        operation = fold(&operation, observation, rules, now);
        if operation == loaded.operation && !is_new_here {
            return Ok(());
        }
        self.commit(&loaded, &operation, rules, now).await.map(drop)
    }

    async fn commit(
        &self,
        loaded: &Loaded,
        operation: &Operation,
        rules: &Rules,
        now: Timestamp,
    ) -> Result<Version, Error> {
        let due_at = match operation.next(rules, now) {
            // Before all that is yet to be looked at: its own look is good for seconds only, and in a long line it would look forever.
            Effect::Send(_) => Some(Timestamp::UNIX_EPOCH),
            Effect::Look(_) => Some(now),
            Effect::Sleep(until) => Some(until),
            Effect::Rest => None,
        };
        let version = self.store.bounded(self.store.commit(loaded, operation, due_at)).await?;
        commit_metrics::changes(&loaded.operation, operation);
        commit_log::changes(&loaded.operation, operation);
        Ok(version)
    }
}

/// An observation that does not fit is a bug of ours: it ends the forward part of this operation, and nothing else.
fn fold(operation: &Operation, observation: Observation, rules: &Rules, now: Timestamp) -> Operation {
    operation.apply(observation, rules, now).unwrap_or_else(|illegal| {
        tracing::error!(operation.id = %operation.id, %illegal, "the operation is halted, power back goes on");
        operation.halt(now)
    })
}
