//! The bot in a runtime of its own, so that it can be killed with all its tasks, as a power cut would kill it.
//!
//! Both the page and the script control it; they restart it with [`App::start`] on the same database.

use std::{thread, time::Duration};

use anyhow::Context as _;
use snapshot_bot_sandbox::page::bot::{BotState, BotStrings, Order};
use tokio::{
    runtime::Builder,
    sync::{mpsc, oneshot, watch},
    task::JoinSet,
};
use tokio_util::sync::CancellationToken;

use crate::{
    app::{self, App},
    clock::Clock,
    config::Config,
};

/// How long the threads of a killed runtime may take to end.
const LAST_BREATH: Duration = Duration::from_secs(5);

/// How a bot ended on its own or when stopped; `None` if it was killed.
type End = Option<Result<(), app::Error>>;

/// A running bot.
pub(super) struct Bot {
    stop: CancellationToken,
    kill: CancellationToken,
    end: oneshot::Receiver<End>,
}

impl Bot {
    /// Starts a bot; `state` publishes its state.
    pub(super) fn start(config: Config, clock: Clock, state: watch::Sender<BotState>) -> anyhow::Result<Self> {
        let runtime = Builder::new_multi_thread().worker_threads(2).thread_name("bot").enable_all().build();
        let runtime = runtime.context("could not start a runtime for the bot")?;
        let (stop, kill) = (CancellationToken::new(), CancellationToken::new());
        let (ended, end) = oneshot::channel();
        let (told_to_stop, killed) = (stop.clone(), kill.clone());
        state.send_replace(BotState::Starting);
        let body = move || {
            let outcome = runtime.block_on(async {
                tokio::select! {
                    () = killed.cancelled() => None,
                    outcome = live(config, clock, &state, &told_to_stop) => Some(outcome),
                }
            });
            // All of its tasks end here, wherever they are.
            runtime.shutdown_timeout(LAST_BREATH);
            if let Some(Err(error)) = &outcome {
                state.send_replace(BotState::Failed { why: error.to_string() });
            }
            // The receiver may be gone.
            let _ = ended.send(outcome);
        };
        thread::Builder::new().name("bot".to_owned()).spawn(body).context("could not start a thread for the bot")?;
        Ok(Self { stop, kill, end })
    }

    /// Kills the bot immediately: none of its code runs when this returns.
    pub(super) async fn kill(self) {
        self.kill.cancel();
        // However it ended, it no longer runs.
        let _ = self.end.await;
    }

    /// Shuts the bot down gracefully.
    pub(super) async fn stop(self) -> anyhow::Result<()> {
        self.stop.cancel();
        match self.end.await.context("the bot died")? {
            Some(Err(error)) => Err(error).context("the bot failed"),
            Some(Ok(())) | None => Ok(()),
        }
    }

    fn has_ended(&self) -> bool {
        !self.end.is_empty() || self.end.is_terminated()
    }
}

async fn live(
    config: Config,
    clock: Clock,
    state: &watch::Sender<BotState>,
    stop: &CancellationToken,
) -> Result<(), app::Error> {
    let mut app = App::start(config, clock).await?;
    let early = tokio::select! {
        () = app.ready() => false,
        () = stop.cancelled() => true,
    };
    if early {
        return app.stop().await;
    }
    state.send_replace(BotState::Running);
    let ended = tokio::select! {
        ended = app.ended() => Some(ended),
        () = stop.cancelled() => None,
    };
    match ended {
        Some(ended) => ended,
        None => app.stop().await,
    }
}

/// Runs one bot and executes the page's orders.
pub(super) struct Supervisor {
    state: watch::Receiver<BotState>,
    orders: mpsc::Sender<Order>,
    stop: CancellationToken,
    tasks: JoinSet<()>,
}

impl Supervisor {
    /// Starts a bot and the task that supervises it.
    pub(super) fn start(config: Config, clock: Clock) -> Self {
        let (told, state) = watch::channel(BotState::Starting);
        let (orders, taken) = mpsc::channel(8);
        let (stop, mut tasks) = (CancellationToken::new(), JoinSet::new());
        tasks.spawn(supervise(config, clock, told, taken, stop.clone()));
        Self { state, orders, stop, tasks }
    }

    /// The page's handle to control the bot.
    pub(super) fn strings(&self) -> BotStrings {
        BotStrings { state: self.state.clone(), orders: self.orders.clone() }
    }

    /// Shuts the bot down gracefully, and waits for it.
    pub(super) async fn stop(mut self) {
        self.stop.cancel();
        while self.tasks.join_next().await.is_some() {}
    }
}

async fn supervise(
    config: Config,
    clock: Clock,
    told: watch::Sender<BotState>,
    mut orders: mpsc::Receiver<Order>,
    stop: CancellationToken,
) {
    let begin = || match Bot::start(config.clone(), clock.clone(), told.clone()) {
        Ok(bot) => Some(bot),
        Err(error) => {
            told.send_replace(BotState::Failed { why: format!("{error:#}") });
            None
        }
    };
    let mut bot = begin();
    loop {
        let order = tokio::select! {
            order = orders.recv() => order,
            () = stop.cancelled() => None,
        };
        match (order, bot.take()) {
            (Some(Order::Kill), Some(alive)) => {
                alive.kill().await;
                told.send_replace(BotState::Killed);
            }
            // A bot that failed is started again; one that runs is left alone.
            (Some(Order::Start), Some(alive)) if !alive.has_ended() => bot = Some(alive),
            (Some(Order::Start), failed) => {
                if let Some(failed) = failed {
                    failed.kill().await;
                }
                bot = begin();
            }
            (Some(Order::Kill), None) => {}
            (None, alive) => {
                if let Some(alive) = alive {
                    // Its state already shows how it ended.
                    let _ = alive.stop().await;
                }
                return;
            }
        }
    }
}
