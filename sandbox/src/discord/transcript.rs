//! Transcripts: what one person sees in a Channel, as text that does not differ between runs.
//!
//! Scenario tests compare them: ids become names, times become words.

use serde_json::Value;

use super::{
    channel::Channel, component, message::Message, permission::Permissions, snowflake::Snowflake, world::World,
};

/// Renders what a person sees.
pub(super) fn render(world: &World, channel: Snowflake, user: Snowflake) -> String {
    if !world.may(channel, user, Permissions::NONE) {
        return "(this person does not see the Channel)\n".to_owned();
    }
    let seen = world.messages_in(channel).filter(|message| message.is_seen_by(user));
    let blocks: Vec<String> = seen.map(|message| block(world, message)).collect();
    blocks.join("\n")
}

fn block(world: &World, message: &Message) -> String {
    let mut lines = Vec::new();
    if let Some(occasion) = &message.occasion {
        let who = world.user_name(occasion.user);
        match &occasion.command {
            Some(command) => lines.push(format!("{who} used /{command}")),
            None => lines.push(format!("{who} pressed a button")),
        }
    }
    if let Some(answered) = message.reference {
        let there = world.message(answered).filter(|answered| !answered.deleted);
        let what = there.map_or_else(|| "a deleted message".to_owned(), |answered| summary(world, answered));
        lines.push(format!("in reply to {what}"));
    }
    let edited = if message.edits.is_empty() { "" } else { " (edited)" };
    let author = world.user_name(message.author);
    if message.is_loading() {
        lines.push(format!("{author} is thinking…"));
    } else {
        let text = plain(world, &message.body.content);
        let mut content = text.lines();
        lines.push(
            format!("{author}: {}{edited}", content.next().unwrap_or_default())
                .replace(":  (", ": (")
                .trim_end()
                .to_owned(),
        );
        lines.extend(content.map(|line| format!("  {line}")));
    }
    message.body.embeds.iter().for_each(|embed| lines.extend(embed_lines(world, embed)));
    for file in &message.body.attachments {
        lines.push(format!("  📎 {} {}", file.name, file.description).trim_end().to_owned());
    }
    lines.extend(message.body.components.iter().flat_map(row_lines));
    if message.only_for.is_some() {
        lines.push("  Only you can see this".to_owned());
    }
    let pinged = world.pinged_by(message.id);
    if !pinged.is_empty() {
        lines.push(format!("  pings {}", pinged.join(", ")));
    }
    lines.join("\n") + "\n"
}

/// A Message in a few words: its text, or its first embed's title.
fn summary(world: &World, message: &Message) -> String {
    let title = message.body.embeds.first().and_then(|embed| embed["title"].as_str());
    let text = if message.body.content.is_empty() { title.unwrap_or("…") } else { &message.body.content };
    let text = plain(world, text);
    format!("{}: {}", world.user_name(message.author), text.lines().next().unwrap_or_default())
}

fn embed_lines(world: &World, embed: &Value) -> Vec<String> {
    let mut lines = Vec::new();
    let text = |value: &Value| plain(world, value.as_str().unwrap_or_default());
    if let Some(colour) = embed["color"].as_u64() {
        lines.push(format!("({})", colour_name(colour)));
    }
    if let Some(name) = embed["author"]["name"].as_str() {
        lines.push(plain(world, name));
    }
    if !embed["title"].is_null() {
        lines.push(format!("**{}**", text(&embed["title"])));
    }
    lines.extend(text(&embed["description"]).lines().map(str::to_owned));
    for field in embed["fields"].as_array().into_iter().flatten() {
        let (name, value) = (text(&field["name"]), text(&field["value"]));
        let mut value = value.lines();
        lines.push(format!("{name}: {}", value.next().unwrap_or_default()));
        lines.extend(value.map(|line| format!("  {line}")));
    }
    if !embed["footer"].is_null() {
        lines.push(format!("— {}", text(&embed["footer"]["text"])));
    }
    lines.into_iter().map(|line| format!("  ┃ {line}").trim_end().to_owned()).collect()
}

