//! `/backups`: DigitalOcean's own Backups shown, enabled, changed, disabled, and one of them kept.

use insta::assert_snapshot;
use jiff::SignedDuration;
use snapshot_bot_sandbox::{
    control::gate::Point,
    digitalocean::{action::ActionKind, backups::BackupPolicy, fault::Pattern, http_types::Method},
};

use crate::stage::{Role, Stage};

/// A stage on which DigitalOcean backs up `web-1` and has taken these Backups.
async fn backed_up(backups: &[&str]) -> Stage {
    let stage = Stage::new().await;
    let web = stage.droplet("web-1");
    stage.digitalocean.world(|world| {
        world.back_up(web, Some(BackupPolicy::DAILY));
        for (number, backup) in (1_u32..).zip(backups) {
            world.add_backup(web, backup, f64::from(number) + 0.5);
        }
    });
    stage
}

/// How many Backups of `web-1` exist, and whether it is backed up.
fn seen(stage: &Stage) -> (usize, bool) {
    stage.digitalocean.read(|world| {
        let web = world.droplet_named("web-1").expect("the stage has it");
        (world.backups_of(web.id).len(), web.backups.is_some())
    })
}

#[tokio::test]
async fn backups_are_enabled_changed_and_shown() {
    let stage = Stage::new().await;
    let rex = stage.seat("rex", Role::Restorer);
    rex.run("/backups show droplet:web-1").await;
    rex.run("/backups enable droplet:web-1 plan:weekly day:MON hour:8").await;
    assert!(stage.commands().is_empty(), "nothing is sent before the confirmation");
    rex.press("Enable").await;
    stage.settle().await;
    rex.run("/backups change droplet:web-1 plan:daily").await;
    rex.press("Change").await;
    stage.settle().await;
    rex.run("/backups show droplet:web-1").await;
    assert_eq!(seen(&stage), (0, true));
    assert_snapshot!(weekdays(&rex.transcript()));
    stage.finish().await;
}

/// The day on which a window opens differs from run to run.
fn weekdays(text: &str) -> String {
    regex::Regex::new(r"\((Mon|Tue|Wed|Thu|Fri|Sat|Sun) ").unwrap().replace_all(text, "(DAY ").into_owned()
}

#[tokio::test]
async fn disabling_lists_what_is_deleted_and_keeps_the_newest_if_asked_to() {
    let stage = backed_up(&["nightly-1", "nightly-2"]).await;
    let rex = stage.seat("rex", Role::Restorer);
    rex.run("/backups disable droplet:web-1").await;
    let question = rex.transcript();
    assert!(question.contains("nightly-1") && question.contains("nightly-2"));
    assert!(stage.commands().is_empty(), "nothing is sent before the confirmation");
    rex.press("Keep the newest").await;
    stage.settle().await;
    assert_eq!(seen(&stage), (0, false));
    let web = stage.droplet("web-1");
    let kept: Vec<_> =
        stage.digitalocean.read(|world| world.snapshots_of(web).into_iter().map(|image| image.name.clone()).collect());
    assert_eq!(kept, ["nightly-2"]);
    assert_snapshot!(format!("{question}\n=== later\n{}", rex.transcript()));
    stage.finish().await;
}

#[tokio::test]
async fn a_backup_made_since_the_question_is_asked_about_again() {
    let stage = backed_up(&["nightly-1"]).await;
    let rex = stage.seat("rex", Role::Restorer);
    rex.run("/backups disable droplet:web-1").await;
    let web = stage.droplet("web-1");
    stage.digitalocean.world(|world| world.add_backup(web, "nightly-2", 2.5));
    rex.press("Turn off").await;
    assert!(stage.commands().is_empty() && rex.sees("nightly-2"), "{}", rex.transcript());
    rex.press("Turn off").await;
    stage.settle().await;
    assert_eq!(seen(&stage), (0, false));
    rex.transcript();
    stage.finish().await;
}

