//! Droplets that are busy, and Droplets that change during an operation.

use insta::assert_snapshot;
use jiff::SignedDuration;
use snapshot_bot_sandbox::{
    control::gate::Point,
    digitalocean::{
        action::ActionKind,
        backups::BackupPolicy,
        fault::{Disturbance, Fault, Pattern, Quirk},
        scopes::Scopes,
    },
};

use crate::stage::{Person, Role, Stage};

/// A take whose Snapshot runs until the test ends it.
async fn taking() -> (Stage, Person) {
    taking_with(Stage::new().await).await
}

async fn taking_with(stage: Stage) -> (Stage, Person) {
    stage.fault(Fault::once(Pattern::action("snapshot"), Quirk::NeverFinish));
    let ada = stage.seat("ada", Role::Operator);
    ada.run("/snapshot take droplet:web-1").await;
    stage.shows(&ada, "Taking the Snapshot — started").await;
    (stage, ada)
}

#[tokio::test]
async fn an_action_that_others_began_is_named_and_waited_for() {
    let stage = Stage::new().await;
    let web = stage.droplet("web-1");
    stage.digitalocean.world(|world| {
        world.settings_mut().locked_while_pending = false;
        world.settings_mut().durations.other = SignedDuration::from_hours(1);
        world.start_foreign_action(web, ActionKind::EnableBackups(BackupPolicy::DAILY)).unwrap();
    });
    let ada = stage.seat("ada", Role::Operator);
    ada.run("/snapshot take droplet:web-1").await;
    stage.shows(&ada, "`enable backups`, is in progress").await;
    assert_snapshot!("a_foreign_action_is_named", ada.transcript());
    assert_eq!(stage.commands(), ["shutdown web-1"], "DigitalOcean refused it, and none follows");
    stage.complete_action("web-1");
    stage.until_later("the shutdown has begun", |stage| stage.commands().len() > 1).await;
    stage.settle().await;
    assert_eq!(stage.commands(), ["shutdown web-1", "shutdown web-1", "snapshot web-1", "power_on web-1"]);
    ada.transcript();
    stage.finish().await;
}

#[tokio::test]
async fn a_locked_droplet_is_waited_for() {
    let stage = Stage::new().await;
    let web = stage.droplet("web-1");
    stage.digitalocean.world(|world| world.set_locked(web, true));
    let ada = stage.seat("ada", Role::Operator);
    ada.run("/snapshot take droplet:web-1").await;
    stage.shows(&ada, "locked").await;
    assert_snapshot!("a_lock_is_named", ada.transcript());
    assert!(stage.commands().is_empty());
    stage.digitalocean.world(|world| world.set_locked(web, false));
    stage.until_later("the shutdown has begun", |stage| !stage.commands().is_empty()).await;
    stage.settle().await;
    assert_eq!(stage.commands(), ["shutdown web-1", "snapshot web-1", "power_on web-1"]);
    ada.transcript();
    stage.finish().await;
}

#[tokio::test]
async fn waiting_for_others_can_be_cancelled() {
    let stage = Stage::new().await;
    let web = stage.droplet("web-1");
    stage.digitalocean.world(|world| world.set_locked(web, true));
    let ada = stage.seat("ada", Role::Operator);
    ada.run("/snapshot take droplet:web-1").await;
    stage.shows(&ada, "locked").await;
    ada.press("Cancel").await;
    stage.settle().await;
    assert!(stage.commands().is_empty());
    assert_snapshot!(ada.transcript());
    stage.finish().await;
}

#[tokio::test]
async fn destroyed_while_the_snapshot_is_taken_it_ends_and_says_so() {
    let (stage, ada) = taking().await;
    let web = stage.droplet("web-1");
    stage.digitalocean.world(|world| world.destroy(web));
    stage.clock.advance(SignedDuration::from_mins(1));
    stage.settle().await;
    assert_snapshot!(ada.transcript());
    stage.finish().await;
}

