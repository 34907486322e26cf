//! The sandbox and the bot in one process.

/// How the demo is run.
#[derive(clap::Args, Debug)]
pub struct Arguments {}

/// Runs the demo.
pub async fn run(_arguments: Arguments) -> anyhow::Result<()> {
    anyhow::bail!("not here yet")
}

/// Runs the simulated services alone.
pub async fn sandbox(_discord: std::net::SocketAddr, _digitalocean: std::net::SocketAddr) -> anyhow::Result<()> {
    anyhow::bail!("not here yet")
}
