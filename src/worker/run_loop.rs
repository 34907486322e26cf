//! The glue around the three verbs: finds what is due, sends its requests within the budget and the lease, and waits.

use std::{
    collections::{HashMap, HashSet},
    panic::AssertUnwindSafe,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures_util::{FutureExt, StreamExt, stream::FuturesUnordered};
use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, Span, field::Empty, info_span};

use super::{
    Claimed, Worker,
    admission::Admission,
    alongside::alongside,
    continuity::Continuity,
    looks::{Looked, Looks},
    priority,
    schedule::{self, Ending, OnceAdmitted, Places, Prospect, STORE_PAUSE, Vacancy},
    translate,
};
use crate::{
    clock::Clock,
    digitalocean::client::Client,
    operation::{
        Blocker, Rules,
        effect::{Answer, Command, Effect},
        ids::OperationId,
        reading::Trouble,
    },
    store::{Error, Lease, Store, Whose, deadlines::NEEDED_TO_SEND},
};

/// The minimum time between two counts of open operations, since there may be thousands.
const COUNTED_EVERY_MILLIS: u64 = 1_000;

/// Runs turns until it is told to stop.
pub struct RunLoop {
    store: Arc<Store>,
    worker: Worker,
    client: Client,
    looks: Looks,
    lease: Arc<Lease>,
    rules: Rules,
    clock: Clock,
    continuity: Arc<Continuity>,
    /// Operations with a turn in this process, and what wakes each postponed one when somebody says something to it.
    busy: Mutex<HashMap<OperationId, Arc<Notify>>>,
    /// Which operations may begin a downtime next.
    admission: Admission,
    /// Set when somebody said something and the recipients have not been looked up yet.
    said: AtomicBool,
    /// How many operations are still open, as of the last count.
    open: AtomicUsize,
    /// When they were last counted, in milliseconds.
    counted_at: AtomicI64,
}

/// What the loop works with.
pub struct Parts {
    /// Operations and their due times.
    pub store: Arc<Store>,
    /// The client for DigitalOcean.
    pub client: Client,
    /// The right to send commands.
    pub lease: Arc<Lease>,
    /// Times from the configuration.
    pub rules: Rules,
    /// The present moment.
    pub clock: Clock,
    /// Which operations must be taken up before they continue.
    pub continuity: Arc<Continuity>,
}

impl RunLoop {
    /// A loop with these parts.
    pub fn new(parts: Parts) -> Self {
        let Parts { store, client, lease, rules, clock, continuity } = parts;
        let interval = Duration::try_from(rules.poll_interval).unwrap_or_default();
        Self {
            worker: Worker::new(Arc::clone(&store)),
            admission: Admission::new(Arc::clone(&store), client.clone()),
            looks: Looks::new(client.clone(), interval, clock.clone()),
            store,
            client,
            lease,
            rules,
            clock,
            continuity,
            busy: Mutex::default(),
            said: AtomicBool::new(false),
            open: AtomicUsize::new(0),
            counted_at: AtomicI64::new(0),
        }
    }

    /// Advances operations until `shutdown`, then waits for the running turns to reach their commit.
    pub async fn run(self, shutdown: CancellationToken) {
        let mut turns = FuturesUnordered::new();
        // Operations that panic whatever is done take up no place while they are left alone.
        let mut left_alone = FuturesUnordered::new();
        let places = Places::USUAL;
        while !shutdown.is_cancelled() {
            let woken = self.store.changes().worker.notified();
            // Let the turns continue meanwhile: one of them may hold the only connection that this query waits for.
            let under_way = turns.len();
            let look = pin!(self.due(places.free(under_way)));
            let found = alongside(look, &mut turns, |ended| left_alone.extend(self.leave_alone(ended)));
            let (due, next) = match found.await {
                Ok(found) => found,
                Err(error) => {
                    tracing::warn!(%error, "could not read what is due");
                    (Vec::new(), Some(self.clock.now() + STORE_PAUSE))
                }
            };
            // A turn that ended meanwhile still counted as running in that query: its operation may already be due.
            let look_again = !due.is_empty() || turns.len() < under_way;
            for id in due {
                self.busy.lock().insert(id, Arc::default());
                turns.push(self.turn(id).map(move |ending| (id, ending)));
            }
            let has_room = !places.are_taken(turns.len());
            let wake = schedule::next_look(look_again, next, self.clock.now());
            tokio::select! {
                () = shutdown.cancelled() => break,
                Some(ended) = turns.next() => left_alone.extend(self.leave_alone(ended)),
                Some(id) = left_alone.next() => self.set_free(id),
                () = woken, if has_room => self.said.store(true, Ordering::Relaxed),
                () = self.clock.sleep_until(wake), if has_room => {}
            }
        }
        while turns.next().await.is_some() {}
    }

