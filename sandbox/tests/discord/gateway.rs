//! A poise bot over the real gateway: log in, register, answer, resume.

use std::time::Duration;

use serde_json::json;
use snapshot_bot_sandbox::discord::{interaction::Response, journal::Exchange, refused::Refused};

use crate::{
    bot::Bot,
    sandbox_discord::{SandboxDiscord, wait_for},
};

#[tokio::test]
async fn a_poise_bot_registers_completes_answers_edits_and_posts_with_a_nonce() {
    let sandbox = SandboxDiscord::new().await;
    let bot = Bot::start(&sandbox).await;
    let ada = sandbox.seat(sandbox.ada);
    let choices = ada.autocomplete("snapshot take", "droplet", "web", &[]).await.expect("suggestions");
    assert_eq!(choices.iter().map(|choice| choice.name.as_str()).collect::<Vec<_>>(), ["web-1", "web-2"]);
    let answered = ada.run("/snapshot take droplet:web-1").await;
    assert!(matches!(answered, Ok(Response::Message(_))), "{answered:?}");
    let progress = sandbox
        .discord
        .until(|world| {
            world.messages_in(sandbox.channel).find(|message| !message.body.embeds.is_empty()).map(|found| found.id)
        })
        .await;
    let pressed = ada.press(progress, "cancel:7f3kq2xa").await;
    assert_eq!(pressed, Ok(Response::Updated(progress)));
    insta::assert_snapshot!(ada.transcript(), @r"
    ada used /snapshot take
    snapshot-bot: Taking a snapshot of web-1.
      Only you can see this

    snapshot-bot: (edited)
      ┃ (red)
      ┃ **Cancelled by @ada**
    ");
    assert_eq!(sandbox.discord.world().complaints(), []);
    bot.stop().await;
    assert_eq!(sandbox.discord.until(|world| (!world.is_bot_online()).then_some(())).await, ());
    sandbox.finish().await;
}

#[tokio::test]
async fn a_bot_resumes_after_a_close_and_gets_what_it_missed() {
    let sandbox = SandboxDiscord::new().await;
    let bot = Bot::start(&sandbox).await;
    let ada = sandbox.seat(sandbox.ada);
    for disturb in [0, 1, 2] {
        let mut events = sandbox.discord.events();
        let before = sandbox.discord.world().sessions_begun_and_resumed();
        match disturb {
            0 => sandbox.discord.world().close_gateway(4000),
            1 => sandbox.discord.world().ask_to_reconnect(),
            _ => sandbox.discord.world().invalidate_session(true),
        }
        // Sent while the bot reconnects, so it is replayed.
        let answered = ada.run("/snapshot take droplet:web-1").await;
        assert!(answered.is_ok(), "{disturb}: {answered:?}");
        if disturb == 0 {
            wait_for(&mut events, |event| matches!(event, snapshot_bot_sandbox::discord::event::Event::BotOnline))
                .await;
            let after = sandbox.discord.world().sessions_begun_and_resumed();
            assert_eq!((after.0, after.1), (before.0, before.1 + 1));
        }
    }
    bot.stop().await;
    sandbox.finish().await;
}

#[tokio::test]
async fn a_revoked_token_ends_the_bot_at_the_gateway() {
    let sandbox = SandboxDiscord::new().await;
    let mut bot = Bot::start(&sandbox).await;
    sandbox.discord.world().accept_token(false);
    sandbox.discord.world().close_gateway(4004);
    bot.ended().await;
    let answered = sandbox.seat(sandbox.ada).run("/snapshot take droplet:web-1").await;
    assert_eq!(answered, Err(Refused::DidNotRespond));
    assert_eq!(sandbox.discord.world().complaints(), [], "an absent bot is not to blame");
    sandbox.finish().await;
}

#[tokio::test]
async fn an_interaction_delivered_twice_is_refused_the_second_time_without_a_complaint() {
    let sandbox = SandboxDiscord::new().await;
    let bot = Bot::start(&sandbox).await;
    sandbox.discord.world().dispatch_next_twice();
    let answered = sandbox.seat(sandbox.ada).run("/snapshot take droplet:web-1").await;
    assert!(answered.is_ok(), "{answered:?}");
    let callbacks = |world: &mut snapshot_bot_sandbox::discord::world::World| {
        let answered =
            |exchange: &&Exchange| exchange.request.path.ends_with("/callback") && exchange.status().is_some();
        let statuses: Vec<_> = world.journal().iter().filter(answered).filter_map(Exchange::status).collect();
        (statuses.len() == 2).then_some(statuses)
    };
    assert_eq!(sandbox.discord.until(callbacks).await, [204, 400]);
    assert_eq!(sandbox.discord.world().complaints(), []);
    bot.stop().await;
    sandbox.finish().await;
}

#[tokio::test]
async fn a_bot_that_never_answers_or_answers_twice_is_complained_about() {
    let sandbox = SandboxDiscord::with(|settings| settings.acknowledge_within = Duration::from_millis(500)).await;
    let bot = Bot::start(&sandbox).await;
    let ada = sandbox.seat(sandbox.ada);
    assert_eq!(ada.run("/snapshot ignore").await, Err(Refused::DidNotRespond));
    let answered = ada.run("/snapshot take droplet:web-1").await;
    assert!(answered.is_ok(), "{answered:?}");
    let callback = sandbox
        .discord
        .world()
        .journal()
        .iter()
        .rev()
        .find(|exchange| exchange.request.path.ends_with("/callback"))
        .cloned();
    let path = callback.expect("the bot answered").request.path;
    assert_eq!(sandbox.refused("POST", &path, &json!({"type": 5})).await, (400, 40060));
    let complaints = sandbox.discord.world().complaints();
    assert_eq!(complaints.len(), 2, "{complaints:?}");
    assert_eq!(complaints[0].what, "`snapshot ignore` was not acknowledged in time");
    assert!(complaints[1].what.contains("40060"), "{complaints:?}");
    bot.stop().await;
    sandbox.finish().await;
}

#[tokio::test]
async fn a_bot_identifies_anew_after_an_invalid_session_and_leaves_a_deaf_gateway() {
    let sandbox = SandboxDiscord::with(|settings| settings.heartbeat_interval = Duration::from_millis(500)).await;
    let bot = Bot::start(&sandbox).await;
    let (begun, _) = sandbox.discord.world().sessions_begun_and_resumed();
    sandbox.discord.world().invalidate_session(false);
    sandbox.discord.until(|world| (world.sessions_begun_and_resumed().0 > begun).then_some(())).await;
    let (begun, resumed) = sandbox.discord.world().sessions_begun_and_resumed();
    sandbox.discord.world().ignore_heartbeats(true);
    sandbox.discord.until(|world| (world.sessions_begun_and_resumed() != (begun, resumed)).then_some(())).await;
    sandbox.discord.world().ignore_heartbeats(false);
    bot.stop().await;
    sandbox.finish().await;
}

#[tokio::test]
async fn a_kick_and_an_invitation_reach_the_bot() {
    let sandbox = SandboxDiscord::new().await;
    let bot = Bot::start(&sandbox).await;
    let ada = sandbox.seat(sandbox.ada);
    sandbox.discord.world().kick_bot(sandbox.guild);
    assert!(matches!(ada.run("/snapshot take droplet:web-1").await, Err(Refused::UnknownCommand(_))));
    sandbox.discord.world().invite_bot(sandbox.guild);
    sandbox.register().await;
    let answered = ada.run("/snapshot take droplet:web-1").await;
    assert!(answered.is_ok(), "{answered:?}");
    bot.stop().await;
    sandbox.finish().await;
}