#[tokio::test]
async fn destroyed_before_it_is_turned_on_it_owes_nothing() {
    let stage = Stage::new().await;
    let ada = stage.seat("ada", Role::Operator);
    let held = stage.digitalocean.gate().hold(Point::BeforeExecution, Pattern::action("power_on"), 0);
    ada.run("/snapshot take droplet:web-1").await;
    let held = held.caught().await.unwrap();
    let web = stage.droplet("web-1");
    stage.digitalocean.world(|world| world.destroy(web));
    held.release();
    stage.settle().await;
    assert_eq!(stage.query("SELECT COUNT(*) AS n FROM power_owed").await, 0);
    assert_snapshot!(ada.transcript());
    stage.finish().await;
}

#[tokio::test]
async fn renamed_in_the_middle_it_goes_on() {
    let (stage, ada) = taking().await;
    let web = stage.droplet("web-1");
    stage.digitalocean.world(|world| world.rename(web, "web-2"));
    stage.complete_action("web-2");
    stage.settle().await;
    assert!(stage.is_on("web-2"));
    assert_snapshot!(ada.transcript());
    stage.finish().await;
}

#[tokio::test]
async fn found_on_without_anybodys_action_it_is_told_to_turn_on_to_be_sure() {
    let (stage, ada) = taking().await;
    let web = stage.droplet("web-1");
    stage.digitalocean.world(|world| world.turn_on(web));
    stage.complete_action("web-1");
    stage.settle().await;
    assert_eq!(stage.commands(), ["shutdown web-1", "snapshot web-1", "power_on web-1"], "which is refused");
    assert!(stage.is_on("web-1"));
    assert_snapshot!(ada.transcript());
    stage.finish().await;
}

#[tokio::test]
async fn turned_off_by_somebody_else_before_our_shutdown_it_stays_off() {
    let stage = Stage::new().await;
    let ada = stage.seat("ada", Role::Operator);
    let held = stage.digitalocean.gate().hold(Point::BeforeExecution, Pattern::action("shutdown"), 0);
    ada.run("/snapshot take droplet:web-1").await;
    let held = held.caught().await.unwrap();
    let web = stage.droplet("web-1");
    stage.digitalocean.world(|world| world.turn_off(web));
    held.release();
    stage.settle().await;
    assert_eq!(stage.commands(), ["shutdown web-1", "snapshot web-1"]);
    assert!(!stage.is_on("web-1"), "{}", stage.conversation());
    assert!(ada.sees("`web-1` was off before and stays off"), "{}", ada.transcript());
    ada.transcript();
    stage.digitalocean.world(|world| world.turn_on(web));
    stage.finish().await;
}

#[tokio::test]
async fn a_live_take_turns_nothing_on_that_somebody_else_turned_off() {
    let stage = Stage::new().await;
    stage.fault(Fault::once(Pattern::action("snapshot"), Quirk::NeverFinish));
    let ada = stage.seat("ada", Role::Operator);
    ada.run("/snapshot take droplet:web-1 power:live").await;
    stage.shows(&ada, "Taking the Snapshot — started").await;
    let web = stage.droplet("web-1");
    stage.digitalocean.world(|world| {
        world.turn_off(web);
        world.mark_power();
    });
    stage.complete_action("web-1");
    stage.settle().await;
    assert_eq!(stage.commands(), ["snapshot web-1"]);
    assert_snapshot!(ada.transcript());
    stage.finish().await;
}

#[tokio::test]
async fn a_snapshot_deleted_before_it_is_announced_is_not_called_ready() {
    let stage = Stage::new().await;
    let web = stage.droplet("web-1");
    stage.fault(Fault::once(
        Pattern::action("snapshot"),
        Quirk::Sizeless { shown: snapshot_bot_sandbox::digitalocean::image::SizeShown::Zero, until: None },
    ));
    let ada = stage.seat("ada", Role::Operator);
    ada.run("/snapshot take droplet:web-1").await;
    let listed = "SELECT COUNT(*) AS n FROM operations WHERE state LIKE '%\"snapshot\":{%'";
    stage.until_query("it is listed", listed).await;
    stage.digitalocean.world(|world| {
        let image = world.snapshots_of(web)[0].id;
        world.delete_image(image);
    });
    stage.until_later("it is announced", |_| ada.sees("failed. ")).await;
    stage.settle().await;
    assert_snapshot!(ada.transcript());
    stage.finish().await;
}

