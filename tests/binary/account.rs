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
    installation::{Installation, free_address},
    process::{Process, Signal, until_answered},
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
async fn with_history() -> Installation {
    let installation = Installation::new().await;
    let (bot, _) = installation.ready("first").await;
    installation.ada.run("/snapshot take droplet:web-1").await.unwrap();
    installation.reads("is ready").await;
    installation.stop(bot).await;
    installation
}

#[tokio::test]
async fn a_token_of_another_account_changes_nothing_while_power_is_owed_and_calls_people() {
    let installation = Installation::new().await;
    let (bot, _) = installation.ready("first").await;
    let held = installation.take_held_at("snapshot").await;
    bot.signal(Signal::Kill);
    bot.end().await;
    held.release();
    let (elsewhere, way) = another_account().await;
    let address = free_address();
    let stranger = installation.start_with("stranger", &[way.as_slice(), &[("HTTP_ADDR", address.clone())]].concat());
    installation.reads("may belong to a different account").await;
    until_answered(&address, "/readyz", 503, UNPROVEN).await;
    stranger.logs("run --same-account").await;
    assert!(elsewhere.journal().iter().all(|entry| entry.request.method.to_string() == "GET"));
    installation.stop(stranger).await;
    assert!(!installation.ada.transcript().contains("does not exist"), "{}", installation.ada.transcript());

    let (bot, _) = installation.ready("third").await;
    installation.reads("is ready").await;
    assert!(installation.web_is_on());
    assert_eq!(installation.commands(), ["shutdown web-1", "snapshot web-1", "power_on web-1"]);
    installation.stop(bot).await;
}

#[tokio::test]
async fn a_token_of_another_account_ends_the_bot_where_nothing_is_owed() {
    let installation = with_history().await;
    let (_elsewhere, way) = another_account().await;
    let ended = installation.start_with("stranger", &way).end().await;
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert!(ended.stderr.contains("start once with `snapshot-bot run --same-account`"), "{}", ended.stderr);
}

#[tokio::test]
async fn an_operator_may_vouch_for_a_token_once() {
    let mut installation = with_history().await;
    let (_elsewhere, way) = another_account().await;
    installation.environment.extend(way);
    let address = free_address();
    installation.environment.insert("HTTP_ADDR", address.clone());
    let bot =
        Process::start(installation.folder.path(), "vouched", &["run", "--same-account"], &installation.environment);
    until_answered(&address, "/readyz", 200, "ready").await;
    installation.stop(bot).await;
    let (bot, _) = installation.ready("known").await;
    installation.stop(bot).await;
}

#[tokio::test]
async fn a_new_token_proves_by_its_team_or_by_what_it_sees_that_it_is_of_the_same_account() {
    let installation = with_history().await;
    let without_team = Scopes::only(["droplet:read", "droplet:update", "actions:read", "image:read", "snapshot:read"]);
    for (token, scopes) in [("dop_v1_second", Scopes::all()), ("dop_v1_third", without_team)] {
        installation.digitalocean.world(|world| world.add_token(token, scopes));
        let address = free_address();
        let variables = [("DIGITALOCEAN_TOKEN", token.to_owned()), ("HTTP_ADDR", address.clone())];
        let bot = installation.start_with(token, &variables);
        until_answered(&address, "/readyz", 200, "ready").await;
        installation.stop(bot).await;
    }
}

#[tokio::test]
async fn no_token_is_written_into_the_database() {
    let installation = with_history().await;
    let database = std::fs::read(installation.folder.path().join("bot.db")).unwrap();
    assert!(!database.windows(TOKEN.len()).any(|text| text == TOKEN.as_bytes()));
}

