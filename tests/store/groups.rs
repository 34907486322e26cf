//! What groups may rely on: members that are fixed when a run begins, and one operation for each, however many requests there are.

use snapshot_bot::{
    operation::{
        NewOperation, Outcome,
        ids::{DropletId, GuildId, MessageId, OperationId, RunId, SnapshotId, UserId},
        kinds::{Kind, Restore, Safety, SnapshotRef},
        trigger::Trigger,
    },
    ping::{Address, Reach, Signal},
    schedule::{
        Schedule, Watched,
        group::{Excluded, Group, NO_DROPLET},
        hung_shutdowns::HungShutdowns,
        notice::Notice,
        restored::Restored,
        run::{Lost, Member, Phase, Plan, Run},
        slot::{Failed, SlotState},
    },
    store::{CreateError, Error, RunError, Said, Store, StoredSchedule, Version},
};

use crate::{
    memory::{Memory, at, ended, ids, request},
    schedules::{add, consent, end, id, listed, open, schedule, states},
};

fn group(at_once: u32) -> Group {
    Group { tag: "prod".to_owned(), at_once, gap: 0, check: None }
}

pub(crate) fn of_group(number: u64, at_once: u32) -> Schedule {
    let group = group(at_once);
    Schedule { droplet: NO_DROPLET, droplet_name: group.label(), group: Some(group), ..schedule(number, 0) }
}

pub(crate) fn members(droplets: &[u64]) -> Vec<Member> {
    let member = |droplet: &u64| Member {
        droplet: DropletId(*droplet),
        name: format!("web-{droplet}"),
        phase: Phase::Waiting,
        operation: None,
    };
    droplets.iter().map(member).collect()
}

fn plan(schedule: &Schedule, number: u64, slot: i64) -> Plan {
    let group = schedule.group.clone().unwrap();
    Plan::of(schedule, &group, RunId::from_random(number), Some(at(slot)), at(slot))
}

fn turn(plan: &Plan) -> Trigger {
    Trigger::Member { run: plan.id, schedule: plan.schedule, at: plan.planned, until: plan.until }
}

async fn begin(store: &Store, at_once: u32, droplets: &[u64]) -> (StoredSchedule, Plan) {
    let stored = add(store, &of_group(1, at_once)).await;
    let stored = open(store, &stored, at(100)).await;
    let plan = plan(&stored.schedule, 1, 100);
    store.begin_run(&plan, &members(droplets), None).await.unwrap();
    (stored, plan)
}

async fn run(store: &Store) -> Run {
    store.run(RunId::from_random(1)).await.unwrap().unwrap()
}

async fn note(store: &Store, droplet: u64, phase: Phase) -> Result<(), Error> {
    let run = run(store).await;
    let member = run.members.iter().find(|member| member.droplet == DropletId(droplet)).unwrap();
    store.note_member(&run, member, phase).await
}

