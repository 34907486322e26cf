//! The meaning of a button. It is encoded in the button's `custom_id`, so that a press works after a restart.
//!
//! A `custom_id` comes back from the client and may be anything. It is parsed strictly and proves nothing.

mod act;
mod choices;

use std::{fmt, str::FromStr};

use jiff::Timestamp;
use serde::{Serialize, Serializer};
use strum::IntoEnumIterator as _;

use crate::{
    access::Right,
    operation::ids::{DropletId, OperationId, RunId, ScheduleId, SnapshotId, UserId},
    schedule::hung_shutdowns::HangAnswer,
    store::ConfirmationId,
};
pub use act::Act;
pub use choices::{Begun, Beside, Choosing, Order, ReviewForm};

/// The meaning of a button, a menu or a form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Press {
    /// Sends an instruction to an operation that runs, or whose Droplet still has to be turned on.
    Instruction {
        /// The instruction.
        act: Act,
        /// The operation.
        operation: OperationId,
    },
    /// *Keep waiting for all*: applies to the operations that this operation's call lists.
    KeepWaiting(OperationId),
    /// *Undo*: puts back the safety Snapshot of this restore. Asks first.
    Undo(OperationId),
    /// Deletes this Snapshot. Asks first.
    Delete(SnapshotId),
    /// Pins this Snapshot, so that no schedule deletes it.
    Pin(SnapshotId),
    /// Removes the pin of this Snapshot.
    Unpin(SnapshotId),
    /// *Turn it on*: turns on the Droplet of this operation, which someone else turned off.
    TurnOn(OperationId),
    /// *Restart it*: restarts the Droplet of this operation, whose shutdown hung. Asks first.
    Restart(OperationId),
    /// Puts this Snapshot back onto the Droplet that it was taken of. Asks first.
    Restore(SnapshotId),
    /// Creates a Droplet from this Snapshot. Opens a form for its name.
    Launch(SnapshotId),
    /// The form for the new Droplet's name was submitted. Asks first.
    LaunchAs(SnapshotId),
    /// Begins again what failed in this operation. Asks first.
    TryAgain(OperationId),
    /// Confirms this question.
    Confirm(ConfirmationId),
    /// Confirms a question about a take.
    Take {
        /// The question.
        id: ConfirmationId,
        /// Whether the Droplet keeps running during the take.
        is_live: bool,
    },
    /// Asks about the launch again, with the source's tags or without them.
    Tags(ConfirmationId),
    /// Asks about the launch again, with the SSH keys that were chosen.
    Keys(ConfirmationId),
    /// Declines this question.
    Decline(ConfirmationId),
    /// Confirms the question about taking a group.
    TakeGroup(ConfirmationId),
    /// *Stop after this one*: begins no further member of a group's run.
    StopRun(RunId),
    /// Confirms the review of a schedule.
    Schedule(ConfirmationId),
    /// *Failures…* or *Group…* under the review of a schedule. Opens a form.
    Fill {
        /// The form.
        form: ReviewForm,
        /// The review.
        id: ConfirmationId,
    },
    /// That form was submitted. Shows the review again.
    Filled {
        /// The form.
        form: ReviewForm,
        /// The review.
        id: ConfirmationId,
    },
    /// *Keep…*: keeps the Snapshots that were chosen from an announced deletion.
    KeepAnnounced(ScheduleId),
    /// *Delete them*: lets a schedule delete what this edition of its question shows, and nothing else.
    DeleteMany {
        /// The schedule.
        schedule: ScheduleId,
        /// The edition of its question that was shown.
        edition: u32,
    },
    /// *It's fine*: lets a schedule rely on this Snapshot although it is small.
    RelyOn {
        /// The schedule.
        schedule: ScheduleId,
        /// The operation that took the Snapshot.
        operation: OperationId,
    },
    /// *Take over*: makes the person the owner of this schedule.
    TakeOver(ScheduleId),
    /// Sets what a schedule does about shutdowns that hang.
    HungShutdowns {
        /// The schedule.
        schedule: ScheduleId,
        /// The new behavior.
        answer: HangAnswer,
    },
    /// *Prune again*: lets a schedule delete although its Droplet was recently restored.
    PruneAgain(ScheduleId),
    /// A schedule was chosen that takes over the Snapshots of one that is about to be removed.
    HandOver(ConfirmationId),
    /// *Try again*: has a schedule take a Snapshot now. Asks first.
    RunAgain {
        /// The schedule.
        schedule: ScheduleId,
        /// The planned time that brought no Snapshot. Absent in older buttons.
        planned: Option<Timestamp>,
    },
    /// *Try again*: takes the members of a group's run that have no Snapshot. Asks first.
    GroupAgain(RunId),
    /// Shows another page of the list of Snapshots.
    Page {
        /// The Droplet, or `None` for all.
        of: Option<DropletId>,
        /// The page, counted from 1.
        number: u32,
        /// The order of the list.
        order: Order,
        /// The Snapshot that the page is next to, if it still exists. Absent in older buttons.
        beside: Option<Beside>,
    },
    /// Begins something with a Droplet, which may have to be chosen first.
    Begin {
        /// What to begin.
        what: Begun,
        /// The Droplet; `None` to choose one from a menu.
        droplet: Option<DropletId>,
    },
    /// Handles a choice from a menu.
    Choose(Choosing),
    /// A Snapshot or backup of this Droplet was chosen from a menu, to be put back onto it.
    PutBack(DropletId),
}

