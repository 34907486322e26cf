//! A menu of operations: under `/snapshot status`, and under a call about several Droplets.

use super::{
    capitalised,
    kinds::words,
    message::{Choice, Menu},
    text::plain,
};
use crate::{
    discord::press::{Choosing, Press},
    operation::Operation,
};

/// The longest name in the menu.
const LONGEST_NAME: usize = 40;

/// A menu of operations, which leads to the details of the chosen one.
pub(super) fn picker<'o>(listed: impl IntoIterator<Item = &'o Operation>) -> Option<Menu> {
    let short = |foreign: &str| plain(foreign, LONGEST_NAME);
    let choices = listed.into_iter().map(|operation| {
        let what = capitalised(&words(&operation.kind).choice(&operation.target.name, &short));
        let how = operation.outcome().unwrap_or("running");
        Choice::new(&format!("{what} · {how}"), &format!("operation {}", operation.id), operation.id.to_string())
    });
    Menu::new(Press::Choose(Choosing::Operation), "Details of one operation", choices)
}
