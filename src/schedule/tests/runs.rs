//! Groups: parsing, exclusion, duration, and the laws of a run.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use strum::IntoEnumIterator;

use super::{at, rule};
use crate::{
    operation::{
        announce::Tell,
        ids::{ChannelId, DropletId, GuildId, RunId, ScheduleId, UserId},
        warning::Warn,
    },
    schedule::{
        IfHung, Power,
        group::{BadGroup, Check, Excluded, Group, turn},
        rule_edit::Changed,
        run::{Around, Lost, Member, Next, Phase, Plan, Run, Stopped},
        slot::{Failed, SlotState},
    },
};

fn group(at_once: i64, gap: &str) -> Group {
    Group::read("prod", Some(at_once), Some(gap), None).unwrap()
}

fn start() -> Timestamp {
    at("2026-11-26T03:00:00Z")
}

fn run(members: u64, group: Group) -> Run {
    let member =
        |id| Member { droplet: DropletId(id), name: format!("web-{id}"), phase: Phase::Waiting, operation: None };
    Run {
        plan: Plan {
            tell: Tell::default(),
            warn: None,
            id: RunId::from_random(1),
            schedule: Some(ScheduleId::from_random(1)),
            slot: Some(start()),
            planned: start(),
            until: start() + SignedDuration::from_hours(4),
            group,
            power: Power::Off,
            if_hung: IfHung::Live,
            owner: UserId(1),
            guild: GuildId(2),
            channel: ChannelId(3),
        },
        members: (1..=members).map(member).collect(),
        stopped_by: None,
        ended_at: None,
        version: 1,
    }
}

fn next(run: &Run, now: Timestamp) -> Next {
    run.next(Around { busy: &BTreeSet::new(), is_wanted: true }, now)
}

#[test]
fn only_a_good_end_or_one_that_a_person_wanted_is_told_as_was_chosen() {
    let of = |phases: &[Phase], stopped_by: Option<u64>| {
        let mut run = run(u64::try_from(phases.len()).unwrap(), group(1, "0s"));
        run.plan.tell = Tell::Silent;
        run.stopped_by = stopped_by.map(UserId);
        for (member, phase) in run.members.iter_mut().zip(phases) {
            member.phase = *phase;
        }
        run.announced()
    };
    let done = |is_good| Phase::Done { is_good, at: start() };
    let lost = Phase::Lost { is_good: true, why: Lost::NotActive };
    assert_eq!(of(&[done(true), done(true)], None), Tell::Silent);
    assert_eq!(of(&[done(true), Phase::Waiting], Some(9)), Tell::Silent);
    assert_eq!(of(&[done(true), done(false)], None), Tell::Ping);
    assert_eq!(of(&[done(false), Phase::Waiting], Some(9)), Tell::Ping);
    assert_eq!(of(&[lost, Phase::Waiting], Some(9)), Tell::Ping);
    // It was too late for the second.
    assert_eq!(of(&[done(true), Phase::Waiting], None), Tell::Ping);
    assert_eq!(of(&[], None), Tell::Ping);
}

#[test]
fn what_a_person_types_about_a_group_is_read_or_refused() {
    assert_eq!(Group::tag_in(" Tag:prod "), Some("prod"));
    assert_eq!(Group::tag_in("web-1"), None);
    assert_eq!(Group::tag_in("ü"), None);
    let read = Group::read("env:prod", Some(3), Some("2m"), Some("http:8080/health?x=1")).unwrap();
    assert_eq!((read.at_once, read.gap, read.label()), (3, 120, "tag:env:prod".to_owned()));
    assert_eq!(read.check.unwrap().to_string(), "http:8080/health?x=1");
    assert_eq!(Check::read("tcp:25565"), Ok(Check::Tcp { port: 25565 }));
    assert_eq!(Check::read("http:80"), Ok(Check::Http { port: 80, path: "/".to_owned() }));
    for bad in ["tcp:0", "tcp:70000", "udp:53", "http:80/a b", "80", ""] {
        assert!(matches!(Check::read(bad), Err(BadGroup::Check { .. })), "{bad}");
    }
    assert!(matches!(Group::read("", None, None, None), Err(BadGroup::Tag { .. })));
    assert!(matches!(Group::read("a b", None, None, None), Err(BadGroup::Tag { .. })));
    for bad in [0, -1, 21] {
        assert_eq!(Group::read("prod", Some(bad), None, None), Err(BadGroup::AtOnce { typed: bad.to_string() }));
    }
    for bad in ["2h", "x", "5d", "99999999999"] {
        assert!(matches!(Group::read("prod", None, Some(bad), None), Err(BadGroup::Gap { .. })), "{bad}");
    }
}

