//! Calls for help: one message for several Droplets, and one ping for each person.

use std::time::Duration;

use jiff::SignedDuration;
use serde_json::json;
use snapshot_bot::operation::{Instruction, ids::OperationId};
use snapshot_bot_sandbox::discord::{
    fault::{Disturbance, Fault},
    message::Message,
    snowflake::Snowflake,
};

use crate::{
    reports::{history, posts, stick},
    rows::with_power,
    stage::Stage,
};

/// A take of this Droplet by this person.
async fn begun(stage: &Stage, person: &str, droplet: &str) -> OperationId {
    stage.said_to(person, &format!("/snapshot take droplet:{droplet}")).await;
    let running = stage.store.running().await.expect("the store answers");
    let mut operations = running.into_iter().map(|stored| stored.operation);
    operations.find(|operation| operation.target.name == droplet).expect("it runs").id
}

/// Calls people about the operation.
async fn call(stage: &Stage, id: OperationId) {
    let now = stage.clock.now();
    stage.commit(id, |operation| stick(operation, now)).await;
}

/// Turns the Droplet back on.
async fn come_back(stage: &Stage, id: OperationId) {
    let now = stage.clock.now();
    stage
        .commit(id, |operation| {
            *operation = with_power(operation, |power| {
                (power["owed"], power["came_back"], power["went_off"]) = (json!(null), json!(now), json!(now));
            });
        })
        .await;
}

fn says(text: &str) -> impl Fn(&Message) -> bool {
    move |message| message.body.content.contains(text)
}

/// The message with this text, once the pause between two edits is over.
async fn shown(stage: &Stage, text: &str) -> Message {
    stage.posted_later(stage.channel, text).await;
    stage.posted(says(text)).await
}

fn calls(stage: &Stage, channel: Snowflake) -> usize {
    stage.count(channel, "· power")
}

fn pings(stage: &Stage) -> (usize, usize) {
    (stage.seat("ada").pings(), stage.seat("bob").pings())
}

#[tokio::test]
async fn a_call_grows_without_another_ping_and_shows_what_came_back() {
    let stage = Stage::new().await;
    let (one, two) = (begun(&stage, "ada", "web-1").await, begun(&stage, "ada", "web-2").await);
    call(&stage, one).await;
    let first = stage.posted(says("`web-1` is off, and I couldn't turn it back on")).await;
    assert_eq!(first.reference, stage.store.progress_message(one).await.unwrap().map(|(_, id)| Snowflake::new(id.0)));
    call(&stage, two).await;
    let grown = shown(&stage, "2 Droplets are off").await;
    assert_eq!(grown.id, first.id);
    assert!(grown.body.content.contains("`web-1`") && grown.body.content.contains("`web-2`"), "{grown:?}");
    come_back(&stage, one).await;
    let left = shown(&stage, "✅ On again: `web-1`").await;
    assert!(left.id == first.id && left.body.content.contains("`web-2` is off"), "{left:?}");
    come_back(&stage, two).await;
    let over = shown(&stage, "✅ **Both Droplets are on again:** `web-1`, `web-2`").await;
    assert!(over.id == first.id && over.body.components.is_empty(), "{over:?}");
    assert_eq!(pings(&stage), (1, 0));
    stage.close().await;
}

#[tokio::test]
async fn who_is_not_mentioned_yet_is_called_by_a_reply_to_the_list() {
    let stage = Stage::new().await;
    let mut ids = Vec::new();
    for (person, droplet) in [("ada", "web-1"), ("bob", "web-2"), ("bob", "valheim")] {
        ids.push(begun(&stage, person, droplet).await);
    }
    call(&stage, ids[0]).await;
    let list = stage.posted(says("`web-1` is off")).await;
    call(&stage, ids[1]).await;
    let reply = stage.posted(says("`web-2` is off, and I couldn't turn it back on")).await;
    assert_eq!(reply.reference, Some(list.id));
    call(&stage, ids[2]).await;
    assert_eq!(shown(&stage, "3 Droplets are off").await.id, list.id);
    come_back(&stage, ids[1]).await;
    assert_eq!(shown(&stage, "✅ `web-2` is on again").await.id, reply.id);
    assert_eq!(shown(&stage, "✅ On again: `web-2`").await.id, list.id);
    assert_eq!(pings(&stage), (1, 1));
    assert_eq!(calls(&stage, stage.channel), 2);
    stage.close().await;
}

