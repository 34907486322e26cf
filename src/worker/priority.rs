//! Which of an operation's requests takes precedence when the budget is short, and how recent a reading must be.

use jiff::{SignedDuration, Timestamp};

use super::Claimed;
use crate::{
    digitalocean::{budget::Priority, readings::Look},
    operation::{
        Operation,
        effect::Effect,
        step::{Checks, Run, State, Step, Task, Work},
    },
};

/// How old a shared reading may be for a Droplet that is watched for a late off. Looks at it are further apart, so no reading is used
/// twice.
const RECENT: SignedDuration = SignedDuration::from_secs(10);
/// How old the look before a shutdown may be: it must not become too old before the shutdown is sent.
const JUST_NOW: SignedDuration = SignedDuration::from_secs(4);

/// The priority of a claimed operation's request.
pub fn of(claimed: &Claimed) -> Priority {
    match claimed.effect() {
        Effect::Look(_) => of_look(claimed.operation()),
        Effect::Send(_) | Effect::Sleep(_) | Effect::Rest => priority(claimed.operation()),
    }
}

fn of_look(operation: &Operation) -> Priority {
    match priority(operation) {
        Priority::Shutdown => Priority::BeforeShutdown,
        other => other,
    }
}

/// The priority of an operation's next request, by the harm of waiting: a Droplet that is off comes before everything else.
fn priority(operation: &Operation) -> Priority {
    let Some(step) = operation.active_step() else { return Priority::Poll };
    let power = &operation.power;
    let is_off = power.is_owed() && power.was_seen_off();
    match (step.task(), &step.state) {
        (Task::PowerOn, State::Waiting(_)) if power.is_blind() => Priority::PowerOnBlind,
        // Just seen off and unlocked: the command comes next.
        (Task::PowerOn, State::Waiting(Checks { droplet: true, .. }) | State::Intended { doubt: None, .. }) => {
            Priority::PowerOn
        }
        (Task::PowerOn, _) if power.is_watched() => Priority::Watch,
        // It is unknown whether it is on.
        (Task::PowerOn, _) => Priority::Off,
        (_, State::Waiting(_) | State::Intended { .. } | State::Running(_)) if is_off => Priority::Off,
        // It may go off at any moment, unless people were asked because it did not.
        (Task::ShutDown | Task::PowerOff, State::Running(_)) if operation.question.is_none() => Priority::Off,
        (_, State::Intended { .. }) => Priority::LookUp,
        (_, State::Running(_)) => Priority::Poll,
        (Task::ShutDown, State::Waiting(_)) => Priority::Shutdown,
        (_, State::Waiting(_) | State::Done { .. } | State::Skipped | State::Failed { .. }) => Priority::Person,
    }
}

