//! Messages about what Snapshots cost and what causes it, and about leftovers and what to do with them.

use jiff::civil::Date;
use strum::VariantArray as _;

use super::{
    confirm::known,
    lengths,
    message::{Choice, Colour, Embed, File, Menu, Message},
    text::{name, plain, shorten},
    units::{ago, cost, dollars_a_month, gigabytes},
};
use crate::{
    discord::press::{Choosing, Press},
    inventory::{Snapshot, Unattached, Volume},
};

/// The maximum number of causes listed.
const CAUSES: usize = 10;
/// The maximum number of Snapshots listed per class.
const LISTED: usize = 6;
/// The number of characters of a full bar.
const PARTS: usize = 6;
/// What DigitalOcean charges for a Volume, in dollars per GB and month.
const VOLUME_PRICE_PER_GB: f64 = 0.1;
/// What DigitalOcean charges for a reserved address without a Droplet, in dollars a month.
const ADDRESS_PRICE: f64 = 5.0;

/// How costs are grouped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum By {
    /// By the Droplet that the Snapshot was taken of.
    #[default]
    Droplet,
    /// By the schedule that keeps the Snapshot.
    Schedule,
    /// By each tag of that Droplet.
    Tag,
}

/// The label for Droplets that are not listed.
pub const NOT_LISTED: &str = "(Droplet gone or hidden)";
/// The label for Snapshots that no schedule keeps.
pub const NO_SCHEDULE: &str = "(no schedule)";
/// The label for Droplets without a tag.
pub const NO_TAG: &str = "(no tag)";

/// The number of Snapshots, their size and their cost.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sum {
    /// The number of Snapshots.
    pub count: usize,
    /// How many have an unknown size; they count as zero.
    pub unknown: usize,
    /// The total size in GB.
    pub gigabytes: f64,
    /// The total cost in dollars a month.
    pub dollars: f64,
}

impl Sum {
    pub(in crate::discord) fn add(&mut self, snapshot: &Snapshot, price_per_gb: f64) {
        self.count += 1;
        match known(snapshot) {
            Some(size) => {
                self.gigabytes += size;
                self.dollars += cost(size, price_per_gb);
            }
            None => self.unknown += 1,
        }
    }

    /// Sums these Snapshots.
    pub fn of<'s>(snapshots: impl IntoIterator<Item = &'s Snapshot>, price_per_gb: f64) -> Self {
        let mut sum = Self::default();
        for snapshot in snapshots {
            sum.add(snapshot, price_per_gb);
        }
        sum
    }
}

/// The average daily cost of Snapshots in a month.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Month {
    /// The first day of the month.
    pub first: Date,
    /// Dollars a month; `None` if no day of the month was recorded.
    pub dollars: Option<f64>,
}

/// Why a Snapshot may be left over, in the order of display.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::VariantArray)]
pub enum Leftover {
    /// Another Snapshot has the same name from the bot: an answer was lost, and it was taken twice.
    Extra,
    /// The Droplet that it was taken of is gone, so it may be all that is left of it.
    DropletGone,
    /// It is a safety Snapshot whose restore can no longer be undone with the button.
    SafetyOver,
    /// It belongs to a schedule that was removed or no longer takes Snapshots of its Droplet, so nothing prunes it.
    Unpruned,
}

/// The facts of the cost overview.
#[derive(Clone, Debug)]
pub struct Costs {
    /// All Snapshots.
    pub total: Sum,
    /// What the costs are grouped by.
    pub by: By,
    /// The causes, highest cost first.
    pub causes: Vec<(String, Sum)>,
    /// The costs per month, oldest first; the last one is this month.
    pub trend: Vec<Month>,
    /// DigitalOcean's own Backups, if there are any.
    pub backups: Option<BackupsSum>,
}

