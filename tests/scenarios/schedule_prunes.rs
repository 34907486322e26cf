//! What a schedule deletes, and what holds it back: people are asked and notified, and an approval counts only for what they were shown.

use jiff::SignedDuration;
use snapshot_bot_sandbox::digitalocean::{
    fault::{Disturbance, Fault, Pattern, Quirk},
    http_types::Method,
    image::SizeShown,
};

use crate::{
    schedules::{RAN, night, press, schedules_web_1},
    stage::{Person, Role, Stage},
};

const ANNOUNCED: &str = "SELECT COUNT(*) AS n FROM schedule_snapshots WHERE announced_at IS NOT NULL";
const LISTED: &str = "SELECT COUNT(*) AS n FROM schedule_snapshots WHERE state = 'listed'";
const FORGOTTEN_OF_THREE: &str = "SELECT 3 - COUNT(*) AS n FROM schedule_snapshots WHERE state = 'listed'";
const STALE: &str = "SELECT COUNT(*) AS n FROM schedule_messages WHERE what LIKE '%Stale%'";
const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// A schedule of `web-1` that has run for this many nights.
async fn after_nights(stage: &Stage, ruth: &Person, keep: &str, nights: i64) {
    schedules_web_1(ruth, keep).await;
    stage.calm().await;
    for number in 1..=nights {
        next_night(stage, number).await;
    }
}

async fn next_night(stage: &Stage, number: i64) {
    stage.pass_until(night(stage.clock.now()));
    stage.until_count("the night's Snapshot", RAN, number).await;
    stage.calm().await;
}

fn deletions(stage: &Stage) -> usize {
    stage.commands().iter().filter(|command| command.starts_with("DELETE")).count()
}

/// A day, hour by hour, as for a bot that runs all the time.
async fn hours(stage: &Stage, count: i32) {
    for _ in 0..count {
        stage.clock.advance(HOUR / 2);
        stage.calm().await;
        stage.clock.advance(HOUR / 2);
        stage.calm().await;
    }
}

#[tokio::test]
async fn many_deletions_are_one_question_that_pings_once_and_is_closed_by_the_answer() {
    let stage = Stage::in_step().await;
    let (ruth, ada) = (stage.seat("ruth", Role::Restorer), stage.seat("ada", Role::Operator));
    after_nights(&stage, &ruth, "9 last", 6).await;
    ruth.run("/schedule edit schedule:web-1 keep:1 last").await;
    press(&ruth, "Change").await;
    stage.calm().await;
    stage.shows(&ruth, "May the schedule of `web-1` delete 5 Snapshots?").await;
    assert!(ruth.sees("Until then they cost"), "{}", ruth.transcript());
    assert_eq!(ruth.seat.pings(), 1, "{}", stage.conversation());
    next_night(&stage, 7).await;
    stage.shows(&ruth, "delete 6 Snapshots?").await;
    assert_eq!(ruth.seat.pings(), 1, "one more is an edit");
    ada.press("Delete them").await;
    assert!(ada.sees("need"), "{}", ada.transcript());
    assert_eq!(stage.query(ANNOUNCED).await, 0);
    ruth.press("Delete them").await;
    stage.until_count("they are announced", ANNOUNCED, 6).await;
    stage.calm().await;
    stage.shows(&ruth, "may be deleted. The schedule").await;
    assert_eq!((deletions(&stage), stage.query(LISTED).await), (0, 7), "each a day later");
    ruth.transcript();
    ada.transcript();
    stage.finish().await;
}

#[tokio::test]
async fn that_a_small_snapshot_is_fine_deletes_nothing_and_an_old_answer_counts_for_nothing() {
    let stage = Stage::in_step().await;
    let ruth = stage.seat("ruth", Role::Restorer);
    after_nights(&stage, &ruth, "1 last", 2).await;
    let web = stage.droplet("web-1");
    stage.digitalocean.world(|world| world.set_used_gigabytes(web, 0.5));
    next_night(&stage, 3).await;
    stage.shows(&ruth, "less than half as large").await;
    assert_eq!(ruth.seat.pings(), 1, "{}", stage.conversation());
    hours(&stage, 2).await;
    assert_eq!((deletions(&stage), stage.query(ANNOUNCED).await), (0, 0), "nothing goes before somebody looks");
    ruth.press("It's fine").await;
    stage.calm().await;
    assert!(ruth.sees("counts as good"), "{}", ruth.transcript());
    stage.shows(&ruth, "that it's fine.").await;
    assert_eq!((deletions(&stage), stage.query(ANNOUNCED).await), (0, 2), "what no rule wants is announced like ever");
    ruth.transcript();
    stage.finish().await;
}