/// What a shared reading must satisfy: after a command it must not be older than the command, before a command it must be current. An
/// operation that only watches accepts what others have read.
///
/// An operation that waits for an Action to end, or has yet to begin, can wait for a sweep; `pause` is the minimum time between its looks.
pub fn freshness(operation: &Operation, pause: SignedDuration, now: Timestamp) -> Look {
    let priority = of_look(operation);
    let (since, can_wait) = match operation.active_step() {
        _ if priority == Priority::Watch => (now - RECENT, true),
        // The Droplet was seen off before its Action read completed. That look serves again, so that a Droplet that is off does not wait for
        // another sweep.
        Some(Step {
            work: Work::ShutDown | Work::PowerOff,
            state: State::Running(Run { free_at: Some(seen_at), completed: Some(_), .. }),
            ..
        }) => (*seen_at, false),
        Some(Step { state: State::Running(run), began, .. }) => {
            (run.completed.or(run.broken).or(run.intended_at.max(*began)).unwrap_or(now), true)
        }
        // The sweep that others waited for also serves as the look before a shutdown.
        Some(Step { work: Work::ShutDown, state: State::Waiting(_), began: None, .. }) => (now - JUST_NOW, true),
        Some(_) | None => (now, false),
    };
    Look { priority, since, patience: can_wait.then_some(pause) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operation::{
        NewOperation, Question, Requester, Target, TypicalDurations,
        ids::{ChannelId, DropletId, GuildId, OperationId, UserId},
        kinds::{Downtime, IfHung, Kind, Take},
        power::Owed,
        step::Doubt,
    };

    fn take() -> Operation {
        Operation::new(NewOperation {
            id: OperationId::from_random(1234),
            kind: Kind::Take(Take { power: Downtime::PowerOff, if_hung: IfHung::Live }),
            requester: Requester { user: UserId(1), guild: GuildId(2), channel: ChannelId(3) },
            asked_at: now(),
            target: Target { droplet: Some(DropletId(7)), name: "web-1".to_owned(), region: None, disk_gb: None },
            snapshot_name: None,
            typical: TypicalDurations::default(),
        })
    }

    fn now() -> Timestamp {
        Timestamp::from_second(1_800_000_000).unwrap()
    }

    /// A take whose shutdown was sent.
    fn down() -> Operation {
        let mut operation = take();
        operation.power.edit(|power| power.owed = Some(Owed { since: now(), late_until: None, earlier_until: None }));
        operation.steps[0].state = State::Running(Run::default());
        operation
    }

    /// A take whose Droplet was seen off, with its Snapshot in this state.
    fn off(snapshot: State) -> Operation {
        let mut operation = down();
        operation.power.edit(|power| power.seen_off = true);
        operation.steps[0].state = State::Done { at: now() };
        operation.steps[1].state = snapshot;
        operation
    }

    #[test]
    fn whatever_a_droplet_that_is_off_waits_for_has_its_rank() {
        let in_doubt = State::Intended { at: now(), doubt: Some(Doubt::default()) };
        for state in [State::Waiting(Checks::default()), in_doubt, State::Running(Run::default())] {
            assert_eq!(priority(&off(state.clone())), Priority::Off, "{state:?}");
        }
        assert_eq!(priority(&down()), Priority::Off, "it may turn off at any moment");
    }

    #[test]
    fn a_droplet_that_runs_waits_behind_those_that_are_off() {
        let mut live = take();
        assert_eq!(priority(&live), Priority::Shutdown);
        live.steps[0].state = State::Skipped;
        assert_eq!(priority(&live), Priority::Person);
        live.steps[1].state = State::Running(Run::default());
        assert_eq!(priority(&live), Priority::Poll);
        live.steps[1].state = State::Intended { at: now(), doubt: Some(Doubt::default()) };
        assert_eq!(priority(&live), Priority::LookUp);
        let mut hung = down();
        hung.question = Some(Question { opened_at: now(), shown_at: None });
        assert_eq!(priority(&hung), Priority::Poll);
    }

    #[test]
    fn the_look_before_a_shutdown_leaves_room_for_it() {
        assert_eq!(freshness(&take(), SignedDuration::ZERO, now()).priority, Priority::BeforeShutdown);
    }

    #[test]
    fn a_hung_shutdown_that_became_a_live_snapshot_is_no_downtime() {
        let mut live = down();
        live.steps[0].state = State::Skipped;
        assert_eq!(priority(&live), Priority::Person);
        live.steps[1].state = State::Running(Run::default());
        assert_eq!(priority(&live), Priority::Poll);
    }

    /// A take that is over except for what it owes.
    fn owing(back: State) -> Operation {
        let mut operation = off(State::Done { at: now() });
        operation.ended = Some(now());
        operation.power.edit(|power| power.back.state = back);
        operation
    }

    #[test]
    fn only_the_power_on_itself_has_the_reserve() {
        assert_eq!(
            priority(&owing(State::Waiting(Checks { droplet: true, actions: true, ..Checks::default() }))),
            Priority::PowerOn
        );
        assert_eq!(priority(&owing(State::Waiting(Checks::default()))), Priority::Off);
        assert_eq!(priority(&owing(State::Running(Run::default()))), Priority::Off);
    }

    #[test]
    fn who_watches_for_a_late_off_comes_last_and_takes_what_others_have_seen() {
        let mut watched = owing(State::Waiting(Checks::default()));
        watched.power.edit(|power| power.parked = true);
        let look = freshness(&watched, SignedDuration::ZERO, now());
        assert_eq!((look.priority, look.since), (Priority::Watch, now() - RECENT));
    }

    #[test]
    fn a_droplet_seen_off_before_its_shutdown_read_completed_waits_for_no_other_sweep() {
        let seen_at = now() - SignedDuration::from_secs(2);
        let mut shut = down();
        shut.steps[0].state = State::Running(Run { free_at: Some(seen_at), ..Run::default() });
        let until_completed = freshness(&shut, SignedDuration::ZERO, now());
        assert_eq!(until_completed.patience, Some(SignedDuration::ZERO), "the Action may still be in progress");
        shut.steps[0].state = State::Running(Run { free_at: Some(seen_at), completed: Some(now()), ..Run::default() });
        let look = freshness(&shut, SignedDuration::ZERO, now());
        assert_eq!((look.since, look.patience), (seen_at, None));
    }

    #[test]
    fn before_a_power_on_nothing_but_the_present_counts() {
        let look = freshness(&owing(State::Waiting(Checks::default())), SignedDuration::ZERO, now());
        assert_eq!((look.since, look.patience), (now(), None));
    }
}
