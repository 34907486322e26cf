//! Every word that a person reads: plain functions from data to text, embed and buttons.
//!
//! Called by the commands, the buttons and the reporter, which deliver what is made here and add nothing to it. Knows neither
//! Discord's client nor how anything is stored. Names from outside pass through [`text`], and nothing said here can ping anyone but the asker.

pub mod answer;
pub mod choice;
pub mod confirm;
pub mod failure;
pub mod help;
pub mod launch;
pub mod list;
pub mod marker;
pub mod message;
pub mod progress;
pub mod question;
pub mod refusal;
pub mod reply;
pub mod status;
pub mod stuck;
pub mod text;
pub mod units;

use crate::operation::{Operation, Rules, plan::Kind};
use text::name;

/// What the words depend on beside the operation itself.
#[derive(Clone, Debug)]
pub struct Wording {
    /// Dollars per GB and month.
    pub price_per_gb: f64,
    /// The times that questions and shutdowns are given.
    pub rules: Rules,
}

/// What an operation is, as the start of a sentence: ``Snapshot of `web-1` ``.
pub(super) fn subject(operation: &Operation) -> String {
    subject_with(operation, name)
}

/// The same with names as the place allows them.
pub(super) fn subject_with(operation: &Operation, shown: impl Fn(&str) -> String) -> String {
    let target = shown(&operation.target.name);
    match &operation.kind {
        Kind::Take { .. } => format!("Snapshot of {target}"),
        Kind::Restore { .. } => format!("Restore of {target}"),
        Kind::Launch { .. } => format!("Launch of {target}"),
        Kind::Delete { snapshot } => format!("Deletion of Snapshot {}", shown(&snapshot.name)),
    }
}

/// The same inside a sentence: ``the Snapshot of `web-1` ``.
pub(super) fn the_subject(operation: &Operation) -> String {
    let target = name(&operation.target.name);
    match &operation.kind {
        Kind::Take { .. } => format!("the Snapshot of {target}"),
        Kind::Restore { .. } => format!("the restore of {target}"),
        Kind::Launch { .. } => format!("the launch of {target}"),
        Kind::Delete { snapshot } => format!("the deletion of Snapshot {}", name(&snapshot.name)),
    }
}

#[cfg(test)]
pub(super) mod examples;
#[cfg(test)]
mod tests;