/// The cost of DigitalOcean's own Backups.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct BackupsSum {
    /// The number of Droplets with Backups.
    pub droplets: usize,
    /// How many of them have an unknown price; they count as zero.
    pub unknown: usize,
    /// Dollars a month.
    pub dollars: f64,
}

/// The cost overview, with a chart, or with text in its place.
pub fn costs(costs: &Costs, picture: Option<File>) -> Message {
    let mut lines = vec![summed(&costs.total)];
    lines.extend(costs.backups.map(|backups| backed_up(&backups, costs.total.dollars)));
    let by = match costs.by {
        By::Droplet => "Droplet",
        By::Schedule => "schedule",
        By::Tag => "tag",
    };
    lines.extend([String::new(), format!("**By {by}**")]);
    let dearest = costs.causes.first().map_or(0.0, |(_, sum)| sum.dollars);
    // Two lines each, as wide as a phone.
    lines.extend(costs.causes.iter().take(CAUSES).map(|(cause, sum)| {
        format!(
            "{} · **{}**\n{} {} · {}",
            name(&plain(cause, 80)),
            dollars_a_month(sum.dollars),
            bar(sum.dollars, dearest),
            counted(sum.count),
            gigabytes(sum.gigabytes)
        )
    }));
    if costs.causes.is_empty() {
        lines.push("There are no Snapshots.".to_owned());
    }
    if let Some(more) = costs.causes.get(CAUSES..).filter(|more| !more.is_empty()) {
        let dollars = more.iter().map(|(_, sum)| sum.dollars).sum();
        lines.push(format!("and {} more: {}", more.len(), dollars_a_month(dollars)));
    }
    if picture.is_none() {
        lines.push(String::new());
        lines.push("**Month by month**".to_owned());
        lines.extend(trend(&costs.trend));
    }
    let said = embed("What Snapshots cost (estimate)", &lines, "By size and price per GB. Your invoice may differ");
    Message { file: picture, ..said }
}

fn summed(sum: &Sum) -> String {
    let unknown = match sum.unknown {
        0 => String::new(),
        1 => " The size of 1 isn't known yet.".to_owned(),
        unknown => format!(" The size of {unknown} isn't known yet."),
    };
    let (count, size) = (counted(sum.count), gigabytes(sum.gigabytes));
    format!("**{}** for {count}, {size}.{unknown}", dollars_a_month(sum.dollars))
}

/// The cost of DigitalOcean's own Backups, and the total.
fn backed_up(backups: &BackupsSum, snapshots: f64) -> String {
    let droplets =
        if backups.droplets == 1 { "1 Droplet".to_owned() } else { format!("{} Droplets", backups.droplets) };
    let unknown = match backups.unknown {
        0 => String::new(),
        unknown => format!(" The price of {unknown} isn't known."),
    };
    format!(
        "**{}** for DigitalOcean's own Backups of {droplets}: 20 % of a Droplet's price weekly, 30 % daily.{unknown}\n**{}** together.",
        dollars_a_month(backups.dollars),
        dollars_a_month(backups.dollars + snapshots)
    )
}

fn counted(count: usize) -> String {
    if count == 1 { "1 Snapshot".to_owned() } else { format!("{count} Snapshots") }
}

/// One line a month: the month, the cost, and a bar to compare.
fn trend(months: &[Month]) -> Vec<String> {
    let dearest = months.iter().filter_map(|month| month.dollars).fold(0.0, f64::max);
    let last = months.len().saturating_sub(1);
    let line = |(number, month): (usize, &Month)| {
        let so_far = if number == last { " so far" } else { "" };
        let when = month.first.strftime("%b %Y");
        match month.dollars {
            Some(dollars) => format!("{} {when}{so_far}: {}", bar(dollars, dearest), dollars_a_month(dollars)),
            None => format!("{} {when}{so_far}: not recorded", bar(0.0, dearest)),
        }
    };
    months.iter().enumerate().map(line).collect()
}

