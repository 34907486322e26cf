//! Interactions: what a person's command, press or half-typed option becomes for the bot, and how far its answer is.

use jiff::Timestamp;
use serde_json::Value;

use super::{modal::Modal, snowflake::Snowflake};

/// What a person did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Ran a command.
    Command,
    /// Pressed a button or chose from a menu.
    Component,
    /// Typed part of an option.
    Autocomplete,
    /// Sent a form.
    Modal,
}

/// A suggestion of autocomplete.
#[derive(Clone, Debug, PartialEq)]
pub struct Choice {
    /// What people read.
    pub name: String,
    /// What is sent.
    pub value: Value,
}

/// What the bot said first.
#[derive(Clone, Debug, PartialEq)]
pub enum Response {
    /// A Message.
    Message(Snowflake),
    /// That it is thinking; this Message will be filled.
    Thinking(Snowflake),
    /// The Message with the component, changed.
    Updated(Snowflake),
    /// That the Message with the component will change, or not.
    WillUpdate(Snowflake),
    /// Suggestions.
    Choices(Vec<Choice>),
    /// A form to fill in.
    Form(Box<Modal>),
}

/// How far the first response is.
#[derive(Clone, Debug, PartialEq)]
pub enum First {
    /// Not there yet.
    Awaited,
    /// Too late now.
    Died,
    /// Given.
    Given(Response),
}

/// What a person did, and what came of it.
#[derive(Clone, Debug)]
pub struct Interaction {
    /// Its id.
    pub id: Snowflake,
    /// The token that serves its responses.
    pub token: String,
    /// What it is.
    pub kind: Kind,
    /// The command's words, or the custom id.
    pub name: String,
    /// Who.
    pub user: Snowflake,
    /// Where.
    pub channel: Snowflake,
    /// The Message whose component was pressed.
    pub source: Option<Snowflake>,
    /// When.
    pub created: Timestamp,
    /// What the bot said first.
    pub first: First,
    /// Whether a fault, a gate or an absent bot is to blame if it goes unanswered.
    pub excused: bool,
}

/// What a simulated user asks for.
#[derive(Debug)]
pub(super) struct NewInteraction {
    pub(super) kind: Kind,
    pub(super) name: String,
    pub(super) user: Snowflake,
    pub(super) channel: Snowflake,
    pub(super) source: Option<Snowflake>,
    pub(super) data: Value,
}
