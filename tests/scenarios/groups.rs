//! Groups by tag: one after another, never two off at once, whatever dies in between.

use jiff::{SignedDuration, Timestamp};
use snapshot_bot_sandbox::{
    control::gate::Point,
    digitalocean::{
        droplet::{Blueprint, Status},
        fault::{Disturbance as CloudDisturbance, Fault, Pattern, Quirk},
        limits::Limits,
    },
    discord::fault::{Disturbance, Fault as ChatFault, Pattern as ChatPattern},
};

use crate::{
    schedules::{RAN, night, press},
    stage::{Person, Role, Stage},
};

const ENDED: &str = "SELECT COUNT(*) AS n FROM group_runs WHERE ended_at IS NOT NULL";
const OVER: &str = "SELECT COUNT(*) AS n FROM group_members WHERE phase IN ('done', 'lost')";
const TAKES: &str = "SELECT COUNT(*) AS n FROM operations WHERE kind = 'take'";
const GOOD: &str = "SELECT COUNT(*) AS n FROM group_members WHERE phase = 'done' AND is_good = 1";
const UNSAID: &str = "SELECT COUNT(*) AS n FROM group_messages m JOIN group_runs r ON r.id = m.run \
     WHERE m.given_up IS NULL AND (m.message_id IS NULL OR (m.number = 0 AND m.shown_version < r.version))";

impl Stage {
    /// Adds Droplets `w-1` and so on, with the tag `prod`.
    pub fn add_group(&self, count: usize) -> Vec<u64> {
        self.digitalocean.world(|world| {
            let droplets = world.add_droplets(&Blueprint::named("w").tag("prod"), count);
            world.mark_power();
            droplets
        })
    }

    /// When each of these Droplets was off because of a shutdown, according to DigitalOcean.
    fn downtimes(&self, droplets: &[u64]) -> Vec<(Timestamp, Timestamp)> {
        self.digitalocean.read(|world| {
            let of = |droplet: &u64| {
                let (mut spans, mut off) = (Vec::new(), None);
                for action in world.actions_of(*droplet) {
                    match action.kind.as_str() {
                        "shutdown" | "power_off" => off = off.or(Some(action.started_at)),
                        "power_on" => {
                            let back = action.completed_at.unwrap_or(Timestamp::MAX);
                            spans.extend(off.take().map(|off| (off, back)));
                        }
                        _ => {}
                    }
                }
                spans.extend(off.map(|off| (off, Timestamp::MAX)));
                spans
            };
            let mut spans: Vec<_> = droplets.iter().flat_map(of).collect();
            spans.sort_unstable();
            spans
        })
    }

    fn never_two_at_once(&self, droplets: &[u64]) {
        let spans = self.downtimes(droplets);
        for pair in spans.windows(2) {
            assert!(pair[0].1 <= pair[1].0, "two were off at once: {pair:?} of {spans:?}\n{}", self.conversation());
        }
    }

