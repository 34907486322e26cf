//! What schedules report when something goes wrong: who is called, how often, and what is asked.

use jiff::{SignedDuration, ToSpan, tz::TimeZone};
use snapshot_bot_sandbox::{
    control::gate::Point,
    digitalocean::{
        fault::{Disturbance, Fault, HungAction, Pattern, Quirk},
        http_types::Method,
    },
    discord::permission::Permissions,
};

use crate::{
    schedules::{RAN, night, press, schedules_web_1},
    stage::{Person, Role, Stage},
};

const FAILED: &str = "SELECT COUNT(*) AS n FROM slots WHERE fate = 'failed'";
const REMINDED: &str = "SELECT COUNT(*) AS n FROM schedule_messages WHERE what LIKE '%Stale%'";
const LISTED: &str = "SELECT COUNT(*) AS n FROM schedule_snapshots WHERE state = 'listed'";

async fn schedules_both(ruth: &Person) {
    for droplet in ["web-1", "db-1"] {
        ruth.run(&format!("/schedule add what:{droplet} every:day at:03:00 keep:3 last")).await;
        press(ruth, "Create").await;
    }
}

/// A stage on which this role is called after a failure.
async fn with_failure_role(role: impl Fn(&mut Stage) -> String) -> (Stage, String) {
    let mut stage = Stage::dark_in_step().await;
    let role = role(&mut stage);
    stage.discord.world().set_mentionable(role.parse().unwrap());
    stage.environment.insert("FAILURE_ROLE", role.clone());
    stage.start().await;
    (stage, role)
}

#[tokio::test]
async fn failures_in_one_channel_are_one_message_and_the_same_reason_again_is_an_edit() {
    let (stage, role) = with_failure_role(|stage| stage.environment["VIEW_ROLES"].clone()).await;
    let (ruth, vic) = (stage.seat("ruth", Role::Restorer), stage.seat("vic", Role::Viewer));
    schedules_both(&ruth).await;
    stage.calm().await;
    stage.fault(Fault::always(Pattern::action("snapshot"), Quirk::Err).named("broken"));
    stage.pass_until(night(stage.clock.now()));
    stage.until_count("both failed", FAILED, 2).await;
    stage.calm().await;
    stage.shows(&ruth, "Several schedules need you").await;
    let pings = || (ruth.seat.pings(), vic.seat.pings());
    assert_eq!(pings(), (1, 1), "{}", stage.conversation());
    let names_role = |person: &Person| {
        person.seat.messages().iter().any(|message| message.body.content.contains(&format!("<@&{role}>")))
    };
    assert!(names_role(&ruth), "{}", ruth.transcript());
    stage.pass_until(night(stage.clock.now()));
    stage.until_count("both failed again", FAILED, 4).await;
    stage.calm().await;
    stage.shows(&ruth, "2nd time in a row").await;
    assert_eq!(pings(), (1, 1), "an edit pings nobody\n{}", stage.conversation());
    stage.digitalocean.world(|world| world.end_fault("broken"));
    stage.pass_until(night(stage.clock.now()));
    stage.until_count("both are good", RAN, 2).await;
    stage.calm().await;
    stage.shows(&ruth, "took a good Snapshot again").await;
    assert_eq!(pings(), (2, 1), "in the morning one message said that both are stale\n{}", stage.conversation());
    ruth.transcript();
    vic.transcript();
    stage.finish().await;
}

