//! `snapshot-bot check`: nothing missing, everything missing, and no changes made.

use snapshot_bot_sandbox::{
    digitalocean::{scopes::Scopes, world::TOKEN},
    discord::{
        fault::{Disturbance, Fault},
        permission::Permissions,
    },
};

use super::{
    installation::{Installation, free_address},
    process::{Ended, Process},
};

async fn check(installation: &Installation) -> Ended {
    Process::start(installation.folder.path(), "check", &["check"], &installation.environment).end().await
}

fn says(ended: &Ended, lines: &[&str]) {
    for line in lines {
        assert!(ended.stdout.contains(line), "`{line}` is not in\n{}\n{}", ended.stdout, ended.stderr);
    }
}

#[tokio::test]
async fn where_everything_is_there_each_line_says_so_and_the_link_follows() {
    let mut installation = Installation::new().await;
    installation.environment.insert("NOTIFY_CHANNEL_ID", installation.ops.to_string());
    installation.environment.insert("REPORT_CHANNEL_ID", installation.ops.to_string());
    let roles = installation.environment["RESTORE_ROLES"].clone();
    installation.environment.insert("FAILURE_ROLE", roles.clone());
    installation.environment.insert("DROPLET_TAG", "web".to_owned());
    let before = installation
        .digitalocean
        .read(|world| (world.droplets().cloned().collect::<Vec<_>>(), world.snapshots().count()));
    let ended = check(&installation).await;
    assert_eq!(ended.code, Some(0), "{}\n{}", ended.stdout, ended.stderr);
    assert!(!ended.stdout.contains('✗'), "{}", ended.stdout);
    let application = installation.discord.world().bot();
    let link = format!(
        "https://discord.com/oauth2/authorize?client_id={application}&scope=bot+applications.commands&permissions=274877991936"
    );
    let guild = format!("✓ guild {} (The Workshop): can work in #ops", installation.guild);
    says(
        &ended,
        &[
            "✓ database: SQLite, can be written, the first start makes its tables",
            "✓ DigitalOcean: accepts the token",
            "✓ scopes for taking Snapshots: droplet:update, image:create",
            "✓ scopes for minding DROPLET_TAG",
            "✓ scopes for deleting Snapshots",
            "✓ scopes for finding Volumes and addresses left over: block_storage:read, reserved_ip:read",
            "✓ Discord: accepts the token of snapshot-bot",
            &guild,
            "✓ roles:",
            &format!(
                "· who may restore, launch and delete: @Operator ({roles}), members with Administrator or Manage Server"
            ),
            "#ops hears of every outcome",
            "#ops hears once a month what Snapshots cost",
            &format!("· FAILURE_ROLE {roles}: it is not mentionable, so nobody is pinged"),
            &link,
        ],
    );
    let after = installation
        .digitalocean
        .read(|world| (world.droplets().cloned().collect::<Vec<_>>(), world.snapshots().count()));
    assert_eq!(before, after, "looking changes nothing");
    let left = std::fs::read_dir(installation.folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
    let left: Vec<_> = left.filter(|name| name.to_string_lossy().starts_with("bot.db")).collect();
    assert!(left.is_empty(), "no database is left behind: {left:?}");
    assert!(installation.discord.world().journal().iter().all(|exchange| exchange.request.method == "GET"));
}

#[tokio::test]
async fn what_is_missing_is_named_with_what_to_do_and_ends_with_1() {
    let mut installation = Installation::new().await;
    let (elsewhere, secret) = {
        let mut world = installation.discord.world();
        let elsewhere = world.add_guild("Elsewhere");
        world.kick_bot(elsewhere);
        world.deny_bot(installation.ops, Permissions::EMBED_LINKS);
        let refused = Disturbance::Refuse { status: 403, code: 50001, message: "Missing Access".to_owned() };
        world.add_fault(Fault::always("GET /applications/*/guilds/*/commands".parse().unwrap(), refused));
        (elsewhere, world.add_channel(elsewhere, "secret"))
    };
    installation.digitalocean.world(|world| {
        world.add_token("dop_v1_poor", Scopes::only(["droplet:read", "account:read", "actions:read", "snapshot:read"]));
    });
    let guilds = format!("{},{elsewhere}", installation.guild);
    installation.environment.extend([
        ("DISCORD_GUILD_ID", guilds),
        ("DIGITALOCEAN_TOKEN", "dop_v1_poor".to_owned()),
        ("RESTORE_ROLES", "424242".to_owned()),
        ("NOTIFY_CHANNEL_ID", secret.to_string()),
        ("REPORT_CHANNEL_ID", secret.to_string()),
        ("FAILURE_ROLE", "434343".to_owned()),
        ("HEARTBEAT_URL", "https://10.0.0.7/a-secret-key".to_owned()),
        ("DATABASE_URL", "sqlite:///nowhere/at/all.db".to_owned()),
    ]);
    let ended = check(&installation).await;
    assert_eq!(ended.code, Some(1), "{}\n{}", ended.stdout, ended.stderr);
    let absent = format!("✗ guild {elsewhere}: the bot is not in it: invite it with the link below");
    let report = format!("✗ REPORT_CHANNEL_ID {secret}: the bot does not see it");
    let notify = format!("✗ NOTIFY_CHANNEL_ID {secret}: the bot does not see it");
    says(
        &ended,
        &[
            "✗ database: could not open the database /nowhere/at/all.db: its folder does not exist",
            "✗ scopes for seeing Droplets and what runs: the token may lack image:read",
            "✗ scopes for taking Snapshots: the token may lack droplet:update (image:create cannot be seen without it)",
            "· scopes for restoring: droplet:admin cannot be seen without droplet:update",
            "· scopes for launching a Droplet: the token may lack droplet:create",
            "invited without the scope applications.commands: open the link below once more",
            "there is no channel in which it has all the rights",
            "cannot work in #ops, where it lacks Embed Links",
            &absent,
            "✗ roles: no guild that is served has 424242",
            &notify,
            &report,
            "✗ FAILURE_ROLE: no guild that is served has 434343",
            "✗ HEARTBEAT_URL: 10.0.0.7 is in a private network",
            "· scopes for finding Volumes and addresses left over: the token may lack block_storage:read, reserved_ip:read",
        ],
    );
    assert!(!ended.stdout.contains("a-secret-key"), "{}", ended.stdout);
}

#[tokio::test]
async fn refused_tokens_are_both_named_and_so_is_that_nobody_but_admins_may() {
    let mut installation = Installation::new().await;
    installation.environment.remove("RESTORE_ROLES");
    let ended = check(&installation).await;
    assert_eq!(ended.code, Some(0), "{}", ended.stdout);
    says(&ended, &["· roles: none is configured, so only members with Administrator or Manage Server"]);
    installation.discord.world().accept_token(false);
    installation.digitalocean.world(|world| world.revoke_token(TOKEN));
    let ended = check(&installation).await;
    assert_eq!(ended.code, Some(1));
    says(&ended, &["✗ DigitalOcean: DigitalOcean does not accept the token", "refuses DISCORD_TOKEN"]);
}

#[tokio::test]
async fn services_that_cannot_be_reached_are_named() {
    let mut installation = Installation::new().await;
    installation.environment.insert("DIGITALOCEAN_API_URL", format!("http://{}", free_address()));
    installation.environment.insert("DISCORD_CONNECT_TO", free_address());
    let ended = check(&installation).await;
    assert_eq!(ended.code, Some(1));
    says(
        &ended,
        &[
            "✗ DigitalOcean: could not connect to 127.",
            ": check this machine's network, proxy and firewall",
            "✗ Discord: could not get an answer from Discord: no connection",
            "The invite link follows once Discord accepts the token.",
        ],
    );
}

#[tokio::test]
async fn a_database_that_a_running_bot_uses_is_fine() {
    let installation = Installation::new().await;
    let (bot, _) = installation.ready("bot").await;
    let ended = check(&installation).await;
    assert_eq!(ended.code, Some(0), "{}\n{}", ended.stdout, ended.stderr);
    says(&ended, &["is in use by a running snapshot-bot, as it should be"]);
    installation.stop(bot).await;
    let ended = check(&installation).await;
    says(&ended, &["✓ database: SQLite, can be written, tables are up to date"]);
}