#[tokio::test]
async fn what_happens_while_discord_hears_nothing_is_one_message_that_calls_everybody() {
    let stage = Stage::new().await;
    let mut ids = Vec::new();
    for (person, droplet) in [("ada", "web-1"), ("bob", "web-2"), ("ada", "valheim")] {
        ids.push(begun(&stage, person, droplet).await);
    }
    let hour = Duration::from_hours(1);
    stage.discord.world().add_fault(Fault::once(posts(stage.channel), Disturbance::ThrottleGlobal(hour)));
    stage.commit(ids[0], |operation| operation.ended = Some(operation.asked_at)).await;
    stage.until_answered("POST", &history(stage.channel), 4).await;
    call(&stage, ids[1]).await;
    call(&stage, ids[2]).await;
    shown(&stage, "2 Droplets are off").await;
    stage.leave().await;
    assert_eq!(calls(&stage, stage.channel), 1);
    let (ada, bob) = pings(&stage);
    assert!(ada >= 1 && bob == 1, "{ada} {bob}");
}

#[tokio::test]
async fn an_outage_of_discord_loses_and_doubles_no_call() {
    let stage = Stage::new().await;
    let (one, two) = (begun(&stage, "ada", "web-1").await, begun(&stage, "bob", "web-2").await);
    stage.discord.world().add_fault(Fault::always(posts(stage.channel), Disturbance::Down(502)).named("down"));
    call(&stage, one).await;
    stage.until_answered("POST", &history(stage.channel), 3).await;
    // The first attempt may have arrived, and mentions only ada.
    call(&stage, two).await;
    stage.until_answered_later("POST", &history(stage.channel), 5).await;
    stage.discord.world().end_fault("down");
    shown(&stage, "2 Droplets are off").await;
    shown(&stage, "`web-2` is off, and I couldn't turn it back on").await;
    stage.leave().await;
    assert_eq!(calls(&stage, stage.channel), 2);
    assert_eq!(pings(&stage), (1, 1));
}

#[tokio::test]
async fn a_call_whose_post_was_not_answered_is_made_once_and_lists_who_joined_meanwhile() {
    let stage = Stage::new().await;
    let (one, two) = (begun(&stage, "ada", "web-1").await, begun(&stage, "ada", "web-2").await);
    stage.discord.world().add_fault(Fault::once(posts(stage.channel).containing("· power"), Disturbance::CutAfter));
    call(&stage, one).await;
    stage.posted(says("`web-1` is off")).await;
    call(&stage, two).await;
    shown(&stage, "2 Droplets are off").await;
    stage.leave().await;
    assert_eq!(calls(&stage, stage.channel), 1);
    assert_eq!(pings(&stage), (1, 0));
}

#[tokio::test]
async fn a_deleted_call_is_made_anew_while_it_is_needed_and_not_afterwards() {
    let stage = Stage::new().await;
    let (one, two) = (begun(&stage, "ada", "web-1").await, begun(&stage, "ada", "web-2").await);
    call(&stage, one).await;
    let first = stage.posted(says("`web-1` is off")).await;
    stage.discord.world().delete_message(first.id);
    call(&stage, two).await;
    let anew = shown(&stage, "2 Droplets are off").await;
    assert_ne!(anew.id, first.id);
    come_back(&stage, one).await;
    shown(&stage, "✅ On again: `web-1`").await;
    stage.discord.world().delete_message(anew.id);
    come_back(&stage, two).await;
    stage.until_answered_later("PATCH", &format!("{}/{}", history(stage.channel), anew.id), 2).await;
    stage.leave().await;
    assert_eq!(calls(&stage, stage.channel), 0);
    assert_eq!(pings(&stage).0, 2);
}

#[tokio::test]
async fn a_call_that_is_over_before_it_could_be_made_is_not_made() {
    let stage = Stage::new().await;
    let one = begun(&stage, "ada", "web-1").await;
    let now = stage.clock.now();
    stage
        .commit(one, |operation| {
            stick(operation, now);
            *operation = with_power(operation, |power| (power["owed"], power["came_back"]) = (json!(null), json!(now)));
        })
        .await;
    stage.leave().await;
    assert_eq!(calls(&stage, stage.channel), 0);
    assert_eq!(pings(&stage), (0, 0));
}

