//! Connecting, disconnecting, and being refused.

use std::time::Duration;

use snapshot_bot::discord::{Error, watchdog::Patience};

use crate::front_end::{FrontEnd, GatewayTiming};

/// A Discord that requires frequent heartbeats, and a bot that soon ends without them.
fn impatient() -> GatewayTiming {
    let moments = Duration::from_millis;
    let patience = Patience { look: moments(20), silence: moments(1000), deafness: moments(2000) };
    GatewayTiming { heartbeat: moments(100), patience }
}

/// A Discord that requires frequent heartbeats, and a bot that keeps waiting without them.
fn watchful() -> GatewayTiming {
    let GatewayTiming { heartbeat, patience } = impatient();
    GatewayTiming { heartbeat, patience: Patience { deafness: Duration::from_mins(5), ..patience } }
}

#[tokio::test]
async fn beside_its_name_stands_how_to_begin_and_it_changes_seldom() {
    let front_end = FrontEnd::new().await;
    front_end.until(|world| (world.presence().activity == "/snapshot help").then_some(())).await;
    assert_eq!(front_end.discord.world().presence_changes(), 1);
    front_end.close().await;
}

#[tokio::test]
async fn a_refused_token_is_fatal_and_named() {
    let mut front_end = FrontEnd::not_started(GatewayTiming::default()).await;
    front_end.discord.world().accept_token(false);
    assert!(matches!(front_end.start().await, Err(Error::TokenRefused)));
}

#[tokio::test]
async fn a_gateway_that_refuses_the_token_ends_the_bot() {
    let mut front_end = FrontEnd::new().await;
    front_end.discord.world().close_gateway(4004);
    assert!(matches!(front_end.ended().await, Err(Error::TokenRefused)));
}

#[tokio::test]
async fn a_gateway_that_refuses_the_bot_for_good_ends_it() {
    for code in [4013, 4014] {
        let mut front_end = FrontEnd::new().await;
        front_end.discord.world().close_gateway(code);
        assert!(matches!(front_end.ended().await, Err(Error::GatewayRefused(_))), "{code}");
    }
}

#[tokio::test]
async fn a_gateway_that_refuses_every_session_ends_the_bot() {
    for code in [4010, 4011, 4012] {
        let mut front_end = FrontEnd::with(impatient()).await;
        front_end.discord.world().refuse_sessions(Some(code));
        front_end.discord.world().close_gateway(code);
        front_end.until_ready(false).await;
        assert!(matches!(front_end.ended().await, Err(Error::Deaf(_))), "{code}");
    }
}

#[tokio::test]
async fn a_first_handshake_that_is_never_answered_ends_the_bot() {
    let mut front_end = FrontEnd::not_started(impatient()).await;
    front_end.discord.world().hold_gateway(true);
    front_end.start().await.unwrap();
    assert!(matches!(front_end.ended().await, Err(Error::Deaf(_))));
}

#[tokio::test]
async fn a_handshake_that_is_never_answered_again_ends_the_bot() {
    let mut front_end = FrontEnd::with(impatient()).await;
    front_end.until_ready(true).await;
    front_end.discord.world().hold_gateway(true);
    front_end.discord.world().close_gateway(4000);
    front_end.until_ready(false).await;
    assert!(matches!(front_end.ended().await, Err(Error::Deaf(_))));
}

#[tokio::test]
async fn while_it_is_not_connected_it_is_not_ready_and_then_it_is_again() {
    let mut front_end = FrontEnd::with(watchful()).await;
    front_end.until_ready(true).await;
    front_end.discord.world().hold_gateway(true);
    front_end.discord.world().close_gateway(4000);
    front_end.until_ready(false).await;
    front_end.discord.world().hold_gateway(false);
    front_end.until_ready(true).await;
    assert_eq!(front_end.said_to("gil", "/snapshot status").await, "**Nothing is running.**");
    front_end.close().await;
}

#[tokio::test]
async fn heartbeats_that_are_not_answered_begin_a_new_session() {
    let mut front_end = FrontEnd::with(watchful()).await;
    front_end.until_ready(true).await;
    front_end.discord.world().ignore_heartbeats(true);
    front_end.until_ready(false).await;
    front_end.discord.world().ignore_heartbeats(false);
    front_end.until(|world| (world.sessions_begun_and_resumed().0 >= 2).then_some(())).await;
    front_end.until_ready(true).await;
    assert_eq!(front_end.said_to("gil", "/snapshot status").await, "**Nothing is running.**");
    front_end.close().await;
}

