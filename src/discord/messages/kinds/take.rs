//! The texts of a take.

use super::{Advice, Words};
use crate::{
    discord::{
        messages::{
            Wording, cost,
            failure::again,
            is_gone,
            message::{Button, Style},
            text::name,
        },
        press::Press,
    },
    operation::{Operation, kinds::Take, step::Task},
};

impl Words for Take {
    fn called(&self, target: &str, shown: &dyn Fn(&str) -> String) -> String {
        format!("Snapshot of {}", shown(target))
    }

    fn declined(&self, target: &str) -> String {
        format!("no Snapshot of {target} was taken")
    }

    fn doing(&self, target: &str, shown: &dyn Fn(&str) -> String) -> String {
        format!("Taking a Snapshot of {}", shown(target))
    }

    fn result(&self, operation: &Operation, wording: &Wording) -> Option<String> {
        operation.snapshot.as_ref()?;
        Some(format!("📦 {}{}", name(&operation.snapshot_name), cost(operation, wording)))
    }

    fn buttons(&self, operation: &Operation) -> Vec<Button> {
        let Some(taken) = &operation.snapshot else { return Vec::new() };
        let restore =
            (!is_gone(operation)).then(|| Button::new("Restore…", Style::Secondary, Press::Restore(taken.id)));
        let launch = Button::new("Launch…", Style::Secondary, Press::Launch(taken.id));
        restore.into_iter().chain([launch]).collect()
    }

    fn done(&self) -> &'static str {
        "ready"
    }

    fn completed(&self, operation: &Operation, wording: &Wording) -> Vec<String> {
        let droplet = name(&operation.target.name);
        let snapshot = name(&operation.snapshot_name);
        let mut sentences = vec![format!("Snapshot {snapshot} of {droplet} is ready{}.", cost(operation, wording))];
        if operation.may_have_been_taken_live() {
            sentences.push(format!(
                "It may have been taken while {droplet} was running. Files open at that moment may be incomplete."
            ));
        }
        sentences
    }

    fn undone(&self, operation: &Operation) -> Option<String> {
        let was_begun = operation.steps.iter().any(|step| step.task() == Task::Snapshot && step.began.is_some());
        (!was_begun).then(|| "No Snapshot was taken.".to_owned())
    }

    fn kept(&self, operation: &Operation, wording: &Wording) -> Option<String> {
        operation.snapshot.as_ref()?;
        Some(format!("Snapshot {} is kept{}.", name(&operation.snapshot_name), cost(operation, wording)))
    }

    fn is_asked_again(&self) -> bool {
        true
    }

    fn droplet_gone(&self, operation: &Operation) -> Advice {
        Advice {
            what: format!("{} is gone.", name(&operation.target.name)),
            next: "`/snapshot launch` makes a new Droplet from one of its Snapshots, if it has any left.".to_owned(),
        }
    }

    fn snapshot_gone(&self, operation: &Operation) -> Advice {
        Advice {
            what: "The Snapshot disappeared right after it was taken.".to_owned(),
            next: format!("{} if you need another one.", again(operation)),
        }
    }

    fn facts(&self, taken: Option<String>) -> Vec<String> {
        taken.map(|taken| format!("Snapshot {taken}")).into_iter().collect()
    }

    fn with_droplet(&self) -> &'static str {
        "taking a Snapshot of it"
    }

    fn with_snapshot(&self) -> &'static str {
        "taking it"
    }
}