#[tokio::test]
async fn a_reminder_that_there_is_no_recent_snapshot_is_acted_on_once() {
    let stage = Stage::in_step().await;
    let ruth = stage.seat("ruth", Role::Restorer);
    schedules_web_1(&ruth, "3 last").await;
    stage.calm().await;
    stage.fault(Fault::always(Pattern::action("snapshot"), Quirk::Err).named("broken"));
    let reminded = async |nights, reminders| {
        stage.pass_until(night(stage.clock.now()));
        stage.until_count("the night failed", FAILED, nights).await;
        stage.calm().await;
        stage.clock.advance(SignedDuration::from_hours(7));
        stage.until_count("people are reminded", REMINDED, reminders).await;
        stage.calm().await;
        ruth.button("Try again").expect("a button")
    };
    reminded(1, 0).await;
    let (first, again) = reminded(2, 1).await;
    assert!(ruth.sees("`web-1` has no Snapshot from this schedule yet"), "{}", ruth.transcript());
    let (second, _) = reminded(3, 2).await;
    assert_ne!(first, second);
    stage.digitalocean.world(|world| world.end_fault("broken"));
    for _ in 0..2 {
        ruth.seat.press(second, &again).await.unwrap();
    }
    press(&ruth, "Take it now").await;
    stage.calm().await;
    ruth.seat.press(second, &again).await.unwrap();
    assert!(ruth.sees("This schedule has begun a newer Snapshot since then"), "{}", ruth.transcript());
    assert_eq!(stage.query(LISTED).await, 1, "{}", stage.conversation());
    ruth.transcript();
    stage.finish().await;
}

#[tokio::test]
async fn a_reminder_that_there_is_no_recent_snapshot_is_acted_on_for_a_day() {
    let stage = Stage::all_in_step().await;
    let ruth = stage.seat("ruth", Role::Restorer);
    schedules_web_1(&ruth, "3 last").await;
    stage.calm().await;
    stage.fault(Fault::always(Pattern::action("snapshot"), Quirk::Err));
    for nights in 1..=2 {
        stage.pass_until(night(stage.clock.now()));
        stage.until_count("the night failed", FAILED, nights).await;
        stage.calm().await;
    }
    stage.clock.advance(SignedDuration::from_hours(7));
    stage.until_count("people are reminded", REMINDED, 1).await;
    stage.calm().await;
    let (reminder, again) = ruth.button("Try again").expect("a button");
    let asked = || ruth.transcript().matches("Take a Snapshot of `web-1` now?").count();
    stage.pass_until(night(stage.clock.now()));
    stage.until_count("the third night failed too", FAILED, 3).await;
    stage.calm().await;
    ruth.seat.press(reminder, &again).await.unwrap();
    stage.until("the question is asked", |_| asked() == 1).await;
    // At ten in the morning the reminder is a day old.
    stage.clock.advance(SignedDuration::from_hours(8));
    stage.calm().await;
    ruth.seat.press(reminder, &again).await.unwrap();
    stage.shows(&ruth, "That was more than a day ago").await;
    assert_eq!(asked(), 1, "{}", ruth.transcript());
    stage.finish().await;
}

#[tokio::test]
async fn what_a_person_began_calls_that_person_and_no_role() {
    let (stage, role) = with_failure_role(|stage| stage.environment["VIEW_ROLES"].clone()).await;
    let (ada, vic) = (stage.seat("ada", Role::Operator), stage.seat("vic", Role::Viewer));
    stage.add_group(2);
    stage.fault(Fault::always(Pattern::action("snapshot"), Quirk::Err));
    ada.run("/snapshot take droplet:web-1 power:live tell:silent").await;
    stage.settle().await;
    ada.run("/snapshot take-group tag:prod at-once:2 gap:0s power:live tell:silent").await;
    press(&ada, "Take them").await;
    stage.runs_end(1).await;
    assert_eq!((ada.seat.pings(), vic.seat.pings()), (2, 0), "{}", stage.conversation());
    assert!(!ada.sees(&role), "{}", ada.transcript());
    ada.transcript();
    vic.transcript();
    stage.finish().await;
}

