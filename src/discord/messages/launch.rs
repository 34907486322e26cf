//! What a new Droplet can be made of, as choices, and what it costs.

use super::{
    lengths,
    text::{plain, shorten},
    units::dollars_a_month,
};
use crate::inventory::{Size, SshKey};

/// `s-1vcpu-1gb · 1 vCPU · 1 GB · 25 GB disk · $6.00 a month`: no markdown is rendered in a choice.
pub fn size(size: &Size) -> String {
    let vcpus = if size.vcpus == 1 { "1 vCPU".to_owned() } else { format!("{} vCPUs", size.vcpus) };
    let text = format!(
        "{} · {vcpus} · {} · {} GB disk · {}",
        plain(&size.slug, 40),
        memory(size.memory_mb),
        size.disk_gb,
        dollars_a_month(size.price_monthly)
    );
    shorten(&text, lengths::CHOICE)
}

fn memory(mb: u64) -> String {
    if mb.is_multiple_of(1024) && mb > 0 { format!("{} GB", mb / 1024) } else { format!("{mb} MB") }
}

/// `nyc3 · New York 3`.
pub fn region(slug: &str, called: Option<&str>) -> String {
    let called = called.filter(|called| !called.is_empty()).map(|called| format!(" · {}", plain(called, 60)));
    shorten(&format!("{}{}", plain(slug, 40), called.unwrap_or_default()), lengths::CHOICE)
}

/// `laptop · 3b:16:…`.
pub fn ssh_key(key: &SshKey) -> String {
    let called = if key.name.trim().is_empty() { "(no name)".to_owned() } else { plain(&key.name, 40) };
    shorten(&format!("{called} · {}", plain(&key.fingerprint, 60)), lengths::CHOICE)
}

/// What was accepted costs this.
pub fn price(size: &Size) -> String {
    format!(
        "It will be a `{}` and cost {} until somebody destroys it.",
        plain(&size.slug, 40),
        dollars_a_month(size.price_monthly)
    )
}