/// A bar whose length is `of` relative to `longest`.
fn bar(of: f64, longest: f64) -> String {
    let share = if longest > 0.0 { (of / longest).clamp(0.0, 1.0) } else { 0.0 };
    let filled = (1..=PARTS).filter(|part| {
        let edge = f64::from(u32::try_from(*part).unwrap_or_default()) - 0.5;
        share * f64::from(u32::try_from(PARTS).unwrap_or_default()) >= edge
    });
    let filled = filled.count();
    format!("{}{}", "▰".repeat(filled), "▱".repeat(PARTS - filled))
}

/// The leftovers, class by class.
pub fn leftovers(found: &[(&Snapshot, Leftover)], beside: &Unattached, price_per_gb: f64) -> Message {
    let unseen = unseen(beside);
    if found.is_empty() && beside.volumes.is_empty() && beside.addresses.is_empty() {
        let nothing = "✅ Nothing is left over: every Snapshot belongs to a Droplet that is there, is pinned, or can still be undone.";
        return Message::text(unseen.map_or_else(|| nothing.to_owned(), |unseen| format!("{nothing}\n{unseen}")));
    }
    let mut lines = unattached(beside);
    for class in Leftover::VARIANTS.iter().copied() {
        let of_class: Vec<_> =
            found.iter().filter(|(_, other)| *other == class).map(|(snapshot, _)| *snapshot).collect();
        if of_class.is_empty() {
            continue;
        }
        let sum = Sum::of(of_class.iter().copied(), price_per_gb);
        let (what, next) = described(class);
        lines.push(format!("**{what}** · {} · {}", counted(sum.count), dollars_a_month(sum.dollars)));
        lines.extend(of_class.iter().take(LISTED).map(|snapshot| {
            let made = snapshot.created_at.map(|at| format!(" · {}", ago(at))).unwrap_or_default();
            format!("• {}{made}", name(&plain(&snapshot.name, 60)))
        }));
        if let Some(more) = of_class.len().checked_sub(LISTED).filter(|more| *more > 0) {
            lines.push(format!("• and {more} more"));
        }
        lines.push(next.to_owned());
        lines.push(String::new());
    }
    lines.extend(unseen);
    let listed = embed(
        "What may be left over (estimate)",
        &lines,
        "I delete none of these on my own. Pinned Snapshots aren't listed here",
    );
    Message { menus: offered(found).into_iter().collect(), ..listed }
}

/// Volumes and addresses without a Droplet, each as a class of its own.
fn unattached(Unattached { volumes, addresses, .. }: &Unattached) -> Vec<String> {
    let mut lines = Vec::new();
    if !volumes.is_empty() {
        let dollars = dollars_a_month(volume_dollars(volumes));
        lines.push(format!("**Unattached Volumes** · {} · {dollars}", volumes.len()));
        let line = |volume: &Volume| {
            let size = volume.size_gigabytes.map(|size| format!(" · {size} GB")).unwrap_or_default();
            format!("• {}{size}", name(&plain(&volume.name, 60)))
        };
        lines.extend(volumes.iter().take(LISTED).map(line));
        lines.push(
            "No Snapshot includes them. Check what's on one before you delete it in DigitalOcean's control panel."
                .to_owned(),
        );
        lines.push(String::new());
    }
    if !addresses.is_empty() {
        let count = addresses.len();
        let dollars = dollars_a_month(address_dollars(count));
        lines.push(format!("**Unused reserved addresses** · {count} · {dollars}"));
        lines.extend(addresses.iter().take(LISTED).map(|address| format!("• {}", name(&plain(&address.ip, 45)))));
        lines.push(
            "They cost money only while no Droplet has them. Assign or delete them in DigitalOcean's control panel."
                .to_owned(),
        );
        lines.push(String::new());
    }
    lines
}

