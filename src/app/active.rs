//! A process that holds the lease. Every loop runs until the process is stopped, loses the lease, or cannot continue.

use std::{convert::Infallible, sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp};
use tokio::{
    sync::watch,
    task::JoinSet,
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use super::{
    Error,
    discord_side::{DiscordSide, POWER_PAUSE},
    drain,
    groups::Groups,
    heartbeat::{Heartbeat, Progress},
    housekeeping,
    pings::Pings,
    renewal::{Ended, keep_lease},
    rotation::Rotation,
    scheduler::Scheduler,
    settings::{bot_parts, rules},
    token::Token,
};
use crate::{
    clock::Clock,
    config::Config,
    digitalocean::client::{self, Client},
    discord::{
        incident::chain,
        intake::{Intake, IntakeState},
    },
    http::Readiness,
    store::{Lease, Store, deadlines},
    worker::{
        continuity::Continuity,
        run_loop::{Parts, RunLoop},
    },
};

const _: () = assert!(
    client::DEADLINE.as_millis() <= deadlines::REQUEST.as_millis(),
    "a successor waits for as long as a request may take"
);
/// How often an active process records in the database that it is alive.
const HEARTBEAT: Duration = Duration::from_mins(1);
/// The longest time at the start for which people's commands wait until all operations are taken up.
const LONGEST_TAKE_UP: Duration = Duration::from_secs(5);
/// The pause before checking again whether all operations are taken up.
const TAKE_UP_PAUSE: Duration = Duration::from_secs(1);
/// The longest time after a process's start for which a message's row can postpone it.
const LONGEST_REPORT_WAIT: SignedDuration = SignedDuration::from_mins(10);

/// Everything that an active process needs.
pub(super) struct Active<'a> {
    pub(super) config: &'a Config,
    pub(super) store: &'a Arc<Store>,
    pub(super) clock: &'a Clock,
    pub(super) readiness: &'a Readiness,
    pub(super) ready: &'a watch::Sender<bool>,
    pub(super) client: &'a Client,
    pub(super) token: &'a Token,
    pub(super) rotation: &'a Arc<Rotation>,
    pub(super) lease: Arc<Lease>,
    pub(super) continuity: Arc<Continuity>,
    /// Whether DigitalOcean refused the token a moment ago, and no other process took over.
    pub(super) bears_refusal: bool,
}

/// The loops, each with its own stop signal, so that they end one after the other.
struct Loops {
    turns: JoinSet<()>,
    state: JoinSet<Result<(), Error>>,
    inventory: JoinSet<()>,
    stop_turns: CancellationToken,
    stop_reporter: CancellationToken,
    stop_gateway: CancellationToken,
    intake: Intake,
    connected: watch::Receiver<bool>,
}

