//! `/snapshot status`: what runs now, with ways to the progress messages, and what ended last.

use serenity::builder::{AutocompleteChoice, CreateAutocompleteResponse};

use super::{Context, answer, asking};
use crate::{
    access::Right,
    discord::{
        face::Face,
        incident::Fault,
        messages::{
            refusal::Refusal,
            status::{self, Entry, LISTED, Overview},
        },
        responder::{Answer, Stop},
    },
    operation::{Operation, ids::GuildId},
};

/// Discord takes no more choices.
const CHOICES: usize = 25;

/// See what is running and what ended last
#[poise::command(slash_command)]
pub(super) async fn status(
    context: Context<'_>,
    #[description = "One operation in detail"]
    #[autocomplete = "operations"]
    operation: Option<String>,
) -> Result<(), Fault> {
    answer(context, |_| Box::pin(tell(context, operation))).await;
    Ok(())
}

async fn tell(context: Context<'_>, operation: Option<String>) -> Result<Answer, Stop> {
    let face = context.framework.user_data;
    let grant = face.policy.authorize(&asking(context), Right::View).map_err(Refusal::Denied)?;
    let now = face.clock.now();
    let Some(text) = operation else {
        let overview = overview(face, grant.guild()).await?;
        return Ok(Answer::New(status::overview(&overview, now)));
    };
    let found = meant(face, grant.guild(), text.trim()).await?;
    let operation = found.ok_or_else(|| Refusal::UnknownOperation { text: text.clone() })?;
    let timeline = face.store.timeline(operation.id).await?;
    Ok(Answer::New(status::detail(&entry(face, operation).await?, &timeline, now)))
}

/// The operation with this id, or the latest of what has this name: what runs, or else what ended.
async fn meant(face: &Face, guild: GuildId, text: &str) -> Result<Option<Operation>, Stop> {
    if let Ok(id) = text.parse()
        && let Some(stored) = face.store.operation(id).await?
    {
        return Ok(Some(stored.operation).filter(|operation| operation.asker.guild == guild));
    }
    let running = face.store.running_in(guild).await?.into_iter().rev();
    let known = running.chain(face.store.recent(guild, CHOICES).await?);
    Ok(known.map(|stored| stored.operation).find(|operation| operation.target.name.eq_ignore_ascii_case(text)))
}

async fn overview(face: &Face, guild: GuildId) -> Result<Overview, Stop> {
    let running = face.store.running_in(guild).await?;
    let mut overview = Overview { more: running.len().saturating_sub(LISTED), ..Overview::default() };
    for stored in running.into_iter().take(LISTED) {
        overview.running.push(entry(face, stored.operation).await?);
    }
    for stored in face.store.recent(guild, LISTED).await? {
        overview.ended.push(entry(face, stored.operation).await?);
    }
    Ok(overview)
}

async fn entry(face: &Face, operation: Operation) -> Result<Entry, Stop> {
    let progress = face.store.progress_message(operation.id).await?;
    Ok(Entry { operation, progress })
}

/// The operations that a half-typed text may mean; none for who may not look.
async fn operations<'a>(context: Context<'a>, partial: &'a str) -> CreateAutocompleteResponse {
    let face = context.framework.user_data;
    let Ok(grant) = face.policy.authorize(&asking(context), Right::View) else {
        return CreateAutocompleteResponse::new();
    };
    let (running, ended) =
        tokio::join!(face.store.running_in(grant.guild()), face.store.recent(grant.guild(), CHOICES));
    let known = running.into_iter().chain(ended).flatten();
    let wanted = partial.trim().to_lowercase();
    let choices = known
        .map(|stored| (status::choice(&stored.operation), stored.operation.id))
        .filter(|(label, _)| label.to_lowercase().contains(&wanted))
        .take(CHOICES)
        .map(|(label, id)| AutocompleteChoice::new(label, id.to_string()));
    CreateAutocompleteResponse::new().set_choices(choices.collect())
}
