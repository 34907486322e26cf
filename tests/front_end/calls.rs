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
    front_end::FrontEnd,
    reports::{history, posts, stick},
    rows::with_power,
};

/// A take of this Droplet by this person.
async fn begun(front_end: &FrontEnd, person: &str, droplet: &str) -> OperationId {
    front_end.said_to(person, &format!("/snapshot take droplet:{droplet}")).await;
    let running = front_end.store.running().await.expect("the store answers");
    let mut operations = running.into_iter().map(|stored| stored.operation);
    operations.find(|operation| operation.target.name == droplet).expect("it runs").id
}

/// Calls people about the operation.
async fn call(front_end: &FrontEnd, id: OperationId) {
    let now = front_end.clock.now();
    front_end.commit(id, |operation| stick(operation, now)).await;
}

/// Turns the Droplet back on.
async fn come_back(front_end: &FrontEnd, id: OperationId) {
    let now = front_end.clock.now();
    front_end
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
async fn shown(front_end: &FrontEnd, text: &str) -> Message {
    front_end.posted_later(front_end.channel, text).await;
    front_end.posted(says(text)).await
}

fn calls(front_end: &FrontEnd, channel: Snowflake) -> usize {
    front_end.count(channel, "· power")
}

fn pings(front_end: &FrontEnd) -> (usize, usize) {
    (front_end.seat("ada").pings(), front_end.seat("bob").pings())
}

#[tokio::test]
async fn a_call_grows_without_another_ping_and_shows_what_came_back() {
    let front_end = FrontEnd::new().await;
    let (one, two) = (begun(&front_end, "ada", "web-1").await, begun(&front_end, "ada", "web-2").await);
    call(&front_end, one).await;
    let first = front_end.posted(says("`web-1` is off, and I couldn't turn it back on")).await;
    assert_eq!(
        first.reference,
        front_end.store.progress_message(one).await.unwrap().map(|(_, id)| Snowflake::new(id.0))
    );
    call(&front_end, two).await;
    let grown = shown(&front_end, "2 Droplets are off").await;
    assert_eq!(grown.id, first.id);
    assert!(grown.body.content.contains("`web-1`") && grown.body.content.contains("`web-2`"), "{grown:?}");
    come_back(&front_end, one).await;
    let left = shown(&front_end, "✅ On again: `web-1`").await;
    assert!(left.id == first.id && left.body.content.contains("`web-2` is off"), "{left:?}");
    come_back(&front_end, two).await;
    let over = shown(&front_end, "✅ **Both Droplets are on again:** `web-1`, `web-2`").await;
    assert!(over.id == first.id && over.body.components.is_empty(), "{over:?}");
    assert_eq!(pings(&front_end), (1, 0));
    front_end.close().await;
}

#[tokio::test]
async fn who_is_not_mentioned_yet_is_called_by_a_reply_to_the_list() {
    let front_end = FrontEnd::new().await;
    let mut ids = Vec::new();
    for (person, droplet) in [("ada", "web-1"), ("bob", "web-2"), ("bob", "valheim")] {
        ids.push(begun(&front_end, person, droplet).await);
    }
    call(&front_end, ids[0]).await;
    let list = front_end.posted(says("`web-1` is off")).await;
    call(&front_end, ids[1]).await;
    let reply = front_end.posted(says("`web-2` is off, and I couldn't turn it back on")).await;
    assert_eq!(reply.reference, Some(list.id));
    call(&front_end, ids[2]).await;
    assert_eq!(shown(&front_end, "3 Droplets are off").await.id, list.id);
    come_back(&front_end, ids[1]).await;
    assert_eq!(shown(&front_end, "✅ `web-2` is on again").await.id, reply.id);
    assert_eq!(shown(&front_end, "✅ On again: `web-2`").await.id, list.id);
    assert_eq!(pings(&front_end), (1, 1));
    assert_eq!(calls(&front_end, front_end.channel), 2);
    front_end.close().await;
}

#[tokio::test]
async fn what_happens_while_discord_hears_nothing_is_one_message_that_calls_everybody() {
    let front_end = FrontEnd::new().await;
    let mut ids = Vec::new();
    for (person, droplet) in [("ada", "web-1"), ("bob", "web-2"), ("ada", "valheim")] {
        ids.push(begun(&front_end, person, droplet).await);
    }
    let hour = Duration::from_hours(1);
    front_end.discord.world().add_fault(Fault::once(posts(front_end.channel), Disturbance::ThrottleGlobal(hour)));
    front_end.commit(ids[0], |operation| operation.ended = Some(operation.asked_at)).await;
    front_end.until_answered("POST", &history(front_end.channel), 4).await;
    call(&front_end, ids[1]).await;
    call(&front_end, ids[2]).await;
    shown(&front_end, "2 Droplets are off").await;
    front_end.leave().await;
    assert_eq!(calls(&front_end, front_end.channel), 1);
    let (ada, bob) = pings(&front_end);
    assert!(ada >= 1 && bob == 1, "{ada} {bob}");
}

#[tokio::test]
async fn an_outage_of_discord_loses_and_doubles_no_call() {
    let front_end = FrontEnd::new().await;
    let (one, two) = (begun(&front_end, "ada", "web-1").await, begun(&front_end, "bob", "web-2").await);
    front_end.discord.world().add_fault(Fault::always(posts(front_end.channel), Disturbance::Down(502)).named("down"));
    call(&front_end, one).await;
    front_end.until_answered("POST", &history(front_end.channel), 3).await;
    // The first attempt may have arrived, and mentions only ada.
    call(&front_end, two).await;
    front_end.until_answered_later("POST", &history(front_end.channel), 5).await;
    front_end.discord.world().end_fault("down");
    shown(&front_end, "2 Droplets are off").await;
    shown(&front_end, "`web-2` is off, and I couldn't turn it back on").await;
    front_end.leave().await;
    assert_eq!(calls(&front_end, front_end.channel), 2);
    assert_eq!(pings(&front_end), (1, 1));
}

#[tokio::test]
async fn a_call_whose_post_was_not_answered_is_made_once_and_lists_who_joined_meanwhile() {
    let front_end = FrontEnd::new().await;
    let (one, two) = (begun(&front_end, "ada", "web-1").await, begun(&front_end, "ada", "web-2").await);
    front_end
        .discord
        .world()
        .add_fault(Fault::once(posts(front_end.channel).containing("· power"), Disturbance::CutAfter));
    call(&front_end, one).await;
    front_end.posted(says("`web-1` is off")).await;
    call(&front_end, two).await;
    shown(&front_end, "2 Droplets are off").await;
    front_end.leave().await;
    assert_eq!(calls(&front_end, front_end.channel), 1);
    assert_eq!(pings(&front_end), (1, 0));
}

#[tokio::test]
async fn a_deleted_call_is_made_anew_while_it_is_needed_and_not_afterwards() {
    let front_end = FrontEnd::new().await;
    let (one, two) = (begun(&front_end, "ada", "web-1").await, begun(&front_end, "ada", "web-2").await);
    call(&front_end, one).await;
    let first = front_end.posted(says("`web-1` is off")).await;
    front_end.discord.world().delete_message(first.id);
    call(&front_end, two).await;
    let anew = shown(&front_end, "2 Droplets are off").await;
    assert_ne!(anew.id, first.id);
    come_back(&front_end, one).await;
    shown(&front_end, "✅ On again: `web-1`").await;
    front_end.discord.world().delete_message(anew.id);
    come_back(&front_end, two).await;
    front_end.until_answered_later("PATCH", &format!("{}/{}", history(front_end.channel), anew.id), 2).await;
    front_end.leave().await;
    assert_eq!(calls(&front_end, front_end.channel), 0);
    assert_eq!(pings(&front_end).0, 2);
}

#[tokio::test]
async fn a_call_that_is_over_before_it_could_be_made_is_not_made() {
    let front_end = FrontEnd::new().await;
    let one = begun(&front_end, "ada", "web-1").await;
    let now = front_end.clock.now();
    front_end
        .commit(one, |operation| {
            stick(operation, now);
            *operation = with_power(operation, |power| (power["owed"], power["came_back"]) = (json!(null), json!(now)));
        })
        .await;
    front_end.leave().await;
    assert_eq!(calls(&front_end, front_end.channel), 0);
    assert_eq!(pings(&front_end), (0, 0));
}

#[tokio::test]
async fn where_the_channel_is_gone_each_requester_is_told_once() {
    let front_end = FrontEnd::new().await;
    let mut ids = Vec::new();
    for (person, droplet) in [("ada", "web-1"), ("bob", "web-2"), ("bob", "valheim")] {
        ids.push(begun(&front_end, person, droplet).await);
    }
    let direct = ["ada", "bob"].map(|name| {
        let user = front_end.seat(name).user;
        front_end.discord.world().direct_channel(user)
    });
    front_end.discord.world().add_fault(Fault::always(posts(front_end.channel), Disturbance::Down(502)).named("down"));
    for id in &ids {
        call(&front_end, *id).await;
    }
    {
        let mut world = front_end.discord.world();
        world.delete_channel(front_end.channel);
        world.delete_channel(front_end.notified);
        world.end_fault("down");
    }
    for channel in direct {
        front_end.posted_later(channel, "I couldn't turn").await;
    }
    front_end.leave().await;
    assert_eq!(calls(&front_end, direct[0]), 1);
    assert!((1..=2).contains(&calls(&front_end, direct[1])), "one for each message that would have called them");
}

#[tokio::test]
async fn where_the_channel_is_gone_the_list_goes_on_in_the_notify_channel() {
    let front_end = FrontEnd::new().await;
    let (one, two) = (begun(&front_end, "ada", "web-1").await, begun(&front_end, "ada", "web-2").await);
    front_end.discord.world().delete_channel(front_end.channel);
    call(&front_end, one).await;
    front_end.posted_later(front_end.notified, "`web-1` is off, and I couldn't turn it back on").await;
    call(&front_end, two).await;
    front_end.posted_later(front_end.notified, "2 Droplets are off").await;
    come_back(&front_end, one).await;
    come_back(&front_end, two).await;
    front_end.posted_later(front_end.notified, "✅ **Both Droplets are on again:** `web-1`, `web-2`").await;
    assert_eq!(calls(&front_end, front_end.notified), 1);
    front_end.leave().await;
}

/// Discord fails the requests to one channel for hours, while others work.
#[tokio::test]
async fn where_the_channel_takes_no_message_for_minutes_the_call_goes_to_the_notify_channel() {
    for trouble in [Disturbance::CutBefore, Disturbance::Down(503)] {
        let front_end = FrontEnd::new().await;
        let one = begun(&front_end, "ada", "web-1").await;
        front_end.discord.world().add_fault(Fault::always(posts(front_end.channel), trouble).named("this channel"));
        call(&front_end, one).await;
        front_end.posted_later(front_end.notified, "`web-1` is off, and I couldn't turn it back on").await;
        front_end.discord.world().end_fault("this channel");
        come_back(&front_end, one).await;
        front_end.posted_later(front_end.notified, "✅ `web-1` is on again").await;
        assert_eq!((calls(&front_end, front_end.channel), calls(&front_end, front_end.notified)), (0, 1));
        front_end.leave().await;
    }
}

#[tokio::test]
async fn one_press_keeps_waiting_for_all_that_are_listed() {
    let front_end = FrontEnd::new().await;
    let (one, two) = (begun(&front_end, "ada", "web-1").await, begun(&front_end, "ada", "web-2").await);
    call(&front_end, one).await;
    call(&front_end, two).await;
    let list = shown(&front_end, "2 Droplets are off").await;
    let press = format!("waitall:{one}");
    let gil = front_end.seat("gil").press(list.id, &press).await.unwrap();
    let refused = front_end.read(&gil).await;
    assert!(refused.contains("You need"), "{refused}");
    let bob = front_end.seat("bob").press(list.id, &press).await.unwrap();
    let answer = front_end.read(&bob).await;
    assert!(answer.contains("2 Droplets"), "{answer}");
    for id in [one, two] {
        let instructions = front_end.store.load(id).await.unwrap().unwrap().instructions;
        assert!(
            instructions.iter().any(|(_, instructed)| instructed.instruction == Instruction::KeepWaiting),
            "{instructions:?}"
        );
    }
    front_end.clock.advance(SignedDuration::from_secs(3));
    come_back(&front_end, one).await;
    come_back(&front_end, two).await;
    shown(&front_end, "Both Droplets are on again").await;
    let late = front_end.seat("bob").forge_press(list.id, &press).await.unwrap();
    let answer = front_end.read(&late).await;
    assert!(answer.contains("ended"), "{answer}");
    front_end.close().await;
}
