//! The glue around the three verbs: finds what is due, carries its requests out within the budget and the lease, and waits.

use std::{
    collections::HashSet,
    panic::AssertUnwindSafe,
    pin::pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures_util::{FutureExt, StreamExt, stream::FuturesUnordered};
use jiff::{SignedDuration, Timestamp};
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use super::{Claimed, Worker, perform, rank};
use crate::{
    clock::Clock,
    digitalocean::{
        budget::{HeldBack, Priority},
        client::Client,
        error::Error as DigitalOceanError,
        watcher::Watcher,
    },
    operation::{
        Hindrance, Rules,
        ids::OperationId,
        reading::Trouble,
        request::{Answer, Command, Effect, Look},
    },
    store::{Error, Lease, Store, Whose, deadlines::NEEDED_TO_SEND},
};

/// Turns under way at once; each waits for an answer most of its time.
const AT_ONCE: usize = 64;
/// Of these, kept free for operations that have a Droplet to turn on again.
const FOR_POWER: usize = 16;
/// A turn waits for its leave this long without giving up its place.
const SHORT_WAIT: SignedDuration = SignedDuration::from_secs(2);
/// How much longer whoever waits for a turn waits for each operation there is.
const CROWD_PAUSE_MILLIS: i64 = 20;
const LONGEST_CROWD_PAUSE: SignedDuration = SignedDuration::from_mins(1);
/// Where DigitalOcean wants silence, whether it still does is asked at least this often.
const LONGEST_SILENT_NAP: SignedDuration = SignedDuration::from_mins(1);
/// Before a shutdown that does not fit into the budget asks again.
const TURN_PAUSE: SignedDuration = SignedDuration::from_secs(15);
/// Before the store is asked again after it failed.
const STORE_PAUSE: Duration = Duration::from_secs(1);
/// Before an operation is taken up again that panics whatever is done with it.
const PANIC_PAUSE: Duration = Duration::from_mins(1);
/// The store is asked for what is due at least this often, should the machine's clock be set.
const LONGEST_NAP: Duration = Duration::from_secs(30);
/// A round of looks costs no more than this, however many look: the watcher sweeps.
const MOST_REQUESTS_PER_ROUND: u32 = 10;

/// Runs turns until it is told to stop.
pub struct Turns {
    store: Arc<Store>,
    worker: Worker,
    client: Client,
    watcher: Watcher,
    lease: Arc<Lease>,
    rules: Rules,
    clock: Clock,
    /// Operations under way in this process.
    busy: Mutex<HashSet<OperationId>>,
    /// Operations that are not done for good, as of the last time the store was asked.
    open: AtomicUsize,
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
}

impl Turns {
    /// A loop over these parts.
    pub fn new(parts: Parts) -> Self {
        let Parts { store, client, lease, rules, clock } = parts;
        let interval = Duration::try_from(rules.poll_interval).unwrap_or_default();
        Self {
            worker: Worker::new(Arc::clone(&store)),
            watcher: Watcher::new(client.clone(), interval),
            store,
            client,
            lease,
            rules,
            clock,
            busy: Mutex::default(),
            open: AtomicUsize::new(0),
        }
    }

    /// Carries operations on until `shutdown`; then lets the turns under way come to their commit.
    pub async fn run(self, shutdown: CancellationToken) {
        let mut turns = FuturesUnordered::new();
        while !shutdown.is_cancelled() {
            let woken = self.store.changes().worker.notified();
            // The turns go on meanwhile: one of them may hold the only connection that this look waits for.
            let under_way = turns.len();
            let look = pin!(self.due(AT_ONCE - under_way));
            let found = alongside(look, &mut turns, |id| {
                self.lock_busy().remove(&id);
            });
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
                self.lock_busy().insert(id);
                turns.push(self.turn(id).map(move |()| id));
            }
            let now = self.clock.now();
            let wake = if look_again && turns.len() < AT_ONCE { now } else { next.unwrap_or(now + LONGEST_NAP) };
            tokio::select! {
                () = shutdown.cancelled() => break,
                Some(id) = turns.next() => { self.lock_busy().remove(&id); }
                () = woken, if turns.len() < AT_ONCE => {}
                () = self.clock.sleep_until(wake.min(now + LONGEST_NAP)), if turns.len() < AT_ONCE => {}
            }
        }
        while turns.next().await.is_some() {}
    }

    /// What is due, and when the next thing is.
    async fn due(&self, room: usize) -> Result<(Vec<OperationId>, Option<Timestamp>), Error> {
        let busy = self.lock_busy().clone();
        let now = self.clock.now();
        let (whose, room) = match room.checked_sub(FOR_POWER) {
            Some(room) if room > 0 => (Whose::All, room),
            Some(_) | None => (Whose::PowerOwed, room),
        };
        let due = if room == 0 { Vec::new() } else { self.store.due(now, whose, &busy, room).await? };
        let mut taken = busy;
        taken.extend(&due);
        let next = self.store.next_due(whose, &taken).await?;
        let open = self.store.count_open().await?;
        self.open.store(open, Ordering::Relaxed);
        if open == 0 {
            self.clock.follow_the_machine();
        }
        Ok((due, next))
    }

    async fn turn(&self, id: OperationId) {
        let span = tracing::info_span!("operation", operation.id = %id);
        async {
            let ended = match AssertUnwindSafe(Box::pin(self.try_turn(id))).catch_unwind().await {
                Ok(ended) => ended,
                Err(_) => self.after_panic(id).await,
            };
            match ended {
                Ok(()) => {}
                Err(Error::LeaseLost) => tracing::info!("somebody else goes on with the operation"),
                Err(error) => {
                    tracing::warn!(%error, "could not store how far the operation is; it is taken up again");
                    tokio::time::sleep(STORE_PAUSE).await;
                }
            }
        }
        .instrument(span)
        .await;
    }

    /// A panic ends the forward part of the operation in whose turn it happened, and nothing else. Where even that panics, the
    /// operation is left alone for a while, so that the others have their turns.
    async fn after_panic(&self, id: OperationId) -> Result<(), Error> {
        tracing::error!("a turn panicked; the operation is halted, power back goes on");
        let halted = self.worker.halt(id, &self.rules, self.clock.now());
        if let Ok(ended) = AssertUnwindSafe(halted).catch_unwind().await {
            return ended;
        }
        tracing::error!("the operation cannot even be halted; it is tried again in a minute");
        tokio::time::sleep(PANIC_PAUSE).await;
        Ok(())
    }

    async fn try_turn(&self, id: OperationId) -> Result<(), Error> {
        let rules = self.paced_rules();
        let now = self.clock.now();
        let Some(claimed) = self.worker.claim(id, &rules, now).await? else { return Ok(()) };
        if let Some(wait) = self.wait(&claimed, now).await? {
            return self.worker.defer(claimed, wait, &rules, now).await;
        }
        match claimed.effect().clone() {
            Effect::Look(look) => {
                let answer = self.look(&claimed, &look).await;
                self.worker.finish(claimed, answer, &rules, self.clock.now()).await
            }
            Effect::Send(command) => Box::pin(self.send(claimed, command, &rules)).await,
            Effect::Sleep(_) | Effect::Rest => Ok(()),
        }
    }

    /// What the next request has to wait for, if that takes long. Whoever waits gives its place to others, hears what people say
    /// meanwhile, and shows that it waits.
    async fn wait(&self, claimed: &Claimed, now: Timestamp) -> Result<Option<(Hindrance, Timestamp)>, Error> {
        let operation = claimed.operation();
        let rank = rank::priority(operation);
        let held_back = self.client.held_back(rank);
        if let Some(HeldBack::Silence(until)) = held_back {
            // It may be over sooner than was asked for.
            return Ok(Some((Hindrance::Throttled, until.min(now + LONGEST_SILENT_NAP))));
        }
        if claimed.opens_downtime() && !self.has_room_for_downtime().await? {
            return Ok(Some((Hindrance::Turn, now + TURN_PAUSE)));
        }
        let Some(HeldBack::Turn(at)) = held_back.filter(|_| rank != Priority::PowerOn) else { return Ok(None) };
        // The more wait, the longer until it can be one's turn, and the less is worth asking for it; but not while a Droplet
        // is off, or may be.
        let crowd = i64::try_from(self.open.load(Ordering::Relaxed)).unwrap_or(i64::MAX);
        let pause = match rank {
            Priority::Off | Priority::LookUp => SignedDuration::ZERO,
            _ => SignedDuration::from_millis(CROWD_PAUSE_MILLIS.saturating_mul(crowd)).min(LONGEST_CROWD_PAUSE),
        };
        Ok((at > now + SHORT_WAIT).then_some((Hindrance::Turn, at.max(now + pause))))
    }

    async fn look(&self, claimed: &Claimed, look: &Look) -> Answer {
        let fresh = rank::freshness(claimed.operation(), self.clock.now());
        let seen = match look {
            Look::Droplet(id) => {
                let seen = self.watcher.droplet(*id, fresh).await;
                seen.map(|seen| Answer::Droplet(perform::droplet_reading(seen.value)))
            }
            Look::Action(id) => {
                let seen = self.watcher.action(*id, fresh).await;
                seen.map(|seen| Answer::Action(perform::action_reading(seen.value)))
            }
            Look::Actions(_) | Look::Snapshots(_) | Look::Snapshot(_) | Look::Launched(_) | Look::Listed(_) => {
                self.client.run(perform::look(look).with_priority(fresh.priority)).await
            }
        };
        self.or_trouble(seen)
    }

    /// Asks for leave first and looks again what is wanted, so that nothing lies between the intent and the sending.
    async fn send(&self, claimed: Claimed, command: Command, rules: &Rules) -> Result<(), Error> {
        let (id, priority) = (claimed.operation().id, rank::priority(claimed.operation()));
        drop(claimed);
        let ticket = self.client.admit(priority).await;
        if self.lease.remaining() <= NEEDED_TO_SEND {
            self.lease.renew().await?;
        }
        let Some(claimed) = self.claim_with_a_fresh_look(id, &command, rules).await? else { return Ok(()) };
        let claimed = self.worker.begin(claimed, rules, self.clock.now()).await?;
        let answer = if self.lease.remaining() > NEEDED_TO_SEND {
            tracing::info!(?command, "sending");
            let call = perform::command(&command).with_priority(priority);
            self.or_trouble(self.client.run_admitted(call, ticket).await)
        } else {
            // The commit took so long that the command could leave after somebody else took over.
            let retry_at = self.clock.now();
            Answer::Trouble(Trouble::NotSent { retry_at })
        };
        self.worker.finish(claimed, answer, rules, self.clock.now()).await
    }

    /// Takes the operation up again once its command may leave. After a long wait the last look at the Droplet is old, so it is looked at once
    /// more, under the leave that was waited for, so that the command leaves on the present state. None if it wants something else by now.
    async fn claim_with_a_fresh_look(
        &self,
        id: OperationId,
        command: &Command,
        rules: &Rules,
    ) -> Result<Option<Claimed>, Error> {
        let wanted = Effect::Send(command.clone());
        for _ in 0..2 {
            let Some(claimed) = self.worker.claim(id, rules, self.clock.now()).await? else { return Ok(None) };
            match claimed.effect().clone() {
                effect if effect == wanted => return Ok(Some(claimed)),
                Effect::Look(look @ Look::Droplet(_)) => {
                    let answer = self.look(&claimed, &look).await;
                    self.worker.finish(claimed, answer, rules, self.clock.now()).await?;
                }
                Effect::Look(_) | Effect::Send(_) | Effect::Sleep(_) | Effect::Rest => return Ok(None),
            }
        }
        Ok(None)
    }

    fn or_trouble(&self, answer: Result<Answer, DigitalOceanError>) -> Answer {
        answer.unwrap_or_else(|error| {
            tracing::info!(%error, "DigitalOcean did not do as asked");
            Answer::Trouble(perform::trouble(&error, self.clock.now()))
        })
    }

    /// The rules with the pause that the request budget allows: polls use at most half of it, so with more operations it grows.
    fn paced_rules(&self) -> Rules {
        let open = u32::try_from(self.open.load(Ordering::Relaxed)).unwrap_or(u32::MAX);
        let requests = open.clamp(1, MOST_REQUESTS_PER_ROUND);
        let floor = SignedDuration::try_from(self.client.poll_floor(requests)).unwrap_or(SignedDuration::ZERO);
        Rules { poll_interval: self.rules.poll_interval.max(floor), ..self.rules.clone() }
    }

    /// Whether one more downtime fits beside those under way, and those that are about to begin.
    async fn has_room_for_downtime(&self) -> Result<bool, Error> {
        let owed = self.store.power_owed().await?;
        // A Droplet that is on and only watched is no downtime.
        let down = owed.iter().filter(|debt| !debt.is_watched);
        let mut under_way: HashSet<OperationId> = down.map(|debt| debt.operation).collect();
        under_way.extend(self.lock_busy().iter().filter(|id| owed.iter().all(|debt| debt.operation != **id)));
        Ok(self.client.may_begin_downtime(under_way.len().saturating_sub(1)))
    }

    fn lock_busy(&self) -> std::sync::MutexGuard<'_, HashSet<OperationId>> {
        self.busy.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Waits for `first` while `others` go on, and hands over what they end with.
async fn alongside<F: Future + Unpin, O: Future>(
    mut first: F,
    others: &mut FuturesUnordered<O>,
    ended: impl Fn(O::Output),
) -> F::Output {
    loop {
        tokio::select! {
            biased;
            Some(output) = others.next() => ended(output),
            output = &mut first => return output,
        }
    }
}
