//! The texts of a restore. Its own Snapshot is only for safety.

use super::{Advice, CannotStop, Hung, SEE_THE_LIST, Taking, Words};
use crate::{
    discord::{
        messages::{
            Wording, cost,
            failure::again,
            is_gone, list,
            message::{Button, Style},
            text::name,
            units::moment,
        },
        press::Press,
    },
    operation::{
        Operation, Outcome,
        kinds::{Restore, Safety},
        step::{State, Task},
        undo::is_safety_name,
    },
};

impl Words for Restore {
    fn called(&self, target: &str, shown: &dyn Fn(&str) -> String) -> String {
        format!("restore of {}", shown(target))
    }

    fn declined(&self, target: &str) -> String {
        format!("{target} was not restored")
    }

    fn doing(&self, target: &str, shown: &dyn Fn(&str) -> String) -> String {
        format!("Restoring {} from {}", shown(target), shown(&self.snapshot.name))
    }

    fn titled(&self, target: &str, shown: &dyn Fn(&str) -> String) -> String {
        format!("restore of {} from {}", shown(target), shown(&self.snapshot.name))
    }

    fn result(&self, operation: &Operation, wording: &Wording) -> Option<String> {
        operation.snapshot.as_ref()?;
        Some(format!("🛟 {}{}", name(&operation.snapshot_name), cost(operation, wording)))
    }

    fn done(&self) -> &'static str {
        "done"
    }

    fn goes_down(&self) -> &'static str {
        "to be restored"
    }

    fn completed(&self, operation: &Operation, wording: &Wording) -> Vec<String> {
        let snapshot = name(&self.snapshot.name);
        let restored = format!("{} is restored from Snapshot {snapshot}.", name(&operation.target.name));
        let needless = is_safety_name(&self.snapshot.name)
            .then(|| format!("Snapshot {snapshot} is on the disk now, so it is no longer needed."));
        let kept: Vec<String> = self.kept_for_safety(operation, wording).into_iter().chain(needless).collect();
        std::iter::once(restored).chain((!kept.is_empty()).then(|| kept.join(" "))).collect()
    }

    fn disk(&self, operation: &Operation) -> Option<String> {
        let droplet = name(&operation.target.name);
        if is_gone(operation) {
            return None;
        }
        Some(if operation.may_have_overwritten() {
            format!("**The disk of {droplet} may be incomplete.**")
        } else {
            format!("Nothing was restored, and the disk of {droplet} is as it was.")
        })
    }

    fn kept(&self, operation: &Operation, wording: &Wording) -> Option<String> {
        let is_done = operation.steps.iter().any(|step| step.task() == Task::Snapshot && step.is_done());
        if is_done || operation.snapshot.is_some() { self.kept_for_safety(operation, wording) } else { None }
    }

    fn way_back(&self, operation: &Operation, wording: &Wording) -> Option<String> {
        self.kept_for_safety(operation, wording).filter(|_| operation.may_have_overwritten())
    }

    fn is_asked_again(&self) -> bool {
        true
    }

    fn failed(&self, operation: &Operation) -> &'static str {
        if has_failed_for_safety(operation) && !is_gone(operation) {
            "failed: its safety Snapshot failed"
        } else {
            "failed"
        }
    }

    fn droplet_gone(&self, operation: &Operation) -> Advice {
        let next = match &operation.snapshot {
            Some(_) => "`/snapshot launch` makes a new Droplet from the safety Snapshot.",
            None => "`/snapshot launch` makes a new Droplet from one of its Snapshots, if it has any left.",
        };
        Advice { what: format!("{} is gone.", name(&operation.target.name)), next: next.to_owned() }
    }

    fn snapshot_gone(&self, operation: &Operation) -> Advice {
        if has_failed_for_safety(operation) {
            return Advice {
                what: "It disappeared right after it was taken.".to_owned(),
                next: format!("{} to take another one and restore.", again(operation)),
            };
        }
        let what = format!("Snapshot {} is gone.", name(&self.snapshot.name));
        Advice { what, next: SEE_THE_LIST.to_owned() }
    }

    fn buttons(&self, operation: &Operation) -> Vec<Button> {
        if operation.snapshot.is_none() || is_gone(operation) {
            // There is no Droplet to put it back onto, and it may be all that is left.
            return Vec::new();
        }
        let undo = Press::Undo(operation.id);
        // An announcement deletes nothing. A safety Snapshot that is not needed is deleted from the list.
        let list = list::way(operation.target.droplet);
        if operation.safety_snapshot().is_none() {
            return vec![list];
        }
        if operation.outcome != Some(Outcome::Completed) {
            return vec![Button::new("Restore the safety Snapshot", Style::Danger, undo)];
        }
        let undo = Button::new("Undo", Style::Secondary, undo);
        if is_safety_name(&self.snapshot.name) { vec![undo, list] } else { vec![undo] }
    }

    fn facts(&self, taken: Option<String>) -> Vec<String> {
        let from = format!("From Snapshot {}", name(&self.snapshot.name));
        let safety = taken.map(|taken| format!("Safety Snapshot {taken}"));
        std::iter::once(from).chain(safety).collect()
    }

    fn was_found_on(&self) -> &'static str {
        // If DigitalOcean starts the Droplet after a restore, no person did.
        " DigitalOcean left it on after the restore."
    }

    fn with_droplet(&self) -> &'static str {
        "restoring it"
    }

    fn with_snapshot(&self) -> &'static str {
        "restoring a Droplet from it"
    }

    fn taking(&self) -> Taking {
        Taking {
            step: ("Safety Snapshot", "Taking the safety Snapshot"),
            stopping: "stopping; the safety Snapshot is kept",
            cannot_stop: CannotStop::AfterItsName(
                "nothing is restored. DigitalOcean can't stop the safety Snapshot any more, so I'll let it finish and keep it.",
            ),
        }
    }

    fn hung(&self) -> Hung {
        let live_means = match self.safety {
            Safety::Snapshot => {
                "takes the safety Snapshot while it runs, so files open at that moment may be incomplete in it, then restores."
            }
            Safety::None => "overwrites the disk while it runs. Nothing on it now is kept.",
        };
        Hung { live: "Go on live", live_means, cancel_means: "restores nothing." }
    }
}

impl Restore {
    fn kept_for_safety(&self, operation: &Operation, wording: &Wording) -> Option<String> {
        if self.safety == Safety::None {
            return None;
        }
        let undo = match (operation.undo_until(), &operation.outcome) {
            (Some(until), Some(Outcome::Completed)) => format!(" **Undo** puts it back, until {}.", moment(until)),
            _ => String::new(),
        };
        let (kept, cost) = (name(&operation.snapshot_name), cost(operation, wording));
        Some(if operation.may_have_overwritten() {
            format!("What was on its disk before is kept in Snapshot {kept}{cost}.{undo}")
        } else {
            format!("The safety Snapshot {kept} is kept{cost}.")
        })
    }
}

/// Whether it is the safety Snapshot that failed.
fn has_failed_for_safety(operation: &Operation) -> bool {
    let Some(Outcome::Failed(outcome)) = &operation.outcome else { return false };
    let failed = |state: &State| matches!(state, State::Failed { why, .. } if why == outcome);
    operation.steps.iter().any(|step| step.task() == Task::Snapshot && failed(&step.state))
}
