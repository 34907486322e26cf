//! A launch before it begins: the choices for a new Droplet, and the question with its price.

use serde::{Deserialize, Serialize};

use super::{
    choice::keyed,
    confirm::{Buttons, question},
    message::{Button, Choice, Input, Menu, Message, Modal, Style},
    text::{name, plain},
    units::{dollars, dollars_a_month},
};
use crate::{
    discord::press::Press,
    inventory::{Size, SshKey},
    operation::{ids::SnapshotId, kinds::Launch},
};

/// What a launch can additionally have. It is stored with the question, which is asked again when something else is chosen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Offer {
    /// The Snapshot's Droplet, if it still exists.
    pub source: Option<String>,
    /// That Droplet's tags, which the new one gets only if the person chooses so.
    pub tags: Vec<String>,
    /// The SSH keys of the account.
    pub keys: Vec<Key>,
    /// The size in words.
    pub size: String,
    /// The price in dollars a month.
    pub monthly: f64,
}

/// An SSH key to choose.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Key {
    /// Its name.
    pub name: String,
    /// Its fingerprint.
    pub fingerprint: String,
}

impl Offer {
    /// Whether the new Droplet gets the tags.
    pub fn carries(&self, launch: &Launch) -> bool {
        !self.tags.is_empty() && self.tags.iter().all(|tag| launch.droplet.tags.contains(tag))
    }
}

/// The form for the new Droplet's name.
pub fn form(snapshot: SnapshotId) -> Modal {
    let input = Input {
        label: "Name of the new Droplet".to_owned(),
        value: String::new(),
        placeholder: "Letters, digits, dots and dashes, such as web-2".to_owned(),
        longest: 255,
        is_required: true,
    };
    Modal::new(Press::LaunchAs(snapshot), "Launch a Droplet from this Snapshot", [input])
}

/// Asks whether to create this Droplet.
pub fn ask(launch: &Launch, offer: &Offer, buttons: Buttons) -> Message {
    let droplet = &launch.droplet;
    let title = format!("Launch {} from {}?", name(&droplet.name), name(&launch.snapshot.name));
    let size = name(&plain(&droplet.size, 40));
    let lines = vec![
        format!("**Size:** {size} in {} · {}", name(&plain(&droplet.region, 40)), plain(&offer.size, 100)),
        format!("**SSH keys:** {}", keys(launch, offer)),
        format!("**Tags:** {}", tags(launch, offer)),
        format!("**Cost:** {} until somebody destroys it.", dollars_a_month(offer.monthly)),
    ];
    let yes = format!("Launch – {}/mo", dollars(offer.monthly));
    let mut message = question(&title, lines, Button::new(yes, Style::Primary, Press::Confirm(buttons.id)), buttons);
    if !offer.tags.is_empty() {
        let label = if offer.carries(launch) { "Leave its tags off" } else { "Give it these tags" };
        message.buttons.insert(1, Button::new(label, Style::Secondary, Press::Tags(buttons.id)));
    }
    let choices = offer.keys.iter().map(|key| {
        let choice = Choice::new(&key_name(&key.name), &plain(&key.fingerprint, 60), key.fingerprint.as_str());
        choice.chosen_if(droplet.ssh_keys.contains(&key.fingerprint))
    });
    let menu = Menu::new(Press::Keys(buttons.id), "SSH keys: none", choices);
    message.menus = menu.map(Menu::multiple).into_iter().collect();
    message
}

fn keys(launch: &Launch, offer: &Offer) -> String {
    let chosen = launch.droplet.ssh_keys.iter().map(|chosen| {
        let known = offer.keys.iter().find(|key| key.fingerprint == *chosen);
        name(&plain(known.map_or(chosen.as_str(), |key| key.name.as_str()), 40))
    });
    let chosen: Vec<String> = chosen.take(10).collect();
    if chosen.is_empty() {
        "none: DigitalOcean mails a root password to the account's owner".to_owned()
    } else {
        chosen.join(", ")
    }
}

fn tags(launch: &Launch, offer: &Offer) -> String {
    let listed = |tags: &[String]| tags.iter().take(10).map(|tag| name(&plain(tag, 40))).collect::<Vec<_>>().join(", ");
    let carried = &launch.droplet.tags;
    let has = if carried.is_empty() { "none".to_owned() } else { listed(carried) };
    if offer.tags.is_empty() {
        return has;
    }
    let source = offer.source.as_deref().map_or_else(|| "the source".to_owned(), name);
    if offer.carries(launch) {
        return format!("{has}, like {source}. ⚠️ Firewalls and load balancers that select by these tags apply to it.");
    }
    format!("{has}. {source} has {}; firewalls and load balancers may select by them.", listed(&offer.tags))
}

/// `1 vCPU · 1 GB · 25 GB disk · $6/mo · s-1vcpu-1gb`: no markdown is rendered in a choice.
pub fn size(size: &Size) -> String {
    keyed(&format!("{} · {}", parts(size), dollars_a_month(size.price_monthly)), &size.slug)
}

/// `1 vCPU · 1 GB · 25 GB disk`.
pub fn parts(size: &Size) -> String {
    let vcpus = if size.vcpus == 1 { "1 vCPU".to_owned() } else { format!("{} vCPUs", size.vcpus) };
    format!("{vcpus} · {} · {} GB disk", memory(size.memory_mb), size.disk_gb)
}

fn memory(mb: u64) -> String {
    if mb.is_multiple_of(1024) && mb > 0 { format!("{} GB", mb / 1024) } else { format!("{mb} MB") }
}

/// `New York 3 · nyc3`.
pub fn region(slug: &str, called: Option<&str>) -> String {
    keyed(&plain(called.unwrap_or_default(), 60), slug)
}

/// `laptop · 3b:16:…`.
pub fn ssh_key(key: &SshKey) -> String {
    keyed(&key_name(&key.name), &key.fingerprint)
}

fn key_name(name: &str) -> String {
    let shown = plain(name, 40);
    if shown.is_empty() { "(no name)".to_owned() } else { shown }
}