#[tokio::test]
async fn where_the_channel_is_gone_each_requester_is_told_once() {
    let stage = Stage::new().await;
    let mut ids = Vec::new();
    for (person, droplet) in [("ada", "web-1"), ("bob", "web-2"), ("bob", "valheim")] {
        ids.push(begun(&stage, person, droplet).await);
    }
    let direct = ["ada", "bob"].map(|name| {
        let user = stage.seat(name).user;
        stage.discord.world().direct_channel(user)
    });
    stage.discord.world().add_fault(Fault::always(posts(stage.channel), Disturbance::Down(502)).named("down"));
    for id in &ids {
        call(&stage, *id).await;
    }
    {
        let mut world = stage.discord.world();
        world.delete_channel(stage.channel);
        world.delete_channel(stage.notified);
        world.end_fault("down");
    }
    for channel in direct {
        stage.posted_later(channel, "I couldn't turn").await;
    }
    stage.leave().await;
    assert_eq!(calls(&stage, direct[0]), 1);
    assert!((1..=2).contains(&calls(&stage, direct[1])), "one for each message that would have called them");
}

#[tokio::test]
async fn where_the_channel_is_gone_the_list_goes_on_in_the_notify_channel() {
    let stage = Stage::new().await;
    let (one, two) = (begun(&stage, "ada", "web-1").await, begun(&stage, "ada", "web-2").await);
    stage.discord.world().delete_channel(stage.channel);
    call(&stage, one).await;
    stage.posted_later(stage.notified, "`web-1` is off, and I couldn't turn it back on").await;
    call(&stage, two).await;
    stage.posted_later(stage.notified, "2 Droplets are off").await;
    come_back(&stage, one).await;
    come_back(&stage, two).await;
    stage.posted_later(stage.notified, "✅ **Both Droplets are on again:** `web-1`, `web-2`").await;
    assert_eq!(calls(&stage, stage.notified), 1);
    stage.leave().await;
}

/// Discord fails the requests to one channel for hours, while others work.
#[tokio::test]
async fn where_the_channel_takes_no_message_for_minutes_the_call_goes_to_the_notify_channel() {
    for trouble in [Disturbance::CutBefore, Disturbance::Down(503)] {
        let stage = Stage::new().await;
        let one = begun(&stage, "ada", "web-1").await;
        stage.discord.world().add_fault(Fault::always(posts(stage.channel), trouble).named("this channel"));
        call(&stage, one).await;
        stage.posted_later(stage.notified, "`web-1` is off, and I couldn't turn it back on").await;
        stage.discord.world().end_fault("this channel");
        come_back(&stage, one).await;
        stage.posted_later(stage.notified, "✅ `web-1` is on again").await;
        assert_eq!((calls(&stage, stage.channel), calls(&stage, stage.notified)), (0, 1));
        stage.leave().await;
    }
}

#[tokio::test]
async fn one_press_keeps_waiting_for_all_that_are_listed() {
    let stage = Stage::new().await;
    let (one, two) = (begun(&stage, "ada", "web-1").await, begun(&stage, "ada", "web-2").await);
    call(&stage, one).await;
    call(&stage, two).await;
    let list = shown(&stage, "2 Droplets are off").await;
    let press = format!("waitall:{one}");
    let gil = stage.seat("gil").press(list.id, &press).await.unwrap();
    let refused = stage.read(&gil).await;
    assert!(refused.contains("You need"), "{refused}");
    let bob = stage.seat("bob").press(list.id, &press).await.unwrap();
    let answer = stage.read(&bob).await;
    assert!(answer.contains("2 Droplets"), "{answer}");
    for id in [one, two] {
        let instructions = stage.store.load(id).await.unwrap().unwrap().instructions;
        assert!(
            instructions.iter().any(|(_, instructed)| instructed.instruction == Instruction::KeepWaiting),
            "{instructions:?}"
        );
    }
    stage.clock.advance(SignedDuration::from_secs(3));
    come_back(&stage, one).await;
    come_back(&stage, two).await;
    shown(&stage, "Both Droplets are on again").await;
    let late = stage.seat("bob").forge_press(list.id, &press).await.unwrap();
    let answer = stage.read(&late).await;
    assert!(answer.contains("ended"), "{answer}");
    stage.close().await;
}
