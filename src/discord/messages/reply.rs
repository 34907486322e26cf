//! The short replies that only one person sees: what was accepted, what a press did, and what went wrong unforeseen.

use super::{the_subject, units::link};
use crate::{
    discord::press::Act,
    operation::{
        Operation,
        ids::{ChannelId, MessageId},
    },
};

/// A command was accepted: it is durable from here on.
pub fn accepted(operation: &Operation, progress: Option<(ChannelId, MessageId)>) -> String {
    let subject = the_subject(operation);
    match progress {
        Some((channel, message)) => {
            format!("Accepted: {subject}. Follow it at {}", link(operation.asker.guild, channel, message))
        }
        None => format!(
            "Accepted: {subject}, operation `{}`. Its progress will appear in <#{}>.",
            operation.id, operation.asker.channel
        ),
    }
}

/// A press was heard.
pub fn heard(act: Act) -> &'static str {
    match act {
        Act::Cancel => {
            "Stopping. A Snapshot that DigitalOcean takes already cannot be stopped; it is finished and kept. The power goes back either way."
        }
        Act::Force => "The power is being cut. What was not saved is lost.",
        Act::Live => "It goes on with the Droplet running.",
        Act::LeaveOff => "The Droplet will not be turned on by this bot.",
        Act::HandleIt => "It is yours: this bot does not try to turn the Droplet on any more.",
    }
}

/// Something went wrong that nobody foresaw; the log holds it under this id.
pub fn incident(id: &str) -> String {
    format!(
        "Something went wrong that this bot did not foresee. Whoever runs it finds it in the log as incident `{id}`. \
         `/snapshot status` shows whether anything was begun."
    )
}

/// The memory does not answer; the log holds the reason under this id.
pub fn memory_failed(id: &str) -> String {
    format!(
        "This bot's memory does not answer, and without it nothing is begun. Try again in a minute; if it happens again, whoever \
         runs this bot finds it in the log as incident `{id}`."
    )
}