#[tokio::test]
async fn small_snapshots_in_a_row_ask_once_and_are_no_recent_ones() {
    let stage = Stage::in_step().await;
    let ruth = stage.seat("ruth", Role::Restorer);
    after_nights(&stage, &ruth, "9 last", 1).await;
    let web = stage.droplet("web-1");
    stage.digitalocean.world(|world| world.set_used_gigabytes(web, 0.5));
    let asked = "SELECT COUNT(*) AS n FROM schedule_messages WHERE what LIKE '%Doubtful%'";
    for number in 2..=4 {
        next_night(&stage, number).await;
        assert_eq!(stage.query(asked).await, 1, "{}", stage.conversation());
    }
    stage.shows(&ruth, "The 3 newest Snapshots of `web-1`").await;
    assert!(ruth.sees("⚠️ taken, but much smaller"), "{}", ruth.transcript());
    assert_eq!(
        stage.query(STALE).await,
        1,
        "in the morning after the second one, which nobody looked at before the night"
    );
    hours(&stage, 6).await;
    assert_eq!(stage.query(STALE).await, 1, "not twice on one day\n{}", stage.conversation());
    hours(&stage, 24).await;
    assert_eq!(stage.query(STALE).await, 2, "{}", stage.conversation());
    assert!(ruth.sees("The ones since then are much smaller"), "{}", ruth.transcript());
    assert_eq!(ruth.seat.pings(), 3, "one question, and two mornings\n{}", stage.conversation());
    ruth.press("It's fine").await;
    stage.calm().await;
    hours(&stage, 15).await;
    assert_eq!(stage.query(STALE).await, 2, "it is no longer stale\n{}", stage.conversation());
    ruth.transcript();
    stage.finish().await;
}

#[tokio::test]
async fn what_somebody_deletes_is_forgotten_wherever_they_did_it() {
    let stage = Stage::in_step().await;
    let ruth = stage.seat("ruth", Role::Restorer);
    after_nights(&stage, &ruth, "9 last", 3).await;
    stage.until_count("all of them are recorded", LISTED, 3).await;
    let web = stage.droplet("web-1");
    let all = || {
        stage
            .digitalocean
            .world(|world| world.snapshots_of(web).iter().map(|it| (it.id, it.name.clone())).collect::<Vec<_>>())
    };
    let (_, newest) = all().into_iter().max().unwrap();
    ruth.run(&format!("/snapshot delete snapshot:{newest}")).await;
    press(&ruth, "Delete").await;
    stage.until_count("it is forgotten", FORGOTTEN_OF_THREE, 1).await;
    let (newest, _) = all().into_iter().max().unwrap();
    stage.digitalocean.world(|world| world.delete_image(newest));
    stage.calm().await;
    stage.clock.advance(HOUR);
    ruth.run("/snapshot list").await;
    stage.until_count("and the other one too, once somebody has the list read", FORGOTTEN_OF_THREE, 2).await;
    stage.calm().await;
    ruth.run("/schedule remove schedule:web-1").await;
    assert!(ruth.sees("1 Snapshot stay"), "{}", ruth.transcript());
    ruth.transcript();
    stage.finish().await;
}

