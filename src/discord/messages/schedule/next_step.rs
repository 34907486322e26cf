//! The buttons under a message about a schedule, with actions that a person can take right away.

use super::{
    super::{
        failure,
        message::{Button, Style},
        text::plain,
    },
    notice_facts::{NoticeFacts, asks},
    status::delete_many,
};
use crate::{
    discord::press::Press,
    operation::{Operation, ids::ScheduleId},
    schedule::{
        Paused, State,
        hung_shutdowns::{Asked, HangAnswer},
        notice::Notice,
    },
};

/// The longest name of a Droplet on a button.
const LONGEST_NAME: usize = 30;
/// The maximum number of buttons under a message about several schedules.
const BUTTONS: usize = 5;

/// The buttons of all schedules in a message. If there are several, the labels name the Droplets.
pub(super) fn buttons(told: &[NoticeFacts<'_>]) -> Vec<Button> {
    if let [one @ NoticeFacts { schedule, notice, .. }] = told {
        return match notice {
            Notice::Hung { .. } if schedule.watched.hangs.asked == Asked::Open => hang_buttons(schedule.id),
            Notice::Doubtful { operation, .. } if one.is_doubtful(*operation) => {
                let press = Press::RelyOn { schedule: schedule.id, operation: *operation };
                vec![Button::new("It's fine", Style::Primary, press)]
            }
            Notice::Deletions { question, .. } if asks(schedule, *question) => {
                delete_many(schedule).into_iter().collect()
            }
            _ => next_step(one).map(|(label, press)| Button::new(label, Style::Primary, press)).into_iter().collect(),
        };
    }
    let mut buttons: Vec<Button> = Vec::new();
    for one in told {
        if let Some((label, press)) = next_step(one) {
            let schedule = one.schedule;
            let label = format!("{label}: {}", plain(&schedule.droplet_name, LONGEST_NAME));
            let is_there = buttons.iter().filter_map(Button::press).any(|other| do_the_same(other, press));
            if !is_there && buttons.len() < BUTTONS {
                buttons.push(Button::new(label, Style::Primary, press));
            }
        }
    }
    buttons
}

/// Whether two buttons do the same: a schedule has one next run, whatever it is for.
fn do_the_same(one: Press, other: Press) -> bool {
    match (one, other) {
        (Press::RunAgain { schedule: one, .. }, Press::RunAgain { schedule: other, .. }) => one == other,
        _ => one == other,
    }
}

/// The action that a person can take right away.
pub(super) fn next_step(
    NoticeFacts { schedule, notice, operations, .. }: &NoticeFacts<'_>,
) -> Option<(&'static str, Press)> {
    let may_be_tried = |operation: &Operation| failure::may_be_tried_again(operation);
    let try_again = |planned| ("Try again", Press::RunAgain { schedule: schedule.id, planned });
    let take_over = ("Take over", Press::TakeOver(schedule.id));
    match notice {
        Notice::Stale { .. } if matches!(schedule.state, State::Paused { why: Paused::OwnerLost, .. }) => {
            Some(take_over)
        }
        Notice::Failed { planned, .. } => operations.iter().any(may_be_tried).then(|| try_again(Some(*planned))),
        // Members that have no Snapshot for another reason were not begun or did not come back.
        Notice::Group { planned, .. } => operations.iter().all(may_be_tried).then(|| try_again(Some(*planned))),
        Notice::Missed { last, .. } => Some(try_again(Some(*last))),
        Notice::Stale { .. } => Some(try_again(None)),
        Notice::OwnerLost { .. } | Notice::Unowned => Some(take_over),
        Notice::Undeleted { .. } => {
            let snapshot = operations.first().and_then(|operation| operation.kind.snapshot());
            snapshot.map(|snapshot| ("Delete it", Press::Delete(snapshot.id)))
        }
        Notice::GoodAgain
        | Notice::Gone
        | Notice::Zone { .. }
        | Notice::Moved { .. }
        | Notice::Hung { .. }
        | Notice::Doubtful { .. }
        | Notice::Unsized { .. }
        | Notice::Deletions { .. }
        | Notice::Paused { .. }
        | Notice::Unheard { .. } => None,
    }
}

fn hang_buttons(schedule: ScheduleId) -> Vec<Button> {
    let button = |label, style, answer| Button::new(label, style, Press::HungShutdowns { schedule, answer });
    vec![
        button("Keep shutting down", Style::Danger, HangAnswer::ShutDown),
        button("Stay live", Style::Primary, HangAnswer::StayLive),
        button("Pause", Style::Secondary, HangAnswer::Pause),
    ]
}
