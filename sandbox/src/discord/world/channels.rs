//! Channels of the world: created, changed and deleted by operators, rendered as JSON for the bot.

use serde_json::{Value, json};

use super::World;
use crate::discord::{
    channel::{Channel, ChannelKind},
    event::Event,
    gateway::intent::Intent,
    permission::{Overwrite, Permissions, Subject},
    snowflake::Snowflake,
};

impl World {
    /// Creates a text Channel.
    pub fn add_channel(&mut self, guild: Snowflake, name: &str) -> Snowflake {
        self.insert_channel("CHANNEL_CREATE", |id| Channel {
            id,
            kind: ChannelKind::Text,
            guild: Some(guild),
            name: name.to_owned(),
            parent: None,
            recipient: None,
            overwrites: Vec::new(),
        })
    }

    /// Creates a public Thread below a text Channel.
    pub fn add_thread(&mut self, parent: Snowflake, name: &str) -> Snowflake {
        let guild = self.channels.get(&parent).and_then(|parent| parent.guild);
        self.insert_channel("THREAD_CREATE", |id| Channel {
            id,
            kind: ChannelKind::PublicThread,
            guild,
            name: name.to_owned(),
            parent: Some(parent),
            recipient: None,
            overwrites: Vec::new(),
        })
    }

    /// The direct Channel between the bot and a person; created if it does not exist.
    pub fn direct_channel(&mut self, person: Snowflake) -> Snowflake {
        if let Some(open) = self.channels.values().find(|channel| channel.recipient == Some(person)) {
            return open.id;
        }
        let id = self.ids.next();
        let (kind, name) = (ChannelKind::Direct, self.user_name(person));
        let channel =
            Channel { id, kind, guild: None, name, parent: None, recipient: Some(person), overwrites: Vec::new() };
        self.channels.insert(id, channel);
        id
    }

    /// Sets what a Channel allows and denies a Role or Member, replacing an earlier overwrite.
    pub fn set_overwrite(&mut self, channel: Snowflake, subject: Subject, allow: Permissions, deny: Permissions) {
        let Some(found) = self.channels.get_mut(&channel) else { return };
        found.overwrites.retain(|overwrite| overwrite.subject != subject);
        found.overwrites.push(Overwrite { subject, allow, deny });
        let data = self.channel_json(channel);
        self.dispatch("CHANNEL_UPDATE", Intent::Guilds, &data);
    }

    /// Denies the bot these permissions in one Channel, whatever its Roles grant.
    pub fn deny_bot(&mut self, channel: Snowflake, deny: Permissions) {
        let bot = self.bot.id;
        self.set_overwrite(channel, Subject::Member(bot), Permissions::NONE, deny);
    }

    /// Deletes a Channel with its Threads and Messages, as an operator can.
    pub fn delete_channel(&mut self, channel: Snowflake) {
        let threads: Vec<_> =
            self.channels.values().filter(|other| other.parent == Some(channel)).map(|thread| thread.id).collect();
        for gone in threads.into_iter().chain([channel]) {
            let data = self.channel_json(gone);
            let Some(channel) = self.channels.remove(&gone) else { continue };
            self.messages.retain(|_, message| message.channel != gone);
            let name = if channel.kind.is_thread() { "THREAD_DELETE" } else { "CHANNEL_DELETE" };
            self.dispatch(name, Intent::Guilds, &data);
            self.tell(Event::ChannelDeleted { channel: gone });
        }
    }

    /// The Channels and Threads of a Guild, oldest first.
    pub fn channels_of(&self, guild: Snowflake) -> impl Iterator<Item = &Channel> + Clone {
        self.channels.values().filter(move |channel| channel.guild == Some(guild))
    }

    /// A Channel.
    pub fn channel(&self, id: Snowflake) -> Option<&Channel> {
        self.channels.get(&id)
    }

    /// Every Channel that a person sees, in order of creation.
    pub fn channels_seen_by(&self, user: Snowflake) -> impl Iterator<Item = &Channel> {
        self.channels.values().filter(move |channel| self.may(channel.id, user, Permissions::NONE))
    }

    /// A Channel by name, with or without `#`.
    pub fn channel_named(&self, name: &str) -> Option<Snowflake> {
        let name = name.trim_start_matches('#');
        self.channels.values().find(|channel| channel.name == name).map(|channel| channel.id)
    }

    fn insert_channel(&mut self, event: &'static str, make: impl FnOnce(Snowflake) -> Channel) -> Snowflake {
        let id = self.ids.next();
        self.channels.insert(id, make(id));
        let data = self.channel_json(id);
        self.dispatch(event, Intent::Guilds, &data);
        id
    }

    pub(in crate::discord) fn channel_json(&self, id: Snowflake) -> Value {
        let Some(channel) = self.channels.get(&id) else { return Value::Null };
        let last = self.messages.values().rev().find(|message| message.channel == id && message.is_public());
        let mut json = json!({
            "id": id, "type": channel.kind.number(), "flags": 0, "last_message_id": last.map(|message| message.id),
        });
        match channel.kind {
            ChannelKind::Direct => {
                json["recipients"] = channel.recipient.iter().map(|person| self.user_json(*person)).collect();
            }
            ChannelKind::Text => {
                json["guild_id"] = json!(channel.guild);
                json["name"] = channel.name.as_str().into();
                json["parent_id"] = Value::Null;
                json["topic"] = Value::Null;
                json["position"] = 0.into();
                json["nsfw"] = false.into();
                json["rate_limit_per_user"] = 0.into();
                json["permission_overwrites"] = channel.overwrites.iter().map(overwrite_json).collect();
            }
            ChannelKind::PublicThread | ChannelKind::PrivateThread => {
                json["guild_id"] = json!(channel.guild);
                json["name"] = channel.name.as_str().into();
                json["parent_id"] = json!(channel.parent);
                json["owner_id"] = self.bot.id.into();
                json["rate_limit_per_user"] = 0.into();
                json["message_count"] = self.messages.values().filter(|message| message.channel == id).count().into();
                json["total_message_sent"] = json["message_count"].clone();
                json["member_count"] = 1.into();
                json["thread_metadata"] = json!({
                    "archived": false, "archive_timestamp": self.started.to_string(), "auto_archive_duration": 1440,
                    "locked": false, "create_timestamp": self.started.to_string(),
                });
            }
        }
        json
    }
}

fn overwrite_json(overwrite: &Overwrite) -> Value {
    let (id, kind) = match overwrite.subject {
        Subject::Role(id) => (id, 0),
        Subject::Member(id) => (id, 1),
    };
    json!({
        "id": id, "type": kind, "allow": overwrite.allow.bits().to_string(), "deny": overwrite.deny.bits().to_string(),
    })
}
