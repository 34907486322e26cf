//! The buttons under a refusal. Its reader may press all of them.

use super::{
    super::{
        list,
        message::{Button, Message, Style},
    },
    Refusal,
    occupied::ways_on,
};
use crate::discord::press::Press;

impl Refusal {
    /// Whether the reason may soon pass on its own.
    pub fn passes(&self) -> bool {
        matches!(
            self,
            Self::DigitalOceanDown
                | Self::Busy { .. }
                | Self::SnapshotInUse { .. }
                | Self::Locked { .. }
                | Self::StillNew { .. }
                | Self::Draining
                | Self::Standby
        )
    }
}

/// The message of a refusal.
pub fn message(refusal: &Refusal) -> Message {
    Message { buttons: buttons(refusal), ..Message::text(refusal.words()) }
}

/// The message of a refusal, with a button for the refused press, which may help later.
pub fn not_now(refusal: &Refusal, press: Press) -> Message {
    again(message(refusal), press)
}

/// The message of a refusal, for a command that no button can repeat.
pub fn send_again(refusal: &Refusal) -> Message {
    let refused = message(refusal);
    let content = format!("{}\nA button can't carry what you typed, so send the command again.", refused.content);
    Message { content, ..refused }
}

/// Adds *Try again*, which repeats this press.
pub fn again(said: Message, press: Press) -> Message {
    let again = Button::new("Try again", Style::Secondary, press);
    let others = said.buttons.into_iter().filter(|button| button.press() != Some(press));
    Message { buttons: others.chain([again]).collect(), ..said }
}

fn buttons(refusal: &Refusal) -> Vec<Button> {
    match refusal {
        Refusal::Busy { by, again, .. } => {
            let again = again.as_deref().map(|press| Button::new("Try again", Style::Secondary, *press));
            ways_on(by).into_iter().chain(again).collect()
        }
        Refusal::SnapshotInUse { by } | Refusal::TriedAgain { by } => ways_on(by),
        Refusal::SourceGone { id, .. } | Refusal::NothingToUndoOn { id, .. } => {
            vec![Button::new("Launch…", Style::Secondary, Press::Launch(*id))]
        }
        Refusal::UndoOver { id, .. } => vec![Button::new("Restore…", Style::Secondary, Press::Restore(*id))],
        Refusal::SnapshotGone { .. } | Refusal::SnapshotDeleted { .. } => vec![list::way(None)],
        _ => Vec::new(),
    }
}
