//! All variants of all texts side by side, so that each can be compared with its siblings.

use std::fmt::Write;

use jiff::{SignedDuration, Timestamp};
use strum::VariantArray;

use super::{
    answer::{answer, notify, without_snapshot},
    backups::BackupsRefusal,
    examples::{self, ADA, BOB, NOW, ago, assert_short, wording},
    help::{Mentions, help},
    marker::signed,
    message::{Action, Embed, Message, Style},
    progress::progress,
    question::question,
    refusal::{self, BadName, MayCancel, Occupant, Refusal, RefusalKind},
    reply,
    schedule::ScheduleRefusal,
    status::{Entry, LISTED, Overview, choice, detail, overview},
    stuck::{call, repaired},
    warning::{WarningRefusal, warning},
};
use crate::{
    access::{AdminsMay, Denial, Right},
    discord::{
        commands::HELP,
        press::{Act, Begun, Press},
    },
    operation::{
        Blocker, Cancelled, Decision, FirstAnswer, Instruction, Launched, Obstacle, Operation, Outcome, Question,
        Requester,
        effect::NewDroplet,
        ids::{ChannelId, DropletId, GuildId, MessageId, OperationId, RoleId, ScheduleId, SnapshotId, UserId},
        kinds::{Downtime, Kind, Launch, Restore, Safety, SnapshotRef},
        power::{Released, Stuck},
        reading::{Failure, FailureKind, PowerState},
        report::ReportKind,
        step::{Checks, Doubt, State, Task, Work},
        warning::{Warn, Warning},
    },
    store::{Called, Deleter, Event, What},
};

/// A message as people read it.
fn read(message: &Message) -> String {
    let mut text = String::new();
    if !message.content.is_empty() {
        writeln!(text, "{}", message.content).unwrap();
    }
    for embed in &message.embeds {
        writeln!(text, "┃ {} ({:?})\n┃ {}", embed.title, embed.colour, embed.description.replace('\n', "\n┃ "))
            .unwrap();
        if !embed.footer.is_empty() {
            writeln!(text, "┃ {}", embed.footer).unwrap();
        }
    }
    for menu in &message.menus {
        writeln!(text, "[{} ▾]", menu.placeholder).unwrap();
        for choice in &menu.options {
            writeln!(text, "  · {} — {}", choice.label, choice.description).unwrap();
        }
    }
    for button in &message.buttons {
        let mark = match &button.action {
            Action::Press(_, Style::Primary) => "!",
            Action::Press(_, Style::Secondary) => "",
            Action::Press(_, Style::Danger) => "!!",
            Action::Open(_) => " ↗",
        };
        let dead = if button.is_disabled { " (disabled)" } else { "" };
        write!(text, "[{}{mark}]{dead} ", button.label).unwrap();
    }
    for user in &message.pings {
        write!(text, "(pings {user})").unwrap();
    }
    text.trim_end().to_owned()
}

/// A message as people read it, which lists nothing and must be short.
fn read_short(message: &Message) -> String {
    assert_short(message);
    read(message)
}

/// A message as people read it, with the last line that the reporter adds.
fn read_posted(message: &Message, kind: ReportKind) -> String {
    assert_short(&signed(message.clone(), kind, OperationId::from_random(7)));
    read(message)
}

fn side_by_side(variants: impl IntoIterator<Item = (impl std::fmt::Display, String)>) -> String {
    let variants = variants.into_iter().map(|(label, text)| format!("── {label}\n{text}\n"));
    variants.collect::<Vec<_>>().join("\n")
}

pub(super) fn failures() -> Vec<Failure> {
    let text = |text: &str| text.to_owned();
    let failures = vec![
        Failure::ActionErrored,
        Failure::ActionVanished,
        Failure::DropletGone,
        Failure::SnapshotGone,
        Failure::DropletUnusable { status: text("archive") },
        Failure::TagRemoved { tag: text("snap") },
        Failure::Unauthorized,
        Failure::OtherAccount,
        Failure::Forbidden { scopes: text("image:create"), message: text("You are not authorized to do this.") },
        Failure::Forbidden { scopes: text("image:create"), message: String::new() },
        Failure::Refused { message: text("You specified an invalid image for `Droplet` creation. @everyone") },
        Failure::Hung,
        Failure::PowerFirst,
        Failure::TooOld,
        Failure::ChangedMeanwhile,
        Failure::NotKnown,
        Failure::RestoreUnclear,
        Failure::NotListed,
        Failure::NotWarned,
        Failure::Internal,
    ];
    let shown: Vec<FailureKind> = failures.iter().map(FailureKind::from).collect();
    let missing: Vec<_> = FailureKind::VARIANTS.iter().filter(|kind| !shown.contains(kind)).collect();
    assert!(missing.is_empty(), "no example of {missing:?}");
    failures
}

fn read_call(message: &Message) -> String {
    read_posted(message, ReportKind::Stuck)
}

fn answered(operation: &Operation) -> String {
    read_posted(&answer(operation, &wording()), ReportKind::Answer)
}

fn notified(operation: &Operation) -> String {
    read_posted(&notify(operation, &wording()), ReportKind::Notify)
}

fn with(mut operation: Operation, change: impl FnOnce(&mut Operation)) -> Operation {
    change(&mut operation);
    operation
}

fn asking(shown: bool) -> Operation {
    with(examples::shutting_down(), |operation| {
        operation.question = Some(Question { opened_at: ago(60), shown_at: shown.then(|| ago(58)) });
        operation.questions = 1;
    })
}

fn elsewhere(kind: Kind, may_cancel: Option<OperationId>) -> Occupant {
    Occupant::Elsewhere { kind: Box::new(kind), may_cancel }
}

/// An operation that ended before it began, because the requester's interaction was not answered.
fn withdrawn(kind: Kind, first_answer: FirstAnswer) -> Operation {
    with(examples::of(kind), |operation| {
        operation.first_answer = first_answer;
        operation.outcome = Some(Outcome::Cancelled);
        operation.ended = Some(ago(200));
        for step in &mut operation.steps {
            step.state = State::Skipped;
        }
    })
}

/// An operation whose question was answered by a person, or by nobody.
fn decided(kind: Kind, instruction: Instruction, by: Option<UserId>) -> Operation {
    with(asking(true), |operation| {
        operation.kind = kind;
        operation.question = None;
        operation.decision = Some(Decision { instruction, by, at: ago(20) });
    })
}

fn launch() -> Kind {
    let droplet = NewDroplet {
        name: "web-2".to_owned(),
        region: "nyc3".to_owned(),
        size: "s-1vcpu-1gb".to_owned(),
        image: SnapshotId(5),
        tags: Vec::new(),
        ssh_keys: Vec::new(),
    };
    Kind::Launch(Launch { snapshot: SnapshotRef { id: SnapshotId(5), name: "web-1-golden".to_owned() }, droplet })
}

fn launched(address: Option<&str>) -> Operation {
    with(examples::of(launch()), |operation| {
        operation.target.name = "web-2".to_owned();
        operation.steps[0].began = Some(ago(60));
        operation.steps[0].state = State::Done { at: ago(5) };
        operation.launched = Some(Launched {
            droplet: DropletId(12),
            address: address.map(str::to_owned),
            monthly_cents: address.map(|_| 600),
        });
        operation.outcome = Some(Outcome::Completed);
        operation.ended = Some(ago(5));
    })
}

fn broken_restore(why: Failure) -> Operation {
    with(examples::restored(), |operation| {
        operation.steps[2].state = State::Failed { at: ago(30), why: why.clone() };
        operation.outcome = Some(Outcome::Failed(why));
    })
}

/// An operation whose steps before this one are done.
fn at_step(kind: Kind, task: Task, state: State) -> Operation {
    with(examples::of(kind), |operation| {
        let index = operation.steps.iter().position(|step| step.task() == task).unwrap();
        for step in &mut operation.steps[..index] {
            step.began = Some(ago(30));
            step.state = State::Done { at: ago(20) };
        }
        operation.steps[index].began = Some(ago(10));
        operation.steps[index].state = state;
    })
}

