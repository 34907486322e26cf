//! Options with a few fixed values. The label explains the value to people, and the value that is sent stays the same.

use serenity::{
    async_trait,
    builder::CreateCommandOption,
    client::Context,
    model::application::{CommandInteraction, CommandOptionType, ResolvedValue},
};

/// A type with a few values that a person can choose from.
pub(super) trait Values: Copy + Send + Sync + 'static {
    /// For each value, its label, the word that is sent, and the value.
    const ALL: &'static [(&'static str, &'static str, Self)];
}

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
