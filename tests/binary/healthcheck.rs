//! `snapshot-bot healthcheck`: the state of a running bot as an exit code, known only by its address.

use std::collections::BTreeMap;

use super::{
    installation::{Installation, free_address},
    process::{Ended, Process},
};

async fn ask(installation: &Installation, address: &str, arguments: &[&str]) -> Ended {
    let environment = BTreeMap::from([("HTTP_ADDR", address.to_owned())]);
    let arguments = [&["healthcheck"], arguments].concat();
    Process::start(installation.folder.path(), "healthcheck", &arguments, &environment).end().await
}

#[tokio::test]
async fn a_running_bot_is_well_and_a_stopped_one_is_not() {
    let installation = Installation::new().await;
    let (bot, address) = installation.ready("bot").await;
    let everywhere = address.replace("127.0.0.1", "0.0.0.0");
    for arguments in [&[][..], &["--ready"]] {
        for address in [&address, &everywhere] {
            let ended = ask(&installation, address, arguments).await;
            assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
        }
    }
    installation.discord.world().refuse_sessions(Some(4014));
    installation.stop(bot).await;
    let ended = ask(&installation, &address, &[]).await;
    assert!(ended.code == Some(1) && ended.stderr.contains("nothing answers at"), "{}", ended.stderr);
}

#[tokio::test]
async fn a_bot_that_cannot_work_lives_and_says_what_it_lacks() {
    let installation = Installation::new().await;
    installation.discord.world().refuse_sessions(Some(1011));
    let address = free_address();
    let bot = installation.start_with("bot", &[("HTTP_ADDR", address.clone())]);
    super::process::until_answered(&address, "/readyz", 503, "gateway: not connected").await;
    assert_eq!(ask(&installation, &address, &[]).await.code, Some(0));
    let ended = ask(&installation, &address, &["--ready"]).await;
    assert!(ended.code == Some(1) && ended.stderr.contains("gateway: not connected"), "{}", ended.stderr);
    drop(bot);
}

#[tokio::test]
async fn without_an_address_the_configuration_is_wrong() {
    let installation = Installation::new().await;
    let ended = Process::start(installation.folder.path(), "bot", &["healthcheck"], &BTreeMap::new()).end().await;
    assert!(ended.code == Some(2) && ended.stderr.contains("HTTP_ADDR"), "{}", ended.stderr);
}