#[tokio::test]
async fn a_link_of_either_kind_to_a_database_in_use_is_refused() {
    let installation = Installation::new().await;
    let (bot, _) = installation.ready("bot").await;
    let database = installation.folder.path().join("bot.db");
    let (hard, soft) = (installation.folder.path().join("hard.db"), installation.folder.path().join("soft.db"));
    std::fs::hard_link(&database, &hard).unwrap();
    std::os::unix::fs::symlink(&database, &soft).unwrap();
    for link in [hard, soft] {
        let url = format!("sqlite://{}", link.display());
        let ended = installation.start_with("second", &[("DATABASE_URL", url)]).end().await;
        assert_eq!(ended.code, Some(1), "{}", ended.stderr);
        assert!(ended.stderr.contains("another snapshot-bot uses it"), "{}", ended.stderr);
    }
    installation.stop(bot).await;
}

#[tokio::test]
async fn a_database_of_a_newer_version_is_refused_with_what_to_do() {
    let installation = with_history().await;
    sqlx::any::install_default_drivers();
    let pool = sqlx::AnyPool::connect(&installation.environment["DATABASE_URL"]).await.unwrap();
    let later = "INSERT INTO _sqlx_migrations (version, description, installed_on, success, checksum, execution_time) \
                 VALUES (9999, 'later', CURRENT_TIMESTAMP, 1, x'00', 0)";
    sqlx::query(later).execute(&pool).await.unwrap();
    pool.close().await;
    let ended = installation.start("older").end().await;
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert!(ended.stderr.contains("run that version, or a later one"), "{}", ended.stderr);
}

#[tokio::test]
async fn a_second_process_with_a_refused_token_harms_no_operation_of_the_first() {
    let Some(cluster) = Cluster::new().await else { return };
    let installation = &cluster.installation;
    let (active, _) = installation.ready("active").await;
    let held = installation.take_held_at("snapshot").await;
    let address = free_address();
    let variables = [("DIGITALOCEAN_TOKEN", "dop_v1_revoked".to_owned()), ("HTTP_ADDR", address.clone())];
    let second = installation.start_with("second", &variables);
    until_answered(&address, "/readyz", 503, "DigitalOcean: refuses the token").await;
    held.release();
    installation.reads("is ready").await;
    assert_eq!(installation.commands(), ["shutdown web-1", "snapshot web-1", "power_on web-1"]);
    assert_eq!(installation.ada.pings(), 1, "{}", installation.ada.transcript());
    let ended = second.end().await;
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    installation.stop(active).await;
    cluster.finish().await;
}

#[tokio::test]
async fn a_second_process_of_another_account_does_not_stand_by() {
    let Some(cluster) = Cluster::new().await else { return };
    let (active, _) = cluster.installation.ready("active").await;
    cluster.takes().await;
    let (_elsewhere, way) = another_account().await;
    let ended = cluster.installation.start_with("stranger", &way).end().await;
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert!(ended.stderr.contains("--same-account"), "{}", ended.stderr);
    cluster.installation.stop(active).await;
    cluster.finish().await;
}

#[tokio::test]
async fn a_process_whose_token_is_refused_calls_people_once_nobody_else_took_the_lease_for_long() {
    let Some(cluster) = Cluster::new().await else { return };
    let installation = &cluster.installation;
    let (first, _) = installation.ready("first").await;
    let held = installation.take_held_at("snapshot").await;
    first.signal(Signal::Kill);
    first.end().await;
    held.release();
    cluster.tamper("UPDATE lease SET holder = '', expires_at = expires_at - 180000").await;
    let address = free_address();
    let variables = [("DIGITALOCEAN_TOKEN", "dop_v1_revoked".to_owned()), ("HTTP_ADDR", address.clone())];
    let second = installation.start_with("second", &variables);
    installation.reads("I couldn't turn").await;
    until_answered(&address, "/readyz", 503, "DigitalOcean").await;
    assert!(!installation.discord.world().is_bot_online(), "it does not connect");

    let (third, third_address) = {
        let address = free_address();
        (installation.start_with("third", &[("HTTP_ADDR", address.clone())]), address)
    };
    until_answered(&third_address, "/readyz", 200, "ready").await;
    installation.digitalocean.until(|world| world.droplets().all(|droplet| droplet.status == Status::Active)).await;
    installation.stop(third).await;
    second.signal(Signal::Kill);
    second.end().await;
    cluster.finish().await;
}
