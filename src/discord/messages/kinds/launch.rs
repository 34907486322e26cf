//! The words of a launch.

use super::{Advice, SEE_THE_LIST, Words};
use crate::{
    discord::messages::{Wording, text::name},
    operation::{Operation, kinds::Launch},
};

impl Words for Launch {
    fn called(&self, target: &str, shown: &dyn Fn(&str) -> String) -> String {
        format!("launch of {}", shown(target))
    }

    fn done(&self) -> &'static str {
        "ready"
    }

    fn completed(&self, operation: &Operation, _wording: &Wording) -> Vec<String> {
        let droplet = name(&operation.target.name);
        let address = operation.launched.as_ref().and_then(|launched| launched.address.as_deref());
        let address = address.map_or_else(
            || "DigitalOcean has not told its address yet".to_owned(),
            |address| format!("its address is {}", name(address)),
        );
        let cents = operation.launched.as_ref().and_then(|launched| launched.monthly_cents);
        let price = cents.map(|cents| format!(" It costs ${}.{:02} a month.", cents / 100, cents % 100));
        let from = name(&self.snapshot.name);
        vec![format!("Droplet {droplet} was created from Snapshot {from}; {address}.{}", price.unwrap_or_default())]
    }

    fn undone(&self, _operation: &Operation) -> Option<String> {
        Some("No Droplet was made.".to_owned())
    }

    fn droplet_gone(&self, _operation: &Operation) -> Advice {
        Advice {
            what: "Somebody destroyed the new Droplet before it was ready.".to_owned(),
            next: "Launch it again if you still need it.".to_owned(),
        }
    }

    fn snapshot_gone(&self, _operation: &Operation) -> Advice {
        let what = format!("Snapshot {} does not exist any more.", name(&self.snapshot.name));
        Advice { what, next: SEE_THE_LIST.to_owned() }
    }

    fn facts(&self, _taken: Option<String>) -> Vec<String> {
        vec![format!("From Snapshot {}", name(&self.snapshot.name))]
    }

    fn with_snapshot(&self) -> &'static str {
        "launching a Droplet from it"
    }
}