fn hang_word(answer: HangAnswer) -> &'static str {
    match answer {
        HangAnswer::ShutDown => "off",
        HangAnswer::StayLive => "live",
        HangAnswer::Pause => "pause",
    }
}

/// Stands for all Droplets in the `custom_id` of a page.
const EVERY: &str = "all";

impl Press {
    /// The right that a person needs to press it. `requester` is the person who requested the operation or the run that the press acts on, if
    /// there is one.
    pub fn right(self, requester: Option<UserId>, person: UserId) -> Right {
        let requester = requester.unwrap_or(person);
        match self {
            Self::Instruction { act, .. } => act.right(requester, person),
            Self::KeepWaiting(_) => Act::KeepWaiting.right(requester, person),
            // All of these overwrite, delete or spend something, or allow an operation that does.
            Self::Undo(_)
            | Self::Delete(_)
            | Self::Restart(_)
            | Self::Restore(_)
            | Self::Launch(_)
            | Self::LaunchAs(_)
            | Self::Tags(_)
            | Self::Keys(_)
            | Self::PutBack(_)
            | Self::Schedule(_)
            | Self::Fill { .. }
            | Self::Filled { .. }
            | Self::DeleteMany { .. }
            | Self::RelyOn { .. }
            | Self::TakeOver(_)
            | Self::HungShutdowns { .. }
            | Self::PruneAgain(_)
            | Self::HandOver(_)
            | Self::RunAgain { .. }
            | Self::Confirm(_) => Right::Restore,
            // The right for the failed operation is checked once that operation is known.
            Self::Take { .. }
            | Self::TryAgain(_)
            | Self::TurnOn(_)
            | Self::KeepAnnounced(_)
            | Self::TakeGroup(_)
            | Self::GroupAgain(_)
            | Self::Pin(_)
            | Self::Unpin(_) => Right::Take,
            Self::StopRun(_) => Right::over(requester, person),
            Self::Begin { what, .. } => what.right(),
            Self::Choose(what) => what.right(),
            Self::Decline(_) | Self::Page { .. } => Right::View,
        }
    }