/// What could not be read.
fn unseen(Unattached { missing_scopes, is_partial, .. }: &Unattached) -> Option<String> {
    if *is_partial {
        return Some("-# I couldn't read Volumes or reserved addresses just now.".to_owned());
    }
    let scopes: Vec<String> = missing_scopes.iter().map(|scope| format!("`{scope}`")).collect();
    (!scopes.is_empty())
        .then(|| format!("-# Volumes or reserved addresses are not shown: the token lacks {}.", scopes.join(" and ")))
}

fn described(class: Leftover) -> (&'static str, &'static str) {
    match class {
        Leftover::Extra => (
            "Taken twice",
            "DigitalOcean's answer was lost, so another one has the same name. `/snapshot delete` removes the extra one.",
        ),
        Leftover::DropletGone => (
            "Their Droplet is gone",
            "They may be all that is left of it. `/snapshot launch` brings one back, `/snapshot pin` keeps it, `/snapshot delete` \
             removes it.",
        ),
        Leftover::SafetyOver => (
            "Safety Snapshots past their Undo",
            "The 24 hours to undo the restore are over. `/snapshot delete` removes one if the restored disk is fine.",
        ),
        Leftover::Unpruned => (
            "No schedule prunes them",
            "Their schedule was removed, or no longer takes Snapshots of their Droplet. `/snapshot pin` keeps one, `/snapshot delete` removes it.",
        ),
    }
}

/// The monthly report: what this month costs, and which leftovers there are, class by class.
pub fn monthly(
    (said, picture): (&Costs, Option<File>),
    (left, beside): (&[(&Snapshot, Leftover)], &Unattached),
    price_per_gb: f64,
    month: Date,
) -> Message {
    let mut message = costs(said, picture);
    let lines = classes(left, beside, price_per_gb);
    if let Some(embed) = message.embeds.first_mut() {
        if !lines.is_empty() {
            let told = format!("\n\n**Maybe left over** (`/snapshot orphans` lists them)\n{}", lines.join("\n"));
            embed.description =
                shorten(&(shorten(&embed.description, lengths::DESCRIPTION - 800) + &told), lengths::DESCRIPTION);
        }
        embed.footer = format!("{} · {}", embed.footer, month_marker(month));
    }
    message.menus = offered(left).into_iter().collect();
    message
}

/// The end of a monthly report, by which the bot finds it again.
pub fn month_marker(month: Date) -> String {
    month.strftime("costs of %Y-%m").to_string()
}

/// One line for each class of leftovers.
fn classes(left: &[(&Snapshot, Leftover)], beside: &Unattached, price_per_gb: f64) -> Vec<String> {
    let mut lines = Vec::new();
    for class in Leftover::VARIANTS.iter().copied() {
        let of_class = left.iter().filter(|(_, other)| *other == class).map(|(snapshot, _)| *snapshot);
        let sum = Sum::of(of_class, price_per_gb);
        if sum.count > 0 {
            lines.push(format!("• {}: {}, {}", described(class).0, counted(sum.count), dollars_a_month(sum.dollars)));
        }
    }
    if !beside.volumes.is_empty() {
        let dollars = dollars_a_month(volume_dollars(&beside.volumes));
        lines.push(format!("• Unattached Volumes: {}, {dollars}", beside.volumes.len()));
    }
    if !beside.addresses.is_empty() {
        let count = beside.addresses.len();
        lines.push(format!("• Unused reserved addresses: {count}, {}", dollars_a_month(address_dollars(count))));
    }
    lines
}

/// A menu of the leftover Snapshots, which leads to what can be done with each.
fn offered(left: &[(&Snapshot, Leftover)]) -> Option<Menu> {
    let choice = |(snapshot, _): &(&Snapshot, Leftover)| {
        Choice::new(&plain(&snapshot.name, lengths::OPTION), "", snapshot.id.to_string())
    };
    Menu::new(Press::Choose(Choosing::Snapshot), "Delete or keep one of these…", left.iter().map(choice))
}

