//! `/snapshot restore`: the suggestions, the question, the safety Snapshot, the restore and its Undo.

use insta::assert_snapshot;
use jiff::SignedDuration;
use serde_json::json;
use snapshot_bot_sandbox::{
    control::gate::Point,
    digitalocean::{
        action::ActionKind,
        droplet::{Blueprint, Status},
        fault::{Fault, Pattern, Quirk},
        http_types::Method,
    },
    discord::permission::Permissions,
};

use crate::stage::{Person, Role, Stage};

const RESTORED: [&str; 4] = ["shutdown web-1", "snapshot web-1", "restore web-1", "power_on web-1"];

/// Adds a Snapshot.
fn snapshot_of(stage: &Stage, droplet: &str, name: &str) -> u64 {
    let droplet = stage.droplet(droplet);
    stage.digitalocean.world(|world| world.add_snapshot(droplet, name, 2.0))
}

/// A stage on which rex was asked whether to restore `web-1` from `golden`.
async fn asked() -> (Stage, Person) {
    let stage = Stage::new().await;
    snapshot_of(&stage, "web-1", "golden");
    let rex = stage.seat("rex", Role::Restorer);
    rex.run("/snapshot restore droplet:web-1 snapshot:golden").await;
    (stage, rex)
}

/// The `custom_id` of the button with this label, and the message that has it.
fn confirm(rex: &Person) -> (snapshot_bot_sandbox::discord::snowflake::Snowflake, String) {
    rex.button("Restore").expect("a question")
}

#[tokio::test]
async fn a_restore_asks_first_keeps_what_was_there_and_can_be_undone() {
    let (stage, rex) = asked().await;
    assert!(stage.commands().is_empty(), "nothing is sent before the confirmation");
    let question = rex.transcript();
    rex.press("Restore").await;
    stage.settle().await;
    assert_eq!(stage.commands(), RESTORED);
    let restored = rex.transcript();
    rex.press("Undo").await;
    assert_eq!(stage.commands(), RESTORED, "an Undo asks as well");
    let undo = rex.transcript();
    rex.press("Undo").await;
    stage.settle().await;
    assert_eq!(stage.commands()[4..], RESTORED);
    assert_snapshot!([question, restored, undo, rex.transcript()].join("\n=== later\n"));
    stage.finish().await;
}

#[tokio::test]
async fn only_the_snapshots_and_backups_of_the_chosen_droplet_are_offered() {
    let stage = Stage::new().await;
    snapshot_of(&stage, "web-1", "golden");
    snapshot_of(&stage, "db-1", "dump");
    let web = stage.droplet("web-1");
    stage.digitalocean.world(|world| world.add_backup(web, "nightly", 1.5));
    let (rex, ada) = (stage.seat("rex", Role::Restorer), stage.seat("ada", Role::Operator));
    ada.run("/snapshot take droplet:web-1 power:live name:before").await;
    stage.settle().await;
    let offered = async |person: &Person, partial: &str, droplet: Option<&str>| {
        let others: Vec<_> = droplet.map(|droplet| ("droplet", json!(droplet))).into_iter().collect();
        let choices = person.seat.autocomplete("snapshot restore", "snapshot", partial, &others).await.unwrap();
        choices.into_iter().map(|choice| choice.name).collect::<Vec<_>>()
    };
    let all = offered(&rex, "", Some(&web.to_string())).await;
    assert_eq!(all.len(), 3, "{all:?}");
    assert!(all.iter().any(|label| label.starts_with("just now · 2.0 GB · golden · ")), "{all:?}");
    assert!(
        all.iter().any(|label| label.starts_with("just now · 1.5 GB · Backup, taken live · nightly · ")),
        "{all:?}"
    );
    assert!(all.iter().any(|label| label.contains("GB · ada · before…")), "{all:?}");
    assert_eq!(offered(&rex, "gold", Some("web-1")).await.len(), 1, "the Droplet may be given by name");
    assert_eq!(offered(&rex, "dump", Some("web-1")).await, Vec::<String>::new());
    assert_eq!(offered(&rex, "", None).await, Vec::<String>::new());
    assert_eq!(offered(&ada, "", Some("web-1")).await, ["You need @Restorer to restore Droplets"]);
    ada.transcript();
    stage.finish().await;
}

