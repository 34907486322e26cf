//! Prints a conversation on the terminal: each message once, and for an edit only the changed lines.

use std::{
    collections::BTreeMap,
    io::{IsTerminal as _, Write as _},
};

use serde_json::Value;
use snapshot_bot_sandbox::discord::{
    message::Message, server::Discord, simulated_user::SimulatedUser, snowflake::Snowflake, world::World,
};

/// The width of the column of names.
const NAMES: usize = 13;

/// Prints what it sees, in color on a terminal.
pub(super) struct Transcript {
    told: BTreeMap<Snowflake, Vec<String>>,
    colourful: bool,
}

/// The style of a piece of text.
#[derive(Clone, Copy, Debug)]
pub(super) enum Tone {
    Faint,
    Strong,
    Good,
    Bad,
    Colour(u64),
}

impl Transcript {
    pub(super) fn new() -> Self {
        let colourful = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        Self { told: BTreeMap::new(), colourful }
    }

    /// Prints the headline of a scene.
    pub(super) fn scene(&self, title: &str) {
        self.line(&format!("\n{}\n", self.toned(title, Tone::Strong)));
    }

    /// Prints a remark to the reader.
    pub(super) fn aside(&self, text: &str) {
        self.line(&self.toned(&format!("{:>NAMES$}  {text}", "·"), Tone::Faint));
    }

    /// Prints what a person does.
    pub(super) fn act(&self, who: &str, what: &str) {
        self.line(&format!("{}  {what}", self.toned(&format!("{who:>NAMES$}"), Tone::Strong)));
    }

    /// Prints whether a check succeeded.
    pub(super) fn proof(&self, holds: bool, what: &str) {
        let (sign, tone) = if holds { ("✓", Tone::Good) } else { ("✗", Tone::Bad) };
        self.line(&self.toned(&format!("{sign:>NAMES$}  {what}"), tone));
    }

    /// Prints what this person sees and the terminal has not shown yet.
    pub(super) fn catch_up(&mut self, discord: &Discord, seat: &SimulatedUser) {
        for message in seat.messages() {
            let (author, lines) = {
                let world = discord.world();
                let (shown, timeless) = (Some(world.now().as_second()), None);
                let lines = lines(&world, &message, shown).into_iter().zip(lines(&world, &message, timeless));
                (world.user_name(message.author), lines.collect::<Vec<_>>())
            };
            self.tell(&message, &author, lines);
        }
    }

    /// Prints a message. Each line is given as displayed, and as it would be without times, which change without an edit.
    fn tell(&mut self, message: &Message, author: &str, lines: Vec<(String, String)>) {
        let before = self.told.get(&message.id);
        let is_new = before.is_none();
        let is_told = |timeless: &String| before.is_some_and(|before| before.contains(timeless));
        let fresh: Vec<_> = lines.iter().filter(|(_, timeless)| !is_told(timeless)).map(|(shown, _)| shown).collect();
        let colour = message.body.embeds.first().and_then(|embed| embed["color"].as_u64());
        let bar = colour.map_or_else(String::new, |colour| self.toned("▌ ", Tone::Colour(colour)));
        for (at, line) in fresh.iter().enumerate() {
            let name = if at > 0 {
                String::new()
            } else if is_new {
                author.to_owned()
            } else {
                "edited".to_owned()
            };
            let tone = if is_new { Tone::Strong } else { Tone::Faint };
            self.line(&format!("{}  {bar}{line}", self.toned(&format!("{name:>NAMES$}"), tone)));
        }
        self.told.insert(message.id, lines.into_iter().map(|(_, timeless)| timeless).collect());
    }

