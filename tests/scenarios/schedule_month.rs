//! A month of nightly takes as nights go: the bot is killed, nobody is there, DigitalOcean is away, a Snapshot fails, and somebody restores.
//! After each night every law of schedules is looked at, in what DigitalOcean has and in what is stored.

use jiff::SignedDuration;
use snapshot_bot_sandbox::{
    control::gate::Point,
    digitalocean::fault::{Disturbance, Fault, Pattern, Quirk},
};

use crate::{
    schedules::{RAN, night, schedules_web_1},
    stage::{Role, Stage},
};

const ACCOUNTED: &str = "SELECT COALESCE(CAST(SUM(count) AS BIGINT), 0) AS n FROM slots";
const MISSED: &str = "SELECT COALESCE(CAST(SUM(count) AS BIGINT), 0) AS n FROM slots WHERE fate = 'missed'";
const FAILED: &str = "SELECT COUNT(*) AS n FROM slots WHERE fate = 'failed'";
const NEWEST: &str = "SELECT COALESCE(MAX(snapshot_id), 0) AS n FROM schedule_snapshots WHERE state = 'listed'";
const TAKEN: &str = "SELECT COUNT(*) AS n FROM operations WHERE kind = 'take' AND outcome = 'completed'";
const STALE: &str = "SELECT COUNT(*) AS n FROM schedule_messages WHERE what LIKE '%Stale%'";
const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// What has become of the month so far.
#[derive(Default)]
struct Month {
    ran: i64,
    missed: i64,
    failed: i64,
    /// A Snapshot that is not the schedule's.
    foreign: u64,
    /// What somebody restored, and on which night.
    restored: Option<(u64, i64)>,
}

impl Stage {
    fn has_snapshot(&self, id: u64) -> bool {
        self.digitalocean.read(|world| world.snapshots().any(|image| image.id == id))
    }

    fn deletions(&self) -> usize {
        self.commands().iter().filter(|command| command.starts_with("DELETE")).count()
    }

    /// What holds after each night, whatever it brought.
    async fn the_laws_hold(&self, month: &Month, nights: i64) {
        let said = || self.conversation();
        assert_eq!(self.query(ACCOUNTED).await, nights, "every planned time is accounted for\n{}", said());
        let fates = (self.query(RAN).await, self.query(MISSED).await, self.query(FAILED).await);
        assert_eq!(fates, (month.ran, month.missed, month.failed), "night {nights}\n{}", said());
        assert_eq!(self.query(TAKEN).await, month.ran, "one Snapshot a planned time");
        let web = self.droplet("web-1");
        let ours = self.digitalocean.read(|world| world.snapshots_of(web).len());
        assert!(i64::try_from(ours).unwrap() <= month.ran + 1, "two Snapshots of one night\n{}", said());
        let newest = u64::try_from(self.query(NEWEST).await).unwrap();
        assert!(
            month.ran == 0 || self.has_snapshot(newest),
            "the newest good one is gone after night {nights}\n{}",
            said()
        );
        assert!(self.has_snapshot(month.foreign), "a Snapshot that is not the schedule's is gone");
        if let Some((source, since)) = month.restored.filter(|(_, since)| nights - since < 7) {
            assert!(self.has_snapshot(source), "{} nights after the restore its source is gone", nights - since);
        }
        assert!(self.is_on("web-1"), "it is off after night {nights}\n{}", said());
    }
}

#[tokio::test]
async fn in_a_month_of_kills_freezes_outages_and_a_restore_every_law_holds_each_night() {
    let mut stage = Stage::in_step().await;
    let web = stage.droplet("web-1");
    let foreign = stage.digitalocean.world(|world| world.add_snapshot(web, "golden", 2.0));
    let mut month = Month { foreign, ..Month::default() };
    let ruth = stage.seat("ruth", Role::Restorer);
    schedules_web_1(&ruth, "3 last").await;
    stage.calm().await;
    for number in 0..28_i64 {
        let slot = night(stage.clock.now());
        match number % 7 {
            // It dies when DigitalOcean has the command, before or after that is carried out.
            1 => {
                let point = if number < 14 { Point::BeforeAnswer } else { Point::BeforeExecution };
                let held = stage.digitalocean.gate().hold(point, Pattern::action("snapshot"), 0);
                stage.pass_until(slot);
                let held = held.caught().await.unwrap();
                stage.kill().await;
                held.release();
                stage.start().await;
                month.ran += 1;
                stage.until_count("it ends well after a death", RAN, month.ran).await;
            }
            2 => {
                stage.fault(Fault::always(Pattern::any(), Disturbance::Down).named("down"));
                stage.pass_until(slot);
                stage.until_count("it is under way", ACCOUNTED, number + 1).await;
                stage.pass_until(slot + HOUR * 5);
                month.missed += 1;
                stage.until_count("the window passed in the outage", MISSED, month.missed).await;
                stage.digitalocean.world(|world| world.end_fault("down"));
            }
            // Nobody is there, and the next night fails: it is stale, and nothing is deleted meanwhile.
            4 => {
                stage.pass_until(slot + HOUR * 12);
                month.missed += 1;
                stage.until_count("nobody was there", MISSED, month.missed).await;
            }
            5 => {
                let before = stage.deletions();
                stage.fault(Fault::once(Pattern::action("snapshot"), Quirk::Err));
                stage.pass_until(slot);
                month.failed += 1;
                stage.until_count("it failed", FAILED, month.failed).await;
                stage.calm().await;
                for _ in 0..20 {
                    stage.clock.advance(HOUR);
                    stage.calm().await;
                }
                assert_eq!(stage.deletions(), before, "it is stale on night {number}\n{}", stage.conversation());
            }
            _ => {
                stage.pass_until(slot);
                month.ran += 1;
                stage.until_count("a good night", RAN, month.ran).await;
            }
        }
        stage.calm().await;
        if number == 10 {
            let oldest = "SELECT MIN(snapshot_id) AS n FROM schedule_snapshots WHERE state = 'listed'";
            let source = u64::try_from(stage.query(oldest).await).unwrap();
            ruth.run(&format!("/snapshot restore droplet:web-1 snapshot:{source} safety:no")).await;
            crate::schedules::press(&ruth, "Restore").await;
            stage.settle().await;
            stage.calm().await;
            month.restored = Some((source, number + 1));
        }
        stage.the_laws_hold(&month, number + 1).await;
    }
    assert_eq!(stage.query(STALE).await, 4, "once for each time that it was stale");
    assert!(stage.deletions() > 0, "it did delete what no rule wants\n{}", stage.conversation());
    ruth.transcript();
    stage.finish().await;
}
