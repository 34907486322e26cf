//! A page of the list of Snapshots, one line each, grouped by Droplet or in another order; and one Snapshot with the possible actions.

use jiff::Timestamp;

use super::{
    Wording,
    message::{Button, Choice, Colour, Embed, Menu, Message, Style},
    text::{name, plain},
    units::{ago, cost, dollars_a_month, gigabytes, moment, monthly},
};
use crate::{
    access::Right,
    discord::press::{Begun, Beside, Choosing, Order, Press},
    inventory::{DropletLocation, Snapshot, snapshot_label},
    operation::{
        ids::{DropletId, ScheduleId, UserId},
        undo::is_safety_name,
    },
};

use super::choice::SAFETY;

/// The maximum number of a Snapshot's regions listed.
const REGIONS: usize = 4;
/// The prefix of Snapshots that a schedule took.
const SCHEDULED: &str = "🗓️ ";
/// The prefix of Backups that a person kept.
const KEPT: &str = "📦 ";
/// The prefix of pinned Snapshots.
const PINNED: &str = "📌 ";
/// The longest name of a Snapshot in a line.
const LONGEST_NAME: usize = 30;
/// The longest name below its Droplet's name, so that a phone shows the line without wrapping. The menu has the full name.
const LONGEST_BELOW: usize = 18;

/// A page of the list.
#[derive(Clone, Debug)]
pub struct Page<'a> {
    /// The Droplet that the list is limited to, and where it is.
    pub of: Option<(DropletId, DropletLocation)>,
    /// The order of the list.
    pub order: Order,
    /// The number of this page, from 1.
    pub number: usize,
    /// The number of pages.
    pub pages: usize,
    /// The number of Snapshots on all pages.
    pub count: usize,
    /// The known sizes on all pages, in GB.
    pub sizes: Vec<f64>,
    /// The content of this page.
    pub groups: Vec<Group<'a>>,
    /// The moment of display.
    pub now: Timestamp,
}

/// The Snapshots of one Droplet on a page, or all of the page if it is not grouped.
#[derive(Clone, Debug)]
pub struct Group<'a> {
    /// The heading.
    pub head: Option<Head>,
    /// Those of its Snapshots that are on this page.
    pub entries: Vec<Entry<'a>>,
}

/// The heading of one Droplet's Snapshots.
#[derive(Clone, Debug)]
pub struct Head {
    /// The Droplet, if DigitalOcean names it.
    pub id: Option<DropletId>,
    /// Where it is.
    pub droplet: DropletLocation,
    /// The number of its Snapshots on all pages.
    pub count: usize,
    /// Their known sizes in GB.
    pub sizes: Vec<f64>,
    /// Whether they began on an earlier page.
    pub is_continued: bool,
}

/// A Snapshot on a page.
#[derive(Clone, Debug)]
pub struct Entry<'a> {
    /// The Snapshot.
    pub snapshot: &'a Snapshot,
    /// Where its Droplet is.
    pub droplet: DropletLocation,
    /// Who took it, if the bot did.
    pub taken_by: Option<UserId>,
    /// The schedule that took it, if one did.
    pub schedule: Option<ScheduleId>,
    /// Who kept it, if it was a Backup of DigitalOcean.
    pub kept_by: Option<UserId>,
    /// Whether it is pinned.
    pub is_pinned: bool,
}

/// The page, with a menu of its Snapshots and buttons to the other pages.
pub fn page(page: &Page<'_>, wording: &Wording) -> Message {
    let whose = match &page.of {
        Some((_, DropletLocation::There(droplet))) => format!("Snapshots of {}", name(droplet)),
        Some((id, DropletLocation::Gone)) => format!("Snapshots of Droplet {id}, which is gone"),
        Some((id, DropletLocation::Unlisted)) => format!("Snapshots of Droplet {id}, which I can't see"),
        None => "All Snapshots".to_owned(),
    };
    let entries = || page.groups.iter().flat_map(|group| &group.entries);
    if entries().next().is_none() {
        return Message::text(format!("**{whose}**: none yet. `/snapshot take` makes one."));
    }
    let groups: Vec<String> = page.groups.iter().map(|group| lines(group, page, wording)).collect();
    let choices = entries().map(|entry| {
        let label = format!("{}{}", mark(entry), snapshot_label(entry.snapshot, None, page.now));
        Choice::new(&label, &of(&entry.droplet), entry.snapshot.id.to_string())
    });
    Message {
        embeds: vec![Embed {
            title: whose,
            description: groups.join("\n"),
            footer: footer(page, wording),
            colour: Colour::Working,
        }],
        menus: Menu::new(Press::Choose(Choosing::Snapshot), "Choose one of these Snapshots", choices)
            .into_iter()
            .collect(),
        buttons: buttons(page),
        ..Message::default()
    }
}