#[tokio::test]
async fn what_cannot_be_restored_is_refused_with_the_reason() {
    let stage = Stage::new().await;
    snapshot_of(&stage, "web-1", "golden");
    snapshot_of(&stage, "db-1", "dump");
    let rex = stage.seat("rex", Role::Restorer);
    rex.run("/snapshot restore droplet:web-1 snapshot:dump").await;
    rex.run("/snapshot restore droplet:web-1 snapshot:godlen").await;
    rex.run("/snapshot restore droplet:nope snapshot:golden").await;
    let web = stage.droplet("web-1");
    stage.digitalocean.world(|world| world.set_locked(web, true));
    rex.run("/snapshot restore droplet:web-1 snapshot:golden").await;
    stage.digitalocean.world(|world| world.set_locked(web, false));
    let ada = stage.seat("ada", Role::Operator);
    ada.run("/snapshot restore droplet:web-1 snapshot:golden").await;
    assert!(stage.commands().is_empty());
    assert_snapshot!(format!("{}\n=== ada\n{}", rex.transcript(), ada.transcript()));
    stage.finish().await;
}

#[tokio::test]
async fn what_cannot_work_is_refused_before_anything_is_lost() {
    let stage = Stage::new().await;
    stage.digitalocean.world(|world| {
        let shrunk = world.add_droplet(&Blueprint::named("shrunk").size("s-1vcpu-2gb"));
        world.add_snapshot(shrunk, "large", 2.0);
        world.resize(shrunk, "s-1vcpu-1gb");
        let moved = world.add_droplet(&Blueprint::named("moved"));
        let elsewhere = world.add_snapshot(moved, "elsewhere", 2.0);
        world.set_image_regions(elsewhere, &["fra1", "ams3"]);
        for (name, status) in [("baby", Status::New), ("shelved", Status::Archive)] {
            let droplet = world.add_droplet(&Blueprint::named(name).status(status));
            world.add_snapshot(droplet, "any", 2.0);
        }
    });
    let rex = stage.seat("rex", Role::Restorer);
    for (line, reason) in [
        ("droplet:shrunk snapshot:large", "Snapshot `large` needs a disk of 50 GB, and `shrunk` has 25 GB"),
        ("droplet:moved snapshot:elsewhere", "Snapshot `elsewhere` is in `fra1`, `ams3`, and `moved` is in `nyc3`"),
        ("droplet:baby snapshot:any", "DigitalOcean is still making `baby`"),
        ("droplet:shelved snapshot:any", "DigitalOcean says that `shelved` is `archived`"),
    ] {
        rex.run(&format!("/snapshot restore {line}")).await;
        assert!(rex.sees(reason), "{line}\n{}", rex.transcript());
        assert!(rex.button("Restore").is_none(), "{line}");
    }
    assert!(stage.commands().is_empty());
    rex.transcript();
    stage.finish().await;
}

#[tokio::test]
async fn a_question_names_the_volumes_that_stay_and_the_backup_that_may_come() {
    let stage = Stage::new().await;
    let now = stage.digitalocean.world(|world| {
        let vault = Blueprint::named("vault").volume("data", 100).volume("logs", 10).backups();
        let vault = world.add_droplet(&vault);
        world.add_snapshot(vault, "golden", 2.0);
        world.now()
    });
    let rex = stage.seat("rex", Role::Restorer);
    rex.run("/snapshot restore droplet:vault snapshot:golden").await;
    assert!(rex.sees("Its 2 Volumes aren't part of any Snapshot and stay as they are"));
    // The simulated window opens at the next midnight, and is mentioned fifteen minutes before.
    let day = 24 * 60 * 60;
    let ahead = day - now.as_second().rem_euclid(day);
    let is_named = rex.sees("Its backup window");
    assert_eq!(is_named, ahead <= 15 * 60, "{}", rex.transcript());
    stage.clock.advance(SignedDuration::from_secs(ahead + 60));
    rex.run("/snapshot restore droplet:vault snapshot:golden").await;
    assert!(rex.sees("Its backup window is open"), "{}", rex.transcript());
    assert!(stage.commands().is_empty());
    rex.transcript();
    stage.finish().await;
}

#[tokio::test]
async fn a_busy_droplet_is_not_asked_about_but_linked_to() {
    let stage = Stage::new().await;
    snapshot_of(&stage, "web-1", "golden");
    let rex = stage.seat("rex", Role::Restorer);
    stage.fault(Fault::once(Pattern::action("snapshot"), Quirk::NeverFinish));
    rex.run("/snapshot take droplet:web-1 power:live").await;
    let begun =
        |stage: &Stage| stage.digitalocean.read(|world| world.droplet_named("web-1").unwrap().pending.is_some());
    stage.until("the Snapshot has begun", begun).await;
    rex.run("/snapshot restore droplet:web-1 snapshot:golden").await;
    assert!(rex.sees("`web-1` is busy"));
    stage.complete_action("web-1");
    stage.settle().await;
    rex.transcript();
    stage.finish().await;
}

