//! The warning before a Droplet goes down: where it is posted, how long the shutdown waits, and its text afterwards.

use jiff::SignedDuration;
use snapshot_bot_sandbox::{
    control::gate::Point,
    digitalocean::fault::Pattern,
    discord::{permission::Permissions, snowflake::Snowflake},
};

use crate::{
    schedules::{RAN, night, press},
    stage::{Person, Role, Stage},
};

const MINUTES: SignedDuration = SignedDuration::from_mins(1);

/// `#players`, and a person who reads it.
fn players(stage: &Stage, person: &Person) -> (Snowflake, Person) {
    let channel = stage.discord.world().add_channel(stage.guild, "players");
    (channel, stage.sit(person.seat.user, channel))
}

/// Waits until the bot waits only for the end of the warning's time.
async fn warned(stage: &Stage, reader: &Person) {
    stage.until("people are warned, with a time", |_| reader.sees("goes down at")).await;
    assert_eq!(stage.commands(), Vec::<String>::new(), "nothing is sent before");
}

#[tokio::test]
async fn people_elsewhere_are_warned_without_a_mention_and_read_when_it_is_back() {
    let stage = Stage::new().await;
    let (ada, bob) = (stage.seat("ada", Role::Operator), stage.seat("bob", Role::Guest));
    let (_, there) = players(&stage, &bob);
    ada.run("/snapshot take droplet:web-1 warn:5m warn-in:players").await;
    warned(&stage, &there).await;
    let asked = stage.digitalocean.journal().len();
    stage.clock.advance(MINUTES * 4);
    stage.until("the progress says what it waits for", |_| ada.sees("is warned")).await;
    assert_eq!(stage.digitalocean.journal().len(), asked, "who waits asks nothing");
    stage.clock.advance(MINUTES * 2);
    stage.settle().await;
    assert_eq!(stage.commands(), ["shutdown web-1", "snapshot web-1", "power_on web-1"]);
    assert!(there.sees("✅ `web-1` is back. It was down for"), "{}", there.transcript());
    assert_eq!((there.seat.pings(), there.seat.messages().len()), (0, 1));
    for person in [&ada, &bob, &there] {
        person.transcript();
    }
    stage.finish().await;
}

#[tokio::test]
async fn who_may_take_postpones_it_also_after_a_restart_and_others_do_not() {
    let mut stage = Stage::new().await;
    let (ada, bob) = (stage.seat("ada", Role::Operator), stage.seat("bob", Role::Operator));
    let vic = stage.seat("vic", Role::Viewer);
    ada.run("/snapshot take droplet:web-1 warn:5").await;
    warned(&stage, &ada).await;
    let (message, postpone) = ada.button("Postpone 10 min").expect("a button");
    let refused = vic.seat.press(message, &postpone).await.unwrap();
    vic.answered(&refused).await;
    assert!(vic.last().contains("You need"), "{}", vic.last());
    stage.kill().await;
    stage.start().await;
    bob.press("Postpone 10 min").await;
    assert!(bob.last().contains("goes down 10 min later"), "{}", bob.last());
    stage.clock.advance(MINUTES * 12);
    ada.run("/snapshot status").await;
    assert_eq!(stage.commands(), Vec::<String>::new(), "ten minutes more");
    stage.clock.advance(MINUTES * 4);
    stage.settle().await;
    assert_eq!(stage.commands(), ["shutdown web-1", "snapshot web-1", "power_on web-1"]);
    for person in [&ada, &bob, &vic] {
        person.transcript();
    }
    stage.finish().await;
}

#[tokio::test]
async fn a_warned_take_that_is_cancelled_is_called_off_there() {
    let stage = Stage::new().await;
    let ada = stage.seat("ada", Role::Operator);
    let (_, there) = players(&stage, &ada);
    ada.run("/snapshot take droplet:web-1 warn:10m warn-in:players").await;
    warned(&stage, &there).await;
    ada.press("Cancel").await;
    stage.settle().await;
    assert!(there.sees("Called off: `web-1` stays on"), "{}", there.transcript());
    assert!(there.button("Postpone 10 min").is_none());
    assert_eq!(stage.commands(), Vec::<String>::new());
    ada.transcript();
    there.transcript();
    stage.finish().await;
}

#[tokio::test]
async fn nobody_is_warned_of_a_droplet_that_is_off_or_stays_on() {
    let stage = Stage::new().await;
    let ada = stage.seat("ada", Role::Operator);
    let (_, there) = players(&stage, &ada);
    ada.run("/snapshot take droplet:web-1 power:live warn:5m warn-in:players").await;
    let db = stage.droplet("db-1");
    stage.digitalocean.world(|world| {
        world.turn_off(db);
        world.mark_power();
    });
    ada.run("/snapshot take droplet:db-1 warn:5m warn-in:players").await;
    stage.settle().await;
    assert_eq!(there.seat.messages().len(), 0, "{}", there.transcript());
    ada.transcript();
    stage.finish().await;
}

