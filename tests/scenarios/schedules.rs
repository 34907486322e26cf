//! `/schedule`: automatic Snapshots, over nights that pass quickly, with kills in between.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp, ToSpan, tz::TimeZone};
use snapshot_bot_sandbox::{
    control::gate::Point,
    digitalocean::fault::{Fault, Pattern, Quirk},
};

use crate::stage::{Person, Role, Stage};

pub const RAN: &str = "SELECT COUNT(*) AS n FROM slots WHERE fate = 'ran'";
const OPEN: &str = "SELECT COUNT(*) AS n FROM slots WHERE fate IN ('waiting', 'running')";
const ACCOUNTED: &str = "SELECT COALESCE(CAST(SUM(count) AS BIGINT), 0) AS n FROM slots";
const UNSAID: &str = "SELECT COUNT(*) AS n FROM schedule_messages m JOIN schedules s ON s.id = m.schedule \
     WHERE m.given_up IS NULL AND m.leader_schedule IS NULL AND (m.message_id IS NULL \
     OR m.shown_version < CASE WHEN m.number = 0 THEN s.version ELSE m.changes END)";

/// Presses the button whose label begins with this text.
pub async fn press(person: &Person, beginning: &str) {
    let label = person.seat.messages().iter().rev().find_map(|message| {
        let mut labels = message.components().filter_map(|button| button["label"].as_str());
        labels.find(|label| label.starts_with(beginning)).map(str::to_owned)
    });
    person.press(&label.unwrap_or_else(|| panic!("no button {beginning}\n{}", person.seat.transcript()))).await;
}

pub async fn schedules_web_1(ruth: &Person, keep: &str) {
    ruth.run(&format!("/schedule add what:web-1 every:day at:03:00 keep:{keep}")).await;
    press(ruth, "Create").await;
}

/// The next 03:00, plus one second.
pub fn night(now: Timestamp) -> Timestamp {
    night_in(TimeZone::UTC, now)
}

fn night_in(zone: TimeZone, now: Timestamp) -> Timestamp {
    let today = now.to_zoned(zone);
    let three = today.with().hour(3).minute(0).second(1).subsec_nanosecond(0).build().unwrap();
    if three.timestamp() > now { three.timestamp() } else { three.checked_add(1.day()).unwrap().timestamp() }
}

impl Stage {
    pub fn pass_until(&self, moment: Timestamp) {
        self.clock.advance(moment.duration_since(self.clock.now()).max(SignedDuration::ZERO));
    }

    /// How many schedules the scheduler is about to look at.
    async fn due_schedules(&self) -> i64 {
        let now = self.clock.now().as_millisecond();
        let statement = format!("SELECT COUNT(*) AS n FROM schedules WHERE is_removed = 0 AND due_at <= {now}");
        self.query(statement.leak()).await
    }

