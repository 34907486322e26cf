//! The glue around the three verbs: finds what is due, carries its requests out within the budget and the lease, and waits.

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
use tracing::{Instrument, Span, field::Empty};

use super::{
    Claimed, Worker,
    admission::Admission,
    alongside::alongside,
    attendance::Attendance,
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

/// What is open is counted no more often: there may be thousands.
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
    attendance: Arc<Attendance>,
    /// Operations under way in this process, and what wakes each that is put off: somebody said something to it.
    busy: Mutex<HashMap<OperationId, Arc<Notify>>>,
    /// Who may begin a downtime next.
    admission: Admission,
    /// Somebody said something, and nobody has looked yet to whom.
    said: AtomicBool,
    /// Operations that are not done for good, as of the last time the store was asked.
    open: AtomicUsize,
    /// When that was, in milliseconds.
    counted_at: AtomicI64,
}

/// What the loop works with.
pub struct Parts {
    /// Operations and their due times.
    pub store: Arc<Store>,
    /// The way to DigitalOcean.
    pub client: Client,
    /// The right to send commands.
    pub lease: Arc<Lease>,
    /// Times from the configuration.
    pub rules: Rules,
    /// The present moment.
    pub clock: Clock,
    /// What is to be taken up before it is carried on.
    pub attendance: Arc<Attendance>,
}

impl RunLoop {
    /// A loop over these parts.
    pub fn new(parts: Parts) -> Self {
        let Parts { store, client, lease, rules, clock, attendance } = parts;
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
            attendance,
            busy: Mutex::default(),
            said: AtomicBool::new(false),
            open: AtomicUsize::new(0),
            counted_at: AtomicI64::new(0),
        }
    }

    /// Carries operations on until `shutdown`; then lets the turns under way come to their commit.
    pub async fn run(self, shutdown: CancellationToken) {
        let mut turns = FuturesUnordered::new();
        // Those that panic whatever is done with them take nobody's place while they are left alone.
        let mut left_alone = FuturesUnordered::new();
        let places = Places::USUAL;
        while !shutdown.is_cancelled() {
            let woken = self.store.changes().worker.notified();
            // The turns go on meanwhile: one of them may hold the only connection that this look waits for.
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
            // A turn that ended meanwhile was still under way for that look: its operation may be due already.
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

    /// What is to be waited for before an operation whose turn ended is taken up again, if anything.
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

    /// Wakes those that are put off and to whom somebody said something, and nobody else.
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

    /// What is due, and when the next thing is.
    async fn due(&self, vacancy: Vacancy) -> Result<(Vec<OperationId>, Option<Timestamp>), Error> {
        self.store.bounded(self.attendance.look(&self.store, &self.clock, &self.client)).await?;
        self.wake_spoken_to().await?;
        let mut taken: HashSet<OperationId> = self.busy.lock().keys().copied().collect();
        let mut due = self.attendance.next(vacancy.whose, vacancy.places);
        due.retain(|id| taken.insert(*id));
        let left = due.clone();
        // A look that fails must not lose those that stood in the line.
        let return_to_line = |_: &Error| left.iter().for_each(|id| self.attendance.return_to_line(*id));
        let next = self.store.bounded(self.add_due(&mut due, taken, vacancy)).await.inspect_err(return_to_line);
        next.map(|next| (due, next))
    }

    /// Adds what else is due, and says when the next thing is.
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

    /// Counts what is open, at most once a second while something is.
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
        let span = tracing::info_span!("operation", operation.id = %id, droplet.id = Empty, guild.id = Empty);
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

    /// Halts the operation in whose turn a panic happened. Where even that panics, it is left alone for a while.
    async fn after_panic(&self, id: OperationId) -> Ending {
        tracing::error!("a turn panicked; the operation is halted, power back goes on");
        if let Some(ending) = self.caught(id, self.worker.halt(id, &self.rules, self.clock.now())).await {
            return ending;
        }
        tracing::error!("the operation cannot even be halted; what it owes is carried on from its plain columns");
        if let Some(ending) = self.caught(id, self.worker.rescue(id, &self.rules, self.clock.now())).await {
            return ending;
        }
        tracing::error!("that panics, too; it is tried again in a minute");
        Ending::CannotBeHalted
    }

    /// How a turn ends that panicked; none if what is done about it panics as well.
    async fn caught(&self, id: OperationId, done: impl Future<Output = Result<(), Error>>) -> Option<Ending> {
        let outcome = AssertUnwindSafe(done).catch_unwind().await.ok()?;
        if outcome.is_ok() {
            self.attendance.take_up(id);
        }
        Some(Ending::logged(&outcome.map(|()| Ending::Stored)))
    }

    async fn try_turn(&self, id: OperationId) -> Result<Ending, Error> {
        let rules = self.paced_rules();
        let now = self.clock.now();
        if let Some(gap) = self.attendance.unattended(id) {
            self.worker.on_restart(id, gap, &rules, now).await?;
            self.attendance.take_up(id);
        }
        let Some(claimed) = self.claim(id, &rules, now).await? else { return Ok(Ending::Stored) };
        let operation = claimed.operation();
        Span::current().record("guild.id", operation.asker.guild.0);
        if let Some(droplet) = operation.target.droplet {
            Span::current().record("droplet.id", droplet.0);
        }
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

    /// What the next request has to wait for, if that takes long.
    async fn wait(&self, claimed: &Claimed, now: Timestamp) -> Result<Option<(Blocker, Timestamp)>, Error> {
        let rank = priority::of(claimed);
        let turn_at =
            if claimed.opens_downtime() { self.admission.turn_at(claimed.operation(), now).await? } else { None };
        let open = self.open.load(Ordering::Relaxed);
        let prospect = Prospect { rank, held_back: self.client.held_back(rank), turn_at, open };
        Ok(prospect.wait(now))
    }

    /// Asks for leave first and looks again what is wanted, so that nothing lies between the intent and the sending.
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
        if !self.attendance.lets_go(id, is_destructive, (&self.clock, &self.client)).await {
            return Ok(Ending::NOTHING_STORED);
        }
        let claimed = self.worker.begin(claimed, rules, self.clock.now()).await?;
        self.attendance.note(&self.clock, &self.client);
        let is_attended = !(self.attendance.holds_back(id) || is_destructive && self.attendance.is_unclear());
        let answer = if self.lease.remaining() > NEEDED_TO_SEND && is_attended {
            tracing::info!(?command, "sending");
            let call = translate::command(&command).with_priority(priority);
            self.looks.or_trouble(&command, self.client.run_admitted(call, ticket).await)
        } else {
            // The commit took so long that the command could leave after somebody else took over, or that it must be asked about again.
            let retry_at = self.clock.now();
            Answer::Trouble(Trouble::NotSent { retry_at })
        };
        self.worker.finish(claimed, answer, rules, self.clock.now()).await?;
        Ok(Ending::Stored)
    }

    /// Takes the operation up again once its command may leave, after one more look where the last one is old. If it wants something else
    /// by now, how its turn ends.
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
                    // The command has leave, so its look waits for nobody.
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
        let requests = schedule::requests_per_round(self.open.load(Ordering::Relaxed));
        schedule::paced(&self.rules, self.client.poll_floor(requests))
    }

    /// The operation may have its next turn.
    fn set_free(&self, id: OperationId) {
        self.busy.lock().remove(&id);
        self.attendance.return_to_line(id);
    }
}
