//! Options with a few fixed values, whose labels are [`Values`]. A client may send the label in place of the value.

use serenity::{
    async_trait,
    builder::CreateCommandOption,
    client::Context,
    model::application::{CommandInteraction, CommandOptionType, ResolvedValue},
};

use crate::discord::messages::values::Values;

/// The chosen value.
#[derive(Clone, Copy, Debug)]
pub(super) struct OneOf<T>(pub(super) T);

#[async_trait]
impl<T: Values> poise::SlashArgument for OneOf<T> {
    async fn extract(
        _: &Context,
        _: &CommandInteraction,
        value: &ResolvedValue<'_>,
    ) -> Result<Self, poise::SlashArgError> {
        let known = |text: &str| T::ALL.iter().find(|(label, word, _)| *word == text || *label == text);
        let chosen = match value {
            ResolvedValue::String(text) => known(text),
            _ => None,
        };
        let mismatch = || poise::SlashArgError::new_command_structure_mismatch("expected one of the choices");
        chosen.map(|(.., value)| Self(*value)).ok_or_else(mismatch)
    }

    fn create(builder: CreateCommandOption) -> CreateCommandOption {
        let builder = builder.kind(CommandOptionType::String);
        T::ALL.iter().fold(builder, |builder, (label, word, _)| builder.add_string_choice(*label, *word))
    }
}