#[tokio::test]
async fn a_role_of_another_guild_is_not_named() {
    let (stage, role) = with_failure_role(|stage| {
        let mut world = stage.discord.world();
        let other = world.add_guild("Elsewhere");
        world.invite_bot(other);
        let role = world.add_role(other, "on call", Permissions::NONE).to_string();
        drop(world);
        let both = format!("{},{other}", stage.guild);
        stage.environment.insert("DISCORD_GUILD_ID", both);
        role
    })
    .await;
    let ruth = stage.seat("ruth", Role::Restorer);
    schedules_web_1(&ruth, "3 last").await;
    stage.calm().await;
    stage.fault(Fault::once(Pattern::action("snapshot"), Quirk::Err));
    stage.pass_until(night(stage.clock.now()));
    stage.until_count("it failed", FAILED, 1).await;
    stage.calm().await;
    stage.shows(&ruth, "`web-1`: no Snapshot at").await;
    let names_role = ruth.seat.messages().iter().any(|message| message.body.content.contains(&format!("<@&{role}>")));
    assert!(!names_role, "{}", ruth.transcript());
    assert_eq!(ruth.seat.pings(), 1);
    ruth.transcript();
    stage.finish().await;
}

#[tokio::test]
async fn after_three_hung_shutdowns_people_are_asked_and_it_stays_live_until_they_answer() {
    let stage = Stage::in_step().await;
    let (ruth, ada) = (stage.seat("ruth", Role::Restorer), stage.seat("ada", Role::Operator));
    schedules_web_1(&ruth, "3 last").await;
    stage.calm().await;
    let hangs = Quirk::ShutdownHangs { action: HungAction::Errs, off_after: None };
    stage.fault(Fault::always(Pattern::action("shutdown"), hangs).named("hangs"));
    for number in 1..=4 {
        stage.pass_until(night(stage.clock.now()));
        stage.until_count("the night's Snapshot", RAN, number).await;
        stage.clock.advance(SignedDuration::from_mins(16));
        stage.calm().await;
    }
    let shutdowns = || stage.commands().iter().filter(|command| *command == "shutdown web-1").count();
    assert_eq!(shutdowns(), 3, "the fourth was taken live: {:?}", stage.commands());
    stage.shows(&ruth, "didn't shut down 3 times in a row").await;
    assert!(ruth.sees("⚠️ taken while it was running"), "{}", ruth.transcript());
    assert_eq!(ruth.seat.pings(), 1, "{}", stage.conversation());
    ada.press("Keep shutting down").await;
    assert!(ada.sees("need"), "{}", ada.transcript());
    ruth.press("Keep shutting down").await;
    stage.digitalocean.world(|world| world.end_fault("hangs"));
    stage.calm().await;
    stage.shows(&ruth, "@ruth answered").await;
    stage.pass_until(night(stage.clock.now()));
    stage.until_count("it is shut down again", RAN, 5).await;
    stage.calm().await;
    assert_eq!(shutdowns(), 4);
    ruth.transcript();
    ada.transcript();
    stage.finish().await;
}