/// A row: its buttons side by side, or a menu with its options below it.
fn row_lines(row: &Value) -> Vec<String> {
    let menu = component::all(std::slice::from_ref(row)).find(|part| part["type"] == 3);
    let options = menu.and_then(|menu| menu["options"].as_array()).into_iter().flatten().map(|option| {
        let below = option["description"].as_str().map(|text| format!(" — {text}")).unwrap_or_default();
        format!("    · {}{below}", option["label"].as_str().unwrap_or_default())
    });
    std::iter::once(row_line(row)).chain(options).collect()
}

fn row_line(row: &Value) -> String {
    let parts = component::all(std::slice::from_ref(row)).map(|part| {
        let icon = part["emoji"]["name"].as_str();
        let label = part["label"].as_str().or(part["placeholder"].as_str());
        let words: Vec<&str> = icon.into_iter().chain(label).collect();
        let style = match (part["type"].as_u64(), part["style"].as_u64()) {
            (Some(3), _) => " (menu)",
            (_, Some(1)) => " (primary)",
            (_, Some(3)) => " (success)",
            (_, Some(4)) => " (danger)",
            (_, Some(5)) => " (link)",
            _ => "",
        };
        let disabled = if part["disabled"] == true { " (disabled)" } else { "" };
        format!("[{}]{style}{disabled}", words.join(" "))
    });
    format!("  {}", parts.collect::<Vec<_>>().join(" "))
}

/// The names of Discord's own palette and of basic colors; any other color by its number.
fn colour_name(colour: u64) -> String {
    let name = match colour {
        0x58_65F2 => "blurple",
        0x57_F287 | 0x2E_CC71 | 0x1F_8B4C | 0x24_8046 | 0x00_FF00 => "green",
        0xFE_E75C | 0xF1_C40F | 0xF0_B232 | 0xFF_FF00 => "yellow",
        0xE6_7E22 | 0xF3_9C12 | 0xFF_A500 => "orange",
        0xED_4245 | 0xE7_4C3C | 0x99_2D22 | 0xDA_373C | 0xFF_0000 => "red",
        0x34_98DB | 0x00_B0F4 | 0x00_00FF => "blue",
        0x95_A5A6 | 0x99_AAB5 | 0x4E_5058 | 0x80_8080 => "grey",
        _ => return format!("#{colour:06x}"),
    };
    name.to_owned()
}

/// What a transcript shows in place of times and of links to Messages.
pub trait Wording {
    /// A time, in seconds since 1970, and Discord's letter for its style.
    fn time(&self, at: i64, style: &str) -> String;

    /// A link to a Message, if there is one with its id, or to a Channel.
    fn link(&self, channel: &Channel, message: Option<&Message>) -> String;
}

/// Words that do not differ between runs.
struct Timeless;

impl Wording for Timeless {
    fn time(&self, _: i64, style: &str) -> String {
        format!("‹time {style}›")
    }

    fn link(&self, channel: &Channel, message: Option<&Message>) -> String {
        let what = message.map(|message| format!(": {}", title(message))).unwrap_or_default();
        format!("‹link to #{}{what}›", channel.name)
    }
}

fn plain(world: &World, text: &str) -> String {
    displayed(world, text, &Timeless)
}

/// A text with names and words in place of ids, times and links, as Discord's client displays them.
pub fn displayed(world: &World, text: &str, wording: &impl Wording) -> String {
    let mut shown = String::new();
    let mut rest = text;
    while let Some(start) = rest.find(['<', 'h']) {
        shown.push_str(&rest[..start]);
        rest = &rest[start..];
        let found = tag(world, rest, wording).or_else(|| link(world, rest, wording));
        // Both opening characters are one byte long.
        let (with, length) = found.unwrap_or_else(|| (rest[..1].to_owned(), 1));
        shown.push_str(&with);
        rest = &rest[length..];
    }
    shown + rest
}