fn stuck_with(why: Option<Failure>) -> Operation {
    with(examples::powering_on(), |operation| {
        operation.power.edit(|power| {
            power.back = examples::fresh(Work::PowerOn);
            power.stuck = Some(Stuck { since: ago(10), why });
        });
    })
}

fn hindered(what: Blocker) -> Operation {
    with(examples::waiting(), |operation| operation.obstacle = Some(Obstacle { what, since: ago(30) }))
}

/// Its Snapshot's Action has ended, and the Droplet is turned on before the Snapshot is looked for.
fn ended_before_power(concluded: bool) -> Operation {
    with(examples::powering_on(), |operation| {
        operation.steps[1] = examples::taking().steps[1].clone();
        if let State::Running(run) = &mut operation.steps[1].state {
            (run.completed, run.concluded) = (Some(ago(5)), concluded);
        }
    })
}

fn warned_first() -> Operation {
    let warn = Warn { channel: ChannelId(8), minutes: 5 };
    let until = Some(NOW + SignedDuration::from_mins(4));
    with(examples::waiting(), |operation| {
        operation.warning = Some(Warning { warn, due: Some(ago(10)), until, restarted: None, postponed: 0 });
    })
}

#[test]
fn progress_of_every_state() {
    let variants = vec![
        ("just asked for", examples::waiting()),
        ("just asked for, with history", examples::with_history(examples::waiting())),
        ("people are warned first", warned_first()),
        ("live", examples::of(examples::take(Downtime::None))),
        (
            "live, with history",
            with(examples::with_history(examples::of(examples::take(Downtime::None))), |operation| {
                operation.steps[0].began = Some(ago(20));
                operation.steps[0].state = examples::running(ago(20));
            }),
        ),
        ("shutting down", examples::shutting_down()),
        (
            "answer lost",
            with(examples::shutting_down(), |operation| {
                operation.steps[0].state = State::Intended { at: ago(20), doubt: Some(Doubt::default()) };
            }),
        ),
        ("turned on by us", examples::turned_on(true)),
        ("on already", examples::turned_on(false)),
        ("restarted", examples::restarted()),
        ("turned off by somebody else", examples::theirs()),
        ("taking", examples::taking()),
        (
            "taking, slower than usual",
            with(examples::taking(), |operation| {
                operation.typical.millis = vec![(Task::Snapshot, 60_000)];
            }),
        ),
        (
            "taken, not listed yet",
            with(examples::taking(), |operation| {
                if let State::Running(run) = &mut operation.steps[1].state {
                    run.completed = Some(ago(5));
                }
                operation.power.edit(|power| {
                    power.owed = None;
                    power.came_back = Some(ago(2));
                });
            }),
        ),
        (
            "stopping",
            with(examples::taking(), |operation| {
                operation.cancelled = Some(Cancelled { by: Some(BOB), at: ago(3) });
            }),
        ),
        ("question", asking(true)),
        ("power on its way back", examples::powering_on()),
        ("taken, power first", ended_before_power(false)),
        ("known to have ended, power first", ended_before_power(true)),
        ("stuck", stuck_with(None)),
        ("ready", examples::completed()),
        ("ready, was off", examples::was_off()),
        ("ready, live", examples::live()),
        ("failed", examples::failed(Failure::ActionErrored)),
        ("cancelled", examples::cancelled(Some(BOB))),
        ("withdrawn, the answer was refused", withdrawn(examples::take(Downtime::PowerOff), FirstAnswer::Refused)),
        ("withdrawn, no word on the answer", withdrawn(examples::delete(), FirstAnswer::Lost)),
        ("nobody answered", examples::cancelled(None)),
        ("left off", examples::released(Released::LeftOff)),
        ("handled", examples::released(Released::Handled)),
        ("watched", examples::watched()),
        (
            "forced",
            with(examples::taking(), |operation| {
                operation.steps[0].state = State::Failed { at: ago(80), why: Failure::Hung };
                let mut forced = examples::fresh(Work::PowerOff);
                forced.began = Some(ago(80));
                forced.state = State::Done { at: ago(70) };
                operation.steps.insert(1, forced);
            }),
        ),
        (
            "live after a stuck shutdown",
            with(examples::taking(), |operation| {
                operation.steps[0].state = State::Failed { at: ago(80), why: Failure::Hung };
                operation.power.edit(|power| power.parked = true);
            }),
        ),
        ("restore", with(examples::with_history(examples::of(examples::restore())), |_| {})),
        ("restored", examples::restored()),
        ("launched", launched(Some("203.0.113.7"))),
        ("delete", examples::of(examples::delete())),
        (
            "hostile name",
            with(examples::waiting(), |operation| {
                operation.target.name = format!("`@everyone`\n\u{202e}{}", "ä".repeat(300));
            }),
        ),
    ];
    let read = variants.into_iter().map(|(label, operation)| (label, read(&progress(&operation, &wording(), NOW))));
    insta::assert_snapshot!(side_by_side(read));
}

#[test]
fn a_question_in_every_state() {
    let of = |kind: Kind| {
        with(asking(true), |operation| {
            operation.steps = kind.plan();
            operation.steps[0].began = Some(ago(200));
            operation.steps[0].state = examples::running(ago(200));
            operation.kind = kind;
        })
    };
    let take = || examples::take(Downtime::PowerOff);
    let variants = vec![
        ("about to be shown", asking(false)),
        ("shown", asking(true)),
        (
            "the shutdown erred",
            with(asking(true), |operation| {
                if let State::Running(run) = &mut operation.steps[0].state {
                    run.broken = Some(ago(60));
                }
            }),
        ),
        ("of a restore", of(examples::restore())),
        ("of a restore without a safety Snapshot", of(examples::restore_without_safety())),
        ("forced", decided(take(), Instruction::Force, Some(BOB))),
        ("live", decided(take(), Instruction::Live, Some(ADA))),
        ("live, of a restore", decided(examples::restore(), Instruction::Live, Some(ADA))),
        ("cancelled", decided(take(), Instruction::Cancel, Some(ADA))),
        ("nobody answered", decided(take(), Instruction::Cancel, None)),
        ("moot", with(asking(true), |operation| operation.question = None)),
    ];
    let read = variants
        .into_iter()
        .map(|(label, operation)| (label, read_posted(&question(&operation, &wording(), NOW), ReportKind::Question)));
    insta::assert_snapshot!(side_by_side(read));
}

#[test]
fn what_can_still_be_stopped_is_said_by_kind_and_step() {
    let cases = [
        (examples::take(Downtime::PowerOff), Task::ShutDown),
        (examples::take(Downtime::PowerOff), Task::Snapshot),
        (examples::restore(), Task::ShutDown),
        (examples::restore(), Task::Snapshot),
        (examples::restore(), Task::Restore),
        (launch(), Task::Create),
        (examples::delete(), Task::Delete),
    ];
    let states = [
        ("waiting", State::Waiting(Checks::default())),
        ("sent", State::Intended { at: ago(10), doubt: None }),
        ("answer lost", State::Intended { at: ago(10), doubt: Some(Doubt::default()) }),
        ("under way", examples::running(ago(10))),
    ];
    let titles = cases.iter().flat_map(|(kind, task)| {
        states.iter().map(move |(called, state)| {
            let operation = with(at_step(kind.clone(), *task, state.clone()), |operation| {
                operation.cancelled = Some(Cancelled { by: Some(BOB), at: ago(3) });
            });
            format!("{} {task:?} {called}: {}", kind.word(), progress(&operation, &wording(), NOW).embeds[0].title)
        })
    });
    insta::assert_snapshot!(titles.collect::<Vec<_>>().join("\n"));
}

#[test]
fn every_obstacle_is_named() {
    let variants = [
        Blocker::Event(Some("backup".to_owned())),
        Blocker::Event(None),
        Blocker::Locked,
        Blocker::Unsettled("new".to_owned()),
        Blocker::Outage,
        Blocker::Throttled,
        Blocker::Turn,
    ];
    let waiting_line = |what: Blocker| {
        let message = progress(&hindered(what), &wording(), NOW);
        // The first line is the progress.
        message.embeds.first().and_then(|embed| embed.description.lines().nth(1)).unwrap_or_default().to_owned()
    };
    insta::assert_snapshot!(variants.map(waiting_line).join("\n"));
}

