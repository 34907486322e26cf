//! All text that people read: plain functions from data to text, embeds and buttons.
//!
//! The commands, the buttons and the reporters deliver these messages and add nothing to them. This module knows neither Discord's client
//! nor how anything is stored. Names from outside pass through [`text`], and no message can ping anyone that it does not list. Only what
//! a command and its options are for stands at the command itself, where poise reads it; the snapshot of `registration` shows all of it.

pub mod answer;
pub mod backups;
pub mod choice;
pub mod confirm;
pub mod cost;
pub mod droplet;
pub mod failure;
pub mod group;
pub mod help;
mod kinds;
pub mod launch;
pub mod lengths;
pub mod list;
pub mod marker;
pub mod message;
pub mod panel;
mod picker;
pub mod picture;
pub mod pins;
pub mod progress;
pub mod purpose;
pub mod question;
pub mod refusal;
pub mod reply;
pub mod schedule;
pub mod status;
mod steps_left;
pub mod stuck;
pub mod take_group;
pub mod text;
pub mod units;
pub mod values;
mod waiting;
pub mod warning;

use crate::operation::{Operation, Rules, ids::RoleId, power::Status, reading::SnapshotReading};
use kinds::words;
use text::name;
use units::{gigabytes, monthly};

/// What the texts depend on besides the operation itself.
#[derive(Clone, Debug)]
pub struct Wording {
    /// The price of a Snapshot in dollars per GB and month.
    pub price_per_gb: f64,
    /// The timeouts of questions and shutdowns.
    pub rules: Rules,
    /// The role to ping when a Droplet is off and does not come back.
    pub failure_role: Option<RoleId>,
}

/// The operation as the start of a sentence: ``Snapshot of `web-1` ``.
pub(super) fn subject(operation: &Operation) -> String {
    subject_with(operation, name)
}

/// The operation as the start of a sentence, with names formatted by `shown`.
pub(super) fn subject_with(operation: &Operation, shown: impl Fn(&str) -> String) -> String {
    capitalised(&words(&operation.kind).called(&operation.target.name, &shown))
}

/// The operation inside a sentence: ``the Snapshot of `web-1` ``.
pub(super) fn the_subject(operation: &Operation) -> String {
    let words = words(&operation.kind);
    format!("{}{}", words.article(), words.called(&operation.target.name, &name))
}

fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

fn decapitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}

/// The size of an operation's Snapshot and its cost, to follow its name.
fn cost(operation: &Operation, wording: &Wording) -> String {
    match operation.snapshot.as_ref().and_then(SnapshotReading::known_size) {
        Some(size) => format!(": {}, {}", gigabytes(size), monthly(size, wording.price_per_gb)),
        None => "; size not known yet".to_owned(),
    }
}

/// Whether the operation's Droplet no longer exists.
fn is_gone(operation: &Operation) -> bool {
    operation.power.status() == Status::Gone
}

#[cfg(test)]
pub(crate) mod examples;
#[cfg(test)]
mod tests;
