//! The bot in a runtime of its own, so that it can be killed with everything it ever began, as a power cut would kill it.
//!
//! The page gives the orders, and the script; both start it by [`App::start`] on the same database again.

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

/// How long a thread of the killed runtime may take to notice.
const LAST_BREATH: Duration = Duration::from_secs(5);

/// How a bot ended by itself or as it was told; nothing if it was killed.
type End = Option<Result<(), app::Error>>;

/// A bot that runs.
pub(super) struct Bot {
    stop: CancellationToken,
    kill: CancellationToken,
    end: oneshot::Receiver<End>,
}

impl Bot {
    /// Starts one; `state` tells how it goes.
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
            // Whatever it ever began ends here, wherever it stands.
            runtime.shutdown_timeout(LAST_BREATH);
            if let Some(Err(error)) = &outcome {
                state.send_replace(BotState::Failed { why: error.to_string() });
            }
            // Nobody may be waiting for it.
            let _ = ended.send(outcome);
        };
        thread::Builder::new().name("bot".to_owned()).spawn(body).context("could not start a thread for the bot")?;
        Ok(Self { stop, kill, end })
    }

    /// Kills it on the spot: nothing of it runs any more when this returns.
    pub(super) async fn kill(self) {
        self.kill.cancel();
        // However it ended, it is gone.
        let _ = self.end.await;
    }

    /// Lets it end tidily.
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

/// Runs one bot and carries out what the page orders.
pub(super) struct Supervisor {
    state: watch::Receiver<BotState>,
    orders: mpsc::Sender<Order>,
    stop: CancellationToken,
    tasks: JoinSet<()>,
}

impl Supervisor {
    /// Starts a bot and the task that looks after it.
    pub(super) fn start(config: Config, clock: Clock) -> Self {
        let (told, state) = watch::channel(BotState::Starting);
        let (orders, taken) = mpsc::channel(8);
        let (stop, mut tasks) = (CancellationToken::new(), JoinSet::new());
        tasks.spawn(supervise(config, clock, told, taken, stop.clone()));
        Self { state, orders, stop, tasks }
    }

    /// What the page holds.
    pub(super) fn strings(&self) -> BotStrings {
        BotStrings { state: self.state.clone(), orders: self.orders.clone() }
    }

    /// Lets the bot end tidily, and waits for it.
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
            // A bot that failed is begun again; one that lives is left in peace.
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
                    // How it went is told by its state.
                    let _ = alive.stop().await;
                }
                return;
            }
        }
    }
}