#[test]
fn answers_of_every_ending() {
    let variants = vec![
        ("ready", examples::completed()),
        ("ready, without a size", with(examples::completed(), |operation| operation.snapshot = None)),
        (
            "somebody was quicker",
            with(examples::completed(), |operation| {
                operation.power.edit(|power| power.back.state = State::Skipped);
            }),
        ),
        (
            "DigitalOcean left it on after the restore",
            with(examples::restored(), |operation| {
                operation.power.edit(|power| {
                    power.back.state = State::Skipped;
                    power.after = Some(PowerState::On);
                });
            }),
        ),
        (
            "somebody was quicker after a restore",
            with(examples::restored(), |operation| {
                operation.power.edit(|power| {
                    power.back.state = State::Skipped;
                    power.after = Some(PowerState::Off);
                });
            }),
        ),
        ("was off", examples::was_off()),
        (
            "was off, somebody turned it on",
            with(examples::was_off(), |operation| {
                operation.power.edit(|power| power.after = Some(PowerState::On));
            }),
        ),
        ("live", examples::live()),
        (
            "too late to cancel",
            with(examples::completed(), |operation| {
                operation.cancelled = Some(Cancelled { by: Some(BOB), at: ago(100) });
            }),
        ),
        ("cancelled", examples::cancelled(Some(BOB))),
        ("nobody answered", examples::cancelled(None)),
        ("left off", examples::released(Released::LeftOff)),
        ("handled", examples::released(Released::Handled)),
        ("watched", examples::watched()),
        ("restored", examples::restored()),
        (
            "restore cancelled after the safety Snapshot",
            with(examples::restored(), |operation| {
                operation.steps[2].state = State::Skipped;
                operation.steps[2].began = None;
                operation.cancelled = Some(Cancelled { by: Some(ADA), at: ago(100) });
                operation.outcome = Some(Outcome::Cancelled);
            }),
        ),
        (
            "undone",
            with(examples::restored(), |operation| {
                let snapshot = SnapshotRef { id: SnapshotId(6), name: text("web-1-safety-20261121-1740-aaaaaaaa") };
                operation.kind = Kind::Restore(Restore { snapshot, safety: Safety::Snapshot, rewrites: None });
            }),
        ),
        ("restore errored", broken_restore(Failure::ActionErrored)),
        ("restore refused", broken_restore(Failure::Refused { message: text("no") })),
        (
            "restore errored, without a safety Snapshot",
            with(broken_restore(Failure::ActionErrored), |operation| {
                let snapshot = SnapshotRef { id: SnapshotId(6), name: text("golden") };
                operation.kind = Kind::Restore(Restore { snapshot, safety: Safety::None, rewrites: None });
                operation.steps.remove(1);
                operation.snapshot = None;
            }),
        ),
        ("turned off by somebody else", examples::theirs()),
        ("turned on", examples::turned_on(true)),
        ("on already", examples::turned_on(false)),
        ("restarted", examples::restarted()),
        ("launched", launched(Some("203.0.113.7"))),
        ("launched without an address", launched(None)),
        (
            "deleted",
            with(examples::of(examples::delete()), |operation| {
                operation.outcome = Some(Outcome::Completed);
                operation.ended = Some(ago(1));
            }),
        ),
    ];
    let message = variants.iter().map(|(label, operation)| (*label, answered(operation)));
    let told = std::iter::once(("notify", notified(&examples::completed())));
    insta::assert_snapshot!(side_by_side(message.chain(told)));
}

#[test]
fn an_announcement_whose_snapshot_was_deleted_offers_no_way_back_by_it() {
    let deleted = |operation: &Operation, snapshot: u64| {
        let said = without_snapshot(
            answer(operation, &wording()),
            (operation, &wording()),
            (SnapshotId(snapshot), Deleter::Person(BOB), ago(60)),
        );
        read_posted(&Message { buttons: Vec::new(), ..said }, ReportKind::Answer)
    };
    let undone = with(examples::restored(), |operation| {
        let snapshot = SnapshotRef { id: SnapshotId(6), name: text("web-1-safety-20261121-1740-aaaaaaaa") };
        operation.kind = Kind::Restore(Restore { snapshot, safety: Safety::Snapshot, rewrites: None });
    });
    let variants = [
        ("ready", deleted(&examples::completed(), 9)),
        ("restored", deleted(&examples::restored(), 9)),
        ("undone, the older one is deleted", deleted(&undone, 6)),
        ("restore errored", deleted(&broken_restore(Failure::ActionErrored), 9)),
        ("restore unclear", deleted(&broken_restore(Failure::RestoreUnclear), 9)),
        ("restore refused for want of a scope", deleted(&broken_restore(Failure::Unauthorized), 9)),
    ];
    insta::assert_snapshot!(side_by_side(variants));
}

/// For each kind, an operation with this failure, at the step where it can occur.
pub(super) fn failed_so(why: &Failure) -> Vec<(&'static str, Operation)> {
    let ending = |kind: Kind, task: Task, change: &dyn Fn(&mut Operation)| {
        let state = State::Failed { at: ago(30), why: why.clone() };
        with(at_step(kind, task, state), |operation| {
            operation.outcome = Some(Outcome::Failed(why.clone()));
            operation.ended = Some(ago(8));
            change(operation);
        })
    };
    let powered = |operation: &mut Operation| {
        operation.power = examples::completed().power;
        operation.power.edit(|power| power.gone = *why == Failure::DropletGone);
    };
    let kept = |operation: &mut Operation| {
        powered(operation);
        operation.snapshot = examples::completed().snapshot;
    };
    let made = |operation: &mut Operation| {
        let Operation { target, launched, .. } = launched(None);
        (operation.target, operation.launched) = (target, launched);
    };
    let unanswered = |operation: &mut Operation| {
        operation.target = launched(None).target;
        operation.steps[0].answer_lost = true;
    };
    vec![
        ("take", ending(examples::take(Downtime::PowerOff), Task::Snapshot, &powered)),
        ("restore, safety Snapshot", ending(examples::restore(), Task::Snapshot, &powered)),
        ("restore", ending(examples::restore(), Task::Restore, &kept)),
        ("restore without safety", ending(examples::restore_without_safety(), Task::Restore, &powered)),
        ("launch", ending(launch(), Task::Create, &|operation| operation.target = launched(None).target)),
        ("launch, made", ending(launch(), Task::Create, &made)),
        ("launch, answer lost", ending(launch(), Task::Create, &unanswered)),
        ("delete", ending(examples::delete(), Task::Delete, &|_| {})),
    ]
}

#[test]
fn answers_of_every_failure_by_kind() {
    let message = failures().into_iter().flat_map(|why| {
        let of = |(kind, operation)| {
            notified(&operation);
            (format!("{kind} · {why:?}"), answered(&operation))
        };
        failed_so(&why).into_iter().map(of).collect::<Vec<_>>()
    });
    insta::assert_snapshot!(side_by_side(message));
}

#[test]
fn answers_to_every_cancel_by_kind() {
    let cancelled = |kind: Kind, task: Task, change: &dyn Fn(&mut Operation)| {
        with(at_step(kind, task, State::Skipped), |operation| {
            for step in operation.steps.iter_mut().filter(|step| !step.is_done()) {
                step.state = State::Skipped;
                step.began = None;
            }
            operation.cancelled = Some(Cancelled { by: Some(BOB), at: ago(100) });
            operation.outcome = Some(Outcome::Cancelled);
            operation.ended = Some(ago(8));
            change(operation);
        })
    };
    let untouched = |operation: &mut Operation| operation.power.edit(|power| power.before = Some(PowerState::On));
    let powered = |operation: &mut Operation| operation.power = examples::completed().power;
    let kept = |operation: &mut Operation| {
        powered(operation);
        operation.snapshot = examples::completed().snapshot;
    };
    let take = || examples::take(Downtime::PowerOff);
    let variants = [
        ("take, before it began", cancelled(take(), Task::ShutDown, &untouched)),
        ("take, after the shutdown", cancelled(take(), Task::Snapshot, &powered)),
        ("restore, before it began", cancelled(examples::restore(), Task::ShutDown, &untouched)),
        ("restore, after the safety Snapshot", cancelled(examples::restore(), Task::Restore, &kept)),
        ("restore without safety", cancelled(examples::restore_without_safety(), Task::Restore, &powered)),
        ("launch", cancelled(launch(), Task::Create, &|operation| operation.target = launched(None).target)),
        ("delete", cancelled(examples::delete(), Task::Delete, &|_| {})),
    ];
    insta::assert_snapshot!(side_by_side(variants.map(|(label, of)| (label, answered(&of)))));
}

