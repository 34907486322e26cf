//! What the program reports about its command line and its environment before it does anything.

use std::{collections::BTreeMap, os::unix::fs::PermissionsExt as _};

use super::process::{Ended, Process};

/// The commands of the program, without those that need the simulated services.
const COMMANDS: [&str; 5] = ["run", "check", "healthcheck", "audit", "backup"];
const DEMO_COMMANDS: [&str; 2] = ["demo", "sandbox"];

async fn run(arguments: &[&str], environment: &[(&'static str, &str)], dotenv: Option<&str>) -> Ended {
    let folder = tempfile::tempdir().unwrap();
    if let Some(text) = dotenv {
        std::fs::write(folder.path().join(".env"), text).unwrap();
    }
    let environment: BTreeMap<_, _> = environment.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
    Process::start(folder.path(), "bot", arguments, &environment).end().await
}

#[tokio::test]
async fn everything_that_is_wrong_is_told_at_once() {
    let environment = [("DISCORD_TOKEN", "a secret with blanks"), ("POLL_INTERVAL", "soon"), ("DISCORD_GUILDID", "1")];
    for command in [&[][..], &["run"], &["check"]] {
        let ended = run(command, &environment, None).await;
        assert_eq!(ended.code, Some(2), "{}", ended.stderr);
        assert_eq!(ended.stdout, "");
        for variable in ["DISCORD_TOKEN", "DISCORD_GUILD_ID", "DIGITALOCEAN_TOKEN", "POLL_INTERVAL"] {
            assert!(ended.stderr.contains(&format!("\n{variable}\n")), "{variable} in {}", ended.stderr);
        }
        assert!(ended.stderr.contains("did you mean DISCORD_GUILD_ID?"), "{}", ended.stderr);
        assert!(!ended.stderr.contains("a secret with blanks"), "{}", ended.stderr);
    }
}

#[tokio::test]
async fn the_file_env_is_read_and_the_environment_wins_over_it() {
    let dotenv = "POLL_INTERVAL=never\nSETTLE_TIME=always\n";
    let ended = run(&[], &[("POLL_INTERVAL", "5s")], Some(dotenv)).await;
    assert_eq!(ended.code, Some(2));
    assert!(ended.stderr.contains("always") && !ended.stderr.contains("never"), "{}", ended.stderr);
}

#[tokio::test]
async fn what_is_wrong_in_the_file_env_is_named_with_its_line() {
    let dotenv = "# settings\nPOLL_INTERVAL=never\nSETTLE_TIME=always\nDROPLETTAG=web\n";
    for command in ["run", "check"] {
        let ended = run(&[command], &[("POLL_INTERVAL", "often")], Some(dotenv)).await;
        assert_eq!(ended.code, Some(2));
        for line in ["\n.env:3: SETTLE_TIME\n", "\nPOLL_INTERVAL\n", ".env:4: warning: the variable DROPLETTAG"] {
            assert!(format!("\n{}", ended.stderr).contains(line), "{line} in {}", ended.stderr);
        }
    }
}

#[tokio::test]
async fn a_file_env_that_cannot_be_read_is_wrong_configuration() {
    let (secret, other) = ("a.token.of-three-parts", "dop_v1_another-token");
    let broken = [
        (format!("DISCORD_TOKEN='{secret}\nDIGITALOCEAN_TOKEN={other}\n"), ".env:1: DISCORD_TOKEN: not NAME=value"),
        (format!("SETTLE_TIME=5s\n\nDISCORD_TOKEN={secret} {other}\n"), ".env:3: DISCORD_TOKEN: not NAME=value"),
    ];
    for (text, place) in broken {
        let ended = run(&[], &[], Some(&text)).await;
        assert_eq!(ended.code, Some(2), "{}", ended.stderr);
        assert!(ended.stderr.contains(place), "{}", ended.stderr);
        assert!(!ended.stderr.contains(secret) && !ended.stderr.contains(other), "{}", ended.stderr);
    }
}

#[tokio::test]
async fn a_file_env_that_everybody_may_read_earns_a_warning() {
    for (mode, is_warned) in [(0o644, true), (0o640, false), (0o600, false)] {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(".env");
        std::fs::write(&file, "DISCORD_TOKEN=a-token\n").unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
        let ended = Process::start(folder.path(), "bot", &[], &BTreeMap::new()).end().await;
        assert_eq!(ended.stderr.contains("warning: everybody on this machine may read"), is_warned, "{}", ended.stderr);
    }
}

#[tokio::test]
async fn only_the_file_env_of_the_working_directory_counts() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join(".env"), "POLL_INTERVAL=never").unwrap();
    let below = folder.path().join("below");
    std::fs::create_dir(&below).unwrap();
    let ended = Process::start(&below, "bot", &[], &BTreeMap::new()).end().await;
    assert_eq!(ended.code, Some(2));
    assert!(!ended.stderr.contains("never"), "{}", ended.stderr);
}

#[tokio::test]
async fn help_names_every_command_and_wrong_usage_ends_with_2() {
    let help = run(&["--help"], &[], None).await;
    assert_eq!(help.code, Some(0));
    let has_demo = cfg!(feature = "demo");
    for command in COMMANDS.iter().chain(DEMO_COMMANDS.iter().filter(|_| has_demo)) {
        assert!(help.stdout.contains(command), "{}", help.stdout);
        let help = run(&[command, "--help"], &[], None).await;
        assert_eq!(help.code, Some(0), "{}", help.stderr);
        assert!(help.stdout.contains("Usage: snapshot-bot"), "{}", help.stdout);
    }
    assert!(help.stdout.contains(".env.example"), "{}", help.stdout);
    for command in DEMO_COMMANDS.iter().filter(|_| !has_demo) {
        assert!(!help.stdout.contains(command), "{}", help.stdout);
        assert_eq!(run(&[command], &[], None).await.code, Some(2));
    }
    for wrong in [&["dance"][..], &["run", "--fast"], &["sandbox", "--discord", "nowhere"]] {
        assert_eq!(run(wrong, &[], None).await.code, Some(2), "{wrong:?}");
    }
}