    fn parse(word: &str, rest: &str) -> Option<Self> {
        Some(match word {
            "waitall" => Self::KeepWaiting(rest.parse().ok()?),
            "undo" => Self::Undo(rest.parse().ok()?),
            "delete" => Self::Delete(rest.parse().ok()?),
            "pin" => Self::Pin(rest.parse().ok()?),
            "unpin" => Self::Unpin(rest.parse().ok()?),
            "turnon" => Self::TurnOn(rest.parse().ok()?),
            "restart" => Self::Restart(rest.parse().ok()?),
            "confirm" => Self::Confirm(rest.parse().ok()?),
            "decline" => Self::Decline(rest.parse().ok()?),
            "takegroup" => Self::TakeGroup(rest.parse().ok()?),
            "stoprun" => Self::StopRun(rest.parse().ok()?),
            "schedule" => Self::Schedule(rest.parse().ok()?),
            "fill" => {
                let (form, id) = review_form(rest)?;
                Self::Fill { form, id }
            }
            "filled" => {
                let (form, id) = review_form(rest)?;
                Self::Filled { form, id }
            }
            "keep" => Self::KeepAnnounced(rest.parse().ok()?),
            "deletemany" => {
                let (schedule, edition) = rest.split_once(':')?;
                Self::DeleteMany { schedule: schedule.parse().ok()?, edition: edition.parse().ok()? }
            }
            "relyon" => {
                let (schedule, operation) = rest.split_once(':')?;
                Self::RelyOn { schedule: schedule.parse().ok()?, operation: operation.parse().ok()? }
            }
            "own" => Self::TakeOver(rest.parse().ok()?),
            "hangs" => {
                let (answer, schedule) = rest.split_once(':')?;
                let answer = HangAnswer::iter().find(|known| hang_word(*known) == answer)?;
                Self::HungShutdowns { schedule: schedule.parse().ok()?, answer }
            }
            "pruneagain" => Self::PruneAgain(rest.parse().ok()?),
            "handover" => Self::HandOver(rest.parse().ok()?),
            "runagain" => {
                let (schedule, planned) = match rest.split_once(':') {
                    Some((schedule, planned)) => (schedule, Some(planned.parse().ok()?)),
                    None => (rest, None),
                };
                let planned = planned.map(Timestamp::from_millisecond).transpose().ok()?;
                Self::RunAgain { schedule: schedule.parse().ok()?, planned }
            }
            "groupagain" => Self::GroupAgain(rest.parse().ok()?),
            "restore" => Self::Restore(rest.parse().ok()?),
            "launch" => Self::Launch(rest.parse().ok()?),
            "launchas" => Self::LaunchAs(rest.parse().ok()?),
            "again" => Self::TryAgain(rest.parse().ok()?),
            "take" => Self::Take { id: rest.parse().ok()?, is_live: false },
            "takelive" => Self::Take { id: rest.parse().ok()?, is_live: true },
            "tags" => Self::Tags(rest.parse().ok()?),
            "keys" => Self::Keys(rest.parse().ok()?),
            "page" => {
                let (of, rest) = rest.split_once(':')?;
                // Older buttons carry no order.
                let (number, rest) = rest.split_once(':').unwrap_or((rest, Order::Grouped.word()));
                let (order, beside) = match rest.split_once(':') {
                    Some((order, beside)) => (order, Some(Beside::parse(beside)?)),
                    None => (rest, None),
                };
                let order = Order::iter().find(|known| known.word() == order)?;
                Self::Page { of: droplet(of).ok()?, number: number.parse().ok()?, order, beside }
            }
            "begin" => {
                let (what, of) = rest.split_once(':')?;
                let what = Begun::iter().find(|known| known.word() == what)?;
                Self::Begin { what, droplet: droplet(of).ok()? }
            }
            "putback" => Self::PutBack(rest.parse().ok()?),
            "choose" => Self::Choose(Choosing::iter().find(|known| known.word() == rest)?),
            word => {
                let act = Act::ALL.into_iter().find(|act| act.word() == word)?;
                Self::Instruction { act, operation: rest.parse().ok()? }
            }
        })
    }
}