#[test]
fn what_replaces_a_droplet_that_is_off_is_never_a_member() {
    let tagged = |tag: &str| Excluded::by_tags(&["prod".to_owned(), tag.to_owned()]);
    for tag in ["k8s", "k8s-worker", "k8s:0d3db13e", "K8S"] {
        assert_eq!(tagged(tag), Some(Excluded::Kubernetes), "{tag}");
    }
    assert_eq!(tagged("autoscale"), Some(Excluded::Autoscale));
    assert_eq!(tagged("k8sish"), None);
    let words: BTreeSet<&str> = Excluded::iter().map(Excluded::word).collect();
    assert_eq!(words.len(), Excluded::iter().count());
}

#[test]
fn a_group_says_how_long_it_takes_and_what_would_fit() {
    let each = SignedDuration::from_mins(6);
    assert_eq!(group(1, "0s").length(12, each), SignedDuration::from_mins(72));
    assert_eq!(group(5, "1m").length(12, each), SignedDuration::from_mins(20));
    assert!(group(1, "0s").fits(40, each), "the last one begins before the window ends");
    assert!(!group(1, "0s").fits(41, each));
    assert_eq!(group(1, "0s").at_once_that_fits(100, each), Some(3));
    assert_eq!(group(1, "0s").at_once_that_fits(300, SignedDuration::from_hours(5)), None);
    assert!(group(1, "0s").fits(0, each));
}

#[test]
fn a_members_turn_begins_with_its_warning_unless_it_stays_on() {
    let (typical, warn) = (Some(SignedDuration::from_mins(6)), Some(Warn { channel: ChannelId(7), minutes: 15 }));
    let minutes = |typical, power, warn| turn(typical, power, warn).as_mins();
    assert_eq!(minutes(typical, Power::Off, None), 6);
    assert_eq!(minutes(typical, Power::Off, warn), 21);
    assert_eq!(minutes(typical, Power::Live, warn), 6);
    assert_eq!(minutes(None, Power::Off, warn), 20, "nothing is known: 5 min are guessed");
    let (in_turn, each) = (group(1, "0s"), turn(typical, Power::Off, warn));
    assert_eq!(in_turn.length(4, each).as_mins(), 84);
    assert!(in_turn.fits(12, each) && !in_turn.fits(13, each), "warnings fill the window too");
}

#[test]
fn a_run_goes_on_after_a_failure_and_stops_when_a_member_does_not_come_back() {
    let mut it = run(3, group(1, "30s"));
    let now = start();
    assert_eq!(next(&it, now), Next::Begin(DropletId(1)));
    it.members[0].phase = Phase::Taking;
    assert_eq!(next(&it, now), Next::Wait(Some(it.plan.until)));
    it.members[0].phase = Phase::Returning { is_good: false, since: now };
    assert_eq!(next(&it, now), Next::Wait(Some(it.plan.until)), "it was not seen active yet");
    it.members[0].phase = Phase::Done { is_good: false, at: now };
    let pause = SignedDuration::from_secs(30);
    assert_eq!(next(&it, now), Next::Wait(Some(now + pause)));
    assert_eq!(next(&it, now - SignedDuration::from_hours(1)), Next::Begin(DropletId(2)), "the clock was set back");
    assert_eq!(next(&it, now + pause), Next::Begin(DropletId(2)), "a failure stops nothing");
    it.members[1].phase = Phase::Lost { is_good: true, why: Lost::NotActive };
    assert_eq!(it.stopped(true, now), Some(Stopped::Lost));
    assert_eq!((next(&it, now + pause), it.good(), it.state()), (Next::End, 1, SlotState::Failed(Failed::NotAll)));
}

