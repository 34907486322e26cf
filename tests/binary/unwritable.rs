//! A database that takes no writes while a Droplet is off.

use std::time::Duration;

use snapshot_bot_sandbox::digitalocean::droplet::Status;
use sqlx::Connection as _;

use super::{installation::Installation, waiting::within};

/// Long enough for a bot that waits a second for each write, one after another.
const PATIENCE: Duration = Duration::from_mins(3);

#[tokio::test]
async fn a_droplet_comes_back_on_although_another_program_keeps_the_database_locked() {
    let installation = Installation::new().await;
    let (bot, _) = installation.ready("bot").await;
    let held = installation.take_held_at("snapshot").await;
    sqlx::any::install_default_drivers();
    let mut other = sqlx::AnyConnection::connect(&installation.environment["DATABASE_URL"]).await.unwrap();
    sqlx::query("BEGIN IMMEDIATE").execute(&mut other).await.unwrap();
    held.release();
    let is_on = installation
        .digitalocean
        .until(|world| world.droplets().any(|droplet| droplet.name == "web-1" && droplet.status == Status::Active));
    let seen = async || format!("the Droplet is on: {:?}\n{}", installation.commands(), bot.logged());
    within(PATIENCE, is_on, seen).await;
    installation.ada.run("/snapshot take droplet:db-1 power:live").await.unwrap();
    installation.reads("database isn't responding").await;
    sqlx::query("ROLLBACK").execute(&mut other).await.unwrap();
    installation.reads("is ready").await;
    assert_eq!(installation.commands(), ["shutdown web-1", "snapshot web-1", "power_on web-1"]);
    installation.stop(bot).await;
}