    fn toned(&self, text: &str, tone: Tone) -> String {
        if !self.colourful {
            return text.to_owned();
        }
        let code = match tone {
            Tone::Faint => "2".to_owned(),
            Tone::Strong => "1".to_owned(),
            Tone::Good => "32".to_owned(),
            Tone::Bad => "1;31".to_owned(),
            Tone::Colour(rgb) => format!("38;2;{};{};{}", rgb >> 16 & 255, rgb >> 8 & 255, rgb & 255),
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }

    #[expect(clippy::unused_self, reason = "every line goes through the teller")]
    fn line(&self, text: &str) {
        let mut out = std::io::stdout().lock();
        // A reader that closed the pipe, as `head` does, is not an error.
        let _ = writeln!(out, "{text}").and_then(|()| out.flush());
    }
}

/// A message as lines of text; without a current time, times have no words.
fn lines(world: &World, message: &Message, now: Option<i64>) -> Vec<String> {
    let plain = |text: &str| plain(world, text, now);
    if message.is_loading() {
        return vec!["is thinking…".to_owned()];
    }
    let mut lines: Vec<String> = plain(&message.body.content).lines().map(str::to_owned).collect();
    for embed in &message.body.embeds {
        let text = |value: &Value| plain(value.as_str().unwrap_or_default());
        let parts = [text(&embed["title"]), text(&embed["description"]), text(&embed["footer"]["text"])];
        lines.extend(parts.iter().flat_map(|part| part.lines()).filter(|line| !line.is_empty()).map(str::to_owned));
    }
    let buttons = message.body.components.iter().filter_map(|row| row["components"].as_array()).flatten();
    let labels: Vec<String> = buttons.filter_map(|button| Some(format!("[{}]", button["label"].as_str()?))).collect();
    if !labels.is_empty() {
        lines.push(labels.join(" "));
    }
    let pinged: Vec<String> = world
        .pings()
        .iter()
        .filter(|ping| ping.message == message.id)
        .map(|ping| format!("@{}", world.user_name(ping.user)))
        .collect();
    if !pinged.is_empty() {
        lines.push(format!("(pings {})", pinged.join(", ")));
    }
    if let Some(only) = message.only_for {
        lines.push(format!("(only {} sees this)", world.user_name(only)));
    }
    lines
}

/// A text with names for ids and words for times, and without markup for bold and code.
fn plain(world: &World, text: &str, now: Option<i64>) -> String {
    let mut shown = String::new();
    let mut rest = text;
    while let Some(start) = rest.find(['<', 'h']) {
        shown.push_str(&rest[..start]);
        rest = &rest[start..];
        // Both opening characters are one byte long.
        let (words, length) =
            tag(world, rest, now).or_else(|| link(world, rest)).unwrap_or_else(|| (rest[..1].to_owned(), 1));
        shown.push_str(&words);
        rest = &rest[length..];
    }
    shown.push_str(rest);
    shown.replace("**", "").replace('`', "")
}

/// Parses a link to a message.
fn link(world: &World, text: &str) -> Option<(String, usize)> {
    let path = text.strip_prefix("https://discord.com/channels/")?;
    let length = path.find(|c: char| !c.is_ascii_digit() && c != '/').unwrap_or(path.len());
    let channel = world.channel(path[..length].split('/').nth(1)?.parse().ok()?)?;
    Some((format!("#{} › message", channel.name), text.len() - path.len() + length))
}

fn tag(world: &World, text: &str, now: Option<i64>) -> Option<(String, usize)> {
    let end = text.find('>')?;
    let inside = text.strip_prefix('<')?.get(..end - 1)?;
    let words = if let Some(role) = inside.strip_prefix("@&") {
        let role: Snowflake = role.parse().ok()?;
        let found = world.guilds_of_bot().into_iter().find_map(|guild| world.guild(guild)?.roles.get(&role));
        format!("@{}", found.map_or("unknown role", |role| role.name.as_str()))
    } else if let Some(user) = inside.strip_prefix('@') {
        format!("@{}", world.user_name(user.parse().ok()?))
    } else if let Some(channel) = inside.strip_prefix('#') {
        format!("#{}", world.channel(channel.parse().ok()?)?.name)
    } else if inside.starts_with('/') {
        inside.rsplit_once(':')?.0.to_owned()
    } else {
        let mut parts = inside.strip_prefix("t:")?.split(':');
        let at: i64 = parts.next()?.parse().ok()?;
        let is_relative = parts.next() == Some("R");
        match now.map(|now| now - at) {
            Some(_) if !is_relative => {
                let moment = jiff::Timestamp::from_second(at).ok()?;
                format!("{} UTC", moment.strftime("%H:%M"))
            }
            None => "some time".to_owned(),
            Some(-2..=2) => "just now".to_owned(),
            Some(ago) if ago > 0 => format!("{ago} s ago"),
            Some(ago) => format!("in {} s", -ago),
        }
    };
    Some((words, end + 1))
}
