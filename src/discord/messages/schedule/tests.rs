//! The texts about schedules, side by side.

use std::{collections::BTreeSet, fmt::Write};

use jiff::{SignedDuration, Timestamp};
use strum::IntoEnumIterator;

use super::{
    super::{
        confirm::Buttons,
        examples::{self, assert_short, wording},
        group::{self, Members},
        message::Message,
        take_group::{self, Taking},
        tests::{failed_so, failures},
    },
    *,
};
use crate::{
    inventory::BackupWindow,
    operation::{
        announce::Tell,
        ids::{ChannelId, DropletId, GuildId, MessageId, OperationId, RoleId, RunId, SnapshotId, UserId},
        reading::Failure,
        trigger::Trigger,
        warning::Warn,
    },
    ping::BadAddress,
    schedule::{
        Answered, IfHung, Owner, Paused, State, Watched,
        group::{BadGroup, Excluded, Group},
        hung_shutdowns::{Asked, HungShutdowns},
        notice::Notice,
        policy::BadPolicy,
        pruning::Hold,
        question::DeletionQuestion,
        rule::{CronField, Invalid, Typed},
        run::{Lost, Member, Phase, Plan, Run},
        slot::{Failed, Missed, Skipped, Slot, SlotState},
    },
    store::ScheduleSnapshot,
};

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn nightly() -> Schedule {
    let now = at("2026-11-20T12:00:00Z");
    let typed = Typed { every: "day", at: Some("03:00"), on: None, timezone: Some("Europe/Berlin") };
    Schedule {
        id: ScheduleId::from_random(7),
        droplet: DropletId(1),
        droplet_name: "web-1".to_owned(),
        rule: Rule::read(typed).unwrap(),
        power: Power::Off,
        if_hung: IfHung::Live,
        keep: Policy::PRESETS[0],
        owner: Owner::new(UserId(5), now),
        guild: GuildId(3),
        channel: ChannelId(4),
        created_at: now,
        floor: now,
        state: State::Active,
        reminded_at: None,
        approved: Vec::new(),
        narrowed: false,
        warn: None,
        group: None,
        watched: Watched::default(),
    }
}

fn snapshot(number: u64) -> ScheduleSnapshot {
    ScheduleSnapshot {
        operation: OperationId::from_random(number),
        droplet: DropletId(1),
        is_current: true,
        planned: Some(at("2026-11-25T02:00:00Z")),
        name: format!("web-1-20261125-0200-{}", OperationId::from_random(number)),
        snapshot: Some(SnapshotId(number)),
        created_at: Some(at("2026-11-25T02:01:00Z")),
        size: Some(12.4),
        is_consistent: number % 2 == 1,
        kept_by: None,
        announced_at: None,
        deletion: None,
    }
}

fn standing() -> ScheduleFacts {
    let schedule = nightly();
    let next = schedule.rule.next_after(at("2026-11-26T12:00:00Z"));
    ScheduleFacts {
        schedule,
        slots: Vec::new(),
        snapshots: vec![snapshot(1)],
        stale_since: None,
        hold: None,
        next,
        run: None,
        failed: Vec::new(),
    }
}

fn asked_about(numbers: &[u64]) -> DeletionQuestion {
    let asked = numbers.iter().copied().map(OperationId::from_random).collect();
    DeletionQuestion { number: 1, edition: 1, asked, answered_by: None }
}

fn slot(state: SlotState) -> Slot {
    let at = at("2026-11-26T02:00:00Z");
    Slot { at, last: at, count: 1, state, operation: None }
}

fn read(message: &Message) -> String {
    let mut text = String::new();
    if !message.content.is_empty() {
        writeln!(text, "{}", message.content).unwrap();
    }
    for embed in &message.embeds {
        writeln!(
            text,
            "┃ {} ({:?})\n┃ {}\n┃ {}",
            embed.title,
            embed.colour,
            embed.description.replace('\n', "\n┃ "),
            embed.footer
        )
        .unwrap();
    }
    for menu in &message.menus {
        writeln!(text, "[{} ▾ {}]", menu.placeholder, menu.options.len()).unwrap();
    }
    for button in &message.buttons {
        writeln!(text, "[{}]", button.label).unwrap();
    }
    text
}