fn lines(group: &Group<'_>, page: &Page<'_>, wording: &Wording) -> String {
    let head = group.head.as_ref().map(|head| {
        let droplet = match (&head.droplet, head.id) {
            (DropletLocation::There(droplet), _) => name(&plain(droplet, 40)),
            (DropletLocation::Gone, Some(id)) => format!("⚠️ Droplet {id}, which is gone"),
            (DropletLocation::Unlisted, Some(id)) => format!("Droplet {id}, which I can't see"),
            (DropletLocation::Gone | DropletLocation::Unlisted, None) => "Of an unknown Droplet".to_owned(),
        };
        let continued = if head.is_continued { ", continued" } else { "" };
        format!("**{droplet}**{continued} · {}", subtotal(head.count, &head.sizes, wording))
    });
    let lines = group.entries.iter().map(|entry| line(entry, group.head.is_none() && page.of.is_none()));
    head.into_iter().chain(lines).collect::<Vec<_>>().join("\n")
}

/// `3 days ago · 12.4 GB · 🛟 …safety-7f3kq2xa`
fn line(entry: &Entry<'_>, names_droplet: bool) -> String {
    let snapshot = entry.snapshot;
    let when = snapshot.created_at.map(ago);
    let size = known(snapshot).map_or_else(|| "size not known yet".to_owned(), gigabytes);
    let (called, longest) = match &entry.droplet {
        // The Droplet's name is in the heading, and names from the bot begin with it.
        DropletLocation::There(droplet) if !names_droplet => {
            let rest = snapshot.name.strip_prefix(&format!("{droplet}-"));
            let rest = rest.map(|rest| format!("…{}", without_date(rest)));
            (rest.unwrap_or_else(|| snapshot.name.clone()), LONGEST_BELOW)
        }
        _ => (without_date(&snapshot.name), LONGEST_NAME),
    };
    let called = format!("{}{}", mark(entry), name(&plain(&called, longest)));
    let droplet = match &entry.droplet {
        DropletLocation::There(droplet) if names_droplet => Some(format!("of {}", name(&plain(droplet, 20)))),
        DropletLocation::Gone if names_droplet => Some("⚠️ its Droplet is gone".to_owned()),
        DropletLocation::There(_) | DropletLocation::Gone | DropletLocation::Unlisted => None,
    };
    when.into_iter().chain([size, called]).chain(droplet).collect::<Vec<_>>().join(" · ")
}

/// One Snapshot, and what the reader may do with it.
pub fn one(entry: &Entry<'_>, wording: &Wording, right: Right) -> Message {
    let snapshot = entry.snapshot;
    let when = snapshot.created_at.map(|at| format!(" · {} ({})", ago(at), moment(at))).unwrap_or_default();
    let mut details = match known(snapshot) {
        Some(size) => vec![gigabytes(size), monthly(size, wording.price_per_gb)],
        None => vec!["size not known yet".to_owned()],
    };
    details.extend(regions(&snapshot.regions));
    let mut from = vec![of(&entry.droplet)];
    from.extend(is_safety_name(&snapshot.name).then(|| "🛟 taken before a restore".to_owned()));
    from.extend(entry.schedule.map(|schedule| format!("🗓️ taken by schedule `{schedule}`")));
    from.extend(entry.taken_by.filter(|_| entry.schedule.is_none()).map(|by| format!("taken by <@{by}>")));
    from.extend(entry.kept_by.map(|by| format!("📦 a Backup that <@{by}> kept, taken while running")));
    from.extend(entry.is_pinned.then(|| "📌 pinned".to_owned()));
    let content = format!("**{}**{when}\n{}\n{}", name(&snapshot.name), details.join(" · "), from.join(" · "));
    let there = matches!(entry.droplet, DropletLocation::There(_));
    let (may_restore, may_take) = (right >= Right::Restore, right >= Right::Take);
    let pin = if entry.is_pinned { ("Unpin", Press::Unpin(snapshot.id)) } else { ("Pin", Press::Pin(snapshot.id)) };
    let offered = [
        (there && may_restore, Button::new("Restore…", Style::Secondary, Press::Restore(snapshot.id))),
        (may_restore, Button::new("Launch…", Style::Secondary, Press::Launch(snapshot.id))),
        (may_take, Button::new(pin.0, Style::Secondary, pin.1)),
        (may_restore, Button::new("Delete…", Style::Danger, Press::Delete(snapshot.id))),
    ];
    let buttons = offered.into_iter().filter_map(|(offered, button)| offered.then_some(button));
    Message { buttons: buttons.collect(), ..Message::text(content) }
}

