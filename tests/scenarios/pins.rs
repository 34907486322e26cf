//! `/snapshot pin` and `unpin`: before a pinned Snapshot is deleted, the bot says that it is pinned.

use insta::assert_snapshot;
use jiff::SignedDuration;
use snapshot_bot_sandbox::digitalocean::{
    fault::{Disturbance, Fault, Pattern},
    http_types::Method,
};

use crate::stage::{Role, Stage};

#[tokio::test]
async fn whoever_deletes_a_pinned_snapshot_reads_who_wants_it_kept_and_why() {
    let stage = Stage::new().await;
    let web = stage.droplet("web-1");
    let golden = stage.digitalocean.world(|world| {
        world.add_snapshot(web, "other", 2.0);
        world.add_snapshot(web, "golden", 2.0)
    });
    let (rex, ada, ben) =
        (stage.seat("rex", Role::Restorer), stage.seat("ada", Role::Operator), stage.seat("ben", Role::Operator));
    ada.run("/snapshot pin snapshot:golden reason:before-the-upgrade").await;
    ben.run("/snapshot pin snapshot:golden").await;
    ben.run("/snapshot unpin snapshot:golden").await;
    rex.run("/snapshot delete snapshot:golden").await;
    rex.press("Never mind").await;
    assert!(stage.commands().is_empty());
    assert_eq!(
        ada.suggestions("snapshot unpin", "snapshot", "").await,
        [format!("golden · before-the-upgrade · {golden}")]
    );
    rex.run("/snapshot unpin snapshot:golden").await;
    rex.run("/snapshot unpin snapshot:golden").await;
    let (rex, ada, ben) = (rex.transcript(), ada.transcript(), ben.transcript());
    assert_snapshot!(format!("{rex}\n=== ada\n{ada}\n=== ben\n{ben}"));
    stage.finish().await;
}

#[tokio::test]
async fn what_was_pinned_since_the_question_is_asked_about_again() {
    let stage = Stage::new().await;
    let web = stage.droplet("web-1");
    stage.digitalocean.world(|world| {
        world.add_snapshot(web, "golden", 2.0);
        world.add_snapshot(web, "other", 2.0);
    });
    let (rex, ada) = (stage.seat("rex", Role::Restorer), stage.seat("ada", Role::Operator));
    rex.run("/snapshot delete snapshot:golden").await;
    ada.run("/snapshot pin snapshot:golden").await;
    rex.press("Delete").await;
    assert!(stage.commands().is_empty() && rex.sees("It is pinned"), "{}", rex.transcript());
    rex.press("Delete").await;
    stage.settle().await;
    assert_eq!(stage.digitalocean.read(|world| world.snapshots().count()), 1);
    rex.transcript();
    ada.transcript();
    stage.finish().await;
}

#[tokio::test]
async fn of_two_pins_with_one_name_the_one_that_is_meant_comes_off() {
    let stage = Stage::new().await;
    let web = stage.droplet("web-1");
    let twins = stage.digitalocean.world(|world| ["golden"; 2].map(|name| world.add_snapshot(web, name, 2.0)));
    let ada = stage.seat("ada", Role::Operator);
    for twin in twins {
        ada.run(&format!("/snapshot pin snapshot:{twin}")).await;
    }
    let labels = ada.suggestions("snapshot unpin", "snapshot", "golden").await;
    assert!(labels.len() == 2 && labels[0] != labels[1], "{labels:?}");
    ada.run("/snapshot unpin snapshot:golden").await;
    assert!(ada.last().starts_with("2 Snapshots are called `golden`"), "{}", ada.last());
    let meant = labels.iter().find(|label| label.ends_with(&twins[1].to_string())).expect("a label of the second");
    ada.seat.slash("snapshot unpin").with("snapshot", meant.clone()).send().await.unwrap();
    assert!(ada.last().ends_with("is no longer pinned."), "{}", ada.last());
    let left = ada.suggestions("snapshot unpin", "snapshot", "").await;
    assert!(left.len() == 1 && left[0].ends_with(&twins[0].to_string()), "{left:?}");
    ada.transcript();
    stage.finish().await;
}