/// Messages that list something, and so may be long.
const LISTS: [&str; 19] = [
    "the second of two that may be lost",
    "with a warning",
    "nightly",
    "a Kubernetes worker",
    "every 2 hours, by its disk",
    "live, nothing known",
    "near DigitalOcean's Backup",
    "several",
    "many at once",
    "an edit drops",
    "review",
    "edit",
    "question",
    "by hand, under way",
    "by hand, stopped",
    "by hand, ended well",
    "by hand, ended otherwise",
    "by hand, some have failed",
    "of a schedule",
];

/// All variants side by side; they must be short unless they list something.
fn short_side_by_side<'a>(variants: impl IntoIterator<Item = (&'a str, Message)>) -> String {
    let checked = variants.into_iter().inspect(|(label, message)| {
        if !LISTS.contains(label) {
            assert_short(message);
        }
    });
    side_by_side(checked)
}

fn side_by_side<'a>(variants: impl IntoIterator<Item = (&'a str, Message)>) -> String {
    let parts: Vec<String> =
        variants.into_iter().map(|(label, message)| format!("=== {label}\n{}", read(&message))).collect();
    parts.join("\n")
}

#[test]
fn reviews() {
    let schedule = nightly();
    let often =
        Schedule { rule: Rule::read(Typed { every: "2h", ..Typed::default() }).unwrap().spread_by(99), ..nightly() };
    let live = Schedule { power: Power::Live, ..nightly() };
    let warned = Schedule { warn: Some(Warn { channel: ChannelId(8), minutes: 5 }), ..nightly() };
    let buttons = || Buttons { id: "00000000000000ff".parse().unwrap(), expires_at: at("2026-11-26T12:14:00Z") };
    let of = |schedule: &Schedule, cost| {
        let now = at("2026-11-26T12:00:00Z");
        let downtime = Some(SignedDuration::from_mins(4));
        let (members, edit, backup_window) = (None, None, None);
        review(&Review { schedule, cost, downtime, members, edit, backup_window, replaced: None, now }, 0.06, buttons())
    };
    let near = {
        let window = BackupWindow { start: at("2026-11-28T20:00:00Z"), end: at("2026-11-29T00:00:00Z") };
        let (cost, now) = (Cost::Unknown, at("2026-11-26T12:00:00Z"));
        let (downtime, members, edit, backup_window) = (None, None, None, Some(window));
        let schedule = &schedule;
        review(&Review { schedule, cost, downtime, members, edit, backup_window, replaced: None, now }, 0.06, buttons())
    };
    let worker = {
        let (cost, now) = (Cost::Unknown, at("2026-11-26T12:00:00Z"));
        let (downtime, members, edit, backup_window) = (None, None, None, None);
        let (schedule, replaced) = (&schedule, Some(Excluded::Kubernetes));
        review(&Review { schedule, cost, downtime, members, edit, backup_window, replaced, now }, 0.06, buttons())
    };
    insta::assert_snapshot!(short_side_by_side([
        ("nightly", of(&schedule, Cost::AsNewest(8.0))),
        ("every 2 hours, by its disk", of(&often, Cost::AtMost(25.0))),
        ("live, nothing known", of(&live, Cost::Unknown)),
        ("near DigitalOcean's Backup", near),
        ("a Kubernetes worker", worker),
        ("with a warning", of(&warned, Cost::Unknown)),
        ("run", review_run(&schedule, None, buttons())),
        ("remove", review_removal(&schedule, (3, 30.0), &[], 0.06, buttons())),
        ("remove, with an heir", review_removal(&schedule, (3, 30.0), std::slice::from_ref(&live), 0.06, buttons())),
    ]));
}

