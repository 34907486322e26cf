//! The texts of turning a Droplet on.

use super::Words;
use crate::{
    discord::messages::{Wording, text::name},
    operation::{Operation, kinds::TurnOn},
};

impl Words for TurnOn {
    fn called(&self, target: &str, shown: &dyn Fn(&str) -> String) -> String {
        format!("power-on of {}", shown(target))
    }

    fn declined(&self, target: &str) -> String {
        format!("{target} was not turned on")
    }

    fn doing(&self, target: &str, shown: &dyn Fn(&str) -> String) -> String {
        format!("Turning on {}", shown(target))
    }

    fn done(&self) -> &'static str {
        "it is on"
    }

    fn completed(&self, operation: &Operation, _wording: &Wording) -> Vec<String> {
        let droplet = name(&operation.target.name);
        if operation.power.came_back().is_none() {
            return Vec::new();
        }
        let already = if operation.power.back().is_done() { "" } else { " already" };
        vec![format!("{droplet} is on{already}.")]
    }

    fn with_droplet(&self) -> &'static str {
        "turning it on"
    }

    fn is_about_power(&self) -> bool {
        true
    }
}
