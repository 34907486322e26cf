//! Prints a conversation on the terminal: each message once, and for an edit only the changed lines.

use std::{
    collections::BTreeMap,
    io::{IsTerminal as _, Write as _},
};

use serde_json::Value;
use snapshot_bot_sandbox::discord::{
    channel::Channel,
    message::Message,
    server::Discord,
    simulated_user::SimulatedUser,
    snowflake::Snowflake,
    transcript::{Wording, displayed},
    world::World,
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
    let labels = message.components().filter_map(|button| button["label"].as_str());
    let labels: Vec<String> = labels.map(|label| format!("[{label}]")).collect();
    if !labels.is_empty() {
        lines.push(labels.join(" "));
    }
    let pinged = world.pinged_by(message.id);
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
    displayed(world, text, &At(now)).replace("**", "").replace('`', "")
}

/// How a text reads at a moment.
struct At(Option<i64>);

impl Wording for At {
    fn time(&self, at: i64, style: &str) -> String {
        match self.0.map(|now| now - at) {
            None => "some time".to_owned(),
            Some(_) if style != "R" => jiff::Timestamp::from_second(at)
                .map_or_else(|_| at.to_string(), |at| format!("{} UTC", at.strftime("%H:%M"))),
            Some(-2..=2) => "just now".to_owned(),
            Some(ago) if ago > 0 => format!("{ago} s ago"),
            Some(ago) => format!("in {} s", -ago),
        }
    }

    fn link(&self, channel: &Channel, _: Option<&Message>) -> String {
        format!("#{} › message", channel.name)
    }
}
