//! Any operation that the rules permit comes back from the database as it was stored.

use jiff::{SignedDuration, Timestamp};
use proptest::{collection::vec, option, prelude::*};
use serde_json::json;
use snapshot_bot::{
    clock::Clock,
    discord::messages::{
        Wording,
        answer::{answer, notify},
        progress::progress,
        stuck::{call, repaired},
    },
    operation::{
        Blocker, Cancelled, Instructed, Instruction, Launched, Observation, Obstacle, Operation, Outcome, Question,
        Rules, TypicalDurations,
        effect::{Answer, BackupPolicy, Effect, NewDroplet},
        ids::{ActionId, DropletId, InteractionId, SnapshotId, UserId},
        kinds::{Backups, BackupsChange, Delete, Downtime, IfHung, Kind, Launch, Restore, Safety, SnapshotRef, Take},
        power::{Owed, Power, Release, Released, Stuck, Theirs},
        reading::{Failure, FailureKind, PowerState, SnapshotReading, Trouble},
        step::{Checks, Doubt, Round, Run, State, Step, Task, Work},
    },
    store::{Called, Settings, Store},
};

use strum::{IntoEnumIterator, VariantArray};

use crate::memory::request;

fn moment() -> impl Strategy<Value = Timestamp> {
    // Years 1970 to 2255, with nanoseconds.
    (0..9_000_000_000_i64, 0..1_000_000_000_i32).prop_map(|(second, nano)| Timestamp::new(second, nano).unwrap())
}

fn task() -> impl Strategy<Value = Task> {
    proptest::sample::select(Task::VARIANTS)
}

fn power_state() -> impl Strategy<Value = PowerState> {
    proptest::sample::select(vec![PowerState::On, PowerState::Off])
}

fn failure() -> impl Strategy<Value = Failure> {
    (proptest::sample::select(FailureKind::VARIANTS), any::<String>(), any::<String>()).prop_map(
        |(kind, text, message)| match kind {
            FailureKind::ActionErrored => Failure::ActionErrored,
            FailureKind::ActionVanished => Failure::ActionVanished,
            FailureKind::DropletGone => Failure::DropletGone,
            FailureKind::SnapshotGone => Failure::SnapshotGone,
            FailureKind::DropletUnusable => Failure::DropletUnusable { status: text },
            FailureKind::TagRemoved => Failure::TagRemoved { tag: text },
            FailureKind::Unauthorized => Failure::Unauthorized,
            FailureKind::OtherAccount => Failure::OtherAccount,
            FailureKind::Forbidden => Failure::Forbidden { scopes: text, message },
            FailureKind::Refused => Failure::Refused { message },
            FailureKind::Hung => Failure::Hung,
            FailureKind::PowerFirst => Failure::PowerFirst,
            FailureKind::TooOld => Failure::TooOld,
            FailureKind::ChangedMeanwhile => Failure::ChangedMeanwhile,
            FailureKind::RestoreUnclear => Failure::RestoreUnclear,
            FailureKind::NotKnown => Failure::NotKnown,
            FailureKind::NotListed => Failure::NotListed,
            FailureKind::NotWarned => Failure::NotWarned,
            FailureKind::Internal => Failure::Internal,
        },
    )
}

