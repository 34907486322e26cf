//! What stands next to the bot's name: how to begin, or how much is running. No Droplet's name or state.
//!
//! Compared with what is shown once a minute, and sent only when it differs: Discord closes the connection of a bot that changes it often.

use std::time::Duration;

use serenity::{
    gateway::{ActivityData, ShardManager},
    model::user::OnlineStatus,
};

use super::{incident::chain, state::AppState};

/// The shortest time between two changes.
const PAUSE: Duration = Duration::from_mins(1);
/// How soon it is tried again while the gateway is still connecting.
const SOON: Duration = Duration::from_secs(1);

/// Shows how things are, for as long as it runs.
pub(super) async fn show(state: &AppState, shards: &ShardManager) {
    let mut shown: Option<String> = None;
    loop {
        let wanted = match state.store.count_running().await {
            Ok(0) => Some("/snapshot help".to_owned()),
            Ok(running) => Some(format!("{running} running")),
            Err(error) => {
                tracing::debug!(cause = chain(&error), "could not learn what is running");
                None
            }
        };
        if wanted.is_some() && wanted != shown && tell(shards, wanted.as_deref().unwrap_or_default()).await {
            shown = wanted;
        }
        tokio::time::sleep(if shown.is_some() { PAUSE } else { SOON }).await;
    }
}

/// Whether there was a connection to tell.
async fn tell(shards: &ShardManager, text: &str) -> bool {
    let runners: Vec<_> = {
        let runners = shards.runners.lock().await;
        runners.values().map(|runner| runner.runner_tx.clone()).collect()
    };
    for runner in &runners {
        runner.set_presence(Some(ActivityData::custom(text)), OnlineStatus::Online);
    }
    !runners.is_empty()
}
