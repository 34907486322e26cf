//! Discord in trouble: important messages arrive, once, and the Droplet does not depend on them.

use std::time::Duration;

use insta::assert_snapshot;
use jiff::SignedDuration;
use snapshot_bot_sandbox::{
    control::gate::Point,
    digitalocean::fault::{Fault as CloudFault, Quirk},
    discord::{
        fault::{Disturbance, Fault, Pattern},
        permission::Permissions,
        snowflake::Snowflake,
    },
};

use crate::stage::{Person, Role, Stage};

const WHOLE: [&str; 3] = ["shutdown web-1", "snapshot web-1", "power_on web-1"];

fn posts() -> Pattern {
    "POST /channels/*/messages".parse().unwrap()
}

fn edits() -> Pattern {
    "PATCH /channels/*/messages/*".parse().unwrap()
}

/// A take whose Snapshot runs until the test ends it.
async fn taking() -> (Stage, Person) {
    let stage = Stage::new().await;
    stage.fault(CloudFault::once(Pattern::action("snapshot"), Quirk::NeverFinish));
    let ada = stage.seat("ada", Role::Operator);
    ada.run("/snapshot take droplet:web-1").await;
    stage.shows(&ada, "Taking the Snapshot — started").await;
    (stage, ada)
}

/// Takes a Snapshot while some requests to Discord go wrong.
async fn take_with(faults: impl IntoIterator<Item = (Pattern, Disturbance)>) -> (Stage, Person) {
    let stage = Stage::new().await;
    for (on, disturbance) in faults {
        stage.discord.world().add_fault(Fault::once(on, disturbance));
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
    assert_eq!(transcript.matches("**✅ Snapshot of `web-1` · ").count(), 1, "{transcript}");
    assert_eq!(transcript.matches("is ready: 2.4 GB").count(), 1, "{transcript}");
    assert_eq!(ada.seat.pings(), 1);
    stage.finish().await;
}

/// Discord's word for an interaction that was not answered in time.
fn over() -> Disturbance {
    Disturbance::Refuse { status: 404, code: 10062, message: "Unknown interaction".to_owned() }
}

const WITHDRAWN: &str = "SELECT COUNT(*) AS n FROM operations WHERE outcome = 'withdrawn'";

#[tokio::test]
async fn what_nobody_was_answered_about_is_withdrawn_and_announced_to_nobody() {
    for fault in [over(), Disturbance::Refuse { status: 403, code: 50013, message: "Missing Permissions".to_owned() }] {
        let mut stage = Stage::new().await;
        stage.excused.push("was not acknowledged in time");
        stage.discord.world().add_fault(Fault::always(Pattern::response_to("snapshot take"), fault));
        let ada = stage.seat("ada", Role::Operator);
        assert!(ada.try_run("/snapshot take droplet:web-1").await.is_err());
        stage.until_query("it is withdrawn", WITHDRAWN).await;
        stage.settle().await;
        assert_eq!(stage.commands(), [""; 0]);
        assert_eq!(ada.seat.pings(), 0);
        assert_snapshot!("nobody_was_answered", ada.transcript());
        // The Droplet is free for the next request.
        let bob = stage.seat("bob", Role::Restorer);
        bob.run("/snapshot restore droplet:web-1 snapshot:none").await;
        bob.transcript();
        stage.finish().await;
    }
}

#[tokio::test]
async fn without_a_word_on_its_answer_a_take_goes_on_and_a_deletion_is_withdrawn() {
    let (stage, ada) = take_with([
        (Pattern::response_to("snapshot take"), Disturbance::CutBefore),
        (Pattern::response_to("snapshot take"), Disturbance::CutBefore),
    ])
    .await;
    assert!(ada.sees("is ready: 2.4 GB"));
    let ruth = stage.seat("ruth", Role::Restorer);
    let snapshot = stage.digitalocean.read(|world| {
        let web = world.droplet_named("web-1").expect("the stage has it").id;
        world.snapshots_of(web)[0].name.clone()
    });
    ruth.run(&format!("/snapshot delete snapshot:{snapshot}")).await;
    let (message, confirm) = ruth.button("Delete").expect("a question");
    stage.discord.world().add_fault(Fault::always(Pattern::response_to(&confirm), Disturbance::CutBefore));
    assert!(ruth.seat.press(message, &confirm).await.is_err());
    stage.until_query("it is withdrawn", WITHDRAWN).await;
    stage.settle().await;
    assert_eq!(stage.commands(), WHOLE);
    assert!(ruth.sees("I don't know whether Discord showed my answer, so I did nothing."), "{}", ruth.transcript());
    ada.transcript();
    ruth.transcript();
    stage.finish().await;
}

#[tokio::test]
async fn while_an_answer_is_under_way_nothing_is_done_and_after_a_restart_only_what_harms_nothing() {
    let mut stage = Stage::new().await;
    stage.excused.push("was not acknowledged in time");
    let web = stage.droplet("web-1");
    stage.digitalocean.world(|world| {
        world.add_snapshot(web, "golden", 2.0);
    });
    let ruth = stage.seat("ruth", Role::Restorer);
    ruth.run("/snapshot restore droplet:web-1 snapshot:golden").await;
    let (message, confirm) = ruth.button("Restore").expect("a question");
    let waiting = stage.discord.gate().hold(Point::BeforeExecution, Pattern::response_to(&confirm), 0);
    let seat = ruth.seat.clone();
    let mut pressing = tokio::task::JoinSet::new();
    pressing.spawn(async move { seat.press(message, &confirm).await });
    let held = waiting.caught().await.expect("an answer");
    stage.until_query("it is written down", "SELECT COUNT(*) AS n FROM operations WHERE is_running = 1").await;
    assert_eq!(stage.commands(), [""; 0]);
    stage.kill().await;
    held.cut();
    assert!(pressing.join_next().await.unwrap().unwrap().is_err());
    stage.start().await;
    stage.until_query("it is withdrawn", WITHDRAWN).await;
    stage.settle().await;
    assert_eq!(stage.commands(), [""; 0]);
    ruth.transcript();
    stage.finish().await;
}

#[tokio::test]
async fn a_command_that_comes_too_late_to_be_answered_begins_nothing() {
    let mut stage = Stage::new().await;
    stage.excused.push("was not acknowledged in time");
    stage.discord.world().add_fault(Fault::always(Pattern::response_to("snapshot take"), over()));
    // By the bot's clock it is old, but Discord decides.
    stage.clock.advance(SignedDuration::from_secs(10));
    let ada = stage.seat("ada", Role::Operator);
    assert!(ada.try_run("/snapshot take droplet:web-1").await.is_err());
    stage.settle().await;
    assert_eq!(stage.query("SELECT COUNT(*) AS n FROM operations").await, 0);
    assert_eq!(stage.commands(), [""; 0]);
    stage.finish().await;
}

#[tokio::test]
async fn a_clock_that_is_ahead_refuses_nobody() {
    let stage = Stage::new().await;
    stage.clock.advance(SignedDuration::from_mins(2));
    let ada = stage.seat("ada", Role::Operator);
    ada.run("/snapshot take droplet:web-1").await;
    stage.settle().await;
    assert_eq!(stage.commands(), WHOLE);
    heard_once(stage, &ada).await;
}

#[tokio::test]
async fn a_first_answer_that_was_lost_is_not_given_twice() {
    let (stage, ada) = take_with([(Pattern::response_to("snapshot take"), Disturbance::CutAfter)]).await;
    assert_eq!(ada.transcript().matches("On it").count(), 1);
    heard_once(stage, &ada).await;
}

#[tokio::test]
async fn posts_whose_answer_was_lost_are_not_said_twice() {
    let (stage, ada) = take_with([(posts(), Disturbance::CutAfter), (posts(), Disturbance::CutAfter)]).await;
    heard_once(stage, &ada).await;
}

#[tokio::test]
async fn an_answer_that_was_lost_is_not_said_twice() {
    let (stage, ada) = take_with([(posts().containing("is ready"), Disturbance::CutAfter)]).await;
    heard_once(stage, &ada).await;
}

#[tokio::test]
async fn an_answer_that_is_no_json_is_not_said_twice() {
    let (stage, ada) = take_with([(posts().containing("is ready"), Disturbance::Malform)]).await;
    heard_once(stage, &ada).await;
}

#[tokio::test]
async fn while_discord_is_down_messages_wait() {
    for fault in [Disturbance::Down(502), Disturbance::Down(503), Disturbance::CutBefore] {
        let faults = [(posts(), fault.clone()), (edits(), fault.clone()), (posts().containing("is ready"), fault)];
        let (stage, ada) = take_with(faults).await;
        heard_once(stage, &ada).await;
    }
}

#[tokio::test]
async fn limits_are_waited_out() {
    let little = Duration::from_millis(200);
    for fault in [Disturbance::ThrottleRoute(little), Disturbance::ThrottleGlobal(little)] {
        let faults = [(posts(), fault.clone()), (edits(), fault.clone()), (posts().containing("is ready"), fault)];
        let (stage, ada) = take_with(faults).await;
        heard_once(stage, &ada).await;
    }
}

#[tokio::test]
async fn an_edit_too_many_is_made_later() {
    let tired = Disturbance::Refuse {
        status: 429,
        code: 30046,
        message: "Maximum number of edits to messages older than 1 hour reached".to_owned(),
    };
    let (stage, ada) = taking().await;
    stage.discord.world().add_fault(Fault::once(edits(), tired));
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

/// The direct messages that a person reads.
fn direct(stage: &Stage, user: Snowflake) -> Person {
    let channel = stage.discord.world().direct_channel(user);
    stage.sit(user, channel)
}

#[tokio::test]
async fn when_the_channel_is_deleted_the_requester_is_told_directly() {
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
async fn without_the_right_to_post_any_more_the_requester_is_told_directly() {
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
    let instructions = "SELECT COUNT(*) AS n FROM events WHERE what LIKE '%ancel%' AND by_user IS NOT NULL";
    assert_eq!(stage.query(instructions).await, 1);
    assert_eq!(stage.commands(), WHOLE);
    heard_once(stage, &ada).await;
}
