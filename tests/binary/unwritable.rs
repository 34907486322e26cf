//! A database that takes no writes while a Droplet is off.

use std::time::Duration;

use snapshot_bot_sandbox::digitalocean::droplet::Status;
use sqlx::Connection as _;
use tokio::time::timeout;

use super::stage::Stage;

/// Long enough for a bot that waits a second for each write, one after another.
const PATIENCE: Duration = Duration::from_mins(3);

#[tokio::test]
async fn a_droplet_comes_back_on_although_another_program_keeps_the_database_locked() {
    let stage = Stage::new().await;
    let (bot, _) = stage.ready("bot").await;
    let held = stage.take_held_at("snapshot").await;
    sqlx::any::install_default_drivers();
    let mut other = sqlx::AnyConnection::connect(&stage.environment["DATABASE_URL"]).await.unwrap();
    sqlx::query("BEGIN IMMEDIATE").execute(&mut other).await.unwrap();
    held.release();
    let is_on = stage
        .digitalocean
        .until(|world| world.droplets().any(|droplet| droplet.name == "web-1" && droplet.status == Status::Active));
    let on = timeout(PATIENCE, is_on).await;
    assert!(on.is_ok(), "the Droplet stays off: {:?}\n{}", stage.commands(), bot.logged());
    stage.ada.run("/snapshot take droplet:db-1 power:live").await.unwrap();
    stage.reads("database isn't responding").await;
    sqlx::query("ROLLBACK").execute(&mut other).await.unwrap();
    stage.reads("is ready").await;
    assert_eq!(stage.commands(), ["shutdown web-1", "snapshot web-1", "power_on web-1"]);
    stage.stop(bot).await;
}
