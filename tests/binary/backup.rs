//! `snapshot-bot backup`: a complete copy while the bot runs, and what happens when a copy is put back.

use std::{fs, os::unix::fs::PermissionsExt as _};

use snapshot_bot_sandbox::{control::gate::Point, digitalocean::fault::Pattern};

use super::{
    audit::told,
    process::{PATIENCE, Signal},
    stage::Stage,
};

#[tokio::test]
async fn a_copy_is_made_while_a_take_runs_and_the_bot_goes_on_from_it() {
    let stage = Stage::new().await;
    let (bot, _) = stage.ready("bot").await;
    let held = stage.take_held_at("snapshot").await;
    let copy = stage.folder.path().join("copy of today.db");
    let copied = told(&stage, "copied", &["backup", copy.to_str().unwrap()]).await;
    assert_eq!((copied.code, copied.stderr.as_str()), (Some(0), ""));
    assert_eq!(fs::metadata(&copy).unwrap().permissions().mode() & 0o777, 0o600);
    bot.signal(Signal::Kill);
    bot.end().await;
    held.release();
    put_back(&stage, &copy);
    let (bot, _) = stage.ready("restored").await;
    stage.reads("is ready").await;
    assert_eq!(stage.commands(), ["shutdown web-1", "snapshot web-1", "power_on web-1"]);
    assert!(stage.web_is_on());
    stage.stop(bot).await;
}

#[tokio::test]
async fn nothing_that_is_there_is_overwritten_and_nothing_half_is_left() {
    let stage = Stage::new().await;
    let file = stage.folder.path().join("copy.db");
    let name = file.to_str().unwrap();
    let nothing = told(&stage, "nothing", &["backup", name]).await;
    assert!(nothing.code == Some(1) && nothing.stderr.contains("there is no database"), "{}", nothing.stderr);
    assert!(!file.exists());

    let (bot, _) = stage.ready("bot").await;
    fs::write(&file, "precious").unwrap();
    let refused = told(&stage, "refused", &["backup", name]).await;
    assert!(refused.code == Some(1) && refused.stderr.contains("exists already"), "{}", refused.stderr);
    assert_eq!(fs::read_to_string(&file).unwrap(), "precious");
    let own = told(&stage, "own", &["backup", stage.folder.path().join("bot.db").to_str().unwrap()]).await;
    assert_eq!(own.code, Some(1), "{}", own.stderr);
    let nowhere = told(&stage, "nowhere", &["backup", "/nowhere/copy.db"]).await;
    assert!(nowhere.code == Some(1) && nowhere.stderr.contains("/nowhere/copy.db"), "{}", nowhere.stderr);
    stage.stop(bot).await;
}

#[tokio::test]
async fn a_copy_that_is_put_back_overwrites_no_disk_that_was_restored_since() {
    let stage = Stage::new().await;
    let (bot, _) = stage.ready("bot").await;
    stage.ada.run("/snapshot take droplet:web-1").await.unwrap();
    stage.reads("is ready").await;
    let snapshot = stage.digitalocean.read(|world| world.snapshots().next().unwrap().id);
    let held = stage.digitalocean.gate().hold(Point::BeforeAnswer, Pattern::action("shutdown"), 0);
    stage.ada.run(&format!("/snapshot restore droplet:web-1 snapshot:{snapshot} safety:no")).await.unwrap();
    stage.press("Restore").await;
    let held = tokio::time::timeout(PATIENCE, held.caught()).await.unwrap().unwrap();
    // The copy contains a restore that was confirmed and has not begun.
    let copy = stage.folder.path().join("copy.db");
    assert_eq!(told(&stage, "copied", &["backup", copy.to_str().unwrap()]).await.code, Some(0));
    held.release();
    stage.reads("is restored from").await;
    stage.stop(bot).await;
    let restores = |stage: &Stage| stage.commands().iter().filter(|one| *one == "restore web-1").count();
    assert_eq!(restores(&stage), 1, "{:?}", stage.commands());

    put_back(&stage, &copy);
    // The shutdown that it began is over, and the Droplet is on: a person must decide what that means.
    let bot = stage.start_with("restored", &[("SHUTDOWN_TIMEOUT", "1s".to_owned())]);
    stage.reads("[Force power off]").await;
    assert_eq!(restores(&stage), 1, "{:?}\n{}", stage.commands(), stage.ada.transcript());
    assert!(stage.web_is_on());
    stage.stop(bot).await;
}

/// As docs/backup.md describes: stops the bot, and leaves nothing of the old database.
fn put_back(stage: &Stage, copy: &std::path::Path) {
    for file in ["bot.db", "bot.db-wal", "bot.db-shm"] {
        drop(fs::remove_file(stage.folder.path().join(file)));
    }
    fs::copy(copy, stage.folder.path().join("bot.db")).unwrap();
}