    /// The pause, if any, before an operation whose turn ended is taken up again.
    fn leave_alone(&self, (id, ending): (OperationId, Ending)) -> Option<impl Future<Output = OperationId>> {
        self.admission.turn_ended(id, ending);
        let pause = ending.leaves_alone_for();
        if pause.is_none() {
            self.set_free(id);
        }
        let spoken_to = self.busy.lock().get(&id).map(Arc::clone).unwrap_or_default();
        let hears = matches!(ending, Ending::PutOff(_));
        pause.map(|pause| {
            async move {
                tokio::select! {
                    () = self.clock.sleep_until(self.clock.now() + pause) => {}
                    () = spoken_to.notified(), if hears => {}
                }
                id
            }
            .boxed()
        })
    }

    /// Wakes exactly the postponed operations to which somebody said something.
    async fn wake_spoken_to(&self) -> Result<(), Error> {
        if !self.said.swap(false, Ordering::Relaxed) {
            return Ok(());
        }
        let unheard =
            self.store.bounded(self.store.unheard()).await.inspect_err(|_| self.said.store(true, Ordering::Relaxed))?;
        let busy = self.busy.lock();
        unheard.iter().filter_map(|id| busy.get(id)).for_each(|spoken_to| spoken_to.notify_one());
        Ok(())
    }

    /// The operations that are due, and when the next one will be.
    async fn due(&self, vacancy: Vacancy) -> Result<(Vec<OperationId>, Option<Timestamp>), Error> {
        self.store.bounded(self.continuity.look(&self.store, &self.clock, &self.client)).await?;
        self.wake_spoken_to().await?;
        let mut taken: HashSet<OperationId> = self.busy.lock().keys().copied().collect();
        let mut due = self.continuity.next(vacancy.whose, vacancy.places);
        due.retain(|id| taken.insert(*id));
        let left = due.clone();
        // A query that fails must not lose the operations taken from the queue.
        let return_to_line = |_: &Error| left.iter().for_each(|id| self.continuity.return_to_line(*id));
        let next = self.store.bounded(self.add_due(&mut due, taken, vacancy)).await.inspect_err(return_to_line);
        next.map(|next| (due, next))
    }

    /// Adds the other due operations, and returns when the next one is due.
    async fn add_due(
        &self,
        due: &mut Vec<OperationId>,
        mut taken: HashSet<OperationId>,
        Vacancy { whose, places }: Vacancy,
    ) -> Result<Option<Timestamp>, Error> {
        let now = self.clock.now();
        if whose == Whose::All {
            let called = self.admission.called(&taken, now).await?;
            due.extend(called.into_iter().take(places - due.len()));
            taken.extend(due.iter());
        }
        if due.len() < places {
            due.extend(self.store.due(now, whose, &taken, places - due.len()).await?);
            taken.extend(due.iter());
        }
        let next_call = self.admission.next_call_at().filter(|_| whose == Whose::All);
        let next = self.store.next_due(whose, &taken).await?.into_iter().chain(next_call).min();
        self.count_open(now).await?;
        Ok(next)
    }

    /// Counts the open operations, at most once a second while there are any.
    async fn count_open(&self, now: Timestamp) -> Result<(), Error> {
        let (counted_at, now) = (self.counted_at.load(Ordering::Relaxed), now.as_millisecond());
        if self.open.load(Ordering::Relaxed) > 0 && counted_at.abs_diff(now) < COUNTED_EVERY_MILLIS {
            return Ok(());
        }
        let open = self.store.count_open().await?;
        self.open.store(open, Ordering::Relaxed);
        self.counted_at.store(now, Ordering::Relaxed);
        if open == 0 {
            self.clock.follow_the_machine();
        }
        Ok(())
    }

