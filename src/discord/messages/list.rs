//! A page of the list of Snapshots: what each is, what it costs, and what all of them cost.

use super::{
    Wording,
    message::{Button, Colour, Embed, Message, Style},
    text::{name, plain},
    units::{ago, cost, dollars_a_month, gigabytes, monthly},
};
use crate::{
    discord::press::Press,
    inventory::{DropletLocation, Snapshot},
    operation::{
        ids::{DropletId, UserId},
        undo::is_safety_name,
    },
};

/// How many of a Snapshot's regions are named.
const REGIONS: usize = 4;

/// A page.
#[derive(Clone, Debug)]
pub struct Page<'a> {
    /// The Droplet that was asked about, and where it is.
    pub of: Option<(DropletId, DropletLocation)>,
    /// Which page, from 1.
    pub number: usize,
    /// How many there are.
    pub pages: usize,
    /// How many Snapshots there are on all pages.
    pub count: usize,
    /// The sizes on all pages, in GB, where known.
    pub sizes: Vec<f64>,
    /// What this page shows, newest first.
    pub entries: Vec<Entry<'a>>,
}

/// A Snapshot on a page.
#[derive(Clone, Debug)]
pub struct Entry<'a> {
    /// The Snapshot.
    pub snapshot: &'a Snapshot,
    /// Where its Droplet is.
    pub droplet: DropletLocation,
    /// Who took it, where we did.
    pub taken_by: Option<UserId>,
}

/// The page, with buttons to the next ones.
pub fn page(page: &Page<'_>, wording: &Wording) -> Message {
    let whose = match &page.of {
        Some((_, DropletLocation::There(droplet))) => format!("Snapshots of {}", name(droplet)),
        Some((id, DropletLocation::Gone)) => format!("Snapshots of Droplet {id}, which is gone"),
        Some((id, DropletLocation::Unlisted)) => format!("Snapshots of Droplet {id}, which is not listed"),
        None => "All Snapshots".to_owned(),
    };
    if page.entries.is_empty() {
        return Message::text(format!("**{whose}**: there are none. `/snapshot take` makes one."));
    }
    let lines: Vec<String> = page.entries.iter().map(|entry| line(entry, page.of.is_none(), wording)).collect();
    Message {
        embeds: vec![Embed {
            title: whose,
            description: lines.join("\n"),
            footer: footer(page, wording),
            colour: Colour::Working,
        }],
        buttons: buttons(page),
        ..Message::default()
    }
}

fn line(entry: &Entry<'_>, names_droplet: bool, wording: &Wording) -> String {
    let snapshot = entry.snapshot;
    let when = snapshot.created_at.map(|at| format!(" · {}", ago(at))).unwrap_or_default();
    let mut details = Vec::new();
    match snapshot.size_gigabytes.filter(|size| size.is_finite() && *size > 0.0) {
        Some(size) => {
            details.push(gigabytes(size));
            details.push(monthly(size, wording.price_per_gb));
        }
        None => details.push("size not known yet".to_owned()),
    }
    details.extend(regions(&snapshot.regions));
    match &entry.droplet {
        DropletLocation::There(droplet) if names_droplet => details.push(format!("of {}", name(&plain(droplet, 40)))),
        DropletLocation::There(_) => {}
        DropletLocation::Gone => details.push("⚠️ its Droplet is gone".to_owned()),
        DropletLocation::Unlisted => details.push("its Droplet is not listed".to_owned()),
    }
    if is_safety_name(&snapshot.name) {
        details.push("safety Snapshot".to_owned());
    }
    details.extend(entry.taken_by.map(|by| format!("taken by <@{by}>")));
    format!("**{}**{when}\n{}", name(&snapshot.name), details.join(" · "))
}

fn regions(regions: &[String]) -> Option<String> {
    if regions.is_empty() {
        return None;
    }
    let named: Vec<String> = regions.iter().take(REGIONS).map(|region| plain(region, 20)).collect();
    let more = regions.len().saturating_sub(REGIONS);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    Some(format!("{}{more}", name(&named.join(", "))))
}

fn footer(page: &Page<'_>, wording: &Wording) -> String {
    let known: Vec<f64> = page.sizes.iter().copied().filter(|size| size.is_finite() && *size > 0.0).collect();
    let noun = if page.count == 1 { "Snapshot" } else { "Snapshots" };
    let all = if known.is_empty() {
        format!("{} {noun} · size not known yet", page.count)
    } else {
        let price = known.iter().map(|size| cost(*size, wording.price_per_gb)).sum();
        format!("{} {noun} · {} · {}", page.count, gigabytes(known.iter().sum()), dollars_a_month(price))
    };
    if page.pages > 1 { format!("Page {} of {} · {all}", page.number, page.pages) } else { all }
}

fn buttons(page: &Page<'_>) -> Vec<Button> {
    let of = page.of.as_ref().map(|(id, _)| *id);
    let to = |label: &'static str, number: usize| {
        let number = u32::try_from(number).unwrap_or(u32::MAX);
        Button::new(label, Style::Secondary, Press::Page { of, number })
    };
    let previous = (page.number > 1).then(|| to("Previous", page.number - 1));
    let next = (page.number < page.pages).then(|| to("Next", page.number + 1));
    previous.into_iter().chain(next).collect()
}
