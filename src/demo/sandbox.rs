//! The simulated services without the bot, for any other bot or client, until a signal.

use std::{io::Write as _, net::SocketAddr};

use anyhow::anyhow;
use snapshot_bot_sandbox::standalone::Services;
use tokio::signal::unix::{SignalKind, signal};

/// Where the services listen.
#[derive(clap::Args, Debug)]
pub struct Arguments {
    /// Where the simulated Discord listens (loopback).
    #[arg(long, default_value = "127.0.0.1:0")]
    discord: SocketAddr,
    /// Where the simulated DigitalOcean listens (loopback).
    #[arg(long, default_value = "127.0.0.1:0")]
    digitalocean: SocketAddr,
}

/// Starts the services, prints their addresses as one line of JSON, and stops them on SIGTERM or SIGINT.
pub async fn run(Arguments { discord, digitalocean }: Arguments) -> anyhow::Result<()> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let services = Services::start(discord, digitalocean).await.map_err(|error| anyhow!("could not {error}"))?;
    let mut stdout = std::io::stdout();
    writeln!(stdout, "{}", services.introduction())?;
    stdout.flush()?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(services.stop().await?)
}