fn listed(operations: impl IntoIterator<Item = Operation>) -> Vec<Called> {
    let listed = operations.into_iter().enumerate();
    listed.map(|(at, operation)| Called { operation, leads: at == 0, is_called_elsewhere: false }).collect()
}

fn alone(operation: Operation) -> Message {
    call(&listed([operation]))
}

/// An operation of another Droplet.
fn of_droplet(number: u64, name: &str, operation: Operation) -> Operation {
    with(operation, |operation| {
        operation.id = OperationId::from_random(number);
        operation.target.droplet = Some(DropletId(number));
        name.clone_into(&mut operation.target.name);
    })
}

fn still_off(number: u64, name: &str) -> Operation {
    of_droplet(number, name, stuck_with(None))
}

fn on_again(number: u64, name: &str) -> Operation {
    of_droplet(
        number,
        name,
        with(stuck_with(None), |operation| {
            operation.power.edit(|power| {
                power.owed = None;
                power.came_back = Some(NOW);
            });
        }),
    )
}

#[test]
fn what_a_call_says_about_several_droplets() {
    let of = |user: UserId, operation: Operation| with(operation, |operation| operation.requester.user = user);
    let not_getting_on = |number, name: &str| {
        of_droplet(
            number,
            name,
            with(examples::taking(), |operation| {
                operation.power.edit(|power| power.stuck = Some(Stuck { since: ago(10), why: None }));
                operation.obstacle = Some(Obstacle { what: Blocker::Outage, since: ago(600) });
            }),
        )
    };
    let refused = |number, name| of_droplet(number, name, stuck_with(Some(Failure::Unauthorized)));
    let unseen = |number, name| with(still_off(number, name), |it| it.power.edit(|power| power.seen_off = false));
    let recovering = |number, name| with(still_off(number, name), |it| it.power.edit(|power| power.stuck = None));
    let released = |number, name| of_droplet(number, name, examples::released(Released::Handled));
    let mut told_by_their_own = listed([still_off(1, "web-1"), of(BOB, still_off(2, "db"))]);
    told_by_their_own[1].is_called_elsewhere = true;
    let variants = [
        ("three of one asker", listed([still_off(1, "web-1"), still_off(2, "web-2"), still_off(3, "db")])),
        ("two of two askers", listed([still_off(1, "web-1"), of(BOB, still_off(2, "db"))])),
        ("one of them is told by a message of its own", told_by_their_own),
        ("an outage in the middle", listed([not_getting_on(1, "web-1"), not_getting_on(2, "web-2")])),
        ("some are turned on", listed([not_getting_on(1, "web-1"), still_off(2, "web-2")])),
        ("a refused token", listed([refused(1, "web-1"), refused(2, "web-2")])),
        ("another reason by now", listed([still_off(1, "web-1"), refused(2, "web-2")])),
        ("one cannot be seen", listed([still_off(1, "web-1"), unseen(2, "web-2")])),
        (
            "some are over",
            listed([
                still_off(1, "web-1"),
                still_off(2, "web-2"),
                on_again(3, "db"),
                on_again(4, "cache"),
                recovering(5, "mail"),
                released(6, "old"),
            ]),
        ),
        ("one is left", listed([on_again(1, "web-1"), still_off(2, "web-2"), on_again(3, "db")])),
        ("all are on again", listed([on_again(1, "web-1"), on_again(2, "web-2")])),
        ("all are over", listed([on_again(1, "web-1"), recovering(2, "web-2"), released(3, "old")])),
    ];
    insta::assert_snapshot!(side_by_side(variants.map(|(label, called)| (label, read(&call(&called))))));
}

#[test]
fn what_a_call_about_one_droplet_says_once_it_is_over() {
    let said = |operation| read_call(&alone(operation));
    let variants = [
        ("on again", said(on_again(1, "web-1"))),
        ("on, and watched", said(with(stuck_with(None), |it| it.power.edit(|power| power.parked = true)))),
        (
            "seen on, never seen off",
            said(with(stuck_with(None), |it| {
                it.power.edit(|power| {
                    (power.owed, power.last_seen) = (None, Some(PowerState::On));
                });
            })),
        ),
        ("getting on again", said(with(stuck_with(None), |it| it.power.edit(|power| power.stuck = None)))),
        ("handled", said(examples::released(Released::Handled))),
        ("left off", said(examples::released(Released::LeftOff))),
        ("gone", said(with(stuck_with(None), |it| it.power.edit(|power| (power.owed, power.gone) = (None, true))))),
        (
            "never by us",
            said(with(stuck_with(None), |it| {
                it.power.edit(|power| {
                    (power.owed, power.before) = (None, Some(PowerState::Off));
                });
            })),
        ),
        ("taken over", said(with(stuck_with(None), |it| it.power.edit(|power| power.owed = None)))),
    ];
    insta::assert_snapshot!(side_by_side(variants));
}

#[test]
fn a_call_about_200_droplets_names_as_many_as_discord_lets_it() {
    let long = "w".repeat(255);
    let operations = |count: u64, made: fn(u64, &str) -> Operation| {
        (1..=count).map(|number| made(number, &long)).collect::<Vec<_>>()
    };
    let of = |(at, operation): (usize, Operation)| {
        with(operation, |operation| operation.requester.user = UserId(u64::MAX - at as u64 % 20))
    };
    for (off, on) in [(200, 0), (2, 198), (100, 100), (0, 200), (1, 199)] {
        let all = operations(off, still_off).into_iter().chain(operations(on, on_again)).enumerate().map(of);
        let message = signed(call(&listed(all)), ReportKind::Stuck, OperationId::from_random(7));
        assert!(crate::text::length(&message.content) <= 2000, "{}", message.content);
        assert!(!message.content.contains("…\n-#"), "nothing is cut off: {}", message.content);
        assert_eq!(message.pings.len(), 20);
        if off > 2 {
            assert!(message.content.contains(" more\n"), "{}", message.content);
        }
    }
}

#[test]
fn what_is_said_about_power_by_itself() {
    let late = with(examples::watched(), |operation| {
        operation.power.edit(|power| {
            power.owed = None;
            power.came_back = Some(NOW);
            power.repaired = Some(NOW);
        });
    });
    let variants = [
        ("stuck, kept waiting", read_call(&alone(stuck_with(None)))),
        (
            "stuck, waiting for somebody else's event",
            read_call(&alone(with(examples::taking(), |operation| {
                operation.power.edit(|power| {
                    power.seen_off = true;
                    power.stuck = Some(Stuck { since: ago(10), why: None });
                });
                let what = Blocker::Event(Some("enable_backups".to_owned()));
                operation.obstacle = Some(Obstacle { what, since: ago(600) });
            }))),
        ),
        (
            "stuck, never seen off",
            read_call(&alone(with(stuck_with(None), |operation| {
                operation.power.edit(|power| power.seen_off = false);
            }))),
        ),
        ("stuck, token refused", read_call(&alone(stuck_with(Some(Failure::Unauthorized))))),
        ("stuck, token of another account", read_call(&alone(stuck_with(Some(Failure::OtherAccount))))),
        ("stuck, refused", read_call(&alone(stuck_with(Some(Failure::Refused { message: "no".to_owned() }))))),
        ("repaired", read_posted(&repaired(&late), ReportKind::Repaired)),
    ];
    insta::assert_snapshot!(side_by_side(variants));
}