#[tokio::test]
async fn without_its_tag_the_rest_is_left_but_power_comes_back() {
    let mut stage = Stage::dark().await;
    stage.environment.insert("DROPLET_TAG", "prod".to_owned());
    let web = stage.droplet("web-1");
    stage.digitalocean.world(|world| world.set_tags(web, &["prod"]));
    stage.start().await;
    let ada = stage.seat("ada", Role::Operator);
    // The Snapshot's request is lost, so the bot looks at the Droplet again before the next one.
    stage.fault(Fault::once(Pattern::action("snapshot"), Disturbance::CutBefore));
    let held = stage.digitalocean.gate().hold(Point::BeforeExecution, Pattern::action("shutdown"), 0);
    ada.run("/snapshot take droplet:web-1").await;
    let held = held.caught().await.unwrap();
    stage.digitalocean.world(|world| world.set_tags(web, &[]));
    held.release();
    stage.settle().await;
    assert!(stage.is_on("web-1"));
    assert_snapshot!(ada.transcript());
    stage.finish().await;
}

#[tokio::test]
async fn an_event_of_others_between_off_and_snapshot_is_waited_for() {
    let stage = Stage::new().await;
    let busy = Disturbance::Refuse {
        status: 422,
        id: "unprocessable_entity".to_owned(),
        message: "Droplet already has a pending event.".to_owned(),
    };
    stage.fault(Fault::once(Pattern::action("snapshot"), busy));
    let ada = stage.seat("ada", Role::Operator);
    ada.run("/snapshot take droplet:web-1").await;
    stage.settle().await;
    assert_eq!(stage.commands(), ["shutdown web-1", "snapshot web-1", "snapshot web-1", "power_on web-1"]);
    assert_eq!(stage.digitalocean.read(|world| world.snapshots().count()), 1);
    ada.transcript();
    stage.finish().await;
}

/// A take that cannot turn its Droplet on as long as the fault called `power` lasts.
async fn stuck(effect: Disturbance) -> (Stage, Person) {
    let stage = Stage::new().await;
    stage.fault(Fault::always(Pattern::action("power_on"), effect).named("power"));
    let ada = stage.seat("ada", Role::Operator);
    ada.run("/snapshot take droplet:web-1").await;
    stage.shows(&ada, "[I'll handle it]").await;
    stage.shows(&ada, "still off").await;
    (stage, ada)
}

fn refusal(status: u16, id: &str, message: &str) -> Disturbance {
    Disturbance::Refuse { status, id: id.to_owned(), message: message.to_owned() }
}

#[tokio::test]
async fn power_that_cannot_be_brought_back_calls_people_once_and_is_tried_until_it_is() {
    let (stage, ada) = stuck(refusal(422, "unprocessable_entity", "Droplet cannot be powered on right now.")).await;
    assert_snapshot!("stuck", ada.transcript());
    for _ in 0..3 {
        let tries = stage.commands().len();
        stage.until_later("it is tried again", |stage| stage.commands().len() > tries).await;
    }
    assert_eq!(ada.seat.pings(), 1, "{}", stage.conversation());
    stage.digitalocean.world(|world| world.end_fault("power"));
    stage.until_later("it is on again", |stage| stage.is_on("web-1")).await;
    stage.settle().await;
    assert!(stage.is_on("web-1"));
    assert_snapshot!("stuck_and_back", ada.transcript());
    stage.finish().await;
}

#[tokio::test]
async fn a_token_that_is_refused_at_power_back_is_named_at_once() {
    let (stage, ada) = stuck(refusal(401, "unauthorized", "Unable to authenticate you")).await;
    assert_snapshot!(ada.transcript());
    stage.digitalocean.world(|world| world.end_fault("power"));
    stage.until_later("it is on again", |stage| stage.is_on("web-1")).await;
    stage.settle().await;
    assert!(stage.is_on("web-1"));
    ada.transcript();
    stage.finish().await;
}

