//! The texts of a restart.

use super::Words;
use crate::{
    discord::messages::{Wording, text::name},
    operation::{
        Operation,
        kinds::Restart,
        step::{Step, Task},
    },
};

impl Words for Restart {
    fn called(&self, target: &str, shown: &dyn Fn(&str) -> String) -> String {
        format!("restart of {}", shown(target))
    }

    fn declined(&self, target: &str) -> String {
        format!("{target} was not restarted")
    }

    fn doing(&self, target: &str, shown: &dyn Fn(&str) -> String) -> String {
        format!("Restarting {}", shown(target))
    }

    fn done(&self) -> &'static str {
        "done"
    }

    fn completed(&self, operation: &Operation, _wording: &Wording) -> Vec<String> {
        let droplet = name(&operation.target.name);
        let was_restarted = operation.steps.iter().any(|step: &Step| step.task() == Task::Restart && step.is_done());
        if was_restarted {
            vec![format!("{droplet} was restarted.")]
        } else {
            vec![format!("{droplet} is off, so there was nothing to restart.")]
        }
    }

    fn undone(&self, operation: &Operation) -> Option<String> {
        Some(format!("{} was not restarted.", name(&operation.target.name)))
    }

    fn with_droplet(&self) -> &'static str {
        "restarting it"
    }

    fn is_about_power(&self) -> bool {
        true
    }
}
