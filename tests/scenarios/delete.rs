//! `/snapshot delete`: the question, its warnings, and what must not be deleted.

use insta::assert_snapshot;
use jiff::SignedDuration;
use snapshot_bot_sandbox::{
    control::gate::Point,
    digitalocean::{
        fault::{Disturbance, Fault, Pattern, Quirk},
        http_types::Method,
        world::World,
    },
    discord::fault::{Disturbance as ChatDisturbance, Fault as ChatFault},
};

use crate::stage::{Person, Role, Stage};

/// Asks from the latest list whether to delete the oldest safety Snapshot.
async fn ask_about_the_safety_snapshot(stage: &Stage, rex: &Person) {
    let ids = |world: &World| {
        let safety = world.snapshots().filter(|image| image.name.contains("-safety-"));
        safety.map(|image| image.id).min()
    };
    let oldest = stage.digitalocean.read(ids).expect("a safety Snapshot");
    rex.choose(&oldest.to_string()).await;
    rex.press("Delete…").await;
}

#[tokio::test]
async fn a_deletion_asks_first_and_warns_of_the_last_one() {
    let stage = Stage::new().await;
    let web = stage.droplet("web-1");
    stage.digitalocean.world(|world| world.add_snapshot(web, "only", 12.4));
    let rex = stage.seat("rex", Role::Restorer);
    rex.run("/snapshot delete snapshot:only").await;
    assert!(stage.commands().is_empty(), "nothing is sent before the confirmation");
    let question = rex.transcript();
    rex.press("Delete").await;
    stage.settle().await;
    assert_eq!(stage.digitalocean.read(|world| world.snapshots().count()), 0);
    assert_snapshot!(format!("{question}\n=== later\n{}", rex.transcript()));
    stage.finish().await;
}

#[tokio::test]
async fn a_safety_snapshot_that_an_undo_still_needs_is_warned_about() {
    let stage = Stage::new().await;
    let web = stage.droplet("web-1");
    stage.digitalocean.world(|world| world.add_snapshot(web, "golden", 2.0));
    let rex = stage.seat("rex", Role::Restorer);
    rex.run("/snapshot restore droplet:web-1 snapshot:golden").await;
    rex.press("Restore").await;
    stage.settle().await;
    rex.run("/snapshot list").await;
    ask_about_the_safety_snapshot(&stage, &rex).await;
    assert!(rex.sees("It is the safety Snapshot of a restore"));
    rex.press("Delete").await;
    stage.settle().await;
    assert!(rex.button("Undo").is_none(), "there is nothing to put back any more: {}", rex.transcript());
    assert!(!rex.sees("**Undo** puts it back") && rex.sees("⏭️ @rex deleted `web-1-safety-"), "{}", rex.transcript());
    assert_snapshot!(rex.transcript());
    stage.finish().await;
}

#[tokio::test]
async fn the_older_safety_snapshot_is_deleted_without_a_warning_once_it_was_put_back() {
    let stage = Stage::new().await;
    let web = stage.droplet("web-1");
    stage.digitalocean.world(|world| world.add_snapshot(web, "golden", 2.0));
    let rex = stage.seat("rex", Role::Restorer);
    rex.run("/snapshot restore droplet:web-1 snapshot:golden").await;
    rex.press("Restore").await;
    stage.settle().await;
    rex.press("Undo").await;
    rex.press("Undo").await;
    stage.settle().await;
    rex.press("List").await;
    ask_about_the_safety_snapshot(&stage, &rex).await;
    assert!(rex.sees("for good?"));
    assert!(!rex.sees("It is the safety Snapshot of a restore"), "{}", rex.transcript());
    rex.press("Delete").await;
    stage.settle().await;
    rex.transcript();
    assert_eq!(stage.digitalocean.read(|world| world.snapshots().count()), 2, "golden and the newer one");
    stage.finish().await;
}

#[tokio::test]
async fn what_became_the_last_one_since_the_question_is_asked_about_anew() {
    let stage = Stage::new().await;
    let web = stage.droplet("web-1");
    stage.digitalocean.world(|world| {
        world.add_snapshot(web, "one", 2.0);
        world.add_snapshot(web, "two", 2.0);
    });
    let (rex, eve) = (stage.seat("rex", Role::Restorer), stage.seat("eve", Role::Restorer));
    rex.run("/snapshot delete snapshot:one").await;
    eve.run("/snapshot delete snapshot:two").await;
    assert!(!eve.sees("It is the last Snapshot"));
    // The first is confirmed and not yet carried out when the second is confirmed.
    let held = stage.digitalocean.gate().hold(Point::BeforeExecution, Pattern::of(Method::Delete, "/**"), 0);
    rex.press("Delete").await;
    let held = held.caught().await;
    let (message, first) = eve.button("Delete").unwrap();
    eve.press("Delete").await;
    assert!(eve.sees("It is the last Snapshot of `web-1`"), "{}", eve.transcript());
    eve.seat.forge_press(message, &first).await.unwrap();
    assert!(eve.sees("answered already"));
    drop(held);
    stage.settle().await;
    assert_eq!(stage.digitalocean.read(|world| world.snapshots().count()), 1);
    rex.transcript();
    eve.transcript();
    stage.finish().await;
}