#[tokio::test]
async fn two_schedules_of_one_droplet_share_a_snapshot_and_hand_it_over() {
    let stage = Stage::in_step().await;
    let ruth = stage.seat("ruth", Role::Restorer);
    schedules_web_1(&ruth, "1 last").await;
    schedules_web_1(&ruth, "2 last").await;
    stage.calm().await;
    stage.pass_until(night(stage.clock.now()));
    stage.until_count("one took it", RAN, 1).await;
    let shared = "SELECT COUNT(*) AS n FROM slots WHERE fate = 'shared'";
    stage.until_count("the other shares it", shared, 1).await;
    stage.calm().await;
    assert_eq!(stage.commands(), ["shutdown web-1", "snapshot web-1", "power_on web-1"]);
    assert_eq!(stage.query(LISTED).await, 2, "a member of both");
    stage.shows(&ruth, "covered by another schedule's Snapshot").await;
    for number in 2..=4 {
        stage.pass_until(night(stage.clock.now()));
        stage.until_count("the next night", RAN, number).await;
        stage.until_count("shared again", shared, number).await;
        stage.calm().await;
    }
    let web = stage.droplet("web-1");
    let there = || stage.digitalocean.world(|world| world.snapshots_of(web).len());
    let deleted = |stage: &Stage| stage.commands().iter().filter(|command| command.starts_with("delete")).count();
    assert!((2..=4).contains(&there()), "deleted only once both want it gone: {} {:?}", there(), stage.commands());
    assert!(deleted(&stage) <= 2, "{:?}", stage.commands());
    let ids: Vec<String> = {
        ruth.run("/schedule list").await;
        let list = ruth.seat.messages().pop().unwrap().body.content;
        let key = |line: &str| Some(line.split('`').nth(1)?.rsplit(' ').next()?.to_owned());
        list.lines().filter_map(key).collect()
    };
    ruth.run(&format!("/schedule remove schedule:{}", ids[0])).await;
    ruth.choose(&ids[1]).await;
    assert!(ruth.sees("now belong to schedule"), "{}", ruth.transcript());
    stage.calm().await;
    assert_eq!(stage.query("SELECT COUNT(*) AS n FROM schedules WHERE is_removed = 0").await, 1);
    let left = stage.query(LISTED).await;
    assert_eq!(left, i64::try_from(there()).unwrap(), "each is a member once");
    ruth.transcript();
    stage.finish().await;
}

#[tokio::test]
async fn a_snapshot_that_is_gone_serves_for_no_other_schedule() {
    let stage = Stage::in_step().await;
    let ruth = stage.seat("ruth", Role::Restorer);
    schedules_web_1(&ruth, "1 last").await;
    schedules_web_1(&ruth, "2 last").await;
    stage.calm().await;
    // The other schedule looks at the Snapshot that the first has just taken.
    let look = Pattern::of(Method::Get, "/v2/snapshots/*");
    let held = stage.digitalocean.gate().hold(Point::BeforeExecution, look, 0);
    stage.pass_until(night(stage.clock.now()));
    let held = held.caught().await.unwrap();
    let web = stage.droplet("web-1");
    stage.digitalocean.world(|world| {
        let taken = world.snapshots_of(web)[0].id;
        world.delete_image(taken);
    });
    held.release();
    stage.until_count("both have taken one", RAN, 2).await;
    stage.calm().await;
    assert_eq!(stage.commands().iter().filter(|command| *command == "snapshot web-1").count(), 2);
    assert_eq!(stage.query(LISTED).await, 1, "what is gone is forgotten");
    ruth.transcript();
    stage.finish().await;
}

#[tokio::test]
async fn the_lost_owner_is_told_of_each_morning_and_a_pause_on_mondays() {
    let stage = Stage::in_step().await;
    let (ruth, rex) = (stage.seat("ruth", Role::Restorer), stage.seat("rex", Role::Restorer));
    schedules_web_1(&ruth, "7 daily").await;
    stage.calm().await;
    ruth.transcript();
    stage.discord.world().leave(stage.guild, ruth.seat.id());
    stage.pass_until(night(stage.clock.now()));
    stage.until_count("the first night without an owner", RAN, 1).await;
    stage.calm().await;
    let told = "SELECT COUNT(*) AS n FROM schedule_messages WHERE what LIKE '%OwnerLost%'";
    assert_eq!(stage.query(told).await, 1, "at once");
    stage.clock.advance(SignedDuration::from_hours(7));
    stage.until_count("and at nine", told, 2).await;
    stage.calm().await;
    stage.shows(&rex, "Somebody who may restore").await;
    press(&rex, "Take over").await;
    stage.calm().await;
    rex.run("/schedule pause schedule:web-1 until:30d").await;
    stage.calm().await;
    let paused = "SELECT COUNT(*) AS n FROM schedule_messages WHERE what LIKE '%Paused%'";
    assert_eq!(stage.query(paused).await, 0);
    for weeks in 1..=2 {
        stage.clock.advance(SignedDuration::from_hours(24 * 7));
        stage.until_count("once a week", paused, weeks).await;
        stage.calm().await;
        assert_eq!(stage.query(paused).await, weeks);
    }
    stage.shows(&rex, "is paused. Its newest Snapshot is from").await;
    rex.transcript();
    stage.finish().await;
}

