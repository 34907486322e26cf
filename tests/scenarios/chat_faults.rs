//! Discord in trouble: what must be heard is heard, once, and what happens to the Droplet does not depend on it.

use std::time::Duration;

use insta::assert_snapshot;
use jiff::SignedDuration;
use snapshot_bot::sandbox::{
    digitalocean::fault::{Fault as CloudFault, Pattern, Quirk},
    discord::{
        fault::{Fault, Route},
        permission::Permissions,
        snowflake::Snowflake,
    },
};

use crate::stage::{Person, Role, Stage};

const WHOLE: [&str; 3] = ["shutdown web-1", "snapshot web-1", "power_on web-1"];

fn posts() -> Route {
    "POST /channels/*/messages".parse().unwrap()
}

fn edits() -> Route {
    "PATCH /channels/*/messages/*".parse().unwrap()
}

/// A take whose Snapshot runs until it is told to end.
async fn taking() -> (Stage, Person) {
    let stage = Stage::new().await;
    stage.fault(CloudFault::once(Pattern::action("snapshot"), Quirk::NeverFinish));
    let ada = stage.seat("ada", Role::Operator);
    ada.run("/snapshot take droplet:web-1").await;
    stage.shows(&ada, "Taking the Snapshot — started").await;
    (stage, ada)
}

/// Takes a Snapshot while some requests to Discord go wrong.
async fn take_with(faults: impl IntoIterator<Item = (Route, Fault)>) -> (Stage, Person) {
    let stage = Stage::new().await;
    for (route, fault) in faults {
        stage.discord.world().inject(route, fault, Some(1));
    }
    let ada = stage.seat("ada", Role::Operator);
    let _ = ada.try_run("/snapshot take droplet:web-1").await;
    stage.until("it is taken up", |stage| !stage.commands().is_empty()).await;
    stage.settle().await;
    assert_eq!(stage.commands(), WHOLE);
    (stage, ada)
}

/// One progress message and one announcement that pings once.
async fn heard_once(stage: Stage, ada: &Person) {
    let transcript = ada.transcript();
    assert_eq!(transcript.matches("**Snapshot of `web-1` · ready**").count(), 1, "{transcript}");
    assert_eq!(transcript.matches("is ready: 2.4 GB").count(), 1, "{transcript}");
    assert_eq!(ada.seat.pings(), 1);
    stage.finish().await;
}

#[tokio::test]
async fn an_interaction_that_is_over_does_not_stop_the_take() {
    let over = Fault::Refuse { status: 404, code: 10062, message: "Unknown interaction".to_owned() };
    let (stage, ada) = take_with([(Route::response_to("snapshot take"), over)]).await;
    heard_once(stage, &ada).await;
}

#[tokio::test]
async fn a_first_answer_that_was_lost_is_not_given_twice() {
    let (stage, ada) = take_with([(Route::response_to("snapshot take"), Fault::CutAfter)]).await;
    assert_eq!(ada.transcript().matches("Accepted").count(), 1);
    heard_once(stage, &ada).await;
}

#[tokio::test]
async fn posts_whose_answer_was_lost_are_not_said_twice() {
    let (stage, ada) = take_with([(posts(), Fault::CutAfter), (posts(), Fault::CutAfter)]).await;
    heard_once(stage, &ada).await;
}

#[tokio::test]
async fn an_answer_that_was_lost_is_not_said_twice() {
    let (stage, ada) = take_with([(posts().containing("is ready"), Fault::CutAfter)]).await;
    heard_once(stage, &ada).await;
}

#[tokio::test]
async fn an_answer_that_is_no_json_is_not_said_twice() {
    let (stage, ada) = take_with([(posts().containing("is ready"), Fault::Malform)]).await;
    heard_once(stage, &ada).await;
}

#[tokio::test]
async fn while_discord_is_down_messages_wait() {
    for fault in [Fault::Down(502), Fault::Down(503), Fault::CutBefore] {
        let faults = [(posts(), fault.clone()), (edits(), fault.clone()), (posts().containing("is ready"), fault)];
        let (stage, ada) = take_with(faults).await;
        heard_once(stage, &ada).await;
    }
}

#[tokio::test]
async fn limits_are_waited_out() {
    let little = Duration::from_millis(200);
    for fault in [Fault::ThrottleRoute(little), Fault::ThrottleGlobal(little)] {
        let faults = [(posts(), fault.clone()), (edits(), fault.clone()), (posts().containing("is ready"), fault)];
        let (stage, ada) = take_with(faults).await;
        heard_once(stage, &ada).await;
    }
}

#[tokio::test]
async fn an_edit_too_many_is_made_later() {
    let tired = Fault::Refuse {
        status: 429,
        code: 30046,
        message: "Maximum number of edits to messages older than 1 hour reached".to_owned(),
    };
    let (stage, ada) = taking().await;
    stage.discord.world().inject(edits(), tired, Some(1));
    stage.complete_action("web-1");
    stage.until("it is announced", |_| ada.sees("is ready: 2.4 GB")).await;
    stage.clock.advance(SignedDuration::from_mins(6));
    stage.settle().await;
    heard_once(stage, &ada).await;
}

