//! Lets the clock of the bot, Discord and DigitalOcean run fast: a week in about a minute.
//!
//! The page gives the orders. Idle hours pass quickly; while the bot works, time is slow enough for it to follow.

use std::{sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp};
use snapshot_bot_sandbox::{
    digitalocean::server::DigitalOcean,
    discord::{refused::Refused, server::Discord, simulated_user::SimulatedUser, snowflake::Snowflake},
    page::clock::{ClockOrder, ClockState, ClockStrings},
};
use tokio::{
    sync::{mpsc, watch},
    task::JoinSet,
    time::{Instant, timeout},
};
use tokio_util::sync::CancellationToken;

use super::services::Services;
use crate::clock::Clock;

const WEEK: SignedDuration = SignedDuration::from_hours(7 * 24);
/// How often the clock is moved.
const TICK: Duration = Duration::from_millis(40);
/// Idle hours pass in steps that end at each quarter of an hour, so that what is planned for a quarter begins on time.
const QUARTER: i64 = 15 * 60 * 1000;
/// How far the clock is moved per tick while the bot works.
const BUSY_STEP: SignedDuration = SignedDuration::from_millis(280);
/// After this long without a request, the bot counts as idle.
const QUIET: Duration = Duration::from_millis(400);
/// How long the bot may take to answer a person.
const PATIENCE: Duration = Duration::from_secs(10);

/// The task that moves the clock.
pub(super) struct FastClock {
    state: watch::Receiver<ClockState>,
    orders: mpsc::Sender<ClockOrder>,
    stop: CancellationToken,
    tasks: JoinSet<()>,
}

impl FastClock {
    /// Starts the task. The clock runs at its own pace until a person orders a week.
    pub(super) fn start(services: &Services) -> Self {
        let (told, heard) = watch::channel(ClockState::default());
        let (orders, taken) = mpsc::channel(8);
        let (stop, mut tasks) = (CancellationToken::new(), JoinSet::new());
        let mover = Mover {
            clock: services.clock.clone(),
            discord: Arc::clone(&services.discord),
            digitalocean: Arc::clone(&services.digitalocean),
            restorer: services.restorer(),
            told,
            orders: taken,
        };
        let stopped = stop.clone();
        tasks.spawn(async move {
            tokio::select! {
                () = stopped.cancelled() => {}
                () = mover.serve() => {}
            }
        });
        Self { state: heard, orders, stop, tasks }
    }

    /// The page's handle to control the clock.
    pub(super) fn strings(&self) -> ClockStrings {
        ClockStrings { state: self.state.clone(), orders: self.orders.clone() }
    }

    /// Stops the task.
    pub(super) async fn stop(mut self) {
        self.stop.cancel();
        while self.tasks.join_next().await.is_some() {}
    }
}

struct Mover {
    clock: Clock,
    discord: Arc<Discord>,
    digitalocean: Arc<DigitalOcean>,
    restorer: SimulatedUser,
    told: watch::Sender<ClockState>,
    orders: mpsc::Receiver<ClockOrder>,
}

impl Mover {
    async fn serve(mut self) {
        while let Some(order) = self.orders.recv().await {
            if order == ClockOrder::Week {
                // If no bot answers, there is no schedule, and the week passes all the same.
                let _ = timeout(PATIENCE, self.schedule()).await;
                self.week().await;
            }
        }
    }

    /// Adds a schedule as a person would, unless there is one.
    async fn schedule(&self) -> Result<(), Refused> {
        let known = self.restorer.autocomplete("schedule show", "schedule", "", &[]).await?;
        if !known.is_empty() {
            return Ok(());
        }
        self.restorer.say("From now on `minecraft` gets a Snapshot every night at 03:00 UTC. The last three stay.");
        self.restorer.run("/schedule add what:minecraft every:day at:03:00 keep:3 last").await?;
        let (review, create) = self.until(|| self.create_button()).await;
        self.restorer.press(review, &create).await?;
        // Wait for the answer, since an Interaction expires after fifteen minutes.
        self.until(|| self.create_button().is_none_or(|(asked, _)| asked != review).then_some(())).await;
        Ok(())
    }

    /// The button that creates what a review shows, and its Message.
    fn create_button(&self) -> Option<(Snowflake, String)> {
        self.restorer.messages().iter().rev().find_map(|message| {
            let create = message.components().find(|button| {
                let label = button["label"].as_str().unwrap_or_default();
                label.starts_with("Create") && button["disabled"] != true
            })?;
            Some((message.id, create["custom_id"].as_str()?.to_owned()))
        })
    }

    /// Waits until Discord shows what `look` finds.
    async fn until<T>(&self, look: impl Fn() -> Option<T>) -> T {
        let mut changes = self.discord.changes();
        loop {
            changes.mark_unchanged();
            if let Some(seen) = look() {
                return seen;
            }
            // The sender lives as long as its service.
            let _ = changes.changed().await;
        }
    }

    /// Lets a week pass, or less if a person stops it.
    async fn week(&mut self) {
        let end = self.clock.now() + WEEK;
        let mut activity = Activity::new(&self.discord, &self.digitalocean);
        loop {
            let goes_on = tokio::select! {
                () = tokio::time::sleep(TICK) => self.pass(&mut activity, end),
                order = self.orders.recv() => order == Some(ClockOrder::Week),
            };
            if !goes_on {
                break;
            }
        }
        self.told.send_modify(|state| state.is_fast = false);
    }

    /// Moves the clock. Returns `false` at the end; what is under way by then continues on its own.
    fn pass(&self, activity: &mut Activity, end: Timestamp) -> bool {
        let now = self.clock.now();
        let is_under_way = self.digitalocean.read(|world| world.next_due().is_some());
        let is_busy = activity.is_recent() || is_under_way;
        let step = if is_busy { BUSY_STEP } else { to_next_quarter(now).min(end.duration_since(now)) };
        if !step.is_positive() {
            return false;
        }
        self.clock.advance(step);
        self.told.send_modify(|state| *state = ClockState { ahead: state.ahead + step, is_fast: true });
        true
    }
}

/// When the bot last sent a request.
struct Activity {
    discord: watch::Receiver<u64>,
    digitalocean: watch::Receiver<u64>,
    seen: Instant,
}

impl Activity {
    fn new(discord: &Discord, digitalocean: &DigitalOcean) -> Self {
        Self { discord: discord.changes(), digitalocean: digitalocean.changes(), seen: Instant::now() }
    }

    fn is_recent(&mut self) -> bool {
        let has_changed = |changes: &mut watch::Receiver<u64>| {
            // The sender lives as long as its service.
            let changed = changes.has_changed().unwrap_or(false);
            changes.mark_unchanged();
            changed
        };
        let changed = [has_changed(&mut self.discord), has_changed(&mut self.digitalocean)];
        if changed.contains(&true) {
            self.seen = Instant::now();
        }
        self.seen.elapsed() < QUIET
    }
}

fn to_next_quarter(now: Timestamp) -> SignedDuration {
    SignedDuration::from_millis(QUARTER - now.as_millisecond().rem_euclid(QUARTER))
}
