//! A month of nightly takes as nights go: the bot is killed, is not running, DigitalOcean fails, a shutdown hangs, a Snapshot fails, and a
//! person restores. Another Droplet has a weekly schedule on the other side of the world, and both clocks change in that month. After each
//! night, every law of schedules is checked against DigitalOcean and the database.

use jiff::{SignedDuration, Timestamp, ToSpan, Unit, civil, civil::Weekday, tz::TimeZone};
use snapshot_bot_sandbox::{
    control::gate::Point,
    digitalocean::{
        action::ActionKind,
        fault::{Disturbance, Fault, HungAction, Pattern, Quirk},
    },
};

use crate::{
    required,
    schedules::{RAN, press},
    stage::{Person, Role, Stage},
};

const ACCOUNTED: &str = "SELECT COALESCE(CAST(SUM(count) AS BIGINT), 0) AS n FROM slots";
const MISSED: &str = "SELECT COALESCE(CAST(SUM(count) AS BIGINT), 0) AS n FROM slots WHERE fate = 'missed'";
const FAILED: &str = "SELECT COUNT(*) AS n FROM slots WHERE fate = 'failed'";
const NEWEST: &str =
    "SELECT COALESCE(MAX(snapshot_id), 0) AS n FROM schedule_snapshots WHERE state = 'listed' AND name LIKE 'web-1-%'";
const NEWEST_CONSISTENT: &str = "SELECT COALESCE(MAX(snapshot_id), 0) AS n FROM schedule_snapshots \
     WHERE state = 'listed' AND name LIKE 'web-1-%' AND is_consistent = 1";
const TAKEN: &str = "SELECT COUNT(*) AS n FROM operations WHERE kind = 'take' AND outcome = 'completed'";
const STALE: &str = "SELECT COUNT(*) AS n FROM schedule_messages WHERE what LIKE '%Stale%'";
const HOUR: SignedDuration = SignedDuration::from_hours(1);
const SECOND: SignedDuration = SignedDuration::from_secs(1);

/// The events of the month so far.
#[derive(Default)]
struct Month {
    /// The planned times: nights of `web-1` and weeks of `db-1`.
    planned: i64,
    ran: i64,
    missed: i64,
    failed: i64,
    /// Planned times without a Snapshot.
    troubles: Vec<Timestamp>,
    /// Nights after which the newest good Snapshot was taken live, so it is not the newest consistent one.
    differed: usize,
    /// How often people were asked whether many may be deleted at once.
    asked: usize,
    /// The newest good Snapshot of `web-1`, and the newest that was taken with it off.
    newest: [u64; 2],
    /// A Snapshot that does not belong to the schedule.
    foreign: u64,
    /// The Snapshot that a person restored, and in which night.
    restored: Option<(u64, i64)>,
}

/// The moment of 02:30 in Berlin; 03:00 in the night in which the clock skips that.
fn night_in_berlin(day: civil::Date) -> Timestamp {
    let change = civil::date(day.year(), 3, 1).nth_weekday_of_month(-1, Weekday::Sunday).unwrap();
    let (hour, minute) = match day.cmp(&change) {
        std::cmp::Ordering::Less => (1, 30),
        std::cmp::Ordering::Equal => (1, 0),
        std::cmp::Ordering::Greater => (0, 30),
    };
    at(day, hour, minute)
}

/// The moment of 01:45 on the Sunday after this day on Lord Howe Island; the first one in the night that shows it twice, half an hour
/// apart.
fn sunday_on_lord_howe(saturday: civil::Date) -> Timestamp {
    let change = civil::date(saturday.year(), 4, 1).nth_weekday_of_month(1, Weekday::Sunday).unwrap();
    let sunday = saturday.tomorrow().unwrap();
    if sunday <= change { at(saturday, 14, 45) } else { at(saturday, 15, 15) }
}

fn at(day: civil::Date, hour: i8, minute: i8) -> Timestamp {
    day.at(hour, minute, 0, 0).to_zoned(TimeZone::UTC).unwrap().timestamp()
}

impl Stage {
    fn has_snapshot(&self, id: u64) -> bool {
        self.digitalocean.read(|world| world.snapshots().any(|image| image.id == id))
    }

    fn deletions(&self) -> usize {
        self.commands().iter().filter(|command| command.starts_with("DELETE")).count()
    }

    /// The minute in which a Droplet was last sent a shutdown.
    fn last_shutdown(&self, droplet: &str) -> Timestamp {
        let id = self.droplet(droplet);
        let begun = self.digitalocean.read(|world| {
            let mut actions = world.actions_of(id).into_iter();
            actions.rfind(|action| action.kind == ActionKind::Shutdown).map(|action| action.started_at)
        });
        begun
            .expect("a shutdown")
            .round(jiff::TimestampRound::new().smallest(Unit::Minute).mode(jiff::RoundMode::Trunc))
            .unwrap()
    }