    /// Waits until this many runs have ended and everything was posted. Each member may take as long as a scenario may be silent.
    pub async fn runs_end(&self, count: i64) {
        let mut over = self.query(OVER).await;
        while self.query(ENDED).await < count {
            self.until_async("a member is over", async || {
                self.query(OVER).await > over || self.query(ENDED).await >= count
            })
            .await;
            over = self.query(OVER).await;
        }
        self.calm().await;
        for _ in 0..200 {
            if self.query(UNSAID).await == 0 {
                return;
            }
            self.clock.advance(SignedDuration::from_secs(1));
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        panic!("a group's messages do not come to rest\n{}", self.conversation());
    }
}

async fn schedules_the_group(ruth: &Person, options: &str) {
    ruth.run(&format!("/schedule add what:tag:prod every:day at:03:00 gap:0s {options}")).await;
    press(ruth, "Create").await;
}

#[tokio::test]
async fn twelve_droplets_are_taken_in_turn_and_never_two_are_off_whatever_dies() {
    let mut stage = Stage::in_step().await;
    let droplets = stage.add_group(12);
    let failing = droplets[4];
    stage.digitalocean.world(|world| {
        world.add_droplet(&Blueprint::named("pool-1").tag("prod").tag("k8s"));
        world.mark_power();
        // Twelve takes are over within half a minute here.
        world.settings_mut().limits = Limits::hourly(50_000);
    });
    let ruth = stage.seat("ruth", Role::Restorer);
    ruth.run("/schedule add what:tag:prod every:day at:03:00 gap:0s keep:7 daily").await;
    for words in [
        "12 with the tag `prod`",
        "one after another",
        "`pool-1` (a Kubernetes worker",
        "7 Snapshots of each of the 12 Droplets",
    ] {
        assert!(ruth.sees(words), "{words}\n{}", ruth.transcript());
    }
    press(&ruth, "Create").await;
    stage.calm().await;
    stage.fault(Fault::once(Pattern::action("snapshot").droplet(failing), Quirk::Err));
    stage.pass_until(night(stage.clock.now()));
    // It dies at every kind of step, before DigitalOcean carries it out and before it answers.
    let kinds = ["shutdown", "snapshot", "power_on"];
    for number in 0..12 {
        let point = if number % 2 == 0 { Point::BeforeAnswer } else { Point::BeforeExecution };
        let held = stage.digitalocean.gate().hold(point, Pattern::action(kinds[number % 3]), 0);
        let held = held.caught().await.unwrap();
        stage.kill().await;
        held.release();
        stage.start().await;
    }
    stage.runs_end(1).await;
    stage.never_two_at_once(&droplets);
    assert_eq!(stage.downtimes(&droplets).len(), 12, "each was off once");
    assert_eq!((stage.query(TAKES).await, stage.query(GOOD).await), (12, 11), "{}", stage.conversation());
    assert_eq!(stage.query("SELECT COUNT(*) AS n FROM slots WHERE fate = 'failed'").await, 1, "not all are good");
    assert_eq!(stage.query("SELECT COUNT(*) AS n FROM schedule_snapshots WHERE state = 'listed'").await, 11);
    assert!(ruth.sees("**11 of 12** Droplets with the tag `prod` have a good Snapshot"), "{}", ruth.transcript());
    assert!(ruth.sees("`w-5`: no Snapshot"), "{}", ruth.transcript());
    // The next night begins with the one that has no Snapshot.
    let commands = stage.commands().len();
    stage.pass_until(night(stage.clock.now()));
    stage.runs_end(2).await;
    assert_eq!(stage.commands()[commands], "shutdown w-5");
    stage.never_two_at_once(&droplets);
    assert_eq!(stage.query(RAN).await, 1, "{}", stage.conversation());
    assert!(ruth.sees("**12 of 12** have a good Snapshot."), "{}", ruth.transcript());
    ruth.transcript();
    stage.finish().await;
}

#[tokio::test]
async fn a_member_of_which_another_schedule_has_just_taken_a_snapshot_shares_it() {
    const SHARED: &str = "SELECT COUNT(*) AS n FROM schedule_snapshots s WHERE EXISTS \
         (SELECT 1 FROM schedule_snapshots o WHERE o.operation = s.operation AND o.schedule <> s.schedule)";
    let stage = Stage::in_step().await;
    stage.add_group(3);
    let ruth = stage.seat("ruth", Role::Restorer);
    ruth.run("/schedule add what:w-3 every:day at:03:00 keep:3 last").await;
    press(&ruth, "Create").await;
    schedules_the_group(&ruth, "").await;
    stage.calm().await;
    stage.pass_until(night(stage.clock.now()));
    stage.runs_end(1).await;
    stage.calm().await;
    assert_eq!(stage.query(GOOD).await, 3, "{}", stage.conversation());
    assert_eq!(stage.query(TAKES).await, 3, "one Snapshot serves both\n{}", stage.conversation());
    assert_eq!(stage.query(SHARED).await, 2);
    assert_eq!(stage.query("SELECT COUNT(*) AS n FROM slots WHERE fate IN ('ran', 'shared')").await, 2);
    ruth.transcript();
    stage.finish().await;
}

/// Plays a run of four, of which the second does not come back. `left` are not started then.
async fn without_the_second(options: &str, left: i64) {
    let stage = Stage::in_step().await;
    let droplets = stage.add_group(4);
    let ruth = stage.seat("ruth", Role::Restorer);
    schedules_the_group(&ruth, options).await;
    stage.calm().await;
    stage.fault(Fault::always(Pattern::action("power_on").droplet(droplets[1]), Quirk::Err));
    stage.pass_until(night(stage.clock.now()));
    for _ in 0..2000 {
        if stage.query(ENDED).await > 0 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        stage.clock.advance(SignedDuration::from_secs(2));
    }
    assert_eq!(stage.query(ENDED).await, 1, "{}", stage.conversation());
    assert_eq!(stage.query("SELECT COUNT(*) AS n FROM group_members WHERE phase = 'lost'").await, 1);
    assert_eq!(stage.query("SELECT COUNT(*) AS n FROM group_members WHERE phase = 'left'").await, left);
    assert_eq!(stage.query(TAKES).await, 4 - left, "{}", stage.conversation());
    stage.digitalocean.world(snapshot_bot_sandbox::digitalocean::world::World::clear_faults);
    stage.until_later("it is on again", |stage| stage.is_on("w-2")).await;
    stage.until_later("nothing is owed", |stage| stage.is_on("w-2")).await;
    stage.calm().await;
    assert!(ruth.sees("didn't come back on"), "{}", ruth.transcript());
    assert_eq!(ruth.sees("so I stopped"), left > 0, "{}", ruth.transcript());
    if left > 0 {
        assert!(ruth.sees(&format!("{left} weren't started")), "{}", ruth.transcript());
        stage.never_two_at_once(&droplets);
    }
    ruth.transcript();
    stage.finish().await;
}

#[tokio::test]
async fn a_group_stops_when_a_member_does_not_come_back() {
    without_the_second("", 2).await;
}

#[tokio::test]
async fn a_group_goes_on_without_a_member_that_does_not_come_back_if_a_person_says_so() {
    without_the_second("stop-after-failures:2", 0).await;
}

#[tokio::test]
async fn a_group_waits_for_a_member_that_an_outage_keeps_off() {
    let stage = Stage::in_step().await;
    let droplets = stage.add_group(3);
    let ruth = stage.seat("ruth", Role::Restorer);
    schedules_the_group(&ruth, "").await;
    stage.calm().await;
    stage.fault(Fault::always(Pattern::action("power_on"), CloudDisturbance::Down).named("down"));
    stage.pass_until(night(stage.clock.now()));
    stage.until("the first is to come back", |stage| stage.commands().contains(&"power_on w-1".to_owned())).await;
    stage.fault(Fault::always(Pattern::any(), CloudDisturbance::Down).named("down"));
    for _ in 0..2000 {
        if ruth.sees("is off") {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        stage.clock.advance(SignedDuration::from_secs(2));
    }
    assert!(ruth.sees("is off"), "people are called\n{}", ruth.transcript());
    assert_eq!(stage.query(ENDED).await, 0, "the window is open for hours");
    stage.digitalocean.world(|world| world.end_fault("down"));
    stage.runs_end(1).await;
    assert_eq!((stage.query(TAKES).await, stage.query(GOOD).await), (3, 3), "{}", stage.conversation());
    stage.never_two_at_once(&droplets);
    ruth.transcript();
    stage.finish().await;
}

#[tokio::test]
async fn a_group_that_makes_no_sense_is_refused_before_anything_is_stored() {
    let stage = Stage::new().await;
    let ruth = stage.seat("ruth", Role::Restorer);
    stage.add_group(2);
    stage.digitalocean.world(|world| {
        world.add_droplets(&Blueprint::named("many").tag("crowd"), 300);
        world.add_droplets(&Blueprint::named("full").tag("long"), 60);
        world.add_droplet(&Blueprint::named("worker").tag("k8s").tag("pool"));
        world.mark_power();
    });
    for (line, words) in [
        ("/schedule add what:tag:nobody every:day", "No Droplet I can see has the tag `nobody`"),
        ("/schedule add what:tag:pool every:day", "I leave out every Droplet with the tag `pool`"),
        ("/schedule add what:tag:crowd every:day", "300 Droplets have the tag `crowd`, and a group has at most 100"),
        ("/schedule add what:tag:long every:day gap:0s", "`at-once: 2` fits"),
        ("/schedule add what:tag:long every:day gap:0s at-once:2 warn:15m", "`at-once: 5` fits"),
        ("/schedule add what:tag:prod every:day at-once:50", "I can't take 50 Droplets at once"),
        ("/schedule add what:tag:prod every:day gap:9h", "isn't a pause"),
        ("/schedule add what:tag:prod every:day check:ping", "I don't know how to check `ping`"),
        ("/schedule add what:web-1 every:day at-once:2", "are for several Droplets"),
        ("/snapshot take-group tag:nobody", "No Droplet I can see has the tag `nobody`"),
    ] {
        ruth.run(line).await;
        assert!(ruth.sees(words), "{line}\n{}", ruth.transcript());
    }
    assert_eq!(stage.query("SELECT COUNT(*) AS n FROM confirmations").await, 0);
    // The first keystroke may come before the list of Droplets was read.
    stage
        .until_async("tags are offered", async || !ruth.suggestions("schedule add", "what", "tag:p").await.is_empty())
        .await;
    let offered = ruth.suggestions("schedule add", "what", "tag:p").await;
    assert_eq!(offered, ["2 Droplets · tag:prod", "1 Droplet · tag:pool"]);
    ruth.seat.slash("schedule add").with("what", offered[0].clone()).with("every", "day").send().await.unwrap();
    assert!(ruth.sees("**Droplets:** 2 with the tag `prod`"), "{}", ruth.transcript());
    ruth.transcript();
    stage.finish().await;
}

#[tokio::test]
async fn a_person_takes_a_group_by_hand_and_another_is_stopped() {
    let mut stage = Stage::in_step().await;
    let droplets = stage.add_group(3);
    let (ada, rex) = (stage.seat("ada", Role::Operator), stage.seat("rex", Role::Viewer));
    rex.run("/snapshot take-group tag:prod gap:0s").await;
    assert_eq!(stage.query("SELECT COUNT(*) AS n FROM confirmations").await, 0, "that takes the right to take");
    ada.run("/snapshot take-group tag:prod gap:30s").await;
    assert!(ada.sees("`w-1`, `w-2`, `w-3`"), "{}", ada.transcript());
    assert!(ada.sees("30 s apart"), "{}", ada.transcript());
    assert_eq!(stage.commands(), [""; 0], "nothing is done before it is confirmed");
    press(&ada, "Take them").await;
    let held = stage.digitalocean.gate().hold(Point::BeforeAnswer, Pattern::action("snapshot"), 1);
    let caught = async {
        loop {
            stage.clock.advance(SignedDuration::from_secs(1));
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
    };
    let held = tokio::select! { held = held.caught() => held.unwrap(), () = caught => unreachable!() };
    stage.shows(&ada, "**1 of 3** has a good Snapshot so far").await;
    stage.kill().await;
    held.release();
    stage.start().await;
    ada.press("Stop after this one").await;
    stage.runs_end(1).await;
    stage.never_two_at_once(&droplets);
    assert_eq!((stage.query(TAKES).await, stage.query(GOOD).await), (2, 2));
    assert!(ada.sees("**2 of 3** Droplets with the tag `prod`"), "{}", ada.transcript());
    assert_eq!(stage.query("SELECT COUNT(*) AS n FROM schedule_snapshots").await, 0, "they are of no schedule");
    ada.run("/snapshot take-group tag:prod at-once:3 gap:0s").await;
    press(&ada, "Take them").await;
    stage.runs_end(2).await;
    assert!(ada.sees("All 3 Droplets with the tag `prod` have a good Snapshot"), "{}", ada.transcript());
    assert!(
        droplets.iter().all(|id| stage.digitalocean.read(|world| world.droplet(*id).unwrap().status == Status::Active))
    );
    ada.transcript();
    rex.transcript();
    stage.finish().await;
}

#[tokio::test]
async fn a_group_that_lost_its_members_fails_and_who_left_keeps_its_snapshots() {
    let stage = Stage::in_step().await;
    let droplets = stage.add_group(2);
    let ruth = stage.seat("ruth", Role::Restorer);
    schedules_the_group(&ruth, "power:live keep:1 last").await;
    stage.calm().await;
    for number in 1..=2 {
        stage.pass_until(night(stage.clock.now()));
        stage.runs_end(number).await;
        stage.digitalocean.world(|world| world.set_tags(droplets[0], &[]));
    }
    // The first one left after the first night: its only Snapshot stays, and no deletion is announced.
    assert_eq!(stage.query("SELECT COUNT(*) AS n FROM schedule_snapshots WHERE state = 'listed'").await, 3);
    assert_eq!(stage.query("SELECT COUNT(*) AS n FROM schedule_snapshots WHERE announced_at IS NOT NULL").await, 1);
    stage.digitalocean.world(|world| world.set_tags(droplets[1], &[]));
    stage.pass_until(night(stage.clock.now()));
    stage.runs_end(3).await;
    assert!(ruth.sees("No Droplet I can see has the tag `prod`, so no Snapshot was taken"), "{}", ruth.transcript());
    assert_eq!(stage.query("SELECT COUNT(*) AS n FROM slots WHERE fate = 'failed' AND why = 'nobody'").await, 1);
    ruth.transcript();
    stage.finish().await;
}

#[tokio::test]
async fn a_group_taken_by_hand_is_announced_as_its_person_chose() {
    let mut stage = Stage::in_step().await;
    stage.add_group(2);
    let ada = stage.seat("ada", Role::Operator);
    ada.run("/snapshot take-group tag:prod at-once:2 gap:0s power:live tell:silent").await;
    press(&ada, "Take them").await;
    stage.runs_end(1).await;
    assert!(ada.sees("Both Droplets with the tag `prod` have a good Snapshot"), "{}", ada.transcript());
    assert_eq!(ada.seat.pings(), 0, "{}", ada.transcript());
    let channel = stage.discord.world().direct_channel(ada.seat.user);
    let directly = stage.sit(ada.seat.user, channel);
    ada.run("/snapshot take-group tag:prod at-once:2 gap:0s power:live tell:dm").await;
    press(&ada, "Take them").await;
    stage.runs_end(2).await;
    assert_eq!(ada.seat.pings(), 0, "{}", ada.transcript());
    assert!(directly.sees("Done: "), "{}", directly.transcript());
    let content = directly.seat.messages()[0].body.content.clone();
    assert!(!content.contains("prod") && !content.contains("w-1"), "{content}");
    // Once, whatever happens to the process.
    stage.kill().await;
    stage.start().await;
    stage.calm().await;
    assert_eq!(directly.seat.messages().len(), 1, "{}", directly.transcript());
    // A person who accepts no direct messages is mentioned in the channel.
    stage.discord.world().close_dms(ada.seat.user, true);
    ada.run("/snapshot take-group tag:prod at-once:2 gap:0s power:live tell:dm").await;
    press(&ada, "Take them").await;
    stage.runs_end(3).await;
    assert!(ada.sees("You don't take direct messages from me"), "{}", ada.transcript());
    assert_eq!(ada.seat.pings(), 1, "{}", ada.transcript());
    // A failure is never silent.
    stage.fault(Fault::always(Pattern::action("snapshot"), Quirk::Err));
    ada.run("/snapshot take-group tag:prod at-once:2 gap:0s power:live tell:silent").await;
    press(&ada, "Take them").await;
    stage.runs_end(4).await;
    assert_eq!(ada.seat.pings(), 2, "{}", ada.transcript());
    ada.transcript();
    directly.transcript();
    stage.finish().await;
}

#[tokio::test]
async fn a_group_that_failed_by_hand_is_tried_again_once_for_those_that_have_no_snapshot() {
    let mut stage = Stage::in_step().await;
    let droplets = stage.add_group(3);
    let (ada, ben) = (stage.seat("ada", Role::Operator), stage.seat("ben", Role::Operator));
    ada.run("/snapshot take-group tag:prod at-once:3 gap:0s power:live").await;
    stage.fault(Fault::once(Pattern::action("snapshot").droplet(droplets[1]), Quirk::Err));
    press(&ada, "Take them").await;
    stage.runs_end(1).await;
    assert!(ada.sees("`w-2`: no Snapshot, DigitalOcean reported an error · details:"), "{}", ada.transcript());
    stage.kill().await;
    stage.start().await;
    for person in [&ada, &ben] {
        person.press("Try again").await;
        assert!(person.sees("**Droplets:** 1 with the tag `prod`"), "{}", person.transcript());
    }
    press(&ben, "Take them").await;
    stage.runs_end(2).await;
    assert!(ben.sees("✅ The Droplet with the tag `prod` has a good Snapshot."), "{}", ben.transcript());
    // Her question is still open, and the button is still there: both lead to the run that began.
    press(&ada, "Take them").await;
    assert!(ada.last().starts_with("Somebody has tried again already"), "{}", ada.transcript());
    ada.press("Try again").await;
    assert!(ada.last().starts_with("Somebody has tried again already"), "{}", ada.transcript());
    assert_eq!(stage.query(TAKES).await, 4, "{}", stage.conversation());
    ada.transcript();
    ben.transcript();
    stage.finish().await;
}

#[tokio::test]
async fn a_group_that_failed_yesterday_is_not_tried_again_by_a_press() {
    let stage = Stage::in_step().await;
    stage.add_group(2);
    let ada = stage.seat("ada", Role::Operator);
    ada.run("/snapshot take-group tag:prod at-once:2 gap:0s power:live").await;
    stage.fault(Fault::once(Pattern::action("snapshot"), Quirk::Err));
    press(&ada, "Take them").await;
    stage.runs_end(1).await;
    stage.clock.advance(SignedDuration::from_hours(23));
    ada.press("Try again").await;
    assert!(ada.sees("**Droplets:** 1 with the tag `prod`"), "{}", ada.transcript());
    stage.clock.advance(SignedDuration::from_hours(2));
    ada.press("Try again").await;
    assert!(ada.last().starts_with("That was more than a day ago"), "{}", ada.last());
    // The question from before is closed as well.
    press(&ada, "Take them").await;
    assert_eq!(stage.query(TAKES).await, 2, "{}", stage.conversation());
    ada.transcript();
    stage.finish().await;
}

#[tokio::test]
async fn what_a_press_began_is_withdrawn_where_discord_gave_it_up() {
    let mut stage = Stage::new().await;
    stage.excused.push("was not acknowledged in time");
    stage.add_group(2);
    let ruth = stage.seat("ruth", Role::Restorer);
    let gives_up = async |beginning: &str| {
        let messages = ruth.seat.messages();
        let shown = messages.iter().rev().flat_map(|message| message.components().map(|button| (message.id, button)));
        let is_it = |(_, button): &(_, &serde_json::Value)| {
            button["label"].as_str().is_some_and(|label| label.starts_with(beginning))
        };
        let (message, button) = shown.into_iter().find(is_it).expect("a question");
        let custom_id = button["custom_id"].as_str().expect("an id");
        let over = Disturbance::Refuse { status: 404, code: 10062, message: "Unknown interaction".to_owned() };
        stage.discord.world().add_fault(ChatFault::always(ChatPattern::response_to(custom_id), over));
        assert!(ruth.seat.press(message, custom_id).await.is_err(), "{beginning}");
        stage.discord.world().clear_faults();
    };
    let removed = "SELECT COUNT(*) AS n FROM schedules WHERE state LIKE '%Removed%'";
    ruth.run("/schedule add what:tag:prod every:day at:03:00 gap:0s keep:7 daily").await;
    gives_up("Create").await;
    stage.until_query("the schedule is removed", removed).await;
    ruth.run("/snapshot take-group tag:prod gap:0s").await;
    gives_up("Take them").await;
    stage.runs_end(1).await;
    schedules_the_group(&ruth, "").await;
    ruth.run("/schedule run schedule:tag:prod").await;
    gives_up("Take").await;
    stage.runs_end(2).await;
    let rex = stage.seat("rex", Role::Restorer);
    let noted = stage.query("SELECT COUNT(*) AS n FROM acts").await;
    for command in ["schedule take-over", "schedule pause", "schedule resume"] {
        let over = Disturbance::Refuse { status: 404, code: 10062, message: "Unknown interaction".to_owned() };
        stage.discord.world().add_fault(ChatFault::always(ChatPattern::response_to(command), over));
        assert!(rex.try_run(&format!("/{command} schedule:tag:prod")).await.is_err(), "{command}");
    }
    stage.discord.world().clear_faults();
    ruth.run("/schedule remove schedule:tag:prod").await;
    gives_up("Remove").await;
    assert_eq!(stage.query("SELECT COUNT(*) AS n FROM acts").await, noted, "nothing was changed");
    rex.transcript();
    assert_eq!(stage.query(TAKES).await, 0);
    assert_eq!(stage.query(removed).await, 1);
    assert_eq!(stage.commands(), [""; 0]);
    // A person who asks again gets an answer.
    ruth.run("/snapshot take-group tag:prod gap:0s").await;
    press(&ruth, "Take them").await;
    stage.runs_end(3).await;
    assert_eq!(stage.query(TAKES).await, 2);
    ruth.transcript();
    stage.finish().await;
}