impl fmt::Display for Press {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Instruction { act, operation } => write!(f, "{}:{operation}", act.word()),
            Self::KeepWaiting(operation) => write!(f, "waitall:{operation}"),
            Self::Undo(operation) => write!(f, "undo:{operation}"),
            Self::Delete(snapshot) => write!(f, "delete:{snapshot}"),
            Self::Pin(snapshot) => write!(f, "pin:{snapshot}"),
            Self::Unpin(snapshot) => write!(f, "unpin:{snapshot}"),
            Self::TurnOn(operation) => write!(f, "turnon:{operation}"),
            Self::Restart(operation) => write!(f, "restart:{operation}"),
            Self::Confirm(id) => write!(f, "confirm:{id}"),
            Self::Decline(id) => write!(f, "decline:{id}"),
            Self::TakeGroup(id) => write!(f, "takegroup:{id}"),
            Self::StopRun(id) => write!(f, "stoprun:{id}"),
            Self::Schedule(id) => write!(f, "schedule:{id}"),
            Self::Fill { form, id } => write!(f, "fill:{}:{id}", form.word()),
            Self::Filled { form, id } => write!(f, "filled:{}:{id}", form.word()),
            Self::KeepAnnounced(id) => write!(f, "keep:{id}"),
            Self::DeleteMany { schedule, edition } => write!(f, "deletemany:{schedule}:{edition}"),
            Self::RelyOn { schedule, operation } => write!(f, "relyon:{schedule}:{operation}"),
            Self::TakeOver(id) => write!(f, "own:{id}"),
            Self::HungShutdowns { schedule, answer } => write!(f, "hangs:{}:{schedule}", hang_word(*answer)),
            Self::PruneAgain(id) => write!(f, "pruneagain:{id}"),
            Self::HandOver(id) => write!(f, "handover:{id}"),
            Self::RunAgain { schedule, planned: None } => write!(f, "runagain:{schedule}"),
            Self::RunAgain { schedule, planned: Some(planned) } => {
                write!(f, "runagain:{schedule}:{}", planned.as_millisecond())
            }
            Self::GroupAgain(id) => write!(f, "groupagain:{id}"),
            Self::Restore(snapshot) => write!(f, "restore:{snapshot}"),
            Self::Launch(snapshot) => write!(f, "launch:{snapshot}"),
            Self::LaunchAs(snapshot) => write!(f, "launchas:{snapshot}"),
            Self::TryAgain(operation) => write!(f, "again:{operation}"),
            Self::Take { id, is_live: false } => write!(f, "take:{id}"),
            Self::Take { id, is_live: true } => write!(f, "takelive:{id}"),
            Self::Tags(id) => write!(f, "tags:{id}"),
            Self::Keys(id) => write!(f, "keys:{id}"),
            Self::Page { of, number, order, beside: Some(beside) } => {
                write!(f, "page:{}:{number}:{}:{beside}", one_or_all(*of), order.word())
            }
            Self::Page { of, number, order: Order::Grouped, beside: None } => {
                write!(f, "page:{}:{number}", one_or_all(*of))
            }
            Self::Page { of, number, order, beside: None } => {
                write!(f, "page:{}:{number}:{}", one_or_all(*of), order.word())
            }
            Self::Begin { what, droplet } => write!(f, "begin:{}:{}", what.word(), one_or_all(*droplet)),
            Self::PutBack(droplet) => write!(f, "putback:{droplet}"),
            Self::Choose(what) => write!(f, "choose:{}", what.word()),
        }
    }
}

/// Parses a form and its review.
fn review_form(rest: &str) -> Option<(ReviewForm, ConfirmationId)> {
    let (form, id) = rest.split_once(':')?;
    Some((ReviewForm::iter().find(|known| known.word() == form)?, id.parse().ok()?))
}

/// Parses one Droplet, or all.
fn droplet(text: &str) -> Result<Option<DropletId>, NotAPress> {
    if text == EVERY { Ok(None) } else { text.parse().map(Some).map_err(|_| NotAPress) }
}

fn one_or_all(droplet: Option<DropletId>) -> String {
    droplet.map_or_else(|| EVERY.to_owned(), |droplet| droplet.to_string())
}

impl Serialize for Press {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The text is not the `custom_id` of a button of this bot.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("not the id of a button of ours")]
pub struct NotAPress;

impl FromStr for Press {
    type Err = NotAPress;