    /// Waits until no slot is open, no schedule is due, nothing runs and everything was posted, while the pauses between edits pass.
    pub async fn calm(&self) {
        for _ in 0..400 {
            self.settle().await;
            let unseen = self.due_schedules().await;
            if self.query(OPEN).await + self.query(UNSAID).await + unseen == 0 {
                return;
            }
            self.clock.advance(SignedDuration::from_secs(1));
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        panic!("schedules do not come to rest\n{}", self.conversation());
    }
}

#[tokio::test]
async fn a_schedule_is_reviewed_added_and_takes_a_snapshot_each_night() {
    let stage = Stage::in_step().await;
    let ruth = stage.seat("ruth", Role::Restorer);
    ruth.run("/schedule add what:web-1 every:day at:03:00 timezone:asia/tokyo").await;
    assert!(ruth.sees("every day at 03:00 (Asia/Tokyo)"), "{}", ruth.transcript());
    assert!(ruth.sees("between 03:00 and 07:00"), "{}", ruth.transcript());
    assert_eq!(stage.query("SELECT COUNT(*) AS n FROM schedules").await, 0, "nothing is stored before it is confirmed");
    press(&ruth, "Create").await;
    stage.calm().await;
    assert!(ruth.sees("Schedule of `web-1`"), "{}", ruth.transcript());
    assert!(ruth.sees("No Snapshot yet."), "{}", ruth.transcript());
    stage.pass_until(night_in(TimeZone::get("Asia/Tokyo").unwrap(), stage.clock.now()));
    stage.until_query("the night's Snapshot is taken", RAN).await;
    stage.calm().await;
    assert_eq!(stage.commands(), ["shutdown web-1", "snapshot web-1", "power_on web-1"]);
    assert!(ruth.sees("✅ taken"), "{}", ruth.transcript());
    assert_eq!(ruth.seat.pings(), 0, "what goes well calls nobody");
    ruth.run("/schedule list").await;
    ruth.run("/schedule show schedule:web-1").await;
    ruth.run("/schedule preview schedule:web-1").await;
    assert!(ruth.sees("stays: the newest"), "{}", ruth.transcript());
    ruth.transcript();
    stage.finish().await;
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_before_anything_is_stored() {
    let stage = Stage::new().await;
    let (ruth, ada) = (stage.seat("ruth", Role::Restorer), stage.seat("ada", Role::Operator));
    for (line, words) in [
        ("what:web-1 every:sometimes", "how often"),
        ("what:web-1 every:5h", "divide a day"),
        ("what:web-1 every:day timezone:Mars", "no time zone"),
        ("what:web-1 every:day keep:nothing", "what `nothing` keeps"),
        ("what:tag:prod every:day", "No Droplet I can see has the tag"),
        ("what:nowhere every:day", "nowhere"),
        ("what:web-1 every:day on:monday", "Leave it out"),
        ("what:web-1 every:cron 0 3 31 2 *", "This never happens"),
        ("what:web-1 every:cron * * * * *", "An hour is the shortest"),
    ] {
        ruth.run(&format!("/schedule add {line}")).await;
        assert!(ruth.sees(words), "{line}\n{}", ruth.transcript());
    }
    ada.run("/schedule add what:web-1 every:day").await;
    assert_eq!(stage.query("SELECT COUNT(*) AS n FROM confirmations").await, 0);
    ruth.transcript();
    ada.transcript();
    stage.finish().await;
}

#[tokio::test]
async fn nobody_gets_a_26th_schedule_by_adding_or_taking_over() {
    const TAKEN_OVER: &str = "SELECT COUNT(*) AS n FROM acts WHERE what LIKE '%over%'";
    let mut stage = Stage::in_step().await;
    let (ruth, rex) = (stage.seat("ruth", Role::Restorer), stage.seat("rex", Role::Restorer));
    ruth.run("/schedule add what:web-1 every:week on:sunday at:03:00").await;
    press(&ruth, "Create").await;
    stage.calm().await;
    stage.stop().await;
    stage.multiply_schedules(24).await;
    stage.start().await;
    rex.run("/schedule add what:db-1 every:week on:sunday at:03:00").await;
    press(&rex, "Create").await;
    stage.calm().await;
    let refused = |person: &Person| person.transcript().matches("nobody may own more").count();
    let before = refused(&ruth);
    ruth.run("/schedule add what:db-1 every:day").await;
    assert_eq!(refused(&ruth), before + 1, "{}", ruth.transcript());
    ruth.run("/schedule take-over schedule:db-1").await;
    assert_eq!(refused(&ruth), before + 2, "{}", ruth.transcript());
    assert_eq!((stage.query("SELECT COUNT(*) AS n FROM schedules").await, stage.query(TAKEN_OVER).await), (26, 0));
    rex.transcript();
    stage.finish().await;
}

#[tokio::test]
async fn a_month_of_nights_with_kills_accounts_for_every_slot_and_prunes_only_its_own() {
    let mut stage = Stage::in_step().await;
    let ruth = stage.seat("ruth", Role::Restorer);
    let web = stage.droplet("web-1");
    stage.digitalocean.world(|world| world.add_snapshot(web, "by hand", 3.0));
    schedules_web_1(&ruth, "3 last").await;
    stage.calm().await;
    for number in 0..30 {
        if number % 7 == 3 {
            // The bot is not running for a night and most of the next day.
            stage.kill().await;
            stage.pass_until(night(stage.clock.now()) + SignedDuration::from_hours(12));
            stage.start().await;
            stage.until_count("the night that nobody saw is accounted for", ACCOUNTED, number + 1).await;
            stage.calm().await;
            continue;
        }
        let held = (number % 5 == 2)
            .then(|| stage.digitalocean.gate().hold(Point::BeforeAnswer, Pattern::action("snapshot"), 0));
        stage.pass_until(night(stage.clock.now()));
        if let Some(held) = held {
            // It dies while a command is under way.
            let held = held.caught().await.unwrap();
            stage.kill().await;
            held.release();
            stage.start().await;
        }
        stage.until_count("the night's slot is known", ACCOUNTED, number + 1).await;
        stage.calm().await;
    }
    assert_eq!((stage.query(ACCOUNTED).await, stage.query(OPEN).await), (30, 0), "{}", stage.conversation());
    // One Snapshot per slot, and only what no rule wants is gone, a day after the announcement.
    let taken = stage.query(RAN).await;
    let commands = stage.commands();
    assert_eq!(commands.iter().filter(|command| *command == "snapshot web-1").count(), usize::try_from(taken).unwrap());
    let names: Vec<String> =
        stage.digitalocean.world(|world| world.snapshots_of(web).iter().map(|image| image.name.clone()).collect());
    assert!(names.iter().any(|name| name == "by hand"), "{names:?}");
    let unique: BTreeSet<&String> = names.iter().collect();
    assert_eq!(unique.len(), names.len());
    let listed = stage.query("SELECT COUNT(*) AS n FROM schedule_snapshots WHERE state = 'listed'").await;
    assert_eq!(i64::try_from(names.len()).unwrap(), listed + 1, "what is there is known");
    assert!((3..=6).contains(&listed), "{listed} of {taken} are left: {names:?}\n{}", ruth.transcript());
    assert!(stage.is_on("web-1"));
    ruth.transcript();
    stage.finish().await;
}

#[tokio::test]
async fn a_busy_droplet_is_waited_for_and_a_failure_calls_the_owner() {
    let stage = Stage::in_step().await;
    let ruth = stage.seat("ruth", Role::Restorer);
    schedules_web_1(&ruth, "7 daily").await;
    stage.calm().await;
    let held = stage.digitalocean.gate().hold(Point::BeforeAnswer, Pattern::action("snapshot"), 0);
    stage.pass_until(night(stage.clock.now()) - SignedDuration::from_secs(30));
    ruth.run("/snapshot take droplet:web-1 power:live").await;
    let held = held.caught().await.unwrap();
    stage.pass_until(night(stage.clock.now()));
    stage.until_query("the slot waits", "SELECT COUNT(*) AS n FROM slots WHERE fate = 'waiting'").await;
    stage.shows(&ruth, "the Droplet is busy").await;
    held.release();
    stage.until_query("its turn has come", RAN).await;
    stage.calm().await;
    stage.fault(Fault::once(Pattern::action("snapshot"), Quirk::Err));
    let pings = ruth.seat.pings();
    stage.pass_until(night(stage.clock.now()));
    stage.until_query("it failed", "SELECT COUNT(*) AS n FROM slots WHERE fate = 'failed'").await;
    stage.calm().await;
    assert!(ruth.sees("`web-1`: no Snapshot at"), "{}", ruth.transcript());
    assert_eq!(ruth.seat.pings(), pings + 1);
    assert!(stage.is_on("web-1"));
    ruth.press("Try again").await;
    press(&ruth, "Take it now").await;
    stage.calm().await;
    ruth.press("Try again").await;
    assert!(ruth.sees("tried again"), "{}", ruth.transcript());
    assert_eq!(stage.query("SELECT COUNT(*) AS n FROM schedule_snapshots WHERE state = 'listed'").await, 2);
    ruth.transcript();
    stage.finish().await;
}

#[tokio::test]
async fn a_pause_leaves_nights_out_and_a_removed_schedule_keeps_its_snapshots() {
    let stage = Stage::in_step().await;
    let ruth = stage.seat("ruth", Role::Restorer);
    schedules_web_1(&ruth, "7 daily").await;
    stage.calm().await;
    stage.pass_until(night(stage.clock.now()));
    stage.until_query("the first night", RAN).await;
    stage.calm().await;
    ruth.run("/schedule pause schedule:web-1 until:3d").await;
    assert!(ruth.sees("Paused: the schedule of"), "{}", ruth.transcript());
    stage.clock.advance(SignedDuration::from_hours(50));
    ruth.run("/schedule resume schedule:web-1").await;
    let left_out = "SELECT COALESCE(CAST(SUM(count) AS BIGINT), 0) AS n FROM slots WHERE fate = 'skipped'";
    assert_eq!(stage.query(left_out).await, 2, "also what a pause leaves out is accounted for");
    stage.pass_until(night(stage.clock.now()));
    stage.until_query("the night after", "SELECT COUNT(*) - 1 AS n FROM slots WHERE fate = 'ran'").await;
    stage.calm().await;
    ruth.run("/schedule remove schedule:web-1").await;
    assert!(ruth.sees("2 Snapshots stay"), "{}", ruth.transcript());
    press(&ruth, "Remove").await;
    stage.calm().await;
    let taken = stage.commands().len();
    stage.clock.advance(SignedDuration::from_hours(24 * 9));
    ruth.run("/schedule list").await;
    assert_eq!(stage.commands().len(), taken, "nothing is taken or deleted any more");
    assert_eq!(stage.query("SELECT COUNT(*) AS n FROM schedule_snapshots").await, 2);
    ruth.transcript();
    stage.finish().await;
}

#[tokio::test]
async fn when_the_owner_leaves_snapshots_go_on_for_a_week_and_somebody_takes_over() {
    let stage = Stage::in_step().await;
    let (ruth, rex) = (stage.seat("ruth", Role::Restorer), stage.seat("rex", Role::Restorer));
    schedules_web_1(&ruth, "7 daily").await;
    stage.calm().await;
    ruth.transcript();
    {
        let user = ruth.seat.id();
        stage.discord.world().leave(stage.guild, user);
    }
    for number in 1..=7 {
        stage.pass_until(night(stage.clock.now()));
        stage.until_count("a night on", RAN, number).await;
        stage.calm().await;
    }
    assert!(rex.sees("has left or lost the right"), "{}", rex.transcript());
    // By moments, the eighth night may still be within the week.
    stage.pass_until(night(stage.clock.now()));
    stage.until_count("the eighth night", ACCOUNTED, 8).await;
    stage.calm().await;
    stage.pass_until(night(stage.clock.now()));
    stage.shows(&rex, "nobody took it over").await;
    stage.calm().await;
    let taken = stage.query(RAN).await;
    assert!((7..=8).contains(&taken), "{taken} were taken");
    press(&rex, "Take over").await;
    stage.calm().await;
    stage.pass_until(night(stage.clock.now()));
    stage.until_count("it goes on", RAN, taken + 1).await;
    stage.calm().await;
    rex.transcript();
    stage.finish().await;
}
