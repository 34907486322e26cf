//! The forms over a review: settings that few people change, one input each, filled with the present values.

use super::super::message::{Input, Modal};
use crate::{
    discord::press::{Press, ReviewForm},
    schedule::{IfHung, Schedule, group::Group},
    store::ConfirmationId,
};

/// The form over the review of a schedule with its present values. `None` for the group form of a schedule without a group.
pub fn form(form: ReviewForm, schedule: &Schedule, id: ConfirmationId) -> Option<Modal> {
    let (title, inputs) = match (form, &schedule.group) {
        (ReviewForm::Failures, _) => ("When something goes wrong", failures(schedule)),
        (ReviewForm::Group, Some(group)) => ("How I take these Droplets", of_group(group)),
        (ReviewForm::Group, None) => return None,
    };
    Some(Modal::new(Press::Filled { form, id }, title, inputs))
}

/// The word for what to do about a stuck shutdown, as in the option of the command.
pub fn if_hung_word(if_hung: IfHung) -> &'static str {
    match if_hung {
        IfHung::Live => "live",
        IfHung::Skip => "skip",
        IfHung::Force => "force",
    }
}

fn failures(schedule: &Schedule) -> Vec<Input> {
    let told = schedule.watched.ping_url.as_ref().map_or_else(
        || "https://…, as healthchecks.io gives you; nothing for none".to_owned(),
        |address| format!("{address}; empty leaves it, none ends it"),
    );
    vec![
        Input {
            label: "If a shutdown gets stuck: live, skip or force".to_owned(),
            value: if_hung_word(schedule.if_hung).to_owned(),
            placeholder: "live: taken while running; force: cuts the power".to_owned(),
            longest: 20,
            is_required: true,
        },
        // The address is a secret, so only its host is shown.
        Input {
            label: "Address that hears how each run goes".to_owned(),
            value: String::new(),
            placeholder: told,
            longest: 500,
            is_required: false,
        },
    ]
}

fn of_group(group: &Group) -> Vec<Input> {
    vec![
        Input {
            label: "Droplets at once".to_owned(),
            value: group.at_once.to_string(),
            placeholder: "1".to_owned(),
            longest: 5,
            is_required: true,
        },
        Input {
            label: "Pause after each Droplet".to_owned(),
            value: format!("{}s", group.gap),
            placeholder: "30s".to_owned(),
            longest: 20,
            is_required: true,
        },
        Input {
            label: "What must work before the next one begins".to_owned(),
            value: group.check.as_ref().map(ToString::to_string).unwrap_or_default(),
            placeholder: "tcp:25565 or http:80/health; empty for nothing".to_owned(),
            longest: 220,
            is_required: false,
        },
        Input {
            label: "Stop after this many that don't come back".to_owned(),
            value: group.stop_after.to_string(),
            placeholder: "1".to_owned(),
            longest: 5,
            is_required: true,
        },
    ]
}