fn denials() -> Vec<Denial> {
    vec![
        Denial::NotInGuild,
        Denial::ForeignGuild,
        Denial::MissingRole { right: Right::Take, roles: vec![RoleId(21)] },
        Denial::MissingRole { right: Right::Restore, roles: vec![RoleId(21), RoleId(22)] },
        Denial::NobodyConfigured { right: Right::View },
    ]
}

/// The reasons why a warning is not possible.
fn unwarned() -> impl Iterator<Item = Refusal> {
    let cannot = WarningRefusal::CannotPost { channel: ChannelId(8), missing: vec!["View Channel", "Send Messages"] };
    let time = WarningRefusal::Time { text: "soon".to_owned() };
    let not_yours = WarningRefusal::NotYours { channel: ChannelId(8) };
    [time, WarningRefusal::Place, cannot, not_yours, WarningRefusal::Unanswered].into_iter().map(Refusal::Warning)
}

#[test]
#[expect(clippy::too_many_lines, reason = "each refusal has its example here")]
fn every_refusal() {
    let operation: OperationId = "7f3kq2xa".parse().unwrap();
    let text = |text: &str| text.to_owned();
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let progress = Some((GuildId(1), ChannelId(7), MessageId(70)));
    let again = Some(Box::new(Press::Begin { what: Begun::Take, droplet: Some(DropletId(11)) }));
    let here = |progress, cancel| Occupant::Here { operation, progress, cancel };
    let mut refusals: Vec<Refusal> = denials().into_iter().map(Refusal::Denied).collect();
    refusals.push(Refusal::DeniedTo { denial: denials().remove(2), to: "pin Snapshots" });
    refusals.push(Refusal::PinnedByOther { by: ADA, denial: denials().remove(2) });
    refusals.push(Refusal::AmbiguousSshKey {
        text: text("laptop"),
        labels: vec![text("laptop · aa:01"), text("laptop · bb:02")],
    });
    refusals.extend([
        Refusal::UnknownDroplet { text: text("wbe-1"), nearest: names(&["web-1"]) },
        Refusal::UnknownDroplet { text: text("wbe-1"), nearest: names(&["web-1", "web-2", "web-3"]) },
        Refusal::UnknownDroplet { text: text("`@everyone`"), nearest: Vec::new() },
        Refusal::AmbiguousDroplet { text: text("web-1"), labels: names(&["web-1 · nyc3", "web-1 · fra1"]) },
        Refusal::UntaggedDroplet { name: text("db-1"), tag: text("prod") },
        Refusal::DigitalOceanDown,
        Refusal::DigitalOceanTokenRefused,
        Refusal::DigitalOceanForbids {
            scopes: "sizes:read".to_owned(),
            message: "Your account is locked. Please contact support.".to_owned(),
        },
        Refusal::OwnDroplet { droplet: text("bot-1"), may_take_live: true },
        Refusal::OwnDroplet { droplet: text("bot-1"), may_take_live: false },
        Refusal::Busy { droplet: text("web-1"), by: here(progress, MayCancel::Asker), again },
        Refusal::Busy {
            droplet: text("web-1"),
            by: here(None, MayCancel::Others(vec![RoleId(21), RoleId(22)])),
            again: None,
        },
        Refusal::Busy { droplet: text("web-1"), by: here(None, MayCancel::Others(Vec::new())), again: None },
        Refusal::Busy { droplet: text("web-1"), by: here(None, MayCancel::Nobody), again: None },
        Refusal::Busy { droplet: text("web-1"), by: elsewhere(examples::take(Downtime::PowerOff), None), again: None },
        Refusal::Busy { droplet: text("web-1"), by: elsewhere(examples::restore(), Some(operation)), again: None },
        Refusal::DropletGone { droplet: None },
        Refusal::DropletGone { droplet: Some(text("web-1")) },
        Refusal::SnapshotGone { id: SnapshotId(5) },
        Refusal::UnknownSnapshot { text: text("gloden"), droplet: Some(text("web-1")), nearest: names(&["golden"]) },
        Refusal::UnknownSnapshot { text: text("gloden"), droplet: None, nearest: Vec::new() },
        Refusal::AmbiguousSnapshot { text: text("a"), labels: names(&["a · 1 day old", "a · 2 days old"]) },
        Refusal::ForeignSnapshot { snapshot: text("dump"), droplet: text("web-1") },
        Refusal::DiskTooSmall { droplet: text("web-1"), disk: 25, snapshot: text("golden"), needed: 50 },
        Refusal::NotInRegion { snapshot: text("golden"), region: text("fra1"), regions: names(&["nyc3", "ams3"]) },
        Refusal::NotWithDroplet {
            snapshot: text("golden"),
            droplet: text("web-1"),
            region: text("fra1"),
            regions: names(&["nyc3", "ams3"]),
        },
        Refusal::Locked { droplet: text("web-1") },
        Refusal::AlreadyOn { droplet: text("web-1") },
        Refusal::NotOn { droplet: text("web-1") },
        Refusal::StillNew { droplet: text("web-1") },
        Refusal::Unusable { droplet: text("web-1"), status: text("archived") },
        Refusal::SnapshotInUse { by: here(progress, MayCancel::Asker) },
        Refusal::SnapshotInUse { by: here(None, MayCancel::Nobody) },
        Refusal::SnapshotInUse { by: elsewhere(launch(), None) },
        Refusal::SnapshotInUse { by: elsewhere(examples::delete(), Some(operation)) },
        Refusal::ThreadLocked,
        Refusal::BadDropletName,
        Refusal::NoRegion { snapshot: text("golden") },
        Refusal::NoSize { needed: 500 },
        Refusal::SizeTooSmall { size: text("tiny"), disk: 10, needed: 25, suggestions: names(&["small", "large"]) },
        Refusal::GpuSize { size: text("gpu-h100x1-80gb"), suggestions: names(&["small", "large"]) },
        Refusal::UnknownSize { text: text("huge"), suggestions: Vec::new() },
        Refusal::UnknownSshKey { text: text("laptop") },
        Refusal::Schedule(ScheduleRefusal::NoGroup),
        Refusal::QuestionExpired,
        Refusal::QuestionAnswered,
        Refusal::NotYourQuestion,
        Refusal::NothingToUndo,
        Refusal::NothingToUndoOn { snapshot: text("web-1-safety-20261122-1740-7f3kq2xa"), id: SnapshotId(6) },
        Refusal::UndoOver { snapshot: text("web-1-safety-20261122-1740-7f3kq2xa"), id: SnapshotId(6) },
        Refusal::CannotPost { missing: vec!["Send Messages", "Embed Links"] },
        Refusal::Draining,
        Refusal::Standby,
        Refusal::TooFast,
        Refusal::TooManyRunning { most: 10 },
        Refusal::TooManyAtOnce { most: 10 },
        Refusal::TakenLately { droplet: text("web-1"), until: NOW },
        Refusal::BadSnapshotName(BadName::Empty),
        Refusal::BadSnapshotName(BadName::TooLong),
        Refusal::BadSnapshotName(BadName::Invisible),
        Refusal::BadSnapshotName(BadName::Safety),
        Refusal::UnknownOperation { text: text("nonsense") },
        Refusal::AlreadyEnded(operation),
        Refusal::NothingRunsOn { text: text("wbe-1"), running: names(&["web-1", "db-1"]) },
        Refusal::NothingRunsOn { text: text("wbe-1"), running: Vec::new() },
        Refusal::AmbiguousOperation {
            text: text("web-1"),
            labels: vec![choice(&examples::waiting()), choice(&examples::of(examples::restore()))],
        },
        Refusal::TooLate { operation, progress },
        Refusal::TooLate { operation, progress: None },
        Refusal::NotYours {
            denial: Denial::MissingRole { right: Right::Restore, roles: vec![RoleId(22)] },
            to: "cancel it",
        },
        Refusal::SnapshotDeleted { by: Deleter::Person(BOB), at: ago(3600) },
        Refusal::SnapshotDeleted { by: Deleter::Schedule(ScheduleId::from_random(7)), at: ago(3600) },
        Refusal::SourceGone { snapshot: text("golden"), id: SnapshotId(5) },
        Refusal::TriedAgain { by: here(progress, MayCancel::Nobody) },
        Refusal::TriedAgain { by: elsewhere(launch(), None) },
        Refusal::RunTriedAgain { channel: ChannelId(7) },
        Refusal::NoneLeft { tag: text("prod") },
        Refusal::RetryOver,
        Refusal::NothingChosen,
        Refusal::UnknownButton,
        Refusal::UnknownCommand,
        Refusal::Backups(BackupsRefusal::On { droplet: text("web-1") }),
    ]);
    refusals.extend(unwarned());
    let shown: Vec<RefusalKind> = refusals.iter().map(RefusalKind::from).collect();
    let missing: Vec<_> = RefusalKind::VARIANTS.iter().filter(|kind| !shown.contains(kind)).collect();
    assert!(missing.is_empty(), "no example of {missing:?}");
    let message = refusals.iter().map(|refusal| (format!("{refusal:?}"), read_short(&refusal::message(refusal))));
    let down = refusal::not_now(&Refusal::DigitalOceanDown, Press::Delete(SnapshotId(5)));
    let message = message.chain([(text("pressed while DigitalOcean is down"), read_short(&down))]);
    insta::assert_snapshot!(side_by_side(message));
}

