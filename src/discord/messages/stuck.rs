//! The two messages about power that come by themselves: the call for help, and the late off that was made good.

use super::{
    failure,
    progress::hindrance,
    said::{Button, Said, Style},
    text::name,
    the_subject,
    units::{ago, duration, panel},
};
use crate::{
    discord::press::{Act, Press},
    operation::{Operation, reading::Failure, step::Task},
};

/// The Droplet is off and its operation does not get on: people are called, and the bot tries on.
pub fn stuck(operation: &Operation) -> Said {
    let droplet = name(&operation.target.name);
    let asker = operation.asker.user;
    let why = match operation.power.last_call().and_then(|stuck| stuck.why.as_ref()) {
        Some(why @ (Failure::Unauthorized | Failure::OtherAccount | Failure::Forbidden { .. })) => {
            format!("{} {}", failure::what(why, operation), failure::next(why, operation))
        }
        Some(why) => failure::what(why, operation),
        None => waiting(operation),
    };
    let panel = match operation.target.droplet {
        Some(id) => panel(id),
        None => "DigitalOcean's control panel".to_owned(),
    };
    let is_turning_on = operation.active_step().is_none_or(|step| step.task == Task::PowerOn);
    let state = if operation.power.was_seen_off() && is_turning_on {
        format!("{droplet} is off and could not be turned on again.")
    } else if operation.power.was_seen_off() {
        format!("{droplet} is off, and {} is not getting on.", the_subject(operation))
    } else {
        format!("{droplet} was told to shut down, and it cannot be seen whether it is on again.")
    };
    let again = match operation.power.last_call().and_then(|stuck| stuck.why.as_ref()) {
        Some(Failure::Unauthorized | Failure::OtherAccount | Failure::Forbidden { .. }) => {
            "This is tried again as soon as that is done."
        }
        Some(_) | None if is_turning_on => "This is tried again every few minutes.",
        Some(_) | None => "It goes on as soon as that is over.",
    };
    let content = format!(
        "<@{asker}> {state} {why}\n{again} To be quicker, turn it on at {panel}; press **I'll handle it** if the bot should leave \
         it to you."
    );
    let button = |label, style, act| Button { label, style, press: Press::Wish { act, operation: operation.id } };
    let is_restoring = operation.active_step().is_some_and(|step| step.task == Task::Restore && step.began.is_some());
    let offered = [
        (!is_turning_on && !is_restoring, button("Turn it on as soon as possible", Style::Primary, Act::TurnOn)),
        (!is_turning_on, button("Keep waiting", Style::Secondary, Act::KeepWaiting)),
        (true, button("I'll handle it", if is_turning_on { Style::Primary } else { Style::Secondary }, Act::HandleIt)),
    ];
    let buttons = offered.into_iter().filter_map(|(is_offered, button)| is_offered.then_some(button)).collect();
    Said { content, pings: Some(asker), buttons, embeds: Vec::new() }
}

/// What power waits for, where nothing was refused.
fn waiting(operation: &Operation) -> String {
    match &operation.obstacle {
        Some(obstacle) => format!("It waits because {}.", hindrance(&obstacle.what)),
        None => "DigitalOcean keeps us waiting.".to_owned(),
    }
}

/// A shutdown that hung took effect after the end, and was made good.
pub fn repaired(operation: &Operation) -> Said {
    let droplet = name(&operation.target.name);
    let downtime =
        operation.power.downtime().map(|downtime| format!(", {} after the shutdown was asked for", duration(downtime)));
    let when = operation.power.repaired().map(|at| format!(" {}", ago(at))).unwrap_or_default();
    Said::text(format!(
        "{droplet} turned off after all: the shutdown that hung took effect late. It was turned on again{when}{}.",
        downtime.unwrap_or_default()
    ))
}
