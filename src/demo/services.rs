//! The simulated services alone: for trying any bot or client against them.

use std::net::SocketAddr;

use tokio::signal::unix::{SignalKind, signal};

use super::stage::{Pace, Stage};

/// Runs a simulated Discord and DigitalOcean until a signal; prints one line of JSON once they can be reached.
pub async fn run(discord: SocketAddr, digitalocean: SocketAddr) -> anyhow::Result<()> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let stage = Stage::build_at(Pace::Watched, discord, digitalocean).await?;
    super::say(&stage.described().to_string());
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    stage.strike().await;
    Ok(())
}
