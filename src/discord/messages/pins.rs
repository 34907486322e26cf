//! Pins: who wants a Snapshot kept, and why.

use super::{
    choice::keyed,
    text::{name, plain, quote},
    units::ago,
};
use crate::{inventory::Snapshot, store::Pin};

/// Who pinned it, when and why, after "It is pinned": ``by @ada 3 days ago: `before the upgrade`.``
pub fn because(pin: &Pin) -> String {
    let why = pin.reason.as_deref().map_or_else(|| ".".to_owned(), |reason| format!(": {}.", quote(reason)));
    format!("by <@{}> {}{why}", pin.by, ago(pin.at))
}

/// The reply that it is now pinned.
pub fn pinned(snapshot: &Snapshot) -> String {
    format!(
        "📌 Snapshot {} is pinned. No schedule deletes it, and I warn anyone who wants to. `/snapshot unpin` takes the pin off.",
        name(&snapshot.name)
    )
}

/// The reply that it was already pinned, so nothing changed.
pub fn pinned_already(pin: &Pin) -> String {
    format!(
        "📌 Snapshot {} is pinned already, {} To change the reason, unpin it first.",
        name(&pin.snapshot.name),
        because(pin)
    )
}

/// The reply that the pin was removed.
pub fn unpinned(pin: &Pin) -> String {
    format!("Snapshot {} is no longer pinned.", name(&pin.snapshot.name))
}

/// The reply that nothing with that name is pinned.
pub fn not_pinned(text: &str, count: usize) -> String {
    match count {
        0 => "No Snapshot is pinned. `/snapshot pin` pins one.".to_owned(),
        _ => format!(
            "There is no pinned Snapshot {}. Choose one from the list that appears while you type.",
            quote(text)
        ),
    }
}

/// A pinned Snapshot as a choice: its name, the reason, and its id at the end, by which it is found if the client submits the label.
pub fn choice(pin: &Pin) -> String {
    let why = pin.reason.as_deref().map(|reason| format!(" · {}", plain(reason, 30))).unwrap_or_default();
    keyed(&format!("{}{why}", plain(&pin.snapshot.name, 40)), &pin.snapshot.id.to_string())
}