#[tokio::test]
async fn a_question_can_be_declined_and_is_answered_once() {
    let (stage, rex) = asked().await;
    let (message, custom_id) = confirm(&rex);
    rex.press("Never mind").await;
    assert!(rex.button("Restore").is_none());
    assert!(rex.sees("OK, `web-1` was not restored."));
    rex.seat.forge_press(message, &custom_id).await.unwrap();
    assert!(rex.sees("answered already"));
    assert!(stage.commands().is_empty());
    rex.transcript();
    stage.finish().await;
}

#[tokio::test]
async fn a_question_closes_after_two_minutes() {
    let (stage, rex) = asked().await;
    stage.clock.advance(SignedDuration::from_secs(121));
    rex.press("Restore").await;
    assert!(rex.sees("this question closed after two minutes"), "{}", rex.transcript());
    assert!(rex.button("Restore").is_none());
    assert!(stage.commands().is_empty());
    rex.transcript();
    stage.finish().await;
}

#[tokio::test]
async fn nobody_else_can_answer_a_question_and_nobody_can_forge_one() {
    let (stage, rex) = asked().await;
    let (message, custom_id) = confirm(&rex);
    let (eve, ada) = (stage.seat("eve", Role::Restorer), stage.seat("ada", Role::Operator));
    eve.seat.forge_press(message, &custom_id).await.unwrap();
    assert!(eve.sees("Only the person I asked can answer"));
    ada.seat.forge_press(message, &custom_id).await.unwrap();
    assert!(ada.sees("You need"));
    for forged in ["confirm:0000000000000000", "confirm:", "undo:zzzzzzzz", "confirm:ffff", "nonsense", "undo:7f3kq2xl"]
    {
        eve.seat.forge_press(message, forged).await.unwrap();
    }
    assert!(stage.commands().is_empty());
    // The question itself still works.
    rex.press("Restore").await;
    stage.settle().await;
    assert_eq!(stage.commands(), RESTORED);
    for person in [&rex, &eve, &ada] {
        person.transcript();
    }
    stage.finish().await;
}

#[tokio::test]
async fn a_role_that_is_lost_meanwhile_or_another_guild_is_refused_at_the_press() {
    let (stage, rex) = asked().await;
    let (message, custom_id) = confirm(&rex);
    let user = rex.seat.user;
    let elsewhere = {
        let mut world = stage.discord.world();
        let guild = world.add_guild("Elsewhere");
        world.invite_bot(guild);
        let channel = world.add_channel(guild, "lobby");
        let role = world.add_role(guild, "Admin", Permissions::MANAGE_GUILD);
        world.join(guild, user, &[role]);
        // The role in the served guild is gone.
        world.join(stage.guild, user, &[]);
        channel
    };
    rex.seat.forge_press(message, &custom_id).await.unwrap();
    assert!(rex.sees("You need"));
    let there = stage.sit(user, elsewhere);
    let said = there.seat.say("hello").unwrap();
    there.seat.forge_press(said, &custom_id).await.unwrap();
    assert!(there.sees("don't serve this server"));
    assert!(stage.commands().is_empty());
    rex.transcript();
    stage.finish().await;
}

#[tokio::test]
async fn a_question_survives_a_restart_of_the_bot() {
    let (mut stage, rex) = asked().await;
    stage.kill().await;
    stage.start().await;
    rex.press("Restore").await;
    stage.settle().await;
    assert_eq!(stage.commands(), RESTORED);
    rex.transcript();
    stage.finish().await;
}

#[tokio::test]
async fn a_death_between_the_press_and_the_beginning_leaves_the_question_to_be_answered_again() {
    let (mut stage, rex) = asked().await;
    let held = stage.digitalocean.gate().hold(Point::BeforeAnswer, Pattern::of(Method::Get, "/v2/droplets/*"), 0);
    let (_, held) = tokio::join!(rex.press("Restore"), held.caught());
    stage.kill().await;
    drop(held);
    stage.start().await;
    assert_eq!(stage.query("SELECT COUNT(*) AS n FROM operations").await, 0);
    rex.press("Restore").await;
    stage.settle().await;
    assert_eq!(stage.commands(), RESTORED);
    assert_eq!(stage.query("SELECT COUNT(*) AS n FROM operations").await, 1);
    rex.transcript();
    stage.finish().await;
}

#[tokio::test]
async fn what_stands_in_the_way_for_a_while_leaves_the_question_to_be_answered_again() {
    let (stage, rex) = asked().await;
    stage.fault(Fault::once(Pattern::action("snapshot"), Quirk::NeverFinish));
    rex.run("/snapshot take droplet:web-1 power:live").await;
    stage.snapshot_begins("web-1").await;
    rex.press("Restore").await;
    assert!(rex.sees("`web-1` is busy"), "{}", rex.transcript());
    stage.complete_action("web-1");
    stage.settle().await;
    rex.press("Restore").await;
    stage.settle().await;
    assert_eq!(stage.commands()[1..], RESTORED);
    rex.transcript();
    stage.finish().await;
}