    /// Waits until this many have run, while deadlines pass.
    async fn until_ran(&self, what: &str, least: i64) {
        self.until_async(what, async || {
            let has_run = self.query(RAN).await >= least;
            if !has_run {
                self.clock.advance(SECOND);
            }
            has_run
        })
        .await;
    }

    /// Checks what holds after each night, whatever happened in it.
    async fn the_laws_hold(&self, month: &mut Month, night: i64) {
        let said = || self.conversation();
        assert_eq!(self.query(ACCOUNTED).await, month.planned, "every planned time is accounted for\n{}", said());
        let states = (self.query(RAN).await, self.query(MISSED).await, self.query(FAILED).await);
        assert_eq!(states, (month.ran, month.missed, month.failed), "night {night}\n{}", said());
        assert_eq!(self.query(TAKEN).await, month.ran, "one Snapshot a planned time");
        let web = self.droplet("web-1");
        let ours = self.digitalocean.read(|world| world.snapshots_of(web).len());
        assert!(i64::try_from(ours).unwrap() <= month.ran + 1, "two Snapshots of one night\n{}", said());
        let newest = u64::try_from(self.query(NEWEST).await).unwrap();
        let consistent = u64::try_from(self.query(NEWEST_CONSISTENT).await).unwrap();
        assert!(self.has_snapshot(newest), "the newest good one is gone after night {night}\n{}", said());
        assert!(self.has_snapshot(consistent), "the newest consistent one is gone after night {night}\n{}", said());
        month.differed += usize::from(newest != consistent);
        month.newest = [newest, consistent];
        assert!(self.has_snapshot(month.foreign), "a Snapshot that is not the schedule's is gone");
        if let Some((source, since)) = month.restored.filter(|(_, since)| night - since < 7) {
            assert!(self.has_snapshot(source), "{} nights after the restore its source is gone", night - since);
        }
        for droplet in ["web-1", "db-1"] {
            assert!(self.is_on(droplet), "{droplet} is off after night {night}\n{}", said());
        }
    }

    /// Each cause pinged the owner once, in a message with its time. Nothing else pinged, except what the owner requested.
    fn each_cause_pinged_once(&self, owner: &Person, troubles: &[Timestamp], others: usize) {
        let pinged: Vec<String> = {
            let world = self.discord.world();
            let pings = world.pings().iter().filter(|ping| ping.user == owner.seat.id());
            pings.filter_map(|ping| world.message(ping.message)).map(|message| message.body.content.clone()).collect()
        };
        for at in troubles {
            let moment = format!("<t:{}:", at.as_second());
            let told = pinged.iter().filter(|said| said.contains(&moment)).count();
            assert_eq!(told, 1, "{at} was told {told} times\n{pinged:#?}");
        }
        assert_eq!(pinged.len(), troubles.len() + others, "{pinged:#?}");
    }
}

/// A stage whose month is the one in which Berlin's clock skips an hour and Lord Howe's shows half an hour twice.
async fn stage_in_march() -> Stage {
    let stage = Stage::dark_in_step().await;
    let now = stage.clock.now().to_zoned(TimeZone::UTC).date();
    let this_year = civil::date(now.year(), 3, 13);
    let start = if now < this_year { this_year } else { this_year.checked_add(1.year()).unwrap() };
    stage.pass_until(at(start, 18, 0));
    stage
}

/// Plays this many nights.
async fn nights_pass(mut stage: Stage, nights: i64) {
    stage.start().await;
    // A Droplet may go off late by a hung shutdown, and is watched for that.
    stage.watches_late_shutdowns = true;
    let web = stage.droplet("web-1");
    let foreign = stage.digitalocean.world(|world| world.add_snapshot(web, "golden", 2.0));
    let mut month = Month { foreign, ..Month::default() };
    let ruth = stage.seat("ruth", Role::Restorer);
    for line in [
        "/schedule add what:web-1 every:day at:02:30 timezone:Europe/Berlin keep:1 last",
        "/schedule add what:db-1 every:week on:sunday at:01:45 timezone:Australia/Lord_Howe keep:2 last",
    ] {
        ruth.run(line).await;
        press(&ruth, "Create").await;
    }
    stage.calm().await;
    let first = stage.clock.now().to_zoned(TimeZone::UTC).date().tomorrow().unwrap();
    for number in 0..nights {
        let day = first.checked_add(number.days()).unwrap();
        let slot = night_in_berlin(day);
        stage.pass_until(slot - SECOND * 300);
        stage.calm().await;
        assert_eq!(stage.query(ACCOUNTED).await, month.planned, "not before its time\n{}", stage.conversation());
        for newest in month.newest.into_iter().filter(|_| number > 0) {
            assert!(stage.has_snapshot(newest), "gone on the day before night {number}\n{}", stage.conversation());
        }
        month.planned += 1;
        night(&mut stage, &mut month, number, slot).await;
        stage.calm().await;
        if number == 10 {
            restore_the_oldest(&stage, &ruth, &mut month, number).await;
        }
        if ruth.button("Delete them").is_some() {
            month.asked += 1;
            ruth.press("Delete them").await;
            stage.calm().await;
        }
        if day.weekday() == Weekday::Saturday {
            let slot = sunday_on_lord_howe(day);
            stage.pass_until(slot + SECOND);
            month.planned += 1;
            month.ran += 1;
            stage.until_count("the week's Snapshot of db-1", RAN, month.ran).await;
            stage.calm().await;
            assert_eq!(stage.last_shutdown("db-1"), slot, "to the minute");
        }
        stage.the_laws_hold(&mut month, number + 1).await;
    }
    let mornings = stage.query(STALE).await;
    assert_eq!(mornings, nights / 7, "once for each time that it was stale");
    let others = usize::try_from(mornings).unwrap() + usize::from(month.restored.is_some()) + month.asked;
    stage.each_cause_pinged_once(&ruth, &month.troubles, others);
    assert!(
        month.differed >= usize::try_from(nights / 7).unwrap(),
        "some nights the newest was taken while the Droplet ran: {}",
        month.differed
    );
    assert!(stage.deletions() > 0, "it did delete what no rule wants\n{}", stage.conversation());
    ruth.transcript();
    stage.finish().await;
}

