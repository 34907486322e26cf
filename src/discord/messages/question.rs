//! The question about a hung shutdown, and what remains of it afterwards. It is a message of its own, since only a new message notifies
//! people.
//!
//! The reporter posts it once per question and edits it when the question is over, so that its buttons disappear.

use jiff::Timestamp;

use super::{
    Wording,
    kinds::words,
    message::{Button, Message, Style},
    text::name,
    units::{ago, duration},
};
use crate::{
    discord::press::{Act, Press},
    operation::{Instruction, Operation, ids::UserId, kinds::Kind, step::Step},
};

/// The message as it should read at `now`.
pub fn question(operation: &Operation, wording: &Wording, now: Timestamp) -> Message {
    let Some(open) = operation.question else { return Message::text(over(operation)) };
    let requester = operation.requester.user;
    let droplet = name(&operation.target.name);
    // Its time begins when people can read it, which is now unless it was shown before.
    let silence = match open.shown_at {
        Some(_) => open.deadline(&wording.rules),
        None => now.saturating_add(wording.rules.decision_timeout).unwrap_or(Timestamp::MAX),
    };
    let hung = words(&operation.kind).hung();
    let content = format!(
        "<@{requester}> ⚠️ {}. What should I do?\n\
         **Force power off**: like pulling the plug. Data that {droplet} hasn't saved is lost.\n\
         **{}**: {}\n\
         **Cancel**: {} If nobody answers, I'll cancel {}.",
        what_happened(operation, wording),
        hung.live,
        hung.live_means,
        hung.cancel_means,
        ago(silence),
    );
    let button = |label: &'static str, style, act| {
        Button::new(label, style, Press::Instruction { act, operation: operation.id })
    };
    let buttons = vec![
        button("Force power off", Style::Danger, Act::Force),
        button(hung.live, Style::Primary, Act::Live),
        button("Cancel", Style::Secondary, Act::Cancel),
    ];
    Message { content, buttons, pings: vec![requester], ..Message::default() }
}

/// The label of the button that continues with the Droplet running.
pub(super) fn live_label(kind: &Kind) -> &'static str {
    words(kind).hung().live
}

fn what_happened(operation: &Operation, wording: &Wording) -> String {
    let droplet = name(&operation.target.name);
    let has_failed = operation.current().and_then(Step::run).is_some_and(|run| run.broken.is_some());
    if has_failed {
        format!("DigitalOcean couldn't shut {droplet} down, and it is still on")
    } else {
        format!("{droplet} hasn't shut down within {}", duration(wording.rules.shutdown_timeout))
    }
}

/// The text when the question needs no answer any more.
fn over(operation: &Operation) -> String {
    let droplet = name(&operation.target.name);
    let Some(decision) = operation.decision else {
        return format!("⏭️ {droplet} was slow to shut down. Nobody needs to answer now.");
    };
    let when = ago(decision.at);
    let chose = |by: Option<UserId>, label: &str| match by {
        Some(by) => format!("<@{by}> chose **{label}** {when}."),
        None => format!("Nobody answered, so I cancelled {when}."),
    };
    let chosen = match decision.instruction {
        Instruction::Force => chose(decision.by, "Force power off"),
        Instruction::Live => chose(decision.by, live_label(&operation.kind)),
        Instruction::Cancel => chose(decision.by, "Cancel"),
        // These do not answer this question, but a row may hold anything.
        Instruction::LeaveOff
        | Instruction::HandleIt
        | Instruction::KeepWaiting
        | Instruction::TurnOn
        | Instruction::Postpone
        | Instruction::QuestionShown
        | Instruction::WarningShown
        | Instruction::WarningRefused
        | Instruction::AnswerTaken
        | Instruction::AnswerLost
        | Instruction::AnswerRefused => chose(decision.by, "another way"),
    };
    let sign = if decision.instruction == Instruction::Cancel { "⏭️" } else { "✅" };
    format!("{sign} {droplet} didn't shut down in time. {chosen}")
}