#[tokio::test]
async fn where_the_bot_may_not_post_nothing_is_begun() {
    let stage = Stage::new().await;
    let ada = stage.seat("ada", Role::Operator);
    let (channel, _) = players(&stage, &ada);
    stage.discord.world().deny_bot(channel, Permissions::SEND_MESSAGES);
    ada.run("/snapshot take droplet:web-1 warn:5m warn-in:players").await;
    assert!(ada.last().contains("**Send Messages**"), "{}", ada.last());
    ada.run("/snapshot take droplet:web-1 warn:2h").await;
    assert!(ada.last().contains("1 to 60 minutes"), "{}", ada.last());
    ada.transcript();
    stage.settle().await;
    assert_eq!(stage.commands(), Vec::<String>::new());
    stage.finish().await;
}

#[tokio::test]
async fn where_the_bot_may_not_post_any_more_nothing_goes_down_and_that_is_said() {
    let stage = Stage::new().await;
    let ada = stage.seat("ada", Role::Operator);
    let (channel, _) = players(&stage, &ada);
    // The first look at the Droplet is held, so that the right is lost between the command and the warning.
    let path = format!("/v2/droplets/{}", stage.droplet("web-1"));
    let look = stage.digitalocean.gate().hold(Point::BeforeExecution, Pattern::at(&path), 0);
    ada.run("/snapshot take droplet:web-1 warn:5m warn-in:players").await;
    let look = look.caught().await.unwrap();
    stage.discord.world().deny_bot(channel, Permissions::SEND_MESSAGES | Permissions::VIEW_CHANNEL);
    look.release();
    stage.settle().await;
    assert!(ada.sees("I couldn't post the warning where you wanted it"), "{}", ada.transcript());
    assert_eq!(stage.commands(), Vec::<String>::new());
    ada.transcript();
    stage.finish().await;
}

#[tokio::test]
async fn a_restore_warns_once_it_is_confirmed() {
    let stage = Stage::new().await;
    let rex = stage.seat("rex", Role::Restorer);
    rex.run("/snapshot take droplet:web-1 power:live").await;
    stage.settle().await;
    let snapshot = stage.digitalocean.read(|world| world.snapshots().next().expect("a Snapshot").name.clone());
    rex.run(&format!("/snapshot restore droplet:web-1 snapshot:{snapshot} warn:5m")).await;
    assert!(!rex.sees("goes down at"), "{}", rex.transcript());
    rex.press("Restore").await;
    stage.until("people are warned, with a time", |_| rex.sees("goes down at")).await;
    stage.clock.advance(MINUTES * 6);
    stage.settle().await;
    assert!(rex.sees("✅ `web-1` is back"), "{}", rex.transcript());
    rex.transcript();
    stage.finish().await;
}

#[tokio::test]
async fn a_schedule_and_a_group_warn_before_they_shut_down_and_an_edit_ends_that() {
    let stage = Stage::in_step().await;
    let ruth = stage.seat("ruth", Role::Restorer);
    let (_, there) = players(&stage, &ruth);
    ruth.run("/schedule add what:web-1 every:day at:03:00 warn:5m warn-in:players").await;
    assert!(ruth.sees("5 min before a Droplet goes down"), "{}", ruth.transcript());
    press(&ruth, "Create").await;
    stage.calm().await;
    stage.pass_until(night(stage.clock.now()));
    warned(&stage, &there).await;
    stage.clock.advance(MINUTES * 6);
    stage.until_count("the night's Snapshot", RAN, 1).await;
    stage.calm().await;
    assert!(there.sees("✅ `web-1` is back."), "{}", there.transcript());
    let schedule = ruth.suggestions("schedule edit", "schedule", "").await.remove(0);
    let schedule = schedule.rsplit(" · ").next().expect("an id").to_owned();
    ruth.run(&format!("/schedule edit schedule:{schedule} warn:none")).await;
    press(&ruth, "Change").await;
    stage.calm().await;
    let warning = stage.query("SELECT COUNT(*) AS n FROM schedules WHERE state LIKE '%minutes%'").await;
    assert_eq!(warning, 0, "the edit counts");
    let web = stage.droplet("web-1");
    stage.digitalocean.world(|world| world.set_tags(web, &["prod"]));
    stage.clock.advance(MINUTES * 2);
    let before = stage.commands().len();
    ruth.run("/snapshot take-group tag:prod gap:0s warn:5m warn-in:players").await;
    press(&ruth, "Take them").await;
    stage
        .until("people are warned once more", |_| there.seat.messages().len() == 2 && there.sees("goes down at"))
        .await;
    assert_eq!(stage.commands().len(), before, "nothing is sent before");
    stage.clock.advance(MINUTES * 6);
    stage.until_later("it is over", |_| ruth.sees("The Droplet with the tag `prod` has a good Snapshot")).await;
    stage.calm().await;
    ruth.transcript();
    there.transcript();
    stage.finish().await;
}