fn kind() -> impl Strategy<Value = Kind> {
    let kinds = proptest::sample::select(Kind::iter().collect::<Vec<_>>());
    let snapshot = (any::<u64>(), any::<String>()).prop_map(|(id, name)| SnapshotRef { id: SnapshotId(id), name });
    let power = proptest::sample::select(vec![Downtime::PowerOff, Downtime::None]);
    let if_hung = proptest::sample::select(vec![IfHung::Ask, IfHung::Force, IfHung::Live]);
    let safety = proptest::sample::select(vec![Safety::Snapshot, Safety::None]);
    (kinds, snapshot, power, if_hung, safety, vec(any::<String>(), 0..3)).prop_map(
        |(kind, snapshot, power, if_hung, safety, tags)| match kind {
            Kind::Take(_) => Kind::Take(Take { power, if_hung }),
            Kind::Restore(_) => Kind::Restore(Restore { snapshot, safety, rewrites: None }),
            Kind::Delete(_) => Kind::Delete(Delete { snapshot }),
            kind @ (Kind::TurnOn(_) | Kind::Restart(_)) => kind,
            Kind::Backups(_) => {
                let change = match if_hung {
                    IfHung::Ask => BackupsChange::Disable { listed: vec![snapshot.clone()], keep: Some(snapshot) },
                    IfHung::Force | IfHung::Skip => BackupsChange::Keep(snapshot),
                    IfHung::Live => {
                        let (plan, weekday) = (snapshot.name, tags.into_iter().next());
                        BackupsChange::Enable(BackupPolicy { plan, weekday, hour: 4 })
                    }
                };
                Kind::Backups(Backups { change })
            }
            Kind::Launch(_) => {
                let droplet = NewDroplet {
                    name: "n".into(),
                    region: "r".into(),
                    size: "s".into(),
                    image: snapshot.id,
                    ssh_keys: tags.clone(),
                    tags,
                };
                Kind::Launch(Launch { snapshot, droplet })
            }
        },
    )
}

fn doubt() -> impl Strategy<Value = Doubt> {
    let round = any::<(bool, bool)>().prop_map(|(droplet, actions)| Round { droplet, actions });
    (option::of(moment()), option::of(moment()), round, any::<bool>(), option::of(failure())).prop_map(
        |(first_empty, last_empty, round, seen_on, refused)| Doubt {
            busy: seen_on,
            first_empty,
            last_empty,
            round,
            seen_on,
            seen_off: !seen_on,
            accepted: seen_on,
            refused,
        },
    )
}

fn run() -> impl Strategy<Value = Run> {
    let moments = proptest::array::uniform4(option::of(moment()));
    (option::of(any::<u64>()), moments, any::<bool>(), any::<u32>()).prop_map(
        |(action, [started_at, intended_at, completed, broken], presumed, looks)| Run {
            action: action.map(ActionId),
            started_at,
            intended_at,
            presumed,
            completed,
            broken,
            looks,
            unknown_since: broken,
            unread: looks,
            seen_locked: presumed,
            concluded: !presumed,
            asks_action: presumed,
            seen_off: presumed,
            free_at: completed,
            unlisted: presumed,
        },
    )
}

/// Any step that an operation of this kind may have.
fn step(kind: &Kind) -> impl Strategy<Value = Step> + use<> {
    let planned = kind.plan().into_iter().map(|step| step.work);
    let any_kind = [Work::ShutDown, Work::PowerOff, Work::Snapshot, Work::PowerOn];
    step_that_does(proptest::sample::select(planned.chain(any_kind).collect::<Vec<_>>()))
}

fn step_that_does(work: impl Strategy<Value = Work>) -> impl Strategy<Value = Step> {
    let state = prop_oneof![
        (any::<(bool, bool)>(), option::of(moment())).prop_map(|((droplet, actions), looked_at)| {
            State::Waiting(Checks { droplet, actions, looked_at, backups: droplet })
        }),
        (moment(), option::of(doubt())).prop_map(|(at, doubt)| State::Intended { at, doubt }),
        run().prop_map(State::Running),
        moment().prop_map(|at| State::Done { at }),
        Just(State::Skipped),
        (moment(), failure()).prop_map(|(at, why)| State::Failed { at, why }),
    ];
    (work, state, option::of(moment()), any::<bool>()).prop_map(|(work, state, began, answer_lost)| Step {
        work,
        state,
        began,
        answer_lost,
    })
}

