//! What one person sees: the sections of a window, and the update from one view to the next.
//!
//! Nothing is relayed: a window receives the difference between what it shows and what it should show, so one that was disconnected for a
//! while needs nothing special.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::{account, clock::ClockStrings, context::Context, file, place::Place, switch};
use crate::discord::{
    message::Message, permission::Permissions, simulated_user::SimulatedUser, snowflake::Snowflake, world::World,
};

/// What a window shows, or should show.
#[derive(Debug, Default)]
pub(super) struct View {
    sections: BTreeMap<&'static str, Value>,
    messages: BTreeMap<Snowflake, Value>,
}

impl View {
    /// What this person should see now.
    pub(super) fn of(context: &Context, place: &Place) -> Self {
        let messages = messages(context, &place.seat);
        let mut sections = BTreeMap::new();
        {
            let world = context.discord.world();
            sections.insert("place", place_json(context, place, &world));
            sections.insert("names", names(context, &world));
            sections.insert("commands", commands(&world, place));
            sections.insert("online", world.is_bot_online().into());
            sections.insert("presence", world.presence().activity.as_str().into());
        }
        sections.insert("bot", context.bot.as_ref().map_or(Value::Null, |bot| json!(*bot.state.borrow())));
        sections.insert("clock", context.clock.as_ref().map_or(Value::Null, ClockStrings::json));
        context.digitalocean.read(|world| {
            sections.insert("droplets", account::droplets(world));
            sections.insert("switches", switch::all(world));
        });
        Self { sections, messages }
    }

    /// The update for a window that shows `self` so that it shows `next`; `None` if they are equal.
    pub(super) fn change_to(&self, next: &Self) -> Option<Value> {
        let mut told = Map::new();
        for (name, section) in &next.sections {
            if self.sections.get(name) != Some(section) {
                told.insert((*name).to_owned(), section.clone());
            }
        }
        let put: Vec<_> = next.messages.iter().filter(|(id, json)| self.messages.get(id) != Some(json)).collect();
        if !put.is_empty() {
            told.insert("put".to_owned(), put.into_iter().map(|(_, json)| json.clone()).collect());
        }
        let gone: Vec<_> = self.messages.keys().filter(|id| !next.messages.contains_key(id)).collect();
        if !gone.is_empty() {
            told.insert("gone".to_owned(), json!(gone));
        }
        (!told.is_empty()).then_some(Value::Object(told))
    }
}

fn place_json(context: &Context, place: &Place, world: &World) -> Value {
    let guild = world.guild(context.guild);
    let roles_of = |user: &Snowflake| -> Vec<&str> {
        let member = guild.and_then(|guild| guild.members.get(user));
        let named = |role| guild.and_then(|guild| guild.roles.get(role)).map(|role| role.name.as_str());
        member.into_iter().flat_map(|member| &member.roles).filter_map(named).collect()
    };
    let seats =
        context.seats.iter().map(|user| json!({"id": user, "name": world.user_name(*user), "roles": roles_of(user)}));
    let channels = world
        .channels_of(context.guild)
        .filter(|channel| world.may(channel.id, place.user, Permissions::VIEW_CHANNEL))
        .map(|channel| json!({"id": channel.id, "name": channel.name}));
    json!({
        "guild": {"id": context.guild, "name": guild.map(|guild| guild.name.as_str())},
        "me": place.user, "channel": place.channel, "bot": world.bot(),
        "seats": seats.collect::<Value>(), "channels": channels.collect::<Value>(),
    })
}

/// The names of the ids that texts mention.
fn names(context: &Context, world: &World) -> Value {
    let users: Map<_, _> =
        world.users().map(|user| (user.id.to_string(), json!({"name": user.name, "bot": user.bot}))).collect();
    let guild = world.guild(context.guild);
    let roles: Map<_, _> = guild
        .into_iter()
        .flat_map(|guild| guild.roles.values())
        .map(|role| (role.id.to_string(), role.name.as_str().into()))
        .collect();
    let channels: Map<_, _> = world
        .channels_of(context.guild)
        .map(|channel| (channel.id.to_string(), channel.name.as_str().into()))
        .collect();
    json!({"users": users, "roles": roles, "channels": channels})
}

fn commands(world: &World, place: &Place) -> Value {
    let offered = world.offered_commands(place.channel, place.user);
    let shown = offered.iter().map(|leaf| {
        json!({
            "id": leaf.command, "path": leaf.path.join(" "), "description": leaf.description, "options": leaf.options,
        })
    });
    shown.collect()
}

fn messages(context: &Context, seat: &SimulatedUser) -> BTreeMap<Snowflake, Value> {
    let seen = seat.messages();
    let mut pinged: BTreeMap<Snowflake, BTreeSet<Snowflake>> = BTreeMap::new();
    for ping in context.discord.world().pings() {
        pinged.entry(ping.message).or_default().insert(ping.user);
    }
    let pinged_by = |message: &Message| pinged.get(&message.id).cloned().unwrap_or_default();
    seen.iter().map(|message| (message.id, message_json(message, &pinged_by(message)))).collect()
}

fn message_json(message: &Message, pinged: &BTreeSet<Snowflake>) -> Value {
    let occasion = message.occasion.as_ref();
    json!({
        "id": message.id, "author": message.author, "at": message.at.as_millisecond(),
        "edited": message.edits.last().map(|edit| edit.at.as_millisecond()),
        "content": message.body.content, "embeds": message.body.embeds, "components": message.body.components,
        "attachments": message.body.attachments.iter().map(|file| file::json(message.id, file)).collect::<Value>(),
        "loading": message.is_loading(), "ephemeral": message.only_for.is_some(), "reply": message.reference,
        "occasion": occasion.map(|occasion| json!({"user": occasion.user, "command": occasion.command})),
        "pings": pinged,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(sections: &[(&'static str, &str)], messages: &[(u64, &str)]) -> View {
        View {
            sections: sections.iter().map(|(name, text)| (*name, (*text).into())).collect(),
            messages: messages.iter().map(|(id, text)| (Snowflake::new(*id), (*text).into())).collect(),
        }
    }

    #[test]
    fn a_window_is_told_what_changed_and_nothing_else() {
        let shown = view(&[("bot", "on"), ("names", "ada")], &[(1, "a"), (2, "b")]);
        let next = view(&[("bot", "off"), ("names", "ada")], &[(2, "b, edited"), (3, "c")]);
        let told = shown.change_to(&next).unwrap();
        assert_eq!(told, json!({"bot": "off", "put": ["b, edited", "c"], "gone": ["1"]}));
        assert_eq!(next.change_to(&next), None);
    }
}