#[tokio::test]
async fn what_was_due_while_nobody_was_there_is_announced_again() {
    let mut stage = Stage::in_step().await;
    let ruth = stage.seat("ruth", Role::Restorer);
    after_nights(&stage, &ruth, "1 last", 2).await;
    assert_eq!(stage.query(ANNOUNCED).await, 1);
    stage.kill().await;
    stage.pass_until(night(stage.clock.now()) + HOUR * 12);
    stage.start().await;
    stage.calm().await;
    assert_eq!((deletions(&stage), stage.query(ANNOUNCED).await), (0, 1), "{}", stage.conversation());
    hours(&stage, 23).await;
    assert_eq!((stage.query(RAN).await, deletions(&stage)), (3, 0), "its day is not over");
    hours(&stage, 2).await;
    assert_eq!(deletions(&stage), 1, "{}", stage.conversation());
    ruth.transcript();
    stage.finish().await;
}

#[tokio::test]
async fn nothing_is_deleted_of_a_droplet_that_is_gone() {
    let stage = Stage::in_step().await;
    let ruth = stage.seat("ruth", Role::Restorer);
    after_nights(&stage, &ruth, "1 last", 2).await;
    assert_eq!(stage.query(ANNOUNCED).await, 1);
    let web = stage.droplet("web-1");
    ruth.run("/schedule edit schedule:web-1 at:20:00").await;
    press(&ruth, "Change").await;
    stage.calm().await;
    stage.digitalocean.world(|world| world.destroy(web));
    hours(&stage, 15).await;
    hours(&stage, 10).await;
    stage.shows(&ruth, "is gone").await;
    assert_eq!((deletions(&stage), stage.query(LISTED).await), (0, 2), "{}", stage.conversation());
    ruth.transcript();
    stage.finish().await;
}

#[tokio::test]
async fn a_deletion_that_fails_calls_the_owner_and_is_tried_again_a_day_later() {
    let stage = Stage::in_step().await;
    let ruth = stage.seat("ruth", Role::Restorer);
    after_nights(&stage, &ruth, "1 last", 2).await;
    let refused =
        Disturbance::Refuse { status: 422, id: "unprocessable_entity".to_owned(), message: "Not now.".to_owned() };
    let refused = Fault::always(Pattern::of(Method::Delete, "/v2/snapshots/*"), refused);
    stage.fault(refused.named("refused"));
    for number in 3..=4 {
        next_night(&stage, number).await;
        hours(&stage, 1).await;
    }
    stage.shows(&ruth, "I couldn't delete").await;
    assert!(ruth.sees("and will try again"), "{}", ruth.transcript());
    assert_eq!(ruth.seat.pings(), 1, "{}", stage.conversation());
    stage.digitalocean.world(|world| world.end_fault("refused"));
    next_night(&stage, 5).await;
    hours(&stage, 1).await;
    assert!(deletions(&stage) > 0, "{}", stage.conversation());
    let is_settled = "SELECT COUNT(*) AS n FROM schedules WHERE state LIKE '%\"undeleted\":[]%'";
    stage.until_async("the deletion is written down", async || stage.query(is_settled).await == 1).await;
    ruth.transcript();
    stage.finish().await;
}

#[tokio::test]
async fn a_stale_schedule_holds_pruning_until_there_is_a_good_snapshot_also_by_hand() {
    let stage = Stage::in_step().await;
    let ruth = stage.seat("ruth", Role::Restorer);
    ruth.run("/schedule add what:web-1 every:6h at:03:00 keep:1 last").await;
    press(&ruth, "Create").await;
    stage.calm().await;
    stage.pass_until(night(stage.clock.now()));
    stage.until_count("the first Snapshot", RAN, 1).await;
    stage.calm().await;
    stage.clock.advance(HOUR * 6);
    stage.until_count("the second Snapshot", RAN, 2).await;
    stage.calm().await;
    assert_eq!(stage.query(ANNOUNCED).await, 1);
    stage.fault(Fault::always(Pattern::action("snapshot"), Quirk::Err).named("broken"));
    for number in 1..=3 {
        stage.clock.advance(HOUR * 6);
        stage.until_count("it fails", "SELECT COUNT(*) AS n FROM slots WHERE fate = 'failed'", number).await;
        stage.calm().await;
    }
    hours(&stage, 8).await;
    assert_eq!((deletions(&stage), stage.query(ANNOUNCED).await), (0, 0), "{}", stage.conversation());
    assert!(ruth.sees("Nothing is deleted while there is no recent Snapshot"), "{}", ruth.transcript());
    assert_eq!(stage.query(STALE).await, 1, "told at nine, once a day");
    ruth.run("/schedule pause schedule:web-1 until:10d").await;
    stage.calm().await;
    for _ in 0..4 {
        stage.clock.advance(HOUR * 24);
        stage.calm().await;
    }
    assert_eq!(stage.query(STALE).await, 1, "of a pause that somebody wants, people hear once a week");
    stage.digitalocean.world(|world| world.end_fault("broken"));
    ruth.run("/schedule resume schedule:web-1").await;
    ruth.run("/schedule run schedule:web-1").await;
    press(&ruth, "Take it now").await;
    stage.calm().await;
    assert_eq!((deletions(&stage), stage.query(ANNOUNCED).await), (0, 2), "{}", stage.conversation());
    ruth.transcript();
    stage.finish().await;
}

