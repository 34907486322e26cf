//! The commands that need the simulated services, and the only code that knows them: the bot on the terminal
//! or in the browser, or the services alone.
//!
//! `main` calls it. It builds the services, produces the environment that leads a bot there, and starts the production bot through its
//! production entry point. Only the feature `demo` compiles it.

mod bot;
mod browser;
mod fast_clock;
pub mod sandbox;
mod script;
mod services;
mod transcript;

use std::net::SocketAddr;

use anyhow::Context as _;
use snapshot_bot_sandbox::page::{context::Context, reach::Reach, server::Page};
use tokio::signal::unix::{SignalKind, signal};

/// How the demo is run.
#[derive(clap::Args, Debug)]
pub struct Arguments {
    /// Play a conversation on this terminal instead of opening a page; succeeds only if everything went as it should
    #[arg(long)]
    script: bool,
    /// Where the page listens (loopback; port 0 takes any that is free)
    #[arg(long, default_value = "127.0.0.1:8080", conflicts_with_all = ["script", "listen"])]
    addr: SocketAddr,
    /// Where the page listens, on any address: anyone who reaches it can use the demo, kill its bot and read what is typed
    #[arg(long, value_name = "ADDR", conflicts_with = "script")]
    listen: Option<SocketAddr>,
    /// Do not open a browser
    #[arg(long, conflicts_with = "script")]
    no_open: bool,
    /// Another Droplet of this name, besides those that are there; may be repeated
    #[arg(long = "droplet", value_name = "NAME", conflicts_with = "script")]
    droplets: Vec<String>,
    /// Another Snapshot of a Droplet, which is added if there is none of this name; may be repeated
    #[arg(long = "snapshot", value_name = "DROPLET=NAME", value_parser = seed, conflicts_with = "script")]
    snapshots: Vec<services::Seed>,
}

/// Parses a requested Snapshot.
fn seed(text: &str) -> Result<services::Seed, String> {
    let named = text.split_once('=').filter(|(droplet, name)| !droplet.is_empty() && !name.is_empty());
    let (droplet, name) = named.ok_or("a Droplet's and a Snapshot's name are needed, as in web-1=before-upgrade")?;
    Ok(services::Seed { droplet: droplet.to_owned(), name: name.to_owned() })
}

/// Runs the demo until its conversation is over, or until a signal.
pub async fn run(arguments: Arguments) -> anyhow::Result<()> {
    if arguments.script {
        return script::play().await;
    }
    show(arguments).await
}

/// Serves the page until a signal comes.
async fn show(arguments: Arguments) -> anyhow::Result<()> {
    // Before anything else, so that a port in use is reported immediately.
    let (address, reach) = match arguments.listen {
        Some(address) => (address, Reach::Network),
        None => (arguments.addr, Reach::Loopback),
    };
    let listener = Page::listen(address, reach).await?;
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let services = services::Services::build(services::Pace::Watched, &arguments.snapshots).await?;
    services.add_droplets(&arguments.droplets);
    services.remember().await?;
    let supervisor = bot::Supervisor::start(services.config()?, services.clock.clone());
    let clock = fast_clock::FastClock::start(&services);
    let shown = Context {
        discord: services.discord.clone(),
        digitalocean: services.digitalocean.clone(),
        guild: services.guild,
        seats: services.seats(),
        bot: Some(supervisor.strings()),
        clock: Some(clock.strings()),
    };
    let page = Page::start(listener, reach, shown).context("could not start the page")?;
    let url = page.url();
    say(&format!("{url}\n\nA simulated Discord with the real bot in it. Ctrl-C ends it and leaves nothing behind."));
    if !arguments.no_open {
        browser::open(&url);
    }
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    page.stop().await;
    clock.stop().await;
    supervisor.stop().await;
    services.shutdown().await;
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the terminal is whom the demo talks to")]
fn say(text: &str) {
    println!("{text}");
}