fn power() -> impl Strategy<Value = Power> {
    let owed = (moment(), option::of(moment()), option::of(moment()))
        .prop_map(|(since, late_until, earlier_until)| Owed { since, late_until, earlier_until });
    let stuck = (moment(), option::of(failure())).prop_map(|(since, why)| Stuck { since, why });
    let how = proptest::sample::select(vec![Released::LeftOff, Released::Handled]);
    let release = (any::<u64>(), moment(), how).prop_map(|(by, at, how)| Release { by: UserId(by), at, how });
    let flags = (any::<bool>(), any::<bool>(), any::<u32>());
    let moments = proptest::array::uniform4(option::of(moment()));
    let states = (option::of(power_state()), option::of(power_state()));
    (
        states,
        option::of(owed),
        step_that_does(Just(Work::PowerOn)),
        flags,
        option::of(stuck),
        option::of(release),
        moments,
    )
        .prop_map(
            |(
                (before, after),
                owed,
                back,
                (seen_off, parked, failures),
                stuck,
                released,
                [got_on_at, went_off, came_back, repaired],
            )| {
                let row = json!({
                    "before": before,
                    "owed": owed,
                    "back": back,
                    "seen_off": seen_off,
                    "parked": parked,
                    "got_on_at": got_on_at,
                    "recovering_since": came_back,
                    "stuck": stuck,
                    "calls": failures,
                    "called_at": repaired,
                    "unseen": went_off.map(|since| json!({ "since": since, "looks": failures })),
                    "blind": went_off,
                    "blind_at": got_on_at,
                    "on_intended_at": came_back,
                    "theirs": repaired.map(|at| Theirs { kind: "resize".to_owned(), at }),
                    "last_seen": after,
                    "failures": failures,
                    "released": released,
                    "went_off": went_off,
                    "came_back": came_back,
                    "gone": failures % 2 == 1,
                    "after": after,
                    "repaired": repaired,
                });
                serde_json::from_value(row).unwrap()
            },
        )
}

fn obstacle() -> impl Strategy<Value = Obstacle> {
    let what = prop_oneof![
        option::of(any::<String>()).prop_map(Blocker::Event),
        Just(Blocker::Locked),
        any::<String>().prop_map(Blocker::Unsettled),
        Just(Blocker::Outage),
        Just(Blocker::Throttled),
        Just(Blocker::Turn),
    ];
    (what, moment()).prop_map(|(what, since)| Obstacle { what, since })
}

fn outcome() -> impl Strategy<Value = Outcome> {
    prop_oneof![Just(Outcome::Completed), Just(Outcome::Cancelled), failure().prop_map(Outcome::Failed)]
}

/// Sizes as DigitalOcean reports them: with two decimals.
fn snapshot() -> impl Strategy<Value = SnapshotReading> {
    (any::<u64>(), any::<String>(), option::of(moment()), option::of(0..1_000_000_u32)).prop_map(
        |(id, name, created_at, hundredths)| SnapshotReading {
            id: SnapshotId(id),
            name,
            created_at,
            size_gigabytes: hundredths.map(|hundredths| f64::from(hundredths) / 100.0),
        },
    )
}

prop_compose! {
    fn operation(droplet: u64)(kind in kind().boxed())(
        steps in vec(step(&kind), 0..5).boxed(),
        kind in Just(kind),
        power in power().boxed(),
        baseline in vec(any::<u64>(), 0..4),
        typical in vec((task(), any::<i64>()), 0..3),
        obstacle in option::of(obstacle()).boxed(),
        question in option::of((moment(), option::of(moment()))),
        (cancelled, by) in (option::of(moment()), option::of(any::<u64>())),
        outcome in option::of(outcome()).boxed(),
        snapshot in option::of(snapshot()).boxed(),
        launched in option::of((any::<u64>(), option::of(any::<String>()))),
        (ended, asked_from) in (option::of(moment()), option::of(moment())),
        name in any::<String>(),
    ) -> Operation {
        let mut operation = Operation::new(request(1, droplet));
        operation.kind = kind;
        operation.snapshot_name = name;
        operation.typical = TypicalDurations { millis: typical };
        operation.steps = steps;
        operation.power = power;
        operation.baseline = serde_json::from_value(serde_json::json!(baseline)).unwrap();
        operation.obstacle = obstacle;
        operation.question = question.map(|(opened_at, shown_at)| Question { opened_at, shown_at });
        operation.cancelled = cancelled.map(|at| Cancelled { by: by.map(UserId), at });
        operation.outcome = outcome;
        operation.snapshot = snapshot;
        operation.launched = launched.map(|(id, address)| Launched { droplet: DropletId(id), address, monthly_cents: Some(id) });
        operation.ended = ended;
        operation.timer = asked_from.into();
        operation
    }
}