#[tokio::test]
async fn a_restore_holds_pruning_until_somebody_lets_it_prune_again() {
    let stage = Stage::in_step().await;
    let ruth = stage.seat("ruth", Role::Restorer);
    after_nights(&stage, &ruth, "1 last", 2).await;
    assert_eq!(stage.query(ANNOUNCED).await, 1);
    let older = stage.digitalocean.world(|world| {
        let web = world.droplet_named("web-1").unwrap().id;
        world.snapshots_of(web).iter().map(|image| image.name.clone()).min().unwrap()
    });
    ruth.run(&format!("/snapshot restore droplet:web-1 snapshot:{older} safety:no")).await;
    press(&ruth, "Restore").await;
    stage.calm().await;
    next_night(&stage, 3).await;
    hours(&stage, 2).await;
    assert_eq!((deletions(&stage), stage.query(ANNOUNCED).await), (0, 0), "{}", stage.conversation());
    assert!(ruth.sees("for a week after a restore"), "{}", ruth.transcript());
    ruth.press("Prune again").await;
    stage.calm().await;
    assert_eq!(stage.query(ANNOUNCED).await, 1, "all but what was put back: {}", stage.conversation());
    ruth.transcript();
    stage.finish().await;
}

#[tokio::test]
async fn an_unpinned_snapshot_gets_a_new_day_of_notice() {
    let stage = Stage::in_step().await;
    let ruth = stage.seat("ruth", Role::Restorer);
    after_nights(&stage, &ruth, "1 last", 2).await;
    let web = stage.droplet("web-1");
    let older =
        stage.digitalocean.world(|world| world.snapshots_of(web).iter().map(|image| image.name.clone()).min().unwrap());
    ruth.run(&format!("/snapshot pin snapshot:{older}")).await;
    stage.calm().await;
    assert_eq!(stage.query(ANNOUNCED).await, 0);
    next_night(&stage, 3).await;
    hours(&stage, 2).await;
    assert_eq!(stage.query(ANNOUNCED).await, 1, "the one of the second night");
    ruth.run(&format!("/snapshot unpin snapshot:{older}")).await;
    stage.calm().await;
    assert_eq!((deletions(&stage), stage.query(ANNOUNCED).await), (0, 2));
    next_night(&stage, 4).await;
    hours(&stage, 1).await;
    assert_eq!(deletions(&stage), 1, "the one that was announced before");
    hours(&stage, 2).await;
    assert_eq!(deletions(&stage), 2, "{}", stage.conversation());
    ruth.transcript();
    stage.finish().await;
}

#[tokio::test]
async fn a_schedule_whose_channel_is_gone_speaks_elsewhere_or_tells_whoever_runs_it() {
    let mut stage = Stage::dark_in_step().await;
    let reports = stage.discord.world().add_channel(stage.guild, "reports");
    stage.environment.insert("REPORT_CHANNEL_ID", reports.to_string());
    stage.start().await;
    let ruth = stage.seat("ruth", Role::Restorer);
    let there = stage.sit(ruth.seat.id(), reports);
    schedules_web_1(&ruth, "3 last").await;
    stage.calm().await;
    ruth.transcript();
    stage.discord.world().delete_channel(stage.ops);
    stage.pass_until(night(stage.clock.now()));
    stage.until_count("the night's Snapshot", RAN, 1).await;
    stage.calm().await;
    stage.shows(&there, "Schedule of `web-1`").await;
    stage.discord.world().delete_channel(reports);
    let unheard = "SELECT COUNT(*) AS n FROM schedule_messages WHERE given_up IS NULL AND message_id IS NULL";
    stage.pass_until(night(stage.clock.now()));
    stage.until_count("the second night", RAN, 2).await;
    stage.until_query("no channel takes it, and it is kept", unheard).await;
    there.transcript();
    stage.finish().await;
}

