//! Coming, going, and being refused.

use snapshot_bot::discord::Error;

use crate::stage::Stage;

#[tokio::test]
async fn a_refused_token_is_fatal_and_named() {
    let mut stage = Stage::empty().await;
    stage.discord.world().accept_token(false);
    assert!(matches!(stage.start().await, Err(Error::TokenRefused)));
}

#[tokio::test]
async fn a_gateway_that_refuses_the_token_ends_the_bot() {
    let mut stage = Stage::new().await;
    stage.discord.world().close_gateway(4004);
    assert!(matches!(stage.ended().await, Err(Error::TokenRefused)));
}

#[tokio::test]
async fn a_gateway_that_refuses_the_bot_for_good_ends_it() {
    for code in [4013, 4014] {
        let mut stage = Stage::new().await;
        stage.discord.world().close_gateway(code);
        assert!(matches!(stage.ended().await, Err(Error::GatewayRefused(_))), "{code}");
    }
}

#[tokio::test]
async fn a_connection_that_breaks_is_taken_up_again() {
    let stage = Stage::new().await;
    stage.discord.world().close_gateway(1006);
    stage.discord.until(|world| (world.sessions_begun_and_resumed().1 >= 1).then_some(())).await;
    assert_eq!(stage.said_to("gil", "/snapshot status").await, "**Nothing is running.**");
    stage.close().await;
}

#[tokio::test]
async fn commands_are_registered_once_and_again_after_an_invitation() {
    let stage = Stage::new().await;
    let writes = |stage: &Stage| {
        let world = stage.discord.world();
        world
            .journal()
            .iter()
            .filter(|exchange| exchange.method == "PUT" && exchange.path.ends_with("/commands"))
            .count()
    };
    assert_eq!(writes(&stage), 1);
    let guild = stage.guild;
    stage.discord.world().kick_bot(guild);
    stage.discord.world().invite_bot(guild);
    stage.offered().await;
    let after = writes(&stage);
    assert!((1..=2).contains(&after));
    stage.close().await;
}

#[tokio::test]
async fn a_stop_closes_the_gateway() {
    let mut stage = Stage::new().await;
    stage.discord.until(|world| world.is_bot_online().then_some(())).await;
    stage.stop();
    assert!(stage.ended().await.is_ok());
    stage.discord.until(|world| (!world.is_bot_online()).then_some(())).await;
}