fn mentions() -> Mentions {
    Mentions::new([("snapshot".to_owned(), 9)])
}

#[test]
fn short_replies() {
    let operation = examples::waiting();
    let mut message = vec![
        (text("accepted"), reply::accepted(&operation, Some((ChannelId(7), MessageId(70))))),
        (text("accepted, not posted yet"), reply::accepted(&operation, None)),
        (text("incident"), reply::incident("4f7g2h1k")),
        (text("memory silent"), reply::memory_silent("4f7g2h1k")),
        (text("memory failed"), reply::memory_failed("4f7g2h1k")),
        (text("cannot be read"), reply::unreadable()),
        (text("help, all"), read(&help(&HELP, Some(Right::Restore), None, AdminsMay::Everything, &mentions()))),
        (
            text("help, view"),
            read(&help(&HELP, Some(Right::View), denials().get(2), AdminsMay::Everything, &mentions())),
        ),
        (
            text("help, nobody configured"),
            read(&help(&HELP, None, denials().last(), AdminsMay::Everything, &Mentions::default())),
        ),
    ];
    message.extend(Act::ALL.map(|act| (format!("{act:?}"), reply::heard(act, &operation))));
    let begun = |task: Task| {
        let kind = match task {
            Task::Create => launch(),
            Task::Delete => examples::delete(),
            Task::Restore => examples::restore(),
            _ => examples::take(Downtime::PowerOff),
        };
        with(at_step(kind, task, examples::running(ago(10))), |operation| {
            let owed = examples::taking().power.owed().filter(|_| operation.steps.len() > 1);
            operation.power.edit(|power| power.owed = owed);
        })
    };
    let tasks = [Task::ShutDown, Task::Snapshot, Task::Restore, Task::Create, Task::Delete];
    message.extend(tasks.map(|task| (format!("Cancel during {task:?}"), reply::heard(Act::Cancel, &begun(task)))));
    message.push((text("declined"), reply::declined(None)));
    insta::assert_snapshot!(side_by_side(message));
}

fn text(text: &str) -> String {
    text.to_owned()
}

#[test]
fn status_in_all_its_shapes() {
    let number = std::cell::Cell::new(0);
    let entry = |operation: Operation, message: Option<u64>| {
        number.set(number.get() + 1);
        let operation = with(operation, |operation| operation.id = OperationId::from_random(number.get()));
        Entry { operation, progress: message.map(|message| (ChannelId(7), MessageId(message))) }
    };
    let running =
        [entry(examples::taking(), Some(70)), entry(asking(true), Some(71)), entry(examples::waiting(), None)];
    let ended = [
        entry(examples::completed(), Some(72)),
        entry(examples::failed(Failure::Hung), Some(73)),
        entry(examples::cancelled(None), Some(74)),
        entry(examples::watched(), None),
        entry(withdrawn(examples::delete(), FirstAnswer::Refused), None),
    ];
    let what = [
        What::Asked,
        What::Confirmed,
        What::Instructed(Instruction::Cancel),
        What::Instructed(Instruction::Force),
        What::Instructed(Instruction::Live),
        What::Instructed(Instruction::LeaveOff),
        What::Instructed(Instruction::HandleIt),
        What::Instructed(Instruction::KeepWaiting),
        What::Instructed(Instruction::TurnOn),
        What::Instructed(Instruction::QuestionShown),
        What::Instructed(Instruction::Postpone),
        What::Instructed(Instruction::WarningShown),
        What::Instructed(Instruction::WarningRefused),
        What::Instructed(Instruction::AnswerTaken),
        What::Instructed(Instruction::AnswerLost),
        What::Instructed(Instruction::AnswerRefused),
        What::Inherited(OperationId::from_random(0)),
        What::HandedOver(OperationId::from_random(0)),
        What::QuestionRanOut,
        What::Judged(Outcome::Completed),
        What::Stuck,
        What::CameBack,
        What::Repaired,
        What::Unreadable,
        What::TriedAgain(OperationId::from_random(9)),
        What::Ended,
    ];
    let by = |what: &What| matches!(what, What::Asked | What::Confirmed | What::Instructed(_)).then_some(ADA);
    let told: Vec<_> = what.into_iter().map(|what| Event { at: NOW, by: by(&what), what }).collect();
    let live = Event { at: NOW, by: Some(ADA), what: What::Instructed(Instruction::Live) };
    let one = |entry: &Entry, told: &[Event]| read(&detail(entry, told, NOW));
    let of = |operation: Operation| one(&entry(operation, Some(75)), &told[..1]);
    let some = Overview { running: running.to_vec(), more: 12, ended: ended.to_vec() };
    let idle = Overview { running: Vec::new(), more: 0, ended: ended[..1].to_vec() };
    let variants = [
        ("nothing at all", read(&overview(&Overview::default(), NOW))),
        ("some", read(&overview(&some, NOW))),
        ("nothing runs", read(&overview(&idle, NOW))),
        ("one", one(&ended[0], &told)),
        ("one that runs", one(&running[0], &told[..1])),
        ("one that failed", of(examples::failed(Failure::ActionErrored))),
        ("a restore", one(&entry(examples::restored(), Some(75)), &[live])),
        ("a launch", of(launched(Some("203.0.113.7")))),
        ("a deletion", of(examples::of(examples::delete()))),
        ("choice", choice(&examples::completed())),
        ("choice of a deletion", choice(&examples::of(examples::delete()))),
        ("choice of a launch", choice(&launched(None))),
    ];
    insta::assert_snapshot!(side_by_side(variants));
}

#[test]
fn ten_that_run_and_ten_that_ended_always_fit() {
    let far = |mut operation: Operation| {
        let id = 1_199_999_999_999_999_999;
        operation.requester = Requester { user: UserId(id), guild: GuildId(id), channel: ChannelId(id) };
        operation.target.name = "a-rather-long-name-of-a-droplet".repeat(8);
        Entry { operation, progress: Some((ChannelId(id), MessageId(id))) }
    };
    let slow = with(examples::taking(), |operation| {
        operation.kind = examples::restore();
        operation.obstacle = Some(Obstacle { what: Blocker::Event(Some("x".repeat(200))), since: ago(30) });
    });
    let failed = with(examples::watched(), |operation| {
        operation.kind = examples::restore();
        operation.outcome = Some(Outcome::Failed(Failure::RestoreUnclear));
    });
    let ten = |operation: &Operation| std::iter::repeat_n(far(operation.clone()), LISTED).collect::<Vec<_>>();
    let full = overview(&Overview { running: ten(&slow), more: 990, ended: ten(&failed) }, NOW);
    let length = |text: &str| text.encode_utf16().count();
    let [running, ended] = full.embeds.as_slice() else { panic!("two embeds") };
    let links = |embed: &Embed| embed.description.matches("https://discord.com/channels/").count();
    assert_eq!((links(running), links(ended)), (LISTED, LISTED));
    assert!(running.description.ends_with("and 990 more"));
    let all = |embed: &Embed| length(&embed.title) + length(&embed.description) + length(&embed.footer);
    assert!(all(running) + all(ended) <= 6000, "{} + {}", all(running), all(ended));
    assert!([running, ended].iter().all(|embed| length(&embed.description) <= 4096));
}