#[test]
fn statuses() {
    let with = |change: &dyn Fn(&mut ScheduleFacts)| {
        let mut standing = standing();
        change(&mut standing);
        status(&standing, &wording())
    };
    let announced = |standing: &mut ScheduleFacts| {
        standing.snapshots = (1..=4).map(snapshot).collect();
        for one in standing.snapshots.iter_mut().skip(2) {
            one.announced_at = Some(at("2026-11-26T02:10:00Z"));
        }
    };
    let paused = |why| move |standing: &mut ScheduleFacts| standing.schedule.state = State::Paused { until: None, why };
    insta::assert_snapshot!(side_by_side([
        ("warned of", with(&|it| it.schedule.warn = Some(Warn { channel: ChannelId(8), minutes: 5 }))),
        ("new", with(&|it| it.snapshots.clear())),
        ("running", with(&|it| it.slots = vec![slot(SlotState::Running)])),
        ("waiting", with(&|it| it.slots = vec![slot(SlotState::Waiting), slot(SlotState::Ran)])),
        (
            "failed and stale",
            with(&|it| {
                it.slots = vec![
                    slot(SlotState::Failed(Failed::Hung)),
                    slot(SlotState::Failed(Failed::Operation)),
                    slot(SlotState::Failed(Failed::Cancelled)),
                    Slot { count: 3, ..slot(SlotState::Missed(Missed::Away)) },
                    slot(SlotState::Missed(Missed::Busy)),
                    slot(SlotState::Missed(Missed::Outage)),
                    slot(SlotState::Missed(Missed::Overtaken)),
                    slot(SlotState::Skipped(Skipped::Paused)),
                ];
                it.stale_since = Some(at("2026-11-26T02:00:00Z"));
                it.hold = Some(Hold::Stale);
            })
        ),
        ("about to delete", with(&announced)),
        (
            "too many",
            with(&|it| {
                announced(it);
                it.hold = Some(Hold::TooMany(2));
                it.schedule.watched.deletions = asked_about(&[1, 2]);
            })
        ),
        (
            "without a size, then small",
            with(&|it| {
                let night = |number: u64, at: &str, size| ScheduleSnapshot {
                    planned: Some(at.parse().unwrap()),
                    size,
                    ..snapshot(number)
                };
                it.snapshots = vec![
                    night(3, "2026-11-26T02:00:00Z", Some(0.4)),
                    night(2, "2026-11-25T02:00:00Z", None),
                    night(1, "2026-11-24T02:00:00Z", Some(12.4)),
                ];
                it.slots = ["2026-11-26T02:00:00Z", "2026-11-25T02:00:00Z", "2026-11-24T02:00:00Z"]
                    .map(|at| Slot { at: at.parse().unwrap(), last: at.parse().unwrap(), ..slot(SlotState::Ran) })
                    .to_vec();
            })
        ),
        ("doubtful", with(&|it| it.hold = Some(Hold::Doubtful(OperationId::from_random(1))))),
        ("paused", with(&paused(Paused::By(UserId(9))))),
        ("without an owner", with(&paused(Paused::OwnerLost))),
        ("without a Droplet", with(&paused(Paused::DropletGone))),
        ("removed", with(&|it| it.schedule.state = State::Removed)),
    ]));
}

#[test]
fn what_does_not_fit_is_counted() {
    let schedule = Schedule { keep: Policy { last: 2, daily: 25, ..Policy::default() }, ..nightly() };
    let now = at("2026-11-26T12:00:00Z");
    let night = |number: u64| {
        let planned = now - SignedDuration::from_hours(24 * i64::try_from(number).unwrap());
        ScheduleSnapshot { planned: Some(planned), ..snapshot(number) }
    };
    let standing = ScheduleFacts { schedule: schedule.clone(), snapshots: (1..=30).map(night).collect(), ..standing() };
    let candidates: Vec<_> = standing.snapshots.iter().map(ScheduleSnapshot::candidate).collect();
    let decisions = schedule.decisions(&candidates, now);
    let (cost, downtime, members, edit, backup_window) = (Cost::Unknown, None, None, None, None);
    let reviewed = Review { schedule: &schedule, cost, downtime, members, edit, backup_window, replaced: None, now };
    let shown = preview((&standing, &decisions), &BTreeSet::new(), &reviewed, 0.06);
    let many: Vec<(Schedule, Option<Timestamp>)> =
        (1..=60).map(|number| (Schedule { id: ScheduleId::from_random(number), ..nightly() }, Some(now))).collect();
    let listed = list(&many, Some(GuildId(3)));
    assert!(listed.content.encode_utf16().count() <= 2000);
    let last = listed.content.lines().last().unwrap().to_owned();
    insta::assert_snapshot!(side_by_side([("preview", shown), ("the list's last line", Message::text(last))]));
}

/// One message about two things of one schedule.
fn missed_and_stale(schedule: &Schedule, at: Timestamp) -> Message {
    let missed = Notice::Missed { first: at, last: at, count: 1, was_away: true, was_outage: false };
    let about = [missed, Notice::Stale { since: at, newest: Some(at) }];
    let told = about.each_ref().map(|notice| NoticeFacts { schedule, notice, operations: &[], run: None, asked: None });
    notice(&told, &BTreeSet::new(), 3)
}