#[tokio::test]
async fn a_scope_that_is_missing_at_power_back_is_named() {
    let (stage, ada) = stuck(refusal(403, "forbidden", "You are not authorized to perform this operation")).await;
    assert_snapshot!(ada.transcript());
    stage.digitalocean.world(|world| world.end_fault("power"));
    stage.until_later("it is on again", |stage| stage.is_on("web-1")).await;
    stage.settle().await;
    assert!(stage.is_on("web-1"));
    ada.transcript();
    stage.finish().await;
}

#[tokio::test]
async fn who_handles_it_is_left_alone() {
    let (stage, ada) = stuck(refusal(422, "unprocessable_entity", "Droplet cannot be powered on right now.")).await;
    let rex = stage.seat("rex", Role::Restorer);
    ada.press("I'll handle it").await;
    rex.press("I'll handle it").await;
    rex.transcript();
    stage.settle().await;
    assert!(!stage.is_on("web-1"));
    assert_snapshot!(ada.transcript());
    stage.digitalocean.world(snapshot_bot_sandbox::digitalocean::world::World::mark_power);
    stage.finish().await;
}

#[tokio::test]
async fn who_wants_it_on_does_not_wait_for_what_cannot_begin() {
    let stage = Stage::new().await;
    let busy = refusal(422, "unprocessable_entity", "Droplet already has a pending event.");
    stage.fault(Fault::always(Pattern::action("snapshot"), busy));
    let ada = stage.seat("ada", Role::Operator);
    ada.run("/snapshot take droplet:web-1").await;
    stage.until_later("people are called", |_| ada.sees("[Turn it on as soon as possible]")).await;
    ada.press("Keep waiting").await;
    ada.press("Turn it on as soon as possible").await;
    stage.until_later("it is on again", |stage| stage.is_on("web-1")).await;
    stage.settle().await;
    assert_eq!(stage.commands().last().map(String::as_str), Some("power_on web-1"));
    assert_eq!(stage.digitalocean.read(|world| world.snapshots().count()), 0);
    assert_snapshot!(ada.transcript());
    stage.finish().await;
}

#[tokio::test]
async fn power_that_is_stuck_is_tried_on_after_a_restart() {
    let (mut stage, ada) = stuck(refusal(422, "unprocessable_entity", "Droplet cannot be powered on right now.")).await;
    stage.kill().await;
    stage.digitalocean.world(|world| world.end_fault("power"));
    stage.start().await;
    stage.until_later("it is on again", |stage| stage.is_on("web-1")).await;
    stage.settle().await;
    assert!(stage.is_on("web-1"));
    assert_eq!(ada.seat.pings(), 2, "{}", ada.transcript());
    ada.transcript();
    stage.finish().await;
}

#[tokio::test]
async fn a_power_on_that_errs_is_begun_again() {
    let stage = Stage::new().await;
    stage.fault(Fault::once(Pattern::action("power_on"), Quirk::Err));
    let ada = stage.seat("ada", Role::Operator);
    ada.run("/snapshot take droplet:web-1").await;
    stage.until("it errs", |stage| stage.commands().len() == 3).await;
    stage
        .until_query("that is known", "SELECT COUNT(*) AS n FROM operations WHERE state LIKE '%\"failures\":1%'")
        .await;
    stage.until_later("it is on again", |stage| stage.is_on("web-1")).await;
    stage.settle().await;
    assert_eq!(stage.commands(), ["shutdown web-1", "snapshot web-1", "power_on web-1", "power_on web-1"]);
    assert_eq!(ada.seat.pings(), 1);
    ada.transcript();
    stage.finish().await;
}

#[tokio::test]
async fn a_token_without_a_scope_is_told_which() {
    let stage = Stage::new().await;
    let token = stage.environment["DIGITALOCEAN_TOKEN"].clone();
    let scopes =
        Scopes::only(["droplet:read", "droplet:update", "actions:read", "image:read", "snapshot:read", "tag:read"]);
    stage.digitalocean.world(|world| world.add_token(&token, scopes));
    let ada = stage.seat("ada", Role::Operator);
    ada.run("/snapshot take droplet:web-1").await;
    stage.settle().await;
    assert_eq!(stage.commands(), ["shutdown web-1", "snapshot web-1", "snapshot web-1", "power_on web-1"]);
    assert!(stage.is_on("web-1"));
    assert_snapshot!(ada.transcript());
    stage.finish().await;
}
