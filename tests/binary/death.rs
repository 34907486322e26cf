//! Sudden death, and a second process on the same database.

use super::{
    installation::Installation,
    process::{Signal, ask},
};

#[tokio::test]
async fn killed_in_the_middle_of_a_take_the_next_process_ends_it_well() {
    for action in ["shutdown", "snapshot", "power_on"] {
        let installation = Installation::new().await;
        let (bot, _) = installation.ready("first").await;
        let held = installation.take_held_at(action).await;
        bot.signal(Signal::Kill);
        assert_eq!(bot.end().await.code, None);
        held.release();
        let (bot, _) = installation.ready("second").await;
        installation.reads("is ready").await;
        assert_eq!(
            installation.commands(),
            ["shutdown web-1", "snapshot web-1", "power_on web-1"],
            "killed at {action}"
        );
        assert!(installation.web_is_on(), "killed at {action}");
        assert_eq!(installation.ada.pings(), 1, "killed at {action}\n{}", installation.ada.transcript());
        installation.stop(bot).await;
    }
}

#[tokio::test]
async fn a_second_process_on_one_sqlite_file_is_refused_and_harms_nobody() {
    let installation = Installation::new().await;
    let (first, address) = installation.ready("first").await;
    let second = installation.start("second").end().await;
    assert_eq!(second.code, Some(1), "{}", second.stderr);
    let wanted = format!("could not open the database {}", installation.folder.path().join("bot.db").display());
    assert!(second.stderr.contains(&wanted), "{}", second.stderr);
    assert!(second.stderr.contains("another snapshot-bot uses it"), "{}", second.stderr);
    assert_eq!(ask(&address, "/readyz").await, Some((200, "ready\n".to_owned())));
    installation.stop(first).await;
}
