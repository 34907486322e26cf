//! The texts of a launch.

use super::{Advice, SEE_THE_LIST, Words};
use crate::{
    discord::messages::{
        Wording,
        message::Button,
        text::name,
        units::{dollars_a_month, panel_page},
    },
    operation::{Operation, Outcome, kinds::Launch},
};

/// What DigitalOcean does if a new Droplet gets no SSH key.
const ROOT_PASSWORD: &str = "It has no SSH key: DigitalOcean mails a root password to the account's owner.";

/// What a Droplet costs, as DigitalOcean reported when it created it.
pub(super) fn price(cents: u64) -> String {
    // The conversion is exact for every realistic price.
    dollars_a_month(f64::from(u32::try_from(cents).unwrap_or(u32::MAX)) / 100.0)
}

impl Words for Launch {
    fn called(&self, target: &str, shown: &dyn Fn(&str) -> String) -> String {
        format!("launch of {}", shown(target))
    }

    fn declined(&self, target: &str) -> String {
        format!("{target} was not launched")
    }

    fn doing(&self, target: &str, shown: &dyn Fn(&str) -> String) -> String {
        format!("Launching {} from {}", shown(target), shown(&self.snapshot.name))
    }

    fn titled(&self, target: &str, shown: &dyn Fn(&str) -> String) -> String {
        format!("launch of {} from {}", shown(target), shown(&self.snapshot.name))
    }

    fn result(&self, operation: &Operation, _wording: &Wording) -> Option<String> {
        let launched = operation.launched.as_ref()?;
        let address = launched.address.as_deref().map_or_else(|| "no address yet".to_owned(), name);
        let price = launched.monthly_cents.map(|cents| format!(" · {}", price(cents))).unwrap_or_default();
        Some(format!("🖥️ {} · {address}{price}", name(&operation.target.name)))
    }

    fn look_first(&self, operation: &Operation) -> String {
        format!(
            "Look for a Droplet {} in DigitalOcean's control panel before trying again, so you don't pay for two.",
            name(&operation.target.name)
        )
    }

    fn buttons(&self, operation: &Operation) -> Vec<Button> {
        let launched = operation.launched.as_ref().filter(|_| operation.outcome == Some(Outcome::Completed));
        launched
            .map(|launched| Button::link("Open in DigitalOcean", panel_page(launched.droplet)))
            .into_iter()
            .collect()
    }

    fn done(&self) -> &'static str {
        "ready"
    }

    fn completed(&self, operation: &Operation, _wording: &Wording) -> Vec<String> {
        let droplet = name(&operation.target.name);
        let address = operation.launched.as_ref().and_then(|launched| launched.address.as_deref());
        let address = address.map_or_else(
            || "DigitalOcean hasn't given it an address yet: look in a minute with **Open in DigitalOcean**".to_owned(),
            |address| format!("its address is {}", name(address)),
        );
        let password = self.droplet.ssh_keys.is_empty().then(|| ROOT_PASSWORD.to_owned());
        let cents = operation.launched.as_ref().and_then(|launched| launched.monthly_cents);
        let price = cents.map(|cents| format!(" It costs {}.", price(cents)));
        let from = name(&self.snapshot.name);
        let created =
            format!("Droplet {droplet} was created from Snapshot {from}; {address}.{}", price.unwrap_or_default());
        std::iter::once(created).chain(password).collect()
    }

    fn undone(&self, _operation: &Operation) -> Option<String> {
        Some("No Droplet was created.".to_owned())
    }

    fn is_asked_again(&self) -> bool {
        true
    }

    fn droplet_gone(&self, _operation: &Operation) -> Advice {
        Advice {
            what: "The new Droplet disappeared before it was ready.".to_owned(),
            next: "Use the command again if you still need it.".to_owned(),
        }
    }

    fn snapshot_gone(&self, _operation: &Operation) -> Advice {
        let what = format!("Snapshot {} is gone.", name(&self.snapshot.name));
        Advice { what, next: SEE_THE_LIST.to_owned() }
    }

    fn facts(&self, _taken: Option<String>) -> Vec<String> {
        vec![format!("From Snapshot {}", name(&self.snapshot.name))]
    }

    fn with_snapshot(&self) -> &'static str {
        "launching a Droplet from it"
    }
}