#[tokio::test]
async fn nothing_is_deleted_before_digitaloceans_clock_says_so() {
    // Days pass only for the bot.
    let stage = Stage::new().await;
    let ruth = stage.seat("ruth", Role::Restorer);
    after_nights(&stage, &ruth, "1 last", 2).await;
    assert_eq!(stage.query(ANNOUNCED).await, 1);
    stage.clock.advance(HOUR * 23 + HOUR / 2);
    stage.calm().await;
    stage.clock.advance(HOUR);
    stage.calm().await;
    assert_eq!((deletions(&stage), stage.query(ANNOUNCED).await), (0, 2), "{}", stage.conversation());
    ruth.transcript();
    stage.finish().await;
}

#[tokio::test]
async fn a_snapshot_counts_for_the_rules_once_its_size_is_known() {
    let stage = Stage::in_step().await;
    let ruth = stage.seat("ruth", Role::Restorer);
    after_nights(&stage, &ruth, "1 last", 1).await;
    let late = Quirk::Sizeless { shown: SizeShown::Null, until: Some(HOUR * 6) };
    stage.fault(Fault::once(Pattern::action("snapshot"), late));
    stage.pass_until(night(stage.clock.now()));
    // The take waits for its size for a while, and ends without one.
    while stage.query(RAN).await < 2 {
        stage.clock.advance(SignedDuration::from_secs(2));
    }
    stage.calm().await;
    assert_eq!(stage.query(ANNOUNCED).await, 0, "it may be worth nothing\n{}", stage.conversation());
    hours(&stage, 7).await;
    assert_eq!(stage.query(ANNOUNCED).await, 1, "{}", stage.conversation());
    ruth.transcript();
    stage.finish().await;
}

#[tokio::test]
async fn a_snapshot_that_one_404_hid_is_deleted_all_the_same() {
    let stage = Stage::in_step().await;
    let ruth = stage.seat("ruth", Role::Restorer);
    after_nights(&stage, &ruth, "1 last", 2).await;
    let hidden = Disturbance::Refuse { status: 404, id: "not_found".to_owned(), message: "Not found.".to_owned() };
    stage.fault(Fault::once(Pattern::of(Method::Delete, "/**"), hidden));
    hours(&stage, 25).await;
    let web = stage.droplet("web-1");
    let left = stage.digitalocean.world(|world| world.snapshots_of(web).len());
    assert_eq!((left, stage.query(LISTED).await), (2, 2), "another night has passed\n{}", stage.conversation());
    assert_eq!(deletions(&stage), 2, "the first one was answered 404");
    ruth.transcript();
    stage.finish().await;
}

#[tokio::test]
async fn after_a_night_without_a_snapshot_none_is_named_that_is_gone() {
    let stage = Stage::in_step().await;
    let ruth = stage.seat("ruth", Role::Restorer);
    after_nights(&stage, &ruth, "9 last", 3).await;
    let web = stage.droplet("web-1");
    stage.digitalocean.world(|world| {
        let all: Vec<_> = world.snapshots_of(web).iter().map(|snapshot| snapshot.id).collect();
        for id in all {
            world.delete_image(id);
        }
    });
    stage.fault(Fault::always(Pattern::action("snapshot"), Quirk::Err));
    stage.pass_until(night(stage.clock.now()));
    stage.until_count("all three are forgotten", FORGOTTEN_OF_THREE, 3).await;
    stage.calm().await;
    assert!(ruth.sees("No Snapshot yet."), "{}", ruth.transcript());
    ruth.transcript();
    stage.finish().await;
}
