//! The warning before a Droplet goes down, which is edited to show the outcome and mentions nobody. Also the refusals of a warning.

use super::{
    kinds::words,
    message::{Button, Message, Style},
    progress::downtime,
    text::{name, quote},
    units::{ago, clock, duration, roughly},
};
use crate::{
    discord::press::{Act, Press},
    operation::{Operation, ids::ChannelId, warning::Warned},
};

/// The message as it should read now.
pub fn warning(operation: &Operation) -> Message {
    let droplet = name(&operation.target.name);
    let why = words(&operation.kind).goes_down();
    let content = match operation.warned() {
        Some(Warned::Ahead { at: Some(at), .. }) => {
            let expected = downtime(operation);
            let how_long = expected.map(|expected| format!(" Offline ≈ {}.", roughly(expected))).unwrap_or_default();
            format!("⚠️ {droplet} goes down at {} ({}) {why}.{how_long}", clock(at), ago(at))
        }
        Some(Warned::Ahead { at: None, .. }) => {
            let minutes = operation.warning.map_or(0, |warning| warning.warn.minutes);
            format!("⚠️ {droplet} goes down in {minutes} min {why}.")
        }
        Some(Warned::ShuttingDown(since)) => format!("⚠️ {droplet} is shutting down {why} (started {}).", ago(since)),
        Some(Warned::Down(since)) => {
            format!("⚠️ {droplet} has been down since {} ({}) {why}. I'll turn it back on.", clock(since), ago(since))
        }
        Some(Warned::Back(downtime)) => format!("✅ {droplet} is back. It was down for {}.", duration(downtime)),
        Some(Warned::LeftOff) => format!("⏭️ {droplet} is off and stays off for now."),
        Some(Warned::Gone) => format!("⏭️ {droplet} no longer exists."),
        Some(Warned::CalledOff) | None => format!("⏭️ Called off: {droplet} stays on."),
    };
    let press = Press::Instruction { act: Act::Postpone, operation: operation.id };
    let postpone = operation.may_be_postponed().then(|| Button::new("Postpone 10 min", Style::Secondary, press));
    Message { content, buttons: postpone.into_iter().collect(), ..Message::default() }
}

/// Why the requested warning is not possible. Nothing was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WarningRefusal {
    /// `warn` is not a number of minutes from 1 to 60.
    Time {
        /// What was typed.
        text: String,
    },
    /// `warn-in` is not a channel of this guild in which people post.
    Place,
    /// The bot may not post there.
    CannotPost {
        /// The channel.
        channel: ChannelId,
        /// The missing rights, by Discord's names.
        missing: Vec<&'static str>,
    },
    /// The person may not post there.
    NotYours {
        /// The channel.
        channel: ChannelId,
    },
    /// Discord did not answer whether the bot may post there.
    Unanswered,
}

impl WarningRefusal {
    /// The text of the refusal: what happened, and what to do.
    pub fn words(&self) -> String {
        match self {
            Self::Time { text } => {
                format!("`warn` takes 1 to 60 minutes, such as `5m`, and {} isn't that.", quote(text))
            }
            Self::Place => "`warn-in` takes a text channel of this server. Choose another.".to_owned(),
            Self::CannotPost { channel, missing } => {
                let missing = missing.iter().map(|right| format!("**{right}**")).collect::<Vec<_>>().join(" and ");
                format!("I can't warn anybody in <#{channel}>: I lack {missing} there. Choose another channel.")
            }
            Self::NotYours { channel } => {
                format!("You can't write in <#{channel}> yourself. Choose one where you can.")
            }
            Self::Unanswered => {
                "Discord didn't say whether I may post there, so nothing was started. Try again in a minute.".to_owned()
            }
        }
    }
}
