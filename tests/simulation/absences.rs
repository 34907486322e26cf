//! Processes that are absent: they sleep and continue with what they had in memory, find the token unfit, or meet a faulty disk while they
//! take over.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use snapshot_bot::{
    digitalocean::http_types::TransportError,
    operation::{LONGEST_UNATTENDED, ids::OperationId},
    store,
};

use super::{
    Broken, Lawful, Simulation,
    conduct::CALLED_LATELY,
    coverage::Met,
    jobs::{Ask, Phase},
    mood::Mood,
    sabotage::Sabotage,
};

/// The pause between two checks whether people know that the token is unfit.
const CALLS_PAUSE: SignedDuration = SignedDuration::from_mins(1);
/// The pause before a process retries to take up what it could not store.
const STORE_PAUSE: SignedDuration = SignedDuration::from_secs(1);
const HOUR: i64 = 3_600;

/// Why the token must not be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unfit {
    /// DigitalOcean refuses it.
    Refused,
    /// It is not known to belong to the account of the Droplets.
    OtherAccount,
}

impl Simulation {
    /// The process stands still with everything that it has under way. No other process takes over, and it continues on its own.
    pub(crate) fn doze(&mut self) {
        if self.takes_over || self.asleep_since.is_some() {
            return;
        }
        let seconds = match self.dice.u8(..4) {
            0 => self.dice.i64(5..60),
            1 => self.dice.i64(60..HOUR / 4),
            2 => self.dice.i64(HOUR / 4..4 * HOUR),
            _ => self.dice.i64(4 * HOUR..72 * HOUR),
        };
        let wakes = self.now + SignedDuration::from_secs(seconds);
        self.asleep_since = Some(self.now);
        self.alive_from = wakes;
        self.conduct.trouble_at(self.now);
        self.note(format!("the process sleeps for {seconds} s"));
        for mut job in std::mem::take(&mut self.jobs) {
            job.at = job.at.max(wakes);
            let phase = std::mem::replace(&mut job.phase, Phase::Pausing);
            job.phase = self.slept_through(phase);
            self.jobs.push(job);
        }
    }

    /// How a turn continues that slept in this phase.
    fn slept_through(&mut self, phase: Phase) -> Phase {
        match phase {
            // The lease has expired, so the command is not sent.
            Phase::Begun(command, _) => {
                let refused = TransportError::Connect { reason: "too little of the lease is left".to_owned() };
                Phase::Arriving(Box::new(Ask::of_command(&command, 0)), None, Err(refused))
            }
            // An answer that arrived meanwhile may still be read; a look is given up.
            Phase::Arriving(ask, ticket, _) if ask.is_look() || self.dice.bool() => {
                let timed_out = TransportError::TimedOut { deadline: Duration::from_secs(10) };
                Phase::Arriving(ask, ticket, Err(timed_out))
            }
            other => other,
        }
    }

    /// The process continues. Operations that were unattended for long are taken up as by a new process.
    pub(crate) async fn wake(&mut self) -> Lawful {
        let Some(since) = self.asleep_since.take() else { return Ok(()) };
        let slept = self.now.duration_since(since);
        self.note("the process goes on");
        self.coverage.case("a process slept and goes on");
        self.conduct.wakes(self.now);
        if slept <= LONGEST_UNATTENDED {
            return Ok(());
        }
        if self.sabotage == Some(Sabotage::Sleep) {
            let open = self.store.open_operations().await?;
            self.conduct.takes_over(&open, slept, self.now);
            return Ok(());
        }
        (self.takes_over, self.awoken, self.left_at) = (true, true, Some(since));
        Ok(())
    }

    /// A process that starts may find that its token must not be used.
    pub(crate) fn find_the_token_unfit(&mut self) {
        self.unfit = None;
        if !self.is_rough() || !self.moods.has(Mood::UnfitTokens) || self.once_in(2) {
            return;
        }
        let why = if self.dice.bool() { Unfit::Refused } else { Unfit::OtherAccount };
        self.note(format!("the next process has an unfit token: {why:?}"));
        self.unfit = Some((why, self.alive_from));
        self.alive_from += SignedDuration::from_secs(self.dice.i64(5 * 60..40 * 60));
    }

