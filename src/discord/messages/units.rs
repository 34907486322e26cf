//! Durations, moments, sizes and money as text.

use jiff::{SignedDuration, Timestamp};

use crate::operation::ids::{ChannelId, DropletId, GuildId, MessageId};

/// A measured duration: `12 s`, `3 min 12 s`, `1 h 5 min`.
pub fn duration(duration: SignedDuration) -> String {
    let seconds = (duration.as_millis().max(0) + 500) / 1000;
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    match (hours, minutes, seconds) {
        (0, 0, seconds) => format!("{seconds} s"),
        (0, minutes, 0) => format!("{minutes} min"),
        (0, minutes, seconds) => format!("{minutes} min {seconds} s"),
        (hours, 0, _) => format!("{hours} h"),
        (hours, minutes, _) => format!("{hours} h {minutes} min"),
    }
}

/// An expected duration: `about 4 minutes`.
pub fn about(duration: SignedDuration) -> String {
    let minutes = (duration.as_secs().max(0) + 30) / 60;
    match minutes {
        0 | 1 => "about a minute".to_owned(),
        2..=90 => format!("about {minutes} minutes"),
        _ => format!("about {} hours", (minutes + 30) / 60),
    }
}

/// An expected duration, short: `4 min`.
pub fn roughly(duration: SignedDuration) -> String {
    let minutes = (duration.as_secs().max(0) + 30) / 60;
    match minutes {
        0 | 1 => "1 min".to_owned(),
        2..=90 => format!("{minutes} min"),
        _ => format!("{} h", (minutes + 30) / 60),
    }
}

/// A usual duration, short: `usually 4 min`.
pub fn usually(duration: SignedDuration) -> String {
    let seconds = duration.as_secs().max(1);
    if seconds < 60 { format!("usually {seconds} s") } else { format!("usually {} min", (seconds + 30) / 60) }
}

/// The duration of a step that copies a disk, without a history: `often 3–10 min for 25 GB`.
pub fn guess(disk_gb: Option<u64>) -> String {
    match disk_gb {
        None => "often many minutes".to_owned(),
        Some(gb @ ..=30) => format!("often 3–10 min for {gb} GB"),
        Some(gb @ 31..=100) => format!("often 5–25 min for {gb} GB"),
        Some(gb @ 101..=320) => format!("often 15–60 min for {gb} GB"),
        Some(gb) => format!("often an hour or more for {gb} GB"),
    }
}

/// A moment relative to now, counted by the reader's own client: `2 minutes ago`.
pub fn ago(at: Timestamp) -> String {
    format!("<t:{}:R>", at.as_second())
}

/// A time of day in the reader's time zone: `22:15`.
pub fn clock(at: Timestamp) -> String {
    format!("<t:{}:t>", at.as_second())
}

/// A moment in the reader's time zone: `22 November 2026 17:42`.
pub fn moment(at: Timestamp) -> String {
    format!("<t:{}:f>", at.as_second())
}

/// A compressed size: `12.4 GB`.
pub fn gigabytes(size: f64) -> String {
    if size < 0.1 { "less than 0.1 GB".to_owned() } else { format!("{size:.1} GB") }
}

/// The cost of a Snapshot: `$0.74/mo`, at least one cent, as DigitalOcean bills it.
pub fn monthly(size: f64, price_per_gb: f64) -> String {
    dollars_a_month(cost(size, price_per_gb))
}

/// The cost of something: `$18/mo`, never negative.
pub fn dollars_a_month(amount: f64) -> String {
    format!("{}/mo", dollars(amount))
}

/// An amount: `$18`, `$0.74`.
pub fn dollars(amount: f64) -> String {
    // An empty sum is -0.0, and a vendor's figure may be anything.
    let amount = if amount.is_finite() && amount > 0.0 { amount } else { 0.0 };
    let exact = format!("${amount:.2}");
    exact.strip_suffix(".00").map_or(exact.clone(), str::to_owned)
}

/// The cost of a Snapshot, in dollars a month.
pub fn cost(size: f64, price_per_gb: f64) -> f64 {
    (size * price_per_gb).max(0.01)
}

/// A link to a message, which Discord renders as such.
pub fn link(guild: GuildId, channel: ChannelId, message: MessageId) -> String {
    format!("https://discord.com/channels/{guild}/{channel}/{message}")
}

/// A link to a Droplet in DigitalOcean's control panel, without a preview.
pub fn panel(droplet: DropletId) -> String {
    format!("<{}>", panel_page(droplet))
}

/// The address of a Droplet's page in DigitalOcean's control panel.
pub fn panel_page(droplet: DropletId) -> String {
    format!("https://cloud.digitalocean.com/droplets/{droplet}")
}

/// A link to the page that lists all Droplets, without a preview.
pub fn all_panel() -> String {
    "<https://cloud.digitalocean.com/droplets>".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_as_spoken() {
        let shown = [0, 400, 12_000, 60_000, 192_000, 3_600_000, 3_900_000, -5]
            .map(|millis| duration(SignedDuration::from_millis(millis)));
        assert_eq!(shown, ["0 s", "0 s", "12 s", "1 min", "3 min 12 s", "1 h", "1 h 5 min", "0 s"]);
        let expected = [5, 100, 240, 5400, 5460, 9000].map(|secs| about(SignedDuration::from_secs(secs)));
        let words = ["minute", "2 minutes", "4 minutes", "90 minutes", "2 hours", "3 hours"];
        assert_eq!(expected, words.map(|words| format!("about {}{words}", if words == "minute" { "a " } else { "" })));
        assert_eq!(usually(SignedDuration::from_secs(45)), "usually 45 s");
        assert_eq!(usually(SignedDuration::from_secs(250)), "usually 4 min");
    }

    #[test]
    fn a_snapshot_costs_at_least_a_cent() {
        assert_eq!(monthly(12.4, 0.06), "$0.74/mo");
        assert_eq!(monthly(0.01, 0.06), "$0.01/mo");
        let nothing: f64 = [0.0_f64; 0].iter().sum();
        for amount in [nothing, -0.0, -0.001, f64::NAN] {
            assert_eq!(dollars_a_month(amount), "$0/mo");
        }
        assert_eq!(
            (dollars(18.0), dollars(100.0), dollars(0.5)),
            ("$18".to_owned(), "$100".to_owned(), "$0.50".to_owned())
        );
        assert_eq!(gigabytes(12.44), "12.4 GB");
        assert_eq!(gigabytes(0.01), "less than 0.1 GB");
    }
}