#[tokio::test]
async fn a_bot_that_was_stopped_while_it_connected_does_not_come_back() {
    let mut front_end = FrontEnd::not_started(GatewayTiming::default()).await;
    front_end.discord.world().hold_gateway(true);
    front_end.start().await.unwrap();
    while front_end.discord.world().handshakes() == 0 {
        tokio::task::yield_now().await;
    }
    front_end.stop();
    assert!(front_end.ended().await.is_ok());
    front_end.discord.world().hold_gateway(false);
    front_end.until(|world| world.is_bot_online().then_some(())).await;
    front_end.until(|world| (!world.is_bot_online()).then_some(())).await;
}

#[tokio::test]
async fn a_connection_that_breaks_is_taken_up_again() {
    let front_end = FrontEnd::new().await;
    front_end.discord.world().close_gateway(1006);
    front_end.until(|world| (world.sessions_begun_and_resumed().1 >= 1).then_some(())).await;
    assert_eq!(front_end.said_to("gil", "/snapshot status").await, "**Nothing is running.**");
    front_end.close().await;
}

#[tokio::test]
async fn commands_are_registered_once_and_again_after_an_invitation() {
    let front_end = FrontEnd::new().await;
    let writes = |front_end: &FrontEnd| {
        let world = front_end.discord.world();
        world
            .journal()
            .iter()
            .filter(|exchange| exchange.request.method == "PUT" && exchange.request.path.ends_with("/commands"))
            .count()
    };
    assert_eq!(writes(&front_end), 1);
    let guild = front_end.guild;
    front_end.discord.world().kick_bot(guild);
    front_end.discord.world().invite_bot(guild);
    front_end.offered().await;
    let after = writes(&front_end);
    assert!((1..=2).contains(&after));
    front_end.close().await;
}

#[tokio::test]
async fn a_stop_closes_the_gateway() {
    let mut front_end = FrontEnd::new().await;
    front_end.until(|world| world.is_bot_online().then_some(())).await;
    front_end.stop();
    assert!(front_end.ended().await.is_ok());
    front_end.until(|world| (!world.is_bot_online()).then_some(())).await;
}

/// A flag beyond 32 bits, such as Discord has.
const FAR: u64 = 1 << 50 | 1 << 6;

#[tokio::test]
async fn people_with_flags_beyond_32_bits_and_members_that_lack_fields_are_answered() {
    let front_end = FrontEnd::new().await;
    let ada = front_end.seat("ada").user;
    front_end.discord.world().set_flags(ada, FAR);
    assert_eq!(front_end.said_to("ada", "/snapshot status").await, "**Nothing is running.**");
    front_end.discord.world().send_scant_members(true);
    assert_eq!(front_end.said_to("ada", "/snapshot status").await, "**Nothing is running.**");
    let choices = front_end.seat("ada").autocomplete("snapshot take", "droplet", "val", &[]).await.unwrap();
    assert_eq!(choices.len(), 1);
    front_end.close().await;
}

#[tokio::test]
async fn a_bot_with_such_flags_connects_posts_and_edits() {
    let mut front_end = FrontEnd::not_started(GatewayTiming::default()).await;
    {
        let mut world = front_end.discord.world();
        let bot = world.bot();
        world.set_flags(bot, FAR);
        world.send_scant_members(true);
    }
    front_end.start().await.unwrap();
    front_end.offered().await;
    front_end.until_ready(true).await;
    let accepted = front_end.said_to("ada", "/snapshot take droplet:web-1").await;
    assert!(accepted.starts_with("On it"), "{accepted}");
    let posted = front_end.posted(|message| !message.body.embeds.is_empty()).await;
    let response =
        front_end.seat("ada").press(posted.id, &format!("cancel:{}", front_end.running().await.id)).await.unwrap();
    assert!(front_end.read(&response).await.starts_with("Stopping"));
    front_end.close().await;
}

#[tokio::test]
async fn an_interaction_that_cannot_be_read_is_answered_all_the_same() {
    let front_end = FrontEnd::new().await;
    front_end.discord.world().dispatch_next_without("channel_id");
    let said = front_end.said_to("ada", "/snapshot status").await;
    assert!(said.contains("can't read"), "{said}");
    assert_eq!(front_end.said_to("ada", "/snapshot status").await, "**Nothing is running.**");
    front_end.close().await;
}