    async fn turn(&self, id: OperationId) -> Ending {
        let span =
            info_span!("operation", operation.id = %id, droplet.id = Empty, droplet.name = Empty, guild.id = Empty);
        async {
            let ending = match AssertUnwindSafe(Box::pin(self.try_turn(id))).catch_unwind().await {
                Ok(outcome) => Ending::logged(&outcome),
                Err(_) => Box::pin(self.after_panic(id)).await,
            };
            if let Some(pause) = ending.keeps_place_for() {
                tokio::time::sleep(pause).await;
            }
            ending
        }
        .instrument(span)
        .await
    }

    /// Halts the operation in whose turn a panic happened. If even that panics, it is left alone for a while.
    async fn after_panic(&self, id: OperationId) -> Ending {
        tracing::error!("a turn panicked; the operation is halted, power back goes on");
        if let Some(ending) = self.caught(id, Box::pin(self.worker.halt(id, &self.rules, self.clock.now()))).await {
            return ending;
        }
        tracing::error!("the operation cannot even be halted; what it owes is carried on from its plain columns");
        if let Some(ending) = self.caught(id, Box::pin(self.worker.rescue(id, &self.rules, self.clock.now()))).await {
            return ending;
        }
        tracing::error!("that panics, too; it is tried again in a minute");
        Ending::CannotBeHalted
    }

    /// The ending of a turn that panicked; `None` if handling the panic panics as well.
    async fn caught(&self, id: OperationId, done: impl Future<Output = Result<(), Error>>) -> Option<Ending> {
        let outcome = AssertUnwindSafe(done).catch_unwind().await.ok()?;
        if outcome.is_ok() {
            self.continuity.take_up(id);
        }
        Some(Ending::logged(&outcome.map(|()| Ending::Stored)))
    }

    async fn try_turn(&self, id: OperationId) -> Result<Ending, Error> {
        let rules = self.paced_rules();
        let now = self.clock.now();
        if let Some(gap) = self.continuity.unattended(id) {
            self.worker.on_restart(id, gap, &rules, now).await?;
            self.continuity.take_up(id);
        }
        let Some(claimed) = self.claim(id, &rules, now).await? else { return Ok(Ending::Stored) };
        let operation = claimed.operation();
        let (target, guild) = (&operation.target, operation.requester.guild);
        let droplet = target.droplet.map(|droplet| droplet.0);
        Span::current().record("guild.id", guild.0).record("droplet.id", droplet).record("droplet.name", &target.name);
        if let Some(wait) = self.wait(&claimed, now).await? {
            self.worker.defer(claimed, wait, &rules, now).await?;
            return Ok(Ending::Stored);
        }
        match claimed.effect().clone() {
            Effect::Look(look) => {
                let fresh = priority::freshness(claimed.operation(), self.client.look_pause(), now);
                let waits_for_nobody = claimed.opens_downtime() && self.admission.begins_alone(id);
                let fresh = if waits_for_nobody { fresh.alone() } else { fresh };
                match self.looks.look(&claimed, &look, fresh).await {
                    Looked::Answer(answer) => {
                        self.worker.finish(claimed, answer, &rules, self.clock.now()).await?;
                    }
                    Looked::Later(moment) => {
                        let pause = moment.duration_since(self.clock.now());
                        return Ok(Ending::PutOff(Duration::try_from(pause).unwrap_or_default()));
                    }
                }
            }
            Effect::Send(command) => return Box::pin(self.send(claimed, command, &rules)).await,
            Effect::Sleep(_) | Effect::Rest => {}
        }
        Ok(Ending::Stored)
    }

    async fn claim(&self, id: OperationId, rules: &Rules, now: Timestamp) -> Result<Option<Claimed>, Error> {
        if self.admission.take_up(id) {
            self.worker.claim_called(id, rules, now).await
        } else {
            self.worker.claim(id, rules, now).await
        }
    }