#[tokio::test]
async fn a_backup_made_since_the_answer_keeps_all_of_them() {
    let stage = backed_up(&["nightly-1"]).await;
    let rex = stage.seat("rex", Role::Restorer);
    rex.run("/backups disable droplet:web-1").await;
    // Between the confirmation and the command: the look at the Droplet before the command.
    let held =
        stage.digitalocean.gate().hold(Point::BeforeExecution, Pattern::of(Method::Get, "/v2/droplets/*/actions"), 0);
    rex.press("Turn off").await;
    let held = held.caught().await;
    let web = stage.droplet("web-1");
    stage.digitalocean.world(|world| world.add_backup(web, "nightly-2", 2.5));
    drop(held);
    stage.settle().await;
    assert_eq!(seen(&stage), (2, true));
    assert!(stage.commands().is_empty());
    assert_snapshot!(rex.transcript());
    stage.finish().await;
}

#[tokio::test]
async fn a_kept_backup_is_a_snapshot_and_a_restore_offers_the_others_as_backups() {
    let stage = backed_up(&["nightly-1", "nightly-2"]).await;
    let rex = stage.seat("rex", Role::Restorer);
    rex.run("/backups keep droplet:web-1 backup:nightly-1").await;
    rex.press("Keep").await;
    stage.settle().await;
    assert_eq!(seen(&stage), (1, true));
    rex.run("/snapshot restore droplet:web-1 snapshot:nightly-2").await;
    assert!(rex.sees("It is a Backup, taken while"), "a Backup is marked as taken while running");
    rex.press("Never mind").await;
    assert_snapshot!(rex.transcript());
    // Among the others it can be recognized.
    rex.run("/snapshot list").await;
    assert!(rex.sees("📦 `nightly-1`"), "{}", rex.transcript());
    rex.transcript();
    stage.finish().await;
}

#[tokio::test]
async fn a_backup_that_runs_is_waited_for_and_then_asked_about() {
    let stage = backed_up(&["nightly-1"]).await;
    let web = stage.droplet("web-1");
    let rex = stage.seat("rex", Role::Restorer);
    rex.run("/backups disable droplet:web-1").await;
    stage.digitalocean.world(|world| {
        world.settings_mut().durations.snapshot = SignedDuration::from_millis(300);
        world.start_foreign_action(web, ActionKind::Backup);
    });
    rex.press("Turn off").await;
    stage.settle().await;
    assert_eq!(seen(&stage), (2, true), "{}", rex.transcript());
    rex.transcript();
    stage.finish().await;
}

#[tokio::test]
async fn bad_input_is_answered_before_anything_is_asked() {
    let stage = backed_up(&["nightly-1"]).await;
    let (rex, ada, eve) =
        (stage.seat("rex", Role::Restorer), stage.seat("ada", Role::Operator), stage.seat("eve", Role::Guest));
    for line in [
        "/backups enable droplet:web-1",
        "/backups change droplet:db-1 plan:daily",
        "/backups disable droplet:db-1",
        "/backups change droplet:web-1 plan:hourly",
        "/backups change droplet:web-1 day:MON",
        "/backups change droplet:web-1 plan:weekly day:noday",
        "/backups change droplet:web-1 hour:3",
        "/backups change droplet:web-1",
        "/backups keep droplet:web-1 backup:nothing",
        "/backups keep droplet:db-1 backup:nightly-1",
        "/backups show droplet:wbe-1",
    ] {
        rex.run(line).await;
    }
    ada.run("/backups enable droplet:db-1").await;
    ada.run("/backups show droplet:db-1").await;
    eve.run("/backups show droplet:db-1").await;
    assert!(stage.commands().is_empty());
    assert_eq!(rex.button("Enable").or(rex.button("Change")).or(rex.button("Turn off")), None);
    let (rex, ada, eve) = (rex.transcript(), ada.transcript(), eve.transcript());
    assert_snapshot!(format!("{rex}\n=== ada\n{ada}\n=== eve\n{eve}"));
    stage.finish().await;
}

#[tokio::test]
async fn options_suggest_what_digitalocean_sells_and_has() {
    let stage = backed_up(&["nightly-1", "nightly-2"]).await;
    let (rex, ada) = (stage.seat("rex", Role::Restorer), stage.seat("ada", Role::Operator));
    assert_eq!(rex.suggestions("backups enable", "droplet", "web").await.len(), 1);
    assert_eq!(rex.suggestions("backups enable", "hour", "").await.len(), 6);
    assert_eq!(rex.suggestions("backups enable", "day", "").await.len(), 7);
    for option in ["droplet", "hour", "day"] {
        let why = ada.suggestions("backups enable", option, "").await;
        assert_eq!(why, ["You need @Restorer to enable Backups"], "{option}");
    }
    stage.finish().await;
}