#[tokio::test]
async fn a_snapshot_that_is_gone_at_the_press_is_refused() {
    let (stage, rex) = asked().await;
    let golden = stage.digitalocean.read(|world| world.snapshots().next().unwrap().id);
    stage.digitalocean.world(|world| world.delete_image(golden));
    rex.press("Restore").await;
    assert!(stage.commands().is_empty());
    assert!(rex.sees("This Snapshot is gone."), "{}", rex.transcript());
    rex.transcript();
    stage.finish().await;
}

#[tokio::test]
async fn a_failed_safety_snapshot_means_no_restore() {
    let (stage, rex) = asked().await;
    stage.fault(Fault::once(Pattern::action("snapshot"), Quirk::Err));
    rex.press("Restore").await;
    stage.settle().await;
    assert_eq!(stage.commands(), ["shutdown web-1", "snapshot web-1", "power_on web-1"]);
    assert_snapshot!(rex.transcript());
    stage.finish().await;
}

#[tokio::test]
async fn a_restore_that_errs_says_that_the_disk_is_unknown_and_offers_the_safety_snapshot() {
    let (stage, rex) = asked().await;
    stage.fault(Fault::once(Pattern::action("restore"), Quirk::Err));
    rex.press("Restore").await;
    stage.settle().await;
    assert_eq!(stage.commands(), RESTORED);
    let failed = rex.transcript();
    rex.press("Restore the safety Snapshot").await;
    rex.press("Undo").await;
    stage.settle().await;
    assert_eq!(stage.commands()[4..], RESTORED);
    rex.transcript();
    assert_snapshot!(failed);
    stage.finish().await;
}

#[tokio::test]
async fn without_a_safety_snapshot_it_says_what_that_means() {
    let stage = Stage::new().await;
    snapshot_of(&stage, "web-1", "golden");
    let rex = stage.seat("rex", Role::Restorer);
    rex.run("/snapshot restore droplet:web-1 snapshot:golden safety:no").await;
    let question = rex.transcript();
    rex.press("Restore").await;
    stage.settle().await;
    assert_eq!(stage.commands(), ["shutdown web-1", "restore web-1", "power_on web-1"]);
    assert!(rex.button("Undo").is_none());
    assert_snapshot!(format!("{question}\n=== later\n{}", rex.transcript()));
    stage.finish().await;
}

#[tokio::test]
async fn a_droplet_that_is_off_stays_off_and_a_backup_can_be_put_back() {
    let stage = Stage::new().await;
    let web = stage.droplet("web-1");
    stage.digitalocean.world(|world| {
        world.add_backup(web, "nightly", 1.5);
        world.turn_off(web);
        world.mark_power();
    });
    let rex = stage.seat("rex", Role::Restorer);
    rex.run("/snapshot restore droplet:web-1 snapshot:nightly").await;
    rex.press("Restore").await;
    stage.settle().await;
    assert_eq!(stage.commands(), ["snapshot web-1", "restore web-1"]);
    assert!(!stage.is_on("web-1"));
    rex.transcript();
    stage.finish().await;
}

#[tokio::test]
async fn an_undo_of_a_droplet_that_is_gone_leads_to_a_launch_from_the_safety_snapshot() {
    let (stage, rex) = asked().await;
    rex.press("Restore").await;
    stage.settle().await;
    let web = stage.droplet("web-1");
    stage.digitalocean.world(|world| world.destroy(web));
    rex.press("Undo").await;
    assert!(rex.sees("**Launch…** creates a new one from the safety Snapshot"), "{}", rex.transcript());
    rex.transcript();
    stage.finish().await;
}

#[tokio::test]
async fn an_undo_is_over_after_a_day() {
    let (stage, rex) = asked().await;
    rex.press("Restore").await;
    stage.settle().await;
    stage.clock.advance(SignedDuration::from_hours(25));
    rex.press("Undo").await;
    assert!(rex.sees("24-hour undo window has closed"));
    assert_eq!(stage.commands(), RESTORED);
    rex.transcript();
    stage.finish().await;
}

#[tokio::test]
async fn another_action_that_begins_after_the_question_is_waited_for() {
    let (stage, rex) = asked().await;
    let web = stage.droplet("web-1");
    stage.digitalocean.world(|world| world.start_foreign_action(web, ActionKind::Backup)).expect("an Action");
    rex.press("Restore").await;
    stage.settle().await;
    rex.transcript();
    assert_eq!(stage.commands(), RESTORED);
    stage.finish().await;
}