#[test]
#[expect(clippy::too_many_lines, reason = "each notice has its example here")]
fn notices() {
    let schedule = nightly();
    let (first, last) = (at("2026-11-24T02:00:00Z"), at("2026-11-26T02:00:00Z"));
    let told = |schedule: &Schedule, it: &Notice| {
        notice(&[NoticeFacts { schedule, notice: it, operations: &[], run: None, asked: None }], &BTreeSet::new(), 3)
    };
    let said = |it: Notice| told(&schedule, &it);
    let mut unanswered = schedule.clone();
    unanswered.owner.silent_since = Some(first);
    let mut asked = schedule.clone();
    asked.watched.hangs = HungShutdowns { in_a_row: 3, asked: Asked::Open };
    let (small, mut approved) = (OperationId::from_random(1), schedule.clone());
    approved.rely_on(small);
    let answered = Answered { by: UserId(9), at: first };
    let (mut decided, mut fine) = (schedule.clone(), approved.clone());
    decided.watched.hangs_answered = Some(answered);
    fine.watched.relied_on_last = Some((small, answered));
    let failed = |count| Notice::Failed { planned: last, operation: small, why: "hung".to_owned(), count };
    let undeleted = |count| Notice::Undeleted {
        operation: small,
        name: "web-1-20261125-0200-10000000".to_owned(),
        why: "Refused".to_owned(),
        count,
    };
    let other = Schedule { id: ScheduleId::from_random(8), droplet_name: "db-1".to_owned(), ..schedule.clone() };
    let several = notice(
        &[
            NoticeFacts { schedule: &schedule, notice: &failed(1), operations: &[], run: None, asked: None },
            NoticeFacts { schedule: &other, notice: &failed(1), operations: &[], run: None, asked: None },
            NoticeFacts {
                schedule: &other,
                notice: &Notice::OwnerLost { since: first },
                operations: &[],
                run: None,
                asked: None,
            },
        ],
        &BTreeSet::new(),
        3,
    );
    let roles = BTreeSet::from([RoleId(77), RoleId(78)]);
    let many: Vec<ScheduleSnapshot> = (1..=15).map(snapshot).collect();
    let numbers: Vec<u64> = (1..=14).collect();
    let asking = |change: &dyn Fn(&mut Schedule)| {
        let mut schedule = nightly();
        schedule.watched.deletions = asked_about(&numbers);
        change(&mut schedule);
        let asked = Some(InQuestion { snapshots: &many, price_per_gb: 0.06 });
        let it = Notice::Deletions { question: 1, count: 14 };
        notice(
            &[NoticeFacts { schedule: &schedule, notice: &it, operations: &[], run: None, asked }],
            &BTreeSet::new(),
            3,
        )
    };
    let stale_with_some = {
        let (asked, it) = (
            Some(InQuestion { snapshots: &many, price_per_gb: 0.06 }),
            Notice::Stale { since: last, newest: Some(first) },
        );
        notice(
            &[NoticeFacts { schedule: &schedule, notice: &it, operations: &[], run: None, asked }],
            &BTreeSet::new(),
            3,
        )
    };
    let without = Schedule { state: State::Paused { until: None, why: Paused::DropletGone }, ..schedule.clone() };
    let gone = Notice::OwnerLost { since: first };
    let named = notice(
        &[NoticeFacts { schedule: &schedule, notice: &gone, operations: &[], run: None, asked: None }],
        &roles,
        3,
    );
    insta::assert_snapshot!(short_side_by_side([
        ("failed", said(failed(1))),
        ("failed again", said(failed(4))),
        ("several", several),
        ("missed and stale", missed_and_stale(&schedule, last)),
        ("owner lost, by role", named),
        ("good again", said(Notice::GoodAgain)),
        ("stuck", told(&asked, &Notice::Hung { count: 3 })),
        ("stuck, answered", told(&decided, &Notice::Hung { count: 3 })),
        ("stuck, no answer is needed", said(Notice::Hung { count: 3 })),
        ("doubtful", said(Notice::Doubtful { operation: small, count: 1 })),
        ("doubtful again", said(Notice::Doubtful { operation: small, count: 3 })),
        ("doubtful, approved", told(&approved, &Notice::Doubtful { operation: small, count: 1 })),
        ("doubtful, approved by somebody", told(&fine, &Notice::Doubtful { operation: small, count: 1 })),
        ("without a size", said(Notice::Unsized { operation: small, count: 1 })),
        ("without a size again", said(Notice::Unsized { operation: small, count: 3 })),
        ("many at once", asking(&|_| {})),
        ("an edit drops", asking(&|it| it.narrowed = true)),
        ("many, answered", asking(&|it| assert!(it.approve_deletions(1, UserId(9))))),
        ("many, not asked any more", asking(&|it| it.watched.deletions.asked.clear())),
        ("paused", said(Notice::Paused { newest: Some(first) })),
        ("moved", said(Notice::Moved { was: first, is: last })),
        ("unheard", said(Notice::Unheard { host: "hc.example.com".to_owned(), since: first })),
        ("paused without a Droplet", told(&without, &Notice::Paused { newest: Some(first) })),
        ("paused without any", said(Notice::Paused { newest: None })),
        ("gone", said(Notice::Gone)),
        ("time zone gone", said(Notice::Zone { zone: "Europe/Atlantis".to_owned() })),
        ("not deleted", said(undeleted(1))),
        ("not deleted again", said(undeleted(3))),
        ("missed, away", said(Notice::Missed { first: last, last, count: 1, was_away: true, was_outage: false })),
        ("missed, busy", said(Notice::Missed { first: last, last, count: 1, was_away: false, was_outage: false })),
        ("missed, several", said(Notice::Missed { first, last, count: 3, was_away: true, was_outage: false })),
        ("missed, busy again", said(Notice::Missed { first, last, count: 3, was_away: false, was_outage: false })),
        ("stale", said(Notice::Stale { since: last, newest: Some(first) })),
        ("stale, with Snapshots that are worth nothing", stale_with_some),
        ("stale from the start", said(Notice::Stale { since: last, newest: None })),
        ("owner lost", said(Notice::OwnerLost { since: first })),
        ("owner not told", told(&unanswered, &Notice::OwnerLost { since: last })),
        ("unowned", said(Notice::Unowned)),
    ]));
}