#[tokio::test]
async fn the_message_is_posted_anew_on_mondays_also_where_nothing_happens() {
    const POSTED: &str = "SELECT COALESCE(CAST(SUM(generation) AS BIGINT), 0) AS n FROM schedule_messages WHERE number = 0 \
        AND message_id IS NOT NULL";
    let stage = Stage::in_step().await;
    let ruth = stage.seat("ruth", Role::Restorer);
    let later = stage.clock.now().to_zoned(TimeZone::UTC).checked_add(20.days()).unwrap().day().min(28);
    ruth.run(&format!("/schedule add what:web-1 every:month on:{later} at:03:00 keep:3 last")).await;
    press(&ruth, "Create").await;
    ruth.run("/schedule add what:db-1 every:day at:03:00 keep:3 last").await;
    press(&ruth, "Create").await;
    ruth.run("/schedule pause schedule:db-1 until:60d").await;
    stage.calm().await;
    assert_eq!(stage.query(POSTED).await, 2);
    for posted in [4, 6] {
        stage.clock.advance(SignedDuration::from_hours(24 * 7));
        stage.until_count("both are posted anew", POSTED, posted).await;
        stage.calm().await;
        assert_eq!(stage.query(POSTED).await, posted, "once a week");
    }
    ruth.transcript();
    stage.finish().await;
}

#[tokio::test]
async fn in_weeks_of_outages_freezes_and_failures_each_cause_pings_once_and_staleness_once_a_day() {
    const ACCOUNTED: &str = "SELECT COALESCE(CAST(SUM(count) AS BIGINT), 0) AS n FROM slots";
    const MISSED: &str = "SELECT COALESCE(CAST(SUM(count) AS BIGINT), 0) AS n FROM slots WHERE fate = 'missed'";
    let stage = Stage::in_step().await;
    let ruth = stage.seat("ruth", Role::Restorer);
    // Nothing is pruned here, so that nothing asks about it either.
    schedules_web_1(&ruth, "30 last").await;
    stage.calm().await;
    let (mut missed, mut failed, mut ran) = (0, 0, 0);
    for number in 0..21 {
        let slot = night(stage.clock.now());
        match number % 7 {
            2 => {
                stage.fault(Fault::always(Pattern::any(), Disturbance::Down).named("down"));
                stage.pass_until(slot);
                stage.until_count("it is under way", ACCOUNTED, number + 1).await;
                stage.pass_until(slot + SignedDuration::from_hours(5));
                missed += 1;
                stage.until_count("the window passed in the outage", MISSED, missed).await;
                stage.digitalocean.world(|world| world.end_fault("down"));
            }
            4 => {
                stage.pass_until(slot + SignedDuration::from_hours(12));
                missed += 1;
                stage.until_count("nobody was there", MISSED, missed).await;
            }
            5 => {
                stage.fault(Fault::once(Pattern::action("snapshot"), Quirk::Err));
                stage.pass_until(slot);
                failed += 1;
                stage.until_count("it failed", FAILED, failed).await;
            }
            _ => {
                stage.pass_until(slot);
                ran += 1;
                stage.until_count("a good night", RAN, ran).await;
            }
        }
        stage.calm().await;
    }
    assert_eq!(stage.query(ACCOUNTED).await, 21, "{}", stage.conversation());
    assert_eq!((stage.query(MISSED).await, stage.query(FAILED).await, stage.query(RAN).await), (6, 3, 12));
    assert_eq!(stage.query(REMINDED).await, 3, "after the two bad nights of each week");
    assert_eq!(ruth.seat.pings(), 12, "two missed, one failed and one stale a week\n{}", stage.conversation());
    ruth.transcript();
    stage.finish().await;
}