#[test]
fn a_run_may_go_on_after_a_member_that_does_not_come_back() {
    let two = group(1, "0s").stopping_after(Some(2)).unwrap();
    let mut it = run(3, two);
    it.members[0].phase = Phase::Lost { is_good: true, why: Lost::NotActive };
    // The bot may still be turning it on.
    let around = Around { busy: &[DropletId(1)].into(), is_wanted: true };
    assert_eq!(it.next(around, start()), Next::Begin(DropletId(2)));
    it.members[1].phase = Phase::Lost { is_good: false, why: Lost::Check };
    assert_eq!(it.stopped(true, start()), Some(Stopped::Lost));
    assert_eq!((next(&it, start()), it.state()), (Next::End, SlotState::Failed(Failed::NotAll)));
    for bad in [0, -1, 21] {
        let bad_count = BadGroup::StopAfter { typed: bad.to_string() };
        assert_eq!(group(1, "0s").stopping_after(Some(bad)), Err(bad_count));
    }
    let older = serde_json::json!({"tag": "prod", "at_once": 1, "gap": 30, "check": null});
    assert_eq!(serde_json::from_value::<Group>(older).unwrap().stop_after, 1);
}

#[test]
fn a_run_ends_well_only_if_everybody_is_well() {
    let now = start();
    let mut it = run(2, group(2, "0s"));
    it.members.push(Member { phase: Phase::Excluded(Excluded::Kubernetes), ..it.members[0].clone() });
    for member in it.members.iter_mut().take(2) {
        member.phase = Phase::Done { is_good: true, at: now };
    }
    assert_eq!((next(&it, now), it.state(), it.good()), (Next::End, SlotState::Ran, 2));
    assert_eq!(run(0, group(1, "0s")).state(), SlotState::Failed(Failed::Nobody), "nobody is no success");
    let waiting = run(2, group(1, "0s"));
    assert_eq!(next(&waiting, waiting.plan.until), Next::End, "it is too late to begin");
    assert_eq!(waiting.stopped(true, waiting.plan.until), Some(Stopped::Late));
    assert_eq!(waiting.stopped(false, now), Some(Stopped::Paused));
}

#[test]
fn what_is_left_out_of_an_edited_rule_stays() {
    let nightly = rule("week", Some("22:30"), Some("friday"), "Europe/Berlin");
    let changed = |changed| nightly.changed(changed, 0).unwrap();
    assert_eq!(changed(Changed::default()), nightly);
    assert_eq!(
        changed(Changed { at: Some("04:00"), ..Changed::default() }),
        rule("week", Some("04:00"), Some("friday"), "Europe/Berlin")
    );
    assert_eq!(
        changed(Changed { every: Some("day"), ..Changed::default() }),
        rule("day", Some("22:30"), None, "Europe/Berlin")
    );
    assert_eq!(changed(Changed { every: Some("6h"), ..Changed::default() }), rule("6h", None, None, "Europe/Berlin"));
    assert_eq!(changed(Changed { on: Some("monday"), ..Changed::default() }).zone, "Europe/Berlin");
    assert!(rule("day", None, None, "UTC").changed(Changed { on: Some("monday"), ..Changed::default() }, 0).is_err());
    let spread = rule("day", None, None, "UTC").spread_by(400);
    assert_eq!(spread.changed(Changed { timezone: Some("Asia/Tokyo"), ..Changed::default() }, 7).unwrap().spread, 400);
    let hourly = spread.changed(Changed { every: Some("6h"), ..Changed::default() }, 77).unwrap();
    assert_eq!(hourly.spread, 77, "nobody says when it runs, so it is spread");
}

/// An event in a run.
#[derive(Clone, Debug)]
enum Event {
    /// The process looks, and does what the decision says.
    Look,
    /// The member that has been under way the longest progresses, with this outcome.
    GetsOn { is_good: bool, comes_back: bool },
    /// Another operation begins on a member, or ends.
    Strangers(BTreeSet<u64>),
    /// Time passes, or the clock is set back.
    Passes(i64),
    /// A person stops it.
    Stop,
}