#[tokio::test]
async fn who_was_warned_is_not_asked_again() {
    let stage = Stage::new().await;
    let web = stage.droplet("web-1");
    stage.digitalocean.world(|world| {
        world.add_snapshot(web, "one", 2.0);
        world.add_snapshot(web, "two", 2.0);
    });
    let rex = stage.seat("rex", Role::Restorer);
    for snapshot in ["one", "two"] {
        rex.run(&format!("/snapshot delete snapshot:{snapshot}")).await;
        rex.press("Delete").await;
        stage.settle().await;
    }
    assert_eq!(stage.digitalocean.read(|world| world.snapshots().count()), 0);
    rex.transcript();
    stage.finish().await;
}

#[tokio::test]
async fn a_failed_deletion_is_tried_again_by_one_press_and_no_more() {
    let mut stage = Stage::new().await;
    let web = stage.droplet("web-1");
    stage.digitalocean.world(|world| {
        world.add_snapshot(web, "one", 2.0);
        world.add_snapshot(web, "two", 2.0);
    });
    let (rex, eve) = (stage.seat("rex", Role::Restorer), stage.seat("eve", Role::Restorer));
    rex.run("/snapshot delete snapshot:one tell:silent").await;
    let busy = Disturbance::Throttle { retry_after: Some(3600) };
    stage.fault(Fault::once(Pattern::of(Method::Delete, "/**"), busy));
    rex.press("Delete").await;
    stage
        .until_query("DigitalOcean put it off", "SELECT COUNT(*) AS n FROM operations WHERE state LIKE '%Throttled%'")
        .await;
    stage.kill().await;
    stage.clock.advance(SignedDuration::from_hours(2));
    stage.start().await;
    stage.settle().await;
    let (failed, again) = rex.button("Try again").expect("a button");
    rex.press("Try again").await;
    rex.press("Delete").await;
    stage.settle().await;
    assert_eq!(stage.digitalocean.read(|world| world.snapshots().count()), 1);
    let said = rex.last();
    assert!(said.starts_with("✅ Snapshot `one` is deleted"), "it mentions nobody, as the first was to: {said}");
    let second = eve.seat.forge_press(failed, &again).await.unwrap();
    eve.answered(&second).await;
    assert!(eve.last().starts_with("Somebody has tried again already"), "{}", eve.transcript());
    for person in [&rex, &eve] {
        person.transcript();
    }
    stage.finish().await;
}

#[tokio::test]
async fn what_a_running_restore_needs_is_not_deleted() {
    let stage = Stage::new().await;
    let web = stage.droplet("web-1");
    stage.digitalocean.world(|world| world.add_snapshot(web, "golden", 2.0));
    let rex = stage.seat("rex", Role::Restorer);
    let eve = stage.seat("eve", Role::Restorer);
    // Asked before the restore began, answered while it runs.
    eve.run("/snapshot delete snapshot:golden").await;
    rex.run("/snapshot restore droplet:web-1 snapshot:golden").await;
    stage.fault(Fault::once(Pattern::action("snapshot"), Quirk::NeverFinish));
    rex.press("Restore").await;
    stage.snapshot_begins("web-1").await;
    stage.shows(&rex, "Taking the safety Snapshot").await;
    eve.press("Delete").await;
    assert!(eve.sees("still uses this Snapshot"), "{}", eve.transcript());
    stage.complete_action("web-1");
    stage.settle().await;
    assert!(!stage.commands().iter().any(|command| command.starts_with("DELETE")));
    rex.transcript();
    eve.transcript();
    stage.finish().await;
}

#[tokio::test]
async fn who_may_not_delete_and_what_is_not_there_is_refused() {
    let stage = Stage::new().await;
    let web = stage.droplet("web-1");
    stage.digitalocean.world(|world| world.add_snapshot(web, "only", 12.4));
    let (rex, ada) = (stage.seat("rex", Role::Restorer), stage.seat("ada", Role::Operator));
    ada.run("/snapshot delete snapshot:only").await;
    rex.run("/snapshot delete snapshot:onyl").await;
    assert_eq!(ada.suggestions("snapshot delete", "snapshot", "").await, ["You need @Restorer to delete Snapshots"]);
    assert_eq!(rex.suggestions("snapshot delete", "snapshot", "on").await.len(), 1);
    assert!(stage.commands().is_empty());
    assert_snapshot!(format!("{}\n=== ada\n{}", rex.transcript(), ada.transcript()));
    stage.finish().await;
}

#[tokio::test]
async fn what_is_deleted_is_no_longer_offered_also_after_a_restart() {
    let mut stage = Stage::new().await;
    let rex = stage.seat("rex", Role::Restorer);
    rex.run("/snapshot take droplet:web-1").await;
    stage.settle().await;
    assert!(rex.button("Launch…").is_some() && rex.button("Restore…").is_some(), "{}", rex.transcript());
    let name = stage.digitalocean.read(|world| world.snapshots().next().expect("a Snapshot").name.clone());
    rex.run(&format!("/snapshot delete snapshot:{name}")).await;
    // Discord refuses edits while the bot runs, so the next process makes them.
    let edits = "PATCH /channels/*/messages/*".parse().unwrap();
    stage.discord.world().add_fault(ChatFault::always(edits, ChatDisturbance::Down(502)));
    rex.press("Delete").await;
    stage.until("it is deleted", |stage| stage.digitalocean.read(|world| world.snapshots().count()) == 0).await;
    stage.kill().await;
    stage.discord.world().clear_faults();
    stage.start().await;
    stage.settle().await;
    assert!(rex.button("Launch…").is_none() && rex.button("Restore…").is_none(), "{}", rex.transcript());
    assert!(rex.sees("is ready: 2.4 GB"), "the announcement stays");
    assert!(rex.sees("⏭️ @rex deleted `web-1-"), "{}", rex.transcript());
    rex.transcript();
    stage.finish().await;
}