fn volume_dollars(volumes: &[Volume]) -> f64 {
    let sizes = volumes.iter().filter_map(|volume| volume.size_gigabytes.and_then(|size| u32::try_from(size).ok()));
    sizes.map(|size| f64::from(size) * VOLUME_PRICE_PER_GB).sum()
}

fn address_dollars(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX)) * ADDRESS_PRICE
}

fn embed(title: &str, lines: &[String], footer: &str) -> Message {
    let description = shorten(lines.join("\n").trim_end(), lengths::DESCRIPTION);
    let (title, footer) = (title.to_owned(), footer.to_owned());
    Message { embeds: vec![Embed { title, description, footer, colour: Colour::Working }], ..Message::default() }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn bars_are_as_long_as_their_share() {
        assert_eq!(
            [0.0, 1.0, 4.0, 8.0, 99.0].map(|of| bar(of, 8.0)),
            ["▱▱▱▱▱▱", "▰▱▱▱▱▱", "▰▰▰▱▱▱", "▰▰▰▰▰▰", "▰▰▰▰▰▰"]
        );
        assert_eq!(bar(0.0, 0.0), "▱▱▱▱▱▱");
    }

    #[test]
    fn many_causes_are_cut_off_with_their_sum_and_fit() {
        let sum = |dollars| Sum { count: 3, unknown: 0, gigabytes: 10.0, dollars };
        let causes = (0..400).map(|number| (format!("{}-{number}", "droplet".repeat(20)), sum(1.0))).collect();
        let trend =
            (1..=12).map(|month| Month { first: date(2026, month, 1), dollars: Some(f64::from(month)) }).collect();
        let total = Sum { unknown: 2, ..sum(400.0) };
        let backups = Some(BackupsSum { droplets: 2, unknown: 1, dollars: 7.2 });
        let message = costs(&Costs { total, by: By::Droplet, causes, trend, backups }, None);
        let text = &message.embeds[0].description;
        assert!(text.contains("and 390 more: $390/mo") && crate::text::length(text) <= lengths::DESCRIPTION, "{text}");
        assert!(text.contains("**$7.20/mo** for DigitalOcean's own Backups of 2 Droplets"), "{text}");
        assert!(text.contains("**$407.20/mo** together"), "{text}");
        assert!(text.contains("The size of 2 isn't known yet.") && text.contains("Dec 2026 so far: $12"), "{text}");
    }

    #[test]
    fn a_month_tells_each_class_of_leftovers_by_itself() {
        let snapshot = |id: u64, name: &str| -> Snapshot {
            serde_json::from_value(serde_json::json!({ "id": id, "name": name, "size_gigabytes": 10.0 })).unwrap()
        };
        let (twice, gone, unpruned) = (snapshot(1, "twice"), snapshot(2, "gone"), snapshot(3, "unpruned"));
        let said =
            Costs { total: Sum::default(), by: By::Droplet, causes: Vec::new(), trend: Vec::new(), backups: None };
        let volume = serde_json::from_value(serde_json::json!({ "id": "v", "name": "data", "size_gigabytes": 20 }));
        let beside = Unattached { volumes: vec![volume.unwrap()], ..Unattached::default() };
        let left = [(&twice, Leftover::Extra), (&gone, Leftover::DropletGone), (&unpruned, Leftover::Unpruned)];
        let message = monthly((&said, None), (&left, &beside), 0.06, date(2026, 11, 1));
        let text = &message.embeds[0].description;
        for line in [
            "• Taken twice: 1 Snapshot, $0.60/mo",
            "• Their Droplet is gone: 1 Snapshot, $0.60/mo",
            "• No schedule prunes them: 1 Snapshot, $0.60/mo",
            "• Unattached Volumes: 1, $2/mo",
        ] {
            assert!(text.contains(line), "{line}\n{text}");
        }
        assert!(message.embeds[0].footer.ends_with(&month_marker(date(2026, 11, 1))));
        assert_eq!(message.menus[0].options.len(), 3, "each can be deleted or kept from here");
    }
}
