//! Connecting, disconnecting, and being refused.

use std::time::Duration;

use snapshot_bot::discord::{Error, watchdog::Patience};

use crate::stage::{Scenery, Stage};

/// A Discord that requires frequent heartbeats, and a bot that soon ends without them.
fn impatient() -> Scenery {
    let moments = Duration::from_millis;
    let patience = Patience { look: moments(20), silence: moments(1000), deafness: moments(2000) };
    Scenery { heartbeat: moments(100), patience }
}

/// A Discord that requires frequent heartbeats, and a bot that keeps waiting without them.
fn watchful() -> Scenery {
    let Scenery { heartbeat, patience } = impatient();
    Scenery { heartbeat, patience: Patience { deafness: Duration::from_mins(5), ..patience } }
}

#[tokio::test]
async fn beside_its_name_stands_how_to_begin_and_it_changes_seldom() {
    let stage = Stage::new().await;
    stage.until(|world| (world.presence().activity == "/snapshot help").then_some(())).await;
    assert_eq!(stage.discord.world().presence_changes(), 1);
    stage.close().await;
}

#[tokio::test]
async fn a_refused_token_is_fatal_and_named() {
    let mut stage = Stage::empty(Scenery::default()).await;
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
async fn a_gateway_that_refuses_every_session_ends_the_bot() {
    for code in [4010, 4011, 4012] {
        let mut stage = Stage::set(impatient()).await;
        stage.discord.world().refuse_sessions(Some(code));
        stage.discord.world().close_gateway(code);
        stage.until_ready(false).await;
        assert!(matches!(stage.ended().await, Err(Error::Deaf(_))), "{code}");
    }
}

#[tokio::test]
async fn a_first_handshake_that_is_never_answered_ends_the_bot() {
    let mut stage = Stage::empty(impatient()).await;
    stage.discord.world().hold_gateway(true);
    stage.start().await.unwrap();
    assert!(matches!(stage.ended().await, Err(Error::Deaf(_))));
}

#[tokio::test]
async fn a_handshake_that_is_never_answered_again_ends_the_bot() {
    let mut stage = Stage::set(impatient()).await;
    stage.until_ready(true).await;
    stage.discord.world().hold_gateway(true);
    stage.discord.world().close_gateway(4000);
    stage.until_ready(false).await;
    assert!(matches!(stage.ended().await, Err(Error::Deaf(_))));
}

#[tokio::test]
async fn while_it_is_not_connected_it_is_not_ready_and_then_it_is_again() {
    let mut stage = Stage::set(watchful()).await;
    stage.until_ready(true).await;
    stage.discord.world().hold_gateway(true);
    stage.discord.world().close_gateway(4000);
    stage.until_ready(false).await;
    stage.discord.world().hold_gateway(false);
    stage.until_ready(true).await;
    assert_eq!(stage.said_to("gil", "/snapshot status").await, "**Nothing is running.**");
    stage.close().await;
}

#[tokio::test]
async fn heartbeats_that_are_not_answered_begin_a_new_session() {
    let mut stage = Stage::set(watchful()).await;
    stage.until_ready(true).await;
    stage.discord.world().ignore_heartbeats(true);
    stage.until_ready(false).await;
    stage.discord.world().ignore_heartbeats(false);
    stage.until(|world| (world.sessions_begun_and_resumed().0 >= 2).then_some(())).await;
    stage.until_ready(true).await;
    assert_eq!(stage.said_to("gil", "/snapshot status").await, "**Nothing is running.**");
    stage.close().await;
}

#[tokio::test]
async fn a_bot_that_was_stopped_while_it_connected_does_not_come_back() {
    let mut stage = Stage::empty(Scenery::default()).await;
    stage.discord.world().hold_gateway(true);
    stage.start().await.unwrap();
    while stage.discord.world().handshakes() == 0 {
        tokio::task::yield_now().await;
    }
    stage.stop();
    assert!(stage.ended().await.is_ok());
    stage.discord.world().hold_gateway(false);
    stage.until(|world| world.is_bot_online().then_some(())).await;
    stage.until(|world| (!world.is_bot_online()).then_some(())).await;
}

#[tokio::test]
async fn a_connection_that_breaks_is_taken_up_again() {
    let stage = Stage::new().await;
    stage.discord.world().close_gateway(1006);
    stage.until(|world| (world.sessions_begun_and_resumed().1 >= 1).then_some(())).await;
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
            .filter(|exchange| exchange.request.method == "PUT" && exchange.request.path.ends_with("/commands"))
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
    stage.until(|world| world.is_bot_online().then_some(())).await;
    stage.stop();
    assert!(stage.ended().await.is_ok());
    stage.until(|world| (!world.is_bot_online()).then_some(())).await;
}

/// A flag beyond 32 bits, such as Discord has.
const FAR: u64 = 1 << 50 | 1 << 6;

#[tokio::test]
async fn people_with_flags_beyond_32_bits_and_members_that_lack_fields_are_answered() {
    let stage = Stage::new().await;
    let ada = stage.seat("ada").user;
    stage.discord.world().set_flags(ada, FAR);
    assert_eq!(stage.said_to("ada", "/snapshot status").await, "**Nothing is running.**");
    stage.discord.world().send_scant_members(true);
    assert_eq!(stage.said_to("ada", "/snapshot status").await, "**Nothing is running.**");
    let choices = stage.seat("ada").autocomplete("snapshot take", "droplet", "val", &[]).await.unwrap();
    assert_eq!(choices.len(), 1);
    stage.close().await;
}

#[tokio::test]
async fn a_bot_with_such_flags_connects_posts_and_edits() {
    let mut stage = Stage::empty(Scenery::default()).await;
    {
        let mut world = stage.discord.world();
        let bot = world.bot();
        world.set_flags(bot, FAR);
        world.send_scant_members(true);
    }
    stage.start().await.unwrap();
    stage.offered().await;
    stage.until_ready(true).await;
    let accepted = stage.said_to("ada", "/snapshot take droplet:web-1").await;
    assert!(accepted.starts_with("On it"), "{accepted}");
    let posted = stage.posted(|message| !message.body.embeds.is_empty()).await;
    let response = stage.seat("ada").press(posted.id, &format!("cancel:{}", stage.running().await.id)).await.unwrap();
    assert!(stage.read(&response).await.starts_with("Stopping"));
    stage.close().await;
}

#[tokio::test]
async fn an_interaction_that_cannot_be_read_is_answered_all_the_same() {
    let stage = Stage::new().await;
    stage.discord.world().dispatch_next_without("channel_id");
    let said = stage.said_to("ada", "/snapshot status").await;
    assert!(said.contains("can't read"), "{said}");
    assert_eq!(stage.said_to("ada", "/snapshot status").await, "**Nothing is running.**");
    stage.close().await;
}