    fn from_str(custom_id: &str) -> Result<Self, Self::Err> {
        let (word, rest) = custom_id.split_once(':').ok_or(NotAPress)?;
        let press = Self::parse(word, rest).ok_or(NotAPress)?;
        // A number can be written in several ways, but the bot writes it in only one.
        if press.to_string() == custom_id { Ok(press) } else { Err(NotAPress) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn confirmation_id() -> impl Strategy<Value = ConfirmationId> + Clone {
        any::<u64>().prop_map(|id| format!("{id:016x}").parse().unwrap())
    }

    fn presses() -> impl Strategy<Value = Press> {
        let operation = any::<u64>().prop_map(OperationId::from_random);
        let schedule = any::<u64>().prop_map(ScheduleId::from_random);
        let confirmation = confirmation_id();
        prop_oneof![
            (0..Act::ALL.len(), operation.clone())
                .prop_map(|(act, operation)| Press::Instruction { act: Act::ALL[act], operation }),
            operation.clone().prop_map(Press::KeepWaiting),
            operation.clone().prop_map(Press::Undo),
            operation.clone().prop_map(Press::TurnOn),
            operation.clone().prop_map(Press::Restart),
            any::<u64>().prop_map(|id| Press::Delete(SnapshotId(id))),
            any::<u64>().prop_map(|id| Press::Pin(SnapshotId(id))),
            any::<u64>().prop_map(|id| Press::Unpin(SnapshotId(id))),
            confirmation.clone().prop_map(Press::Confirm),
            confirmation.clone().prop_map(Press::Schedule),
            confirmation.clone().prop_map(Press::TakeGroup),
            any::<u64>().prop_map(|id| Press::StopRun(RunId::from_random(id))),
            any::<u64>().prop_map(|id| Press::GroupAgain(RunId::from_random(id))),
            schedule.clone().prop_map(Press::KeepAnnounced),
            (schedule.clone(), any::<u32>()).prop_map(|(schedule, edition)| Press::DeleteMany { schedule, edition }),
            (schedule.clone(), operation).prop_map(|(schedule, operation)| Press::RelyOn { schedule, operation }),
            schedule.clone().prop_map(Press::TakeOver),
            schedule.clone().prop_map(Press::PruneAgain),
            (schedule.clone(), 0..3_usize).prop_map(|(schedule, answer)| Press::HungShutdowns {
                schedule,
                answer: HangAnswer::iter().nth(answer).unwrap(),
            }),
            confirmation.clone().prop_map(Press::HandOver),
            (schedule, any::<Option<u32>>()).prop_map(|(schedule, planned)| Press::RunAgain {
                schedule,
                planned: planned.map(|second| Timestamp::from_second(i64::from(second)).unwrap()),
            }),
            confirmation.prop_map(Press::Decline),
            (any::<Option<u64>>(), any::<u32>(), 0..4_usize, any::<Option<(bool, u64)>>()).prop_map(
                |(of, number, order, beside)| Press::Page {
                    of: of.map(DropletId),
                    number,
                    order: Order::iter().nth(order).unwrap(),
                    beside: beside.map(|(is_after, id)| {
                        if is_after { Beside::After(SnapshotId(id)) } else { Beside::Before(SnapshotId(id)) }
                    }),
                }
            ),
            (0..3_usize, any::<Option<u64>>()).prop_map(|(what, droplet)| Press::Begin {
                what: Begun::iter().nth(what).unwrap(),
                droplet: droplet.map(DropletId),
            }),
            (0..4_usize).prop_map(|what| Press::Choose(Choosing::iter().nth(what).unwrap())),
            any::<u64>().prop_map(|id| Press::PutBack(DropletId(id))),
            any::<u64>().prop_map(|id| Press::Restore(SnapshotId(id))),
            any::<u64>().prop_map(|id| Press::Launch(SnapshotId(id))),
            any::<u64>().prop_map(|id| Press::LaunchAs(SnapshotId(id))),
            any::<u64>().prop_map(|id| Press::TryAgain(OperationId::from_random(id))),
            (confirmation_id(), any::<bool>()).prop_map(|(id, is_live)| Press::Take { id, is_live }),
            (confirmation_id(), 0..2_usize, any::<bool>()).prop_map(|(id, form, is_sent)| {
                let form = ReviewForm::iter().nth(form).unwrap();
                if is_sent { Press::Filled { form, id } } else { Press::Fill { form, id } }
            }),
            confirmation_id().prop_map(Press::Tags),
            confirmation_id().prop_map(Press::Keys),
        ]
    }

    proptest! {
        #[test]
        fn a_press_survives_its_custom_id(press in presses()) {
            let custom_id = press.to_string();
            prop_assert!((1..=100).contains(&custom_id.len()));
            prop_assert_eq!(custom_id.parse(), Ok(press));
        }

        #[test]
        fn what_is_almost_a_press_is_refused_without_panic(
            word in "(cancel|undo|delete|pin|unpin|restore|launch|launchas|again|take|takelive|fill|filled|tags|keys|begin|choose|putback|confirm|decline|page|all)", rest in "[+0-9a-f:all ]{0,24}"
        ) {
            let custom_id = format!("{word}:{rest}");
            if let Ok(press) = custom_id.parse::<Press>() {
                prop_assert_eq!(press.to_string(), custom_id);
            }
        }

        #[test]
        fn any_other_text_is_refused_without_panic(custom_id: String) {
            if let Ok(press) = custom_id.parse::<Press>() {
                prop_assert_eq!(press.to_string(), custom_id);
            }
        }
    }

    /// The word for a press in its `custom_id`.
    fn word(press: Press) -> String {
        let id = press.to_string();
        id.split(':').next().unwrap_or_default().to_owned()
    }

    proptest! {
        #[test]
        fn every_press_is_forged_in_the_scenarios(press in presses()) {
            let scenarios = include_str!("../../tests/scenarios/presses.rs");
            let quoted = format!("\"{}:", word(press));
            prop_assert!(scenarios.contains(&quoted), "{} is not forged", quoted);
        }
    }

    #[test]
    fn leaving_a_droplet_off_takes_the_restore_right_also_from_the_requester() {
        let (requester, other) = (UserId(1), UserId(2));
        for act in Act::ALL {
            let (own, others) = match act {
                Act::LeaveOff | Act::HandleIt => (Right::Restore, Right::Restore),
                // Turning a Droplet on sooner, postponing, or waiting takes nothing away from anybody.
                Act::KeepWaiting | Act::TurnOn | Act::Postpone => (Right::Take, Right::Take),
                Act::Cancel | Act::Force | Act::Live => (Right::Take, Right::Restore),
            };
            assert_eq!((act.right(requester, requester), act.right(requester, other)), (own, others), "{act:?}");
        }
    }

    #[test]
    fn what_overwrites_or_deletes_takes_the_restore_right_to_press() {
        let (requester, other, id) = (UserId(1), UserId(2), OperationId::from_random(7));
        assert_eq!(Press::Undo(id).right(None, other), Right::Restore);
        assert_eq!(Press::Delete(SnapshotId(5)).right(None, other), Right::Restore);
        let page = Press::Page { of: None, number: 1, order: Order::Grouped, beside: None };
        assert_eq!((page.right(None, other), page.to_string()), (Right::View, "page:all:1".to_owned()));
        for (press, right) in [
            (Press::Restore(SnapshotId(5)), Right::Restore),
            (Press::Launch(SnapshotId(5)), Right::Restore),
            (Press::LaunchAs(SnapshotId(5)), Right::Restore),
            ("fill:failures:00000000000000ff".parse().unwrap(), Right::Restore),
            ("filled:group:00000000000000ff".parse().unwrap(), Right::Restore),
            (Press::Begin { what: Begun::Restore, droplet: None }, Right::Restore),
            (Press::PutBack(DropletId(5)), Right::Restore),
            (Press::Begin { what: Begun::Take, droplet: None }, Right::Take),
            (Press::Choose(Choosing::DropletToTake), Right::Take),
        ] {
            assert_eq!(press.right(None, other), right, "{press}");
        }
        let stop = Press::StopRun(RunId::from_random(7));
        assert_eq!(
            (stop.right(Some(requester), requester), stop.right(Some(requester), other)),
            (Right::Take, Right::Restore)
        );
        for act in Act::ALL {
            let press = Press::Instruction { act, operation: id };
            assert_eq!(press.right(Some(requester), other), act.right(requester, other), "{act:?}");
        }
    }

    #[test]
    fn near_misses_are_refused() {
        for custom_id in
            ["", ":", "cancel", "cancel:", "cancel:7f3kq2xl", "Cancel:7f3kq2xa", "cancel:7f3kq2xa ", "x:7f3kq2xa"]
        {
            assert_eq!(custom_id.parse::<Press>(), Err(NotAPress), "{custom_id}");
        }
    }
}
