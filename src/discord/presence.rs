//! The bot's presence: how to begin, or how many operations run. It contains no Droplet's name or state.
//!
//! It is compared once a minute with what is shown, and sent only if it differs, because Discord closes the connection of a bot that
//! changes it often.

use std::time::Duration;

use serenity::{
    gateway::{ActivityData, ShardManager},
    model::user::OnlineStatus,
};

use super::{incident::chain, messages::reply::presence, state::AppState};

/// The minimum time between two changes.
const PAUSE: Duration = Duration::from_mins(1);
/// The pause before another attempt while the gateway is connecting.
const SOON: Duration = Duration::from_secs(1);

/// Keeps the presence up to date. Never returns.
pub(super) async fn show(state: &AppState, shards: &ShardManager) {
    let mut shown: Option<String> = None;
    loop {
        let wanted = match state.store.count_running().await {
            Ok(running) => Some(presence(running)),
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

/// Sets the presence. Returns whether a connection was there.
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