#[test]
fn of_a_long_timeline_the_last_events_are_shown() {
    let press = |number: u64| Event { at: NOW, by: Some(UserId(number)), what: What::Instructed(Instruction::Cancel) };
    let many: Vec<_> = (1..=500).map(press).collect();
    let message = detail(&Entry { operation: examples::completed(), progress: None }, &many, NOW);
    let description = &message.embeds[0].description;
    assert!(description.encode_utf16().count() <= 4096);
    assert!(description.contains("earlier events") && description.ends_with("pressed by <@500>"), "{description}");
}

#[test]
fn an_edit_that_changes_nothing_is_not_sent() {
    let operation = examples::taking();
    let digest = |operation: &Operation, later: i64| {
        progress(operation, &wording(), NOW + SignedDuration::from_secs(later)).digest()
    };
    assert_eq!(digest(&operation, 0), digest(&operation, 20), "time alone is counted by the reader's client");
    let mut more_looks = operation.clone();
    if let State::Running(run) = &mut more_looks.steps[1].state {
        run.looks += 1;
    }
    assert_eq!(digest(&operation, 0), digest(&more_looks, 0), "a look that found nothing new is no news");
    assert_ne!(digest(&operation, 0), digest(&examples::powering_on(), 0));
}

proptest::proptest! {
    #[test]
    fn no_name_breaks_discords_limits_or_pings(name: String, region: String, tag: String, message: String) {
        let spoil = |mut operation: Operation| {
            operation.target.name = name.repeat(20);
            operation.target.region = Some(region.repeat(50));
            operation.snapshot_name = format!("{}-{}", name.repeat(20), operation.id);
            operation
        };
        let failure = [Failure::TagRemoved { tag }, Failure::Refused { message: message.repeat(100) }];
        for why in failure {
            let operation = spoil(examples::failed(why));
            let message = [progress(&operation, &wording(), NOW), answer(&operation, &wording()), notify(&operation, &wording())];
            for message in message {
                let length = |text: &str| text.encode_utf16().count();
                proptest::prop_assert!(length(&message.content) <= 2000);
                for embed in &message.embeds {
                    proptest::prop_assert!(length(&embed.title) <= 256 && length(&embed.description) <= 4096);
                    proptest::prop_assert!(length(&embed.footer) <= 2048);
                }
                let allowed = [format!("<@{ADA}>"), format!("<#{}>", operation.requester.channel)];
                let outside_spans: String = message.content.split('`').step_by(2).collect();
                let ours = allowed.iter().fold(outside_spans, |text, mention| text.replace(mention, ""));
                proptest::prop_assert!(!ours.contains("<@") && !ours.contains("@everyone") && !ours.contains("@here"), "{ours}");
            }
        }
    }
}

#[test]
fn every_question_before_something_is_lost() {
    use super::confirm::{self, Backups, Buttons, Deleting, Disk, Restoring, Warned};
    let buttons = Buttons { id: "00000000000000ff".parse().unwrap(), expires_at: NOW + SignedDuration::from_mins(2) };
    let snapshot: crate::inventory::Snapshot = serde_json::from_value(serde_json::json!({
        "id": "5", "name": "golden", "created_at": ago(259_200).to_string(), "regions": ["nyc3"], "size_gigabytes": 12.4,
    }))
    .unwrap();
    let unknown = crate::inventory::Snapshot { created_at: None, size_gigabytes: None, ..snapshot.clone() };
    let operation = examples::waiting();
    let plain = Restoring {
        target: &operation.target,
        snapshot: &snapshot,
        is_backup: false,
        taken_by: Some(ADA),
        safety: Safety::Snapshot,
        is_undo: false,
        is_on: true,
        downtime: Some(SignedDuration::from_mins(7)),
        volumes: 0,
        backups: Backups::Later,
        warned: Warned::Nobody,
        disk: Disk::AsShown,
    };
    let restores = [
        ("restore", plain.clone()),
        ("undo, without history", Restoring { is_undo: true, downtime: None, ..plain.clone() }),
        ("no safety, without history", Restoring { safety: Safety::None, downtime: None, ..plain.clone() }),
        ("a Backup", Restoring { is_backup: true, taken_by: None, ..plain.clone() }),
        ("no safety, off", Restoring { safety: Safety::None, is_on: false, ..plain.clone() }),
        ("rebuilt since", Restoring { disk: Disk::Rewritten, ..plain.clone() }),
        ("tried again, people were warned", Restoring { warned: Warned::NotAgain, ..plain.clone() }),
        (
            "people are warned",
            Restoring { warned: Warned::First(Warn { channel: ChannelId(8), minutes: 5 }), ..plain.clone() },
        ),
        ("Volumes, backup window", Restoring { volumes: 2, backups: Backups::Open, ..plain.clone() }),
        (
            "backup window soon",
            Restoring { backups: Backups::Soon(NOW + SignedDuration::from_mins(9)), ..plain.clone() },
        ),
        ("little known, one Volume", Restoring { snapshot: &unknown, taken_by: None, volumes: 1, ..plain }),
    ];
    let restores = restores.map(|(label, asked)| (label, read_short(&confirm::restore(&asked, &wording(), buttons))));
    let one = Deleting {
        snapshot: &snapshot,
        taken_by: Some(BOB),
        droplet: Some("web-1"),
        siblings: Some(3),
        undo_until: None,
        pin: None,
    };
    let pin = crate::store::Pin {
        snapshot: SnapshotRef { id: SnapshotId(5), name: "golden".to_owned() },
        by: ADA,
        guild: GuildId(1),
        at: ago(3_600),
        reason: Some("before the upgrade".to_owned()),
    };
    let deletions = [
        ("delete", one.clone()),
        ("the last one", Deleting { siblings: Some(1), ..one.clone() }),
        ("the last one of a Droplet that is gone", Deleting { siblings: Some(1), droplet: None, ..one.clone() }),
        ("an Undo needs it", Deleting { undo_until: Some(NOW + SignedDuration::from_hours(3)), ..one.clone() }),
        ("pinned", Deleting { pin: Some(&pin), ..one.clone() }),
        ("little known", Deleting { snapshot: &unknown, taken_by: None, siblings: None, ..one }),
    ];
    let deletions = deletions.map(|(label, asked)| (label, read_short(&confirm::delete(&asked, &wording(), buttons))));
    let taking = confirm::Taking {
        target: &operation.target,
        is_on: true,
        downtime: Some(SignedDuration::from_mins(4)),
        is_unwarned: false,
    };
    let takes = [
        ("take", taking.clone()),
        ("take, without history", confirm::Taking { downtime: None, ..taking.clone() }),
        ("take again, people were warned", confirm::Taking { is_unwarned: true, ..taking.clone() }),
        ("take, off", confirm::Taking { is_on: false, ..taking }),
    ];
    let takes = takes.map(|(label, asked)| (label, read_short(&confirm::take(&asked, buttons))));
    let key = |name: &str| super::launch::Key { name: name.to_owned(), fingerprint: format!("3b:{name}") };
    let offer = super::launch::Offer {
        source: Some("web-1".to_owned()),
        tags: vec!["prod".to_owned()],
        keys: vec![key("laptop"), key("")],
        size: "1 vCPU · 1 GB · 25 GB disk".to_owned(),
        monthly: 18.0,
    };
    let Kind::Launch(plain) = launch() else { panic!("a launch") };
    let mut tagged = plain.clone();
    tagged.droplet.tags = vec!["managed".to_owned(), "prod".to_owned()];
    tagged.droplet.ssh_keys = vec!["3b:laptop".to_owned()];
    let bare = super::launch::Offer { source: None, tags: Vec::new(), keys: Vec::new(), ..offer.clone() };
    let launches = [
        ("launch", &plain, &offer),
        ("launch with tags and a key", &tagged, &offer),
        ("little offered", &plain, &bare),
    ];
    let ask = |(label, launch, offer)| (label, read_short(&super::launch::ask(launch, offer, buttons)));
    let all = restores.into_iter().chain(deletions).chain(takes).chain(launches.map(ask));
    insta::assert_snapshot!(side_by_side(all));
}