impl Active<'_> {
    /// Runs everything until the process stops being active, for whatever reason.
    pub(super) async fn run(self, stop: &CancellationToken) -> Result<Ended, Error> {
        let outcome = tokio::select! {
            taken = self.take_over() => taken.map(|()| None),
            ended = keep_lease(&self.lease, self.store, self.readiness) => Ok(Some(ended)),
        };
        match outcome {
            Ok(None) => {}
            Ok(Some(ended)) => return Ok(ended),
            Err(error) => {
                self.give_back().await;
                return Err(error);
            }
        }
        let mut loops = self.begin();
        let outcome = self.watch(&mut loops, stop).await;
        let is_deposed = matches!(outcome, Ok(Ended::LeaseLost | Ended::LeaseRanOut));
        if is_deposed {
            // Another process that is active now answers people; two must not.
            loops.stop_gateway.cancel();
        }
        loops.drain(if is_deposed { IntakeState::Standby } else { IntakeState::Draining }).await;
        self.give_back().await;
        outcome
    }

    async fn give_back(self) {
        if let Ok(lease) = Arc::try_unwrap(self.lease)
            && !matches!(timeout(drain::RELEASE, lease.release()).await, Ok(Ok(())))
        {
            tracing::warn!("could not give the lease back; a successor waits until it has run out");
        }
    }

    /// Prepares for taking up the existing operations, and determines how long they were unattended. The worker takes up each one in its
    /// own turn.
    async fn take_over(&self) -> Result<(), Error> {
        if let Err(error) = self.store.repair().await {
            tracing::error!(error = chain(&error), "could not look for damaged rows");
        }
        let owed = self.store.power_owed().await?;
        metrics::gauge!("snapshot_bot_power_owed").set(f64::from(u32::try_from(owed.len()).unwrap_or(u32::MAX)));
        let open = self.store.open_operations().await?;
        if !open.is_empty() && self.client.server_now().is_none() {
            // Each answer by DigitalOcean contains its time. Without one, our own clocks must do, since power does not wait.
            self.token.ask_once().await;
        }
        let unattended = self.unattended().await?;
        if unattended > SignedDuration::from_mins(2) {
            tracing::info!(minutes = unattended.as_mins(), "nobody looked after the operations for a while");
        }
        let owing = owed.iter().map(|owed| owed.operation).collect();
        self.continuity.leave(open, &owing, unattended);
        let latest = self.clock.now().saturating_add(LONGEST_REPORT_WAIT).unwrap_or(Timestamp::MAX);
        if let Err(error) = self.store.clamp_reports(latest).await {
            tracing::warn!(error = chain(&error), "messages may wait for longer than they should");
        }
        Ok(())
    }

    /// How long the operations were unattended: the maximum over all clocks, since one may have stopped.
    async fn unattended(&self) -> Result<SignedDuration, Error> {
        let by_ours = self.lease.unattended().unwrap_or(SignedDuration::ZERO);
        let by_theirs = match (self.client.server_now(), self.store.last_heartbeat().await?) {
            (Some(now), Some(beat)) => now.duration_since(beat),
            (None, _) | (_, None) => SignedDuration::ZERO,
        };
        Ok(by_ours.max(by_theirs))
    }

    fn begin(&self) -> Loops {
        let config = self.config;
        let (told, connected) = watch::channel(false);
        let mut loops = Loops {
            turns: JoinSet::new(),
            state: JoinSet::new(),
            inventory: JoinSet::new(),
            stop_turns: CancellationToken::new(),
            stop_reporter: CancellationToken::new(),
            stop_gateway: CancellationToken::new(),
            intake: Intake::default(),
            connected,
        };
        let turns = RunLoop::new(Parts {
            store: Arc::clone(self.store),
            client: self.client.clone(),
            lease: Arc::clone(&self.lease),
            rules: rules(config),
            clock: self.clock.clone(),
            continuity: Arc::clone(&self.continuity),
        });
        // Droplets must be turned back on whether or not Discord is reachable, so the worker starts first.
        loops.turns.spawn(turns.run(loops.stop_turns.clone()));
        let (settings, rooms) = bot_parts(config, self.store, self.clock, self.client, loops.intake.clone());
        loops.inventory.spawn(Arc::clone(&rooms.inventory).run(loops.stop_gateway.clone()));
        let (store, clock, stop) = (|| Arc::clone(self.store), || self.clock.clone(), loops.stop_gateway.clone());
        let (inventory, client) = (Arc::clone(&rooms.inventory), self.client.clone());
        loops.inventory.spawn(housekeeping::weigh((store(), clock()), inventory, client, stop.clone()));
        loops.inventory.spawn(housekeeping::run(store(), clock(), config.timing.keep_history, stop));
        let scheduler = Scheduler {
            store: Arc::clone(self.store),
            clock: self.clock.clone(),
            client: self.client.clone(),
            policy: config.policy.clone(),
            members: rooms.members.clone(),
            inventory: Arc::clone(&rooms.inventory),
            own_droplet: None,
            digitalocean: config.digitalocean.api_url.clone(),
            progress: Progress::default(),
            newest_looked_at: parking_lot::Mutex::default(),
        };
        self.begin_pings(&mut loops, &scheduler.progress);
        // The scheduler creates operations, so it stops with the worker that advances them. It restores no power, so its end does not end
        // the process.
        loops.inventory.spawn(scheduler.run(loops.stop_turns.clone()));
        let groups = Groups { store: Arc::clone(self.store), clock: self.clock.clone(), client: self.client.clone() };
        loops.inventory.spawn(groups.run(loops.stop_turns.clone()));
        let discord_side = DiscordSide {
            settings,
            rooms,
            rotation: Arc::clone(self.rotation),
            digitalocean: config.digitalocean.api_url.clone(),
            connected: told,
            stop_gateway: loops.stop_gateway.clone(),
            stop_reporter: loops.stop_reporter.clone(),
        };
        // Operations that the last process left unanswered are settled before new commands are accepted.
        let continuity = Arc::clone(&self.continuity);
        loops.state.spawn(async move {
            continuity.completed_within(LONGEST_TAKE_UP).await;
            discord_side.run().await
        });
        loops
    }

    /// Starts the loops that notify external monitors.
    fn begin_pings(&self, loops: &mut Loops, progress: &Progress) {
        let (reach, stop) = (self.config.pings.reach, &loops.stop_turns);
        let pings = Pings { store: Arc::clone(self.store), clock: self.clock.clone(), reach };
        loops.inventory.spawn(pings.run(stop.clone()));
        if let Some(address) = self.config.pings.heartbeat.clone() {
            let heartbeat = Heartbeat { address, reach, clock: self.clock.clone(), progress: progress.clone() };
            loops.inventory.spawn(heartbeat.run(stop.clone()));
        }
    }

    /// Waits for the first event that ends the active time.
    async fn watch(&self, loops: &mut Loops, stop: &CancellationToken) -> Result<Ended, Error> {
        let mut connected = loops.connected.clone();
        let (token_is_useless, lease_ended) = (self.token_is_useless(), self.hold_lease());
        tokio::pin!(token_is_useless, lease_ended);
        loop {
            tokio::select! {
                () = stop.cancelled() => return Ok(Ended::Stopped),
                refused = &mut token_is_useless => return refused,
                ended = &mut lease_ended => return Ok(ended),
                Ok(()) = connected.changed() => {
                    let is_connected = *connected.borrow_and_update();
                    self.readiness.set_gateway(is_connected);
                    self.ready.send_replace(is_connected);
                }
                Some(ended) = loops.state.join_next() => {
                    let error = match ended {
                        Ok(Err(error)) => error,
                        Ok(Ok(())) | Err(_) => Error::Died,
                    };
                    self.readiness.set_gateway(false);
                    tokio::select! {
                        () = stop.cancelled() => {}
                        _ = &mut lease_ended => {}
                        _ = &mut token_is_useless => {}
                        _ = loops.turns.join_next() => {}
                        () = self.all_power_is_back(&error) => {}
                    }
                    return Err(error);
                }
                Some(_) = loops.turns.join_next() => return Err(Error::Died),
            }
        }
    }

    /// Renews the lease as long as that succeeds, and records once a minute that this process lives.
    async fn hold_lease(&self) -> Ended {
        tokio::select! {
            ended = keep_lease(&self.lease, self.store, self.readiness) => ended,
            never = self.beat() => match never {},
        }
    }

    async fn beat(&self) -> Infallible {
        loop {
            self.continuity.note(self.clock, self.client);
            // Until everything is taken up, a successor must be able to see how long the operations were unattended.
            if !self.continuity.is_complete() {
                sleep(TAKE_UP_PAUSE).await;
                continue;
            }
            if let Err(error) = self.store.beat().await {
                tracing::debug!(error = chain(&error), "could not write the heartbeat");
            }
            sleep(HEARTBEAT).await;
        }
    }

    /// Waits until no power is owed. People can no longer be reached, and their Droplets must not stay off because of that.
    async fn all_power_is_back(&self, error: &Error) {
        let mut said = false;
        while self.store.power_owed().await.map_or(true, |owed| !owed.is_empty()) {
            if !said {
                tracing::error!(%error, "the bot ends once the Droplets that it turned off are on again");
                said = true;
            }
            sleep(POWER_PAUSE).await;
        }
    }
}

impl Loops {
    /// Ends the loops in order: first nothing new begins, then the results of sent requests are stored, then stored results are posted,
    /// then the gateway closes.
    async fn drain(mut self, intake: IntakeState) {
        self.intake.set(intake);
        self.stop_turns.cancel();
        drain::finish(&mut self.turns, drain::TURNS, "requests to DigitalOcean").await;
        self.stop_reporter.cancel();
        // The reporter posts its last messages while the gateway is still open. Until then, people's commands get a helpful refusal.
        self.stop_gateway.cancel();
        drain::finish(&mut self.state, drain::MESSAGES, "messages").await;
        drain::finish(&mut self.inventory, drain::INVENTORY, "the inventory").await;
    }
}
