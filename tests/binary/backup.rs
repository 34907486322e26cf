//! `snapshot-bot backup`: a complete copy while the bot runs, and what happens when a copy is put back.

use std::{fs, os::unix::fs::PermissionsExt as _};

use snapshot_bot_sandbox::{control::gate::Point, digitalocean::fault::Pattern};

use super::{audit::told, installation::Installation, process::Signal};

#[tokio::test]
async fn a_copy_is_made_while_a_take_runs_and_the_bot_goes_on_from_it() {
    let installation = Installation::new().await;
    let (bot, _) = installation.ready("bot").await;
    let held = installation.take_held_at("snapshot").await;
    let copy = installation.folder.path().join("copy of today.db");
    let copied = told(&installation, "copied", &["backup", copy.to_str().unwrap()]).await;
    assert_eq!((copied.code, copied.stderr.as_str()), (Some(0), ""));
    assert_eq!(fs::metadata(&copy).unwrap().permissions().mode() & 0o777, 0o600);
    bot.signal(Signal::Kill);
    bot.end().await;
    held.release();
    put_back(&installation, &copy);
    let (bot, _) = installation.ready("restored").await;
    installation.reads("is ready").await;
    assert_eq!(installation.commands(), ["shutdown web-1", "snapshot web-1", "power_on web-1"]);
    assert!(installation.web_is_on());
    installation.stop(bot).await;
}

#[tokio::test]
async fn nothing_that_is_there_is_overwritten_and_nothing_half_is_left() {
    let installation = Installation::new().await;
    let file = installation.folder.path().join("copy.db");
    let name = file.to_str().unwrap();
    let nothing = told(&installation, "nothing", &["backup", name]).await;
    assert!(nothing.code == Some(1) && nothing.stderr.contains("there is no database"), "{}", nothing.stderr);
    assert!(!file.exists());

    let (bot, _) = installation.ready("bot").await;
    fs::write(&file, "precious").unwrap();
    let refused = told(&installation, "refused", &["backup", name]).await;
    assert!(refused.code == Some(1) && refused.stderr.contains("exists already"), "{}", refused.stderr);
    assert_eq!(fs::read_to_string(&file).unwrap(), "precious");
    let own =
        told(&installation, "own", &["backup", installation.folder.path().join("bot.db").to_str().unwrap()]).await;
    assert_eq!(own.code, Some(1), "{}", own.stderr);
    let nowhere = told(&installation, "nowhere", &["backup", "/nowhere/copy.db"]).await;
    assert!(nowhere.code == Some(1) && nowhere.stderr.contains("/nowhere/copy.db"), "{}", nowhere.stderr);
    installation.stop(bot).await;
}

#[tokio::test]
async fn a_copy_that_is_put_back_overwrites_no_disk_that_was_restored_since() {
    let installation = Installation::new().await;
    let (bot, _) = installation.ready("bot").await;
    installation.ada.run("/snapshot take droplet:web-1").await.unwrap();
    installation.reads("is ready").await;
    let snapshot = installation.digitalocean.read(|world| world.snapshots().next().unwrap().id);
    let held = installation.digitalocean.gate().hold(Point::BeforeAnswer, Pattern::action("shutdown"), 0);
    installation.ada.run(&format!("/snapshot restore droplet:web-1 snapshot:{snapshot} safety:no")).await.unwrap();
    installation.press("Restore").await;
    let held = installation.caught(held).await;
    // The copy contains a restore that was confirmed and has not begun.
    let copy = installation.folder.path().join("copy.db");
    assert_eq!(told(&installation, "copied", &["backup", copy.to_str().unwrap()]).await.code, Some(0));
    held.release();
    installation.reads("is restored from").await;
    installation.stop(bot).await;
    let restores =
        |installation: &Installation| installation.commands().iter().filter(|one| *one == "restore web-1").count();
    assert_eq!(restores(&installation), 1, "{:?}", installation.commands());

    put_back(&installation, &copy);
    // The shutdown that it began is over, and the Droplet is on: a person must decide what that means.
    let bot = installation.start_with("restored", &[("SHUTDOWN_TIMEOUT", "1s".to_owned())]);
    installation.reads("[Force power off]").await;
    assert_eq!(restores(&installation), 1, "{:?}\n{}", installation.commands(), installation.ada.transcript());
    assert!(installation.web_is_on());
    installation.stop(bot).await;
}

/// As docs/backup.md describes: stops the bot, and leaves nothing of the old database.
fn put_back(installation: &Installation, copy: &std::path::Path) {
    for file in ["bot.db", "bot.db-wal", "bot.db-shm"] {
        drop(fs::remove_file(installation.folder.path().join(file)));
    }
    fs::copy(copy, installation.folder.path().join("bot.db")).unwrap();
}