/// Parses `<@id>`, `<@&id>`, `<#id>`, `</command:id>` or `<t:…>`. Returns what is displayed for it, and its length.
fn tag(world: &World, text: &str, wording: &impl Wording) -> Option<(String, usize)> {
    let end = text.find('>')?;
    let inside = text.strip_prefix('<')?.get(..end - 1)?;
    let shown = if let Some(role) = inside.strip_prefix("@&") {
        let role: Snowflake = role.parse().ok()?;
        let found = world.guilds.values().find_map(|guild| guild.roles.get(&role));
        format!("@{}", found.map_or("unknown-role", |role| role.name.as_str()))
    } else if let Some(user) = inside.strip_prefix('@') {
        format!("@{}", world.user_name(user.trim_start_matches('!').parse().ok()?))
    } else if let Some(channel) = inside.strip_prefix('#') {
        let channel = world.channels.get(&channel.parse().ok()?);
        format!("#{}", channel.map_or("unknown", |channel| channel.name.as_str()))
    } else if inside.starts_with('/') {
        inside.rsplit_once(':')?.0.to_owned()
    } else if let Some(time) = inside.strip_prefix("t:") {
        let (at, style) = time.split_once(':').unwrap_or((time, "f"));
        wording.time(at.parse().ok()?, style)
    } else {
        return None;
    };
    Some((shown, end + 1))
}

/// Parses a link to a Message.
fn link(world: &World, text: &str, wording: &impl Wording) -> Option<(String, usize)> {
    let path = text.strip_prefix("https://discord.com/channels/")?;
    let end =
        path.find(|c: char| !c.is_ascii_digit() && c != '/' && c != '@' && c != 'm' && c != 'e').unwrap_or(path.len());
    let mut parts = path[..end].split('/').skip(1);
    let channel = world.channels.get(&parts.next()?.parse().ok()?)?;
    let message = parts.next().and_then(|message| world.message(message.parse().ok()?));
    Some((wording.link(channel, message), text.len() - path.len() + end))
}

fn title(message: &Message) -> String {
    let title = message.body.embeds.first().and_then(|embed| embed["title"].as_str());
    let text = if message.body.content.is_empty() { title.unwrap_or("…") } else { &message.body.content };
    text.lines().next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{
        super::{body::Draft, message::NewMessage, settings::Settings},
        *,
    };

    #[test]
    fn a_transcript_shows_names_and_words_in_place_of_ids_and_times() {
        let mut world = World::new(Settings::default());
        let guild = world.add_guild("Acme");
        let (channel, ada) = (world.add_channel(guild, "ops"), world.add_user("ada"));
        world.join(guild, ada, &[]);
        let author = world.bot();
        let mut post = |json: Value| {
            let draft = Draft::new(&json).expect("a fine Message");
            world.post(NewMessage { channel, author, draft, only_for: None, occasion: None })
        };
        let progress = post(json!({
            "embeds": [{
                "title": "Snapshot of `web-1`", "color": 0x58_65F2, "description": "asked by <@1>\nstarted <t:1:R>",
                "fields": [{"name": "Cost", "value": "$0.74"}], "footer": {"text": "operation 7f3kq2xa"},
            }],
            "components": [{"type": 1, "components": [
                {"type": 2, "style": 4, "label": "Cancel", "custom_id": "a", "disabled": true},
                {"type": 2, "style": 2, "emoji": {"name": "🔄"}, "custom_id": "b"},
            ]}],
        }));
        let link = format!("https://discord.com/channels/{guild}/{channel}/{progress}");
        post(json!({
            "content": format!("<@{ada}> ready: </snapshot list:5> in <#{channel}>, {link}, https://example.org < h"),
            "message_reference": {"message_id": progress},
        }));
        insta::assert_snapshot!(render(&world, channel, ada), @r"
        snapshot-bot:
          ┃ (blurple)
          ┃ **Snapshot of `web-1`**
          ┃ asked by @1
          ┃ started ‹time R›
          ┃ Cost: $0.74
          ┃ — operation 7f3kq2xa
          [Cancel] (danger) (disabled) [🔄]

        in reply to snapshot-bot: Snapshot of `web-1`
        snapshot-bot: @ada ready: /snapshot list in #ops, ‹link to #ops: Snapshot of `web-1`›, https://example.org < h
          pings @ada
        ");
    }
}