fn rules() -> Rules {
    let second = SignedDuration::from_secs(1);
    Rules {
        shutdown_timeout: second,
        decision_timeout: second,
        settle_time: second,
        poll_interval: second,
        droplet_tag: Some("bot".to_owned()),
        are_requests_scarce: false,
    }
}

/// Renders every text about an operation.
fn read_aloud(operation: &Operation, now: Timestamp) {
    let wording = Wording { price_per_gb: 0.06, rules: rules(), failure_role: None };
    let said = [
        progress(operation, &wording, now),
        answer(operation, &wording),
        notify(operation, &wording),
        call(&[Called { operation: operation.clone(), leads: true, is_called_elsewhere: false }]),
        repaired(operation),
    ];
    for said in said {
        assert!(!said.content.contains("@everyone") && !said.content.contains("<@&"), "{}", said.content);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_operation_comes_back_as_it_went_in(operation in any::<u64>().prop_flat_map(operation).boxed(), due in option::of(moment())) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let settings = Settings { url: "sqlite::memory:".into(), notify_channel: None };
            let store = Store::open(&settings, Clock::wall()).await.unwrap();
            let droplet = operation.target.droplet.unwrap().0;
            store.create(request(1, droplet), InteractionId(1)).await.unwrap();
            let loaded = store.load(operation.id).await.unwrap().unwrap();
            store.commit(&loaded, &operation, due).await.unwrap();
            let again = store.load(operation.id).await.unwrap().unwrap();
            assert_eq!(again.operation, operation);
            assert_eq!(store.power_owed().await.unwrap().len(), usize::from(operation.power.owed().is_some()));
            assert_eq!(store.count_open().await.unwrap(), usize::from(operation.is_open()));
        });
    }

    #[test]
    fn whatever_a_row_holds_neither_rules_nor_words_panic(
        operation in any::<u64>().prop_flat_map(operation).boxed(),
        now in prop_oneof![moment(), Just(Timestamp::MIN), Just(Timestamp::MAX)],
        readable in any::<bool>(),
    ) {
        let mut next = operation;
        for turn in 0..12 {
            read_aloud(&next, now);
            let observation = match next.next(&rules(), now) {
                Effect::Look(look) if readable => Observation::Seen(look, Answer::Actions(Vec::new())),
                Effect::Look(look) => Observation::Seen(look, Answer::Trouble(Trouble::NotFound)),
                Effect::Send(command) => match next.apply(Observation::Intended, &rules(), now) {
                    Ok(intended) => {
                        next = intended;
                        Observation::Answered(command, Answer::Trouble(Trouble::Busy))
                    }
                    Err(_) => Observation::Restarted(SignedDuration::ZERO),
                },
                Effect::Sleep(_) | Effect::Rest => {
                    let instructions = [Instruction::Cancel, Instruction::Force, Instruction::Live, Instruction::LeaveOff, Instruction::HandleIt, Instruction::QuestionShown];
                    Observation::Instructed(Instructed { instruction: instructions[turn % 6], by: UserId(9), at: now })
                }
            };
            // An impossible observation is refused, and halts the operation.
            next = next.apply(observation, &rules(), now).unwrap_or_else(|_| next.halt(now));
            next = next.apply(Observation::Woke, &rules(), now).unwrap();
        }
    }

    #[test]
    fn no_text_in_the_state_makes_a_reader_panic(text in any::<String>()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let memory = crate::memory::Memory::sqlite();
            let store = memory.open().await;
            let operation = store.create(request(1, 10), InteractionId(1)).await.unwrap();
            let pool = memory.back_door().await;
            sqlx::query("UPDATE operations SET state = $1").bind(text).execute(&pool).await.unwrap();
            pool.close().await;
            store.load(operation.id).await.unwrap().unwrap();
        });
    }
}
