//! Interactions: what the bot receives for a person's command, button press or half-typed option, and the progress of its answer.

use jiff::Timestamp;
use serde_json::Value;

use super::{modal::Modal, snowflake::Snowflake};

/// What a person did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InteractionKind {
    /// Ran a command.
    Command,
    /// Pressed a button or chose from a menu.
    Component,
    /// Typed part of an option.
    Autocomplete,
    /// Sent a form.
    Modal,
}

/// An autocomplete suggestion.
#[derive(Clone, Debug, PartialEq)]
pub struct Choice {
    /// The text that people read.
    pub name: String,
    /// The value that is sent.
    pub value: Value,
}

/// The bot's first response.
#[derive(Clone, Debug, PartialEq)]
pub enum Response {
    /// A Message.
    Message(Snowflake),
    /// "Thinking": this Message will be filled later.
    Thinking(Snowflake),
    /// A changed version of the Message with the component.
    Updated(Snowflake),
    /// The Message with the component may change later.
    WillUpdate(Snowflake),
    /// Autocomplete suggestions.
    Choices(Vec<Choice>),
    /// A form to fill in.
    Form(Box<Modal>),
}

/// The state of the first response.
#[derive(Clone, Debug, PartialEq)]
pub enum First {
    /// It has not been sent yet.
    Awaited,
    /// It was not sent in time.
    Died,
    /// It was sent.
    Given(Response),
}

/// An Interaction by a person, and its result.
#[derive(Clone, Debug)]
pub struct Interaction {
    /// Its id.
    pub id: Snowflake,
    /// The token for responses to it.
    pub token: String,
    /// What the person did.
    pub kind: InteractionKind,
    /// The command's words, or the custom id.
    pub name: String,
    /// The person.
    pub user: Snowflake,
    /// The Channel in which it happened.
    pub channel: Snowflake,
    /// The Message whose component was pressed.
    pub source: Option<Snowflake>,
    /// When it was created.
    pub created: Timestamp,
    /// The state of the bot's first response.
    pub first: First,
    /// Whether a fault, a gate or an absent bot is the reason if it remains unanswered.
    pub excused: bool,
}

/// A simulated user's request for an Interaction.
#[derive(Debug)]
pub(super) struct NewInteraction {
    pub(super) kind: InteractionKind,
    pub(super) name: String,
    pub(super) user: Snowflake,
    pub(super) channel: Snowflake,
    pub(super) source: Option<Snowflake>,
    pub(super) data: Value,
}