    /// What the next request has to wait for, if the wait is long.
    async fn wait(&self, claimed: &Claimed, now: Timestamp) -> Result<Option<(Blocker, Timestamp)>, Error> {
        let rank = priority::of(claimed);
        let turn_at =
            if claimed.opens_downtime() { self.admission.turn_at(claimed.operation(), now).await? } else { None };
        let open = self.open.load(Ordering::Relaxed);
        let prospect = Prospect { rank, held_back: self.client.held_back(rank), turn_at, open };
        Ok(prospect.wait(now))
    }

    /// Waits for permission to send, then checks again what is wanted, so that nothing comes between the intent and the request.
    async fn send(&self, claimed: Claimed, command: Command, rules: &Rules) -> Result<Ending, Error> {
        let (id, priority) = (claimed.operation().id, priority::of(&claimed));
        let Ok(ticket) = self.client.admit(priority).await else {
            // A silence has begun meanwhile.
            let now = self.clock.now();
            return match self.wait(&claimed, now).await? {
                Some(wait) => self.worker.defer(claimed, wait, rules, now).await.map(|()| Ending::Stored),
                None => Ok(Ending::NOTHING_STORED),
            };
        };
        drop(claimed);
        if self.lease.remaining() <= NEEDED_TO_SEND {
            self.lease.renew().await?;
        }
        let claimed = match Box::pin(self.claim_with_a_fresh_look(id, &command, rules)).await? {
            Ok(claimed) => claimed,
            Err(ending) => return Ok(ending),
        };
        let is_destructive = claimed.operation().active_step().is_some_and(|step| step.task().traits().is_destructive);
        if !self.continuity.lets_go(id, is_destructive, (&self.clock, &self.client)).await {
            return Ok(Ending::NOTHING_STORED);
        }
        let claimed = Box::pin(self.worker.begin(claimed, rules, self.clock.now())).await?;
        self.continuity.note(&self.clock, &self.client);
        let is_attended = !(self.continuity.holds_back(id) || is_destructive && self.continuity.is_unclear());
        let answer = if self.lease.remaining() > NEEDED_TO_SEND && is_attended {
            tracing::info!(?command, "sending");
            let call = translate::command(&command).with_priority(priority);
            self.looks.or_trouble(&command, self.client.run_admitted(call, ticket).await)
        } else {
            // The commit took so long that another process may have taken over, or that the command needs another confirmation.
            let retry_at = self.clock.now();
            Answer::Trouble(Trouble::NotSent { retry_at })
        };
        self.worker.finish(claimed, answer, rules, self.clock.now()).await?;
        Ok(Ending::Stored)
    }

    /// Claims the operation again once its command may be sent, after another look if the last one is old. If it wants something else by
    /// now, returns how its turn ends.
    async fn claim_with_a_fresh_look(
        &self,
        id: OperationId,
        command: &Command,
        rules: &Rules,
    ) -> Result<Result<Claimed, Ending>, Error> {
        for has_looked in [false, true] {
            let claimed = self.claim(id, rules, self.clock.now()).await?;
            let Some(claimed) = claimed else { return Ok(Err(Ending::Stored)) };
            match OnceAdmitted::of(&claimed, command, has_looked) {
                OnceAdmitted::Send => return Ok(Ok(claimed)),
                OnceAdmitted::LookFirst(look) => {
                    let now = self.clock.now();
                    // The command may already be sent, so its look must not wait for others.
                    let fresh = priority::freshness(claimed.operation(), SignedDuration::ZERO, now).alone();
                    let Looked::Answer(answer) = self.looks.look(&claimed, &look, fresh).await else { break };
                    self.worker.finish(claimed, answer, rules, self.clock.now()).await?;
                }
                OnceAdmitted::LetGo => break,
            }
        }
        Ok(Err(Ending::NOTHING_STORED))
    }

    /// The rules with the pause that the request budget allows.
    fn paced_rules(&self) -> Rules {
        let open = self.open.load(Ordering::Relaxed);
        schedule::paced(&self.rules, self.client.poll_floor(schedule::requests_per_round(open)), open)
    }

    /// Allows the operation its next turn.
    fn set_free(&self, id: OperationId) {
        self.busy.lock().remove(&id);
        self.continuity.return_to_line(id);
    }
}
