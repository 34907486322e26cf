//! One database, one account: what happens with a changed token, with two tokens on one database, and with two names for one file.

use std::sync::Arc;

use snapshot_bot_sandbox::{
    digitalocean::{
        droplet::Status,
        scopes::Scopes,
        server::DigitalOcean,
        settings::Settings as CloudSettings,
        world::{TOKEN, World as Cloud},
    },
    discord::settings::Now,
};

use super::{
    process::{Process, Signal, until_answered},
    stage::{Stage, free_address},
    standby::Cluster,
};

const OTHER_TOKEN: &str = "dop_v1_other";
const UNPROVEN: &str = "DigitalOcean: the token is of another account";

/// An account that no operation ever dealt with, and how to reach it.
pub(super) async fn another_account() -> (DigitalOcean, [(&'static str, String); 2]) {
    let now = Now::wall();
    let mut account = Cloud::new(CloudSettings { first_id: 9_000_000, ..CloudSettings::default() }, now.get());
    account.add_token(OTHER_TOKEN, Scopes::all());
    let digitalocean = DigitalOcean::start(account, Arc::new(move || now.get())).await.unwrap();
    let way = [("DIGITALOCEAN_API_URL", digitalocean.url()), ("DIGITALOCEAN_TOKEN", OTHER_TOKEN.to_owned())];
    (digitalocean, way)
}

/// A bot that took a Snapshot and was stopped.
async fn with_history() -> Stage {
    let stage = Stage::new().await;
    let (bot, _) = stage.ready("first").await;
    stage.ada.run("/snapshot take droplet:web-1").await.unwrap();
    stage.reads("is ready").await;
    stage.stop(bot).await;
    stage
}

#[tokio::test]
async fn a_token_of_another_account_changes_nothing_while_power_is_owed_and_calls_people() {
    let stage = Stage::new().await;
    let (bot, _) = stage.ready("first").await;
    let held = stage.take_held_at("snapshot").await;
    bot.signal(Signal::Kill);
    bot.end().await;
    held.release();
    let (elsewhere, way) = another_account().await;
    let address = free_address();
    let stranger = stage.start_with("stranger", &[way.as_slice(), &[("HTTP_ADDR", address.clone())]].concat());
    stage.reads("may belong to a different account").await;
    until_answered(&address, "/readyz", 503, UNPROVEN).await;
    stranger.logs("run --same-account").await;
    assert!(elsewhere.journal().iter().all(|entry| entry.request.method.to_string() == "GET"));
    stage.stop(stranger).await;
    assert!(!stage.ada.transcript().contains("does not exist"), "{}", stage.ada.transcript());

    let (bot, _) = stage.ready("third").await;
    stage.reads("is ready").await;
    assert!(stage.web_is_on());
    assert_eq!(stage.commands(), ["shutdown web-1", "snapshot web-1", "power_on web-1"]);
    stage.stop(bot).await;
}

#[tokio::test]
async fn a_token_of_another_account_ends_the_bot_where_nothing_is_owed() {
    let stage = with_history().await;
    let (_elsewhere, way) = another_account().await;
    let ended = stage.start_with("stranger", &way).end().await;
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert!(ended.stderr.contains("start once with `snapshot-bot run --same-account`"), "{}", ended.stderr);
}

#[tokio::test]
async fn an_operator_may_vouch_for_a_token_once() {
    let mut stage = with_history().await;
    let (_elsewhere, way) = another_account().await;
    stage.environment.extend(way);
    let address = free_address();
    stage.environment.insert("HTTP_ADDR", address.clone());
    let bot = Process::start(stage.folder.path(), "vouched", &["run", "--same-account"], &stage.environment);
    until_answered(&address, "/readyz", 200, "ready").await;
    stage.stop(bot).await;
    let (bot, _) = stage.ready("known").await;
    stage.stop(bot).await;
}

#[tokio::test]
async fn a_new_token_proves_by_its_team_or_by_what_it_sees_that_it_is_of_the_same_account() {
    let stage = with_history().await;
    let without_team = Scopes::only(["droplet:read", "droplet:update", "actions:read", "image:read", "snapshot:read"]);
    for (token, scopes) in [("dop_v1_second", Scopes::all()), ("dop_v1_third", without_team)] {
        stage.digitalocean.world(|world| world.add_token(token, scopes));
        let address = free_address();
        let variables = [("DIGITALOCEAN_TOKEN", token.to_owned()), ("HTTP_ADDR", address.clone())];
        let bot = stage.start_with(token, &variables);
        until_answered(&address, "/readyz", 200, "ready").await;
        stage.stop(bot).await;
    }
}

#[tokio::test]
async fn no_token_is_written_into_the_database() {
    let stage = with_history().await;
    let database = std::fs::read(stage.folder.path().join("bot.db")).unwrap();
    assert!(!database.windows(TOKEN.len()).any(|text| text == TOKEN.as_bytes()));
}

#[tokio::test]
async fn a_link_of_either_kind_to_a_database_in_use_is_refused() {
    let stage = Stage::new().await;
    let (bot, _) = stage.ready("bot").await;
    let database = stage.folder.path().join("bot.db");
    let (hard, soft) = (stage.folder.path().join("hard.db"), stage.folder.path().join("soft.db"));
    std::fs::hard_link(&database, &hard).unwrap();
    std::os::unix::fs::symlink(&database, &soft).unwrap();
    for link in [hard, soft] {
        let url = format!("sqlite://{}", link.display());
        let ended = stage.start_with("second", &[("DATABASE_URL", url)]).end().await;
        assert_eq!(ended.code, Some(1), "{}", ended.stderr);
        assert!(ended.stderr.contains("another snapshot-bot uses it"), "{}", ended.stderr);
    }
    stage.stop(bot).await;
}

#[tokio::test]
async fn a_database_of_a_newer_version_is_refused_with_what_to_do() {
    let stage = with_history().await;
    sqlx::any::install_default_drivers();
    let pool = sqlx::AnyPool::connect(&stage.environment["DATABASE_URL"]).await.unwrap();
    let later = "INSERT INTO _sqlx_migrations (version, description, installed_on, success, checksum, execution_time) \
                 VALUES (9999, 'later', CURRENT_TIMESTAMP, 1, x'00', 0)";
    sqlx::query(later).execute(&pool).await.unwrap();
    pool.close().await;
    let ended = stage.start("older").end().await;
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert!(ended.stderr.contains("run that version, or a later one"), "{}", ended.stderr);
}

#[tokio::test]
async fn a_second_process_with_a_refused_token_harms_no_operation_of_the_first() {
    let Some(cluster) = Cluster::new().await else { return };
    let stage = &cluster.stage;
    let (active, _) = stage.ready("active").await;
    let held = stage.take_held_at("snapshot").await;
    let address = free_address();
    let variables = [("DIGITALOCEAN_TOKEN", "dop_v1_revoked".to_owned()), ("HTTP_ADDR", address.clone())];
    let second = stage.start_with("second", &variables);
    until_answered(&address, "/readyz", 503, "DigitalOcean: refuses the token").await;
    held.release();
    stage.reads("is ready").await;
    assert_eq!(stage.commands(), ["shutdown web-1", "snapshot web-1", "power_on web-1"]);
    assert_eq!(stage.ada.pings(), 1, "{}", stage.ada.transcript());
    let ended = second.end().await;
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    stage.stop(active).await;
    cluster.finish().await;
}

#[tokio::test]
async fn a_second_process_of_another_account_does_not_stand_by() {
    let Some(cluster) = Cluster::new().await else { return };
    let (active, _) = cluster.stage.ready("active").await;
    cluster.takes().await;
    let (_elsewhere, way) = another_account().await;
    let ended = cluster.stage.start_with("stranger", &way).end().await;
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert!(ended.stderr.contains("--same-account"), "{}", ended.stderr);
    cluster.stage.stop(active).await;
    cluster.finish().await;
}

#[tokio::test]
async fn a_process_whose_token_is_refused_calls_people_once_nobody_else_took_the_lease_for_long() {
    let Some(cluster) = Cluster::new().await else { return };
    let stage = &cluster.stage;
    let (first, _) = stage.ready("first").await;
    let held = stage.take_held_at("snapshot").await;
    first.signal(Signal::Kill);
    first.end().await;
    held.release();
    cluster.tamper("UPDATE lease SET holder = '', expires_at = expires_at - 180000").await;
    let address = free_address();
    let variables = [("DIGITALOCEAN_TOKEN", "dop_v1_revoked".to_owned()), ("HTTP_ADDR", address.clone())];
    let second = stage.start_with("second", &variables);
    stage.reads("I couldn't turn").await;
    until_answered(&address, "/readyz", 503, "DigitalOcean").await;
    assert!(!stage.discord.world().is_bot_online(), "it does not connect");

    let (third, third_address) = {
        let address = free_address();
        (stage.start_with("third", &[("HTTP_ADDR", address.clone())]), address)
    };
    until_answered(&third_address, "/readyz", 200, "ready").await;
    stage.digitalocean.until(|world| world.droplets().all(|droplet| droplet.status == Status::Active)).await;
    stage.stop(third).await;
    second.signal(Signal::Kill);
    second.end().await;
    cluster.finish().await;
}