fn events() -> impl Strategy<Value = Event> {
    prop_oneof![
        6 => Just(Event::Look),
        6 => (prop::bool::weighted(0.8), prop::bool::weighted(0.97))
            .prop_map(|(is_good, comes_back)| Event::GetsOn { is_good, comes_back }),
        1 => prop::collection::btree_set(1..12_u64, 0..3).prop_map(Event::Strangers),
        2 => (-600..1200_i64).prop_map(Event::Passes),
        1 => prop::bool::weighted(0.02).prop_map(|stop| if stop { Event::Stop } else { Event::Look }),
    ]
}

/// A run that records what happens to it.
struct Played {
    run: Run,
    busy: BTreeSet<DropletId>,
    now: Timestamp,
    begun: BTreeSet<DropletId>,
}

impl Played {
    fn may_be_off(&self) -> usize {
        let taken = self.run.taken();
        let is_lost = |member: &Member| matches!(member.phase, Phase::Lost { .. });
        let is_busy = |member: &Member| !is_lost(member) && self.busy.contains(&member.droplet);
        taken.filter(|member| member.phase.is_under_way() || is_busy(member)).count()
    }

    fn look(&mut self) -> Result<Next, TestCaseError> {
        let next = self.run.next(Around { busy: &self.busy, is_wanted: true }, self.now);
        prop_assert_eq!(next, self.run.next(Around { busy: &self.busy, is_wanted: true }, self.now));
        if let Next::Begin(droplet) = next {
            prop_assert!(self.run.stopped(true, self.now).is_none(), "nobody begins in a run that has stopped");
            prop_assert!(self.begun.insert(droplet), "each begins once");
            prop_assert!(!self.busy.contains(&droplet));
            let member = self.run.members.iter_mut().find(|member| member.droplet == droplet).unwrap();
            prop_assert_eq!(member.phase, Phase::Waiting);
            member.phase = Phase::Taking;
            let most = usize::try_from(self.run.plan.group.at_once).unwrap();
            prop_assert!(self.may_be_off() <= most, "no more than {} may be off", most);
        }
        Ok(next)
    }

    fn get_on(&mut self, is_good: bool, comes_back: bool) {
        let now = self.now;
        let Some(member) = self.run.members.iter_mut().find(|member| member.phase.is_under_way()) else { return };
        member.phase = match member.phase {
            Phase::Taking => Phase::Returning { is_good, since: now },
            Phase::Returning { is_good, .. } if comes_back => Phase::Done { is_good, at: now },
            _ => Phase::Lost { is_good, why: Lost::Check },
        };
    }
}

proptest! {
    #[test]
    fn no_more_are_off_than_wanted_and_every_run_ends(
        members in 0..12_u64,
        at_once in 1..4_i64,
        gap in 0..120_u32,
        stop_after in 1..4_u32,
        events in prop::collection::vec(events(), 0..200),
    ) {
        let group = Group { gap, stop_after, ..group(at_once, "0s") };
        let mut it = Played { run: run(members, group), busy: BTreeSet::new(), now: start(), begun: BTreeSet::new() };
        for event in events {
            match event {
                Event::Look => drop(it.look()?),
                Event::GetsOn { is_good, comes_back } => it.get_on(is_good, comes_back),
                Event::Strangers(busy) => it.busy = busy.into_iter().map(DropletId).collect(),
                Event::Passes(seconds) => it.now += SignedDuration::from_secs(seconds),
                Event::Stop => it.run.stopped_by = Some(UserId(9)),
            }
        }
        // Whatever happened, the run ends, and every member is accounted for.
        it.busy.clear();
        for _ in 0..100 {
            match it.look()? {
                Next::End => break,
                Next::Begin(_) => {}
                Next::Wait(until) => {
                    it.get_on(true, true);
                    it.now = until.filter(|_| it.may_be_off() == 0).unwrap_or(it.now).max(it.now);
                }
            }
        }
        prop_assert_eq!(it.run.next(Around { busy: &it.busy, is_wanted: true }, it.now), Next::End);
        prop_assert!(it.run.taken().all(|member| !member.phase.is_under_way()));
        let begun = it.run.taken().filter(|member| member.phase != Phase::Waiting).count();
        prop_assert_eq!(begun, it.begun.len());
        if it.run.stopped(true, it.now).is_none() {
            prop_assert_eq!(begun, it.run.taken().count(), "nobody is forgotten");
        }
    }
}