    /// When the next call is due for Droplets that cannot be turned on because no token may be used.
    pub(crate) fn calls_at(&self) -> Option<Timestamp> {
        self.unfit.map(|(_, at)| at).filter(|_| self.now < self.alive_from)
    }

    /// Calls people about all owed power, unless they were called before.
    pub(crate) async fn call_for_a_token(&mut self) -> Lawful {
        let Some((why, at)) = self.unfit else { return Ok(()) };
        self.unfit = Some((why, at + CALLS_PAUSE));
        if self.sabotage != Some(Sabotage::Unfit) {
            for owed in self.store.power_owed().await? {
                let id = owed.operation;
                let wall = self.wall();
                let made = match why {
                    _ if self.knows_of_call(id) => continue,
                    Unfit::Refused => self.worker.on_token_revoked(id, &self.rules, wall).await,
                    Unfit::OtherAccount => self.worker.call_for_account(id, &self.rules, wall).await,
                };
                match made {
                    Ok(()) => {
                        self.unheard.remove(&id);
                        self.after_commit(id, None).await?;
                    }
                    Err(store::Error::LeaseLost) => {}
                    Err(error) => return Err(error.into()),
                }
            }
        }
        self.coverage.case("a token must not be used");
        let owing: Vec<OperationId> = self.owed.values().copied().collect();
        match owing.into_iter().find(|id| !self.knows_of_call(*id)) {
            Some(id) => {
                Err(Broken::Law(format!("{id} owes power, and nobody is called although no token may be used")))
            }
            None => Ok(()),
        }
    }

    /// Whether people were called about what an operation owes, or need not be.
    fn knows_of_call(&self, id: OperationId) -> bool {
        let is_called = |called: Timestamp| self.now < called.saturating_add(CALLED_LATELY).unwrap_or(called);
        self.operations.get(&id).is_none_or(|it| it.power.last_call().is_some() || !it.power.is_owed())
            || self.conduct.called_at(id).is_some_and(is_called)
    }

    /// A process that has just become active takes up every open operation. What cannot be stored is retried.
    pub(crate) async fn take_over(&mut self) -> Lawful {
        self.takes_over = false;
        let gap = self.left_at.take().map_or(SignedDuration::ZERO, |left| self.now.duration_since(left));
        if !std::mem::take(&mut self.awoken) {
            self.set_the_clock();
        }
        let open = self.store.open_operations().await?;
        self.conduct.takes_over(&open, gap, self.now);
        let mut is_complete = true;
        for id in open {
            if let Some(operation) = self.operations.get(&id) {
                self.coverage.count(operation, Met::Restarted);
            }
            let write = self.fate_of_write();
            self.process.paces.remove(&id);
            let (worker, rules, wall) = (self.worker.clone(), self.rules.clone(), self.wall());
            let (taken, is_written) = write.of(Box::pin(worker.on_restart(id, gap, &rules, wall))).await;
            if is_written {
                self.unheard.remove(&id);
                self.after_commit(id, None).await?;
            }
            match taken {
                Ok(()) | Err(store::Error::LeaseLost) => {}
                Err(error) => {
                    self.note(format!("{id} could not be taken up: {error}"));
                    self.coverage.case("a takeover meets a fault of the store");
                    is_complete = false;
                }
            }
        }
        if is_complete {
            self.note("a process takes over");
        } else if self.sabotage == Some(Sabotage::Takeover) {
            self.alive_from = self.now + SignedDuration::from_hours(24);
        } else {
            (self.takes_over, self.awoken) = (true, true);
            self.left_at = Some(self.now - gap);
            self.alive_from = self.now + STORE_PAUSE;
        }
        Ok(())
    }
}
