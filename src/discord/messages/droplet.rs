//! One Droplet in one message: its power, its last Snapshot, its costs, and the possible actions.

use jiff::Timestamp;

use super::{
    Wording,
    list::way,
    message::{Button, Colour, Embed, Message, Style},
    refusal::{self, Occupant},
    schedule::when,
    text::{name, plain},
    units::{ago, cost, dollars_a_month, gigabytes, panel_page},
};
use crate::{
    access::Right,
    discord::press::{Begun, Press},
    inventory::{Droplet, DropletStatus, Snapshot},
    schedule::Schedule,
};

/// The maximum number of schedules listed. A Droplet has one, or a few.
const SCHEDULES: usize = 3;

/// The facts about a Droplet.
#[derive(Clone, Debug)]
pub struct Seen<'a> {
    /// The Droplet itself.
    pub droplet: &'a Droplet,
    /// Its Snapshots, newest first.
    pub snapshots: Vec<&'a Snapshot>,
    /// The newest Snapshot that is known to have been taken while the Droplet was off.
    pub good: Option<&'a Snapshot>,
    /// The schedules that take Snapshots of it.
    pub schedules: Vec<Schedule>,
    /// The present moment.
    pub now: Timestamp,
    /// The operation that runs on it, limited to what the reader may see.
    pub running: Option<Occupant>,
    /// The reader's greatest right.
    pub right: Right,
}

/// The message about a Droplet.
pub fn droplet(seen: &Seen<'_>, wording: &Wording) -> Message {
    let droplet = seen.droplet;
    let power = match &droplet.status {
        DropletStatus::Active => "🟢 on".to_owned(),
        DropletStatus::Off => "⚫ off".to_owned(),
        DropletStatus::New => "being created".to_owned(),
        DropletStatus::Archive => "archived".to_owned(),
        DropletStatus::Other(word) => plain(word, 40),
    };
    let price = droplet.price_monthly.map(dollars_a_month);
    let disk = droplet.disk_gb.map(|gb| format!("{gb} GB disk"));
    let parts = [droplet.region.as_deref().map(|text| plain(text, 40)), disk, price];
    let mut lines = vec![parts.into_iter().flatten().collect::<Vec<_>>().join(" · ")];
    lines.push(last(seen));
    let sizes = seen.snapshots.iter().filter_map(|snapshot| snapshot.size_gigabytes).filter(|size| size.is_finite());
    let sizes: Vec<f64> = sizes.collect();
    if !sizes.is_empty() {
        let costs = sizes.iter().map(|size| cost(*size, wording.price_per_gb)).sum();
        let (count, size) = (seen.snapshots.len(), gigabytes(sizes.iter().sum()));
        lines.push(format!("Snapshots: {count} · {size} · {}", dollars_a_month(costs)));
    }
    lines.extend(scheduled(seen));
    lines.extend(seen.running.as_ref().map(|by| format!("🔄 Busy: {}", refusal::by_what(by))));
    Message {
        embeds: vec![Embed {
            title: format!("{} · {power}", name(&droplet.name)),
            description: lines.join("\n"),
            footer: String::new(),
            colour: if seen.snapshots.is_empty() { Colour::Asking } else { Colour::Working },
        }],
        buttons: buttons(seen),
        ..Message::default()
    }
}

/// The last good Snapshot, and the newest one if it is another.
fn last(seen: &Seen<'_>) -> String {
    let when = |snapshot: &Snapshot| snapshot.created_at.map(|at| format!(" {}", ago(at))).unwrap_or_default();
    let called = |snapshot: &Snapshot| format!("{}: {}", when(snapshot), name(&plain(&snapshot.name, 60)));
    match (seen.snapshots.first(), seen.good) {
        (None, _) => "⚠️ No Snapshot yet".to_owned(),
        (Some(newest), None) => format!("Last Snapshot{}", called(newest)),
        (Some(newest), Some(good)) if newest.id == good.id => format!("Last good Snapshot{}", called(good)),
        (Some(newest), Some(good)) => {
            format!("Last good Snapshot{} · a newer one{}, perhaps taken live", called(good), when(newest))
        }
    }
}

/// One line for each schedule, or a line that there are none.
fn scheduled(seen: &Seen<'_>) -> Vec<String> {
    if seen.schedules.is_empty() {
        return vec!["No schedule".to_owned()];
    }
    let line = |schedule: &Schedule| {
        let next = schedule.rule.next_after(seen.now).filter(|_| schedule.is_active());
        let next = next.map_or_else(|| "paused".to_owned(), |next| format!("next {}", ago(next)));
        format!("🗓️ Schedule `{}`: {}, {next}", schedule.id, when(&schedule.rule))
    };
    seen.schedules.iter().take(SCHEDULES).map(line).collect()
}

/// Only the buttons that the reader may press, and that can work now.
fn buttons(seen: &Seen<'_>) -> Vec<Button> {
    let id = seen.droplet.id;
    let begin = |label: &'static str, style, what| Button::new(label, style, Press::Begin { what, droplet: Some(id) });
    let is_free = seen.running.is_none();
    let offered = [
        (is_free && seen.right >= Right::Take, begin("Take…", Style::Primary, Begun::Take)),
        (
            is_free && seen.right >= Right::Restore && !seen.snapshots.is_empty(),
            begin("Restore…", Style::Secondary, Begun::Restore),
        ),
        (!seen.snapshots.is_empty(), way(Some(id))),
        (true, Button::link("Open in DigitalOcean", panel_page(id))),
    ];
    let offered = offered.into_iter().filter_map(|(is_offered, button)| is_offered.then_some(button));
    seen.running.as_ref().map(refusal::ways_on).unwrap_or_default().into_iter().chain(offered).collect()
}
