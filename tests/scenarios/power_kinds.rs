//! The buttons that turn a Droplet on or restart it, under the end of an operation that left it off, or with its services stopped.

use insta::assert_snapshot;
use jiff::SignedDuration;
use snapshot_bot_sandbox::digitalocean::{
    action::ActionKind,
    fault::{Fault, HungAction, Pattern, Quirk},
};

use crate::stage::{Role, Stage};

/// Power is retried after a pause.
const RETRY: SignedDuration = SignedDuration::from_mins(2);
/// A shutdown may take effect this long after its intent.
const LATE: SignedDuration = SignedDuration::from_mins(16);

#[tokio::test]
async fn what_somebody_else_turned_off_is_turned_on_by_a_press() {
    let stage = Stage::new().await;
    let ada = stage.seat("ada", Role::Operator);
    stage.fault(Fault::always(Pattern::action("power_on"), Quirk::Err));
    ada.run("/snapshot take droplet:web-1").await;
    let is_told = |stage: &Stage| stage.commands().iter().any(|it| it.starts_with("power_on"));
    stage.until("it is told to turn on", is_told).await;
    let web = stage.droplet("web-1");
    let resize = |stage: &Stage| {
        let larger = ActionKind::Resize("s-2vcpu-2gb".to_owned());
        stage.digitalocean.world(|world| world.start_foreign_action(web, larger)).is_some()
    };
    stage.until("nothing is pending any more, and somebody resizes it", resize).await;
    stage.clock.advance(RETRY);
    stage.shows(&ada, "so it stays off").await;
    stage.digitalocean.world(snapshot_bot_sandbox::digitalocean::world::World::clear_faults);
    assert!(!stage.is_on("web-1"));
    let (zoe, eve) = (stage.seat("zoe", Role::Viewer), stage.seat("eve", Role::Guest));
    zoe.press("Turn it on").await;
    eve.press("Turn it on").await;
    assert!(zoe.sees("to turn a Droplet on") && !stage.is_on("web-1"), "{}", zoe.transcript());
    let (message, custom_id) = ada.button("Turn it on").unwrap();
    ada.press("Turn it on").await;
    stage.until("it is on", |_| ada.sees("is on.")).await;
    stage.settle().await;
    assert!(stage.is_on("web-1"));
    assert_snapshot!(ada.transcript());
    ada.seat.press(message, &custom_id).await.unwrap();
    stage.shows(&ada, "is on already").await;
    for person in [ada, zoe, eve] {
        person.transcript();
    }
    stage.finish().await;
}

#[tokio::test]
async fn a_droplet_whose_shutdown_hung_is_restarted_after_a_question() {
    let stage = Stage::new().await;
    let hangs = Quirk::ShutdownHangs { action: HungAction::Completes, off_after: None };
    stage.fault(Fault::once(Pattern::action("shutdown"), hangs));
    let ada = stage.seat("ada", Role::Operator);
    ada.run("/snapshot take droplet:web-1").await;
    stage.until("the shutdown has begun", |stage| !stage.commands().is_empty()).await;
    stage.clock.advance(SignedDuration::from_secs(21));
    stage.shows(&ada, "[Force power off]").await;
    ada.press("Cancel").await;
    stage.shows(&ada, "was cancelled by").await;
    ada.press("Restart it").await;
    assert!(ada.sees("to restart"), "{}", ada.transcript());
    let ruth = stage.seat("ruth", Role::Restorer);
    ruth.press("Restart it").await;
    assert_snapshot!("restart_asks_first", ruth.transcript());
    ruth.press("Restart").await;
    stage.shows(&ruth, "was restarted").await;
    stage.clock.advance(LATE);
    stage.settle().await;
    assert_eq!(stage.commands(), ["shutdown web-1", "power_cycle web-1"]);
    assert!(stage.is_on("web-1"));
    assert_snapshot!("restarted", ruth.transcript());
    ada.transcript();
    stage.finish().await;
}