contract! {
    async fn a_run_begins_once_for_its_slot_and_is_there_after_a_restart(memory: &Memory) {
        let store = memory.open().await;
        let (stored, plan) = begin(&store, 1, &[11, 10]).await;
        let again = Plan { id: RunId::from_random(2), ..plan.clone() };
        let refused = store.begin_run(&again, &members(&[10]), None).await;
        assert!(matches!(refused, Err(RunError::NotFree)), "{refused:?}");
        let by_hand = Plan { id: RunId::from_random(3), slot: None, ..plan.clone() };
        let consent = consent(&store, 9).await;
        let refused = store.begin_run(&by_hand, &members(&[10]), Some(&consent)).await;
        assert!(matches!(refused, Err(RunError::NotFree)), "one run of a schedule at a time: {refused:?}");
        drop(store);
        let store = memory.open().await;
        let [run] = store.open_runs().await.unwrap().try_into().unwrap();
        assert_eq!((&run.plan, run.ended_at, &run.members), (&plan, None, &members(&[11, 10])));
        assert_eq!(store.latest_run(stored.schedule.id).await.unwrap(), Some(run));
        assert_eq!(states(&store, 1).await, [(at(100), 1, SlotState::Running)]);
    }

    async fn a_member_has_one_operation_and_no_more_are_taken_at_once_than_wanted(memory: &Memory) {
        let store = memory.open().await;
        let (_, plan) = begin(&store, 1, &[10, 11, 12]).await;
        store.create(request(1, 10), turn(&plan)).await.unwrap();
        for (number, droplet) in [(2, 10), (3, 11), (4, 99)] {
            let refused = store.create(request(number, droplet), turn(&plan)).await;
            let is_refused = matches!(refused, Err(CreateError::NotWaiting | CreateError::AlreadyRunning { .. }));
            assert!(is_refused, "{droplet}: {refused:?}");
        }
        assert_eq!(run(&store).await.members[0].operation, Some(ids(1)));
        end(&store, ids(1), |it| listed(it, 10.0)).await;
        note(&store, 10, Phase::Returning { is_good: true, since: at(200) }).await.unwrap();
        let early = store.create(request(5, 11), turn(&plan)).await;
        assert!(matches!(early, Err(CreateError::NotWaiting)), "it was not seen active yet: {early:?}");
        note(&store, 10, Phase::Done { is_good: true, at: at(201) }).await.unwrap();
        store.create(request(6, 11), turn(&plan)).await.unwrap();
        let twice = store.note_member(&run(&store).await, &members(&[11])[0], Phase::Left).await;
        assert!(matches!(twice, Err(Error::LeaseLost)), "who knows an older phase changes nothing: {twice:?}");
        note(&store, 11, Phase::Lost { is_good: false, why: Lost::Check }).await.unwrap();
        let stopped = store.create(request(7, 12), turn(&plan)).await;
        assert!(matches!(stopped, Err(CreateError::NotWaiting)), "{stopped:?}");
        assert_eq!(store.busy_droplets().await.unwrap(), [DropletId(11)].into());
    }

    async fn a_run_that_ends_closes_its_slot_and_who_was_in_it_is_looked_after(memory: &Memory) {
        let store = memory.open().await;
        let (stored, plan) = begin(&store, 1, &[10, 11]).await;
        store.create(request(1, 10), turn(&plan)).await.unwrap();
        end(&store, ids(1), |it| listed(it, 10.0)).await;
        assert_eq!(store.settle_schedules().await.unwrap().len(), 1);
        note(&store, 10, Phase::Returning { is_good: true, since: at(200) }).await.unwrap();
        note(&store, 10, Phase::Done { is_good: true, at: at(201) }).await.unwrap();
        assert!(store.stop_run(&plan, (UserId(7), GuildId(2))).await.unwrap());
        assert!(!store.stop_run(&plan, (UserId(8), GuildId(2))).await.unwrap(), "the first one counts");
        let last = run(&store).await;
        store.end_run(&last, None).await.unwrap();
        assert!(matches!(store.end_run(&last, None).await, Err(Error::LeaseLost)), "once");
        let over = run(&store).await;
        assert_eq!((over.members[1].phase, over.stopped_by, over.good()), (Phase::Left, Some(UserId(7)), 1));
        assert_eq!(states(&store, 1).await, [(at(100), 1, SlotState::Failed(Failed::NotAll))]);
        assert_eq!(store.open_runs().await.unwrap(), []);
        let known = store.schedule_snapshots(id(1)).await.unwrap();
        assert_eq!(known.iter().map(|one| (one.droplet, one.is_current)).collect::<Vec<_>>(), [(DropletId(10), true)]);
        assert_eq!(store.latest_good_takes().await.unwrap()[&DropletId(10)], at(100));
        // The next run leaves it out.
        let stored = store.schedule(stored.schedule.id).await.unwrap().unwrap();
        open(&store, &stored, at(900)).await;
        let next = Plan { id: RunId::from_random(2), ..plan_at(&plan, 900) };
        let excluded = Member { phase: Phase::Excluded(Excluded::Kubernetes), ..members(&[10]).remove(0) };
        store.begin_run(&next, &[members(&[11]).remove(0), excluded], None).await.unwrap();
        let known = store.schedule_snapshots(id(1)).await.unwrap();
        assert_eq!(known.iter().map(|one| one.is_current).collect::<Vec<_>>(), [false]);
        store.prune_runs(at(100_000)).await.unwrap();
        assert!(store.run(plan.id).await.unwrap().is_none_or(|old| old.ended_at.is_some()));
        assert!(store.run(next.id).await.unwrap().is_some(), "the latest stays");
    }

    async fn a_droplet_that_a_run_by_hand_leaves_out_for_a_moment_stays_in_the_group(memory: &Memory) {
        let store = memory.open().await;
        let (_, plan) = begin(&store, 1, &[10]).await;
        store.create(request(1, 10), turn(&plan)).await.unwrap();
        end(&store, ids(1), |it| listed(it, 10.0)).await;
        store.settle_schedules().await.unwrap();
        note(&store, 10, Phase::Done { is_good: true, at: at(201) }).await.unwrap();
        store.end_run(&run(&store).await, None).await.unwrap();
        let by_hand = Plan { id: RunId::from_random(2), slot: None, ..plan_at(&plan, 300) };
        let lately = Member { phase: Phase::Excluded(Excluded::Lately), ..members(&[10]).remove(0) };
        let consent = consent(&store, 5).await;
        store.begin_run(&by_hand, &[members(&[11]).remove(0), lately], Some(&consent)).await.unwrap();
        let known = store.schedule_snapshots(id(1)).await.unwrap();
        assert_eq!(known.iter().map(|one| one.is_current).collect::<Vec<_>>(), [true], "its Snapshots are looked after");
    }

    async fn a_run_is_told_as_one_failure_or_success(memory: &Memory) {
        let store = memory.open().await;
        let address = Address::read("https://hc.example.com/key", Reach::Public).unwrap();
        let watched = Watched { ping_url: Some(address), ..Watched::default() };
        let mut stored = add(&store, &Schedule { watched, ..of_group(1, 2) }).await;
        for (slot, outcomes) in [(100, [true, false]), (900, [true, true])] {
            stored = open(&store, &stored, at(slot)).await;
            let number = u64::try_from(slot).unwrap();
            let plan = plan(&stored.schedule, number, slot);
            store.begin_run(&plan, &members(&[10, 11]), None).await.unwrap();
            for (one, droplet, is_good) in [(number, 10, outcomes[0]), (number + 1, 11, outcomes[1])] {
                store.create(request(one, droplet), turn(&plan)).await.unwrap();
                end(&store, ids(one), |it| {
                    if is_good { listed(it, 10.0) } else { ended(it.clone(), Outcome::Cancelled, at(slot + 60)) }
                })
                .await;
                store.settle_schedules().await.unwrap();
                let run = store.run(plan.id).await.unwrap().unwrap();
                let member = run.members.iter().find(|member| member.droplet == DropletId(droplet)).unwrap();
                store.note_member(&run, member, Phase::Done { is_good, at: at(slot + 61) }).await.unwrap();
            }
            let run = store.run(plan.id).await.unwrap().unwrap();
            let notice = Notice::Group { run: plan.id, planned: plan.planned, why: String::new(), count: 1 };
            store.end_run(&run, Some(&notice).filter(|_| !run.is_success())).await.unwrap();
            stored = store.schedule(stored.schedule.id).await.unwrap().unwrap();
        }
        let mut told: Vec<_> =
            store.due_pings(at(999_999_999), 99).await.unwrap().into_iter().map(|ping| (ping.run, ping.signal)).collect();
        told.sort_by_key(|(run, signal)| (run.clone(), *signal != Signal::Start));
        let mut expected: Vec<_> = [(100, Signal::Fail), (900, Signal::Success)]
            .into_iter()
            .map(|(number, ending)| (RunId::from_random(number).to_string(), ending))
            .flat_map(|(run, ending)| [(run.clone(), Signal::Start), (run, ending)])
            .collect();
        expected.sort_by_key(|(run, signal)| (run.clone(), *signal != Signal::Start));
        assert_eq!(told, expected, "once for each run, whatever its members do");
        let messages = store.due_schedule_messages(at(999_999_999), 99).await.unwrap();
        let said: Vec<_> = messages.into_iter().map(|message| message.said).collect();
        let failed = Said::Once(Notice::Group { run: RunId::from_random(100), planned: at(100), why: String::new(), count: 1 });
        assert_eq!(said, [Said::Status, failed, Said::Once(Notice::GoodAgain)]);
        assert_eq!(stored.schedule.watched.hangs, HungShutdowns::default());
    }

    async fn a_restore_is_known_by_its_own_droplet(memory: &Memory) {
        let store = memory.open().await;
        let (_, plan) = begin(&store, 2, &[10, 11]).await;
        for (number, droplet) in [(1, 10), (2, 11)] {
            store.create(request(number, droplet), turn(&plan)).await.unwrap();
            end(&store, ids(number), |it| listed(it, 10.0)).await;
        }
        store.settle_schedules().await.unwrap();
        assert_eq!(store.restored_droplets(id(1), at(0)).await.unwrap(), [].into());
        let kind = Kind::Restore(Restore {
            snapshot: SnapshotRef { id: SnapshotId(1), name: "one".to_owned() },
            safety: Safety::None, rewrites: None });
        let consent = consent(&store, 50).await;
        store.create(NewOperation { kind, ..request(3, 11) }, Trigger::Interaction(consent.interaction)).await.unwrap();
        assert_eq!(store.restored_droplets(id(1), at(0)).await.unwrap(), [DropletId(11)].into());
        let restores = store.restores(id(1)).await.unwrap();
        let running = Restored { droplet: DropletId(11), source: SnapshotId(1), ended_at: None, is_done: false };
        assert_eq!(restores, [running]);
        // A restored Snapshot stays known, however soon history is pruned.
        end(&store, ids(3), |it| ended(it.clone(), Outcome::Completed, at(60))).await;
        let done = Restored { ended_at: Some(at(60)), is_done: true, ..running };
        assert_eq!(store.restores(id(1)).await.unwrap(), [done]);
        for report in store.due_reports(at(999_999_999), 99).await.unwrap() {
            store.report_posted(&report, MessageId(1), Version(2), "d", at(70)).await.unwrap();
        }
        while store.prune_operations(at(999_999_999), at(999_999_999)).await.unwrap() > 0 {}
        assert_eq!(store.operation(ids(3)).await.unwrap(), None);
        assert_eq!(store.restores(id(1)).await.unwrap(), [done]);
    }

    async fn a_run_by_hand_needs_an_answer_that_counts_and_has_a_message(memory: &Memory) {
        let store = memory.open().await;
        let plan = Plan { schedule: None, slot: None, ..plan(&of_group(1, 2), 1, 100) };
        let consent = consent(&store, 5).await;
        store.begin_run(&plan, &members(&[10, 11]), Some(&consent)).await.unwrap();
        let created = store.create(request(1, 10), turn(&plan)).await.unwrap();
        store.create(request(2, 11), turn(&plan)).await.unwrap();
        assert!(created.is_automatic(), "nobody is asked, and nothing is said of it alone");
        let [message] = store.due_group_messages(soon(memory), 9).await.unwrap().try_into().unwrap();
        assert_eq!((message.number, message.run.plan.id, message.message), (0, plan.id, None));
        for number in [1, 2] {
            end(&store, OperationId::from_random(number), |it| ended(it.clone(), Outcome::Cancelled, at(60))).await;
        }
        for droplet in [10, 11] {
            note(&store, droplet, Phase::Done { is_good: false, at: at(70) }).await.unwrap();
        }
        store.end_run(&run(&store).await, None).await.unwrap();
        assert_eq!(store.due_group_messages(soon(memory), 9).await.unwrap().len(), 2, "and one about its end");
    }
}

/// A moment at which everything is due that is due now, despite rounding up.
fn soon(memory: &Memory) -> jiff::Timestamp {
    memory.clock.now() + std::time::Duration::from_secs(1)
}

fn plan_at(plan: &Plan, slot: i64) -> Plan {
    Plan { slot: Some(at(slot)), planned: at(slot), until: at(slot + 3600), ..plan.clone() }
}