#[test]
fn a_page_of_the_list() {
    use super::list::{self, Entry as Line, Group, Head, Page};
    use crate::discord::press::Order;
    use crate::inventory::DropletLocation::{Gone, There, Unlisted};
    let snapshot = |json: serde_json::Value| serde_json::from_value::<crate::inventory::Snapshot>(json).unwrap();
    let regions = ["ams3", "blr1", "fra1", "lon1", "nyc1", "nyc3"];
    let shown = [
        snapshot(serde_json::json!({"id": "5", "name": "golden", "created_at": ago(259_200).to_string(),
            "regions": ["nyc3"], "size_gigabytes": 12.4})),
        snapshot(serde_json::json!({"id": "6", "name": "web-1-safety-20261122-1740-7f3kq2xa", "regions": regions})),
        snapshot(serde_json::json!({"id": "7", "name": "`@everyone`\n**x**", "size_gigabytes": 0.01})),
        snapshot(serde_json::json!({"id": "8", "name": "golden", "created_at": ago(259_200).to_string(),
            "regions": ["nyc3"], "size_gigabytes": 12.4})),
    ];
    let entries = || {
        let line = |snapshot| Line {
            snapshot,
            droplet: There("web-1".to_owned()),
            taken_by: None,
            schedule: None,
            kept_by: None,
            is_pinned: false,
        };
        vec![
            Line { taken_by: Some(ADA), ..line(&shown[0]) },
            Line { kept_by: Some(BOB), ..line(&shown[1]) },
            Line { droplet: Gone, ..line(&shown[2]) },
            Line { droplet: Unlisted, schedule: Some(ScheduleId::from_random(7)), is_pinned: true, ..line(&shown[3]) },
        ]
    };
    let head = |droplet, id: Option<u64>, is_continued| {
        let id = id.map(DropletId);
        Some(Head { id, droplet, count: 3, sizes: vec![12.4, 0.01], is_continued })
    };
    let flat = || vec![Group { head: None, entries: entries() }];
    let grouped = vec![
        Group { head: head(There("web-1".to_owned()), Some(11), true), entries: entries().drain(..2).collect() },
        Group { head: head(Gone, Some(12), false), entries: entries().drain(2..3).collect() },
        Group { head: head(Gone, Some(13), false), entries: entries().drain(2..3).collect() },
        Group { head: head(Unlisted, Some(14), false), entries: entries().drain(3..).collect() },
        Group { head: head(Unlisted, None, false), entries: entries().drain(3..).collect() },
    ];
    let (order, sizes, now) = (Order::Grouped, vec![12.4, 0.01], NOW);
    let all = Page { of: None, order, number: 2, pages: 3, count: 23, sizes, groups: grouped, now };
    let newest = Page { order: Order::Newest, number: 1, groups: flat(), ..all.clone() };
    let one = Page {
        of: Some((DropletId(11), There("web-1".to_owned()))),
        number: 1,
        pages: 1,
        count: 1,
        groups: flat(),
        ..all.clone()
    };
    let gone = Page { of: Some((DropletId(11), Gone)), ..one.clone() };
    let unlisted = Page { of: Some((DropletId(11), Unlisted)), ..one.clone() };
    let empty = Page { groups: Vec::new(), count: 0, ..one.clone() };
    let pages = [
        ("all", all),
        ("newest first", newest),
        ("of one", one),
        ("of one that is gone", gone),
        ("of one that is not listed", unlisted),
        ("empty", empty),
    ];
    let lines = entries().into_iter().map(|line| ("one of them", read(&list::one(&line, &wording(), Right::Restore))));
    let pages = pages.map(|(label, page)| (label, read(&list::page(&page, &wording()))));
    insta::assert_snapshot!(side_by_side(pages.into_iter().chain(lines)));
}

#[test]
fn a_panel_and_a_droplet() {
    use super::{
        droplet::{Seen, droplet},
        panel::{For, droplets, panel, snapshots},
    };
    let web: crate::inventory::Droplet = serde_json::from_value(serde_json::json!({
        "id": 11, "name": "web-1", "status": "active", "disk": 25, "region": {"slug": "nyc3"}, "size": {"price_monthly": 6.0}
    }))
    .unwrap();
    let golden: crate::inventory::Snapshot = serde_json::from_value(serde_json::json!({
        "id": "5", "name": "golden", "created_at": ago(259_200).to_string(), "size_gigabytes": 12.4,
    }))
    .unwrap();
    let newer: crate::inventory::Snapshot = serde_json::from_value(serde_json::json!({
        "id": "6", "name": "live", "created_at": ago(3_600).to_string(), "size_gigabytes": 12.4,
    }))
    .unwrap();
    let seen = Seen {
        droplet: &web,
        snapshots: vec![&golden],
        good: None,
        schedules: Vec::new(),
        now: NOW,
        running: None,
        right: Right::Restore,
    };
    let good = Seen { good: Some(&golden), ..seen.clone() };
    let older = Seen { good: Some(&golden), snapshots: vec![&newer, &golden], ..seen.clone() };
    let (operation, progress) = (OperationId::from_random(7), Some((GuildId(1), ChannelId(7), MessageId(70))));
    let here = |cancel| Some(Occupant::Here { operation, progress, cancel });
    let busy = Seen { running: here(MayCancel::Asker), ..seen.clone() };
    let others = Seen { running: here(MayCancel::Others(vec![RoleId(22)])), ..seen.clone() };
    let foreign = Seen { running: Some(elsewhere(examples::take(Downtime::PowerOff), None)), ..seen.clone() };
    let bare = Seen { snapshots: Vec::new(), right: Right::View, ..seen.clone() };
    let one = [("web-1 · nyc3".to_owned(), DropletId(11))];
    let labelled = [("3 days ago · golden · 5".to_owned(), "5".to_owned())];
    let shown = [
        ("panel", panel()),
        ("a Droplet to take", droplets(For::Taking, &one, true, None)),
        ("a Droplet to restore", droplets(For::Restoring, &one, false, None)),
        ("none", droplets(For::Restoring, &[], false, None)),
        ("none with the tag", droplets(For::Taking, &[], false, Some("snap"))),
        ("a Snapshot to put back", snapshots((DropletId(11), "web-1"), &labelled, true)),
        ("no Snapshot", snapshots((DropletId(11), "web-1"), &[], false)),
        ("Droplet", droplet(&seen, &wording())),
        ("Droplet with a good Snapshot", droplet(&good, &wording())),
        ("Droplet with a good Snapshot before a live one", droplet(&older, &wording())),
        ("busy", droplet(&busy, &wording())),
        ("busy with somebody else's", droplet(&others, &wording())),
        ("busy in another server", droplet(&foreign, &wording())),
        ("nothing, for who only looks", droplet(&bare, &wording())),
    ];
    insta::assert_snapshot!(side_by_side(shown.map(|(label, message)| (label, read(&message)))));
}

#[test]
fn a_warning_in_every_state() {
    let warn = Warn { channel: ChannelId(8), minutes: 5 };
    let warned = |mut operation: Operation, until: Option<Timestamp>, postponed| {
        operation.warning = Some(Warning { warn, due: Some(ago(300)), until, restarted: None, postponed });
        operation
    };
    let ahead = || examples::with_history(examples::waiting());
    let until = Some(NOW + SignedDuration::from_mins(4));
    let variants = [
        ("about to be shown", warned(ahead(), None, 0)),
        ("shown", warned(ahead(), until, 0)),
        ("postponed three times", warned(ahead(), until, 3)),
        ("shutting down", warned(examples::shutting_down(), until, 0)),
        ("down", warned(examples::taking(), until, 0)),
        ("back", warned(examples::completed(), until, 0)),
        ("called off", warned(with(ahead(), |it| it.outcome = Some(Outcome::Cancelled)), until, 0)),
    ];
    let read = |(label, operation): (&str, Operation)| {
        (label.to_owned(), read_posted(&warning(&operation), ReportKind::Warning))
    };
    insta::assert_snapshot!(side_by_side(variants.map(read)));
}
