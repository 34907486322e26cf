//! From what is to be said to what serenity sends. Nothing is worded here. Nobody is pinged who is not named in `pings`, and no role but
//! the one that a message calls.

use serenity::{
    builder::{
        CreateActionRow, CreateAllowedMentions, CreateButton, CreateEmbed, CreateEmbedFooter,
        CreateInteractionResponseFollowup, CreateInteractionResponseMessage, CreateMessage, EditInteractionResponse,
        EditMessage,
    },
    model::{
        application::ButtonStyle,
        channel::{MessageReference, MessageReferenceKind, Nonce},
        id::{ChannelId, MessageId, RoleId, UserId},
    },
};

use super::messages::message::{Button, Embed, Message, Style};
use crate::operation::ids;

/// A new message. With its nonce enforced, Discord returns the first one instead of creating a second, for some minutes.
pub(super) fn create(
    said: &Message,
    nonce: String,
    reply_to: Option<(ids::ChannelId, ids::MessageId)>,
) -> CreateMessage {
    let mut message = CreateMessage::new()
        .nonce(Nonce::String(nonce))
        .enforce_nonce(true)
        .allowed_mentions(allowed(&said.pings).roles(said.role.map(|role| RoleId::new(role.0.max(1)))))
        .embeds(said.embeds.iter().map(embed).collect())
        .components(rows(&said.buttons));
    if !said.content.is_empty() {
        message = message.content(&said.content);
    }
    if let Some((channel, to)) = reply_to {
        let reference = MessageReference::new(MessageReferenceKind::Default, channel_id(channel))
            .message_id(message_id(to))
            .fail_if_not_exists(false);
        message = message.reference_message(reference);
    }
    message
}

/// The whole message anew. An edit pings nobody, whatever it says.
pub(super) fn edit(said: &Message) -> EditMessage {
    EditMessage::new()
        .content(&said.content)
        .embeds(said.embeds.iter().map(embed).collect())
        .components(rows(&said.buttons))
        .allowed_mentions(allowed(&[]))
}

/// The answer to an interaction, which pings nobody: whoever asked is reading it.
pub(super) fn response(said: &Message) -> CreateInteractionResponseMessage {
    CreateInteractionResponseMessage::new()
        .content(&said.content)
        .embeds(said.embeds.iter().map(embed).collect())
        .components(rows(&said.buttons))
        .allowed_mentions(allowed(&[]))
}

/// The same, in place of what stands there already.
pub(super) fn edit_response(said: &Message) -> EditInteractionResponse {
    EditInteractionResponse::new()
        .content(&said.content)
        .embeds(said.embeds.iter().map(embed).collect())
        .components(rows(&said.buttons))
        .allowed_mentions(allowed(&[]))
}

/// The same, beside it.
pub(super) fn follow_up(said: &Message) -> CreateInteractionResponseFollowup {
    CreateInteractionResponseFollowup::new()
        .content(&said.content)
        .embeds(said.embeds.iter().map(embed).collect())
        .components(rows(&said.buttons))
        .allowed_mentions(allowed(&[]))
}

/// serenity's ids panic on zero, which a damaged row may hold; there is no channel 1 either, and Discord says so.
pub(super) fn channel_id(id: ids::ChannelId) -> ChannelId {
    ChannelId::new(id.0.max(1))
}

/// The same for messages.
pub(super) fn message_id(id: ids::MessageId) -> MessageId {
    MessageId::new(id.0.max(1))
}

/// Only these people may be pinged.
pub(super) fn allowed(pings: &[ids::UserId]) -> CreateAllowedMentions {
    CreateAllowedMentions::new().users(pings.iter().map(|user| UserId::new(user.0.max(1)))).replied_user(false)
}

fn embed(embed: &Embed) -> CreateEmbed {
    let framed = CreateEmbed::new().title(&embed.title).description(&embed.description).colour(embed.colour.rgb());
    if embed.footer.is_empty() { framed } else { framed.footer(CreateEmbedFooter::new(&embed.footer)) }
}

fn rows(buttons: &[Button]) -> Vec<CreateActionRow> {
    if buttons.is_empty() {
        return Vec::new();
    }
    let style = |style| match style {
        Style::Primary => ButtonStyle::Primary,
        Style::Secondary => ButtonStyle::Secondary,
        Style::Danger => ButtonStyle::Danger,
    };
    let button =
        |button: &Button| CreateButton::new(button.press.to_string()).label(button.label).style(style(button.style));
    vec![CreateActionRow::Buttons(buttons.iter().map(button).collect())]
}