/// The events of a night and of the following day, the same each week.
async fn night(stage: &mut Stage, month: &mut Month, number: i64, slot: Timestamp) {
    match number % 7 {
        // The bot dies when DigitalOcean has the command, before or after it is carried out.
        1 => {
            let point = if number < 14 { Point::BeforeAnswer } else { Point::BeforeExecution };
            let held = stage.digitalocean.gate().hold(point, Pattern::action("snapshot"), 0);
            stage.pass_until(slot + SECOND);
            let held = held.caught().await.unwrap();
            stage.kill().await;
            stage.end_lease().await;
            held.release();
            stage.start().await;
            month.ran += 1;
            stage.until_count("it ends well after a death", RAN, month.ran).await;
        }
        2 => {
            stage.fault(Fault::always(Pattern::any(), Disturbance::Down).named("down"));
            stage.pass_until(slot + SECOND);
            stage.until_count("it is under way", ACCOUNTED, month.planned).await;
            stage.pass_until(slot + HOUR * 5);
            month.missed += 1;
            month.troubles.push(slot);
            stage.until_count("the window passed in the outage", MISSED, month.missed).await;
            stage.digitalocean.world(|world| world.end_fault("down"));
        }
        // The bot is not running, and the next night fails: the schedule is stale, and nothing is deleted meanwhile.
        4 => {
            stage.pass_until(slot + HOUR * 12);
            month.missed += 1;
            month.troubles.push(slot);
            stage.until_count("nobody was there", MISSED, month.missed).await;
        }
        5 => {
            stage.fault(Fault::once(Pattern::action("snapshot"), Quirk::Err));
            stage.pass_until(slot + SECOND);
            month.failed += 1;
            month.troubles.push(slot);
            stage.until_count("it failed", FAILED, month.failed).await;
            stage.calm().await;
            let before = stage.deletions();
            for _ in 0..12 {
                stage.clock.advance(HOUR);
                stage.calm().await;
            }
            assert_eq!(stage.deletions(), before, "it is stale on night {number}\n{}", stage.conversation());
        }
        // The shutdown hangs in two nights in a row, and the Snapshot is taken live; in the second night, the one before might delete.
        6 | 0 if number > 0 => {
            let hang = Quirk::ShutdownHangs { action: HungAction::Completes, off_after: None };
            stage.fault(Fault::once(Pattern::action("shutdown"), hang));
            stage.pass_until(slot + SECOND);
            month.ran += 1;
            stage.until_ran("a Snapshot while it runs", month.ran).await;
            stage.calm().await;
            stage.clock.advance(HOUR / 3);
        }
        _ => {
            stage.pass_until(slot + SECOND);
            month.ran += 1;
            stage.until_count("a good night", RAN, month.ran).await;
            assert_eq!(stage.last_shutdown("web-1"), slot, "to the minute");
        }
    }
}

async fn restore_the_oldest(stage: &Stage, ruth: &Person, month: &mut Month, number: i64) {
    let oldest = "SELECT MIN(snapshot_id) AS n FROM schedule_snapshots WHERE state = 'listed' AND name LIKE 'web-1-%'";
    let source = u64::try_from(stage.query(oldest).await).unwrap();
    ruth.run(&format!("/snapshot restore droplet:web-1 snapshot:{source} safety:no")).await;
    press(ruth, "Restore").await;
    stage.settle().await;
    stage.calm().await;
    month.restored = Some((source, number + 1));
}

#[tokio::test]
async fn in_a_month_of_kills_freezes_outages_and_a_restore_every_law_holds_each_night() {
    nights_pass(stage_in_march().await, 28).await;
}

#[tokio::test]
async fn so_it_is_for_a_week_on_postgresql() {
    let Some(server) = required::variable("TEST_DATABASE_URL", "a PostgreSQL server") else { return };
    let mut stage = stage_in_march().await;
    stage.move_to_postgresql(&server).await;
    nights_pass(stage, 7).await;
}
