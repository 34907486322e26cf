//! Converts messages to serenity's types. Nothing is worded here. Only the people in `pings` are pinged, and only the role that a message
//! calls.

use serenity::{
    builder::{
        CreateActionRow, CreateAllowedMentions, CreateAttachment, CreateButton, CreateEmbed, CreateEmbedFooter,
        CreateInputText, CreateInteractionResponseFollowup, CreateInteractionResponseMessage, CreateMessage,
        CreateModal, CreateSelectMenu, CreateSelectMenuKind, CreateSelectMenuOption, EditInteractionResponse,
        EditMessage,
    },
    model::{
        application::{ButtonStyle, InputTextStyle},
        channel::{MessageReference, MessageReferenceKind, Nonce},
        id::{ChannelId, MessageId, RoleId, UserId},
    },
};

use super::messages::{
    lengths,
    message::{Action, Button, Choice, Embed, Input, Menu, Message, Modal, Style},
};
use crate::operation::ids;

/// The id of a form's first input.
const INPUT: &str = "text";

/// A new message. Its nonce is enforced: for some minutes, Discord returns the first message instead of creating a second one.
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
        .components(rows(said));
    if !said.content.is_empty() {
        message = message.content(&said.content);
    }
    message = message.add_files(file(said));
    if let Some((channel, to)) = reply_to {
        let reference = MessageReference::new(MessageReferenceKind::Default, channel_id(channel))
            .message_id(message_id(to))
            .fail_if_not_exists(false);
        message = message.reference_message(reference);
    }
    message
}

/// The whole message as an edit. An edit pings nobody, whatever its text.
pub(super) fn edit(said: &Message) -> EditMessage {
    EditMessage::new()
        .content(&said.content)
        .embeds(said.embeds.iter().map(embed).collect())
        .components(rows(said))
        .allowed_mentions(allowed(&[]))
}

/// The answer to an interaction. It pings nobody, since the person who asked is reading it.
pub(super) fn response(said: &Message) -> CreateInteractionResponseMessage {
    CreateInteractionResponseMessage::new()
        .content(&said.content)
        .add_files(file(said))
        .embeds(said.embeds.iter().map(embed).collect())
        .components(rows(said))
        .allowed_mentions(allowed(&[]))
}

/// The answer that replaces the message that was pressed.
pub(super) fn edit_response(said: &Message) -> EditInteractionResponse {
    let edit = EditInteractionResponse::new()
        .content(&said.content)
        .embeds(said.embeds.iter().map(embed).collect())
        .components(rows(said))
        .allowed_mentions(allowed(&[]));
    file(said).into_iter().fold(edit, EditInteractionResponse::new_attachment)
}

/// The attached file. Its bytes are sent separately from the JSON of the message.
pub(super) fn file(said: &Message) -> Option<CreateAttachment> {
    let file = said.file.as_ref()?;
    let attachment = CreateAttachment::bytes(file.bytes.clone(), &file.name);
    Some(if file.alt.is_empty() { attachment } else { attachment.description(&file.alt) })
}

/// A form, in answer to a press. Discord returns its inputs in the same order.
pub(super) fn modal(form: &Modal) -> CreateModal {
    let rows = form.inputs.iter().enumerate().map(|(number, input)| {
        let id = if number == 0 { INPUT.to_owned() } else { format!("{INPUT}{}", number + 1) };
        CreateActionRow::InputText(line(input, id))
    });
    CreateModal::new(form.press.to_string(), &form.title).components(rows.collect())
}

fn line(input: &Input, id: String) -> CreateInputText {
    let mut line = CreateInputText::new(InputTextStyle::Short, &input.label, id)
        .min_length(u16::from(input.is_required))
        .max_length(input.longest)
        .required(input.is_required);
    if !input.value.is_empty() {
        line = line.value(&input.value);
    }
    if !input.placeholder.is_empty() {
        line = line.placeholder(&input.placeholder);
    }
    line
}

/// A follow-up message after the answer to an interaction.
pub(super) fn follow_up(said: &Message) -> CreateInteractionResponseFollowup {
    CreateInteractionResponseFollowup::new()
        .content(&said.content)
        .add_files(file(said))
        .embeds(said.embeds.iter().map(embed).collect())
        .components(rows(said))
        .allowed_mentions(allowed(&[]))
}

/// serenity's ids panic on zero, which a damaged row may contain. There is no channel 1 either, and Discord reports that as an error.
pub(super) fn channel_id(id: ids::ChannelId) -> ChannelId {
    ChannelId::new(id.0.max(1))
}

/// The message id, with 1 instead of zero, as in [`channel_id`].
pub(super) fn message_id(id: ids::MessageId) -> MessageId {
    MessageId::new(id.0.max(1))
}

/// Permits pings of only these people.
pub(super) fn allowed(pings: &[ids::UserId]) -> CreateAllowedMentions {
    CreateAllowedMentions::new().users(pings.iter().map(|user| UserId::new(user.0.max(1)))).replied_user(false)
}

fn embed(embed: &Embed) -> CreateEmbed {
    let framed = CreateEmbed::new().title(&embed.title).description(&embed.description).colour(embed.colour.rgb());
    if embed.footer.is_empty() { framed } else { framed.footer(CreateEmbedFooter::new(&embed.footer)) }
}

fn rows(said: &Message) -> Vec<CreateActionRow> {
    let menus = said.menus.iter().map(|menu| CreateActionRow::SelectMenu(select(menu)));
    let buttons = said.buttons.chunks(lengths::ROW);
    menus.chain(buttons.map(|row| CreateActionRow::Buttons(row.iter().map(button).collect()))).collect()
}

fn button(button: &Button) -> CreateButton {
    let created = match &button.action {
        Action::Open(address) => CreateButton::new_link(address),
        Action::Press(press, style) => CreateButton::new(press.to_string()).style(match style {
            Style::Primary => ButtonStyle::Primary,
            Style::Secondary => ButtonStyle::Secondary,
            Style::Danger => ButtonStyle::Danger,
        }),
    };
    created.label(button.label.as_ref()).disabled(button.is_disabled)
}

fn select(menu: &Menu) -> CreateSelectMenu {
    let option = |choice: &Choice| {
        let option = CreateSelectMenuOption::new(&choice.label, &choice.value).default_selection(choice.is_chosen);
        if choice.description.is_empty() { option } else { option.description(&choice.description) }
    };
    let options = menu.options.iter().map(option).collect();
    let select = CreateSelectMenu::new(menu.press.to_string(), CreateSelectMenuKind::String { options })
        .placeholder(&menu.placeholder);
    if menu.is_multiple {
        select.min_values(0).max_values(u8::try_from(menu.options.len()).unwrap_or(u8::MAX))
    } else {
        select
    }
}