#[test]
fn failed_so_by_every_failure() {
    let (schedule, planned) = (nightly(), at("2026-11-26T02:00:00Z"));
    let of = |why: Failure| {
        let (_, mut operation) = failed_so(&why).remove(0);
        operation.trigger = Some(Trigger::Slot { schedule: schedule.id, at: planned, until: planned });
        let it = Notice::Failed { planned, operation: operation.id, why: "so".to_owned(), count: 1 };
        let told = NoticeFacts { schedule: &schedule, notice: &it, operations: &[operation], run: None, asked: None };
        format!("── {why:?}\n{}", read(&notice(&[told], &BTreeSet::new(), 3)))
    };
    insta::assert_snapshot!(failures().into_iter().map(of).collect::<Vec<_>>().join("\n"));
}

#[test]
fn refusals() {
    let typed = || "x".to_owned();
    let gap = SignedDuration::from_mins(1);
    let rules = [
        Invalid::Every { typed: typed() },
        Invalid::Every { typed: "tag:prod".to_owned() },
        Invalid::Hours { typed: "5h".to_owned() },
        Invalid::At { typed: typed() },
        Invalid::AtWithCron,
        Invalid::Weekday { typed: typed() },
        Invalid::MonthDay { typed: typed() },
        Invalid::OnWithoutUse,
        Invalid::Zone { typed: "berlin".to_owned(), nearest: vec!["Europe/Berlin".to_owned()] },
        Invalid::Zone { typed: typed(), nearest: Vec::new() },
        Invalid::CronFields { found: 6 },
        Invalid::Cron { field: Some(CronField::Minute), typed: "60".to_owned() },
        Invalid::Cron { field: Some(CronField::Hour), typed: "24".to_owned() },
        Invalid::Cron { field: Some(CronField::Day), typed: "32".to_owned() },
        Invalid::Cron { field: Some(CronField::Month), typed: "13".to_owned() },
        Invalid::Cron { field: Some(CronField::Weekday), typed: "8".to_owned() },
        Invalid::Cron { field: None, typed: "0 3 * * *".to_owned() },
        Invalid::Never,
        Invalid::TooOften { gap },
    ];
    let keeps = [BadPolicy::Empty, BadPolicy::Part { typed: typed() }, BadPolicy::TooMany { typed: typed() }];
    let others = [
        ScheduleRefusal::Group(BadGroup::Tag { typed: String::new() }),
        ScheduleRefusal::Group(BadGroup::Tag { typed: "a b".to_owned() }),
        ScheduleRefusal::Group(BadGroup::AtOnce { typed: "99".to_owned() }),
        ScheduleRefusal::IfHung { typed: "ask".to_owned() },
        ScheduleRefusal::Group(BadGroup::StopAfter { typed: "0".to_owned() }),
        ScheduleRefusal::Group(BadGroup::Gap { typed: "2h".to_owned() }),
        ScheduleRefusal::Group(BadGroup::Check { typed: "udp:53".to_owned() }),
        ScheduleRefusal::NoGroup,
        ScheduleRefusal::Nobody { tag: "prod".to_owned(), excluded: 0 },
        ScheduleRefusal::Nobody { tag: "prod".to_owned(), excluded: 3 },
        ScheduleRefusal::TooManyMembers { tag: "prod".to_owned(), count: 300 },
        ScheduleRefusal::TooLong {
            tag: "prod".to_owned(),
            count: 80,
            length: SignedDuration::from_hours(7),
            at_once: Some(2),
        },
        ScheduleRefusal::Running,
        ScheduleRefusal::TakenSince,
        ScheduleRefusal::NothingToChange,
        ScheduleRefusal::ChangedMeanwhile,
        ScheduleRefusal::Until { typed: typed() },
        ScheduleRefusal::Unknown { typed: typed() },
        ScheduleRefusal::TooMany { most: 25 },
        ScheduleRefusal::Address(BadAddress::NoUrl),
        ScheduleRefusal::Address(BadAddress::NotEncrypted),
        ScheduleRefusal::Address(BadAddress::Credentials),
        ScheduleRefusal::Address(BadAddress::TooLong),
        ScheduleRefusal::PrivateAddress { host: "hc.internal".to_owned() },
        ScheduleRefusal::NoAddress { host: "hc.example.con".to_owned() },
        ScheduleRefusal::HangsAnswered,
        ScheduleRefusal::NoHeir,
        ScheduleRefusal::AskedOtherwise,
        ScheduleRefusal::NotDoubtful,
        ScheduleRefusal::Expired,
        ScheduleRefusal::Elsewhere,
        ScheduleRefusal::OwnAlready { owner: UserId(5) },
    ];
    let all =
        rules.into_iter().map(ScheduleRefusal::Rule).chain(keeps.into_iter().map(ScheduleRefusal::Keep)).chain(others);
    let lines: Vec<String> = all.map(|refusal| refusal.words()).collect();
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn every_member_without_a_snapshot_decides_whether_another_try_may_help() {
    let bad = Phase::Done { is_good: false, at: at("2026-11-26T02:00:00Z") };
    let mut run = run_of_a_group(&[bad; 7]);
    for (number, member) in (1..).zip(&mut run.members) {
        member.operation = Some(OperationId::from_random(number));
    }
    assert_eq!(group::explained(&run).count(), 7);
}

fn run_of_a_group(phases: &[Phase]) -> Run {
    let now = at("2026-11-26T02:00:00Z");
    let group = Group::read("prod", None, Some("30s"), Some("http:80/health")).unwrap();
    let schedule = Schedule { group: Some(group.clone()), ..nightly() };
    let member = |(number, phase): (u64, &Phase)| Member {
        droplet: DropletId(number),
        name: format!("web-{number}"),
        phase: *phase,
        operation: phase.is_under_way().then(|| OperationId::from_random(number)),
    };
    Run {
        plan: Plan::of(&schedule, &group, RunId::from_random(7), Some(now), now),
        members: (1..).zip(phases).map(member).collect(),
        stopped_by: None,
        ended_at: None,
        version: 1,
    }
}

#[test]
fn groups() {
    let now = at("2026-11-26T02:00:00Z");
    let good = Phase::Done { is_good: true, at: now };
    let excluded = Excluded::iter().map(Phase::Excluded);
    let going = run_of_a_group(
        &[
            good,
            Phase::Done { is_good: false, at: now },
            Phase::Returning { is_good: true, since: now },
            Phase::Taking,
            Phase::Waiting,
        ]
        .into_iter()
        .chain(excluded)
        .collect::<Vec<_>>(),
    );
    let lost = |why| Run {
        ended_at: Some(now),
        ..run_of_a_group(&[good, Phase::Lost { is_good: true, why }, Phase::Left, Phase::Left])
    };
    let mut second = run_of_a_group(&[
        Phase::Lost { is_good: true, why: Lost::Check },
        good,
        Phase::Lost { is_good: false, why: Lost::NotActive },
        Phase::Left,
    ]);
    (second.plan.group.stop_after, second.ended_at) = (2, Some(now));
    let stopped = Run { stopped_by: Some(UserId(9)), ..run_of_a_group(&[good, Phase::Taking, Phase::Waiting]) };
    let id = OperationId::from_random(2);
    let mut hung = examples::failed(Failure::Hung);
    hung.id = id;
    let by_hand = |run: Run| Run { plan: Plan { schedule: None, ..run.plan }, ended_at: Some(now), ..run };
    let mut failed = by_hand(run_of_a_group(&[good, Phase::Done { is_good: false, at: now }, Phase::Left]));
    failed.members[1].operation = Some(id);
    let well = Run { ended_at: Some(now), ..run_of_a_group(&[good, good]) };
    let chosen = |tell, run: &Run| Run { plan: Plan { tell, ..run.plan.clone() }, ..run.clone() };
    let nobody = Run { ended_at: Some(now), ..run_of_a_group(&[]) };
    let group = going.plan.group.clone();
    let schedule = Schedule { group: Some(group.clone()), droplet_name: group.label(), ..nightly() };
    let members = Members {
        names: (1..=40).map(|number| format!("web-{number}")).collect(),
        excluded: vec![("pool-1".to_owned(), Excluded::Kubernetes)],
        unreachable: vec!["web-3".to_owned(), "web-7".to_owned()],
        length: SignedDuration::from_mins(200),
    };
    let buttons = || Buttons { id: "00000000000000ff".parse().unwrap(), expires_at: at("2026-11-26T12:14:00Z") };
    let of = |edit| {
        let now = at("2026-11-26T12:00:00Z");
        let cost = Cost::AsNewest(480.0);
        review(
            &Review {
                schedule: &schedule,
                cost,
                downtime: None,
                members: Some(&members),
                edit,
                backup_window: None,
                replaced: None,
                now,
            },
            0.06,
            buttons(),
        )
    };
    let taking =
        Taking { plan: &going.plan, members: &members, cost: Cost::AtMost(800.0), price_per_gb: 0.06, is_again: false };
    let notice = |run: &Run| {
        let it = Notice::Group { run: run.plan.id, planned: run.plan.planned, why: String::new(), count: 1 };
        notice(
            &[NoticeFacts { schedule: &schedule, notice: &it, operations: &[], run: Some(run), asked: None }],
            &BTreeSet::new(),
            3,
        )
    };
    let standing = ScheduleFacts { schedule: schedule.clone(), run: Some(going.clone()), ..standing() };
    insta::assert_snapshot!(short_side_by_side([
        ("review", of(None)),
        ("edit", of(Some(Edit { drops: 3, is_rebound: true }))),
        ("question", take_group::question(&taking, buttons())),
        ("by hand, under way", group::status(&going, &[])),
        ("by hand, ended well", group::status(&well, &[])),
        ("by hand, ended otherwise", group::status(&lost(Lost::Check), &[])),
        ("by hand, to be tried again", group::ended(&failed, std::slice::from_ref(&hung))),
        ("by hand, some have failed", group::status(&failed, &[hung])),
        ("by hand, stopped", group::status(&stopped, &[])),
        ("by hand, ended", group::ended(&well, &[])),
        ("by hand, ended, nobody is mentioned", group::ended(&chosen(Tell::Silent, &well), &[])),
        ("by hand, failed, nobody was to be mentioned", group::ended(&chosen(Tell::Silent, &lost(Lost::Check)), &[])),
        ("by hand, directly", group::lead(&well, (ChannelId(5), MessageId(6)))),
        ("by hand, stopped, directly", group::lead(&stopped, (ChannelId(5), MessageId(6)))),
        ("by hand, no direct messages", group::lead_in_channel(&well, (ChannelId(5), MessageId(6)))),
        ("of a schedule", status(&standing, &wording())),
        ("not active", notice(&lost(Lost::NotActive))),
        ("check", notice(&lost(Lost::Check))),
        ("the second of two that may be lost", notice(&second)),
        ("nobody", notice(&nobody)),
    ]));
}