#[tokio::test]
async fn who_may_not_pin_and_what_is_not_there_is_refused() {
    let stage = Stage::new().await;
    let web = stage.droplet("web-1");
    stage.digitalocean.world(|world| world.add_snapshot(web, "golden", 2.0));
    let (ada, vic) = (stage.seat("ada", Role::Operator), stage.seat("vic", Role::Viewer));
    vic.run("/snapshot pin snapshot:golden").await;
    ada.run("/snapshot pin snapshot:glden").await;
    ada.run("/snapshot unpin snapshot:golden").await;
    let why = vic.suggestions("snapshot unpin", "snapshot", "").await;
    assert_eq!(why, ["You need @Restorer or @Operator to unpin Snapshots"]);
    assert_snapshot!(format!("{}\n=== vic\n{}", ada.transcript(), vic.transcript()));
    stage.finish().await;
}

#[tokio::test]
async fn the_pin_of_a_snapshot_that_is_proven_gone_is_forgotten() {
    const PINS: &str = "SELECT COUNT(*) AS n FROM snapshot_pins";
    let stage = Stage::new().await;
    let web = stage.droplet("web-1");
    let twins = stage.digitalocean.world(|world| ["golden", "other"].map(|name| world.add_snapshot(web, name, 2.0)));
    let ada = stage.seat("ada", Role::Operator);
    for twin in twins {
        ada.run(&format!("/snapshot pin snapshot:{twin}")).await;
    }
    // An answer that it is not there proves nothing while it is listed.
    let refusal = Disturbance::Refuse { status: 404, id: "not_found".to_owned(), message: "not found".to_owned() };
    stage.fault(Fault::always(Pattern::of(Method::Get, &format!("/v2/snapshots/{}", twins[1])), refusal));
    stage.digitalocean.world(|world| world.delete_image(twins[0]));
    stage.clock.advance(SignedDuration::from_mins(2));
    ada.run("/snapshot list").await;
    stage.until_async("the pin is forgotten", async || stage.query(PINS).await == 1).await;
    assert_eq!(ada.suggestions("snapshot unpin", "snapshot", "").await, [format!("other · {}", twins[1])]);
    ada.transcript();
    stage.finish().await;
}

#[tokio::test]
async fn a_lone_answer_that_a_snapshot_is_unknown_proves_nothing() {
    const PINS: &str = "SELECT COUNT(*) AS n FROM snapshot_pins";
    let stage = Stage::new().await;
    let web = stage.droplet("web-1");
    let golden = stage.digitalocean.world(|world| world.add_snapshot(web, "golden", 2.0));
    let ada = stage.seat("ada", Role::Operator);
    ada.run(&format!("/snapshot pin snapshot:{golden}")).await;
    // No list has it, and it is unknown by itself; then DigitalOcean refuses to say more.
    let path = format!("/v2/snapshots/{golden}");
    let refusal = Disturbance::Refuse { status: 403, id: "forbidden".to_owned(), message: "no".to_owned() };
    stage.fault(Fault::always(Pattern::of(Method::Get, &path), refusal).after(1).named("refused"));
    stage.digitalocean.world(|world| world.delete_image(golden));
    stage.clock.advance(SignedDuration::from_mins(2));
    ada.run("/snapshot list").await;
    let looks = |stage: &Stage| stage.digitalocean.journal().iter().filter(|entry| entry.request.path == path).count();
    stage.until("it is looked at twice", |stage| looks(stage) == 2).await;
    assert_eq!(stage.query(PINS).await, 1);
    stage.digitalocean.world(|world| world.end_fault("refused"));
    stage.clock.advance(SignedDuration::from_mins(2));
    ada.run("/snapshot list").await;
    stage.until_async("the pin is forgotten", async || stage.query(PINS).await == 0).await;
    ada.transcript();
    stage.finish().await;
}