fn of(droplet: &DropletLocation) -> String {
    match droplet {
        DropletLocation::There(droplet) => format!("From {}", plain(droplet, 60)),
        DropletLocation::Gone => "⚠️ Its Droplet is gone".to_owned(),
        DropletLocation::Unlisted => "I can't see its Droplet".to_owned(),
    }
}

fn mark(entry: &Entry<'_>) -> String {
    let marks = [
        (is_safety_name(&entry.snapshot.name), SAFETY),
        (entry.schedule.is_some(), SCHEDULED),
        (entry.kept_by.is_some(), KEPT),
        (entry.is_pinned, PINNED),
    ];
    marks.into_iter().filter_map(|(is_so, mark)| is_so.then_some(mark)).collect()
}

fn known(snapshot: &Snapshot) -> Option<f64> {
    snapshot.size_gigabytes.filter(|size| size.is_finite() && *size > 0.0)
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

/// A name from the bot without its date, which is shown before it as an age.
fn without_date(name: &str) -> String {
    let mut parts: Vec<&str> = name.split('-').collect();
    let is_number = |part: Option<&&str>, length| {
        part.is_some_and(|part| part.len() == length && part.bytes().all(|byte| byte.is_ascii_digit()))
    };
    let at = parts.len().saturating_sub(3);
    if parts.len() >= 3 && is_number(parts.get(at), 8) && is_number(parts.get(at + 1), 4) {
        parts.drain(at..at + 2);
    }
    parts.join("-")
}

/// `4 Snapshots · 12.4 GB · $0.74/mo`
fn total(count: usize, sizes: &[f64], wording: &Wording) -> String {
    let (counted, price) = (counted(count), price(sizes, wording));
    match known_sizes(sizes).reduce(|sum, size| sum + size) {
        Some(sum) => format!("{counted} · {} · {price}", gigabytes(sum)),
        None => format!("{counted} · {price}"),
    }
}

/// `4 Snapshots · $0.74/mo`. The sizes are in the lines below, and a phone shows no more in one line.
fn subtotal(count: usize, sizes: &[f64], wording: &Wording) -> String {
    format!("{} · {}", counted(count), price(sizes, wording))
}

fn counted(count: usize) -> String {
    format!("{count} {}", if count == 1 { "Snapshot" } else { "Snapshots" })
}

fn price(sizes: &[f64], wording: &Wording) -> String {
    let prices = known_sizes(sizes).map(|size| cost(size, wording.price_per_gb));
    prices.reduce(|sum, price| sum + price).map_or_else(|| "size not known yet".to_owned(), dollars_a_month)
}

fn known_sizes(sizes: &[f64]) -> impl Iterator<Item = f64> {
    sizes.iter().copied().filter(|size| size.is_finite() && *size > 0.0)
}

fn footer(page: &Page<'_>, wording: &Wording) -> String {
    let all = total(page.count, &page.sizes, wording);
    if page.pages > 1 { format!("Page {} of {} · {all}", page.number, page.pages) } else { all }
}

/// Both buttons always have the same place; one that leads nowhere is disabled.
fn buttons(page: &Page<'_>) -> Vec<Button> {
    let of = page.of.as_ref().map(|(id, _)| *id);
    let to = |label: &'static str, number: usize, beside: Option<Beside>| {
        let number = u32::try_from(number).unwrap_or(u32::MAX);
        Button::new(label, Style::Secondary, Press::Page { of, number, order: page.order, beside })
    };
    let shown = || page.groups.iter().flat_map(|group| &group.entries).map(|entry| entry.snapshot.id);
    let (first, last) = (shown().next().map(Beside::Before), shown().next_back().map(Beside::After));
    let previous = to("Previous", page.number.saturating_sub(1), first).disabled_if(page.number <= 1);
    let next = to("Next", page.number.saturating_add(1), last).disabled_if(page.number >= page.pages);
    vec![previous, next]
}

/// The button that opens the list from elsewhere.
pub fn way(of: Option<DropletId>) -> Button {
    Button::new("List", Style::Secondary, Press::Begin { what: Begun::List, droplet: of })
}
