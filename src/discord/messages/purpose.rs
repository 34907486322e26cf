//! What each button does, for the refusal that people without the right read.

use crate::discord::press::{Act, Begun, Choosing, Press};

/// What a press does; the words follow "You need @Operator to".
pub fn purpose(press: Press) -> &'static str {
    match press {
        Press::Instruction { act, .. } => instruction(act),
        Press::KeepWaiting(_) => instruction(Act::KeepWaiting),
        Press::Undo(_) => "undo a restore",
        Press::Delete(_) => "delete Snapshots",
        Press::Pin(_) => "pin Snapshots",
        Press::Unpin(_) => "unpin Snapshots",
        Press::TurnOn(_) => "turn a Droplet on",
        Press::Restart(_) => "restart a Droplet",
        Press::Restore(_)
        | Press::PutBack(_)
        | Press::Begin { what: Begun::Restore, .. }
        | Press::Choose(Choosing::DropletToRestore) => "restore Droplets",
        Press::Launch(_) | Press::LaunchAs(_) | Press::Tags(_) | Press::Keys(_) => "launch Droplets",
        Press::TryAgain(_) => "try it again",
        Press::Take { .. }
        | Press::TakeGroup(_)
        | Press::GroupAgain(_)
        | Press::Begin { what: Begun::Take, .. }
        | Press::Choose(Choosing::DropletToTake) => "take Snapshots",
        Press::StopRun(_) => "stop it",
        // What the question is about is looked up only for people who may answer it.
        Press::Confirm(_) | Press::Decline(_) => "answer this question",
        Press::Schedule(_) | Press::Fill { .. } | Press::Filled { .. } => "change schedules",
        Press::KeepAnnounced(_) => "keep what a schedule deletes",
        Press::DeleteMany { .. } | Press::PruneAgain(_) => "let a schedule delete Snapshots",
        Press::RelyOn { .. } => "accept a small Snapshot",
        Press::TakeOver(_) => "take schedules over",
        Press::HungShutdowns { .. } => "decide how a schedule shuts down",
        Press::HandOver(_) => "remove schedules",
        Press::RunAgain { .. } => "run schedules",
        Press::Page { .. } | Press::Begin { what: Begun::List, .. } | Press::Choose(Choosing::Snapshot) => {
            "see Snapshots"
        }
        Press::Choose(Choosing::Operation) => "see operations",
    }
}

fn instruction(act: Act) -> &'static str {
    match act {
        Act::Cancel => "cancel it",
        Act::Force => "force a Droplet off",
        Act::Live => "let it go on live",
        Act::LeaveOff | Act::HandleIt => "leave a Droplet off",
        Act::KeepWaiting => "let me keep waiting",
        Act::TurnOn => "turn a Droplet on",
        Act::Postpone => "postpone a shutdown",
    }
}
