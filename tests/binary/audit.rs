//! `snapshot-bot audit`: who did what, read while a bot runs.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{
    installation::Installation,
    process::{Ended, Process},
};

/// Runs a command that needs only the database's URL.
pub(super) async fn told(installation: &Installation, name: &str, arguments: &[&str]) -> Ended {
    let environment = BTreeMap::from([("DATABASE_URL", installation.environment["DATABASE_URL"].clone())]);
    Process::start(installation.folder.path(), name, arguments, &environment).end().await
}

#[tokio::test]
async fn the_history_tells_who_did_what_while_the_bot_runs() {
    let installation = Installation::new().await;
    let (bot, _) = installation.ready("bot").await;
    installation.ada.run("/snapshot take droplet:web-1").await.unwrap();
    installation.reads("is ready").await;
    let ada = installation.ada.id().to_string();

    let listed = told(&installation, "listed", &["audit", "--since", "1d"]).await;
    assert_eq!(listed.code, Some(0), "{}", listed.stderr);
    let asked = listed.stdout.lines().next().unwrap();
    assert!(asked.contains(&ada) && asked.contains("asked") && asked.contains("take of web-1"), "{asked}");
    assert!(listed.stdout.contains("completed") && listed.stdout.contains("the bot"), "{}", listed.stdout);
    assert!(!listed.stdout.contains("answer taken"), "{}", listed.stdout);

    let json = told(&installation, "json", &["audit", "--json"]).await;
    let lines: Vec<Value> = json.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines[0]["by"], ada.as_str());
    assert_eq!(lines[0]["what"], "asked");
    assert_eq!(lines[0]["droplet"], "web-1");
    assert_eq!(lines[0]["guild"], installation.guild.to_string());
    assert_eq!(lines.len(), listed.stdout.lines().count());

    let later = told(&installation, "later", &["audit", "--since", "2999-01-01"]).await;
    assert_eq!((later.code, later.stdout.as_str()), (Some(0), ""));
    assert_eq!(told(&installation, "wrong", &["audit", "--since", "yesterday"]).await.code, Some(2));
    installation.stop(bot).await;
    // Again without a running bot.
    assert_eq!(
        told(&installation, "stopped", &["audit", "--json"]).await.stdout.lines().next(),
        json.stdout.lines().next()
    );
}

#[tokio::test]
async fn what_people_did_to_schedules_and_pins_is_told_too() {
    let installation = Installation::new().await;
    installation.digitalocean.world(|world| {
        let web = world.droplets().find(|one| one.name == "web-1").unwrap().id;
        world.add_snapshot(web, "golden", 2.0);
    });
    let (bot, _) = installation.ready("bot").await;
    installation.answer("/schedule add what:web-1 every:day at:03:00").await;
    installation.press("Create – ≈ $3/mo").await;
    installation.ada.run("/schedule pause schedule:web-1").await.unwrap();
    let pinned = installation.answer("/snapshot pin snapshot:golden").await;
    assert!(pinned.contains("pinned"), "{pinned}");
    let listed = told(&installation, "listed", &["audit"]).await;
    let by_ada = |what: &str| {
        let is_hers = |line: &&str| line.contains(&format!("user {}", installation.ada.id())) && line.contains(what);
        listed.stdout.lines().find(is_hers).unwrap_or_else(|| panic!("{what}: {}", listed.stdout))
    };
    assert!(by_ada("added").contains("schedule of web-1 ("));
    assert!(by_ada("paused").contains("schedule of web-1 ("));
    assert!(by_ada("pinned").contains("Snapshot golden ("));
    let json = told(&installation, "json", &["audit", "--json"]).await;
    let lines: Vec<Value> = json.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let paused = lines.iter().find(|line| line["what"] == "paused").unwrap();
    assert_eq!((&paused["kind"], &paused["operation"]), (&Value::from("schedule"), &Value::Null));
    assert_eq!(paused["guild"], installation.guild.to_string());
    installation.stop(bot).await;
}

#[tokio::test]
async fn a_database_that_is_not_there_has_no_history_and_is_not_made() {
    let installation = Installation::new().await;
    let listed = told(&installation, "listed", &["audit"]).await;
    assert_eq!((listed.code, listed.stdout.as_str()), (Some(1), ""), "{}", listed.stderr);
    assert!(listed.stderr.contains("no bot has used the database of DATABASE_URL yet"), "{}", listed.stderr);
    assert!(!installation.folder.path().join("bot.db").exists());
}