#[tokio::test]
async fn a_deleted_progress_message_is_posted_anew() {
    let (stage, ada) = taking().await;
    let progress = ada.button("Cancel").unwrap().0;
    stage.discord.world().delete_message(progress);
    stage.complete_action("web-1");
    stage.settle().await;
    assert_snapshot!(ada.transcript());
    heard_once(stage, &ada).await;
}

#[tokio::test]
async fn a_deleted_announcement_is_not_repeated() {
    let (stage, ada) = taking().await;
    stage.complete_action("web-1");
    stage.settle().await;
    let announced = ada.seat.messages().last().unwrap().id;
    stage.discord.world().delete_message(announced);
    ada.transcript();
    let mut stage = stage;
    stage.kill().await;
    stage.start().await;
    stage.settle().await;
    assert!(!ada.sees("is ready: 2.4 GB"), "{}", ada.transcript());
    stage.finish().await;
}

/// What somebody reads in direct messages.
fn direct(stage: &Stage, user: Snowflake) -> Person {
    let channel = stage.discord.world().direct_channel(user);
    stage.sit(user, channel)
}

#[tokio::test]
async fn when_the_channel_is_deleted_the_asker_is_told_directly() {
    let (stage, ada) = taking().await;
    stage.discord.world().delete_channel(stage.ops);
    stage.complete_action("web-1");
    let directly = direct(&stage, ada.seat.user);
    stage.until("it is told", |_| directly.sees("is ready")).await;
    stage.settle().await;
    assert_eq!(stage.commands(), WHOLE);
    assert_snapshot!(directly.transcript());
    stage.finish().await;
}

#[tokio::test]
async fn without_the_right_to_post_any_more_the_asker_is_told_directly() {
    let (stage, ada) = taking().await;
    stage.discord.world().deny_bot(stage.ops, Permissions::VIEW_CHANNEL | Permissions::SEND_MESSAGES);
    stage.complete_action("web-1");
    let directly = direct(&stage, ada.seat.user);
    stage.until("it is told", |_| directly.sees("is ready")).await;
    stage.settle().await;
    assert_eq!(stage.commands(), WHOLE);
    assert_snapshot!(directly.transcript());
    ada.transcript();
    stage.finish().await;
}

#[tokio::test]
async fn who_closed_direct_messages_is_not_pestered() {
    let (stage, ada) = taking().await;
    {
        let mut world = stage.discord.world();
        world.close_dms(ada.seat.user, true);
        world.deny_bot(stage.ops, Permissions::VIEW_CHANNEL | Permissions::SEND_MESSAGES);
    }
    stage.complete_action("web-1");
    stage.settle().await;
    assert_eq!(stage.commands(), WHOLE);
    ada.transcript();
    stage.finish().await;
}

#[tokio::test]
async fn the_notify_channel_hears_of_every_outcome() {
    let mut stage = Stage::dark().await;
    let watch = stage.discord.world().add_channel(stage.guild, "watch");
    stage.environment.insert("NOTIFY_CHANNEL_ID", watch.to_string());
    stage.start().await;
    let ada = stage.seat("ada", Role::Operator);
    let there = stage.sit(ada.seat.user, watch);
    ada.run("/snapshot take droplet:web-1").await;
    stage.settle().await;
    stage.fault(CloudFault::once(Pattern::action("snapshot"), Quirk::Err));
    ada.run("/snapshot take droplet:db-1").await;
    stage.settle().await;
    assert_snapshot!(there.transcript());
    assert_eq!(there.seat.pings(), 0);
    ada.transcript();
    stage.finish().await;
}

#[tokio::test]
async fn an_interaction_that_is_delivered_twice_does_one_thing() {
    let stage = Stage::new().await;
    let ada = stage.seat("ada", Role::Operator);
    stage.discord.world().dispatch_next_twice();
    ada.run("/snapshot take droplet:web-1").await;
    stage.settle().await;
    assert_eq!(stage.commands(), WHOLE);
    assert_eq!(stage.query("SELECT COUNT(*) AS n FROM operations").await, 1);
    heard_once(stage, &ada).await;
}

#[tokio::test]
async fn a_press_that_is_delivered_twice_does_one_thing() {
    let (stage, ada) = taking().await;
    stage.discord.world().dispatch_next_twice();
    ada.press("Cancel").await;
    stage.complete_action("web-1");
    stage.settle().await;
    let wishes = "SELECT COUNT(*) AS n FROM events WHERE what LIKE '%ancel%' AND by_user IS NOT NULL";
    assert_eq!(stage.query(wishes).await, 1);
    assert_eq!(stage.commands(), WHOLE);
    heard_once(stage, &ada).await;
}
